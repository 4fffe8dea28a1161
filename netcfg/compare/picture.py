"""Two versions of a network as one diagram: what is new, gone and changed is marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from netcfg.compare.change import Change
from netcfg.compare.networks import BlockChange, NetworkChange
from netcfg.compare.order import joined_order
from netcfg.compare.programs import Difference
from netcfg.compare.text import change_text
from netcfg.compare.together import place_of, written_together
from netcfg.draw.entry import Entry
from netcfg.draw.formats import Picture
from netcfg.draw.marked import GONE, Mark, Marked, Marks
from netcfg.draw.marks import faded
from netcfg.draw.model import Diagram, amount, diagram, entry_of_network, network_details
from netcfg.draw.options import Look
from netcfg.draw.shown import fitting_depth
from netcfg.graph import Graph, Node, Scope, Signal

SUMS = ("parameters", "trainable", "macs")


def difference_picture(
    difference: Difference, title: str = "", expand: bool = False, scale: float = 2.0
) -> Picture:
    """One diagram for each network that differs, or for all where none does.

    Templates are closed, as far as a page needs it, where nothing in them differs.
    """
    changes = [change for change in difference.networks if change] or difference.networks
    depth = None if expand else fitting_depth([joined(change)[0] for change in changes])
    look = Look(expand, depth)
    return Picture(title, [network_diagram(change, look) for change in changes], scale, look=look)


def network_diagram(change: NetworkChange, look: Look | None = None) -> Diagram:
    """Both versions of a network; one that is new or gone is marked as a whole."""
    look = look or Look()
    graph, marks = joined(change)
    drawn = faded(diagram(graph, look=look, marks=marks))
    drawn.frame.note = _note(change)
    drawn.frame.details, drawn.frame.entries = _about(change)
    if drawn.expanded is not None:
        drawn.expanded = partial(network_diagram, change, replace(look, expand=True, depth=None))
    return drawn


def _note(change: NetworkChange) -> str:
    """What stands beside a network's name: its parameters before and after."""
    if change.before is None or change.after is None:
        graph = change.after or change.before
        assert graph is not None
        return f"{'added' if change.after else 'removed'}, {amount(graph.parameters)} parameters"
    both = [amount(graph.parameters) for graph in (change.before, change.after)]
    name = f"was {change.before.name}, " if change.before.name != change.after.name else ""
    return f"{name}{' -> '.join(dict.fromkeys(both))} parameters"


def _about(change: NetworkChange) -> tuple[str, tuple[Entry, ...]]:
    """What is told of a network: the sums of its new version, and those it had. What is drawn is both in one."""
    graph = change.after or change.before
    assert graph is not None
    entry, details = entry_of_network(graph), network_details(graph)
    if change.before is None or change.after is None:
        return f"{details}\n{'added' if change.after else 'removed'}", (entry,)
    before = entry_of_network(change.before).facts
    was = {f"{key} before": before[key] for key in SUMS if before[key] != entry.facts[key]}
    return details, (replace(entry, facts={**entry.facts, **was}),)


def joined(change: NetworkChange) -> tuple[Graph, Marks]:
    """The blocks of both versions as one graph, and the marks of those that differ."""
    if change.before is None or change.after is None:
        graph = change.after or change.before
        assert graph is not None
        mark: Mark = "added" if change.after else "removed"
        signals = {
            (signal.producer, signal.port, index): mark
            for index, node in enumerate(graph.nodes)
            for signal in node.inputs
        }
        outputs = dict.fromkeys(graph.outputs, Marked(mark))
        return graph, Marks(dict.fromkeys(range(len(graph.nodes)), Marked(mark)), signals, outputs)
    return _Join(change, change.before, change.after).run()


class _Join:
    """Builds the graph: `from_before` and `from_after` give the new index of each block of a version."""

    def __init__(self, change: NetworkChange, before: Graph, after: Graph) -> None:
        self.change = change
        self.before = before
        self.after = after
        self.order = joined_order(before, after, change.pairs)
        self.from_before = {here: place for place, (here, _) in enumerate(self.order) if here is not None}
        self.from_after = {there: place for place, (_, there) in enumerate(self.order) if there is not None}
        self.scopes = dict(self._scopes())

    def run(self) -> tuple[Graph, Marks]:
        nodes: list[Node] = []
        signals: dict[tuple[int, str, int], Mark] = {}
        for place, (here, there) in enumerate(self.order):
            old = self._earlier(self.before, here, self.from_before, place)
            new = self._earlier(self.after, there, self.from_after, place)
            gone = [signal for signal in old if _key(signal) not in set(map(_key, new))]
            nodes.append(self._node(here, there, (*new, *gone)))
            known = set(map(_key, old))
            signals |= {(*_key(signal), place): "removed" for signal in gone}
            signals |= {(*_key(signal), place): "added" for signal in new if _key(signal) not in known}
        outputs, marked = self._outputs()
        blocks = dict(sorted(self._blocks()))
        graph = Graph(
            self.after.name, tuple(nodes), outputs, self.after.span, self.after.options, self.after.weights
        )
        return graph, Marks(blocks, signals, marked)

    def _earlier(
        self, graph: Graph, index: int | None, places: dict[int, int], place: int
    ) -> tuple[Signal, ...]:
        """What a block of one version reads, of what stands before it here."""
        signals = graph.nodes[index].inputs if index is not None else ()
        return tuple(
            signal._replace(producer=places[signal.producer])
            for signal in signals
            if places[signal.producer] < place
        )

    def _node(self, here: int | None, there: int | None, inputs: tuple[Signal, ...]) -> Node:
        """The block as it is now, or as it was."""
        if there is not None:
            node = self.after.nodes[there]
            place = self.from_after[there]
        else:
            assert here is not None
            node = self.before.nodes[here]
            place = self.from_before[here]
            scopes = tuple(self._scope(scope) for scope in node.scopes)
            node = node._replace(path=self._path(node, scopes), scopes=scopes)
        outputs = {port: signal._replace(producer=place) for port, signal in node.outputs.items()}
        return node._replace(inputs=inputs, outputs=outputs)

    # --- uses of templates

    def _scopes(self) -> Iterator[tuple[str, Scope]]:
        """For each use in the first version, by path, what it is in the second."""
        for here, there in self.change.pairs.items():
            old, new = self.before.nodes[here].scopes, self.after.nodes[there].scopes
            if len(old) == len(new):
                yield from ((one.path, other) for one, other in zip(old, new, strict=True))

    def _scope(self, scope: Scope) -> Scope:
        known = self.scopes.get(scope.path)
        if known is not None:
            return known
        outer = scope.path
        while outer and outer not in self.scopes:
            outer = outer.rpartition(".")[0]
        rest = scope.path[len(outer) :].lstrip(".")
        around = self.scopes[outer].path if outer else ""
        return replace(scope, path=".".join(filter(None, (around, GONE, rest))))

    @staticmethod
    def _path(node: Node, scopes: Sequence[Scope]) -> str:
        if not scopes:
            return f"{GONE}.{node.path}"
        return f"{scopes[-1].path}.{GONE}.{node.path[len(node.scopes[-1].path) :].lstrip('.')}"

    # --- marks

    def _blocks(self) -> Iterator[tuple[int, Marked]]:
        """The marks of blocks. What changed in a template is drawn where it is met first."""
        for group in written_together(self.change):
            first = self.change.node(group[0])
            for block in group:
                is_first = place_of(self.change.node(block)) == place_of(first)
                message = _message(block)
                drawn = f"as {first.path}" if message and not is_first else None
                yield self._place(block), Marked(_mark(block), message, drawn)

    def _place(self, block: BlockChange) -> int:
        if block.after is not None:
            return self.from_after[block.after]
        assert block.before is not None
        return self.from_before[block.before]

    def _outputs(self) -> tuple[dict[str, Signal], dict[str, Marked]]:
        """The outputs of both versions, and the marks of those that differ."""
        outputs = {
            name: signal._replace(producer=self.from_after[signal.producer])
            for name, signal in self.after.outputs.items()
        }
        marked: dict[str, Marked] = {}
        for change in self.change.outputs:
            if change.after is None:
                signal = self.before.outputs[change.what]
                outputs[change.what] = signal._replace(producer=self.from_before[signal.producer])
            added, removed = change.before is None, change.after is None
            text = "" if added or removed else f"{change.before} -> {change.after}"
            marked[change.what] = Marked("added" if added else "removed" if removed else "changed", text)
        return outputs, marked


def _key(signal: Signal) -> tuple[int, str]:
    return signal.producer, signal.port


def _mark(block: BlockChange) -> Mark:
    assert block.status != "follows"
    return block.status


def _message(block: BlockChange) -> str:
    """A changed block's options, a line each; its shape is on the line below it."""
    shapes = [effect for effect in block.effects if effect.what.startswith("shape")]
    rows: list[Change] = [*block.changes, *shapes] if block.status == "changed" else []
    return "\n".join(change_text(row, nothing="none") for row in rows)  # a dash beside an arrow is no word
