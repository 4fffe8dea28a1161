"""Pass: a network as written becomes a graph, block by block in file order.

Requires: templates and variables are known. Ensures: templates are expanded, repeats unrolled, options checked, every
reference resolved to an earlier block. What a block gives is known as soon as it is placed, before the next one is
read. A block that failed is a `Wire` to nothing: what only follows from it stays silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from netcfg.blocks.base import Block, Reference
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.blocks.network.net import Net, Output
from netcfg.blocks.registry import find, sections
from netcfg.blocks.values import IDENTIFIER
from netcfg.graph import Graph, Scope
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import (
    NOTHING,
    Context,
    Draft,
    Namespace,
    Place,
    Result,
    Site,
    StandIn,
    Wire,
    turn_of,
)
from netcfg.passes.expansion import TemplateUse, cycle, declared_inputs, split_options, with_parameters
from netcfg.passes.infer import Conflict, Edge, Inference
from netcfg.passes.inputs import check_declared, inputs_replaced, place_inputs
from netcfg.passes.names import check_name, declared_names, report_duplicate
from netcfg.passes.placing import Placing
from netcfg.passes.references import References
from netcfg.passes.schema import check_section
from netcfg.passes.sizes import Fields, Sizes
from netcfg.passes.stand_ins import StandIns
from netcfg.passes.structure import JOINS, Structure, Written, is_structured, with_defaults
from netcfg.passes.unknown import report_unknown
from netcfg.passes.uses import fed_wires
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Span
from netcfg.syntax import Group, Option, Section

MAX_BLOCKS = 200_000
MOST_DRAWN = 20_000
"""So much of a broken network is understood at most."""
MAX_DEPTH = 64


def elaborate(
    group: Group, parts: Parts, findings: list[Finding], fields: Fields = lambda: {}
) -> Graph | None:
    """The network of a group; None where anything in it failed. `fields` are those of the data, whose sizes it may
    ask for.
    """
    return _Elaborator(group, parts, findings, fields=fields).run()


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


@dataclass(frozen=True)
class Known:
    """What is known of a network that may be broken, in which every section has a draft.

    `conflicts` are by block what is wrong with shapes, `edges` those to blame (see `Inference`).
    """

    graph: Graph
    drafts: list[Draft]
    conflicts: Mapping[int, Conflict]
    edges: frozenset[Edge]


def elaborate_known(group: Group, parts: Parts, stand_in: StandIn, fields: Fields = lambda: {}) -> Known:
    """The network of a group, right or wrong, with stand-ins for what cannot be read; for pictures."""
    elaborator = _Elaborator(group, parts, [], stand_in=stand_in, fields=fields)
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
    ) -> None:
        self.group = group
        self.parts = parts
        self.findings = findings
        self.networks = networks or {}
        self.stand_ins = StandIns(stand_in, bool(networks)) if stand_in else None
        self.references = References(findings, bool(networks))
        inference = Inference(findings, is_tolerant=stand_in is not None)
        self.placing = Placing(findings, inference, MAX_BLOCKS if stand_in is None else MOST_DRAWN)
        self.fields = fields
        self.structure = Structure(parts, findings, inference, self.references, fields, self.networks)
        self.block_types: dict[str, None] = {}
        self.expansions = 0

    def run(self) -> Graph | None:
        scope = VariableScope(self.parts.variables)
        net_section = scope.replace(self.group.sections[0])
        body = inputs_replaced(self.group.sections[1:], scope)
        net = check_section(net_section, Net, self.findings)
        declared = [section for section in body if section.name == "input"]
        if net is not None:
            check_declared(net, net_section, declared, self.findings)
            if net.weights not in (None, "None"):
                self.placing.request(Place(), net, net_section)
        elif self.stand_ins is None:
            self.placing.inference.findings = []  # without inputs, what is said of shapes only follows
        context = Context(Place(), (), scope, freeze=bool(net and net.freeze))
        namespace = self._namespace(body, {}, context)
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
        namespace = self._namespace(body, {}, context)
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

    def _namespace(self, sections: list[Section], inputs: dict[str, Wire], context: Context) -> Namespace:
        """A body before its first block; its names as far as they can be known so early."""
        declared, count = declared_names(sections, context.variables, self.parts.tables)
        return Namespace(declared, inputs, count)

    # --- bodies

    def _body(self, sections: list[Section], names: Namespace, context: Context) -> dict[str, Wire]:
        """Elaborate the blocks of a body in order; gives its named outputs."""
        outputs: dict[str, Wire] = {}
        previous = names.fed
        for section in sections:
            if section.name == "input":
                continue
            if not (
                section.has_variables or section.name in ("output", "defaults") or is_structured(section)
            ):
                if self.placing.too_large:
                    break
                site = Site(previous, names, context, names.counter.take())
                result = self._written(Written(section), site)
                names.results.append(result)
                previous = result.wire
                continue
            site = Site(previous, names, context)
            if section.name == "defaults":
                context = replace(
                    context, defaults=self.structure.defaults(section, site, self._block_types())
                )
                continue
            if section.name == "output":
                self._output(section, site, outputs)
                continue
            if self.placing.too_large:
                break
            for result in self._structured(section, site):
                names.results.append(result)
                previous = result.wire
        return outputs

    def _output(self, section: Section, site: Site, outputs: dict[str, Wire]) -> None:
        scope = self.structure.scope(section, site)
        section, keys = self.structure.split(section)
        if not self.structure.is_there(keys, scope):
            return
        section = scope.replace(section)
        block = check_section(section, Output, self.findings)
        if block is None:
            return
        if not IDENTIFIER.match(block.name):
            check_name(section.option("name"), {}, self.findings)
        elif block.name in outputs:
            report_duplicate(section.option("name"), None, self.findings)
        else:
            outputs[block.name] = self.references.wires(block, section, site.previous, site.names)[0]

    def _structured(self, section: Section, site: Site) -> Iterator[Result]:
        """What a block gives that names things, or says how it stands there: one result for each row of its table."""
        for written in self.structure.rows(section, site):
            section, keys = self.structure.split(written.section)
            local = written.scope.local if written.scope else {}
            scope = self.structure.scope(section, site, local)
            written = Written(section, scope, keys)
            if not section.malformed and not self.structure.is_there(keys, scope):
                result = self._absent(written, site)
            else:
                written.is_flat = self.structure.is_flat(written, self.parts.templates)
                number = 0 if written.is_flat else site.names.counter.take()
                result = self._written(written, replace(site, number=number))
            yield result
            site = replace(site, previous=result.wire)

    def _written(self, written: Written, site: Site) -> Result:
        """One block of a body, or what is there in its place."""
        copies = self.structure.copies(written) if written.keys else None
        result = self._block(written, site) if copies is None else self._copies(written, *copies, site)
        if result.wire == NOTHING:
            knows_name = written.name is not None or written.section.option("name") is None
            if written.is_flat or written.is_named_by_turn or not knows_name:
                site.names.has_unknown_names = True
            result = self._block_stood_in(written.section, site)
        if not written.is_flat:
            site.names.numbered.append(result)
        if written.name is not None:
            site.names.name(written.name, result)
        return result

    def _copies(self, written: Written, count: int, join: str | None, site: Site) -> Result:
        """Blocks side by side, which read the same; `join` makes one signal of theirs, else the first one is meant."""
        context, section = site.context, written.section
        named = None if written.is_named_by_copy else self._name(written, 0, site)
        place = context.place.below(named.value if named else str(site.number))
        copies: list[Result] = []
        position = site.number if context.position is None else context.position
        for index in range(count):
            copy = written.copy(index)
            inside = replace(
                context, place=context.place if written.is_named_by_copy else place, position=position
            )
            if section.name not in self.parts.templates or section.option("repeat"):
                scope = Scope(f"{place.path}.{index}", section.name, section.span, index, count)
                inside = replace(inside, scopes=(*context.scopes, scope))
            result = self._block(copy, replace(site, context=inside, number=index, copy=(index, count)))
            if result.wire == NOTHING:
                return result
            if copy.name is not None:
                site.names.name(copy.name, result)
            copies.append(result)
        first = copies[0]
        own = Result(first.wire, first.ports, turns=copies, type=section.name, holder=place.holder)
        if join is None or (count == 1 and join != "stack"):
            return own
        kind = find("network", JOINS[join])
        assert kind is not None
        assert issubclass(kind, Block)
        references = tuple(Reference(index) for index in range(count))
        block = kind.model_validate({kind.reference_option: references})
        wires = [copy.wire for copy in copies]
        wire = self.placing.draft(place.below("join"), block, section, wires, position, context)
        return replace(own, wire=wire, ports=None)

    def _absent(self, written: Written, site: Site) -> Result:
        """Who reads a block that is not there reads its first input."""
        result = Result(self.structure.read(written.section, site), type=written.section.name)
        name = written.section.option("name")
        if name is not None and name.value.endswith("."):
            return result  # it takes no number, so that nothing can name it
        self._name(written, 0, site)
        if written.name is not None:
            site.names.name(written.name, result)
        return result

    def _name(self, written: Written, turn: int, site: Site) -> Option | None:
        """The name of a block in a turn, numbered if need be; None where it has none, or cannot be called so
        (reported).
        """
        option = written.section.option("name")
        scope = written.of_turn(turn)
        text = None if option is None else scope.text(option) if scope else option.value
        if option is None or text is None:
            return None
        names = site.names
        if scope is not None or text.endswith("."):
            option = option.with_value(self.placing.numbered(text, site.context.place.path))
        taken = names.inputs if option.value in names.inputs else names.sections
        if check_name(option, taken, self.findings, may_be_path=not self.networks):
            names.sections[option.value] = written.section
            written.name = option.value
        else:
            self.placing.has_duplicates = True
        return option

    def _at(self, written: Written, turn: int, site: Site, read: Wire | None = None) -> Section:
        """A block as it is in one turn: its name and its sizes in their places."""
        section = written.section
        named = turn == 0 or written.is_named_by_turn
        name = self._name(written, turn, site) if named else None
        scope = written.of_turn(turn, read)
        written_name = section.option("name")
        if scope is not None:
            unnamed = [option for option in section.options if option is not written_name]
            section = scope.replace(replace(section, options=unnamed))
            if name is not None:
                section.options.append(name)
        elif written_name is not None and name is not None and name.value != written_name.value:
            options = [name if option is written_name else option for option in section.options]
            section = replace(section, options=options)
        return with_defaults(section, site.context)

    def _block(self, written: Written, site: Site) -> Result:
        section = written.section
        if section.malformed:
            if "rows" not in written.keys:
                self._name(written, 0, site)
            return Result(NOTHING)
        if section.name in self.networks:
            return self._use_of(self.networks[section.name], written, site)
        kind = find("network", section.name)
        if kind is not None and issubclass(kind, Block):
            return self._plain(written, kind, site)
        template = self.parts.templates.get(section.name)
        if template is not None:
            return self._template(written, template, site)
        self._name(written, 0, site)
        report_unknown(section, self._block_types(), self.networks, self.parts, self.findings)
        return Result(NOTHING)

    def _block_types(self) -> Mapping[str, None]:
        """All that may stand in brackets here; the same mapping each time, so that nearest names are looked up once."""
        if not self.block_types:
            self.block_types = dict.fromkeys([*self.networks, *sections("network"), *self.parts.templates])
        return self.block_types

    # --- stand-ins for what cannot be read

    def _block_stood_in(self, section: Section, site: Site) -> Result:
        """A block that failed, reading what it asks for as far as that is there."""
        if self.stand_ins is None:
            return Result(NOTHING)
        block = self.stand_ins.block(section)
        wires = self.stand_ins.wires(section, site.previous, site.names)
        place = site.context.place.below(block.name or str(site.number))
        return Result(self.placing.draft(place, block, section, wires, site.number, site.context))

    # --- blocks

    def _plain(self, written: Written, kind: type[Block], site: Site) -> Result:
        section = self._at(written, 0, site)
        block = check_section(section, kind, self.findings)
        if block is None:
            return Result(NOTHING)
        wires = self.references.wires(block, section, site.previous, site.names)
        place = self.placing.place(block, section, site)
        if place is None:
            return Result(NOTHING)
        own = Result(wires[0] if wires else NOTHING, type=section.name, holder=place.holder)
        if block.repeat is None:
            own.wire = self.placing.draft(place, block, section, wires, site.number, site.context)
            return own
        count, varies = block.repeat, written.scope is not None and written.varies
        for turn in range(count):
            if turn and varies:
                section = self._at(written, turn, site, wires[0] if wires else None)
                checked = check_section(section, kind, self.findings)
                if checked is None:
                    return Result(NOTHING)
                block = checked
                wires = [*wires[:1], *self.references.wires(block, section, site.previous, site.names)[1:]]
            here, scope = self._turn_place(written, place, turn, count, block, section, site)
            scopes = () if written.is_named_by_turn else (scope,)
            inside = replace(site.context, scopes=(*site.context.scopes, *scopes))
            wires = [self.placing.draft(here, block, section, wires, site.number, inside), *wires[1:]]
            own.turns = [*own.turns, Result(wires[0])]
            self._name_turn(written, own.turns[-1], site)
        return replace(own, wire=wires[0]) if wires else own

    def _turn_place(
        self,
        written: Written,
        place: Place,
        turn: int,
        count: int,
        block: Block,
        section: Section,
        site: Site,
    ) -> tuple[Place, Scope]:
        """Where one turn of a repeat stands: below its number, unless its name says the turn: then by itself."""
        if written.is_named_by_turn:
            here = place if turn == 0 else self.placing.place(block, section, site) or place
            return here, Scope(here.path, section.name, section.span)
        here = place if written.is_flat else turn_of(place, turn, block)
        return here, Scope(f"{place.path}.{turn}", section.name, section.span, turn, count)

    @staticmethod
    def _name_turn(written: Written, result: Result, site: Site) -> None:
        if written.is_named_by_turn and written.name is not None:
            site.names.name(written.name, result)

    # --- networks as blocks

    def _use_of(self, graph: Graph, written: Written, site: Site) -> Result:
        """A use of a network, called by its name where it is given none and this is its first."""
        section, names = self._at(written, 0, site), site.names
        use = check_section(section, NetworkUse, self.findings)
        if use is None:
            return Result(NOTHING)
        wires = fed_wires(use, graph, section, site.previous, names, self.references)
        name = use.name or (graph.name if self._is_free(graph.name, names) else str(site.number))
        use = use.model_copy(update={"network": graph, "name": name})
        place = site.context.place.below(name)
        wire = self.placing.draft(place, use, section, wires, site.number, site.context)
        ports = {port: Wire(wire.producer, port) for port in graph.outputs} if len(graph.outputs) > 1 else {}
        if ports:
            wire = next(iter(ports.values()))
        if name == graph.name and name not in names.declared:
            names.declared[name] = len(names.results)
            written.name = name
        return Result(wire, ports or dict.fromkeys(filter(None, graph.outputs), wire))

    @staticmethod
    def _is_free(name: str, names: Namespace) -> bool:
        return name not in names.inputs and name not in names.declared

    # --- templates

    def _template(self, written: Written, template: Template, site: Site) -> Result:
        context = site.context
        section = self._at(written, 0, site)
        if section.malformed:
            return Result(NOTHING)
        if template.name in context.templates:
            self.findings.append(cycle(section, template, context))
            return Result(NOTHING)
        if len(context.templates) >= MAX_DEPTH:
            self.placing.report_too_large(section, f"more than {MAX_DEPTH} templates, one inside the other")
            return Result(NOTHING)
        common, parameters = split_options(section, template, self.findings)
        use = check_section(common, TemplateUse, self.findings)
        if use is None or parameters is None:
            return Result(NOTHING)
        wires = self.references.wires(use, common, site.previous, site.names)
        place = context.place if written.is_flat else self.placing.place(use, section, site)
        if place is None:
            return Result(NOTHING)
        count, varies = use.repeat, use.repeat and written.scope is not None and written.varies
        turns = [Result(wires[0] if wires else NOTHING)] if count == 0 else []
        for turn in range(1 if count is None else count):
            if turn:
                if varies:
                    section = self._at(written, turn, site, turns[-1].wire)
                    common, parameters = split_options(section, template, self.findings)
                    checked = check_section(common, TemplateUse, self.findings)
                    if checked is None or parameters is None:
                        return Result(NOTHING)
                    use = checked
                wires = self._fed_again(turns[-1], use, common, template, wires, varies, site)
            here = place
            scope = Scope(place.path, template.name, section.span, *(site.copy or (None, None)))
            if count is not None:
                here, scope = self._turn_place(written, place, turn, count, use, section, site)
            inside = Context(
                here,
                context.scopes if written.is_flat else (*context.scopes, scope),
                VariableScope(self.parts.variables, parameters),
                (*context.templates, template.name),
                context.freeze or use.freeze,
                context.position if written.is_flat or context.position is not None else site.number,
                context.defaults,
            )
            turns.append(
                self._expand(template, wires, section, inside, site.names if written.is_flat else None)
            )
            self._name_turn(written, turns[-1], site)
            if self.placing.too_large:
                break
        turns_of_repeat = turns if count else ()
        return replace(turns[-1], turns=turns_of_repeat, type=section.name, holder=place.holder)

    def _fed_again(
        self,
        before: Result,
        use: TemplateUse,
        section: Section,
        template: Template,
        wires: list[Wire],
        varies: bool | int | None,
        site: Site,
    ) -> list[Wire]:
        """What a turn reads: of the turn before what is called like its inputs, or its one signal first; the rest of
        its signals as the use says.
        """
        if varies:
            wires = self.references.wires(use, section, site.previous, site.names)
        named = declared_inputs(template.blocks)
        if before.ports and len(before.ports) > 1 and not set(named).isdisjoint(before.ports):
            return [before.ports.get(name, wire) for name, wire in zip(named, wires, strict=False)]
        return [before.wire, *wires[1:]]

    def _expand(
        self, template: Template, wires: list[Wire], use: Section, context: Context, around: Namespace | None
    ) -> Result:
        """One turn of a template: a body of its own, fed by the use's inputs; flat `around` it."""
        self.expansions += 1 + len(template.blocks)  # also of those that leave no block, such as `repeat = 0`
        if self.expansions > MAX_BLOCKS:
            self.placing.report_too_large(use)
            return Result(NOTHING)
        blocks = inputs_replaced(template.blocks, context.variables)
        inputs = self._template_inputs(blocks, wires, use)
        given = context.variables.parameters
        sizes = Sizes(Namespace({}, inputs), self.placing.inference, self.fields, lambda: wires[0])
        parameters = with_parameters(use, given, template, self.parts.variables, sizes)
        if parameters is None:
            return Result(NOTHING)
        context = replace(context, variables=VariableScope(self.parts.variables, parameters))
        inner = self._namespace(blocks, inputs, context)
        if around is not None:
            inner.counter = around.counter
        outputs = self._body(blocks, inner, context)
        last = inner.results[-1].wire if inner.results else inner.fed
        if around is not None:
            self._merge(inner, around)
        return Result(next(iter(outputs.values())) if len(outputs) == 1 else last, outputs or None, inner)

    def _merge(self, inner: Namespace, around: Namespace) -> None:
        """What stands in a flat use stands in the body around it."""
        around.numbered += inner.numbered
        for name, result in inner.named.items():
            around.name(name, result)
            around.declared.setdefault(name, len(around.results))

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
