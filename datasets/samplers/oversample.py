"""AUNets' balancing of a training list: moved copies of the rarer class, then a mirrored copy of every line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.face_boxes import JITTERS, clipped_box, cut_out, jittered_box
from netcfg.datasets.samples.frame_pairs import FramePair
from netcfg.datasets.samples.notes import say
from netcfg.datasets.transforms.geometry import FlipSample, Sample
from netcfg.source import NetcfgError


class Copy(NamedTuple):
    """A line of the list: a sample, how its face box is moved (0 to 5; None: as it is), whether it is mirrored."""

    sample: int
    jitter: int | None = None
    mirrored: bool = False


def balanced(is_shown: NDArray[np.bool_]) -> list[Copy]:
    """The samples, then copies of the rarer class, until both are equal or all six ways of moving are used up.

    The rarer class is walked once for each way, in order. Nothing is added where there is only one class.
    """
    lines = [Copy(index) for index in range(len(is_shown))]
    shown, unshown = np.flatnonzero(is_shown).tolist(), np.flatnonzero(~is_shown).tolist()
    rarer, wanted = min(shown, unshown, key=len), abs(len(shown) - len(unshown))
    if not rarer:
        return lines
    rounds = min(wanted // len(rarer) + 1, len(JITTERS))
    copies = [Copy(index, jitter) for jitter in range(rounds) for index in rarer]
    return lines + copies[:wanted]


def doubled(lines: Iterable[Copy]) -> list[Copy]:
    """Each line, followed by its mirrored copy."""
    return [copy for line in lines for copy in (line, line._replace(mirrored=True))]


def oversampled(
    samples: Any, kinds: Mapping[str, str], balanced_by: str | None, active_above: float, mirror: bool
) -> Any:
    """The samples, whose fields are of these `kinds`, with copies: balanced by a field of labels, mirrored.

    Errors: `NetcfgError` for landmarks, which would stay where they are.
    """
    if balanced_by is None and not mirror:
        return samples
    if getattr(samples, "has_copies", False):
        say("the training list has moved or mirrored copies already: [oversample] adds none")
        return samples
    if "landmarks" in kinds.values():
        raise NetcfgError(
            "[oversample] moves and mirrors pictures, not landmarks\nhelp: [horizontal_flip] mirrors both"
        )
    lines = [Copy(index) for index in range(len(samples))]
    if balanced_by is not None:
        is_shown = _labels_of(samples, balanced_by)[:, 0] > active_above
        if is_shown.all() or not is_shown.any():
            say("all training samples have the same label: [oversample] has no rarer class to add to")
        lines = balanced(is_shown)
    if mirror:
        lines = doubled(lines)
    by_kind = {kind: [name for name in kinds if kinds[name] == kind] for kind in ("image", "flow")}
    return Oversampled(samples, lines, by_kind["image"], by_kind["flow"])


def _labels_of(samples: Any, field: str) -> NDArray[np.float32]:
    """The labels of all samples, where possible without their pictures."""
    plain = samples.only((field,)) if hasattr(samples, "only") else samples
    return np.stack([plain[index][field] for index in range(len(plain))])


class Oversampled:
    """A map-style data set of copies of another one's samples.

    Where its samples cannot be cut out of their frames anew (`jittered`), a moved box shows what of it lies in the
    picture, as a box is clipped at the edge of a frame.
    """

    def __init__(
        self, samples: Any, lines: Sequence[Copy], pictures: Sequence[str], flows: Sequence[str]
    ) -> None:
        self.samples = samples
        self.lines = lines
        self._pictures = tuple(pictures)
        self._flows = tuple(flows)
        self._flip = FlipSample(self._pictures, self._flows, (), width=0, probability=1.0)
        self._random = np.random.default_rng(
            0
        )  # FlipSample wants one; with a probability of 1 it does not matter

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> Sample:
        line = self.lines[index]
        sample: Sample
        if line.jitter is None:
            sample = self.samples[line.sample]
        elif hasattr(self.samples, "jittered"):
            sample = self.samples.jittered(line.sample, line.jitter)
        else:
            sample = self._moved(self.samples[line.sample], line.jitter)
        return self._flip(sample, self._random) if line.mirrored else sample

    @property
    def ids(self) -> tuple[str, ...]:
        """The frames' names; of copies with what was done to them."""
        names = getattr(self.samples, "ids", None) or [str(index) for index in range(len(self.samples))]
        return tuple(
            names[line.sample]
            + ("" if line.jitter is None else f" moved {line.jitter}")
            + (" mirrored" if line.mirrored else "")
            for line in self.lines
        )

    def clip_of(self, index: int) -> tuple[object, ...]:
        """Subject, clip and frame of a sample."""
        place: tuple[object, ...] = self.samples.clip_of(self.lines[index].index)
        return place

    def pair(self, index: int) -> FramePair:
        """The frames whose motion belongs to the original of a sample."""
        pair: FramePair = self.samples.pair(self.lines[index].index)
        return pair

    def _moved(self, sample: Sample, jitter: int) -> Sample:
        changed = {
            name: _within(sample[name], jitter, nearest=name in self._flows)
            for name in (*self._pictures, *self._flows)
            if name in sample
        }
        return sample | changed


def _within(picture: NDArray[Any], jitter: int, nearest: bool) -> NDArray[Any]:
    height, width = picture.shape[:2]
    box = clipped_box(jittered_box((0, height, 0, width), jitter), height, width)
    return cut_out(picture, box, (height, width), nearest)
