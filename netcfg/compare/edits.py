"""The fewest insertions and deletions that make one list into another.

Source: Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, the greedy algorithm. Time and memory grow
with the number of edits, which is capped, and hardly with the lengths.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_EDITS = 400


def common(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]] | None:
    """The places of what stays; None where that takes more than `MOST_EDITS` edits.

    A diagonal is the difference of the places in both lists; `reached[k]` is how far in the first list some number
    of edits leads on diagonal k.
    """
    reached = {1: 0}
    steps: list[dict[int, int]] = []
    for edits in range(min(MOST_EDITS, len(first) + len(second)) + 1):
        steps.append(dict(reached))
        for diagonal in range(-edits, edits + 1, 2):
            here = _after_edit(reached, diagonal, edits)
            there = here - diagonal
            while here < len(first) and there < len(second) and first[here] == second[there]:
                here, there = here + 1, there + 1
            reached[diagonal] = here
            if here >= len(first) and there >= len(second):
                return _traced(steps, here, there)
    return None


def _inserts(reached: dict[int, int], diagonal: int, edits: int) -> bool:
    """Whether the last of so many edits on the way to a diagonal is an insertion: where that leads further."""
    return diagonal == -edits or (diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1])


def _after_edit(reached: dict[int, int], diagonal: int, edits: int) -> int:
    """The place in the first list after that edit."""
    return reached[diagonal + 1] if _inserts(reached, diagonal, edits) else reached[diagonal - 1] + 1


def _traced(steps: list[dict[int, int]], here: int, there: int) -> list[tuple[int, int]]:
    """The way back from the end, edit by edit; what stays are its diagonals."""
    kept = []
    for edits in range(len(steps) - 1, -1, -1):
        reached, diagonal = steps[edits], here - there
        after = _after_edit(reached, diagonal, edits)
        while here > after:
            here, there = here - 1, there - 1
            kept.append((here, there))
        if _inserts(reached, diagonal, edits):
            there -= 1
        else:
            here -= 1
    return kept[::-1]
