"""Pass: a network as written becomes a graph, block by block in file order.

Requires: templates and variables are known. Ensures: templates are expanded, repeats unrolled, options checked, every
reference resolved to an earlier block. What a block gives is known as soon as it is placed, before the next one is
read. A block that failed is a `Wire` to nothing: what only follows from it stays silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.model import DataField
from netcfg.blocks.network.net import Net
from netcfg.graph import Graph, Signal
from netcfg.passes.checkpoints import check_checkpoints
from netcfg.passes.collect import Parts, ProgramSize, those_there
from netcfg.passes.defaults import refused_everywhere
from netcfg.passes.drafts import NOTHING, Context, Draft, Place, Result, StandIn, Wire
from netcfg.passes.given import Others
from netcfg.passes.infer import Conflict, Edge
from netcfg.passes.inputs import check_declared, inputs_replaced, place_inputs
from netcfg.passes.names import begun
from netcfg.passes.schema import check_section
from netcfg.passes.sizes import BROKEN, Fields
from netcfg.passes.variables import VariableScope
from netcfg.passes.walk import Walk
from netcfg.source import Finding, Span
from netcfg.syntax import Group, Section


def elaborate(
    group: Group,
    parts: Parts,
    findings: list[Finding],
    fields: Fields = lambda: {},
    others: Others | None = None,
) -> Graph | None:
    """The network of a group; None where anything in it failed. `fields` are those of the data, whose sizes it may
    ask for, `others` the networks whose outputs it may be fed.
    """
    return _Elaborator(group, parts, findings, fields=fields, others=others).run()


def elaborate_all(parts: Parts, findings: list[Finding], fields: Fields) -> list[Graph]:
    """The networks of a program, in file order, but for those in which anything failed."""
    others = Others(parts, fields, lambda group, others: elaborate(group, parts, findings, fields, others))
    made = [others.graph(name) for name in parts.networks]
    refused_everywhere(parts.defaults, findings)
    return [graph for graph in made if graph is not None]


def elaborate_model(
    model: Group,
    fields: Mapping[str, FieldSpec],
    data: Span,
    networks: Mapping[str, Graph],
    parts: Parts,
    findings: list[Finding],
) -> Graph | None:
    """`{Model}`: the fields of the data (which stand at `data`) are its inputs, and every network is a block type."""
    return _Elaborator(model, parts, findings, networks, fields=lambda: fields).run_model(fields, data)


def elaborate_generation(
    group: Group, fields: Fields, networks: Mapping[str, Graph], parts: Parts, findings: list[Finding]
) -> Graph | None:
    """`{Generation}`: the same with inputs of its own for data, and with loops for repeated templates of networks."""
    others = Others(parts, fields, lambda group, others: networks.get(group.name))
    elaborator = _Elaborator(group, parts, findings, networks, fields=fields, others=others)
    elaborator.walk.let_loop()
    return elaborator.run_model({}, group.span)


class Known(NamedTuple):
    """What is known of a network that may be broken, in which every section has a draft.

    `conflicts` are by block what is wrong with shapes, `edges` those to blame (see `Inference`).
    """

    graph: Graph
    drafts: list[Draft]
    conflicts: Mapping[int, Conflict]
    edges: frozenset[Edge]


def elaborate_known(group: Group, parts: Parts, stand_in: StandIn, fields: Fields = lambda: {}) -> Known:
    """The network of a group, right or wrong, with stand-ins for what cannot be read; for pictures."""
    # A picture is bounded by itself: `check` has counted the same blocks before.
    parts = replace(parts, size=ProgramSize())
    others = Others(parts, fields, lambda group, others: elaborate(group, parts, [], fields, others))
    # It is under way, should a network that feeds it ask for it in turn.
    others.running[group.name] = None
    elaborator = _Elaborator(group, parts, [], stand_in=stand_in, fields=fields, others=others)
    return elaborator.known(elaborator.run())


def elaborate_known_model(
    model: Group,
    fields: Mapping[str, FieldSpec],
    data: Span,
    networks: Mapping[str, Graph],
    parts: Parts,
    stand_in: StandIn,
) -> Known:
    """`{Model}`, likewise."""
    elaborator = _Elaborator(model, parts, [], networks, stand_in, lambda: fields)
    return elaborator.known(elaborator.run_model(fields, data))


class _Elaborator:
    def __init__(
        self,
        group: Group,
        parts: Parts,
        findings: list[Finding],
        networks: Mapping[str, Graph] | None = None,
        stand_in: StandIn | None = None,
        fields: Fields = lambda: {},
        others: Others | None = None,
    ) -> None:
        self.group = group
        self.others = others
        self.parts = parts
        self.findings = findings
        self._fields = fields
        self.walk = Walk(parts, findings, networks or {}, stand_in, fields)
        self.placing = self.walk.placing
        self.stand_ins = self.walk.stand_ins

    def run(self) -> Graph | None:
        scope = VariableScope(self.parts.variables)
        net_section = scope.replace(self.group.sections[0])
        body = inputs_replaced(self._inputs_there(self.group.sections[1:], scope), scope)
        net = check_section(net_section, Net, self.findings)
        declared = [section for section in body if section.name == "input"]
        if net is not None:
            check_declared(net, net_section, declared, self.findings)
            if net.weights not in (None, "None"):
                self.placing.request(Place(), net, net_section)
        elif self.stand_ins is None:
            self.placing.inference.findings = []  # without inputs, what is said of shapes only follows
        context = Context(Place(), (), scope, freeze=bool(net and net.freeze))
        namespace = begun(body, {}, context, self.parts.tables)
        self.placing.inference.has_single_input = len(declared) + bool(net and net.channels is not None) == 1
        namespace.inputs |= place_inputs(
            net, net_section, declared, context, self.placing, self.stand_ins, self.others
        )
        # What the network that failed would have given is not known by name.
        if net is not None and net.inputs and NOTHING in namespace.inputs.values():
            namespace.has_unknown_names = True
        outputs = self.walk.body(body, namespace, context)
        is_empty = not any(draft.position is not None for draft in self.placing.drafts)
        # Blocks whose sizes hang on data that are wrong are not placed, and that is said at the data.
        if is_empty and not self.findings and self._fields() is not BROKEN:
            message = f"the network `{self.group.name}` computes nothing"
            self.findings.append(Finding("NC208", message, self.group.span, help="add a block after [net]"))
        if net is None and self.stand_ins is None:
            return None
        if not outputs:
            outputs = {"": namespace.results[-1].wire if namespace.results else NOTHING}
        graph = self.placing.inference.graph(
            self.group.name, net or Net(), self.group.span, outputs, self.placing.weights
        )
        if graph is not None and self.stand_ins is None:
            check_checkpoints(graph, net_section, self.findings)
        return graph

    def run_model(self, fields: Mapping[str, FieldSpec], data: Span) -> Graph | None:
        """The wiring of a program's networks; it has no outputs but its named signals."""
        context = Context(Place(), (), VariableScope(self.parts.variables))
        body = inputs_replaced(self._inputs_there(self.group.sections, context.variables), context.variables)
        self._check_framing(body)
        namespace = begun(body, {}, context, self.parts.tables)
        section = Section("input", data.file, data.line, data.column, data.length)
        for name, spec in fields.items():
            field = DataField.of(name, spec)
            place = Place().below(name)
            namespace.inputs[name] = self.placing.draft(place, field, section, [], None, context)
        if self.others is not None:
            declared = [one for one in body if one.name == "input"]
            namespace.inputs |= place_inputs(
                None, section, declared, context, self.placing, self.stand_ins, self.others
            )
        self.walk.body(body, namespace, context)
        graph = self.placing.inference.graph(
            self.group.name, Net(), self.group.span, {}, self.placing.weights
        )
        named: dict[str, Signal] = {}
        for name, result in namespace.named.items() if graph is not None else ():
            for called, wire in _signals_of(name, result):
                signal = self.placing.inference.signal(wire, None)
                if signal is not None:
                    named[called] = signal
        return replace(graph, named=named) if graph is not None else None

    def _inputs_there(self, sections: Sequence[Section], scope: VariableScope) -> list[Section]:
        """A body without the inputs whose `if` does not hold; blocks are asked when they are placed."""
        return [
            one
            for section in sections
            for one in (
                those_there([section], scope, self.findings) if section.name == "input" else [section]
            )
        ]

    def _check_framing(self, body: Sequence[Section]) -> None:
        """Report what frames a network, where no network is. `{Generation}` alone has inputs."""
        for section in body:
            if section.name == "input" and self.others is None:
                message = "[input] stands in {Model}, whose inputs are the fields of the data"
                help = "take it out: a block reads a field by its name"
            elif section.name == "output":
                message = f"[output] stands in {{{self.group.name}}}, which is no network"
                help = "give the block itself that name, `name = …`"
            else:
                continue
            self.findings.append(Finding("NC112", message, section.span, help=help))

    def known(self, graph: Graph | None) -> Known:
        """With a stand-in for all that failed, there is a graph."""
        assert graph is not None
        return Known(
            graph,
            self.placing.drafts,
            self.placing.inference.conflicts,
            frozenset(self.placing.inference.edges),
        )


def _signals_of(name: str, result: Result) -> Iterator[tuple[str, Wire]]:
    """What a block of {Model} gives, as losses and metrics may call it."""
    yield name, result.wire
    yield from ((f"{name}.{port}", wire) for port, wire in (result.ports or {}).items() if port)
    for index, turn in enumerate(result.turns):
        yield from _signals_of(f"{name}.{index}", turn)
