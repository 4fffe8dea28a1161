"""A diagram as text writers need it: numbered boxes and frames, in the words of the drawn ones."""

from __future__ import annotations

from collections.abc import Iterator

from netcfg.draw.marks import LOOKS, drawable
from netcfg.draw.measure import box_lines, frame_title, times_text
from netcfg.draw.model import Box, Diagram, Frame, Wire


def box_text(box: Box) -> list[str]:
    """The lines in a box, and its number of turns."""
    lines = [" ".join(word.text for word in line) for line in box_lines(box)]
    if box.count > 1:
        lines[-1] += f" {times_text(box.count)}"
    return lines


def frame_text(frame: Frame) -> str:
    """A frame's title."""
    return " ".join(word.text for word in frame_title(frame))


def wire_text(wire: Wire) -> str:
    """What stands beside a line: its mark's sign, its label, and its message."""
    sign = LOOKS[wire.mark].sign if wire.mark else ""
    return " ".join(filter(None, (sign, wire.label, drawable(wire.message))))


def box_names(diagrams: list[Diagram]) -> dict[int, str]:
    """`b0`, `b1`, ... for the boxes, by their identity, in file order over all diagrams."""
    boxes = [box for diagram in diagrams for box in boxes_of(diagram.frame)]
    return {id(box): f"b{number}" for number, box in enumerate(boxes)}


def boxes_of(frame: Frame) -> Iterator[Box]:
    """All boxes in a frame, and in the frames in it."""
    for part in frame.parts:
        if isinstance(part, Box):
            yield part
        else:
            yield from boxes_of(part)
