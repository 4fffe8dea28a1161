"""Pass: a network as written becomes a graph, block by block in file order.

Requires: templates and variables are known. Ensures: templates are expanded, repeats unrolled, options checked, every
reference resolved to an earlier block. What a block gives is known as soon as it is placed, before the next one is
read. A block that failed is a `Wire` to nothing: what only follows from it stays silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netcfg.blocks.base import Block
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.blocks.network.net import Net, Output
from netcfg.blocks.registry import find, sections
from netcfg.blocks.values import IDENTIFIER
from netcfg.graph import Graph, Scope
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import NOTHING, Context, Draft, Namespace, Place, Result, StandIn, Wire, turn_of
from netcfg.passes.expansion import TemplateUse, cycle, declared_inputs, split_options
from netcfg.passes.infer import Conflict, Edge, Inference
from netcfg.passes.inputs import check_declared, place_inputs
from netcfg.passes.names import check_name, declared_names, report_duplicate
from netcfg.passes.placing import Placing
from netcfg.passes.references import References
from netcfg.passes.schema import check_section
from netcfg.passes.stand_ins import StandIns
from netcfg.passes.unknown import report_unknown
from netcfg.passes.uses import fed_wires
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Span
from netcfg.syntax import Group, Section

MAX_BLOCKS = 200_000
MOST_DRAWN = 20_000
"""So much of a broken network is understood at most."""
MAX_DEPTH = 64


def elaborate(group: Group, parts: Parts, findings: list[Finding]) -> Graph | None:
    """The network of a group; None where anything in it failed."""
    return _Elaborator(group, parts, findings).run()


def elaborate_model(
    model: Group,
    fields: Mapping[str, FieldSpec],
    data: Span,
    networks: Mapping[str, Graph],
    parts: Parts,
    findings: list[Finding],
) -> Graph | None:
    """`{Model}`: the fields of the data (which stand at `data`) are its inputs, and every network is a block type."""
    return _Elaborator(model, parts, findings, networks).run_model(fields, data)


@dataclass(frozen=True)
class Known:
    """What is known of a network that may be broken, in which every section has a draft.

    `conflicts` are by block what is wrong with shapes, `edges` those to blame (see `Inference`).
    """

    graph: Graph
    drafts: list[Draft]
    conflicts: Mapping[int, Conflict]
    edges: frozenset[Edge]


def elaborate_known(group: Group, parts: Parts, stand_in: StandIn) -> Known:
    """The network of a group, right or wrong, with stand-ins for what cannot be read; for pictures."""
    elaborator = _Elaborator(group, parts, [], stand_in=stand_in)
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
    elaborator = _Elaborator(model, parts, [], networks, stand_in)
    return elaborator.known(elaborator.run_model(fields, data))


class _Elaborator:
    def __init__(
        self,
        group: Group,
        parts: Parts,
        findings: list[Finding],
        networks: Mapping[str, Graph] | None = None,
        stand_in: StandIn | None = None,
    ) -> None:
        self.group = group
        self.parts = parts
        self.findings = findings
        self.networks = networks or {}
        self.stand_ins = StandIns(stand_in, bool(networks)) if stand_in else None
        self.references = References(findings, bool(networks))
        inference = Inference(findings, is_tolerant=stand_in is not None)
        self.placing = Placing(findings, inference, MAX_BLOCKS if stand_in is None else MOST_DRAWN)
        self.block_types: dict[str, None] = {}
        self.expansions = 0

    def run(self) -> Graph | None:
        scope = VariableScope(self.parts.variables)
        net_section, *body = map(scope.replace, self.group.sections)
        net = check_section(net_section, Net, self.findings)
        declared = [section for section in body if section.name == "input"]
        if net is not None:
            check_declared(net, net_section, declared, self.findings)
            if net.weights not in (None, "None"):
                self.placing.request(Place(), net, net_section)
        elif self.stand_ins is None:
            self.placing.inference.findings = []  # without inputs, what is said of shapes only follows
        context = Context(Place(), (), scope, freeze=bool(net and net.freeze))
        namespace = Namespace(declared_names(body), {}, _block_count(body))
        self.placing.inference.has_single_input = len(declared) + bool(net and net.channels is not None) == 1
        namespace.inputs |= place_inputs(net, net_section, declared, context, self.placing, self.stand_ins)
        outputs = self._body(body, namespace, context)
        if not any(draft.position is not None for draft in self.placing.drafts) and not self.findings:
            message = f"the network `{self.group.name}` computes nothing"
            self.findings.append(Finding("NC208", message, self.group.span, help="add a block after [net]"))
        if net is None and self.stand_ins is None:
            return None
        if not outputs:
            outputs = {"": namespace.results[-1].wire if namespace.results else NOTHING}
        return self.placing.inference.graph(
            self.group.name, net or Net(), self.group.span, outputs, self.placing.weights
        )

    def run_model(self, fields: Mapping[str, FieldSpec], data: Span) -> Graph | None:
        """The wiring of a program's networks; it has no outputs but its named signals."""
        body = self.group.sections
        context = Context(Place(), (), VariableScope(self.parts.variables))
        namespace = Namespace(declared_names(body), {}, _block_count(body))
        section = Section("input", data.file, data.line, data.column, data.length)
        for name, spec in fields.items():
            field = DataField.of(name, spec)
            place = Place().below(name)
            namespace.inputs[name] = self.placing.draft(place, field, section, [], None, context)
        self._body(body, namespace, context)
        return self.placing.inference.graph(self.group.name, Net(), self.group.span, {}, self.placing.weights)

    def known(self, graph: Graph | None) -> Known:
        """With a stand-in for all that failed, there is a graph."""
        assert graph is not None
        return Known(
            graph,
            self.placing.drafts,
            self.placing.inference.conflicts,
            frozenset(self.placing.inference.edges),
        )

    def _output(
        self, section: Section, previous: Wire, names: Namespace, context: Context
    ) -> tuple[str, Wire] | None:
        block = check_section(section, Output, self.findings)
        if block is None:
            return None
        if not IDENTIFIER.match(block.name):
            check_name(section.option("name"), {}, self.findings)
            return None
        return block.name, self.references.wires(block, section, previous, names)[0]

    # --- bodies

    def _body(self, sections: list[Section], names: Namespace, context: Context) -> dict[str, Wire]:
        """Elaborate the blocks of a body in order; gives its named outputs."""
        outputs: dict[str, Wire] = {}
        previous = names.fed
        for section in sections:
            if section.name == "input":
                continue
            if section.name == "output":
                output = self._output(section, previous, names, context)
                if output and output[0] in outputs:
                    report_duplicate(section.option("name"), None, self.findings)
                elif output:
                    outputs[output[0]] = output[1]
                continue
            if self.placing.too_large:
                break
            result = self._block(section, previous, names, context)
            if result.wire == NOTHING:
                result = self._block_stood_in(section, previous, names, context)
            self._name_result(section, result, names)
            names.results.append(result)
            previous = result.wire
        return outputs

    def _name_result(self, section: Section, result: Result, names: Namespace) -> None:
        option = section.option("name")
        if option is None:
            return
        taken = names.inputs if option.value in names.inputs else names.sections
        if check_name(option, taken, self.findings):
            names.sections[option.value] = section

    def _block(self, section: Section, previous: Wire, names: Namespace, context: Context) -> Result:
        position = len(names.results)
        if section.malformed:
            return Result(NOTHING)
        if section.name in self.networks:
            return self._use_of(self.networks[section.name], section, position, previous, names, context)
        kind = find("network", section.name)
        if kind is not None and issubclass(kind, Block):
            return self._plain(section, kind, position, previous, names, context)
        template = self.parts.templates.get(section.name)
        if template is not None:
            return self._template(section, template, position, previous, names, context)
        report_unknown(section, self._block_types(), self.networks, self.parts, self.findings)
        return Result(NOTHING)

    def _block_types(self) -> Mapping[str, None]:
        """All that may stand in brackets here; the same mapping each time, so that nearest names are looked up once."""
        if not self.block_types:
            self.block_types = dict.fromkeys([*self.networks, *sections("network"), *self.parts.templates])
        return self.block_types

    # --- stand-ins for what cannot be read

    def _block_stood_in(self, section: Section, previous: Wire, names: Namespace, context: Context) -> Result:
        """A block that failed, reading what it asks for as far as that is there."""
        if self.stand_ins is None:
            return Result(NOTHING)
        position = len(names.results)
        block = self.stand_ins.block(section)
        wires = self.stand_ins.wires(section, previous, names)
        place = context.place.below(block.name or str(position))
        return Result(self.placing.draft(place, block, section, wires, position, context))

    # --- blocks

    def _plain(
        self,
        section: Section,
        kind: type[Block],
        position: int,
        previous: Wire,
        names: Namespace,
        context: Context,
    ) -> Result:
        block = check_section(section, kind, self.findings)
        if block is None:
            return Result(NOTHING)
        wires = self.references.wires(block, section, previous, names)
        place = self.placing.place(block, section, position, names, context)
        if place is None:
            return Result(NOTHING)
        own = Result(wires[0] if wires else NOTHING, type=section.name, holder=place.holder)
        if block.repeat is None:
            own.wire = self.placing.draft(place, block, section, wires, position, context)
            return own
        roles = wires[len(wires) - len(block.written_roles()) :]  # every turn reads the same
        for turn in range(block.repeat):
            scope = Scope(f"{place.path}.{turn}", section.name, section.span, turn, block.repeat)
            inside = replace(context, scopes=(*context.scopes, scope))
            turn_place = turn_of(place, turn, block)
            wires = [self.placing.draft(turn_place, block, section, wires, position, inside), *roles]
            own.turns = [*own.turns, Result(wires[0])]
        return replace(own, wire=wires[0]) if wires else own

    # --- networks as blocks

    def _use_of(
        self,
        graph: Graph,
        section: Section,
        position: int,
        previous: Wire,
        names: Namespace,
        context: Context,
    ) -> Result:
        """A use of a network, called by its name where it is given none and this is its first."""
        use = check_section(section, NetworkUse, self.findings)
        if use is None:
            return Result(NOTHING)
        wires = fed_wires(use, graph, section, previous, names, self.references)
        name = use.name or (graph.name if self._is_free(graph.name, names) else str(position))
        use = use.model_copy(update={"network": graph, "name": name})
        wire = self.placing.draft(context.place.below(name), use, section, wires, position, context)
        ports = {port: Wire(wire.producer, port) for port in graph.outputs} if len(graph.outputs) > 1 else {}
        if ports:
            wire = next(iter(ports.values()))
        if name == graph.name and name not in names.declared:
            names.declared[name] = position
        return Result(wire, ports or dict.fromkeys(filter(None, graph.outputs), wire))

    @staticmethod
    def _is_free(name: str, names: Namespace) -> bool:
        return name not in names.inputs and name not in names.declared

    # --- templates

    def _template(
        self,
        section: Section,
        template: Template,
        position: int,
        previous: Wire,
        names: Namespace,
        context: Context,
    ) -> Result:
        if template.name in context.templates:
            self.findings.append(cycle(section, template, context))
            return Result(NOTHING)
        if len(context.templates) >= MAX_DEPTH:
            self.placing.report_too_large(section, f"more than {MAX_DEPTH} templates, one inside the other")
            return Result(NOTHING)
        common, parameters = split_options(section, template, self.parts.variables, self.findings)
        use = check_section(common, TemplateUse, self.findings)
        if use is None or parameters is None:
            return Result(NOTHING)
        wires = self.references.wires(use, common, previous, names)
        place = self.placing.place(use, section, position, names, context)
        if place is None:
            return Result(NOTHING)
        turns = [Result(wires[0] if wires else NOTHING)] if use.repeat == 0 else []
        for turn in range(1 if use.repeat is None else use.repeat):
            inside = Context(
                place if use.repeat is None else turn_of(place, turn, use),
                (),
                VariableScope(self.parts.variables, parameters),
                (*context.templates, template.name),
                context.freeze or use.freeze,
                position if context.position is None else context.position,
            )
            index = turn if use.repeat else None
            scope = Scope(inside.place.path, template.name, section.span, index, use.repeat)
            result = self._expand(template, wires, section, replace(inside, scopes=(*context.scopes, scope)))
            turns.append(result)
            wires = [result.wire]
            if self.placing.too_large:
                break
        turns_of_repeat = turns if use.repeat else ()
        return replace(turns[-1], turns=turns_of_repeat, type=section.name, holder=place.holder)

    def _expand(self, template: Template, wires: list[Wire], use: Section, context: Context) -> Result:
        """One turn of a template: a body of its own, fed by the use's inputs."""
        self.expansions += 1 + len(template.blocks)  # also of those that leave no block, such as `repeat = 0`
        if self.expansions > MAX_BLOCKS:
            self.placing.report_too_large(use)
            return Result(NOTHING)
        blocks = [context.variables.replace(section) for section in template.blocks]
        inputs = self._template_inputs(blocks, wires, use)
        inner = Namespace(declared_names(blocks), inputs, _block_count(blocks))
        outputs = self._body(blocks, inner, context)
        last = inner.results[-1].wire if inner.results else inner.fed
        return Result(next(iter(outputs.values())) if len(outputs) == 1 else last, outputs or None, inner)

    def _template_inputs(self, blocks: list[Section], wires: list[Wire], use: Section) -> dict[str, Wire]:
        declared = declared_inputs(blocks)
        if not declared:
            if len(wires) > 1:
                self.references.report_count(use, len(wires), 1)
            return {"input": wires[0]}
        if len(declared) != len(wires):
            self.references.report_count(use, len(wires), len(declared))
            wires = [NOTHING] * len(declared)
        return {"input": wires[0], **dict(zip(declared, wires, strict=True))}


def _block_count(sections: list[Section]) -> int:
    return sum(section.name not in ("input", "output") for section in sections)
