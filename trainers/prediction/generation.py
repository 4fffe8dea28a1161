"""What a program makes (`{Generation}`): pictures, drawn by number or made of given ones, at constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, sqrt

import torch
from torch import Tensor, nn

from netcfg.blocks.network.random import Random
from netcfg.builder.chance import Between, Chance
from netcfg.graph import Graph, Signal
from netcfg.passes.generate import PICTURE, made_by
from netcfg.passes.wire import signals_by_name
from netcfg.program import Program
from netcfg.shapes import show
from netcfg.source import Finding, ProgramError
from netcfg.trainers.prediction.settings import Fixed, fixed
from netcfg.trainers.reporting.gallery import scale
from netcfg.trainers.reporting.pictures import draw_grid, pixels_of
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import Precision

GRID = 64
"""Pictures on a sheet, at most."""

Number = int | Between
"""A sample, or one on the way between two."""


class Generator:
    """Makes samples by their numbers: sample n of a seed is the same, however many are made and in what batches.

    `settings` are values in the place of draws, constants and inputs, by their names (see `fixed`). Raises
    `ProgramError` (NC403) where the program has no `{Generation}`, or makes no pictures.
    """

    def __init__(
        self,
        program: Program,
        networks: nn.ModuleDict,
        device: torch.device,
        seed: int = 0,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.graph = graph_of(program)
        self.names = tuple(pictures_of(self.graph))
        if not self.names:
            made = ", ".join(
                f"`{name}` ({show(one.shape) or 'one number'})" for name, one in made_by(self.graph).items()
            )
            message = f"{{Generation}} of {program.name} makes {made or 'nothing'}, and no picture of 1 or 3 channels"
            raise ProgramError(
                [Finding("NC403", message, self.graph.span, help="let it end in what a network draws")]
            )
        self.program = program
        self.networks = networks
        self.device = device
        self._precision = Precision(program.training.precision, device)
        whole = replace(program, model=self.graph, signals=signals_by_name(self.graph))
        self._model = Model(whole, networks, Chance(seed))
        self._numbers: Sequence[Number] = ()
        self._fields = {}
        given = fixed(self.graph, settings, program.data.fields if program.data else {})
        self._set = frozenset(given)
        for index, value in given.items():
            node = self.graph.nodes[index]
            if node.is_input:
                self._fields[node.path] = value
            else:
                self._model.calls[index] = self._call(value)

    @property
    def draws(self) -> bool:
        """Whether a sample differs from the next one by anything drawn: something is, and no setting took its place."""
        own = (node for index, node in enumerate(self.graph.nodes) if index not in self._set)
        inside = (node for graph in self.program.networks.values() for node in graph.nodes)
        return any(isinstance(node.block, Random) for node in (*own, *inside))

    @property
    def title(self) -> str:
        """What it makes, in words."""
        return ", ".join(self.names)

    @property
    def picture(self) -> str | None:
        """The input that is given a picture for each sample; None where there is none."""
        return picture_given(self.graph)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Inputs of other kinds that `settings` say nothing of."""
        return tuple(name for name in self.graph.inputs if name not in self._fields and name != self.picture)

    def samples(self, numbers: Sequence[Number], pictures: Tensor | None = None) -> dict[str, Tensor]:
        """Those of these numbers, N×C×H×W by name, as colours from 0 to 1 on the processor.

        `pictures`: given ones, N×C×H×W as networks see them. The networks are left as they were.
        """
        modes = {name: module.training for name, module in self.networks.named_modules()}
        set_training(self.program, self.networks, False)
        fields = {"": torch.empty(len(numbers), device=self.device)}
        fields |= {name: value(numbers).to(self.device) for name, value in self._fields.items()}
        if pictures is not None and self.picture is not None:
            fields[self.picture] = pictures
        try:
            with torch.inference_mode(), self._precision():
                self._numbers = numbers
                self._model.chance.evaluate(numbers)
                made = self._model.padded(fields, self.names)
        finally:
            for name, module in self.networks.named_modules():
                module.training = modes[name]
        return {name: self.colours(name, tensor) for name, tensor in made.items()}

    def batches(
        self, numbers: Sequence[Number], size: int
    ) -> Iterator[tuple[Sequence[Number], dict[str, Tensor]]]:
        """These samples with their numbers, so many at a time."""
        for first in range(0, len(numbers), size):
            some = numbers[first : first + size]
            yield some, self.samples(some)

    def colours(self, name: str, tensor: Tensor) -> Tensor:
        """What networks see or make as colours from 0 to 1, on the processor."""
        values = tensor.float().cpu()
        if self.program.data is None:
            return values
        mean, deviation = (
            values.new_tensor(one).view(-1, 1, 1) for one in scale(self.program.data, name, ())
        )
        return values * deviation + mean if len(mean) in (1, values.shape[1]) else values

    def _call(self, value: Fixed) -> Callable[..., Tensor]:
        """A block that gives this instead of what it would."""
        return lambda *inputs: value(self._numbers).to(self.device)


def graph_of(program: Program) -> Graph:
    """What is made. Raises `ProgramError` (NC403) where the program does not say."""
    if program.generation is None:
        message = f"{program.name} has no {{Generation}}, which says what is made without data"
        help = "add it: draws, `[random]`, and the networks that make something of them"
        raise ProgramError([Finding("NC403", message, help=help)])
    return program.generation


def picture_given(graph: Graph) -> str | None:
    """The input that is given a picture for each sample; None where there is none."""
    return next((name for name, signal in graph.inputs.items() if signal.axes == PICTURE), None)


def pictures_of(graph: Graph) -> Mapping[str, Signal]:
    """What it makes that is a picture. With given pictures, its size may be theirs."""
    return {
        name: signal
        for name, signal in made_by(graph).items()
        if len(signal.shape) == 3
        and signal.shape[0] in (1, 3)
        and (picture_given(graph) or all(isinstance(size, int) for size in signal.shape))
    }


def on_the_way(count: int, between: int) -> list[Number]:
    """`count` samples, and so many between each and the next one."""
    numbers: list[Number] = []
    for first in range(count - 1):
        numbers.append(first)
        numbers += [Between(first, first + 1, step / (between + 1)) for step in range(1, between + 1)]
    return [*numbers, count - 1]


def sheet(pictures: Tensor) -> bytes:
    """The first pictures as a PNG, in rows as near to a square as they go. Shapes: N×C×H×W, colours from 0 to 1."""
    shown = pictures[:GRID]
    return draw_grid(pixels_of("samples", shown), ceil(sqrt(len(shown))))


def way_sheet(pictures: Tensor, between: int) -> bytes:
    """Samples and what lies between them as a PNG: a row from each to the next, which begins the next row."""
    step = between + 1
    rows = max(1, min((len(pictures) - 1) // step, GRID // (step + 1)))
    shown = torch.cat([pictures[row * step : (row + 1) * step + 1] for row in range(rows)])
    return draw_grid(pixels_of("samples", shown), step + 1)


__all__ = ["Generator", "on_the_way", "pictures_of", "sheet", "way_sheet"]
