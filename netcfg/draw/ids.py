"""Names of a diagram's parts that stay the same from picture to picture: `Encoder.layer1.0.conv1`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netcfg.draw.model import Box, Diagram, Frame, Part


def part_ids(diagrams: Sequence[Diagram]) -> dict[int, str]:
    """The id of each box and frame, by the identity of the object: its network's name and its path.

    A part without a path goes by its name or kind; what would come twice is numbered.
    """
    ids: dict[int, str] = {}
    taken: dict[str, int] = {}
    for diagram in diagrams:
        network = _unused(diagram.frame.path or diagram.frame.name, taken)
        ids[id(diagram.frame)] = network
        for part in parts_below(diagram.frame):
            own = part.path or part.name or (part.kind if isinstance(part, Box) else "frame")
            ids[id(part)] = _unused(f"{network}.{own}", taken)
    return ids


def parts_below(frame: Frame) -> Iterator[Part]:
    """All boxes and frames inside a frame, outer ones first, in file order."""
    for part in frame.parts:
        yield part
        if isinstance(part, Frame):
            yield from parts_below(part)


def _unused(name: str, taken: dict[str, int]) -> str:
    while name in taken:
        taken[name] += 1
        name = f"{name}~{taken[name]}"
    taken[name] = 1
    return name
