"""Several trained programs that answer the same questions as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from netcfg.blocks.samples import Sample
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.pictures.frames import Frame
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.attention import Attention
from netcfg.trainers.prediction.combining import How, in_common, joined
from netcfg.trainers.prediction.prediction import Picture, Predictor


class Ensemble(Predictor):
    """Predictors whose answers are joined; each sees frames as its own data have them.

    Raises `NetcfgError` where they do not answer the same, or see flow or clips differently.
    """

    def __init__(self, members: Sequence[Predictor], how: How) -> None:
        first = members[0]
        self.members = members
        self.how: How = how
        self.name = " and ".join(one.name for one in members)
        self._columns = in_common([(one.name, one.answers) for one in members], how)
        self.answers = [_joined_answer(column, how) for column in self._columns]
        self.reading = first.reading
        if len({(one.flow, one.length) for one in members}) > 1:
            raise NetcfgError(
                f"{self.name} see optical flow or the frames of clips in different ways: they are no ensemble\n"
                "help: predict with each by itself",
                code="NC801",
            )
        if first.length is not None and len({one.clip_size for one in members}) > 1:
            raise NetcfgError(
                f"{self.name} see clips at different sizes: they are no ensemble\nhelp: predict with each by itself",
                code="NC801",
            )

    @property
    def flow(self) -> FlowPictures | None:
        """How the flow is made that all of them read."""
        return self.members[0].flow

    @property
    def length(self) -> int | None:
        """How many frames of a clip all of them see."""
        return self.members[0].length

    def fitted(self, picture: Picture) -> Picture:
        """A frame of a clip as all of them see it."""
        return self.members[0].fitted(picture)

    def box(self, height: int, width: int) -> tuple[float, float, float, float] | None:
        """What all of them see of a frame. Raises `NetcfgError` where that differs: places would not be the same."""
        boxes = [one.box(height, width) for one in self.members]
        whole = (0.0, 0.0, float(width), float(height))
        if not all(np.allclose(box or whole, boxes[0] or whole, atol=1) for box in boxes):
            raise NetcfgError(
                f"{self.name} see different parts of a picture of {height}×{width}: their masks or points are no "
                "ensemble\nhelp: predict with each by itself",
                code="NC801",
            )
        return boxes[0]

    def prepare(self, frame: Frame, flow: Picture | None) -> Sample:
        """The arrays of all of them, by their number and name."""
        return {
            f"{number} {name}": array
            for number, one in enumerate(self.members)
            for name, array in one.prepare(frame, flow).items()
        }

    def predict(self, samples: Sequence[Sample]) -> list[Values]:
        """The joined values of prepared frames."""
        made = []
        for number, one in enumerate(self.members):
            start = f"{number} "
            own = [
                {name.removeprefix(start): x for name, x in sample.items() if name.startswith(start)}
                for sample in samples
            ]
            made.append(one.predict(own))
        return self._joined(made)

    def predict_clip(self, pictures: Sequence[Picture]) -> tuple[list[Values], Attention]:
        """The joined values of a clip, and the means of gates and weights."""
        made, seen = zip(*(one.predict_clip(pictures) for one in self.members), strict=True)
        values = self._joined([[value[None] for value in of] for of in made])
        names = [name for name in seen[0].gates if all(name in one.gates for one in seen)]
        weights = [one.weights for one in seen if one.weights is not None]
        return [value[0] for value in values], Attention(
            {name: np.mean([one.gates[name] for one in seen], 0) for name in names},
            np.mean(weights, 0) if len(weights) == len(seen) else None,
        )

    def _joined(self, made: Sequence[Sequence[Values]]) -> list[Values]:
        """Of each answer, one array of those of all members."""
        joined_values = []
        for place, column in enumerate(self._columns):
            numbers = [one.answers.index(answer) for one, answer in zip(self.members, column, strict=True)]
            parts = [
                (answer, torch.from_numpy(np.ascontiguousarray(of[number])))
                for answer, of, number in zip(column, made, numbers, strict=True)
            ]
            joined_values.append(np.asarray(joined(parts, self.how)))
            assert self.answers[place].kind == column[0].kind
        return joined_values


def _joined_answer(column: Sequence[Answer], how: How) -> Answer:
    """The first one's, present above what is joined: by vote, half of the networks; else the thresholds' mean."""
    if not column[0].present_above:
        return column[0]
    if how == "vote":
        return replace(column[0], present_above=(0.5,) * len(column[0].names))
    above = np.mean([answer.present_above for answer in column], 0)
    return replace(column[0], present_above=tuple(above.tolist()))
