"""Kinds of layouts: how a file of weights holds the parameters of networks, and what they are called there.

A layout says what a network here calls each key of a file (`ours`), and what the file calls each of our keys
(`theirs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, zeros

from netcfg.graph import Graph


class _AsTheyAre:
    """Layouts whose tensors have our axes and meaning, and which leave nothing of a network out."""

    def taken(self, key: str, value: Tensor) -> Tensor:
        """The tensor that a file has under a key, with our axes."""
        return value

    def given(self, key: str, value: Tensor) -> Tensor:
        """A tensor of ours, with the axes that the file has under a key."""
        return value

    def strange(self, state: Mapping[str, Tensor]) -> str | None:
        """Why a file's numbers would mean something else here; None where they would not."""
        return None

    def kept_out(self, keys: Iterable[str], graph: Graph) -> list[str]:
        """What of a network no file of this layout has."""
        return []


@dataclass(frozen=True)
class Layout(_AsTheyAre):
    """A file that is one state dict, whose keys differ from ours in their heads.

    `heads` maps the first part(s) of a file's keys to ours (`None` drops the key); keys that no head matches stay
    as they are; `inner` maps what stands further inside a key. `imagenet` is the torchvision model whose ImageNet
    weights have these names, `programs` the shipped files whose originals save such files. `copies` maps what a file
    has twice to the head under which it is read, `unused` names what it has and nothing reads, with its shape: both
    are written so that the original takes the file.
    """

    heads: Mapping[str, str | None]
    imagenet: str | None = None
    programs: tuple[str, ...] = ()
    inner: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    optional: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """What a file always has, by our names with shapes, and a network may lack: dropped then, and written as zeros."""

    def ours(self, key: str, graph: Graph) -> str | None:
        """Our name of a file's key; None where it is dropped."""
        ours = self._ours(key)
        lacks = ours in self.optional and not any(
            str(ours).startswith(f"{node.path}.") for node in graph.blocks if node.parameters
        )
        return None if lacks else ours

    def _ours(self, key: str) -> str | None:
        if key in self.unused or key.startswith(tuple(self.copies)):
            return None
        for inside, ours_inside in self.inner.items():
            key = key.replace(inside, ours_inside)
        # The first that matches counts, so that special heads stand before "" and `module.`.
        for head, ours in self.heads.items():
            if key.startswith(head):
                return None if ours is None else ours + key[len(head) :]
        return key

    def theirs(self, key: str, graph: Graph) -> str:
        """The file's name of our key."""
        return self._theirs(key)

    def _theirs(self, key: str) -> str:
        for inside, ours_inside in self.inner.items():
            key = key.replace(ours_inside, inside)
        # The first again: of Emotion-FAN's two names it writes the one with `module.`, as the original saves
        # it.
        for head, ours in self.heads.items():
            if ours is not None and key.startswith(ours):
                return head + key[len(ours) :]
        return key

    def further(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a file with these keys also has: the second names, and what nothing reads (zeros)."""
        twice = {
            copy + key[len(head) :]: value
            for key, value in state.items()
            for copy, head in self.copies.items()
            if key.startswith(head)
        }
        lacking = {self._theirs(key): shape for key, shape in self.optional.items()}
        empty = {**self.unused, **{key: shape for key, shape in lacking.items() if key not in state}}
        return {**twice, **{key: zeros(shape) for key, shape in empty.items()}}

    def unsuited(self, graph: Graph) -> str | None:
        """Why a network cannot be in this layout; None where it can."""
        return None


@dataclass(frozen=True)
class BlockLayout(_AsTheyAre):
    """A file per network that is a list of state dicts, one per block, at the block's position.

    Keys are written `layers.<position>.<key>`. `blocks` maps a block type to its own table of heads; types that are
    not in it have no parameters. A network's file is called `file`; what `others` matches is no network's.
    """

    blocks: Mapping[str, Mapping[str, str]]
    file: str
    others: str
    imagenet: ClassVar[None] = None
    programs: ClassVar[tuple[str, ...]] = ()

    def ours(self, key: str, graph: Graph) -> str | None:
        """Our name of a file's key; a key that its block cannot have stays as it is."""
        _, position, rest = key.split(".", 2)
        for node in graph.blocks:
            if str(node.position) == position:
                for head, ours in self.blocks.get(node.type, {}).items():
                    if rest.startswith(head):
                        return f"{node.path}.{ours}{rest[len(head) :]}"
        return key

    def theirs(self, key: str, graph: Graph) -> str:
        """The file's name of our key."""
        node = graph.owner(key)
        assert node is not None
        rest = key[len(node.path) + 1 :]
        # Longer names of ours first: "" matches all.
        for head, ours in sorted(self.blocks[node.type].items(), key=lambda row: -len(row[1])):
            if rest.startswith(ours):
                return f"layers.{node.position}.{head}{rest[len(ours) :]}"
        raise AssertionError(key)

    def unsuited(self, graph: Graph) -> str | None:
        """Its blocks with parameters must be of the types of the table, and stand in the network itself."""
        for node in graph.blocks:
            if node.parameters and node.type not in self.blocks:
                return f"`{graph.name}` has a block [{node.type}], which this layout does not know"
            if node.parameters and node.scopes:
                return f"`{node.path}` of `{graph.name}` stands in a template or repeat, which this layout has not"
        return None


@dataclass(frozen=True)
class Part:
    """What a file has for one network: `entry` holds it, below `head`; `names` are those of its parameters there.

    `beside` are parameters of the network that stand in the file by themselves, `elsewhere` those that another file
    has: one of the layout of that name.
    """

    entry: str
    head: str = ""
    names: Layout = field(default_factory=lambda: Layout({}))
    beside: tuple[str, ...] = ()
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What stands before its keys."""
        return f"{self.entry}.{self.head}"


@dataclass(frozen=True)
class NestedLayout:
    """A file that is a dictionary. `parts` are those of networks by name; "" is that of any other network.

    `mark` is a name by which the state dict of the only part is known where it is a file by itself. `options` makes
    of a file's tensors what else is to be written, as the original's code reads it.
    """

    parts: Mapping[str, Part]
    programs: tuple[str, ...] = ()
    mark: str | None = None
    options: Callable[[Mapping[str, Tensor]], dict[str, Any]] | None = None
    imagenet: ClassVar[None] = None

    @property
    def entries(self) -> tuple[str, ...]:
        """What a file must have."""
        return tuple(dict.fromkeys(part.entry for part in self.parts.values()))

    def part(self, graph: Graph) -> Part:
        """That of a network; `unsuited` says whether there is one."""
        return self.parts[graph.name if graph.name in self.parts else ""]

    def holds(self, state: Iterable[str]) -> bool:
        """Whether tensors are called as in such a file."""
        prefixes = tuple(part.prefix for part in self.parts.values())
        return any(key.startswith(prefixes) for key in state)

    def is_of(self, key: str, graph: Graph) -> bool:
        """Whether a tensor is one of a network's."""
        part = self.part(graph)
        return key.startswith(part.prefix) or key in part.beside

    def ours(self, key: str, graph: Graph) -> str | None:
        """Our name of a file's tensor; None where it is dropped."""
        part = self.part(graph)
        if key in part.beside:
            return key
        return part.names.ours(key.removeprefix(part.prefix), graph) if key.startswith(part.prefix) else None

    def theirs(self, key: str, graph: Graph) -> str:
        """The file's name of our key."""
        part = self.part(graph)
        return key if key in part.beside else part.prefix + part.names.theirs(key, graph)

    def taken(self, key: str, value: Tensor) -> Tensor:
        """A file's tensor with our axes."""
        for part in self.parts.values():
            if key.startswith(part.prefix):
                return part.names.taken(key.removeprefix(part.prefix), value)
        return value

    def given(self, key: str, value: Tensor) -> Tensor:
        """A tensor of ours with the file's axes."""
        for part in self.parts.values():
            if key.startswith(part.prefix):
                return part.names.given(key.removeprefix(part.prefix), value)
        return value

    def further(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a file with these tensors also has."""
        made: dict[str, Tensor] = {}
        for part in self.parts.values():
            own = {
                key.removeprefix(part.prefix): value
                for key, value in state.items()
                if key.startswith(part.prefix)
            }
            made |= {part.prefix + key: value for key, value in part.names.further(own).items()}
        return made

    def strange(self, state: Mapping[str, Tensor]) -> str | None:
        """Why a file's numbers would mean something else here; None where they would not."""
        return next(filter(None, (part.names.strange(state) for part in self.parts.values())), None)

    def unsuited(self, graph: Graph) -> str | None:
        """It has parts for some networks alone."""
        if "" in self.parts or graph.name in self.parts:
            return None
        names = ", ".join(f"`{name}`" for name in self.parts)
        return f"this layout has networks called {names}, and none called `{graph.name}`"

    def kept_out(self, keys: Iterable[str], graph: Graph) -> list[str]:
        """What of a network no file of this layout has."""
        return [key for key in keys if key in self.part(graph).elsewhere]

    def nested(self, state: Mapping[str, Tensor]) -> dict[str, Any]:
        """Tensors by their names in the file as the file has them."""
        made: dict[str, Any] = {entry: {} for entry in self.entries}
        for key, value in state.items():
            entry, _, rest = key.partition(".")
            if entry in made:
                made[entry][rest] = value
            else:
                made[key] = value
        return made if self.options is None else made | self.options(state)


AnyLayout = Layout | BlockLayout | NestedLayout


def flattened(loaded: Mapping[str, Any], layout: NestedLayout) -> dict[str, Tensor]:
    """The tensors of a file's entries by name; what is no tensor, and what no network needs, is left out."""
    state: dict[str, Tensor] = {}
    beside = {key for part in layout.parts.values() for key in part.beside}
    for entry, value in loaded.items():
        if isinstance(value, Tensor) and entry in beside:
            state[entry] = value
        elif entry in layout.entries and isinstance(value, Mapping):
            state |= {f"{entry}.{key}": tensor for key, tensor in value.items()}
    return state
