"""Who reads whom: the names, positions and offsets of a block become wires to what stands above it.

Each reference that leads nowhere is reported, and is a wire to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from netcfg.blocks.base import Block, Reference
from netcfg.graph import Node
from netcfg.passes.circles import circle, has_state
from netcfg.passes.drafts import NOTHING, Namespace, Result, Wire
from netcfg.source import Finding, Note, SourceFile, Span, did_you_mean
from netcfg.spelling import SMALL
from netcfg.syntax import Option, Section


class References:
    """Resolves the references of one network's blocks. `in_model`: data fields may be named, too."""

    def __init__(self, findings: list[Finding], in_model: bool = False) -> None:
        self.findings = findings
        self.in_model = in_model

    def wires(self, block: Block, section: Section, previous: Wire, names: Namespace) -> list[Wire]:
        """The signals that a block reads: those of `from`, then those of its roles."""
        main = self._main(block, section, previous, names)
        return [*main, *self._roles(block, section, names)] if block.roles else main

    def _main(self, block: Block, section: Section, previous: Wire, names: Namespace) -> list[Wire]:
        option_name = block.reference_option
        references = block.references()
        if references is None:
            if block.must_name(option_name):
                message = f"`{section.name}` needs `{option_name}`"
                help = f"write `{option_name} = …`, the blocks it reads"
                self.findings.append(Finding("NC104", message, section.span, help=help))
                return [NOTHING]
            return [self.default(section, previous, names)] if block.input_count != 0 else []
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
            self.report_count(section, len(references), block.input_count, option.value_span)
            return [NOTHING]
        items = block.reference_items(option.value)
        return [
            self.resolve(reference, option, item, section, names)
            for reference, item in zip(references, items, strict=True)
        ]

    def _roles(self, block: Block, section: Section, names: Namespace) -> list[Wire]:
        wires = []
        for role in block.written_roles():
            option = section.option(role)
            reference = getattr(block, role)
            assert option is not None
            assert isinstance(reference, Reference)
            wires.append(self.resolve(reference, option, option.value, section, names))
        return wires

    def default(self, section: Section, previous: Wire, names: Namespace) -> Wire:
        """The block before; at the first block the network's input, which must be the only one."""
        if names.results:
            return previous
        by_wire = {wire: name for name, wire in names.inputs.items()}  # `input` may be a synonym
        declared = list(by_wire.values())
        if len(declared) > 1:
            listed = ", ".join(f"`{name}`" for name in declared)
            message = f"there are {len(declared)} inputs ({listed}): say which one it reads"
            help = f"write `from = {declared[0]}`"
            self.findings.append(Finding("NC205", message, section.span, help=help))
            return NOTHING
        return previous

    def resolve(
        self, reference: Reference, option: Option, item: str, section: Section, names: Namespace
    ) -> Wire:
        """The signal that one reference (written as `item`) leads to."""
        here = len(names.results)
        target = reference.target
        if isinstance(target, str):
            if reference.port and str(reference) in names.inputs and target not in names.sections:
                return names.inputs[str(reference)]  # a field of one of several sources
            if target in names.inputs and target not in names.sections:
                return self._input(target, reference, option, item, names)
            found = names.find(reference)
            if found is not None:
                return self._port(*found, option, item)
            index = names.declared.get(target)
            if index is None and names.has_unknown_names:
                return NOTHING
            if index is None:
                what = "block or data field" if self.in_model else "block"
                message = f"there is no {what} `{target}` here"
                help = did_you_mean(target, names.known)
                if self.in_model and target == "data" and reference.port in names.inputs:
                    help = f"write `{reference.port}`: fields of the data bear their own names here"
                of_source = [name for name in names.inputs if name.startswith(f"{target}.")]
                if of_source and reference.port:
                    message = f"the source `{target}` has no field `{reference.port}`, in any split"
                    help = did_you_mean(str(reference), of_source) or help
                self._report("NC201", message, option, item, help)
            else:
                self._report_not_earlier(reference, max(index, here), here, option, item, names, section)
            return NOTHING
        if target < 0:
            index = here + target
            if index == -1:
                wire = self.default(section, names.fed, Namespace({}, names.inputs))
                return self._port(Result(wire), reference, option, item) if reference.port else wire
            if index < 0:
                self._report("NC201", _before_input(target, here), option, item, None)
                return NOTHING
            return self._port(names.results[index], reference, option, item)
        if target >= len(names.numbered):
            self._report_not_earlier(reference, target, len(names.numbered), option, item, names, section)
            return NOTHING
        return self._port(names.numbered[target], reference, option, item)

    def ports(
        self, reference: Reference, names: Namespace, nodes: Sequence[Node | None]
    ) -> Mapping[str, Wire]:
        """The ports of the block that a bare reference leads to; none of an input, or of what is not there."""
        target, here = reference.target, len(names.results)
        if isinstance(target, str):
            found = names.find(reference)
            result = found[0] if found is not None and not found[1].port else None
        elif target < 0:
            result = names.results[target] if here + target >= 0 else None
        else:
            result = names.numbered[target] if target < len(names.numbered) else None
        if result is None or (isinstance(target, int) and reference.port):
            return {}
        node = nodes[result.wire.producer] if result.wire != NOTHING else None
        if result.ports or result.inner is not None or node is None:
            return result.ports or {}
        return {port: Wire(result.wire.producer, port) for port in filter(None, node.outputs)}

    @staticmethod
    def is_known(reference: Reference, names: Namespace) -> bool:
        """Whether a name leads to an input, or to a block above."""
        return (
            reference.target in names.inputs
            or str(reference) in names.inputs
            or names.find(reference) is not None
        )

    def wire(self, reference: Reference, names: Namespace) -> Wire:
        """What a known name leads to, whatever stands where."""
        for name in (str(reference), str(reference.target)):
            if name in names.inputs and reference.target not in names.sections:
                return names.inputs[name]
        found = names.find(reference)
        option = Option(SourceFile("", ""), 1, "", "")
        return self._port(*found, option, "") if found else NOTHING

    def _input(self, target: str, reference: Reference, option: Option, item: str, names: Namespace) -> Wire:
        wire = names.inputs[target]
        if reference.port:
            self._report("NC204", f"the input `{target}` has no ports", option, item, f"write `{target}`")
        return wire

    def _port(self, result: Result, reference: Reference, option: Option, item: str) -> Wire:
        """The signal a dotted reference leads to: a port, or a block inside a template's use."""
        if not reference.port or (result.wire == NOTHING and result.inner is None):
            return result.wire
        if result.ports and reference.port in result.ports:
            return result.ports[reference.port]
        head, _, rest = reference.port.partition(".")
        if head.isdecimal() and int(head) < len(result.turns):
            return self._port(result.turns[int(head)], Reference(head, rest), option, item)
        inner = result.inner
        if inner is not None:
            found = inner.find(Reference(head, rest))
            if found is None and head.isdecimal() and int(head) < len(inner.numbered):
                found = inner.numbered[int(head)], Reference(head, rest)
            if found is not None:
                return self._port(*found, option, item)
        else:
            # Whether a plain block has the port is for inference to say, which knows its shapes.
            return Wire(result.wire.producer, reference.port)
        message = f"`{reference.target}` has no port `{reference.port}`"
        help = did_you_mean(reference.port, _names_inside(result))
        self._report("NC204", message, option, item, help)
        return NOTHING

    # --- findings

    def report_count(self, section: Section, given: int, takes: int, span: Span | None = None) -> None:
        """A block is given more or fewer signals than it takes."""
        message = f"`{section.name}` takes {takes} input{'s' if takes != 1 else ''}, and is given {given}"
        self.findings.append(Finding("NC205", message, span or section.span))

    def _report(self, code: str, message: str, option: Option, item: str, help: str | None) -> None:
        self.findings.append(Finding(code, message, option.item_span(item), help=help))

    def _report_not_earlier(
        self,
        reference: Reference,
        index: int,
        here: int,
        option: Option,
        item: str,
        names: Namespace,
        section: Section,
    ) -> None:
        if index == here:
            message, help = f"`{reference}` is this block itself", "`-1` is the block before it"
            self._report("NC203", message, option, item, help)
        elif index < names.count and (way := circle(names.body, section, str(reference.target))):
            told = ", which reads ".join(_called(one) for one in way[1:])
            message = f"{_called(section)} reads {told}: a circle"
            notes = tuple(Note(one.span, "here") for one in way[1:-1])
            kept = next((one for one in way if has_state(one)), None)
            help = "let one of them read something else"
            if kept is not None:
                help += f"; what [{kept.name}] remembers is not made of what it gives"
            self.findings.append(Finding("NC202", message, option.item_span(item), notes, help=help))
        elif index < names.count:
            message = f"`{reference}` only comes later: it is block {index}, and this is block {here}"
            self._report("NC202", message, option, item, "a block reads only what is above it")
        else:
            message = f"there is no block {index}: the last one is {names.count - 1}"
            help = f"this is block {here}; `-1` is the one before it"
            self._report("NC201", message, option, item, help)


def _before_input(target: int, here: int) -> str:
    return f"`{target}` leads to before the input: this is block {here}, whose input is `{-here - 1}`"


def _names_inside(result: Result) -> Mapping[str, object]:
    """What may stand behind a dot: ports, and blocks of a template (of many, the same mapping each time)."""
    inside = result.inner.known if result.inner is not None else {}
    return inside if len(inside) > SMALL else {**(result.ports or {}), **inside}


def _called(section: Section) -> str:
    name = section.option("name")
    return f"`{name.value}`" if name else f"[{section.name}]"
