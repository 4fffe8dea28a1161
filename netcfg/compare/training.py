"""How two programs differ outside their networks: data, losses, optimizers, metrics, settings, variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netcfg.blocks.base import Section
from netcfg.blocks.kinds import FieldSpec
from netcfg.compare.align import Item, align
from netcfg.compare.change import Change, Status, option_changes, written_options
from netcfg.program import Data, Program


@dataclass(frozen=True, slots=True)
class SectionChange:
    """A section of a group that is new, gone or not as it was. `type` is how it is written in brackets."""

    group: str
    status: Status
    name: str
    type: str
    changes: tuple[Change, ...] = ()


def compare_training(before: Program, after: Program) -> tuple[SectionChange, ...]:
    """All differences but those of networks, of the model and of variables."""
    return tuple(
        [
            *_general(before, after),
            *_data(before.data, after.data),
            *_named("Loss", before.losses, after.losses),
            *_phases(before, after),
            *_named("Metric", before.metrics, after.metrics),
        ]
    )


def compare_values(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """The variables whose values differ."""
    names = dict.fromkeys([*before, *after])
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def _general(before: Program, after: Program) -> Iterator[SectionChange]:
    changes = option_changes(before.training, after.training)
    if changes:
        yield SectionChange("General", "changed", "training", "training", tuple(changes))
    sections = [{"pictures": program.pictures} if program.pictures else {} for program in (before, after)]
    yield from _named("General", *sections)


def _data(before: Data | None, after: Data | None) -> Iterator[SectionChange]:
    """The source, the transforms in order, and the fields that come out."""
    rows = [_rows(data) for data in (before, after)]
    yield from _sections("Data", *rows)
    fields = _field_changes(before.fields if before else {}, after.fields if after else {})
    if before and after and fields:
        yield SectionChange("Data", "changed", "fields", "fields", tuple(fields))


def _rows(data: Data | None) -> list[tuple[str, Section]]:
    sections: list[Section] = [data.source, *data.transforms] if data else []
    return [(section.name or "", section) for section in sections]


def _field_changes(before: Mapping[str, FieldSpec], after: Mapping[str, FieldSpec]) -> list[Change]:
    names = dict.fromkeys([*before, *after])
    shown = [(name, _field(before.get(name)), _field(after.get(name))) for name in names]
    return [Change(*row) for row in shown if row[1] != row[2]]


def _field(spec: FieldSpec | None) -> str | None:
    """A field's kind and shape, and what its entries are called."""
    if spec is None:
        return None
    names = f" ({', '.join(spec.names)})" if spec.names else ""
    return f"{spec.kind} {spec}{names}"


def _named(
    group: str, before: Mapping[str, Section], after: Mapping[str, Section]
) -> Iterator[SectionChange]:
    """Sections whose order means nothing."""
    yield from _sections(group, list(before.items()), list(after.items()), ordered=False)


def _sections(
    group: str,
    before: Sequence[tuple[str, Section]],
    after: Sequence[tuple[str, Section]],
    more: Mapping[int, Sequence[Change]] | None = None,
    without: frozenset[str] = frozenset(),
    ordered: bool = True,
) -> Iterator[SectionChange]:
    """Sections by name, else by type and options; `more` are changes besides options, by index in the second."""
    items = [[_item(name, section, without) for name, section in rows] for rows in (before, after)]
    pairs = align(*items)
    back = {there: here for here, there in pairs}
    taken = {here for here, _ in pairs}
    for index, (name, section) in enumerate(after):
        if index not in back:
            yield SectionChange(group, "added", name, section.type_name, _options(section, added=True))
            continue
        old_name, old = before[back[index]]
        changes = [Change("name", old_name, name)] if old_name != name else []
        if old.type_name != section.type_name:
            changes.append(Change("type", old.type_name, section.type_name))
        changes += [*option_changes(old, section, without), *(more or {}).get(index, ())]
        if changes:
            yield SectionChange(group, "changed", name, section.type_name, tuple(changes))
    for index, (name, section) in enumerate(before):
        if index not in taken:
            yield SectionChange(group, "removed", name, section.type_name, _options(section, added=False))
    order = [there for _, there in pairs]
    if ordered and order != sorted(order):
        change = Change("order", _order(before, sorted(taken)), _order(after, sorted(back)))
        yield SectionChange(group, "changed", "order", "", (change,))


def _order(rows: Sequence[tuple[str, Section]], kept: Sequence[int]) -> str:
    return ", ".join(rows[index][0] or rows[index][1].type_name for index in kept)


def _item(name: str, section: Section, without: frozenset[str]) -> Item:
    traits: frozenset[tuple[str, str]] = frozenset(written_options(section, without).items())
    return Item(name, section.type_name, traits)


def _options(section: Section, added: bool) -> tuple[Change, ...]:
    """What is written in a section that has no counterpart."""
    return tuple(
        Change(key, None, value) if added else Change(key, value, None)
        for key, value in written_options(section).items()
    )


def _phases(before: Program, after: Program) -> Iterator[SectionChange]:
    """Optimizers by name. What they minimise is compared as a sum, not as it is written."""
    first = {phase.name: phase for phase in before.phases}
    more = {
        index: [Change("minimise", first[phase.name].optimizer.minimise, phase.optimizer.minimise)]
        for index, phase in enumerate(after.phases)
        if phase.name in first and dict(first[phase.name].weights) != dict(phase.weights)
    }
    rows = [[(phase.name, phase.optimizer) for phase in program.phases] for program in (before, after)]
    yield from _sections("Optimizer", *rows, more, frozenset({"minimise"}))
