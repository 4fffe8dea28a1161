"""Which picture of a clip belongs to which of its labels: by the numbers that both have, read as both mean them.

Pictures count from 0 in some databases whose labels count from 1, and the other way round. By number alone each frame
would then train with its neighbour's label, and only one frame of a clip would lack; so a reading is taken for all of
a folder, or none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from netcfg.datasets.pictures.notes import say
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

T = TypeVar("T")


@dataclass(frozen=True)
class Pairing:
    """How labels find their pictures. `first_frame` and `first_label` are the numbers that both count from, None where
    nobody said it; `by_order`: the first label with the first picture, whatever their numbers.
    """

    first_frame: int | None = None
    first_label: int | None = None
    by_order: bool = False

    @property
    def shift(self) -> int:
        """What is added to a label's number for that of its picture."""
        first_frame, first_label = (
            1 if number is None else number for number in (self.first_frame, self.first_label)
        )
        return first_frame - first_label

    @property
    def is_written(self) -> bool:
        """Whether somebody said how the numbers are meant."""
        return self.by_order or self.first_frame is not None or self.first_label is not None

    def keyed(self, files: Mapping[int, T], labelled: Collection[int]) -> dict[int, T]:
        """Files by the numbers of the labels, in their order, out of those by their own numbers.

        By order, there must be as many: `expect_fit` has seen to that.
        """
        if self.by_order:
            return dict(zip(sorted(labelled), files.values(), strict=False))
        return {number - self.shift: file for number, file in files.items()}


NUMBERS = Pairing()


@dataclass(frozen=True)
class Numbers:
    """The numbers that a clip's labels and its pictures have, and where the pictures are."""

    labels: frozenset[int]
    pictures: frozenset[int]
    place: Path

    def paired(self, shift: int) -> int:
        """How many labels have a picture, if this is added to their numbers."""
        return sum(number + shift in self.pictures for number in self.labels)


def expect_fit(pairing: Pairing, clips: Sequence[Numbers], has_order: bool = True) -> None:
    """Refuse to pair by number where another reading of the numbers fits more; a written reading is obeyed.

    `has_order`: whether pairing by order may be offered. Raises `NetcfgError` that says which reading fits, and the
    option that takes it.
    """
    clips = [clip for clip in clips if clip.labels and clip.pictures]
    if pairing.by_order:
        _expect_as_many(clips)
    if pairing.is_written or not clips:
        return
    total, by_number = sum(len(clip.labels) for clip in clips), sum(clip.paired(0) for clip in clips)
    shift, best = _best_shift(clips)
    if by_number == total:
        _say_ambiguous(clips, shift)
        return
    as_many = has_order and all(len(clip.labels) == len(clip.pictures) for clip in clips)
    if as_many and best < total:
        option, best = "`pair_by = order`", total
    elif best > by_number:
        option = _option(shift)
    else:
        return
    raise NetcfgError(
        f"{_place(clips)}: {_counting(clips)}; by number {by_number:,} of {counted(total, 'labelled frame')} have a "
        f"picture, with {option} {'all' if best == total else f'{best:,}'}\n"
        f"help: write {option} if that is what the numbers mean, `first_frame = 1` to pair equal numbers; a frame "
        "would train with its neighbour's label otherwise",
        code="NC507",
    )


def _best_shift(clips: Sequence[Numbers]) -> tuple[int, int]:
    """The shift under which most labels have a picture, and how many; equal numbers first, then the smallest."""
    starts = Counter(min(clip.pictures) - min(clip.labels) for clip in clips)
    # Counting from 0 and from 1 differ by one, whatever the clips at hand begin with.
    tried = sorted({0, -1, 1, *(shift for shift, _ in starts.most_common(4))}, key=abs)
    counts = {shift: sum(clip.paired(shift) for clip in clips) for shift in tried}
    # `max` keeps the first of equals, which is the smallest; before it one with which some clip begins.
    best = max(tried, key=lambda shift: (counts[shift], shift != 0 and shift in starts))
    return best, counts[best]


def _option(shift: int) -> str:
    """The option that reads numbers so: the side that does not count from 1, as far as that can be said with one."""
    return f"`first_frame = {1 + shift}`" if shift == -1 or shift > 1 else f"`first_label = {1 - shift}`"


def _counting(clips: Sequence[Numbers]) -> str:
    """`pictures count from 0, labels from 1`, where all clips agree."""
    pictures, labels = ({min(side(clip)) for clip in clips} for side in (_pictures, _labels))
    starts = [
        str(next(iter(found))) if len(found) == 1 else "various numbers" for found in (pictures, labels)
    ]
    return f"pictures count from {starts[0]}, labels from {starts[1]}"


def _pictures(clip: Numbers) -> frozenset[int]:
    return clip.pictures


def _labels(clip: Numbers) -> frozenset[int]:
    return clip.labels


def _place(clips: Sequence[Numbers]) -> str:
    """Where the first clip is whose numbers differ, and that it is not the only one."""
    unfit = [clip for clip in clips if clip.paired(0) < len(clip.labels)]
    more = f" and {counted(len(unfit) - 1, 'more clip')}" if len(unfit) > 1 else ""
    return f"{shown_path(unfit[0].place)}{more}"


def _say_ambiguous(clips: Sequence[Numbers], shift: int) -> None:
    """Say which of two readings is taken where pictures begin below labels, and both would do."""
    if shift < 0 and all(min(clip.pictures) - min(clip.labels) == shift for clip in clips):
        say(
            f"{shown_path(clips[0].place)}: {_counting(clips)}; equal numbers are paired\n"
            f"help: {_option(shift)} pairs the first picture with the first label"
        )


def _expect_as_many(clips: Sequence[Numbers]) -> None:
    for clip in clips:
        if len(clip.labels) != len(clip.pictures):
            raise NetcfgError(
                f"{shown_path(clip.place)}: {counted(len(clip.pictures), 'picture')} for "
                f"{counted(len(clip.labels), 'label')}, which `pair_by = order` cannot pair\n"
                "help: `pair_by = number`, or as many of both",
                code="NC507",
            )
