"""A diagram that can be folded: templates open or as one box, repeats as one turn or as all of them.

`fold` gathers the turns of an expanded diagram; `levels_of` splits its wires at the edges of whatever is shown,
as `netcfg.draw.levels` does for a picture that stays as it is. What is between the members of a level is the
same however the members are shown, so that each level can be laid out by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from netcfg.draw.levels import Pin, SignalKey, title_of
from netcfg.draw.marked import Mark
from netcfg.draw.model import Box, Diagram, Frame, Part


@dataclass(slots=True, eq=False)
class Group:
    """A frame and what is in it."""

    frame: Frame
    units: list[Unit]


@dataclass(slots=True, eq=False)
class Repeat:
    """Equal units in a row; `one` is how they are shown as one, `frame` what goes around all of them."""

    turns: list[Unit]
    one: Box | Group
    frame: Frame


Unit = Box | Group | Repeat


@dataclass(frozen=True, slots=True)
class Flow:
    """A wire as seen from a level: an end outside of it is None, and `key` names the signal out there."""

    source: Box | None
    target: Box | None
    port: str
    label: str
    key: SignalKey = (0, "")
    title: str = ""
    mark: Mark = ""


@dataclass(slots=True)
class FoldedLevel:
    """Members, links and labels like those of a `Level`, the signals at its edge, and what flows inside units."""

    members: list[Unit | Pin]
    links: list[tuple[int, SignalKey, int]]
    labels: dict[SignalKey, str]
    entries: list[SignalKey] = field(default_factory=list)
    exits: dict[SignalKey, int] = field(default_factory=dict)
    inner: dict[int, list[Flow]] = field(default_factory=dict)
    marks: dict[tuple[int, SignalKey, int], Mark] = field(default_factory=dict)


# --- gathering turns ------------------------------------------------------------------------------------------


def fold(diagram: Diagram) -> tuple[Group, list[Flow]]:
    """The network as units, and its wires."""
    flows = [Flow(wire.source, wire.target, wire.port, wire.label, mark=wire.mark) for wire in diagram.wires]
    return Group(diagram.frame, _units(diagram.frame.parts)), flows


def _units(parts: Sequence[Part]) -> list[Unit]:
    units: list[Unit] = []
    for row in _rows(parts):
        turns = [_unit(part) for part in row]
        if len(turns) > 1 and len({_form(turn) for turn in turns}) == 1:
            units.append(_repeat(row[0], turns))
        else:
            units += turns
    return units


def _rows(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts one by one, the turns of a repeat together."""
    row: list[Part] = []
    for part in parts:
        turn, before = part.turn, row[-1].turn if row else None
        if row and not (turn and before and (turn.of, turn.index) == (before.of, before.index + 1)):
            yield row
            row = []
        row.append(part)
    if row:
        yield row


def _unit(part: Part) -> Unit:
    return part if isinstance(part, Box) else Group(part, _units(part.parts))


def _form(unit: Unit) -> tuple[object, ...]:
    """Equal for units that hold equal boxes, marked alike, in equal frames."""
    if isinstance(unit, Box):
        return (unit.kind, unit.mark, unit.message, *unit.pieces)
    if isinstance(unit, Repeat):
        return (len(unit.turns), _form(unit.one))
    return ("", *map(_form, unit.units))


def _repeat(first: Part, turns: list[Unit]) -> Repeat:
    turn, unit = first.turn, turns[0]
    assert turn is not None
    count = len(turns)
    note = first.note if isinstance(first, Frame) else first.template
    details = first.details.partition("\n")[0]
    frame = Frame(turn.name, note, details, count, [], turn.of, first.entries)
    if isinstance(first, Frame) and isinstance(unit, Group):
        of_all = replace(first, name=turn.name, count=count, path=turn.of)
        return Repeat(turns, Group(of_all, unit.units), frame)
    assert isinstance(first, Box)
    return Repeat(turns, replace(first, name=turn.name, count=count, path=turn.of), frame)


def leaves(unit: Unit) -> Iterator[Box]:
    """Its boxes, those of all turns, in file order."""
    if isinstance(unit, Box):
        yield unit
    else:
        for inner in unit.turns if isinstance(unit, Repeat) else unit.units:
            yield from leaves(inner)


def stand_ins(unit: Unit) -> dict[int, Box]:
    """For each box (by identity) the one that stands for it where all repeats are shown as one turn."""
    if isinstance(unit, Box):
        return {id(unit): unit}
    if isinstance(unit, Group):
        return {box: other for inner in unit.units for box, other in stand_ins(inner).items()}
    first = list(stand_ins(unit.turns[0]).values())
    return {id(box): other for turn in unit.turns for box, other in zip(leaves(turn), first, strict=True)}


# --- wires, level by level ------------------------------------------------------------------------------------


def level_of(units: Sequence[Unit], flows: Sequence[Flow]) -> FoldedLevel:
    """The level that holds the units, of the wires that run in it or across its edge."""
    owner = {id(box): unit for unit in units for box in leaves(unit)}
    known_as = {box: other for unit in units for box, other in stand_ins(unit).items()}
    links: dict[tuple[int, SignalKey, int], Mark] = {}
    labels: dict[SignalKey, str] = {}
    entries: dict[SignalKey, Pin] = {}
    exits: dict[SignalKey, Pin] = {}
    inner: dict[int, list[Flow]] = {id(unit): [] for unit in units}
    for flow in flows:
        source, target = owner.get(id(flow.source)), owner.get(id(flow.target))
        if source is not None and source is target:
            inner[id(source)].append(flow)
            continue
        if source is None:
            key = flow.key
            start: Unit | Pin = entries.setdefault(key, Pin(flow.title, exit=False))
        else:
            assert flow.source is not None
            key, start = (id(known_as[id(flow.source)]), flow.port), source
            outwards = replace(flow, target=None, key=key, title=title_of(flow.source))
            inner[id(source)].append(outwards)
        end: Unit | Pin = exits.setdefault(flow.key, Pin("", exit=True)) if target is None else target
        row = (id(start), key, id(end))
        links[row] = flow.mark or links.get(row, "")
        if target is not None:
            title = title_of(flow.source) if flow.source is not None else flow.title
            inner[id(target)].append(replace(flow, source=None, key=key, title=title))
        if source is not None and target is not None:
            labels[key] = flow.label
    members: list[Unit | Pin] = [*entries.values(), *units, *exits.values()]
    index = {id(member): place for place, member in enumerate(members)}
    rows = [(index[start], key, index[end]) for start, key, end in links]
    leaving = {key: index[id(pin)] for key, pin in exits.items()}
    marks: dict[tuple[int, SignalKey, int], Mark] = {
        row: mark for row, mark in zip(rows, links.values(), strict=True) if mark
    }
    return FoldedLevel(members, rows, labels, list(entries), leaving, inner, marks)


def flows_of_one(repeat: Repeat, flows: Sequence[Flow]) -> list[Flow]:
    """The flows inside a repeat as they are where its first turn stands for all: none leads back."""
    stands = _same_in_first(repeat)
    order = {id(box): place for place, box in enumerate(leaves(repeat.turns[0]))}
    kept: dict[tuple[object, ...], Flow] = {}
    for flow in flows:
        source = stands[id(flow.source)] if flow.source is not None else None
        target = stands[id(flow.target)] if flow.target is not None else None
        if source is None or target is None or order[id(source)] < order[id(target)]:
            kept.setdefault(
                (source, flow.port, target, flow.key), replace(flow, source=source, target=target)
            )
    return list(kept.values())


def _same_in_first(repeat: Repeat) -> dict[int, Box]:
    first = list(leaves(repeat.turns[0]))
    return {id(box): other for turn in repeat.turns for box, other in zip(leaves(turn), first, strict=True)}


__all__ = ["Flow", "FoldedLevel", "Group", "Repeat", "Unit", "flows_of_one", "fold", "leaves", "level_of"]
