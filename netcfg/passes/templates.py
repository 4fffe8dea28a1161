"""A use of a template becomes the template's blocks, once a turn, fed by what the use reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from netcfg.graph import Again, Scope
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import NOTHING, Context, Namespace, Result, Site, Wire
from netcfg.passes.expansion import TemplateUse, cycle, declared_inputs, split_options, with_parameters
from netcfg.passes.inputs import inputs_replaced
from netcfg.passes.names import begun
from netcfg.passes.placing import MAX_BLOCKS, Placing
from netcfg.passes.references import References
from netcfg.passes.schema import check_section
from netcfg.passes.sizes import Fields, Sizes
from netcfg.passes.structure import Written
from netcfg.passes.turns import Turns, fed_again
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Note
from netcfg.syntax import Section

MAX_DEPTH = 64

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
        count, varies = use.repeat, use.repeat and written.scope is not None and written.varies
        turns = [Result(wires[0] if wires else NOTHING)] if count == 0 else []
        for turn in range(1 if count is None else count):
            if turn:
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
            )
            turns.append(
                self._expand(template, wires, section, inside, site.names if written.is_flat else None)
            )
            self.turns.call(written, turns[-1], site)
            if self.placing.too_large:
                break
        turns_of_repeat = turns if count else ()
        return replace(turns[-1], turns=turns_of_repeat, type=section.name, holder=place.holder)

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
        blocks = inputs_replaced(template.blocks, context.variables)
        inputs = self._inputs(blocks, wires, use)
        given = context.variables.parameters
        sizes = Sizes(
            Namespace({}, inputs), self.placing.inference, self.fields, lambda: wires[0], context.over
        )
        parameters = with_parameters(use, given, template, self.parts.variables, sizes)
        if parameters is None:
            return Result(NOTHING)
        context = replace(context, variables=VariableScope(self.parts.variables, parameters))
        inner = begun(blocks, inputs, context, self.parts.tables)
        if around is not None:
            inner.counter = around.counter
        outputs = self.body(blocks, inner, context)
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
