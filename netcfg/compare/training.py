"""How two programs differ outside their networks: data, losses, optimizers, metrics, settings, variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netcfg.blocks.base import Section
from netcfg.blocks.changing import Weight
from netcfg.blocks.fields import FieldSpec
from netcfg.compare.align import Item, align
from netcfg.compare.change import Change, Status, option_changes, written_options
from netcfg.program import Data, Phase, Program


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
            *_named("Optimizer", before.schedules, after.schedules),
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
    yield from _sections("Data", _rows(before), _rows(after))
    yield from _order("Data", _rows(before), _rows(after))
    fields = _field_changes(before.fields if before else {}, after.fields if after else {})
    if before and after and fields:
        yield SectionChange("Data", "changed", "fields", "fields", tuple(fields))


def _rows(data: Data | None) -> list[_Row]:
    sections: list[Section] = []
    for part in data.each if data else ():
        # A transform that stands for several sources is one section.
        sections += [
            one for one in (part.source, *part.transforms) if not any(one is other for other in sections)
        ]
    if data and data.joined is not None:
        sections.append(data.joined)
    return [_Row(section.name or "", section) for section in sections]


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


# --- sections of a group --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """A section under its name. `terms` is what an optimizer minimises, as factors by loss; `minimise` as written."""

    name: str
    section: Section
    terms: frozenset[tuple[str, Weight]] = frozenset()
    minimise: str = ""

    @property
    def item(self) -> Item:
        options = written_options(self.section, _COMPARED_AS_TERMS)
        return Item(self.name, self.section.type_name, frozenset([*options.items(), *self.terms]))

    def alone(self, group: str, status: Status) -> SectionChange:
        """The change that it is new, or gone."""
        written = written_options(self.section).items()
        changes = (
            Change(key, None, value) if status == "added" else Change(key, value, None)
            for key, value in written
        )
        return SectionChange(group, status, self.name, self.section.type_name, tuple(changes))

    def changes_from(self, old: _Row) -> Iterator[Change]:
        """What is written differently."""
        if old.name != self.name:
            yield Change("name", old.name, self.name)
        if old.section.type_name != self.section.type_name:
            yield Change("type", old.section.type_name, self.section.type_name)
        yield from option_changes(old.section, self.section, _COMPARED_AS_TERMS)
        if old.terms != self.terms:
            yield Change("minimise", old.minimise, self.minimise)


_COMPARED_AS_TERMS = frozenset({"minimise"})


def _named(
    group: str, before: Mapping[str, Section], after: Mapping[str, Section]
) -> Iterator[SectionChange]:
    """Sections whose order means nothing."""
    rows = ([_Row(name, section) for name, section in sections.items()] for sections in (before, after))
    yield from _sections(group, *rows)


def _phases(before: Program, after: Program) -> Iterator[SectionChange]:
    """Optimizers and averages, which run in order. What they minimise is compared as a sum, not as it is written."""
    here, there = (
        [
            _Row(step.name, step.optimizer, frozenset(step.weights.items()), step.optimizer.minimise)
            if isinstance(step, Phase)
            else _Row(step.name, step.section)
            for step in program.steps
        ]
        for program in (before, after)
    )
    yield from _sections("Optimizer", here, there)
    yield from _order("Optimizer", here, there)


def _sections(group: str, before: Sequence[_Row], after: Sequence[_Row]) -> Iterator[SectionChange]:
    """Sections by name, else by type and options: what is there now in order, then what is gone."""
    pairs = align([row.item for row in before], [row.item for row in after])
    back = {there: here for here, there in pairs}
    for index, row in enumerate(after):
        if index not in back:
            yield row.alone(group, "added")
        elif changes := tuple(row.changes_from(before[back[index]])):
            yield SectionChange(group, "changed", row.name, row.section.type_name, changes)
    kept = {here for here, _ in pairs}
    for index, row in enumerate(before):
        if index not in kept:
            yield row.alone(group, "removed")


def _order(group: str, before: Sequence[_Row], after: Sequence[_Row]) -> Iterator[SectionChange]:
    """Whether what is in both stands in another order."""
    pairs = align([row.item for row in before], [row.item for row in after])
    order = [there for _, there in pairs]
    if order != sorted(order):
        here = ", ".join(before[index].name or before[index].section.type_name for index, _ in pairs)
        there = ", ".join(after[index].name or after[index].section.type_name for index in sorted(order))
        yield SectionChange(group, "changed", "order", "", (Change("order", here, there),))
