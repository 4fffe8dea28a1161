"""Splits a diagram's wires at the edges of the frames they cross, so that each frame can be laid out alone.

Where a signal crosses an edge there is a *pin*: entries stand along the header, exits along the lower edge.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from netcfg.draw.marks import drawable
from netcfg.draw.model import Box, Diagram, Frame, Mark, Part, Wire

SignalKey = tuple[int, str]
"""The identity of the box that makes a signal, and its port."""


@dataclass(slots=True, eq=False)
class Pin:
    """Where a signal enters or leaves a frame; `label` says which signal."""

    label: str
    exit: bool


Member = Box | Frame | Pin


@dataclass(slots=True)
class Level:
    """The inside of one frame: members, sources before targets, and the signals between them.

    `links` holds (source, signal, target), the ends as indices of members; `labels` the texts beside signals.
    `marks` are those of the links, where all wires that run along one agree.
    """

    members: list[Member] = field(default_factory=list)
    links: list[tuple[int, SignalKey, int]] = field(default_factory=list)
    labels: dict[SignalKey, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A level in the making; links name their ends, as pins are not yet in their places."""

    parts: list[Part]
    links: dict[tuple[int, SignalKey, int], Mark] = field(default_factory=dict)
    labels: dict[SignalKey, str] = field(default_factory=dict)
    entries: dict[SignalKey, Pin] = field(default_factory=dict)
    exits: dict[SignalKey, Pin] = field(default_factory=dict)

    def link(self, source: Member, key: SignalKey, target: Member, mark: Mark) -> None:
        ends = id(source), key, id(target)
        self.links[ends] = mark if self.links.get(ends, mark) == mark else ""

    def level(self) -> Level:
        members: list[Member] = [*self.entries.values(), *self.parts, *self.exits.values()]
        index = {id(member): place for place, member in enumerate(members)}
        links = [(index[source], key, index[target]) for source, key, target in self.links]
        return Level(members, links, self.labels, list(self.links.values()))


def split(diagram: Diagram) -> dict[int, Level]:
    """The levels of a diagram by the identity of their frames."""
    drafts: dict[int, _Draft] = {}
    around: dict[int, Frame] = {}
    _enter(diagram.frame, drafts, around)
    for wire in diagram.wires:
        _add(wire, drafts, around)
    return {frame: draft.level() for frame, draft in drafts.items()}


def _enter(frame: Frame, drafts: dict[int, _Draft], around: dict[int, Frame]) -> None:
    drafts[id(frame)] = _Draft(frame.parts)
    for part in frame.parts:
        around[id(part)] = frame
        if isinstance(part, Frame):
            _enter(part, drafts, around)


def _add(wire: Wire, drafts: dict[int, _Draft], around: dict[int, Frame]) -> None:
    """Link the wire's ends: out of the frames around its source, across, and into those around its target."""
    key = (id(wire.source), wire.port)
    up, down = _way(wire.source, around), _way(wire.target, around)
    common = 0
    while up[common + 1] is down[common + 1]:
        common += 1
    crossed = drafts[id(up[common])]
    crossed.link(up[common + 1], key, down[common + 1], wire.mark)
    if key not in crossed.labels or wire.message:
        crossed.labels[key] = f"{wire.label} {drawable(wire.message)}".strip()
    for outer, inner in zip(up[common + 1 :], up[common + 2 :], strict=False):
        draft = drafts[id(outer)]
        draft.link(inner, key, draft.exits.setdefault(key, Pin("", exit=True)), wire.mark)
    for outer, inner in zip(down[common + 1 :], down[common + 2 :], strict=False):
        draft = drafts[id(outer)]
        pin = draft.entries.setdefault(key, Pin(title_of(wire.source), exit=False))
        draft.link(pin, key, inner, wire.mark)


def _way(part: Part, around: dict[int, Frame]) -> list[Part]:
    """The frames around a part, from the network's on, and the part itself."""
    way = [part]
    while id(way[-1]) in around:
        way.append(around[id(way[-1])])
    return way[::-1]


def title_of(box: Box) -> str:
    """What a signal of a box is called at the edge of a frame."""
    return box.name or (box.pieces[0] if box.pieces else "")
