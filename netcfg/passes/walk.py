"""The walk over the blocks of a network, in file order: each is put into its place before the next one is read.

A block that failed is a `Wire` to nothing: what only follows from it stays silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from netcfg.blocks.base import Block, Reference
from netcfg.blocks.network.loop import TURN, Fed
from netcfg.blocks.network.net import Net, Output
from netcfg.blocks.registry import find, section_names
from netcfg.blocks.values import IDENTIFIER, read_bool
from netcfg.folding import Over
from netcfg.graph import Graph, Scope, Signal
from netcfg.passes.collect import Parts, ProgramSize, Template
from netcfg.passes.defaults import merged_defaults
from netcfg.passes.drafts import NOTHING, Context, Namespace, Place, Result, Site, StandIn, Wire
from netcfg.passes.expansion import with_parameters
from netcfg.passes.expect import unmet
from netcfg.passes.infer import Inference
from netcfg.passes.inputs import inputs_replaced
from netcfg.passes.names import begun, check_name, report_duplicate
from netcfg.passes.placing import MAX_BLOCKS, MOST_DRAWN, Placing
from netcfg.passes.references import References
from netcfg.passes.schema import Checker, check_section
from netcfg.passes.sizes import Fields, Sizes
from netcfg.passes.stand_ins import StandIns
from netcfg.passes.structure import JOINS, Structure, Written, is_structured
from netcfg.passes.templates import Templates
from netcfg.passes.turns import Turns
from netcfg.passes.unknown import report_unknown
from netcfg.passes.uses import Uses
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, has_errors
from netcfg.syntax import Option, Section


class Walk:
    """Puts blocks into their places (`placing`), and knows by then what they give (`placing.inference`).

    `networks` are those that a `{Model}` uses; with a `stand_in` there is something in the place of all that failed.
    """

    def __init__(
        self,
        parts: Parts,
        findings: list[Finding],
        networks: Mapping[str, Graph],
        stand_in: StandIn | None,
        fields: Fields,
    ) -> None:
        self.parts = parts
        self.findings = findings
        self.networks = networks
        self.fields = fields
        self.stand_ins = StandIns(stand_in, bool(networks)) if stand_in else None
        self.references = References(findings, bool(networks))
        inference = Inference(findings, is_tolerant=stand_in is not None)
        most, size = (MAX_BLOCKS, parts.size) if stand_in is None else (MOST_DRAWN, ProgramSize())
        self.placing = Placing(findings, inference, most, size)
        self.structure = Structure(parts, findings, inference, self.references, fields, networks)
        self.checker = Checker(findings, parts.defaults)
        self.turns = Turns(self.placing, findings, bool(networks))
        self.templates = Templates(
            parts, findings, self.placing, self.references, self.turns, fields, self.body, networks
        )
        self.uses = Uses(findings, self.placing, self.references, self.turns, self.structure)
        self._types: dict[str, None] = {}

    def let_loop(self) -> None:
        """Templates that use networks are no longer repeated, but run in turns."""
        self.templates.loop = self._turn

    def _turn(
        self,
        template: Template,
        fed: Mapping[str, Signal],
        parameters: Mapping[str, str],
        section: Section,
        count: int,
    ) -> Graph | None:
        """The graph of one turn of a template that is fed these signals; None where it is wrong (reported)."""
        walk = Walk(self.parts, self.findings, self.networks, None, self.fields)
        walk.let_loop()
        context = Context(Place(), (), VariableScope(self.parts.variables))
        given = {name: Fed.of(name, one.shape, one.axes, one.kind) for name, one in fed.items()}
        given.setdefault(TURN, Fed.of(TURN, (), "", "class"))
        place, before = Place(), len(self.findings)
        inputs = {
            name: walk.placing.draft(place.below(name), block, section, [], None, context)
            for name, block in given.items()
        }
        walk.placing.inference.ports.add(inputs[TURN].producer)  # which number it is few turns ask
        first = next(iter(inputs.values()))
        sizes = Sizes(Namespace({}, inputs), walk.placing.inference, self.fields, lambda: first, ())
        known = with_parameters(section, parameters, template, self.parts.variables, sizes)
        if known is None:
            return None
        context = context._replace(variables=VariableScope(self.parts.variables, known))
        blocks = inputs_replaced(template.blocks, context.variables)
        inner = begun(blocks, inputs, context, self.parts.tables)
        outputs = walk.body(blocks, inner, context)
        if not outputs:
            outputs = {"": inner.results[-1].wire if inner.results else first}
        graph = walk.placing.inference.graph(
            template.name, Net(), template.span, outputs, walk.placing.weights
        )
        return graph if not has_errors(self.findings[before:]) else None

    def body(self, sections: list[Section], names: Namespace, context: Context) -> dict[str, Wire]:
        """Elaborate the blocks of a body in order; gives its named outputs."""
        outputs: dict[str, Wire] = {}
        previous = names.fed
        for section in sections:
            # Placed before the walk began: a block may stand above the [input] that it reads.
            if section.name == "input":
                continue
            # Most blocks name nothing and say nothing of how they stand: they take the short way.
            if not (
                section.has_variables
                or section.name in ("output", "defaults", "expect")
                or is_structured(section)
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
                # From here on down: blocks above keep what they were given.
                context = context._replace(defaults=self._defaults(section, site))
                continue
            if section.name == "output":
                self._output(section, site, outputs)
                continue
            if section.name == "expect":
                if unmet(section, self.structure.scope(section, site), context.use, self.findings):
                    # All else that is wrong here may only follow from it.
                    names.results.append(Result(NOTHING))
                    names.has_unknown_names = True
                    break
                continue
            if self.placing.too_large:
                break
            for result in self._structured(section, site):
                names.results.append(result)
                previous = result.wire
        return outputs

    def _defaults(self, section: Section, site: Site) -> Mapping[str, Mapping[str, Option]]:
        replaced = self.structure.scope(section, site).replace(section)
        return merged_defaults(replaced, site.context, self._block_types(), self.parts, self.findings)

    def _output(self, section: Section, site: Site, outputs: dict[str, Wire]) -> None:
        """One named output, or one for each row of a table."""
        for written in self.structure.rows(section, site):
            local = written.scope.local if written.scope else {}
            scope = self.structure.scope(written.section, site, local)
            row, keys = self.structure.split(written.section)
            if not row.malformed and self.structure.is_there(keys, scope):
                # The other keys are none of an output's: it refuses them as it does unknown ones.
                others = [option for key, option in keys.items() if key != "if"]
                self._named_output(scope.replace(row.with_options([*row.options, *others])), site, outputs)

    def _named_output(self, section: Section, site: Site, outputs: dict[str, Wire]) -> None:
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
                # A flat use has no path of its own: a number that it took would be missing among those of the blocks
                # in it.
                number = 0 if written.is_flat else site.names.counter.take()
                result = self._written(written, site.at(number))
                if "if" in keys:
                    result = replace(result, choice_of=self.structure.peek(section, site))
            yield result
            site = site.after(result.wire)

    def _written(self, written: Written, site: Site) -> Result:
        """One block of a body, or what is there in its place."""
        over = self._over(written, site) if written.keys else site.context.over
        inside = site
        if written.keys:
            once = self._once(written) or site.context.once
            inside = site._replace(context=site.context._replace(over=over or (), once=once))
        copies = self.structure.copies(written) if written.keys else None
        if over is None:
            self.turns.name(written, 0, site)
            result = Result(NOTHING)
        elif copies is None:
            result = self._block(written, inside)
        else:
            result = self._copies(written, *copies, inside)
        if result.wire == NOTHING:
            knows_name = written.name is not None or written.section.option("name") is None
            if written.is_flat or written.is_named_by_turn or not knows_name:
                # Who reads it by a name that is not known now may be right: of names that are not found,
                # nothing is said from here on.
                site.names.has_unknown_names = True
            result = self._block_stood_in(written.section, site)
        if not written.is_flat:
            site.names.numbered.append(result)
        if written.name is not None:
            site.names.name(written.name, result)
        return result

    def _over(self, written: Written, site: Site) -> tuple[Over, ...] | None:
        """The axes for whose places a block is computed; None where they are wrong. What stands in {Model} beside
        networks has none.
        """
        option = written.keys.get("over")
        if written.section.name in self.networks:
            return ()  # `Uses` says what a network reads
        if option is not None and self.networks:
            message = "in {Model} networks alone are computed `over` an axis"
            help = "put the block into a network"
            self.findings.append(Finding("NC105", message, option.span, help=help))
            return None
        return self.structure.over(written, site)

    def _once(self, written: Written) -> bool:
        """Whether a block of {Model} is made once in a batch."""
        option = written.keys.get("once")
        text = written.scope.text(option) if option and written.scope else None
        if option is None or text is None:
            return False
        try:
            once = read_bool(text)
        except ValueError as error:
            self.findings.append(Finding("NC105", f"`once` must be {error}", option.value_span))
            return False
        if not self.networks:
            message = "`once` is for blocks of {Model}, where phases read them; in a network each use computes its own"
            self.findings.append(Finding("NC105", message, option.span, help="take it out"))
        return once

    def _copies(self, written: Written, count: int, join: str | None, site: Site) -> Result:
        """Blocks side by side, which read the same; `join` makes one signal of theirs, else the first one is meant."""
        context, section = site.context, written.section
        named = None if written.is_named_by_copy else self.turns.name(written, 0, site)
        name = named.value if named else str(site.number)
        if section.name in self.networks and section.option("name") is None:
            name = self.uses.name(self.networks[section.name], written, site)
        place = context.place.below(name)
        copies: list[Result] = []
        # A reference by position counts what is written, and copies are written once.
        position = site.number if context.position is None else context.position
        for index in range(count):
            copy = written.copy(index)
            inside = context._replace(
                place=context.place if written.is_named_by_copy else place, position=position
            )
            if section.name not in self.parts.templates or section.option("repeat"):
                scope = Scope(f"{place.path}.{index}", section.name, section.span, index, count)
                inside = inside._replace(scopes=(*context.scopes, scope))
            result = self._block(copy, site._replace(context=inside, number=index, copy=(index, count)))
            if result.wire == NOTHING:
                return result
            if copy.name is not None:
                site.names.name(copy.name, result)
            copies.append(result)
        first = copies[0]
        own = Result(first.wire, first.ports, turns=copies, type=section.name, holder=place.holder)
        if join is None:
            return own
        joining, options = JOINS[join]
        if count == 1 and joining != "stack":
            return own
        kind = find("network", joining)
        assert kind is not None
        assert issubclass(kind, Block)
        references = tuple(Reference(index) for index in range(count))
        block = kind.model_validate({kind.reference_option: references, **options})
        wires = [copy.wire for copy in copies]
        wire = self.placing.draft(place.below("join"), block, section, wires, position, context)
        return replace(own, wire=wire, ports=None)

    def _absent(self, written: Written, site: Site) -> Result:
        """Who reads a block that is not there reads its first input.

        Of blocks that follow each other, with an `if` each and the same input, one is chosen: who does not name them
        reads that which is there.
        """
        first = self.structure.read(written, site)
        result = Result(first, type=written.section.name)
        name = written.section.option("name")
        if name is None or not name.value.endswith("."):  # it takes no number, so that nothing can name it
            self.turns.name(written, 0, site, is_there=False)
            if written.name is not None:
                site.names.name(written.name, result)
        # `choice_of` is the wire that the block above reads: equal wires are what makes both a choice.
        before = site.names.results[-1] if site.names.results else None
        if before is None or first == NOTHING or before.choice_of != first:
            return result
        return before

    def _block(self, written: Written, site: Site) -> Result:
        section = written.section
        if section.malformed:
            if "rows" not in written.keys:
                self.turns.name(written, 0, site)
            return Result(NOTHING)
        if section.name in self.networks:
            return self.uses.use(self.networks[section.name], written, site)
        template = self.parts.template_of(section)
        if template is not None:
            return self.templates.use(written, template, site)
        kind = find("network", section.name)
        if kind is not None and issubclass(kind, Block):
            return self._plain(written, kind, site)
        self.turns.name(written, 0, site)
        report_unknown(section, self._block_types(), self.networks, self.parts, self.findings)
        return Result(NOTHING)

    def _block_types(self) -> Mapping[str, None]:
        """All that may stand in brackets here; the same mapping each time, so that nearest names are looked up once."""
        if not self._types:
            self._types = dict.fromkeys([*self.networks, *section_names("network"), *self.parts.templates])
        return self._types

    def _block_stood_in(self, section: Section, site: Site) -> Result:
        """A block that failed, reading what it asks for as far as that is there."""
        if self.stand_ins is None:
            return Result(NOTHING)
        block = self.stand_ins.block(section)
        wires = self.stand_ins.wires(section, site.previous, site.names)
        place = site.context.place.below(block.name or str(site.number))
        return Result(self.placing.draft(place, block, section, wires, site.number, site.context))

    def _plain(self, written: Written, kind: type[Block], site: Site) -> Result:
        section = self.turns.at(written, 0, site)
        if kind.only_in_model and not self.networks:
            message = f"[{section.name}] stands in {{Model}} alone, and here is a network"
            help = "move it there; a loss or another block of {Model} may read it"
            self.findings.append(Finding("NC112", message, section.span, help=help))
            return Result(NOTHING)
        block, kin = self.checker.check(section, kind)
        if block is None:
            return Result(NOTHING)
        wires = self.references.wires(block, section, site.previous, site.names)
        place = self.placing.place(block, section, site)
        if place is None:
            return Result(NOTHING)
        own = Result(wires[0] if wires else NOTHING, type=section.name, holder=place.holder)
        if block.repeat is None:
            own.wire = self.placing.draft(place, block, section, wires, site.number, site.context, kin)
            return own
        count, varies = block.repeat, written.scope is not None and written.varies
        for turn in range(count):
            # Checked once for all turns where its text says the same in each: of a deep network that is most of the
            # work.
            if turn and varies:
                section = self.turns.at(written, turn, site, wires[0] if wires else None)
                checked, kin = self.checker.check(section, kind)
                if checked is None:
                    return Result(NOTHING)
                block = checked
                # The first signal is the turn before; what else it reads may be named by the turn.
                wires = [*wires[:1], *self.references.wires(block, section, site.previous, site.names)[1:]]
            here, scope = self.turns.place(written, place, turn, count, block, section, site)
            scopes = () if written.is_named_by_turn else (scope,)
            inside = site.context._replace(scopes=(*site.context.scopes, *scopes))
            wires = [self.placing.draft(here, block, section, wires, site.number, inside, kin), *wires[1:]]
            own.turns = [*own.turns, Result(wires[0])]
            self.turns.call(written, own.turns[-1], site)
        return replace(own, wire=wires[0]) if wires else own
