"""The lines between two columns: each signal that bends gets an upright stretch, its track, at an x of its own.

Tracks are ordered so that few lines cross and none runs on top of another; those that do not meet share an x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from netcfg.draw.training.sifting import many, sift, sift_rows

Port = tuple[int, int]

TRACK_GAP = 10.0
"""Between two tracks, and between a track and the column before it."""
_CLEAR = 7.0
"""Lines closer than this run into one another."""
_OVERLAP = 100
"""How many crossings it is worth not to run one line on top of another."""
_KEPT = 20_000_000
"""So many costs of pairs are kept between turns: 80 MB."""


@dataclass(slots=True, eq=False)
class Track:
    """A signal's way through a channel: where it comes in on the left, where it goes out on the right."""

    signal: Port
    enters: float
    leaves: list[float] = field(default_factory=list)
    level: int = 0
    """Its x: 0 is the leftmost."""

    @property
    def low(self) -> float:
        return min(self.enters, *self.leaves)

    @property
    def high(self) -> float:
        return max(self.enters, *self.leaves)

    @property
    def is_straight(self) -> bool:
        """Whether it has no upright stretch."""
        return self.high - self.low < 0.01

    def forks(self) -> list[float]:
        """The heights at which three lines or more meet."""
        if self.is_straight:
            return []
        heights = sorted({*self.leaves, self.enters})
        ends = (self.low, self.high)
        return [y for y in heights if y not in ends or (y == self.enters and y in self.leaves)]


def assign(tracks: Sequence[Track]) -> int:
    """Set the levels of the tracks of one channel; how many levels there are."""
    bending = [track for track in tracks if not track.is_straight]
    order = _ordered(bending)
    done: list[tuple[float, float, int]] = []
    for track in order:
        low, high = track.low, track.high
        near = [
            level
            for other_low, other_high, level in done
            if low - _CLEAR < other_high and other_low - _CLEAR < high
        ]
        track.level = max(near, default=-1) + 1
        done.append((low, high, track.level))
    return max((track.level for track in bending), default=-1) + 1


def _ordered(tracks: list[Track]) -> list[Track]:
    """From left to right, with few crossings and no line on top of another, where that can be.

    Moving single tracks can end where only two together would help, so it begins anew from the other side.
    """
    downwards = sorted(tracks, key=lambda track: (track.enters, track.signal))
    if many(len(tracks), sum(len(track.leaves) for track in tracks)):
        return _ordered_by_rows(downwards)
    trials = [downwards, downwards[::-1]]
    for order in trials:
        for _ in range(len(order)):
            if not sift(order, _cost):
                break
    return min(trials, key=_total)


def _ordered_by_rows(tracks: list[Track]) -> list[Track]:
    """The same for many tracks."""
    rows = _Rows(tracks)
    trials = [list(range(len(tracks))), list(range(len(tracks)))[::-1]]
    for order in trials:
        for _ in range(len(order)):
            if not sift_rows(order, rows.changes):
                break
    return [tracks[index] for index in min(trials, key=rows.total)]


def _total(order: list[Track]) -> int:
    return sum(_cost(left, right) for left, right in combinations(order, 2))


def _cost(left: Track, right: Track) -> int:
    """What it costs to have one track left of another.

    The left one's outgoing lines pass the other's x, and the right one's incoming line passes the left one's.
    """
    cost = sum(right.low < y < right.high for y in left.leaves) + (left.low < right.enters < left.high)
    return cost + _OVERLAP * sum(abs(y - right.enters) < _CLEAR for y in left.leaves)


class _Rows:
    """`_cost` of a track and each of the others, as arrays over all tracks."""

    def __init__(self, tracks: list[Track]) -> None:
        import numpy as np

        self.tracks = tracks
        self.enters = np.array([track.enters for track in tracks])
        self.low = np.array([track.low for track in tracks])
        self.high = np.array([track.high for track in tracks])
        self.leaves = np.array([y for track in tracks for y in track.leaves])
        self.owners = np.repeat(np.arange(len(tracks)), [len(track.leaves) for track in tracks])
        self.kept: dict[int, Any] = {}

    def changes(self, index: int) -> Any:
        """What it saves that a track is left of each of the others, and not right of it."""
        found = self.kept.get(index)
        if found is None:
            found = (self._right_of(index) - self._left_of(index)).astype("int32")
            if len(self.kept) * len(self.tracks) < _KEPT:
                self.kept[index] = found
        return found

    def _left_of(self, index: int) -> Any:
        track = self.tracks[index]
        costs = ((track.low < self.enters) & (self.enters < track.high)).astype("int64")
        for y in track.leaves:
            costs += (self.low < y) & (y < self.high)
            costs += _OVERLAP * (abs(y - self.enters) < _CLEAR)
        return costs

    def _right_of(self, index: int) -> Any:
        import numpy as np

        track = self.tracks[index]
        lines = ((track.low < self.leaves) & (self.leaves < track.high)).astype("int64")
        lines += _OVERLAP * (abs(self.leaves - track.enters) < _CLEAR)
        costs = np.bincount(self.owners, lines, len(self.tracks)).astype("int64")
        return costs + ((self.low < track.enters) & (track.enters < self.high))

    def total(self, order: list[int]) -> int:
        """What an order costs."""
        return sum(int(self._left_of(index)[order[place + 1 :]].sum()) for place, index in enumerate(order))
