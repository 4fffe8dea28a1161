"""What a page shows of templates that are folded, and which of them are at first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from netcfg.draw.folders import FOLDER
from netcfg.draw.folds import Group, Repeat, Unit, leaves
from netcfg.draw.marked import Mark
from netcfg.draw.marks import LOOKS
from netcfg.draw.model import Box, Frame
from netcfg.draw.options import Look
from netcfg.draw.shown import kinds_of


def shown_at_first(
    unit: Unit, look: Look, depth: int = -1, turns: int = 1
) -> Iterator[tuple[Box, list[Box], int]]:
    """The boxes of a unit where nothing was unfolded, the boxes each stands for, and in how many turns.

    The unit is inside of `depth` templates, and of repeats that show one of `turns`.
    """
    one, boxes = unit.one if isinstance(unit, Repeat) else unit, list(leaves(unit))
    if isinstance(one, Box):
        yield one, boxes, turns
    elif isinstance(one, Group) and is_shut(depth, boxes, look):
        yield folded_box(one.frame, boxes, turns), boxes, turns
    elif isinstance(one, Group):
        inside = turns * (len(unit.turns) if isinstance(unit, Repeat) else 1)
        for inner in one.units:
            yield from shown_at_first(inner, look, depth + 1, inside)


def is_shut(depth: int, boxes: Sequence[Box], look: Look) -> bool:
    """Whether a frame is folded at first: where it is too deep, unless its boxes are marked unalike."""
    return look.depth is not None and depth >= look.depth and len({box.mark for box in boxes}) == 1


def folded_box(frame: Frame, boxes: Sequence[Box], turns: int) -> Box:
    """What is shown in place of a folded frame, as pictures show closed templates."""
    there = still_there(boxes)
    blocks = [entry.title[1:].partition("]")[0] for box in there for entry in box.entries] * turns
    box = Box(
        "template",
        frame.name,
        "",
        [*filter(None, (frame.note, *kinds_of(blocks)))] or [FOLDER],
        frame.details,
        frame.count,
    )
    with_parameters = [each for each in there if each.costs.parameters]
    starts = {each.start for each in with_parameters}
    box.start = starts.pop() if len(starts) == 1 else ""
    lenders = {each.lender for each in boxes} - {""}
    box.lender = lenders.pop() if len(lenders) == 1 else ""
    box.frozen = bool(with_parameters) and all(each.frozen for each in with_parameters)
    marks: dict[Mark, None] = dict.fromkeys(each.mark for each in boxes)
    if len(marks) == 1:
        box.mark = boxes[0].mark
    else:
        box.mark = "error" if "error" in marks else "changed"
    messages = {each.message for each in boxes}
    box.message = messages.pop() if len(marks) == len(messages) == 1 else messages_of(boxes)
    return box


def still_there(boxes: Sequence[Box]) -> Sequence[Box]:
    """The boxes that count: all but the removed ones, or those, where nothing else is there."""
    return [box for box in boxes if box.mark != "removed"] or boxes


def messages_of(boxes: Sequence[Box]) -> str:
    """Why a box that stands for others has its colour: `2 added, 1 changed`; nothing where none is marked."""
    counts = Counter(box.mark for box in boxes)
    words = {"error": "with errors"}
    return ", ".join(f"{counts[mark]} {words.get(mark, mark)}" for mark in LOOKS if counts[mark])
