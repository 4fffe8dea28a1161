// Where items go and how lines run between them, for items whose sizes change as they are folded: what
// netcfg/draw/layout.py does, by the same steps under the same names. Which lane everything belongs to does not
// depend on sizes and comes with the data.

/** The sizes and colours that all formats share; set when the data is read. */
let sizes = {};

/** Numbers by key, 0 where there is none yet. */
class Frontier extends Map {
  at(key) { return this.get(key) ?? 0; }
  most(keys) { return Math.max(...keys.map((key) => this.at(key))); }
}

/** The lanes a line crosses from its own to its target's: its own included, the target's not. */
function between(lane, target) {
  const step = target > lane ? 1 : -1;
  return Array.from({length: Math.abs(target - lane)}, (_, place) => lane + place * step);
}

/** What is asked of a level's links again and again, found once. */
function indexed(links) {
  if (links.into) return links;
  const count = links.rank.length;
  Object.assign(links, {into: [], out: [], entered: new Map(), entryLane: new Map(), exitLane: new Map()});
  for (let item = 0; item < count; item += 1) links.into.push([]), links.out.push([]);
  links.rows.forEach(([source, , target], link) => links.out[source].push(link) && links.into[target].push(link));
  links.branches = links.branches.map(([lane, entries, items, exits]) => ({lane, entries, items, exits}));
  links.branches.forEach((branch, place) => {
    for (const link of branch.entries) links.entered.set(link, place), links.entryLane.set(link, branch.lane);
    for (const link of branch.exits) links.exitLane.set(link, branch.lane);
  });
  return links;
}

/** Place the items of a level and route its links. */
function arrange(items, links) {
  return new Arrangement(items, indexed(links)).placement();
}

/** Heights first, then the x of the lanes, then the lines. */
class Arrangement {
  constructor(items, links) {
    Object.assign(this, {items, links, frontier: new Frontier(), forkY: new Map(), joinY: new Map()});
    this.top = items.map(() => 0);
  }

  placement() {
    this.fillRows();
    const height = this.alignLast();
    const columns = new Columns(this);
    const {left, right} = columns;
    this.axis = columns.ofItem.map((x) => x - left);
    this.branchX = columns.ofBranch.map((x) => x - left);
    const corners = this.items.map((item, index) => [this.axis[index] - item.axis, this.top[index]]);
    const routes = this.links.rows.map((_, link) => this.route(link));
    const parts = this.partings(routes);
    const lines = routes.map((route, link) => (parts.has(link) ? after(route, parts.get(link)) : route));
    const dots = [...new Map([...parts.values()].map((dot) => [dot.join(), dot])).values()];
    return {width: right - left, height, axis: -left, corners, routes, lines, dots};
  }

  // --- heights

  fillRows() {
    const rows = new Map();
    this.links.rank.forEach((rank, item) => rows.set(rank, [...(rows.get(rank) ?? []), item]));
    const {lane} = this.links;
    for (const rank of [...rows.keys()].sort((a, b) => a - b)) {
      const row = rows.get(rank).sort((a, b) => Math.abs(lane[a]) - Math.abs(lane[b]));
      row.forEach((item) => this.place(item));
      row.forEach((item) => this.fork(item));
    }
  }

  /** Set an item below its lane's frontier, and low enough for the lines that enter its sides. */
  place(index) {
    const item = this.items[index], lane = this.links.lane[index], {frontier} = this;
    const joins = this.sideOffsets(index);
    const isEntered = this.links.into[index].length > joins.size;
    let top = frontier.at(lane) + (isEntered && !item.last ? sizes.ARROW_GAP : 0);
    for (const [link, offset] of joins) {
      const lowest = frontier.most(between(this.links.exitLane.get(link), lane));
      top = Math.max(top, lowest + sizes.LINE_GAP - offset);
    }
    this.top[index] = top;
    const hasLabel = this.links.out[index].length > 0;
    const label = hasLabel ? Math.max(...item.ports.map((port) => port.labelHeight)) : 0;
    frontier.set(lane, top + item.height + label);
    for (const [link, offset] of joins) {
      this.joinY.set(link, top + offset);
      for (const crossed of between(this.links.exitLane.get(link), lane)) {
        frontier.set(crossed, Math.max(frontier.at(crossed), top + offset + sizes.LINE_GAP));
      }
    }
  }

  /** How far below the item's upper edge each line enters, those of inner lanes above the others. */
  sideOffsets(index) {
    const item = this.items[index], lane = this.links.lane[index], {exitLane} = this.links;
    const far = (link) => Math.abs(exitLane.get(link) - lane);
    const joins = this.links.into[index].filter((link) => exitLane.has(link)).sort((a, b) => far(a) - far(b));
    const middle = item.sideTop ?? item.height / 2;
    const offsets = new Map();
    for (const side of [1, -1]) {
      const here = joins.filter((link) => (exitLane.get(link) - lane) * side > 0);
      const step = Math.min(sizes.SIDE_GAP, (2 * middle) / (here.length + 1));
      here.forEach((link, place) => offsets.set(link, middle + (place - (here.length - 1) / 2) * step));
    }
    return offsets;
  }

  /** Set the heights at which an item's signals run sideways, uppermost those that go furthest. */
  fork(index) {
    const lane = this.links.lane[index], reached = new Map(), {frontier} = this;
    for (const link of this.links.out[index]) {
      if (!this.links.entryLane.has(link)) continue;
      const port = this.links.rows[link][1];
      if (!reached.has(port)) reached.set(port, [lane]);
      reached.get(port).push(this.links.entryLane.get(link));
    }
    const width = ([, lanes]) => Math.min(...lanes) - Math.max(...lanes);
    let lowest = 0;
    for (const [port, lanes] of [...reached].sort((a, b) => width(a) - width(b))) {
      const covered = between(Math.min(...lanes), Math.max(...lanes) + 1);
      const height = frontier.most(covered) + sizes.FORK_GAP;
      this.forkY.set(`${index} ${port}`, height);
      for (const crossed of covered) frontier.set(crossed, height);
      lowest = Math.max(lowest, height);
    }
    for (const lanes of reached.values()) for (const crossed of lanes) frontier.set(crossed, lowest);
  }

  /** Bring the `last` items down to one height; the height of it all. */
  alignLast() {
    const bottoms = this.items.map((item, index) => this.top[index] + item.height);
    const height = Math.max(0, ...bottoms, ...this.frontier.values());
    this.items.forEach((item, index) => { if (item.last) this.top[index] = height; });
    return height;
  }

  // --- lines

  /** The corners of one link's line. */
  route(link) {
    const [source, port, target] = this.links.rows[link];
    const from = this.items[source], to = this.items[target], axis = this.axis[target];
    let x = this.axis[source] + from.ports[port].offset;
    const points = [[x, this.top[source] + from.height]];
    if (this.links.entered.has(link)) {
      const height = this.forkY.get(`${source} ${port}`), branchX = this.branchX[this.links.entered.get(link)];
      points.push([x, height], [branchX, height]);
      x = branchX;
    }
    if (this.joinY.has(link)) {
      const side = axis - to.axis + (x < axis ? 0 : to.width), height = this.joinY.get(link);
      points.push([x, height], [side, height]);
    } else {
      const height = this.turnsAt(link);
      points.push([x, height], [axis, height], [axis, this.top[target]]);
    }
    return simplified(points);
  }

  /**
   * The height at which a straight line turns to its axis: where its signal parts, if the item gives no other. Lines of
   * several signals would meet there.
   */
  turnsAt(link) {
    const [source, port, target] = this.links.rows[link], above = this.top[target] - sizes.ARROW_GAP + 3;
    return this.items[source].ports.length > 1 ? above : this.forkY.get(`${source} ${port}`) ?? above;
  }

  /** Where lines leave another line of their signal; nothing for those that do not. */
  partings(routes) {
    const parts = new Map();
    for (const [key, height] of this.forkY) {
      const [source, port] = key.split(" ").map(Number);
      const mine = this.links.out[source].filter((link) => this.links.rows[link][1] === port);
      const start = routes[mine[0]][0][0];
      const turns = new Map(mine.map((link) => [link, turn(routes[link], height)]));
      for (const [link, before] of stopsBefore(start, turns)) parts.set(link, [before, height]);
    }
    this.links.branches.forEach((branch, place) => {
      const lowest = Math.max(0, ...branch.exits.map((link) => this.joinY.get(link) ?? 0));
      for (const link of branch.exits) {
        const height = this.joinY.get(link);
        if (height < lowest) parts.set(link, [this.branchX[place], height]);
      }
    });
    return parts;
  }
}

/** The x of everything: each branch as close to the spine as what stands beside it at its height allows. */
class Columns {
  constructor(filled) {
    const {branches} = filled.links;
    Object.assign(this, {filled, left: 0, right: 0, ofBranch: branches.map(() => 0)});
    this.ofItem = filled.items.map(() => 0);
    const ranges = branches.map((branch) => this.branchRange(branch));
    const marks = new Set(ranges.flat());
    this.blocksOf = filled.items.map((_, item) => this.blocks(item));
    for (const [top, bottom] of this.blocksOf.flat()) marks.add(top), marks.add(bottom);
    this.row = new Map([...marks].sort((a, b) => a - b).map((height, row) => [height, row]));
    this.reached = {1: new Float64Array(this.row.size), "-1": new Float64Array(this.row.size)};
    const branched = new Set(branches.flatMap((branch) => branch.items));
    filled.items.forEach((_, item) => { if (!branched.has(item)) this.settle(item, 0); });
    const order = branches.map((_, place) => place);
    order.sort((a, b) => Math.abs(branches[a].lane) - Math.abs(branches[b].lane));
    for (const place of order) this.stand(place, ranges[place]);
  }

  /** An item and what is below its ports: from height to height, so far left and right of its axis. */
  blocks(index) {
    const item = this.filled.items[index], top = this.filled.top[index], bottom = top + item.height;
    const blocks = [[top, bottom, item.axis, item.width - item.axis]];
    for (const link of this.filled.links.out[index]) {
      const port = item.ports[this.filled.links.rows[link][1]];
      blocks.push([bottom, bottom + port.labelHeight, 0, port.offset + port.labelWidth]);
      if (port.offset) blocks.push([bottom, this.descendsTo(link), -port.offset, port.offset]);
    }
    return blocks;
  }

  /** How far down a line runs before it turns aside. */
  descendsTo(link) {
    const {links, forkY, joinY, top, items} = this.filled, [source, port, target] = links.rows[link];
    if (joinY.has(link) && !links.entered.has(link)) return joinY.get(link);
    const turnsAside = links.entered.has(link) || items[source].ports.length === 1;
    return turnsAside ? forkY.get(`${source} ${port}`) ?? top[target] : top[target];
  }

  /** From where a branch's lane is entered, or begins, to its lowest exit, or fork, or item. */
  branchRange(branch) {
    const {links, forkY, joinY, top, items} = this.filled;
    const heights = branch.entries.slice(0, 1).map((link) => forkY.get(links.rows[link].slice(0, 2).join(" ")));
    heights.push(...branch.exits.map((link) => joinY.get(link)));
    for (const item of branch.items) {
      heights.push(top[item], top[item] + items[item].height);
      items[item].ports.forEach((_, port) => {
        if (forkY.has(`${item} ${port}`)) heights.push(forkY.get(`${item} ${port}`));
      });
    }
    return [Math.min(...heights), Math.max(...heights)];
  }

  /** Give a branch its x, next to what is there already. */
  stand(place, heights) {
    const branch = this.filled.links.branches[place], side = branch.lane > 0 ? 1 : -1;
    const [low, high] = heights.map((height) => this.row.get(height));
    let out = this.over(side, low + (branch.entries.length ? 1 : 0), high) + sizes.SIDE_GAP;
    out = Math.max(out, side * this.portX(branch));
    for (const item of branch.items) {
      for (const [top, bottom, left, right] of this.blocksOf[item]) {
        const beside = this.over(side, this.row.get(top), this.row.get(bottom));
        out = Math.max(out, beside + sizes.LANE_GAP + (side > 0 ? left : right));
      }
    }
    this.ofBranch[place] = side * out;
    this.raise(side, low, high, out);
    this.left = Math.min(this.left, side * out);
    this.right = Math.max(this.right, side * out);
    for (const item of branch.items) this.settle(item, side * out);
  }

  /**
   * Where the line that enters a branch comes from: to turn back from there would cross other lines. An item's only
   * signal, if it goes on straight as well, turns back to its axis in any case, and the branch on the way there.
   */
  portX(branch) {
    if (!branch.entries.length) return 0;
    const {rows, out, entered, exitLane} = this.filled.links, [source, port] = rows[branch.entries[0]];
    const {ports} = this.filled.items[source], isStraight = (link) => !entered.has(link) && !exitLane.has(link);
    if (ports.length === 1 && out[source].some(isStraight)) return this.ofItem[source];
    return this.ofItem[source] + this.filled.items[source].ports[port].offset;
  }

  over(side, low, high) {
    let most = 0;
    for (let row = low; row <= high; row += 1) most = Math.max(most, this.reached[side][row]);
    return most;
  }

  raise(side, low, high, value) {
    for (let row = low; row <= high; row += 1) this.reached[side][row] = Math.max(this.reached[side][row], value);
  }

  /** Set an item's axis, and take note of how far it reaches. */
  settle(index, axis) {
    this.ofItem[index] = axis;
    for (const [top, bottom, left, right] of this.blocksOf[index]) {
      for (const [side, reach] of [[1, axis + right], [-1, left - axis]]) {
        if (reach > 0) this.raise(side, this.row.get(top), this.row.get(bottom), reach);
      }
      this.left = Math.min(this.left, axis - left);
      this.right = Math.max(this.right, axis + right);
    }
  }
}

/** Lines run sideways from `start`, each to its turn: the turn before it on its way, or the start. */
function stopsBefore(start, turns) {
  const befores = new Map();
  for (const side of [1, -1]) {
    const beyond = [...turns].filter(([, at]) => (at - start) * side > 0);
    const stops = [...new Set(beyond.map(([, at]) => at))].sort((a, b) => (a - b) * side);
    const isOnlyWay = beyond.length === turns.size;
    for (const [link, at] of beyond) {
      if (!(isOnlyWay && at === stops[0])) befores.set(link, [start, ...stops][stops.indexOf(at)]);
    }
  }
  return befores;
}

/** The x at which a line, having run sideways at `height` or not, goes on downwards. */
function turn(route, height) {
  return route.length > 2 && route[1][1] === height ? route[2][0] : route[0][0];
}

/** What is left of a line from a point on it. */
function after(route, part) {
  for (let place = 0; place + 1 < route.length; place += 1) {
    if (!liesBetween(route[place], part, route[place + 1])) continue;
    const rest = route.slice(place + 1);
    return rest[0][0] === part[0] && rest[0][1] === part[1] ? rest : [part, ...rest];
  }
  return route;
}

function liesBetween(first, point, second) {
  return [0, 1].every((axis) => Math.min(first[axis], second[axis]) <= point[axis]
    && point[axis] <= Math.max(first[axis], second[axis]));
}

/** Without points that repeat, or lie on the way between their neighbours. */
function simplified(points) {
  const kept = [];
  for (const point of points) {
    const last = kept.at(-1), before = kept.at(-2);
    if (last && last[0] === point[0] && last[1] === point[1]) continue;
    if (before && [0, 1].some((axis) => before[axis] === last[axis] && last[axis] === point[axis])) kept.pop();
    kept.push(point);
  }
  return kept;
}
