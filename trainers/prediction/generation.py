"""What a program makes without data (`{Generation}`): pictures, drawn by number, at constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, sqrt

import torch
from torch import Tensor, nn

from netcfg.builder.chance import Chance
from netcfg.graph import Graph, Signal
from netcfg.passes.generate import made_by
from netcfg.passes.wire import signals_by_name
from netcfg.program import Program
from netcfg.shapes import show
from netcfg.source import Finding, ProgramError
from netcfg.trainers.reporting.gallery import scale
from netcfg.trainers.reporting.pictures import draw_grid, pixels_of
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import Precision

GRID = 64
"""Pictures on a sheet, at most."""


class Generator:
    """Makes samples by their numbers: sample n of a seed is the same, however many are made and in what batches.

    Raises `ProgramError` (NC403) where the program has no `{Generation}`, or makes no pictures.
    """

    def __init__(
        self, program: Program, networks: nn.ModuleDict, device: torch.device, seed: int = 0
    ) -> None:
        graph = _graph_of(program)
        self.names = tuple(pictures_of(graph))
        if not self.names:
            made = ", ".join(
                f"`{name}` ({show(one.shape) or 'one number'})" for name, one in made_by(graph).items()
            )
            message = f"{{Generation}} of {program.name} makes {made or 'nothing'}, and no picture of 1 or 3 channels"
            raise ProgramError(
                [Finding("NC403", message, graph.span, help="let it end in what a network draws")]
            )
        self.program = program
        self.networks = networks
        self.device = device
        self._precision = Precision(program.training.precision, device)
        whole = replace(program, model=graph, signals=signals_by_name(graph))
        self._model = Model(whole, networks, Chance(seed))

    @property
    def title(self) -> str:
        """What it makes, in words."""
        return ", ".join(self.names)

    def samples(self, numbers: Sequence[int]) -> dict[str, Tensor]:
        """Those of these numbers, N×C×H×W by name, as colours from 0 to 1 on the processor.

        The networks are left as they were.
        """
        modes = {name: module.training for name, module in self.networks.named_modules()}
        set_training(self.program, self.networks, False)
        try:
            with torch.inference_mode(), self._precision():
                self._model.chance.evaluate(numbers)
                made = self._model.padded({"": torch.empty(len(numbers), device=self.device)}, self.names)
        finally:
            for name, module in self.networks.named_modules():
                module.training = modes[name]
        return {name: self._colours(name, tensor) for name, tensor in made.items()}

    def batches(self, count: int, size: int) -> Iterator[tuple[list[int], dict[str, Tensor]]]:
        """The first `count` samples with their numbers, so many at a time."""
        for first in range(0, count, size):
            numbers = list(range(first, min(first + size, count)))
            yield numbers, self.samples(numbers)

    def _colours(self, name: str, tensor: Tensor) -> Tensor:
        values = tensor.float().cpu()
        if self.program.data is None:
            return values
        mean, deviation = (
            values.new_tensor(one).view(-1, 1, 1) for one in scale(self.program.data, name, ())
        )
        return values * deviation + mean if len(mean) in (1, values.shape[1]) else values


def _graph_of(program: Program) -> Graph:
    if program.generation is None:
        message = f"{program.name} has no {{Generation}}, which says what is made without data"
        help = "add it: draws, `[random]`, and the networks that make something of them"
        raise ProgramError([Finding("NC403", message, help=help)])
    return program.generation


def pictures_of(graph: Graph) -> Mapping[str, Signal]:
    """What it makes that is a picture."""
    return {
        name: signal
        for name, signal in made_by(graph).items()
        if len(signal.shape) == 3
        and signal.shape[0] in (1, 3)
        and all(isinstance(size, int) for size in signal.shape)
    }


def sheet(pictures: Tensor) -> bytes:
    """The first pictures as a PNG, in rows as near to a square as they go. Shapes: N×C×H×W, colours from 0 to 1."""
    shown = pictures[:GRID]
    return draw_grid(pixels_of("samples", shown), ceil(sqrt(len(shown))))


__all__ = ["Generator", "pictures_of", "sheet"]
