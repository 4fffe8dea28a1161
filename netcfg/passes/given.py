"""What a network is fed where it says so by name: fields of the data, or what another network gives.

`[net] inputs = data.image, Generator` makes the inputs themselves, `[input] like = Generator.tap0` one of its own name.
Requires: templates and variables are known. Networks are worked out when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from netcfg.axes import AXES, Kind
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.net import Input
from netcfg.blocks.values import split_list
from netcfg.graph import Graph
from netcfg.passes.collect import Parts
from netcfg.passes.expressions import ExpressionError
from netcfg.passes.variables import VariableScope
from netcfg.shapes import Shape
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Group, Option

DATA = "data"
UNNAMED = "input"
MOST_SHOWN = 10
"""So many networks of a circle are named at most."""


class Offer(NamedTuple):
    """A signal that a network may be fed."""

    name: str
    shape: Shape
    axes: str
    kind: Kind
    classes: int | None = None

    def input(self, name: str | None = None) -> Input:
        """The input that takes it; of its own name unless that is given."""
        axes = tuple(AXES[letter] for letter in self.axes)
        kind = self.kind if self.kind != "number" or not self.shape else None
        block = Input.model_validate({"name": name or self.name, "kind": kind or "number"})
        sizes = {"sizes": self.shape or None, "named_axes": axes or None, "holds": kind}
        return block.model_copy(update={**sizes, "classes": self.classes})


@dataclass(eq=False, repr=False)
class Others:
    """The networks of a program, each elaborated by `make` when first asked for, and the fields of its data."""

    parts: Parts
    fields: Callable[[], Mapping[str, FieldSpec]]
    make: Callable[[Group, Others], Graph | None]
    made: dict[str, Graph | None] = field(default_factory=dict)
    running: dict[str, None] = field(default_factory=dict)

    def graph(self, name: str) -> Graph | None:
        """The network of that name; None where anything in it failed.

        What feeds it is made before it, so that a long chain of networks nests no calls.
        """
        pending: list[tuple[str, Iterator[str]]] = []
        following: str | None = name if name not in self.made else None
        while pending or following is not None:
            if following is not None:
                self.running[following] = None
                pending.append((following, self._fed_by(following)))
            last, feeding = pending[-1]
            following = next(
                (one for one in feeding if one not in self.made and one not in self.running), None
            )
            if following is None:
                self.made[last] = self.make(self.parts.networks[last], self)
                del self.running[last]
                pending.pop()
        return self.made[name]

    def _fed_by(self, name: str) -> Iterator[str]:
        """The networks that one names as what feeds it, in their order."""
        scope = VariableScope(self.parts.variables)
        first, *others = self.parts.networks[name].sections
        options = [first.option("inputs"), *(one.option("like") for one in others if one.name == "input")]
        for option in options:
            try:
                items = split_list(scope.replaced(option.value)) if option is not None else ()
            except ExpressionError:
                continue  # it is reported where the network is made
            yield from (head for item in items if (head := item.partition(".")[0]) in self.parts.networks)

    def offers(self, option: Option, item: str, findings: list[Finding]) -> list[Offer]:
        """What `data.image`, `Generator` or `Generator.tap0` offers; nothing where that cannot be said (reported)."""
        head, _, rest = item.partition(".")
        if head == DATA and DATA not in self.parts.networks:
            return list(self._fields(rest, option, item, findings))
        span = option.item_span(item)
        if head in self.parts.refused - self.parts.networks.keys():
            return []  # said at its group
        if head not in self.parts.networks:
            is_field = head in self.fields()
            help = f"the data field is `data.{head}`" if is_field else did_you_mean(head, self.parts.networks)
            findings.append(Finding("NC201", f"there is no network `{head}`", span, help=help))
            return []
        if head in self.running:
            names = list(self.running)
            circle = [*names[names.index(head) :], head]
            if len(circle) > MOST_SHOWN:
                circle = [*circle[: MOST_SHOWN // 2], "…", *circle[-MOST_SHOWN // 2 :]]
            chain = " → ".join(circle)
            notes = (Note(self.parts.networks[head].span, f"`{head}` is here"),)
            message = f"a network cannot be fed what it gives itself: {chain}"
            help = "give one of them sizes of its own: `[input]` with `channels`, `features` or `shape`"
            if head == DATA:  # a field of the data was meant
                help = "give the network another name: by `data.FIELD` the data are read"
            findings.append(Finding("NC203", message, span, notes, help=help))
            return []
        graph = self.graph(head)
        return list(_ports(graph, rest, option, item, findings)) if graph is not None else []

    def _fields(self, name: str, option: Option, item: str, findings: list[Finding]) -> Iterator[Offer]:
        fields, span = self.fields(), option.item_span(item)
        if not fields and DATA.capitalize() in self.parts.spans:
            return  # what is wrong with them is said there
        if not name:
            pictures = [field for field, spec in fields.items() if (spec.kind, spec.axes) == ("image", "CHW")]
            if len(pictures) != 1:
                found = f"{len(pictures)} pictures" if pictures else "no picture"
                listed = " or ".join(f"`{option.key} = data.{one}`" for one in pictures or fields)
                help = listed or "a group {Data} with a source"
                message = f"`data` alone is the one picture of the data, which have {found}"
                findings.append(Finding("NC501", message, span, help=help))
                return
            name = pictures[0]
        spec = fields.get(name)
        if spec is None:
            help = did_you_mean(name, fields) or (
                f"they have {', '.join(fields)}" if fields else "a group {Data} with a source"
            )
            findings.append(Finding("NC501", f"the data have no field `{name}`", span, help=help))
            return
        classes = len(spec.names) if spec.holds == "class" and spec.names else None
        # Of one of several sources: `labelled.image` comes in as `image`.
        yield Offer(name.rpartition(".")[2], spec.shape, spec.axes, spec.holds, classes)


def _ports(graph: Graph, port: str, option: Option, item: str, findings: list[Finding]) -> Iterator[Offer]:
    """All outputs of a network, those whose names begin so (`tap*`), or the one that is named."""
    if port.endswith("*"):
        ports = [name for name in graph.outputs if name.startswith(port[:-1])]
    else:
        ports = [name for name in graph.outputs if port in ("", name)]
    if not ports:
        named = [known for known in graph.outputs if known]
        help = did_you_mean(port, named) if named else f"write `{graph.name}`: it gives one signal"
        notes = (Note(graph.span, f"`{graph.name}` is here"),)
        message = f"the network `{graph.name}` has no output `{port}`"
        findings.append(
            Finding(
                "NC204", message, option.item_span(item), notes, help=help or f"it has {', '.join(named)}"
            )
        )
        return
    for name in ports:
        signal = graph.outputs[name]
        yield Offer(name or UNNAMED, signal.shape, signal.axes, signal.kind)
