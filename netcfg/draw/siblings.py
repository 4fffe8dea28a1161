"""Equal parts side by side, which read the same and are read by the same, as the heads in one network: drawn once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram, Frame, Part, Wire

FEWEST: Final = 4
"""Fewer equal parts are drawn each by itself."""
SIDE_BY_SIDE: Final = "side by side"


@dataclass(slots=True)
class _Member:
    """A part of a network, everything in it, and the wires that enter it, leave it and run in it."""

    part: Part
    inner: list[Part]
    entering: list[Wire] = field(default_factory=list)
    leaving: list[Wire] = field(default_factory=list)
    within: list[Wire] = field(default_factory=list)

    def form(self) -> object:
        """Equal for parts that differ in nothing but their names."""
        place = {id(part): index for index, part in enumerate(self.inner)}
        reads = [(id(wire.source), wire.port, place[id(wire.target)]) for wire in self.entering]
        gives = [(place[id(wire.source)], wire.port, wire.label, id(wire.target)) for wire in self.leaving]
        runs = [(place[id(wire.source)], wire.port, place[id(wire.target)]) for wire in self.within]
        looks = [_look(part, part is self.part) for part in self.inner]
        return str((reads, gives, runs, looks))


def siblings_gathered(diagram: Diagram) -> Diagram:
    """The diagram with the first of equal parts of its network in place of all of them."""
    groups: dict[object, list[_Member]] = {}
    for member in _members(diagram):
        if member.entering and not _is_marked(member):
            groups.setdefault(member.form(), []).append(member)
    large = [group for group in groups.values() if len(group) >= FEWEST]
    if not large:
        return diagram
    instead = {id(group[0].part): _for_all(group) for group in large}
    hidden = {id(part) for group in large for member in group[1:] for part in member.inner}
    parts = [instead.get(id(part), part) for part in diagram.frame.parts if id(part) not in hidden]
    wires = [
        replace(wire, source=_shown(wire.source, instead), target=_shown(wire.target, instead))
        for wire in diagram.wires
        if id(wire.source) not in hidden and id(wire.target) not in hidden
    ]
    return Diagram(replace(diagram.frame, parts=parts), wires)


def _members(diagram: Diagram) -> list[_Member]:
    members = [
        _Member(part, [part, *(parts_below(part) if isinstance(part, Frame) else ())])
        for part in diagram.frame.parts
    ]
    owner = {id(part): member for member in members for part in member.inner}
    for wire in diagram.wires:
        source, target = owner[id(wire.source)], owner[id(wire.target)]
        if source is target:
            source.within.append(wire)
        else:
            source.leaving.append(wire)
            target.entering.append(wire)
    return members


def _look(part: Part, is_outermost: bool) -> tuple[object, ...]:
    name = "" if is_outermost else part.name
    if isinstance(part, Frame):
        return name, part.note, part.count, len(part.parts)
    text = part.pieces, part.template, part.notes
    return part.kind, name, text, part.count, part.frozen, part.start, part.heat


def _is_marked(member: _Member) -> bool:
    wires = [*member.entering, *member.leaving, *member.within]
    return any(part.mark for part in member.inner) or any(wire.mark for wire in wires)


def _for_all(group: list[_Member]) -> Part:
    first, last = group[0].part, group[-1].part
    names = [member.part.name or member.part.path for member in group]
    name = f"{names[0]} … {names[-1]}" if first.name and last.name else SIDE_BY_SIDE
    details = f"{first.details}\nand as much: {', '.join(names[1:])}"
    count = first.count * len(group)
    if isinstance(first, Frame):
        note = ", ".join(filter(None, [first.note, SIDE_BY_SIDE if first.name else ""]))
        return replace(first, name=name, note=note, details=details, count=count)
    notes = (*first.notes, SIDE_BY_SIDE) if first.name else first.notes
    return replace(first, name=name, place="", details=details, count=count, notes=notes)


def _shown(box: Box, instead: dict[int, Part]) -> Box:
    other = instead.get(id(box), box)
    return other if isinstance(other, Box) else box
