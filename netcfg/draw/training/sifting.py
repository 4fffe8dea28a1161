"""Orders in which few pairs are the wrong way round: single members are moved as long as that helps.

What a member's move saves takes its cost against each of the others: all pairs, in every turn. Where there are many
members, these costs are counted for a whole row of pairs at once, which gives the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_MANY = 48
_MANY_LINES = 1_000


def many(members: int, lines: int) -> bool:
    """Whether whole rows at once are quicker than pair by pair, for so many members with so many lines in all."""
    return members >= _MANY or lines >= _MANY_LINES


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


def sift_rows(order: list[int], changes: Callable[[int], Any]) -> bool:
    """`sift` for members that are the numbers 0 to n-1, with an array for each instead of a cost for each pair.

    `changes(member)` has for every other member what it saves that `member` stands before it and not behind it.
    """
    import numpy as np

    moved = False
    for member in list(order):
        place = order.index(member)
        row = changes(member)[np.asarray(order)]
        best, target = 0, place
        for saved, first, way in ((row[:place][::-1], place - 1, -1), (-row[place + 1 :], place + 1, 1)):
            if len(saved):
                total = np.cumsum(saved)
                most = int(np.argmax(total))  # the first of several: the nearest place
                if total[most] > best:
                    best, target = int(total[most]), first + way * most
        if best:
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
