"""Where items go and how lines run between them: pure geometry, knowing neither networks nor colours.

A line leaves an item downwards, runs sideways to the lane of its branch (see `netcfg.draw.lanes`), down that
lane, and into the side of the item it ends in; on the spine, and within a branch, straight from item to item.

Heights are found row by row. Each lane remembers how far down it is taken; an item, or a stretch of line that
runs across lanes, goes below whatever is there. So nothing can overlap, and lanes that do not touch
fill at their own pace. Units: those of the sizes given, y downwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from netcfg.draw.lanes import Branch, Item, Lanes, Link, Port
from netcfg.draw.ranges import Highest

Point = tuple[float, float]

ARROW_GAP = 16.0
"""From whatever is above an item to its upper edge: room for an arrow head."""
LINE_GAP = 9.0
"""Between a line and what is above it."""
FORK_GAP = 6.0
"""The same for the line sideways under an item."""
SIDE_GAP = 12.0
"""Between lines that enter one side of an item that is high enough; and from what is there to a trunk."""
LANE_GAP = 22.0
"""From an item to whatever stands further in."""
LABEL_PAD = 8.0
"""On either side of the labels of several ports."""


@dataclass(slots=True)
class Placement:
    """The result. Items may have got wider, and their ports moved; `corners` are their upper left ones.

    `routes` are the corners of each link's line from item to item, `lines` what is left of them where another
    line of the same signal, drawn already, comes as far as one of the `dots`. All of it lies between (0, 0)
    and (`width`, `height`); `axis` is the x of the spine.
    """

    width: float
    height: float
    axis: float
    items: list[Item]
    corners: list[Point]
    routes: list[tuple[Point, ...]]
    lines: list[tuple[Point, ...]]
    dots: list[Point]


def arrange(items: Sequence[Item], links: Sequence[Link]) -> Placement:
    """Place the items and route the links. Links lead from earlier items to later ones."""
    lanes = Lanes(items, links)
    spread = [spread_ports(item, index, lanes) for index, item in enumerate(items)]
    return _Arrangement(spread, lanes).placement()


def spread_ports(item: Item, index: int, lanes: Lanes) -> Item:
    """The item of that index with its ports side by side, in the order of the lanes they lead to."""
    if not item.spread or len(item.ports) < 2:
        return item
    targets: list[list[int]] = [[] for _ in item.ports]
    main = 0
    for link in lanes.out[index]:
        port = lanes.links[link].port
        targets[port].append(lanes.lane[lanes.links[link].target])
        main = port if link in lanes.straight else main
    order = sorted(
        range(len(item.ports)), key=lambda port: (sum(targets[port]) / max(len(targets[port]), 1), port)
    )
    return _with_ports(item, order, main)


def _with_ports(item: Item, order: list[int], main: int) -> Item:
    """Set the ports from left to right, port `main` on the axis, and make the item wide enough."""
    x, starts = 0.0, {}
    for port in order:
        starts[port] = x
        x += item.ports[port].label_width + 2 * LABEL_PAD
    ports = [replace(port, offset=starts[place] - starts[main]) for place, port in enumerate(item.ports)]
    left = max(item.axis, starts[main] + LABEL_PAD)
    right = max(item.width - item.axis, x - starts[main] - LABEL_PAD)
    return replace(item, width=left + right, axis=left, ports=tuple(ports))


class _Arrangement:
    """Heights first, then the x of the lanes, then the lines."""

    def __init__(self, items: list[Item], lanes: Lanes) -> None:
        self.items = items
        self.lanes = lanes
        self.links = lanes.links
        self.lane = lanes.lane
        self.entered = {link: place for place, branch in enumerate(lanes.branches) for link in branch.entries}
        self.entry_lane = {link: lanes.branches[place].lane for link, place in self.entered.items()}
        self.exit_lane = {link: branch.lane for branch in lanes.branches for link in branch.exits}
        self.frontier: defaultdict[int, float] = defaultdict(float)
        self.top = [0.0] * len(items)
        self.fork_y: dict[tuple[int, int], float] = {}
        self.join_y: dict[int, float] = {}
        self.axis: list[float] = []
        self.branch_x: list[float] = []

    def placement(self) -> Placement:
        self.fill_rows()
        height = self.align_last()
        columns = _Columns(self)
        left, right = columns.left, columns.right
        self.axis = [columns.of_item[index] - left for index in range(len(self.items))]
        self.branch_x = [x - left for x in columns.of_branch]
        corners = [
            (axis - item.axis, top) for item, axis, top in zip(self.items, self.axis, self.top, strict=True)
        ]
        routes = [self.route(index) for index in range(len(self.links))]
        parts = self.partings(routes)
        lines = [_after(route, parts[link]) if link in parts else route for link, route in enumerate(routes)]
        dots = list(dict.fromkeys(parts.values()))
        return Placement(right - left, height, -left, self.items, corners, routes, lines, dots)

    # --- heights ------------------------------------------------------------------------------------------

    def fill_rows(self) -> None:
        """Set the heights of items and of lines across lanes, row by row."""
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for index, rank in enumerate(self.lanes.rank):
            rows[rank].append(index)
        for rank in sorted(rows):
            row = sorted(rows[rank], key=lambda index: abs(self.lane[index]))
            for index in row:
                self.place(index)
            for index in row:
                self.fork(index)

    def place(self, index: int) -> None:
        """Set an item below its lane's frontier, and low enough for the lines that enter its sides."""
        item, lane = self.items[index], self.lane[index]
        joins = self.side_offsets(index)
        is_entered = len(self.lanes.into[index]) > len(joins)
        top = self.frontier[lane] + (ARROW_GAP if is_entered and not item.last else 0.0)
        for link, offset in joins.items():
            lowest = max(self.frontier[crossed] for crossed in _between(self.exit_lane[link], lane))
            top = max(top, lowest + LINE_GAP - offset)
        self.top[index] = top
        has_label = bool(self.lanes.out[index])
        self.frontier[lane] = (
            top + item.height + (max(port.label_height for port in item.ports) if has_label else 0.0)
        )
        for link, offset in joins.items():
            self.join_y[link] = top + offset
            for crossed in _between(self.exit_lane[link], lane):
                self.frontier[crossed] = max(self.frontier[crossed], top + offset + LINE_GAP)

    def side_offsets(self, index: int) -> dict[int, float]:
        """How far below the item's upper edge each line enters, those of inner lanes above the others."""
        item, lane = self.items[index], self.lane[index]
        joins = [link for link in self.lanes.into[index] if link in self.exit_lane]
        joins.sort(key=lambda link: abs(self.exit_lane[link] - lane))
        middle = item.height / 2 if item.side_top is None else item.side_top
        offsets = {}
        for side in (1, -1):
            here = [link for link in joins if (self.exit_lane[link] - lane) * side > 0]
            step = min(SIDE_GAP, 2 * middle / (len(here) + 1))
            for place, link in enumerate(here):
                offsets[link] = middle + (place - (len(here) - 1) / 2) * step
        return offsets

    def fork(self, index: int) -> None:
        """Set the heights at which an item's signals run sideways, uppermost those that go furthest."""
        lane = self.lane[index]
        reached: dict[int, list[int]] = {}
        for link in self.lanes.out[index]:
            if link in self.entry_lane:
                reached.setdefault(self.links[link].port, [lane]).append(self.entry_lane[link])
        lowest = 0.0
        for port, lanes in sorted(reached.items(), key=lambda entry: min(entry[1]) - max(entry[1])):
            covered = range(min(lanes), max(lanes) + 1)
            height = max(self.frontier[crossed] for crossed in covered) + FORK_GAP
            self.fork_y[index, port] = height
            self.frontier.update(dict.fromkeys(covered, height))
            lowest = max(lowest, height)
        for crossed in (crossed for lanes in reached.values() for crossed in lanes):
            self.frontier[crossed] = lowest  # what the signals of one item lead to stands side by side

    def align_last(self) -> float:
        """Bring the `last` items down to one height; the height of it all."""
        bottoms = [top + item.height for top, item in zip(self.top, self.items, strict=True)]
        height = max([*bottoms, *self.frontier.values()], default=0.0)
        self.top = [height if item.last else top for item, top in zip(self.items, self.top, strict=True)]
        return height

    # --- lines --------------------------------------------------------------------------------------------

    def route(self, index: int) -> tuple[Point, ...]:
        """The corners of one link's line."""
        link = self.links[index]
        source, target = self.items[link.source], self.items[link.target]
        x, axis = self.axis[link.source] + source.ports[link.port].offset, self.axis[link.target]
        points = [(x, self.top[link.source] + source.height)]
        if index in self.entered:
            height, branch_x = self.fork_y[link.source, link.port], self.branch_x[self.entered[index]]
            points += [(x, height), (branch_x, height)]
            x = branch_x
        if index in self.join_y:
            side = axis - target.axis + (0.0 if x < axis else target.width)
            points += [(x, self.join_y[index]), (side, self.join_y[index])]
        else:
            height = self.turns_at(index)
            points += [(x, height), (axis, height), (axis, self.top[link.target])]
        return _simplified(points)

    def turns_at(self, index: int) -> float:
        """The height at which a straight line turns to its axis: where its signal parts, if the item gives no other.

        Lines of several signals would meet there.
        """
        link = self.links[index]
        above = self.top[link.target] - ARROW_GAP + 3.0
        if len(self.items[link.source].ports) > 1:
            return above
        return self.fork_y.get((link.source, link.port), above)

    def partings(self, routes: list[tuple[Point, ...]]) -> dict[int, Point]:
        """Where lines leave another line of their signal; nothing for those that do not."""
        parts: dict[int, Point] = {}
        for (source, port), height in self.fork_y.items():
            mine = [link for link in self.lanes.out[source] if self.links[link].port == port]
            start = routes[mine[0]][0][0]
            befores = _stops_before(start, {link: _turn(routes[link], height) for link in mine})
            parts.update((link, (before, height)) for link, before in befores.items())
        for branch, x in zip(self.lanes.branches, self.branch_x, strict=True):
            lowest = max((self.join_y[link] for link in branch.exits), default=0.0)
            higher = [link for link in branch.exits if self.join_y[link] < lowest]
            parts.update((link, (x, self.join_y[link])) for link in higher)
        return parts


class _Columns:
    """The x of everything: each branch as close to the spine as what stands beside it at its height allows.

    At every height the order from the spine outwards is that of the lanes, so that lines that run sideways
    from one lane to another, for which the heights leave room, meet nothing here either.
    """

    def __init__(self, arrangement: _Arrangement) -> None:
        self.filled = arrangement
        self.lanes = arrangement.lanes
        self.of_item = [0.0] * len(arrangement.items)
        self.of_branch = [0.0] * len(self.lanes.branches)
        ranges = [self.branch_range(branch) for branch in self.lanes.branches]
        marks = {height for each in ranges for height in each}
        marks.update(
            height for item in range(len(self.of_item)) for each in self.blocks(item) for height in each[:2]
        )
        self.row = {height: row for row, height in enumerate(sorted(marks))}
        self.reached = {side: Highest(len(self.row)) for side in (1, -1)}
        self.left = self.right = 0.0
        branched = {item for branch in self.lanes.branches for item in branch.items}
        for item in range(len(self.of_item)):
            if item not in branched:
                self.settle(item, 0.0)
        for place in sorted(range(len(ranges)), key=lambda place: abs(self.lanes.branches[place].lane)):
            self.stand(place, ranges[place])

    def blocks(self, index: int) -> list[tuple[float, float, float, float]]:
        """An item and what is below its ports: from height to height, so far left and right of its axis."""
        item, top = self.filled.items[index], self.filled.top[index]
        bottom = top + item.height
        blocks = [(top, bottom, item.axis, item.width - item.axis)]
        for link in self.lanes.out[index]:
            port = item.ports[self.filled.links[link].port]
            blocks.append((bottom, bottom + port.label_height, 0.0, port.offset + port.label_width))
            if port.offset:
                blocks.append((bottom, self.descends_to(link), -port.offset, port.offset))
        return list(dict.fromkeys(blocks))

    def descends_to(self, link: int) -> float:
        """How far down a line runs before it turns aside."""
        filled, ends = self.filled, self.filled.links[link]
        if link in filled.join_y and link not in filled.entered:
            return filled.join_y[link]
        if link in filled.entered or len(filled.items[ends.source].ports) == 1:
            return filled.fork_y.get((ends.source, ends.port), filled.top[ends.target])
        return filled.top[ends.target]

    def branch_range(self, branch: Branch) -> tuple[float, float]:
        """From where a branch's lane is entered, or begins, to its lowest exit, or fork, or item."""
        filled = self.filled
        heights = [
            filled.fork_y[filled.links[link].source, filled.links[link].port] for link in branch.entries[:1]
        ]
        heights += [filled.join_y[link] for link in branch.exits]
        for item in branch.items:
            heights += [filled.top[item], filled.top[item] + filled.items[item].height]
            heights += [
                filled.fork_y[item, port]
                for port in range(len(filled.items[item].ports))
                if (item, port) in filled.fork_y
            ]
        return min(heights), max(heights)

    def stand(self, place: int, heights: Point) -> None:
        """Give a branch its x, next to what is there already."""
        branch = self.lanes.branches[place]
        side = 1 if branch.lane > 0 else -1
        out = max(
            side * self.port_x(branch), self.over(side, *heights, after=bool(branch.entries)) + SIDE_GAP
        )
        for item in branch.items:
            for top, bottom, left, right in self.blocks(item):
                out = max(out, self.over(side, top, bottom) + LANE_GAP + (left if side > 0 else right))
        self.of_branch[place] = side * out
        self.reached[side].raise_to(self.row[heights[0]], self.row[heights[1]], out)
        self.left, self.right = min(self.left, side * out), max(self.right, side * out)
        for item in branch.items:
            self.settle(item, side * out)

    def port_x(self, branch: Branch) -> float:
        """Where the line that enters a branch comes from: to turn back from there would cross other lines.

        An item's only signal, if it goes on straight as well, turns back to its axis in any case, and the branch on
        the way there.
        """
        if not branch.entries:
            return 0.0
        link = self.lanes.links[branch.entries[0]]
        ports = self.filled.items[link.source].ports
        if len(ports) == 1 and any(other in self.lanes.straight for other in self.lanes.out[link.source]):
            return self.of_item[link.source]
        return self.of_item[link.source] + ports[link.port].offset

    def over(self, side: int, top: float, bottom: float, after: bool = False) -> float:
        """How far out things reach from `top` to `bottom`, or from `after` it on."""
        return self.reached[side].over(self.row[top] + after, self.row[bottom])

    def settle(self, index: int, axis: float) -> None:
        """Set an item's axis, and take note of how far it reaches."""
        self.of_item[index] = axis
        for top, bottom, left, right in self.blocks(index):
            rows = self.row[top], self.row[bottom]
            for side, reach in ((1, axis + right), (-1, left - axis)):
                if reach > 0:
                    self.reached[side].raise_to(*rows, reach)
            self.left, self.right = min(self.left, axis - left), max(self.right, axis + right)


def _stops_before(start: float, turns: dict[int, float]) -> dict[int, float]:
    """Lines run sideways from `start`, each to its turn: the turn before it on its way, or the start.

    The nearest line on a side has none where nothing else leaves the start.
    """
    befores: dict[int, float] = {}
    for side in (1, -1):
        beyond = {link: turn for link, turn in turns.items() if (turn - start) * side > 0}
        stops = sorted(set(beyond.values()), reverse=side < 0)
        before = dict(zip(stops, [start, *stops], strict=False))
        is_only_way = len(beyond) == len(turns)
        for link, turn in beyond.items():
            if not (is_only_way and turn == stops[0]):
                befores[link] = before[turn]
    return befores


def _turn(route: tuple[Point, ...], height: float) -> float:
    """The x at which a line, having run sideways at `height` or not, goes on downwards."""
    return route[2][0] if len(route) > 2 and route[1][1] == height else route[0][0]


def _after(route: tuple[Point, ...], part: Point) -> tuple[Point, ...]:
    """What is left of a line from a point on it."""
    for place, (first, second) in enumerate(zip(route, route[1:], strict=False)):
        if _lies_between(first, part, second):
            rest = route[place + 1 :]
            return rest if rest[0] == part else (part, *rest)
    return route


def _lies_between(first: Point, point: Point, second: Point) -> bool:
    low, high = sorted((first, second))
    return low[0] <= point[0] <= high[0] and min(low[1], high[1]) <= point[1] <= max(low[1], high[1])


def _between(lane: int, target: int) -> range:
    """The lanes a line crosses from its own to its target's: its own included, the target's not."""
    return range(lane, target, 1 if target > lane else -1)


def _simplified(points: list[Point]) -> tuple[Point, ...]:
    """Without points that repeat, or lie on the way between their neighbours."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and (_level(0, kept[-2], kept[-1], point) or _level(1, kept[-2], kept[-1], point)):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _level(axis: int, first: Point, second: Point, third: Point) -> bool:
    return first[axis] == second[axis] == third[axis]


__all__ = ["Item", "Link", "Placement", "Port", "arrange", "spread_ports"]
