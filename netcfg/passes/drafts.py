"""What the elaboration of a network works with: blocks before their shapes are known, and where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from netcfg.blocks.base import Block, Reference
from netcfg.folding import Over
from netcfg.graph import Again, Scope
from netcfg.passes.variables import VariableScope
from netcfg.source import Span
from netcfg.syntax import Option, Section


class Wire(NamedTuple):
    """What a reference resolves to: a port of an earlier draft; producer -1 is a block that failed."""

    producer: int
    port: str = ""


NOTHING = Wire(-1)


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """A checked block with the wires it reads, as inference is given it. The first three are those of its `Place`.

    `kin` is the same number for blocks of one type whose options say the same; None where nobody has compared them.
    """

    path: str
    holder: str
    source: str
    block: Block
    section: Section
    wires: list[Wire]
    position: int | None
    scopes: tuple[Scope, ...]
    freeze: bool
    over: tuple[Over, ...] = ()
    kin: int | None = None
    again: Again | None = None
    once: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Result:
    """What a written block gives to those who name it: its own signal, ports, and the blocks inside it."""

    wire: Wire
    ports: Mapping[str, Wire] | None = None
    inner: Namespace | None = None
    turns: Sequence[Result] = ()
    """Of a repeated block, which `name.0`, `name.1` … lead to; without a number, the last one is meant."""
    type: str = ""
    holder: str = ""
    choice_of: Wire = NOTHING
    """Of a block with an `if` the signal it reads first: one below that reads it, too, is another choice."""


@dataclass(slots=True, eq=False, repr=False)
class Counter:
    """The number of the next block of a body, which bodies written into it share (`flat`)."""

    next: int = 0

    def take(self) -> int:
        """The next number, which is given once."""
        self.next += 1
        return self.next - 1


@dataclass(slots=True, eq=False, repr=False)
class Namespace:
    """The blocks of one body (a network's or a template's), and its inputs.

    `declared` are the names that are written, also of blocks still to come, and where these stand. `results` are the
    written blocks so far, which offsets count; `numbered` those that are there (`if`), which positions count; `named`
    what names lead to. `counter` gives unnamed blocks their numbers. `body` is all that is written, which tells what
    later blocks would read.
    """

    declared: dict[str, int]
    inputs: dict[str, Wire]
    count: int = 0
    results: list[Result] = field(default_factory=list)
    numbered: list[Result] = field(default_factory=list)
    named: dict[str, Result] = field(default_factory=dict)
    sections: dict[str, Section] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    """Names that only blocks bear which are not there (`if`)."""
    counter: Counter = field(default_factory=Counter)
    body: Sequence[Section] = ()
    has_paths: bool = False
    has_unknown_names: bool = False
    """Whether a block failed whose names nobody knows: who names something unknown may mean it."""
    _known: dict[str, None] = field(default_factory=dict)
    _counted: int = 0

    @property
    def fed(self) -> Wire:
        """What -1 is at the first block: the input, where there is only one."""
        return next(iter(self.inputs.values())) if self.inputs else NOTHING

    def find(self, reference: Reference) -> tuple[Result, Reference] | None:
        """The block above that a name leads to, a whole path first, and what the name says beyond it."""
        # Asked for every reference, and names with dots are few: without any there is one way to read one.
        if not self.has_paths:
            found = self.named.get(str(reference.target))
            return (found, reference) if found else None
        parts = str(reference).split(".")
        for end in range(len(parts), 0, -1):
            found = self.named.get(".".join(parts[:end]))
            if found is not None:
                return found, Reference(".".join(parts[:end]), ".".join(parts[end:]))
        return None

    def name(self, name: str, result: Result) -> None:
        """Call a block so."""
        self.named[name] = result
        self.has_paths = self.has_paths or "." in name

    @property
    def known(self) -> Mapping[str, None]:
        """All names of the body, also of blocks still to come; always the same mapping, which only grows."""
        count = len(self.declared) + len(self.inputs)
        if self._counted != count:
            self._counted = count
            self._known |= dict.fromkeys([*self.declared, *self.inputs])
        return self._known


class Place(NamedTuple):
    """A block's path, the path of the block that holds its parameters, and what files of weights call it."""

    path: str = ""
    holder: str = ""
    source: str = ""

    def below(self, name: str, source: str | None = None) -> Place:
        """A block in the expansion at this place; `source` is its name in files, if another."""
        return Place(
            _joined(self.path, name), _joined(self.holder, name), _joined(self.source, source or name)
        )


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def turn_of(place: Place, turn: int, block: Block) -> Place:
    """One turn of a repeat; each has parameters of its own, unless they are another block's."""
    inside = place.below(str(turn))
    return inside if block.shared_with is None else inside._replace(holder=place.holder)


class Context(NamedTuple):
    """Where an expansion stands: its place, scopes, variables, and what its uses have asked for."""

    place: Place
    scopes: tuple[Scope, ...]
    variables: VariableScope
    templates: tuple[str, ...] = ()
    freeze: bool = False
    position: int | None = None
    """The position of the written block around an expansion; None at the top."""
    defaults: Mapping[str, Mapping[str, Option]] = {}
    """What options are where a block does not say: by block type, then by key."""
    over: tuple[Over, ...] = ()
    """The axes for whose places all in it is computed, one by one."""
    again: Again | None = None
    """The use that is computed again in the backward pass."""
    once: bool = False
    """Whether all in it is made once in a batch."""
    use: Span | None = None
    """The outermost use of a template that it stands in."""


class Site(NamedTuple):
    """Where the next block of a body stands: what is before it, around it, and what it may name of its own."""

    previous: Wire
    names: Namespace
    context: Context
    number: int = 0
    copy: tuple[int, int] | None = None
    """Which one it is of how many `copies`."""

    def at(self, number: int) -> Site:
        """The same with the number of its block."""
        return Site(self.previous, self.names, self.context, number, self.copy)

    def after(self, previous: Wire) -> Site:
        """The same below another block."""
        return Site(previous, self.names, self.context, self.number, self.copy)


StandIn = Callable[[Section], Block]
"""Gives what is put in the place of a section that cannot be read."""
