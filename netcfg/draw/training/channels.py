"""The lines between two columns: each signal that bends gets an upright stretch, its track, at an x of its own.

Tracks are ordered so that few lines cross and none runs on top of another; those that do not meet share an x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from netcfg.draw.training.sifting import sift

Port = tuple[int, int]

TRACK_GAP = 10.0
"""Between two tracks, and between a track and the column before it."""
_CLEAR = 7.0
"""Lines closer than this run into one another."""
_OVERLAP = 100
"""How many crossings it is worth not to run one line on top of another."""


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
    done: list[Track] = []
    for track in order:
        near = [other.level for other in done if _touch(track, other)]
        track.level = max(near, default=-1) + 1
        done.append(track)
    return max((track.level for track in bending), default=-1) + 1


def _touch(one: Track, other: Track) -> bool:
    return one.low - _CLEAR < other.high and other.low - _CLEAR < one.high


def _ordered(tracks: list[Track]) -> list[Track]:
    """From left to right, with few crossings and no line on top of another, where that can be.

    Moving single tracks can end where only two together would help, so it begins anew from the other side.
    """
    downwards = sorted(tracks, key=lambda track: (track.enters, track.signal))
    trials = [downwards, downwards[::-1]]
    for order in trials:
        for _ in range(len(order)):
            if not sift(order, _cost):
                break
    return min(trials, key=_total)


def _total(order: list[Track]) -> int:
    return sum(_cost(left, right) for left, right in combinations(order, 2))


def _cost(left: Track, right: Track) -> int:
    """What it costs to have one track left of another.

    The left one's outgoing lines pass the other's x, and the right one's incoming line passes the left one's.
    """
    cost = sum(right.low < y < right.high for y in left.leaves) + (left.low < right.enters < left.high)
    return cost + _OVERLAP * sum(abs(y - right.enters) < _CLEAR for y in left.leaves)
