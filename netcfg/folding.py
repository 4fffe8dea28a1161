"""`over = frames`: what is computed for each place of an axis, as if places were samples.

Inside such a use the axis is not there: its places are folded into the batch, and back where something outside reads
what was made inside. A signal always says its whole shape; what a block inside sees of it is worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from netcfg.axes import AXES
from netcfg.shapes import Shape, Size

_ORDER = {letter: place for place, letter in enumerate(AXES)}


class Over(NamedTuple):
    """One use's `over`. `number` tells uses of a network apart; `producer` and `port` are the signal whose axis it is,
    `at` where the axis stands in that signal's shape. `apart`: each place has batch statistics of its own.
    """

    number: int
    letter: str
    size: Size
    producer: int
    port: str
    at: int
    apart: bool = False


class View(NamedTuple):
    """A signal as one sees it: sizes, what they count ("" where nobody said), and what is folded into its batch."""

    shape: Shape
    axes: str
    folded: tuple[Over, ...] = ()


class Move(NamedTuple):
    """One step from a signal as it is kept to a signal as it is read: an axis is folded into the batch or back.

    `at` is where the axis stands; None to fold: it has no such axis, and is repeated.
    """

    over: Over
    folds: bool
    at: int | None


def inside(view: View, over: Over) -> tuple[View, int | None]:
    """A signal without an axis, for each of its places; and where the axis stood, None where it has none."""
    at = view.axes.find(over.letter) if view.axes else -1
    folded = (*view.folded, over)
    if at < 0 or len(view.axes) != len(view.shape):
        return View(view.shape, view.axes, folded), None
    return View(_without(view.shape, at), view.axes[:at] + view.axes[at + 1 :], folded), at


def outside(view: View) -> tuple[View, int]:
    """A signal with the axis back that was folded last: where it belongs among its axes, else in front; and where."""
    over = view.folded[-1]
    knows = len(view.axes) == len(view.shape) and over.letter not in view.axes
    at = 0
    if knows:
        at = sum(_ORDER[letter] < _ORDER[over.letter] for letter in _leading(view.axes, over.letter))
    shape = (*view.shape[:at], over.size, *view.shape[at:])
    axes = view.axes[:at] + over.letter + view.axes[at:] if knows else ""
    return View(shape, axes, view.folded[:-1]), at


def whole(view: View) -> View:
    """A signal with all of its axes."""
    while view.folded:
        view, _ = outside(view)
    return view


def moves(kept: View, over: tuple[Over, ...]) -> tuple[View, list[Move]]:
    """From a signal as it is kept to what a block below `over` reads, step by step."""
    steps = []
    while kept.folded != over[: len(kept.folded)]:
        last = kept.folded[-1]
        kept, at = outside(kept)
        steps.append(Move(last, False, at))
    for one in over[len(kept.folded) :]:
        kept, place = inside(kept, one)
        steps.append(Move(one, True, place))
    return kept, steps


def resized(over: tuple[Over, ...], shapes: Mapping[tuple[int, str], Shape]) -> tuple[Over, ...]:
    """The same where signals have other shapes."""
    return tuple(one._replace(size=shapes[one.producer, one.port][one.at]) for one in over)


def _leading(axes: str, letter: str) -> Iterator[str]:
    """The axes in front that belong before a letter."""
    for one in axes:
        if _ORDER[one] > _ORDER[letter]:
            return
        yield one


def _without(shape: Shape, at: int) -> Shape:
    return (*shape[:at], *shape[at + 1 :])


def over_in_words(over: tuple[Over, ...]) -> str:
    """`over frames`, as a label says it; "" for none."""
    return ", ".join(f"over {AXES[one.letter]}" + (", each by itself" if one.apart else "") for one in over)


__all__ = ["Move", "Over", "View", "inside", "moves", "outside", "over_in_words", "resized", "whole"]
