"""One turn of a block that is repeated, or copied, or stands in a table: its name, its options, its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netcfg.blocks.base import Block, Reference
from netcfg.graph import Scope
from netcfg.passes.defaults import with_defaults
from netcfg.passes.drafts import Place, Result, Site, Wire, turn_of
from netcfg.passes.names import check_name
from netcfg.passes.placing import Placing
from netcfg.passes.references import References
from netcfg.passes.structure import Written
from netcfg.source import Finding
from netcfg.syntax import Option, Section


@dataclass(slots=True, eq=False, repr=False)
class Turns:
    """Names and places the turns of one network's blocks. `in_model`: a name is a word, and no path."""

    placing: Placing
    findings: list[Finding]
    in_model: bool

    def name(self, written: Written, turn: int, site: Site, is_there: bool = True) -> Option | None:
        """The name of a block in a turn, numbered if need be; None where it has none, or cannot be called so
        (reported). That of a block that is not there (`if`) another may bear.
        """
        option = written.section.option("name")
        scope = written.of_turn(turn)
        text = None if option is None else scope.text(option) if scope else option.value
        if option is None or text is None:
            return None
        names = site.names
        if scope is not None or text.endswith("."):
            option = option.with_value(self.placing.numbered(text, site.context.place.path))
        taken: Mapping[str, object] = names.sections
        # Blocks of which an `if` leaves one may share a name: the name of one that is absent is free.
        if option.value in names.inputs or option.value in names.absent:
            taken = names.inputs
        elif not is_there and option.value in names.sections:
            return option
        if check_name(option, taken, self.findings, may_be_path=not self.in_model):
            names.sections[option.value] = written.section
            names.absent.discard(option.value)
            if not is_there:
                names.absent.add(option.value)
            written.name = option.value
        else:
            self.placing.has_duplicates = True
        return option

    def at(self, written: Written, turn: int, site: Site, read: Wire | None = None) -> Section:
        """A block as it is in one turn: its name and its sizes in their places."""
        section = written.section
        named = turn == 0 or written.is_named_by_turn
        name = self.name(written, turn, site) if named else None
        scope = written.of_turn(turn, read)
        written_name = section.option("name")
        if scope is not None:
            # Its name is in place already, and read again it would take the next number.
            unnamed = [option for option in section.options if option is not written_name]
            section = scope.replace(section.with_options(unnamed))
            if name is not None:
                section.options.append(name)
        elif written_name is not None and name is not None and name.value != written_name.value:
            options = [name if option is written_name else option for option in section.options]
            section = section.with_options(options)
        return with_defaults(section, site.context)

    def place(
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
    def call(written: Written, result: Result, site: Site) -> None:
        """A turn whose name says it is called so."""
        if written.is_named_by_turn and written.name is not None:
            site.names.name(written.name, result)

    def all_ports(self, use: Block, takes: Sequence[str], references: References, site: Site) -> list[Wire]:
        """All ports of the one block that a use reads, where what it takes bears their names; else nothing."""
        named = use.from_ or (Reference(-1),)
        if len(takes) < 2 or len(named) > 1:
            return []
        ports = references.ports(named[0], site.names, self.placing.inference.nodes)
        return [ports[name] for name in takes] if set(takes) <= ports.keys() else []


def fed_again(before: Result, takes: Sequence[str], wires: list[Wire]) -> list[Wire]:
    """What a turn reads: of the turn before what is called like its inputs, or its one signal first; the rest of its
    signals as the use says.
    """
    if before.ports and len(before.ports) > 1 and not set(takes).isdisjoint(before.ports):
        return [before.ports.get(name, wire) for name, wire in zip(takes, wires, strict=False)]
    return [before.wire, *wires[1:]]
