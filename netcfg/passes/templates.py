"""A use of a template becomes the template's blocks, once a turn, fed by what the use reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from netcfg.axes import axes_in_words
from netcfg.blocks.network.loop import TURN, Loop
from netcfg.graph import Again, Graph, Scope, Signal
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import NOTHING, Context, Namespace, Place, Result, Site, Wire
from netcfg.passes.expansion import (
    TemplateUse,
    cycle,
    declared_inputs,
    defined_at,
    split_options,
    with_parameters,
)
from netcfg.passes.inputs import inputs_replaced
from netcfg.passes.names import begun
from netcfg.passes.placing import MAX_BLOCKS, Placing
from netcfg.passes.references import References
from netcfg.passes.schema import check_section
from netcfg.passes.sizes import Fields, Sizes
from netcfg.passes.structure import Written
from netcfg.passes.turns import Turns, fed_again
from netcfg.passes.variables import VariableScope
from netcfg.shapes import show
from netcfg.source import Finding, Note
from netcfg.syntax import Section

MAX_DEPTH = 64

Turn = Callable[[Template, Mapping[str, Signal], Mapping[str, str], Section, int], Graph | None]
"""Makes the graph of one turn of a template, fed these signals, with these parameters."""
Body = Callable[[list[Section], Namespace, Context], dict[str, Wire]]
"""Puts the blocks of a body into their places, and gives its named outputs."""


@dataclass(slots=True, eq=False, repr=False)
class Templates:
    """Expands the uses of one network; `body` is the walk that they stand in, which goes on inside them."""

    parts: Parts
    findings: list[Finding]
    placing: Placing
    references: References
    turns: Turns
    fields: Fields
    body: Body
    networks: Mapping[str, object]
    loop: Turn | None = None
    """What makes the graph of a turn, where repeated uses run as loops."""

    def use(self, written: Written, template: Template, site: Site) -> Result:
        """What a use gives: what its last turn does."""
        context = site.context
        section = self.turns.at(written, 0, site)
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
        takes = declared_inputs(template.blocks)
        wires = self._wires(use, common, takes, site)
        place = context.place if written.is_flat else self.placing.place(use, section, site)
        if place is None:
            return Result(NOTHING)
        if self.loop is not None and (use.repeat or 0) > 1 and self._uses_networks(template):
            return self._loop(self.loop, written, template, use, takes, wires, place, section, site)
        count, varies = use.repeat, use.repeat and written.scope is not None and written.varies
        # Of no turns, what it is fed goes on to the next block: a stage of depth 0 is no stage.
        turns = [Result(wires[0] if wires else NOTHING)] if count == 0 else []
        for turn in range(1 if count is None else count):
            if turn:
                # Parameters may be others in this turn, and may be wrong in it alone.
                if varies:
                    section = self.turns.at(written, turn, site, turns[-1].wire)
                    common, parameters = split_options(section, template, self.findings)
                    checked = check_section(common, TemplateUse, self.findings)
                    if checked is None or parameters is None:
                        return Result(NOTHING)
                    use = checked
                    wires = self._wires(use, common, takes, site)
                wires = fed_again(turns[-1], takes, wires)
            here = place
            scope = Scope(place.path, template.name, section.span, *(site.copy or (None, None)))
            if count is not None:
                here, scope = self.turns.place(written, place, turn, count, use, section, site)
            scope = replace(scope, given=tuple(parameters.items()))
            inside = Context(
                here,
                context.scopes if written.is_flat else (*context.scopes, scope),
                VariableScope(self.parts.variables, parameters),
                (*context.templates, template.name),
                context.freeze or use.freeze,
                context.position if written.is_flat or context.position is not None else site.number,
                context.defaults,
                context.over,
                self._again(use, section, context),
                context.once,
                context.use or section.span,
            )
            turns.append(
                self._expand(template, wires, section, inside, site.names if written.is_flat else None)
            )
            self.turns.call(written, turns[-1], site)
            if self.placing.too_large:
                break
        turns_of_repeat = turns if count else ()
        return replace(turns[-1], turns=turns_of_repeat, type=section.name, holder=place.holder)

    def _uses_networks(self, template: Template) -> bool:
        """Whether a network stands in it, or in a template that it uses."""
        waiting, seen = [template], {template.name}
        while waiting:
            for block in waiting.pop().blocks:
                inner = self.parts.template_of(block)
                if block.name in self.networks:
                    return True
                if inner is not None and inner.name not in seen:
                    seen.add(inner.name)
                    waiting.append(inner)
        return False

    def _loop(
        self,
        loop: Turn,
        written: Written,
        template: Template,
        use: TemplateUse,
        takes: list[str],
        wires: list[Wire],
        place: Place,
        section: Section,
        site: Site,
    ) -> Result:
        """One block that runs its turns, instead of the blocks of all of them."""
        scope = written.of_turn(0)
        if scope is not None:
            # A turn's number is a signal inside, and what is written with it reads that.
            scope = replace(scope, local={**scope.local, "turn": TURN})
            section = scope.replace(written.section)
        _, parameters = split_options(section, template, self.findings)
        names = takes or ["input"]
        if NOTHING in wires or parameters is None:
            return Result(NOTHING)
        if len(names) != len(wires):
            self.references.report_count(section, len(wires), len(names))
            return Result(NOTHING)
        found = [self.placing.inference.signal(wire, None) for wire in wires]
        signals = {name: signal for name, signal in zip(names, found, strict=True) if signal is not None}
        count = use.repeat or 1
        if (
            len(signals) < len(names)
            or (graph := loop(template, signals, parameters, section, count)) is None
        ):
            return Result(NOTHING)
        # What a turn hands to the next bears the name of the input that takes it; one output alone is for the first
        # input, whatever its name.
        carried = {name: name for name in names if name in graph.outputs} if len(graph.outputs) > 1 else {}
        carried = carried or {names[0]: next(iter(graph.outputs))}
        for name, output in carried.items():
            gives, takes_in = graph.outputs[output], signals[name]
            turned = gives.axes != takes_in.axes and bool(gives.axes and takes_in.axes)
            if turned or (gives.shape, gives.kind) != (takes_in.shape, takes_in.kind):
                called = f"`{output}` of " if output else ""
                fed, given = (
                    (axes_in_words(takes_in.axes), axes_in_words(gives.axes))
                    if turned and gives.shape == takes_in.shape
                    else (show(takes_in.shape) or "one number", show(gives.shape) or "one number")
                )
                if fed == given:
                    fed, given = f"{takes_in.kind} {fed}", f"{gives.kind} {given}"
                message = (
                    f"a turn of `{template.name}` is fed {fed} and gives {called}{given}, which the next turn cannot "
                    "take"
                )
                help = "let it give what it is fed: its last block, or an [output] called like its input"
                self.findings.append(Finding("NC301", message, section.span, defined_at(template), help=help))
                return Result(NOTHING)
        # Without validation: no file writes this block, and its body is a graph that has been checked.
        block = Loop.model_construct(
            name=use.name, body=graph, template=template.name, count=count, carried=carried
        )
        wire = self.placing.draft(place, block, section, wires, site.number, site.context)
        ports = (
            {port: Wire(wire.producer, port) for port in graph.outputs} if len(graph.outputs) > 1 else None
        )
        if ports:
            wire = next(iter(ports.values()))
        return Result(wire, ports, type=section.name, holder=place.holder)

    def _again(self, use: TemplateUse, section: Section, context: Context) -> Again | None:
        """The use around its blocks that is computed again in the backward pass: itself, or one around it."""
        option = section.option("checkpoint")
        if not use.checkpoint or option is None:
            return context.again
        if context.again is None:
            return Again(len(self.placing.drafts), option.span)
        message = f"`{section.name}` is computed again with the use around it already"
        notes = (Note(context.again.span, "which says so here"),)
        help = "leave one of them out"
        self.findings.append(Finding("NC105", message, option.span, notes, help=help))
        return context.again

    def _wires(self, use: TemplateUse, section: Section, takes: list[str], site: Site) -> list[Wire]:
        spread = self.turns.all_ports(use, takes, self.references, site)
        return spread or self.references.wires(use, section, site.previous, site.names)

    def _expand(
        self, template: Template, wires: list[Wire], use: Section, context: Context, around: Namespace | None
    ) -> Result:
        """One turn of a template: a body of its own, fed by the use's inputs; flat `around` it."""
        size = self.placing.size
        size.expansions += 1 + len(template.blocks)  # also of those that leave no block, such as `repeat = 0`
        if size.expansions > MAX_BLOCKS:
            self.placing.report_too_large(use, f"more than {MAX_BLOCKS:,} blocks in uses of templates")
            return Result(NOTHING)
        # Inputs before parameters, as the default of a parameter may ask for the sizes of what the use is fed. An
        # input's own variables are therefore those that are written.
        blocks = inputs_replaced(template.blocks, context.variables)
        inputs = self._inputs(blocks, wires, use)
        given = context.variables.parameters
        sizes = Sizes(
            Namespace({}, inputs), self.placing.inference, self.fields, lambda: wires[0], context.over
        )
        parameters = with_parameters(use, given, template, self.parts.variables, sizes)
        if parameters is None:
            return Result(NOTHING)
        context = context._replace(variables=VariableScope(self.parts.variables, parameters))
        inner = begun(blocks, inputs, context, self.parts.tables)
        if around is not None:
            inner.counter = around.counter
        outputs = self.body(blocks, inner, context)
        if len(outputs) > 1:
            # Of several outputs a use may read some: the others are no forgotten blocks.
            self.placing.inference.ports |= {wire.producer for wire in outputs.values()}
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

    def _inputs(self, blocks: list[Section], wires: list[Wire], use: Section) -> dict[str, Wire]:
        declared = declared_inputs(blocks)
        if not declared:
            if len(wires) > 1:
                self.references.report_count(use, len(wires), 1)
            return {"input": wires[0]}
        if len(declared) != len(wires):
            self.references.report_count(use, len(wires), len(declared))
            wires = [NOTHING] * len(declared)
        return {"input": wires[0], **dict(zip(declared, wires, strict=True))}
