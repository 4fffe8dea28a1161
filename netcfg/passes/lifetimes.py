"""Which signals of a network are computed, which are another one under a new name, and how often each is read.

The generated `forward` follows it, and so does the count of the memory that it takes.
"""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.graph import Graph, Signal

Key = tuple[int, str]
"""A signal: its producer's index and the port."""


class Lifetimes:
    """Of one network. `alias` leads from a renamed signal to the one it is, `live` holds the nodes that are computed.

    `uses` counts the statements that read a signal; one that is returned counts one more, and is never let go.
    `stretches` are those that are computed again in the backward pass: by statement the number of its stretch.
    """

    def __init__(self, graph: Graph, stretches: Mapping[int, int] | None = None) -> None:
        self.graph = graph
        self.stretches = stretches or {}
        self.alias = self._aliases()
        self.rulers = self._rulers()
        self.live = self._live()
        # Rulers keep what they measure by alive, and only what is alive measures: so they are thinned out in between.
        self._measure_once()
        self.uses = self._count_uses()

    def root(self, signal: Signal) -> Key:
        """The signal that one is, whatever it is called."""
        key = (signal.producer, signal.port)
        return self.alias.get(key, key)

    def is_statement(self, index: int) -> bool:
        """Whether the forward has a line for a node."""
        return index in self.live and not self.graph.nodes[index].is_input and (index, "") not in self.alias

    def roots(self, index: int) -> list[Key]:
        """The different signals that a node reads."""
        read = map(self.root, self.graph.nodes[index].inputs)
        return list(dict.fromkeys([*read, *self.rulers.get(index, ())]))

    def may_overwrite(self, index: int) -> bool:
        """Whether a node's only input is read by nobody else, earlier or later, and its maker allows it."""
        roots = self.roots(index)
        if len(roots) != 1 or self.uses[roots[0]] != 1:
            return False
        if self.stretches.get(roots[0][0]) != self.stretches.get(index):
            return False  # a stretch that is computed again begins anew with what it was given
        producer = self.graph.nodes[roots[0][0]]
        return not producer.is_input and producer.block.overwritable()

    def _aliases(self) -> dict[Key, Key]:
        """Signals that are another one under a new name: routes, identities."""
        alias: dict[Key, Key] = {}
        for index, node in enumerate(self.graph.nodes):
            if len(node.inputs) != 1 or node.block.owns_tensor():
                continue
            # A block whose line would be `x = x` has none. Its readers count as readers of what it renames, else that
            # would be overwritten while they still need it.
            if node.block.inline("x") == "x":
                source = (node.inputs[0].producer, node.inputs[0].port)
                # One step is enough: what it reads stands before it, and was followed already.
                alias[(index, "")] = alias.get(source, source)
        return alias

    def _rulers(self) -> dict[int, list[Key]]:
        """By node what it is measured by beside its inputs: the signals whose places it is `over`.

        That is where only a batch tells the number of places, or where it asks for the batch itself.
        """
        rulers: dict[int, list[Key]] = {}
        for index, node in enumerate(self.graph.nodes):
            if any(not isinstance(one.size, int) for one in node.over) or (
                node.over and node.block.needs_batch()
            ):
                keys = [(one.producer, one.port) for one in node.over]
                rulers[index] = [self.alias.get(key, key) for key in keys]
        return rulers

    def _measure_once(self) -> None:
        """Of the places of a use, only the first statement below it needs to know how many they are."""
        measured: set[int] = set()
        for index, node in enumerate(self.graph.nodes):
            if index not in self.rulers:
                continue
            numbers = {one.number for one in node.over}
            if self.is_statement(index) and not node.block.needs_batch() and numbers <= measured:
                del self.rulers[index]
            elif self.is_statement(index):
                measured |= numbers

    def _live(self) -> set[int]:
        """The nodes that some output depends on; the others keep their parameters and are never computed."""
        live: set[int] = set()
        waiting = [signal.producer for signal in self.graph.outputs.values()]
        while waiting:
            index = waiting.pop()
            if index not in live:
                live.add(index)
                waiting += [signal.producer for signal in self.graph.nodes[index].inputs]
                waiting += [producer for producer, _ in self.rulers.get(index, ())]
        return live

    def _count_uses(self) -> dict[Key, int]:
        uses: dict[Key, int] = {}
        for index in range(len(self.graph.nodes)):
            if self.is_statement(index):
                for key in self.roots(index):
                    uses[key] = uses.get(key, 0) + 1
        for signal in self.graph.outputs.values():
            uses[self.root(signal)] = uses.get(self.root(signal), 0) + 1
        return uses
