"""Orders in which few pairs are the wrong way round: single members are moved as long as that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def sift(order: list[T], cost: Callable[[T, T], int]) -> bool:
    """Move each member to its best place among the others, if that is a better one; whether anything moved.

    `cost` says what it costs that one member stands anywhere before another.
    """
    moved = False
    for member in list(order):
        place = order.index(member)
        gain, target = _best_place(order, place, cost)
        if gain:
            order.insert(target, order.pop(place))
            moved = True
    return moved


def _best_place(order: list[T], place: int, cost: Callable[[T, T], int]) -> tuple[int, int]:
    """What moving the member at a place saves at most, and the nearest place where it does."""
    member = order[place]
    best, target = 0, place
    for way in (range(place - 1, -1, -1), range(place + 1, len(order))):
        saved = 0
        for passed in way:
            other = order[passed]
            change = cost(other, member) - cost(member, other)
            saved += change if passed < place else -change
            if saved > best:
                best, target = saved, passed
    return best, target
