"""Which lane everything belongs to: the spine to 0, branches to 1, 2, ... right, -1, -2, ... left of it.

The heaviest path is the *spine*. Every other path is a *branch*, and so is every signal that cannot run
straight from one item to the next below it: such a signal has a lane to itself, a *trunk*, from which all its
readers are served. What is written before the spine goes to its left, what is written after it to its right.
Shorter branches get the inner lanes, so that branches that nest do not cross.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from netcfg.draw.ranges import Crossings, Highest


@dataclass(frozen=True, slots=True)
class Port:
    """A place on the lower edge where lines leave: `offset` from the item's axis, and its label's size."""

    offset: float = 0.0
    label_width: float = 0.0
    label_height: float = 0.0


@dataclass(frozen=True, slots=True)
class Item:
    """Something with a size. `axis` is how far from its left edge its lane's axis runs.

    Lines enter its sides around `side_top` below its upper edge; None: around its middle. `weight` is how
    many boxes it holds. `last` items, the exits of a frame, stand at the bottom. Where `spread` is set, the
    layout sets the offsets of several ports, and may move the axis and widen the item for them.
    """

    width: float
    height: float
    axis: float
    ports: tuple[Port, ...] = (Port(),)
    side_top: float | None = None
    weight: int = 1
    last: bool = False
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line from a port of item `source` to item `target` (indices)."""

    source: int
    target: int
    port: int = 0


@dataclass(slots=True)
class Branch:
    """A path beside the spine: the links that enter its lane, its items, the links that leave it.

    Of a trunk, which has no items, the same links do both. It takes the half rows `low`..`high`: an item in
    row r takes 2r, the gap below it 2r + 1.
    """

    entries: list[int]
    items: list[int]
    exits: list[int]
    low: int
    high: int
    lane: int = 0


class Lanes:
    """The result: for each item its row (`rank`) and its lane, and the branches."""

    def __init__(self, items: Sequence[Item], links: Sequence[Link]) -> None:
        self.items = items
        self.links = links
        self.out: list[list[int]] = [[] for _ in items]
        self.into: list[list[int]] = [[] for _ in items]
        for index, link in enumerate(links):
            self.out[link.source].append(index)
            self.into[link.target].append(index)
        self.rank = self._ranks()
        self.chains: list[list[int]] = []
        self.chain_of = [0] * len(items)
        self.straight: set[int] = set()
        self._find_chains()
        self.branches = self._branches()
        self.lane = [0] * len(items)
        self._assign()

    # --- which item follows which ------------------------------------------------------------------------

    def _ranks(self) -> list[int]:
        """The row of each item: one below the lowest that it reads; `last` items below all."""
        rank = [0] * len(self.items)
        for index in range(len(self.items)):
            rank[index] = max((rank[self.links[link].source] + 1 for link in self.into[index]), default=0)
        bottom = max(rank, default=0) + 1
        return [bottom if item.last else row for item, row in zip(self.items, rank, strict=True)]

    def _find_chains(self) -> None:
        """Split the items into straight paths. The first, and heaviest, is the spine."""
        below = self._weight_below()
        taken: set[int] = set()
        sources = [index for index in range(len(self.items)) if not self.into[index]]
        spine = max(sources, key=lambda index: (below[index], -index), default=0)
        for start in [spine, *range(len(self.items))] if sources else []:
            if start in taken:
                continue
            chain = self._follow(start, below, taken)
            for member in chain:
                self.chain_of[member] = len(self.chains)
            self.chains.append(chain)

    def _weight_below(self) -> list[int]:
        """For each item the weight of the heaviest path that starts there."""
        below = [0] * len(self.items)
        for index in reversed(range(len(self.items))):
            heaviest = max((below[self.links[link].target] for link in self.out[index]), default=0)
            below[index] = heaviest + self.items[index].weight
        return below

    def _follow(self, start: int, below: list[int], taken: set[int]) -> list[int]:
        """From an item on, always to the free item with the heaviest path below it."""
        chain = [start]
        taken.add(start)
        while True:
            free = [link for link in self.out[chain[-1]] if self.links[link].target not in taken]
            if not free:
                return chain
            link = max(free, key=lambda link: (below[self.links[link].target], -link))
            self.straight.add(link)
            chain.append(self.links[link].target)
            taken.add(chain[-1])

    def _branches(self) -> list[Branch]:
        """A branch for each chain but the spine, and a trunk for each signal with links in no chain."""
        entries = {chain[0]: self._entry(chain[0]) for chain in self.chains[1:]}
        used = self.straight | {link for links in entries.values() for link in links}
        branches = []
        for chain in self.chains[1:]:
            exits = self._exits(chain[-1], used)
            used.update(exits)
            branches.append(self._branch(entries[chain[0]], chain, exits))
        trunks: dict[tuple[int, int], list[int]] = {}
        for index, link in enumerate(self.links):
            if index not in used:
                trunks.setdefault((link.source, link.port), []).append(index)
        return branches + [self._branch(links, [], links) for links in trunks.values()]

    def _entry(self, head: int) -> list[int]:
        """The link that enters a chain from above: the one with the shortest way."""
        links = sorted(self.into[head], key=lambda link: -self.rank[self.links[link].source])
        return links[:1]

    def _exits(self, tail: int, used: set[int]) -> list[int]:
        """The links that go on down a chain's lane: those of the signal that is read first."""
        free = [link for link in self.out[tail] if link not in used]
        first = min(free, key=lambda link: self.rank[self.links[link].target], default=None)
        return [
            link for link in free if first is not None and self.links[link].port == self.links[first].port
        ]

    def _branch(self, entries: list[int], chain: list[int], exits: list[int]) -> Branch:
        if entries:
            low = 2 * self.rank[self.links[entries[0]].source] + 1
        else:
            low = 2 * self.rank[chain[0]]
        if exits:
            high = 2 * max(self.rank[self.links[link].target] for link in exits)
        else:
            high = 2 * self.rank[chain[-1]] + bool(self.out[chain[-1]])
        return Branch(entries, chain, exits, low, high)

    # --- which lane ---------------------------------------------------------------------------------------

    def _assign(self) -> None:
        """Give each branch a lane, shorter ones further in; what hangs on a branch shares its side."""
        rows = 2 * (max(self.rank, default=0) + 1)
        sides = {1: _Side(rows), -1: _Side(rows)}
        wished = [self._wished_side(branch) for branch in self.branches]
        order = sorted(range(len(self.branches)), key=lambda index: self._order(index, wished[index]))
        chosen: dict[int, int] = {}
        for index in order:
            branch, root = self.branches[index], self._root(self.branches[index])
            side = chosen.get(root) or _free_side(branch, wished[index], sides)
            if root:
                chosen[root] = side
            branch.lane = side * sides[side].take(branch.low, branch.high)
            for item in branch.items:
                self.lane[item] = branch.lane

    def _order(self, index: int, side: int) -> tuple[int, int, int]:
        """Short branches first, of equal ones those with more boxes, then those nearer in the file."""
        branch = self.branches[index]
        return branch.high - branch.low, -len(branch.items), side * index

    def _wished_side(self, branch: Branch) -> int:
        """Left (-1) of the spine if written before what stands on the spine at that height, else right."""
        if not branch.items:
            return 1
        head, spine = branch.items[0], self.chains[0]
        level = bisect_left(spine, self.rank[head], key=lambda item: self.rank[item])
        return -1 if head < spine[min(level, len(spine) - 1)] else 1

    def _root(self, branch: Branch) -> int:
        """The chain whose side a branch shares: of those it begins in, is, and ends in."""
        ends = [self.chain_of[self.links[link].source] for link in branch.entries[:1]]
        ends += [self.chain_of[item] for item in branch.items[:1]]
        ends += [self.chain_of[self.links[link].target] for link in branch.exits[:1]]
        return next((chain for chain in ends if chain), 0)


class _Side:
    """The lanes on one side of the spine: how far out half rows are taken, and what would cross."""

    def __init__(self, rows: int) -> None:
        self.taken = Highest(rows)
        self.ranges = Crossings(rows)

    def take(self, low: int, high: int) -> int:
        """Take the innermost lane outside all others in these rows; its number, from 1."""
        lane = int(self.taken.over(low, high)) + 1
        self.taken.raise_to(low, high, lane)
        self.ranges.add(low, high)
        return lane


def _free_side(branch: Branch, wished: int, sides: dict[int, _Side]) -> int:
    """The side it wishes, unless it crosses other branches there and none on the other."""
    crosses = sides[wished].ranges.crosses(branch.low, branch.high)
    return -wished if crosses and not sides[-wished].ranges.crosses(branch.low, branch.high) else wished
