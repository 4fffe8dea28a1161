"""Judging trained networks: weights from a file, the metrics of a program, any split of any data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from netcfg.blocks.fields import Split
from netcfg.blocks.metrics.judgement import CLIP
from netcfg.blocks.samples import SampleTable
from netcfg.builder.weights import read_state
from netcfg.datasets.pipeline import Batches
from netcfg.datasets.together import open_batches
from netcfg.program import Data, Program
from netcfg.results import Evaluation
from netcfg.source import Finding, ProgramError
from netcfg.trainers.judging.evaluation import Sums, computable, expect_validation, gather, judge
from netcfg.trainers.runs.trained import Thresholds, networks_with
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.step import Losses, Precision

Started = Callable[[str, Batches], Callable[[int, Sums], None]]
"""Told of a split that begins; gives what is to be called after every batch."""


@dataclass(frozen=True)
class Examined:
    """A split as judged: what the metrics say, the signals they read, and what its samples are called."""

    evaluation: Evaluation
    signals: Mapping[str, Tensor]
    ids: Sequence[str]
    tables: Sequence[SampleTable]

    @property
    def samples(self) -> int:
        """How many there were."""
        return len(self.ids)


class Examiner:
    """The networks of a program with the weights of a file, and the splits they are judged on.

    Raises `ProgramError` where the program judges nothing, `NetcfgError` where the weights are others'.
    """

    def __init__(
        self,
        program: Program,
        weights: Path,
        *,
        device: torch.device | str = "cpu",
        workers: int = 0,
        limit_batches: int | None = None,
        started: Started = lambda split, pipeline: lambda done, sums: None,
    ) -> None:
        expect_metrics(program)
        self.program = _with_clips(program)
        self.device = torch.device(device)
        self.workers = workers
        self.limit_batches = limit_batches
        self.started = started
        networks = networks_with(self.program, weights, self.device)
        self.model = Model(self.program, networks)
        precision = Precision(program.training.precision, self.device)
        self.losses = Losses(self.program, networks, precision, self.model.numbers)
        kept = read_state(weights) if self.losses.learned or self.model.states else {}
        self.losses.take(kept)
        self.model.take(kept)

    def examine(
        self, split: Split, thresholds: Thresholds | None = None, model: Model | None = None
    ) -> Examined:
        """Judge a split as it is, without what is done to training samples.

        Without `thresholds`, metrics that choose theirs on the validation split do so there first. Another `model` of
        the program gives other signals to judge, such as those of several networks together; it has no losses.
        """
        if thresholds is None and split != "validation" and self._needs_validation():
            thresholds = self.examine("validation", model=model).evaluation.thresholds
        pipeline = self._pipeline(split)
        try:
            if not len(pipeline):
                if split == "validation":
                    expect_validation(self.program)
                raise ProgramError([Finding("NC502", f"the {split} split of the data is empty")])
            return self._examined(split, pipeline, thresholds or {}, model)
        finally:
            pipeline.close()

    def pipeline(self, split: Split) -> Batches:
        """The samples of a split once more, to be drawn; whoever asks closes it."""
        return self._pipeline(split)

    def _examined(
        self, split: Split, pipeline: Batches, thresholds: Thresholds, model: Model | None
    ) -> Examined:
        data = self.program.data
        computed = computable(self.program, self.losses)
        sums, signals = gather(
            model or self.model,
            self.losses,
            pipeline,
            computed if model is None else [],
            self.started(split, pipeline),
            also=[CLIP] if data is not None and CLIP in data.used and numbers_clips(data) else [],
        )
        evaluation = judge(self.program, signals, thresholds, sums.means())
        names = pipeline.ids
        return Examined(evaluation, signals, list(names[: pipeline.samples]), pipeline.tables)

    def _needs_validation(self) -> bool:
        return any(metric.needs_validation for metric in self.program.metrics.values())

    def _pipeline(self, split: Split) -> Batches:
        assert self.program.data is not None
        return open_batches(
            self.program.data,
            split,
            self.program.training.judged_together,
            seed=self.program.training.seed,
            workers=self.workers,
            device=self.device,
            limit_batches=self.limit_batches,
            remember=False,
            keep=self.program.training.keep,
            training=False,
            frames=self.program.training.eval_frames,
        )


def expect_metrics(program: Program) -> None:
    """Refuse (NC403) a program that has nothing to judge, or nothing to judge by."""
    lacking = {
        "data": (program.data, "add a group {Data} with a source"),
        "wiring of its networks": (program.model, "add a group {Model}"),
        "metric": (program.metrics, "add a group {Metric}, with an [f1] for instance"),
    }
    for what, (found, help) in lacking.items():
        if not found:
            raise ProgramError([Finding("NC403", f"{program.name} has no {what}", help=help)])


def _with_clips(program: Program) -> Program:
    """The program with its clips read, where its data know them, whether a metric needs them or not."""
    data = program.data
    if data is None or CLIP not in program.signals or CLIP in data.used or not numbers_clips(data):
        return program
    return replace(program, data=data.using((*data.used, CLIP)))


def numbers_clips(data: Data) -> bool:
    """Whether it tells clips apart by a number; a field of that name may also be the clip itself."""
    return CLIP in data.fields and data.fields[CLIP].kind == "class"
