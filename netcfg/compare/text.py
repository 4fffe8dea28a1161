"""A difference as a person reads it, in colours where asked for; without them the signs say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from netcfg.compare.change import Change, Value
from netcfg.compare.networks import BlockChange, NetworkChange
from netcfg.compare.programs import Difference
from netcfg.compare.together import Units, written_together
from netcfg.compare.training import SectionChange
from netcfg.graph import Graph, Node
from netcfg.program import Program
from netcfg.shapes import show
from netcfg.summary import human

SIGNS = {"added": "+", "removed": "−", "changed": "~", "follows": " "}
_COLOURS = {"added": "32", "removed": "35", "changed": "33", "follows": "2"}
_WORDS = {"macs": "MACs"}
_BOLD = "1"
_LISTED = 4
"""So many names are written out before `and 12 more`."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: what it is about, what is to be said of it, and where that is written."""

    status: str
    name: str
    text: str
    place: str = ""


def difference_text(difference: Difference, colour: bool = False) -> str:
    """The whole page."""
    pages = [_networks(difference), _training(difference)]
    title = f"{_called(difference.before)} → {_called(difference.after)}"
    if not difference:
        return f"{title}: the same"
    blocks = [block for page in pages for block in page]
    return "\n\n".join(
        [_painted(title, _BOLD, colour), *("\n".join(_lines(*block, colour)) for block in blocks)]
    )


def _called(program: Program) -> str:
    return f"{program.name} (preset {program.preset})" if program.preset else program.name


def _lines(head: str, rows: Sequence[_Row], colour: bool) -> Iterator[str]:
    """A heading and its rows, names and texts below each other."""
    yield _painted(head, _BOLD, colour)
    width = min(max((len(row.name) for row in rows), default=0), 34)
    for row in rows:
        text = f"  {SIGNS[row.status]} {row.name:<{width}}  {row.text}".rstrip()
        place = f"  {row.place}" if row.place else ""
        yield _painted(text, _COLOURS[row.status], colour) + _painted(place, "2", colour and bool(place))


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


# --- networks -------------------------------------------------------------------------------------------------


def _networks(difference: Difference) -> Iterator[tuple[str, list[_Row]]]:
    for change in difference.networks:
        if change:
            yield _head(change), list(_network_rows(change))
    if difference.model:
        yield "{Model}", list(_block_rows(difference.model))


def _head(change: NetworkChange) -> str:
    """A network's name and its totals."""
    if change.before is None or change.after is None:
        graph = change.after or change.before
        assert graph is not None
        sign = SIGNS["added" if change.after else "removed"]
        blocks = sum(1 for _ in graph.blocks)
        counted = f"{blocks} block{'s' * (blocks != 1)}"
        return f"{sign} {graph.name}: {counted}, {graph.parameters:,} parameters, {_macs(graph.macs)}"
    name = " → ".join(dict.fromkeys((change.before.name, change.after.name)))
    totals = (
        ("parameters", change.before.parameters, change.after.parameters),
        *_trainable(change.before, change.after),
        ("MACs", change.before.macs, change.after.macs),
    )
    texts = [_total(*total) for total in totals if total[1] != total[2]]
    return f"{name}: {', '.join(texts) or 'the same parameters and MACs'}"


def _trainable(before: Graph, after: Graph) -> list[tuple[str, int, int]]:
    """How many of the parameters are trained, where that is not all of them."""
    both = before.trainable, after.trainable
    return [("trainable", *both)] if both != (before.parameters, after.parameters) else []


def _macs(macs: int | None) -> str:
    return "MACs unknown" if macs is None else f"{human(macs)} MACs"


def _total(what: str, before: int | None, after: int | None) -> str:
    shown = [_count(what, value) for value in (before, after)]
    if before is None or after is None:
        return f"{what} {shown[0]} → {shown[1]}"
    sign = "+" if after > before else "−"
    return f"{what} {shown[0]} → {shown[1]} ({sign}{_count(what, abs(after - before))})"


def _count(what: str, value: Value) -> str:
    if value is None:
        return "unknown"
    return human(int(value)) if what in ("macs", "MACs") else f"{value:,}"


def _network_rows(change: NetworkChange) -> Iterator[_Row]:
    if change.before is None or change.after is None:
        return
    options = [option for option in change.options if option.what != "name"]
    if options:
        yield _Row("changed", "[net]", "; ".join(map(change_text, options)))
    for use in change.uses:
        text = "; ".join(map(change_text, use.changes))
        yield _Row("changed", use.path, f"[{use.template}]: {text}", _place(use.span))
    yield from _block_rows(_without_uses(change))
    for output in change.outputs:
        status = "added" if output.before is None else "removed" if output.after is None else "changed"
        yield _Row(status, f"output {output.what}".rstrip(), _arrow(output.before, output.after))
    told = _without_uses(change)
    follows = [told.node(block).path for block in told.blocks if block.status == "follows"]
    if follows:
        verb = "other blocks have" if len(follows) > 1 else "other block has"
        yield _Row("follows", "", f"{len(follows)} {verb} another shape or cost: {_listed(follows)}")
    names = change.renamed_parameters
    if names:
        example = f"{names[0][0]} → {names[0][1]}"
        text = f"the parameters of {len(names)} block{'s' * (len(names) > 1)} have other names: {example}"
        yield _Row("follows", "", text + (", …" if len(names) > 1 else ""))


def _without_uses(change: NetworkChange) -> NetworkChange:
    """The same, where blocks that are new only by what the use of their template says follow from that."""
    explained = frozenset[int]().union(*(use.blocks for use in change.uses))
    if not explained:
        return change
    blocks = (
        replace(block, status="follows") if block.status == "changed" and block.after in explained else block
        for block in change.blocks
    )
    told = (block for block in blocks if block.status != "follows" or block.effects)
    return replace(change, blocks=tuple(told))


def _listed(names: Sequence[str]) -> str:
    if len(names) <= _LISTED + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_LISTED])} and {len(names) - _LISTED} more"


def _block_rows(change: NetworkChange) -> Iterator[_Row]:
    """A row for each block, for each use of a template that is new or gone, for each change that repeats."""
    units = Units(change)
    for (status, unit), groups in groupby(written_together(change), lambda group: units.of(group[0])):
        if unit:
            yield _unit_row(change, status, unit, [block for group in groups for block in group])
        elif status == "changed":
            yield from (_changed_row(change, group) for group in groups)
        else:
            yield from (_whole_row(change, group) for group in groups)


def _unit_row(change: NetworkChange, status: str, path: str, blocks: list[BlockChange]) -> _Row:
    nodes = [change.node(block) for block in blocks]
    (scope,) = (scope for scope in nodes[0].scopes if scope.path == path)
    parameters = sum(node.parameters for node in nodes)
    count = f"{len(nodes)} block{'s' * (len(nodes) > 1)}"
    return _Row(status, path, f"[{scope.template}]: {count}, {parameters:,} parameters", _place(scope.span))


def _place(span: object) -> str:
    return str(span).rpartition(":")[0]


def _whole_row(change: NetworkChange, group: Sequence[BlockChange]) -> _Row:
    """A block that is new or gone, in each use of a template: what it is, and what it reads."""
    block = group[0]
    node = change.node(block)
    graph = change.after if block.after is not None else change.before
    assert graph is not None
    shape = " ".join(show(signal.shape) for signal in node.outputs.values())
    if node.is_input:
        return _Row(block.status, f"input {node.path}", shape, _place(node.span))
    facts = [f"{node.type} {node.label}".strip(), shape]
    facts.append(f"reads {', '.join(map(graph.reference, node.inputs))}")
    if node.parameters:
        facts.append(f"{node.parameters:,} parameters")
    return _Row(block.status, _name(node, group), "; ".join(facts), _place(node.span))


def _name(node: Node, group: Sequence[BlockChange]) -> str:
    """The first block of a group, and how many it stands for."""
    return f"{node.path} and {len(group) - 1} more" if len(group) > 1 else node.path


def _changed_row(change: NetworkChange, group: Sequence[BlockChange]) -> _Row:
    """A changed block, or all those of a template or a line that changed alike."""
    node = change.node(group[0])
    effects = group[0].effects if len(group) == 1 else ()
    name = f"{'input ' if node.is_input else ''}{_name(node, group)}"
    texts = [*map(change_text, group[0].changes), *map(change_text, effects)]
    kind = "" if node.is_input else f"{node.type}: "
    return _Row("changed", name, kind + "; ".join(texts), _place(node.span))


def change_text(change: Change, nothing: str = "—") -> str:
    """`stride 1 → 2`; `nothing` stands for what there is not."""
    return (
        f"{_WORDS.get(change.what, change.what)} {_arrow(change.before, change.after, change.what, nothing)}"
    )


def _arrow(before: Value, after: Value, what: str = "", nothing: str = "—") -> str:
    return " → ".join(_value(what, value, nothing) for value in (before, after))


def _value(what: str, value: Value, nothing: str) -> str:
    if isinstance(value, int):
        return _count(what, value)
    return nothing if value is None else value or "''"


# --- all else -------------------------------------------------------------------------------------------------


def _training(difference: Difference) -> Iterator[tuple[str, list[_Row]]]:
    for group, changes in groupby(difference.training, lambda change: change.group):
        yield f"{{{group}}}", [_section_row(change) for change in changes]
    if difference.variables:
        rows = [
            _Row("changed", change.what, _arrow(change.before, change.after))
            for change in difference.variables
        ]
        yield "[variables]", rows


def _section_row(change: SectionChange) -> _Row:
    name = change.name or f"[{change.type}]"
    kind = f"[{change.type}] " if change.type not in ("", name, "fields") and change.name else ""
    if change.status == "changed":
        text = "; ".join(map(change_text, change.changes))
    else:
        text = ", ".join(f"{one.what} = {one.after or one.before}" for one in change.changes)
    return _Row(change.status, name, f"{kind}{text}".strip())
