"""Trained programs over the rows of a file: what is no picture, or lies in arrays. Nothing in it needs a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from netcfg.blocks.samples import Sample, Samples
from netcfg.datasets.pictures.frames import Frame
from netcfg.datasets.pipeline import finish_fields, lowered, sample_fields, stacked
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path
from netcfg.trainers.prediction.prediction import Answering, Prediction, of_one_source
from netcfg.trainers.runs.trained import Trained


class RowPredictor(Answering):
    """A trained program as a function of rows, made as its own data are made in evaluation.

    Raises `ProgramError` where its source reads no such files.
    """

    def __init__(self, trained: Trained, device: torch.device) -> None:
        super().__init__(trained, device)
        data, self._called = of_one_source(trained.program, self._used)
        if not data.source.rows_of:
            message = f"{self.name} was trained on [{data.source.type_name}], which has no rows of arrays"
            raise ProgramError([Finding("NC501", message, help="name pictures, folders or videos")])
        self._source = data.source
        self._device = device
        self._kinds = {name: data.fields[name].kind for name in data.used}
        self._read = tuple(sample_fields(data))
        steps = lowered(data, training=False)
        self._steps = [step for per_sample, step in steps if per_sample]
        self._finishers = [step for per_sample, step in steps if not per_sample]
        self._random = np.random.default_rng(0)

    def open(self, place: Path) -> Samples:
        """The rows of a file. Raises `NetcfgError` where it lacks what the networks read."""
        return self._source.given(place, self._read)

    def prepare(self, sample: Sample) -> Sample:
        """A row as `predict` takes it."""
        for step in self._steps:
            sample = step(sample, self._random)
        return {name: sample[name] for name in self._kinds}

    def finished(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Prepared rows on the device, as numbers, normalised."""
        finished = finish_fields(
            stacked(self._kinds, samples, {}), self._kinds, self._finishers, self._device
        )
        return finished | {called: finished[own] for called, own in self._called.items() if own in finished}


class Rows:
    """The rows of some files, as all these programs read them. Raises `NetcfgError` where one cannot."""

    def __init__(self, predictors: Sequence[RowPredictor], files: Sequence[Path]) -> None:
        self.predictors = predictors
        self.files = [(file, [one.open(file) for one in predictors]) for file in files]
        for file, opened in self.files:
            if len({len(samples) for samples in opened}) > 1:
                raise NetcfgError(
                    f"{shown_path(file)} has other numbers of rows for these runs\nhelp: predict with each by itself",
                    code="NC507",
                )

    def __len__(self) -> int:
        return sum(len(opened[0]) for _, opened in self.files)

    def predictions(self, batch_size: int) -> Iterator[Prediction]:
        """What all programs say of every row, in order."""
        for file, opened in self.files:
            for first in range(0, len(opened[0]), batch_size):
                rows = range(first, min(first + batch_size, len(opened[0])))
                yield from self._predicted(file, opened, rows)

    def _predicted(self, file: Path, opened: Sequence[Samples], rows: range) -> Iterator[Prediction]:
        columns = []
        size = (1, 1)
        for one, samples in zip(self.predictors, opened, strict=True):
            given = [samples[row] for row in rows]
            # Points are told in pixels of the picture that they were found in, where there is one.
            size = next((array.shape[:2] for array in given[0].values() if array.ndim == 3), size)
            values = one.predict([one.prepare(sample) for sample in given])
            columns += list(zip(one.answers, values, strict=True))
        black = np.broadcast_to(np.uint8(0), (*size, 3))
        for place, row in enumerate(rows):
            answers = tuple((answer, values[place]) for answer, values in columns)
            yield Prediction(Frame(str(row), row, None, black, file), answers, file.name)
