"""Pass: as much of a broken program's networks as can be understood, for a picture of what is wrong.

A block that cannot be read is a stand-in, a shape that cannot be known is `?`, and what only follows is left
unmarked. Whether a program is right is for `check` to say: nothing here decides that, and no finding is added to its.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from netcfg.blocks.base import Block
from netcfg.blocks.network.broken import broken
from netcfg.blocks.registry import find
from netcfg.blocks.values import IDENTIFIER
from netcfg.graph import Graph
from netcfg.passes.alike import asks_for_another
from netcfg.passes.collect import RESERVED_GROUPS, TABLE_KEYWORD, TEMPLATE_KEYWORD, Parts
from netcfg.passes.elaborate import Known, elaborate_known, elaborate_known_model
from netcfg.passes.feed import fields_of, read_data
from netcfg.passes.infer import Edge
from netcfg.passes.read import Reading
from netcfg.passes.reserved import Reserved
from netcfg.passes.wire import MODEL
from netcfg.source import Finding, Span
from netcfg.syntax import Group, Section

Place = tuple[str, int]
"""The name of a file, and a line."""


@dataclass(frozen=True)
class Understood:
    """A network as far as it is known.

    `mistakes` by block, those `of_whole` network, and the `edges` that cannot be.
    """

    graph: Graph
    mistakes: Mapping[int, tuple[Finding, ...]] = field(default_factory=dict)
    edges: frozenset[Edge] = frozenset()
    of_whole: tuple[Finding, ...] = ()


def understand_networks(reading: Reading, parts: Parts, found: Iterable[Finding]) -> list[Understood]:
    """What look like networks, and which of the errors that `check` has `found` lie in which block."""
    errors = {_identity(finding): finding for finding in found if finding.severity == "error"}
    places: dict[Place, list[Finding]] = {}
    headers = _Headers(reading)
    for finding in errors.values():
        if (place := headers.above(finding.span)) is not None:
            places.setdefault(place, []).append(finding)
    understood = []
    fields = fields_of(parts)
    for group in (read.group for read in reading.groups if _looks_like_a_network(read.group, parts)):
        if asks_for_another(group):
            group = parts.networks.get(group.name, group)
        known = elaborate_known(_with_net_first(group), parts, _stand_in, fields)
        understood.append(_understood(known, errors.keys(), places))
    if not any(network.mistakes or network.of_whole for network in understood):
        model = _model(
            parts, {network.graph.name: network.graph for network in understood}, errors.keys(), places
        )
        understood += [model] if model else []
    return understood


def _model(
    parts: Parts,
    networks: Mapping[str, Graph],
    errors: Container[object],
    places: Mapping[Place, Sequence[Finding]],
) -> Understood | None:
    """`{Model}`, if one of the errors lies in it, with those of the data's fields that it reads."""
    reserved = Reserved(parts, [])
    sections = reserved.sections(MODEL)
    data = read_data(reserved)
    if data is None or not any((section.file.name, section.line) in places for section in sections):
        return None
    group = Group(MODEL, parts.spans[MODEL], sections)
    fields = data.fields
    # Twice: once to see which fields it reads, as the boxes of all others would hide the mistake.
    known = elaborate_known_model(group, fields, data.span, networks, parts, _stand_in)
    read = {wire.producer for draft in known.drafts for wire in draft.wires}
    used = {name: spec for index, (name, spec) in enumerate(fields.items()) if index in read}
    return _understood(
        elaborate_known_model(group, used, data.span, networks, parts, _stand_in), errors, places
    )


def _looks_like_a_network(group: Group, parts: Parts) -> bool:
    """Whether it is one, or was meant to be: it holds [net], or blocks, and is nothing else."""
    if group.name in RESERVED_GROUPS or group.name.split()[:1] in ([TEMPLATE_KEYWORD], [TABLE_KEYWORD]):
        return False
    return any(find("network", section.name) or section.name in parts.templates for section in group.sections)


def _with_net_first(group: Group) -> Group:
    """The group as a network should be written."""
    net = next((section for section in group.sections if section.name == "net"), None)
    rest = [section for section in group.sections if section is not net]
    if net is None:
        span = group.span
        net = Section("net", span.file, span.line, span.column, span.length)
    return replace(group, sections=[net, *rest])


def _stand_in(section: Section) -> Block:
    option = section.option("name")
    name = option.value if option and IDENTIFIER.match(option.value) else None
    return broken(section.name, name)


def _understood(
    known: Known, errors: Container[object], places: Mapping[Place, Sequence[Finding]]
) -> Understood:
    """The graph, with the errors of its sections and those of its shapes at the blocks they are about."""
    mistakes: dict[int, list[Finding]] = {}
    graph, edges = known.graph, set(known.edges)
    for index, (finding, edge) in known.conflicts.items():
        if _identity(finding) in errors:
            mistakes.setdefault(index, []).append(finding)
            edges |= {edge} if edge else set()
    told = {_identity(finding) for finding, _ in known.conflicts.values()}
    for index, draft in enumerate(known.drafts):
        written = places.get((draft.section.file.name, draft.section.line), ())
        here = [finding for finding in written if _identity(finding) not in told]
        if here:
            mistakes.setdefault(index, []).extend(here)
    of_whole = tuple(places.get((graph.span.file.name, graph.span.line), ()))
    return Understood(
        graph, {index: tuple(found) for index, found in mistakes.items()}, frozenset(edges), of_whole
    )


def _identity(finding: Finding) -> object:
    """Equal for the same finding of two runs."""
    return finding.code, finding.message, str(finding.span)


class _Headers:
    """Finds the header that a line stands under."""

    def __init__(self, reading: Reading) -> None:
        self.lines: dict[str, list[int]] = {}
        for group in (read.group for read in reading.groups):
            for span in (group.span, *(section.span for section in group.sections)):
                self.lines.setdefault(span.file.name, []).append(span.line)
        for lines in self.lines.values():
            lines.sort()

    def above(self, span: Span | None) -> Place | None:
        """The place of that header."""
        if span is None:
            return None
        lines = self.lines.get(span.file.name, [])
        index = bisect_right(lines, span.line)
        return (span.file.name, lines[index - 1]) if index else None
