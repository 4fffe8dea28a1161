"""What `[pictures]` asks for: after every epoch pictures of a few samples, and plots of how gradients flow.

A run's weights are the same with it and without it: it draws no number from the generators that training uses.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from netcfg.blocks.fields import Split
from netcfg.blocks.transforms.base import targets
from netcfg.blocks.transforms.normalise import Normalise
from netcfg.datasets.pipeline import Batch, Batches
from netcfg.datasets.together import open_batches
from netcfg.files import write_beside
from netcfg.passes.plan import Plan
from netcfg.program import Data, Phase, Program
from netcfg.trainers.reporting.gradient_flow import Row, draw_gradient_flow, gradient_flow, gradient_scalars
from netcfg.trainers.reporting.pictures import MOST_COLUMNS, draw_rows, png
from netcfg.trainers.reporting.tensorboard import Events
from netcfg.trainers.step.phases import Phases, set_training
from netcfg.trainers.step.step import Precision

PICTURES = "pictures"
GRADIENT_FLOW = "gradient_flow"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Gallery:
    """The pictures of a run, in `pictures/` and `gradient_flow/` of its folder, and in its TensorBoard events.

    Call `watch` before every batch of training, and `end_epoch` after every epoch, with the weights that are to be
    shown in place. What cannot be drawn is told by `say`, and training goes on.
    Errors: `NetcfgError` where a disk is full.
    """

    def __init__(
        self, program: Program, folder: Path, phases: Phases, events: Events, say: Callable[[str], None]
    ) -> None:
        self.program = program
        self.folder = folder
        self.phases = phases
        self.events = events
        self.say = say
        self.section = program.pictures
        self._step = phases.step
        self._device = next(phases.model.networks.parameters()).device
        self._samples: tuple[Batches, Batch] | None = None
        self._last_batches: dict[str, int] = {}
        self._watched: set[str] = set()
        self._flow: dict[str, list[Row]] = {}

    # --- gradients

    def watch(self, batch: int, batches: int) -> None:
        """Before the `batch`-th of so many batches of an epoch: look at its gradients, if no later one is better.

        That is the last batch of the epoch on which a phase runs.
        """
        if self.section is None or not self.section.gradient_flow:
            return
        if not self._last_batches:
            self._last_batches = last_batches(self._step.plan, batches)
        self._watched = {phase for phase, last in self._last_batches.items() if last == batch}
        self._step.on_gradients = self._look if self._watched else None

    def _look(self, phase: str) -> None:
        """Keep the sizes of a phase's gradients; where it accumulates, those of the part there is."""
        if phase not in self._watched:
            return
        scaler = self._step.steppers[phase].scaler
        scale = scaler.get_scale() if scaler is not None else 1.0
        rows = gradient_flow(self._parameters(phase))
        self._flow[phase] = [(name, mean / scale, most / scale) for name, mean, most in rows]

    def _parameters(self, phase: str) -> Iterable[tuple[str, Tensor]]:
        for name in self._step.steppers[phase].networks:
            yield from self.phases.model.networks[name].named_parameters(prefix=name)

    # --- after an epoch

    def end_epoch(self, epoch: int) -> None:
        """Draw what there is to show of an epoch, counted from 1."""
        if self.section is None:
            return
        self._try(epoch, "pictures", self._show)
        flow, self._flow = self._flow, {}
        for phase, rows in flow.items():
            self._try(epoch, f"gradients of `{phase}`", partial(self._plot, phase, rows))

    def _try(self, epoch: int, what: str, draw: Callable[[int], None]) -> None:
        try:
            draw(epoch)
        except Exception as error:  # no picture is worth a run
            if _is_full_disk(error):
                raise
            reason = str(error).partition("\n")[0] or type(error).__name__
            self.say(f"no {what} of epoch {epoch}: {reason}")

    def _plot(self, phase: str, rows: Sequence[Row], epoch: int) -> None:
        folder = self.folder / GRADIENT_FLOW
        folder.mkdir(exist_ok=True)
        draw_gradient_flow(folder / f"{file_name(phase)}_epoch_{epoch:04}.png", rows)
        self.events.scalars(epoch, gradient_scalars(rows))

    def _show(self, epoch: int) -> None:
        assert self.section is not None
        colours = self._colours(self.section.show)
        starts = range(0, self.section.samples, MOST_COLUMNS)
        rows = [
            (name, shown[start : start + MOST_COLUMNS])
            for start in starts
            for name, shown in colours.items()
            if start < len(shown)
        ]
        sheet = draw_rows(rows)
        folder = self.folder / PICTURES
        folder.mkdir(exist_ok=True)
        write_beside(folder / f"epoch_{epoch:04}.png", png(sheet))
        self.events.picture(epoch, PICTURES, sheet)

    def _colours(self, names: Sequence[str]) -> dict[str, Tensor]:
        """The signals of the samples, as colours from 0 to 1."""
        model = self.phases.model
        assert self.program.data is not None
        set_training(self.program, model.networks, False)
        precision = Precision(self.program.training.precision, self._device)
        with self._own_random_numbers(), torch.inference_mode():
            pipeline, batch = self._chosen()
            with precision():
                signals = model.signals(pipeline.finish(batch), names)
        return {name: _to_colours(signals[name], *scale(self.program.data, name, names)) for name in names}

    def _chosen(self) -> tuple[Batches, Batch]:
        """Samples drawn by the seed from the validation split; without one, from the training split."""
        assert self.program.data is not None
        if self._samples is None:
            pipeline = self._pipeline(self.program.data, "validation")
            if not len(pipeline):
                pipeline = self._pipeline(self.program.data, "train")
            assert self.section is not None
            read = self.phases.model.reads(self.section.show)
            batches = list(pipeline.epoch())
            # Of joined sources a batch is of one, and not each has all that is shown.
            whole = (batch for batch in batches if read <= pipeline.finish(batch).keys())
            self._samples = pipeline, next(whole, batches[0])
        return self._samples

    def _pipeline(self, data: Data, split: Split) -> Batches:
        assert self.section is not None
        return open_batches(
            data,
            split,
            self.section.samples,
            seed=self.program.training.seed,
            shuffle="once",  # neighbours are often frames of one person
            device=self._device,
            limit_batches=1,
            remember=False,  # one batch is kept, not a place for all of them
        )

    def _own_random_numbers(self) -> AbstractContextManager[None]:
        """Inside, generators may be drawn from; afterwards they are as they were."""
        return torch.random.fork_rng([self._device] if self._device.type == "cuda" else [])


def last_batches(plan: Plan, batches: int) -> dict[str, int]:
    """For each phase the last of an epoch's batches on which it runs, counted from 0."""
    last: dict[str, int] = {}
    for batch in reversed(range(batches)):
        for number in plan.running(batch):
            step = plan.program.steps[number]
            if isinstance(step, Phase):
                last.setdefault(step.name, batch)
        if len(last) == len(plan.program.phases):
            break
    return last


def scale(data: Data, name: str, shown: Sequence[str]) -> tuple[list[float], list[float]]:
    """Means and deviations that bring a signal back to 0..1, `value * deviation + mean`.

    A field's own; a signal that networks make, such as a reconstruction, has those of the first field shown.
    """
    pictures = [other for other in (name, *shown, *data.fields) if other in data.fields]
    field = next((other for other in pictures if data.fields[other].kind in ("image", "flow")), None)
    mean, deviation = [0.0], [1.0]
    for transform in data.transforms:
        if isinstance(transform, Normalise) and field in targets(transform, data.fields, ("image", "flow")):
            mean = _each(lambda m, d, inner: m + d * inner, mean, deviation, transform.means)
            deviation = _each(lambda d, inner: d * inner, deviation, transform.deviations)
    return mean, deviation


def _each(function: Callable[..., float], *numbers: Sequence[float]) -> list[float]:
    """By channel; a single number stands for all."""
    channels = max(map(len, numbers))
    return [
        function(*column)
        for column in zip(*(list(row) * (channels // len(row)) for row in numbers), strict=True)
    ]


def _to_colours(pictures: Tensor, mean: Sequence[float], deviation: Sequence[float]) -> Tensor:
    """Shapes: N×C×H×W. Pictures of another number of channels than the data's stay as they are."""
    values = pictures.float()
    if max(len(mean), len(deviation)) not in (1, values.shape[1]):
        return values
    factor, shift = (values.new_tensor(numbers).view(-1, 1, 1) for numbers in (deviation, mean))
    return values * factor + shift


def file_name(phase: str) -> str:
    """A phase's name as a part of a file name."""
    return re.sub(r"[^\w.-]+", "-", phase)


def _is_full_disk(error: BaseException | None) -> bool:
    """Whether an error, or the one that it reports, is that of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


__all__ = ["Gallery", "last_batches", "scale"]
