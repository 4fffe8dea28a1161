"""Networks as blocks of `{Model}`: which signals feed their inputs, how often one runs, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, replace

from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph
from netcfg.passes.drafts import NOTHING, Context, Namespace, Place, Result, Site, Wire
from netcfg.passes.placing import Placing
from netcfg.passes.references import References
from netcfg.passes.schema import check_section
from netcfg.passes.structure import Structure, Written
from netcfg.passes.turns import Turns, fed_again
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Section


@dataclass(slots=True, eq=False, repr=False)
class Uses:
    """Puts the uses of networks into their places."""

    findings: list[Finding]
    placing: Placing
    references: References
    turns: Turns
    structure: Structure

    def use(self, graph: Graph, written: Written, site: Site) -> Result:
        """A use of a network; a `repeat` of it has the same parameters in each turn."""
        section = self.turns.at(written, 0, site)
        use = check_section(section, NetworkUse, self.findings)
        # A network that a mistake left without blocks is drawn, and gives nothing to whoever uses it.
        if use is None or not graph.outputs:
            return Result(NOTHING)
        takes = list(graph.inputs)
        wires = self._wires(use, graph, section, site)
        over = self.structure.over(written, site, wires)
        if over is None:
            return Result(NOTHING)
        use = use.model_copy(update={"over": over[-1] if over else None})
        place = site.context.place.below(use.name or self.name(graph, written, site))
        if use.repeat is None:
            return self._placed(place, use, graph, section, wires, site.number, site.context)
        count, varies = use.repeat, written.varies
        # No turn at all: who reads the use reads what it would have read.
        turns = [Result(wires[0] if wires else NOTHING)] if count == 0 else []
        for turn in range(count):
            if turn and varies:
                section = self.turns.at(written, turn, site, turns[-1].wire)
                checked = check_section(section, NetworkUse, self.findings)
                if checked is None:
                    return Result(NOTHING)
                use, wires = checked, self._wires(checked, graph, section, site)
                use = use.model_copy(update={"over": over[-1] if over else None})
            if turn:
                wires = fed_again(turns[-1], takes, wires)
            here, scope = self.turns.place(written, place, turn, count, use, section, site)
            inside = site.context._replace(scopes=(*site.context.scopes, scope))
            turns.append(self._placed(here, use, graph, section, wires, site.number, inside))
            self.turns.call(written, turns[-1], site)
            if self.placing.too_large:
                break
        return replace(turns[-1], turns=turns if count else (), type=section.name, holder=place.holder)

    def name(self, graph: Graph, written: Written, site: Site) -> str:
        """What a use without a name is called: like its network, where that name is free; one of several copies by
        its number.
        """
        names = site.names
        if site.copy is not None or graph.name in names.inputs or graph.name in names.declared:
            return str(site.number)
        names.declared[graph.name] = len(names.results)
        written.name = graph.name
        return graph.name

    def _placed(
        self,
        place: Place,
        use: NetworkUse,
        graph: Graph,
        section: Section,
        wires: list[Wire],
        position: int | None,
        context: Context,
    ) -> Result:
        use = use.model_copy(update={"network": graph, "name": place.path.rpartition(".")[2]})
        wire = self.placing.draft(place, use, section, wires, position, context)
        ports = {port: Wire(wire.producer, port) for port in graph.outputs} if len(graph.outputs) > 1 else {}
        if ports:
            wire = next(iter(ports.values()))
        return Result(wire, ports or dict.fromkeys(filter(None, graph.outputs), wire))

    def _wires(self, use: NetworkUse, graph: Graph, section: Section, site: Site) -> list[Wire]:
        spread = self.turns.all_ports(use, list(graph.inputs), self.references, site)
        return spread or fed_wires(use, graph, section, site.previous, site.names, self.references)


def fed_wires(
    use: NetworkUse, graph: Graph, section: Section, previous: Wire, names: Namespace, references: References
) -> list[Wire]:
    """What feeds a network: what `from` names; else the block before; else signals named like its inputs."""
    inputs = list(graph.inputs)
    if use.from_ is not None:
        option = section.option("from")
        if len(use.from_) != len(inputs):
            span = option.value_span if option else None
            references.report_count(section, len(use.from_), len(inputs), span)
            return [NOTHING] * len(inputs)
        return references.wires(use, section, previous, names)
    if len(inputs) == 1 and names.results:
        return [previous]
    return [_named_like(name, graph, section, names, references.findings) for name in inputs]


def _named_like(name: str, graph: Graph, section: Section, names: Namespace, findings: list[Finding]) -> Wire:
    """The field or earlier signal that bears an input's name; the unnamed input takes `image`."""
    if name == "input" and name not in names.inputs and len(graph.inputs) == 1:
        name = "image"
    if name in names.inputs:
        return names.inputs[name]
    if name in names.named:
        return names.named[name].wire
    message = f"nothing feeds the input `{name}` of `{graph.name}`"
    own = section.option("name")
    known = [one for one in names.known if own is None or one != own.value]
    help = did_you_mean(name, known) or "say which signals it takes: `from = …`"
    signal = graph.inputs.get(name)
    notes = (Note(graph.nodes[signal.producer].span, "the input is declared here"),) if signal else ()
    findings.append(Finding("NC206", message, section.span, notes, help=help))
    return NOTHING
