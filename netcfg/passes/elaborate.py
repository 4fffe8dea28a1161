"""Pass: a network as written becomes a flat list of blocks, wired by index.

Requires: templates and variables are known. Ensures: templates are expanded, repeats unrolled, options checked,
every reference resolved to an earlier block. A block that failed is a `Wire` to nothing: what only follows from
it stays silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from netcfg.blocks.base import Block, Reference
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.blocks.network.net import Input, Net, Output
from netcfg.blocks.registry import GROUPS, find, sections
from netcfg.blocks.values import IDENTIFIER, read_reference, split_list
from netcfg.graph import Graph, Scope, WeightRequest
from netcfg.passes.collect import Parts, Template
from netcfg.passes.drafts import (
    NOTHING,
    Context,
    Draft,
    Elaborated,
    Namespace,
    Place,
    Result,
    StandIn,
    Wire,
    turn_of,
)
from netcfg.passes.names import is_reserved
from netcfg.passes.schema import check_section
from netcfg.passes.sharing import SharingError, difference, differs, shared_block
from netcfg.passes.variables import ExpressionError, VariableScope
from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.spelling import SMALL
from netcfg.syntax import Group, Option, Section

COMMON_OPTIONS = (
    "name", "from", "repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with",
)  # fmt: skip
MAX_BLOCKS = 200_000
MOST_DRAWN = 20_000
"""So much of a broken network is understood at most."""
MAX_DEPTH = 64


def elaborate(
    group: Group, parts: Parts, findings: list[Finding], stand_in: StandIn | None = None
) -> Elaborated | None:
    """The network of a group, or None where its [net] cannot be read.

    With a `stand_in` there is always a network, in which every section has a draft; for pictures of broken programs.
    """
    return _Elaborator(group, parts, findings, stand_in=stand_in).run()


def elaborate_model(
    model: Group,
    fields: Mapping[str, FieldSpec],
    networks: Mapping[str, Graph],
    parts: Parts,
    findings: list[Finding],
    stand_in: StandIn | None = None,
) -> Elaborated:
    """`{Model}`: the data's fields are its inputs, and every network is a block type; `stand_in` as above."""
    return _Elaborator(model, parts, findings, networks, stand_in).run_model(fields)


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
        self.stand_in = stand_in
        self.most_blocks = MAX_BLOCKS if stand_in is None else MOST_DRAWN
        self.drafts: list[Draft] = []
        self.weights: list[WeightRequest] = []
        self.holders: dict[str, Draft] = {}
        self.refused: list[Span] = []
        self.too_large = False
        self.expansions = 0

    def run(self) -> Elaborated | None:
        scope = VariableScope(self.parts.variables)
        net_section, *body = map(scope.replace, self.group.sections)
        net = check_section(net_section, Net, self.findings)
        declared_inputs = [section for section in body if section.name == "input"]
        if net is not None:
            self._check_input_declared(net, net_section, declared_inputs)
            if net.weights not in (None, "None"):
                self._request(Place(), net, net_section)
        context = Context(Place(), (), scope, freeze=bool(net and net.freeze))
        namespace = Namespace(_declared_names(body), {}, _block_count(body))
        self._add_inputs(net, declared_inputs, namespace, context)
        outputs = self._body(body, namespace, context)
        if not any(draft.position is not None for draft in self.drafts) and not self.findings:
            message = f"the network `{self.group.name}` computes nothing"
            self.findings.append(Finding("NC208", message, self.group.span, help="add a block after [net]"))
        if net is None and self.stand_in is None:
            return None
        net = net or Net()
        if not outputs:
            outputs = {"": namespace.results[-1].wire if namespace.results else NOTHING}
        single = len(declared_inputs) + (net.channels is not None) == 1
        return Elaborated(self.group.name, net, self.drafts, outputs, self.group.span, self.weights, single)

    def run_model(self, fields: Mapping[str, FieldSpec]) -> Elaborated:
        """The wiring of a program's networks; it has no outputs but its named signals."""
        body = self.group.sections
        context = Context(Place(), (), VariableScope(self.parts.variables))
        namespace = Namespace(_declared_names(body), {}, _block_count(body))
        for name, spec in fields.items():
            field = DataField.of(name, spec)
            place = Place().below(name)
            namespace.inputs[name] = self._draft(place, field, self.group.sections[0], [], None, context)
        self._body(body, namespace, context)
        return Elaborated(self.group.name, Net(), self.drafts, {}, self.group.span, self.weights, False)

    # --- inputs and outputs

    def _check_input_declared(self, net: Net, section: Section, inputs: list[Section]) -> None:
        if net.channels is None and not inputs:
            self.findings.append(
                Finding(
                    "NC104",
                    "`net` needs `channels`, or the network an [input]",
                    section.span,
                    help="write `channels = 3`",
                )
            )
        elif net.channels is not None and inputs:
            option = section.option("channels")
            notes = (Note(inputs[0].span, "its inputs are declared here"),)
            span = option.span if option else section.span
            message = "`channels` and [input] blocks both declare the network's input"
            self.findings.append(Finding("NC105", message, span, notes, help="leave `channels` out"))

    def _add_inputs(
        self, net: Net | None, declared: list[Section], names: Namespace, context: Context
    ) -> None:
        if net is not None and net.channels is not None and not declared:
            block = Input(name="input", channels=net.channels, height=net.height, width=net.width)
            place = Place().below("input")
            names.inputs["input"] = self._draft(place, block, self.group.sections[0], [], None, context)
        for section in declared:
            checked = check_section(section, Input, self.findings)
            option = section.option("name")
            if checked is None:
                if option:
                    names.inputs[option.value] = self._stood_in(section, option.value, [], None, context)
                continue
            if self._check_name(option, names.inputs):
                place = Place().below(checked.name)
                names.inputs[checked.name] = self._draft(place, checked, section, [], None, context)
        if not names.inputs and (declared or self.stand_in):
            section = declared[0] if declared else self.group.sections[0]
            names.inputs["input"] = self._stood_in(section, "input", [], None, context)

    def _output(
        self, section: Section, previous: Wire, names: Namespace, context: Context
    ) -> tuple[str, Wire] | None:
        block = check_section(section, Output, self.findings)
        if block is None:
            return None
        if not IDENTIFIER.match(block.name):
            self._check_name(section.option("name"), {})
            return None
        return block.name, self._wires(block, section, previous, names)[0]

    # --- bodies

    def _body(self, sections: list[Section], names: Namespace, context: Context) -> dict[str, Wire]:
        """Elaborate the blocks of a body in order; gives its named outputs."""
        outputs: dict[str, Wire] = {}
        previous = self._fed(names)
        for section in sections:
            if section.name == "input":
                continue
            if section.name == "output":
                output = self._output(section, previous, names, context)
                if output and output[0] in outputs:
                    self._duplicate_name(section.option("name"), None)
                elif output:
                    outputs[output[0]] = output[1]
                continue
            if self.too_large:
                break
            result = self._block(section, previous, names, context)
            if result.wire == NOTHING:
                result = self._block_stood_in(section, previous, names, context)
            self._name_result(section, result, names)
            names.results.append(result)
            previous = result.wire
        return outputs

    def _fed(self, names: Namespace) -> Wire:
        """What -1 is at the first block: the input, where there is only one."""
        return next(iter(names.inputs.values())) if names.inputs else NOTHING

    def _name_result(self, section: Section, result: Result, names: Namespace) -> None:
        option = section.option("name")
        if option is None:
            return
        taken = names.inputs if option.value in names.inputs else names.sections
        if self._check_name(option, taken):
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
        self._report_unknown(section)
        return Result(NOTHING)

    # --- stand-ins for what cannot be read

    def _block_stood_in(self, section: Section, previous: Wire, names: Namespace, context: Context) -> Result:
        """A block that failed, reading what it asks for as far as that is there."""
        if self.stand_in is None:
            return Result(NOTHING)
        wires = self._guessed_wires(section, previous, names)
        position = len(names.results)
        return Result(self._stood_in(section, str(position), wires, position, context))

    def _stood_in(
        self, section: Section, name: str, wires: list[Wire], position: int | None, context: Context
    ) -> Wire:
        if self.stand_in is None:
            return NOTHING
        block = self.stand_in(section)
        if position is None:  # an input, also where it is written in [net]
            block = self.stand_in(replace(section, name="input")).model_copy(update={"name": name})
        return self._draft(context.place.below(block.name or name), block, section, wires, position, context)

    def _guessed_wires(self, section: Section, previous: Wire, names: Namespace) -> list[Wire]:
        """What a section's references lead to, without a word on those that lead nowhere."""
        kept, self.findings = self.findings, []
        try:
            for key in ("from", "combine_layers", "branch_at_layer", "origin_layer"):
                option = section.option(key)
                if option is not None:
                    items = split_list(option.value)
                    return [
                        self._resolve(read_reference(item), option, item, section, names) for item in items
                    ]
        except ValueError:  # it is no reference
            pass
        finally:
            self.findings = kept
        return [previous]

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
        wires = self._wires(block, section, previous, names)
        place = self._place(block, section, position, names, context)
        if place is None:
            return Result(NOTHING)
        own = Result(wires[0] if wires else NOTHING, type=section.name, holder=place.holder)
        if block.repeat is None:
            return replace(own, wire=self._draft(place, block, section, wires, position, context))
        for turn in range(block.repeat):
            scope = Scope(f"{place.path}.{turn}", section.name, section.span, turn, block.repeat)
            inside = replace(context, scopes=(*context.scopes, scope))
            turn_place = turn_of(place, turn, block)
            wires = [self._draft(turn_place, block, section, wires, position, inside)]
            own.turns = [*own.turns, Result(wires[0])]
        return replace(own, wire=wires[0])

    def _place(
        self, block: Block, section: Section, position: int, names: Namespace, context: Context
    ) -> Place | None:
        """Where a block or a template's use stands; None where it cannot share what it asks to (reported)."""
        place = context.place.below(block.name or str(position), block.weights_from)
        if block.shared_with is not None:
            try:
                other = shared_block(block, section, names.results, names.declared)
            except SharingError as error:
                self.findings.append(error.finding)
                return None
            return replace(place, holder=other.holder) if other.holder else None
        if block.weights not in (None, "None"):
            self._request(place, block, section)
        return place

    def _draft(
        self,
        place: Place,
        block: Block,
        section: Section,
        wires: list[Wire],
        position: int | None,
        context: Context,
    ) -> Wire:
        if len(self.drafts) >= self.most_blocks:
            self._report_too_large(section)
            return NOTHING
        if context.position is not None:
            position = context.position
        freeze = context.freeze or block.freeze
        draft = Draft(
            place.path, place.holder, place.source, block, section, wires, position, context.scopes, freeze
        )
        if place.holder != place.path:
            self._check_shared(draft)
        else:
            self.holders[place.path] = draft
        self.drafts.append(draft)
        return Wire(len(self.drafts) - 1)

    def _check_shared(self, draft: Draft) -> None:
        """Report a block that is not of the kind of the one whose parameters it uses, once for a use."""
        holder = self.holders.get(draft.holder)
        what = difference(draft.block, holder.block if holder else None)
        use = draft.scopes[0].span if draft.scopes else draft.section.span
        if what is not None and use not in self.refused:
            self.refused.append(use)
            self.findings.append(differs(use, draft.path, draft.holder, what))
        if use in self.refused:
            draft.holder = draft.path  # what only follows from it stays silent

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
        wires = self._fed_wires(use, graph, section, previous, names)
        name = use.name or (graph.name if self._is_free(graph.name, names) else str(position))
        use = use.model_copy(update={"network": graph, "name": name})
        wire = self._draft(context.place.below(name), use, section, wires, position, context)
        ports = {port: Wire(wire.producer, port) for port in graph.outputs} if len(graph.outputs) > 1 else {}
        if ports:
            wire = next(iter(ports.values()))
        if name == graph.name and name not in names.declared:
            names.declared[name] = position
        return Result(wire, ports or dict.fromkeys(filter(None, graph.outputs), wire))

    @staticmethod
    def _is_free(name: str, names: Namespace) -> bool:
        return name not in names.inputs and name not in names.declared

    def _fed_wires(
        self, use: NetworkUse, graph: Graph, section: Section, previous: Wire, names: Namespace
    ) -> list[Wire]:
        """What feeds a network: what `from` names; else the block before; else signals named like its inputs."""
        inputs = list(graph.inputs)
        if use.from_ is not None:
            option = section.option("from")
            if len(use.from_) != len(inputs):
                self._report_count(
                    section, len(use.from_), len(inputs), option.value_span if option else None
                )
                return [NOTHING] * len(inputs)
            return self._wires(use, section, previous, names)
        if len(inputs) == 1 and names.results:
            return [previous]
        return [self._named_like(name, graph, section, names) for name in inputs]

    def _named_like(self, name: str, graph: Graph, section: Section, names: Namespace) -> Wire:
        """The field or earlier signal that bears an input's name; the unnamed input takes `image`."""
        if name == "input" and name not in names.inputs and len(graph.inputs) == 1:
            name = "image"
        if name in names.inputs:
            return names.inputs[name]
        index = names.declared.get(name)
        if index is not None and index < len(names.results):
            return names.results[index].wire
        message = f"nothing feeds the input `{name}` of `{graph.name}`"
        help = did_you_mean(name, names.known) or "say which signals it takes: `from = …`"
        notes = (Note(graph.nodes[graph.inputs[name].producer].span, "the input is declared here"),) if (
            name in graph.inputs
        ) else ()  # fmt: skip
        self.findings.append(Finding("NC206", message, section.span, notes, help=help))
        return NOTHING

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
            self._report_cycle(section, template, context)
            return Result(NOTHING)
        if len(context.templates) >= MAX_DEPTH:
            self._report_too_large(section, f"more than {MAX_DEPTH} templates, one inside the other")
            return Result(NOTHING)
        common, parameters = self._split_options(section, template)
        use = check_section(common, _TemplateUse, self.findings)
        if use is None or parameters is None:
            return Result(NOTHING)
        wires = self._wires(use, common, previous, names)
        place = self._place(use, section, position, names, context)
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
            if self.too_large:
                break
        turns_of_repeat = turns if use.repeat else ()
        return replace(turns[-1], turns=turns_of_repeat, type=section.name, holder=place.holder)

    def _expand(self, template: Template, wires: list[Wire], use: Section, context: Context) -> Result:
        """One turn of a template: a body of its own, fed by the use's inputs."""
        self.expansions += 1 + len(template.blocks)  # also of those that leave no block, such as `repeat = 0`
        if self.expansions > MAX_BLOCKS:
            self._report_too_large(use)
            return Result(NOTHING)
        blocks = [context.variables.replace(section) for section in template.blocks]
        inputs = self._template_inputs(blocks, wires, use)
        inner = Namespace(_declared_names(blocks), inputs, _block_count(blocks))
        outputs = self._body(blocks, inner, context)
        last = inner.results[-1].wire if inner.results else self._fed(inner)
        return Result(next(iter(outputs.values())) if len(outputs) == 1 else last, outputs or None, inner)

    def _template_inputs(self, blocks: list[Section], wires: list[Wire], use: Section) -> dict[str, Wire]:
        declared = [
            option.value
            for section in blocks
            if section.name == "input" and (option := section.option("name"))
        ]
        if not declared:
            if len(wires) > 1:
                self._report_count(use, len(wires), 1)
            return {"input": wires[0]}
        if len(declared) != len(wires):
            self._report_count(use, len(wires), len(declared))
            wires = [NOTHING] * len(declared)
        return {"input": wires[0], **dict(zip(declared, wires, strict=True))}

    def _split_options(self, section: Section, template: Template) -> tuple[Section, dict[str, str] | None]:
        """The options every block has, and the template's parameters (None where one is missing or unknown)."""
        common = [option for option in section.options if option.key in COMMON_OPTIONS]
        given: dict[str, Option] = {}
        failed = False
        for option in section.options:
            if option.key in COMMON_OPTIONS:
                continue
            if option.key not in template.parameters:
                failed = True
                help = did_you_mean(option.key, [*template.parameters, *COMMON_OPTIONS])
                message = f"`{template.name}` has no parameter `{option.key}`"
                notes = (Note(template.span, "the template is defined here"),)
                self.findings.append(Finding("NC103", message, option.span, notes, help=help))
            elif option.key in given:
                failed = True
                notes = (Note(given[option.key].span, "first here"),)
                self.findings.append(Finding("NC106", f"`{option.key}` is written twice", option.span, notes))
            else:
                given[option.key] = option
        values = {
            key: given[key].value if key in given else default for key, default in template.parameters.items()
        }
        missing = [key for key, value in values.items() if value is None]
        if missing and not failed:
            names = " and ".join(f"`{key}`" for key in missing)
            notes = (Note(template.span, "the template is defined here"),)
            self.findings.append(
                Finding(
                    "NC104",
                    f"`{template.name}` needs {names}",
                    section.span,
                    notes,
                    help=f"write `{missing[0]} = …`",
                )
            )
        rest = Section(section.name, section.file, section.line, section.column, section.length, common)
        if missing or failed:
            return rest, None
        return rest, self._with_defaults(
            section, {key: option.value for key, option in given.items()}, template
        )

    def _with_defaults(
        self, section: Section, given: dict[str, str], template: Template
    ) -> dict[str, str] | None:
        """The parameters of a use; a default may compute with what is given and with the program's variables."""
        scope = VariableScope(self.parts.variables, given)
        for key, default in template.parameters.items():
            if key not in given and default is not None:
                try:
                    given[key] = scope.replaced(default)
                except ExpressionError as error:
                    self.parts.variables.report(error, section.span, f"the default of `{key}` ", given)
                    return None
        return given

    # --- references

    def _wires(self, block: Block, section: Section, previous: Wire, names: Namespace) -> list[Wire]:
        """The signals a block reads; each that cannot be found is reported and wired to nothing."""
        option_name = block.reference_option
        references = block.references()
        if references is None:
            if block.input_count == 0:
                return []
            if option_name != "from":
                self.findings.append(
                    Finding(
                        "NC104",
                        f"`{section.name}` needs `{option_name}`",
                        section.span,
                        help=f"write `{option_name} = …`",
                    )
                )
                return [NOTHING]
            return [self._default(section, previous, names)]
        option = section.option(option_name)
        if option is None or option.value == "None":
            option = section.option("from")
        elif option_name != "from" and (other := section.option("from")):
            message = f"`from` and `{option_name}` say the same thing"
            notes = (Note(option.span, "and here"),)
            self.findings.append(Finding("NC105", message, other.span, notes, help="take one of them out"))
        if option is None:
            return [NOTHING]
        if block.input_count is not None and len(references) != block.input_count:
            self._report_count(section, len(references), block.input_count, option.value_span)
            return [NOTHING]
        items = block.reference_items(option.value)
        return [
            self._resolve(reference, option, item, section, names)
            for reference, item in zip(references, items, strict=True)
        ]

    def _default(self, section: Section, previous: Wire, names: Namespace) -> Wire:
        """The block before; at the first block the network's input, which must be the only one."""
        by_wire = {wire: name for name, wire in names.inputs.items()}  # `input` may be a synonym
        declared = list(by_wire.values())
        if not names.results and len(declared) > 1:
            listed = ", ".join(f"`{name}`" for name in declared)
            self.findings.append(
                Finding(
                    "NC205",
                    f"there are {len(declared)} inputs ({listed}): say which one it reads",
                    section.span,
                    help=f"write `from = {declared[0]}`",
                )
            )
            return NOTHING
        return previous

    def _resolve(
        self, reference: Reference, option: Option, item: str, section: Section, names: Namespace
    ) -> Wire:
        here = len(names.results)
        target = reference.target
        if isinstance(target, str):
            if target in names.inputs and target not in names.sections:
                return self._input(target, reference, option, item, names)
            index = names.declared.get(target)
            if index is None:
                what = "block or data field" if self.networks else "block"
                message = f"there is no {what} `{target}` here"
                self._reference_finding("NC201", message, option, item, did_you_mean(target, names.known))
                return NOTHING
        else:
            index = target if target >= 0 else here + target
            if index == -1 and target < 0:
                wire = self._default(section, self._fed(names), Namespace({}, names.inputs))
                return self._port(Result(wire), reference, option, item) if reference.port else wire
            if index < 0:
                self._reference_finding("NC201", self._before_input(target, here), option, item, None)
                return NOTHING
        if index >= here:
            self._report_not_earlier(reference, index, here, option, item, names)
            return NOTHING
        return self._port(names.results[index], reference, option, item)

    def _input(self, target: str, reference: Reference, option: Option, item: str, names: Namespace) -> Wire:
        wires = names.inputs[target]
        if reference.port:
            self._reference_finding(
                "NC204", f"the input `{target}` has no ports", option, item, f"write `{target}`"
            )
        return wires

    def _port(self, result: Result, reference: Reference, option: Option, item: str) -> Wire:
        """The signal a dotted reference leads to: a port, or a block inside a template's use."""
        if not reference.port or (result.wire == NOTHING and result.inner is None):
            return result.wire
        if result.ports and reference.port in result.ports:
            return result.ports[reference.port]
        head, _, rest = reference.port.partition(".")
        if head.isdigit() and int(head) < len(result.turns):
            return self._port(result.turns[int(head)], Reference(head, rest), option, item)
        inner = result.inner
        if inner is not None:
            index = int(head) if head.isdigit() else inner.declared.get(head)
            if index is not None and index < len(inner.results):
                return self._port(inner.results[index], Reference(head, rest), option, item)
        else:
            # Whether a plain block has the port is known when its shape is.
            return Wire(result.wire.producer, reference.port)
        message = f"`{reference.target}` has no port `{reference.port}`"
        help = did_you_mean(reference.port, _names_inside(result))
        self._reference_finding("NC204", message, option, item, help)
        return NOTHING

    # --- names

    def _check_name(self, option: Option | None, taken: Mapping[str, object]) -> bool:
        """Whether a block may be called so; says why not."""
        if option is None:
            return True
        name = option.value
        if not IDENTIFIER.match(name):
            help = "letters, digits and underscores, a letter first"
            self.findings.append(
                Finding("NC111", f"`{name}` cannot be a block's name", option.value_span, help=help)
            )
        elif is_reserved(name):
            help = f"`{name}_1`, or any other word"
            message = f"`{name}` is a word that Python or PyTorch's modules use themselves"
            self.findings.append(Finding("NC111", message, option.value_span, help=help))
        elif name in taken:
            first = taken[name]
            self._duplicate_name(option, first.span if isinstance(first, Section) else None)
        else:
            return True
        return False

    def _duplicate_name(self, option: Option | None, first: Span | None) -> None:
        if option is None:
            return
        notes = (Note(first, "first here"),) if first else ()
        message = f"`{option.value}` is the name of another block here"
        self.findings.append(
            Finding("NC107", message, option.value_span, notes, help="give it a name of its own")
        )

    # --- findings

    def _request(self, place: Place, asked: Net | Block, section: Section) -> None:
        option = section.option("weights")
        span = option.value_span if option else section.span
        row = asked.output_row if isinstance(asked, Net) else None
        part = "" if isinstance(asked, Net) else asked.weights_from or ""
        request = WeightRequest(place.path, str(asked.weights), asked.layout, asked.adapt, row, span)
        self.weights.append(replace(request, source_path=place.source, part=part))

    def _report_unknown(self, section: Section) -> None:
        name = section.name
        if name == "net":
            self.findings.append(Finding("NC112", "[net] must come first in its network, once", section.span))
            return
        for group in GROUPS:
            if group != "network" and find(group, name):
                message = f"[{name}] is no block of a network"
                self.findings.append(
                    Finding("NC102", message, section.span, help=f"it belongs into {{{group.capitalize()}}}")
                )
                return
        if name in self.parts.networks and not self.networks:
            message = f"`{name}` is a network, and networks are no blocks of each other"
            help = "connect them in {Model}, or make this one a template: `{Define …}`"
            self.findings.append(Finding("NC112", message, section.span, help=help))
            return
        known = [*self.networks, *sections("network"), *self.parts.templates]
        help = did_you_mean(name, known) or "`netcfg blocks` lists all block types"
        what = "network or block type" if self.networks else "block type"
        self.findings.append(Finding("NC102", f"there is no {what} `{name}`", section.span, help=help))

    def _report_cycle(self, section: Section, template: Template, context: Context) -> None:
        chain = " → ".join([*context.templates[context.templates.index(template.name) :], template.name])
        notes = tuple(
            Note(scope.span, f"`{scope.template}` is used here") for scope in reversed(context.scopes)
        )
        message = f"the template `{template.name}` is used in its own expansion: {chain}"
        self.findings.append(Finding("NC110", message, section.span, notes, help="break the cycle"))

    def _report_count(self, section: Section, given: int, takes: int, span: Span | None = None) -> None:
        message = f"`{section.name}` takes {takes} input{'s' if takes != 1 else ''}, and is given {given}"
        self.findings.append(Finding("NC205", message, span or section.span))

    def _reference_finding(
        self, code: str, message: str, option: Option, item: str, help: str | None
    ) -> None:
        self.findings.append(Finding(code, message, option.item_span(item), help=help))

    @staticmethod
    def _before_input(target: int, here: int) -> str:
        return f"`{target}` leads to before the input: this is block {here}, whose input is `{-here - 1}`"

    def _report_not_earlier(
        self, reference: Reference, index: int, here: int, option: Option, item: str, names: Namespace
    ) -> None:
        if index == here:
            self._reference_finding(
                "NC203", f"`{reference}` is this block itself", option, item, "`-1` is the block before it"
            )
        elif index < names.count:
            message = f"`{reference}` only comes later: it is block {index}, and this is block {here}"
            self._reference_finding("NC202", message, option, item, "a block reads only what is above it")
        else:
            message = f"there is no block {index}: the last one is {names.count - 1}"
            self._reference_finding(
                "NC201", message, option, item, f"this is block {here}; `-1` is the one before it"
            )

    def _report_too_large(self, section: Section, size: str = f"more than {MAX_BLOCKS} blocks") -> None:
        if not self.too_large:
            self.too_large = True
            message = f"the network expands to {size}"
            self.findings.append(Finding("NC304", message, section.span, help="a smaller `repeat`"))


def _names_inside(result: Result) -> Mapping[str, object]:
    """What may stand behind a dot: ports, and blocks of a template (of many, the same mapping each time)."""
    inside = result.inner.known if result.inner is not None else {}
    return inside if len(inside) > SMALL else {**(result.ports or {}), **inside}


def _block_count(sections: list[Section]) -> int:
    return sum(section.name not in ("input", "output") for section in sections)


class _TemplateUse(Block):
    """The options that every use of a template has."""

    input_count: ClassVar[int | None] = None


def _declared_names(sections: list[Section]) -> dict[str, int]:
    """Name -> position of every named block of a body, also of those still to come."""
    names: dict[str, int] = {}
    position = 0
    for section in sections:
        if section.name in ("input", "output"):
            continue
        option = section.option("name")
        if option is not None:
            names.setdefault(option.value, position)
        position += 1
    return names
