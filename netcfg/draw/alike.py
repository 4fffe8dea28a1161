"""Networks that differ in nothing but their names, as the heads of one trunk do: drawn once, marked ×N."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram, Part
from netcfg.draw.siblings import siblings_gathered

FEWEST: Final = 3
"""Two equal networks are drawn both."""
NAMES: Final = 4
"""Of more networks, the first ones and the last are named."""


def gathered(diagrams: Sequence[Diagram]) -> list[Diagram]:
    """The diagrams, the first of equal ones in place of all of them, and in each the first of equal siblings."""
    diagrams = [siblings_gathered(diagram) for diagram in diagrams]
    groups: dict[object, list[Diagram]] = {}
    for diagram in diagrams:
        groups.setdefault(_form(diagram), []).append(diagram)
    shown = {id(alike[0]): _for_all(alike) for alike in groups.values() if len(alike) >= FEWEST}
    hidden = {id(other) for alike in groups.values() if len(alike) >= FEWEST for other in alike[1:]}
    return [shown.get(id(diagram), diagram) for diagram in diagrams if id(diagram) not in hidden]


def _form(diagram: Diagram) -> object:
    """Equal for diagrams that look the same but for the names of their networks; a marked one is like no other."""
    whole = diagram.frame
    parts = list(parts_below(whole))
    if any(part.mark for part in [whole, *parts]) or any(wire.mark for wire in diagram.wires):
        return id(diagram)
    place = {id(part): index for index, part in enumerate(parts)}
    looks = tuple(_look(part, whole.name) for part in parts)
    wires = tuple(
        (place[id(wire.source)], place[id(wire.target)], wire.port, wire.label) for wire in diagram.wires
    )
    return whole.note, looks, wires


def _look(part: Part, network: str) -> tuple[object, ...]:
    if not isinstance(part, Box):
        return part.name, part.note, part.count, len(part.parts)
    name = "" if _is_own_output(part, network) else part.name
    text = tuple(part.pieces), part.template, part.notes
    return part.kind, name, text, part.count, part.frozen, part.start, part.lender, part.heat


def _is_own_output(part: Part, network: str) -> bool:
    return isinstance(part, Box) and part.kind == "output" and part.name == network


def _for_all(alike: Sequence[Diagram]) -> Diagram:
    """The first of equal diagrams, with the names of all."""
    first, count = alike[0].frame, len(alike)
    names = [diagram.frame.name for diagram in alike]
    few = names if count <= NAMES else [*names[: NAMES - 2], "…", names[-1]]
    name = ", ".join(few).replace(", …, ", ", … ")
    pills: dict[int, Part] = {
        id(part): replace(part, name="output") for part in first.parts if _is_own_output(part, first.name)
    }
    parts = [pills.get(id(part), part) for part in first.parts]
    details = "\n".join([first.details, f"and as much for {', '.join(names[1:])}"])
    path = first.path or first.name
    note = f"{first.note} each"
    frame = replace(first, name=name, note=note, details=details, count=count, parts=parts, path=path)
    wires = [
        replace(wire, target=pill) if isinstance(pill := pills.get(id(wire.target)), Box) else wire
        for wire in alike[0].wires
    ]
    return Diagram(frame, wires)
