// Folds a long placement into columns: what netcfg/draw/columns.py and crossings.py do, by the same steps under the
// same names. Directions are the layout's, with y downwards; where signals run to the right these are rows.

/** The first place whose value is not below (`left`), or is above (`right`), a value, in a sorted list. */
const bisect = {
  left: (list, value) => firstPlace(list, (each) => each >= value),
  right: (list, value) => firstPlace(list, (each) => each > value),
};
function firstPlace(list, isBeyond) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBeyond(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}
const ascending = (numbers) => [...new Set(numbers)].sort((a, b) => a - b);
const stretches = (line) => line.slice(1).map((point, place) => [line[place], point]);
const isSame = (one, other) => one[0] === other[0] && one[1] === other[1];
const holds = (line, flat) => flat.every((point) => line.some((each) => isSame(each, point)));

/** How many columns make a page of something long. */
function columnsOfPage(length, width) {
  if (length <= sizes.PAGE_LENGTH) return 1;
  return Math.min(Math.ceil(length / sizes.PAGE_LENGTH),
    Math.ceil(Math.sqrt(length / (sizes.PAGE_RATIO * (width + sizes.LANE_GAP)))));
}

/** The placement in `count` columns, or in as many as there are places to cut at; null: as a page needs them. */
function foldedInColumns(placement, items, rows, count) {
  const wished = count ?? columnsOfPage(placement.height, placement.width);
  if (wished < 2) return placement;
  const before = {...placement, items, rows, gives: new Set(rows.map(([source]) => source))}, places = new Cuts(before);
  if (count !== null) {
    const cuts = places.best(wished, null);
    return cuts.length ? new InColumns(before, cuts).placement() : placement;
  }
  const isStrip = placement.height > sizes.STRIP * sizes.PAGE_LENGTH;
  for (const most of isStrip ? [sizes.MOST_CROSSED, sizes.MOST_CROSSED_BY_A_STRIP] : [sizes.MOST_CROSSED]) {
    const cuts = places.best(wished, most), ends = [0, ...cuts, placement.height];
    const longest = Math.max(...stretches(ends).map(([low, high]) => high - low));
    if (cuts.length && longest <= sizes.WORTH_IT * placement.height) return new InColumns(before, cuts).placement();
  }
  return placement;
}

function bottomOf({items, gives, corners}, index) {
  const item = items[index];
  return corners[index][1] + item.height + (gives.has(index) ? Math.max(...item.ports.map((port) => port.labelHeight)) : 0);
}

/** The heights at which a placement can be cut, and how many lines cross each. */
class Cuts {
  constructor(before) {
    this.before = before;
    this.tops = before.corners.map(([, top]) => top).sort((a, b) => a - b);
    this.taken = merged(before.items.map((_, index) => [before.corners[index][1], bottomOf(before, index)]));
    const pieces = before.lines.flatMap(stretches);
    this.ends = this.taken.map(([, high]) => high);
    this.flat = ascending(pieces.filter(([one, other]) => one[1] === other[1]).map(([[, y]]) => y));
    const downs = pieces.filter(([one, other]) => one[0] === other[0]);
    this.downs = downs.map(([[, y]]) => y).sort((a, b) => a - b);
    this.ups = downs.map(([, [, y]]) => y).sort((a, b) => a - b);
    this.late = new Set(this.tops.filter((top) => top > 0).map((top) => top - sizes.ABOVE_ITEM));
    const heights = ascending([...this.late, ...this.taken.map(([, high]) => high + sizes.BELOW_LABEL)]);
    this.heights = heights.filter((height) => this.isFree(height));
  }

  isFree(height) {
    const place = bisect.left(this.ends, height), near = bisect.left(this.flat, height - 0.5);
    if (place < this.taken.length && this.taken[place][0] <= height) return false;
    return near === this.flat.length || this.flat[near] > height + 0.5;
  }

  crossed(height) { return bisect.left(this.downs, height) - bisect.right(this.ups, height); }

  /** Cuts that come near to equal columns, where few lines cross; fewer where there are not as many. */
  best(columns, most) {
    const free = this.heights.filter((height) => (
      height < this.tops.at(-1) && (most === null || this.crossed(height) <= most)));
    const chosen = [], {height: length} = this.before;
    for (let column = 1; column < columns; column += 1) {
      const begin = chosen.at(-1) ?? 0, aim = begin + (length - begin) / (columns - column + 1);
      const later = bisect.right(free, this.tops[bisect.left(this.tops, begin)]);
      const near = free.slice(Math.max(later, bisect.left(free, 2 * begin - aim)), bisect.right(free, 2 * aim - begin));
      if (!near.length && later >= free.length) continue;
      const cost = (height) => Math.abs(height - aim) + sizes.CROSSED_COST * this.crossed(height)
        + (this.late.has(height) ? sizes.LATE_COST : 0);
      chosen.push((near.length ? near : free.slice(later)).reduce((one, other) => (cost(other) < cost(one) ? other : one)));
    }
    return chosen;
  }
}

function merged(ranges) {
  const kept = [];
  for (const [low, high] of ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = kept.at(-1);
    if (last && low <= last[1]) last[1] = Math.max(high, last[1]);
    else kept.push([low, high]);
  }
  return kept;
}

// --- where lines cross the cuts

/** All crossings of a line: which cut, at which x, and the ways sideways before and after. */
function crossingsOf(line, cuts) {
  return stretches(line).flatMap(([first, second], place) => {
    const found = [];
    for (let cut = bisect.right(cuts, first[1]); cut < bisect.left(cuts, second[1]); cut += 1) {
      const before = place > 1 && first[1] > (cuts[cut - 1] ?? -Infinity) ? [line[place - 1], first] : null;
      const after = place + 3 < line.length && second[1] <= (cuts[cut + 1] ?? Infinity) ? [second, line[place + 2]] : null;
      found.push({cut, x: first[0], before, after});
    }
    return found;
  });
}

/** The ways of all lines over all cuts: for each cut, by x, where they leave and go on, and what they do without. */
class Ways {
  constructor(before, cuts) {
    Object.assign(this, {before, cuts, blocks: blocksOf(before), of: cuts.map(() => new Map())});
    const grouped = cuts.map(() => new Map());
    for (const line of [...before.routes, ...before.lines]) {
      for (const crossing of crossingsOf(line, cuts)) {
        const at = grouped[crossing.cut];
        at.set(crossing.x, [...(at.get(crossing.x) ?? []), crossing]);
      }
    }
    grouped.forEach((at, cut) => { this.of[cut] = apart(new Map([...at].map(([x, found]) => [x, this.way(cut, x, found)]))); });
    this.keepOneOfTwo();
  }

  way(cut, x, found) {
    const height = this.cuts[cut], one = (flats) => (new Set(flats.map(String)).size === 1 ? flats[0] : null);
    let before = one(found.map((each) => each.before)), after = common(found.map((each) => each.after));
    if (before && !this.canLeaveEarly(before, height)) before = null;
    if (after && !this.isFree(after[1][0], height, after[1][1], after)) after = null;
    return {start: before ? before[0][0] : x, end: after ? after[1][0] : x, before, after};
  }

  canLeaveEarly(flat, cut) {
    const [[x, height], [end]] = flat, [low, high] = x < end ? [x, end] : [end, x];
    if (cut - height > sizes.ARROW_GAP || !this.isFree(x, height, cut, flat)) return false;
    const {dots, lines} = this.before, touches = (line) => stretches(line).some(([[x0, y0], [x1, y1]]) => (
      Math.min(y0, y1) <= height && height <= Math.max(y0, y1) && Math.min(x0, x1) <= high && low <= Math.max(x0, x1)));
    return !dots.some(([at, y]) => y === height && low <= at && at <= high)
      && !lines.some((line) => !holds(line, flat) && touches(line));
  }

  /** Whether nothing stands or runs down between two heights; lines may be crossed there. */
  isFree(x, low, high, flat) {
    if (this.blocks.some(([left, top, right, bottom]) => left < x && x < right && top < high && low < bottom)) return false;
    const runsDown = (line) => stretches(line).some(([[x0, y0], [x1, y1]]) => (
      x0 === x && x1 === x && Math.min(y0, y1) < high && low < Math.max(y0, y1)));
    return !this.before.lines.some((line) => !holds(line, flat) && runsDown(line));
  }

  keepOneOfTwo() {
    for (let cut = 0; cut + 1 < this.of.length; cut += 1) {
      const gone = new Set([...this.of[cut].values()].filter((way) => way.after).map((way) => String(way.after)));
      const following = this.of[cut + 1];
      for (const [x, way] of following) {
        if (way.before && gone.has(String(way.before))) following.set(x, {...way, start: x, before: null});
      }
      this.of[cut + 1] = apart(following);
    }
  }
}

/** What stretches that begin at one place and lead to one side share: the shortest of them. */
function common(flats) {
  const ways = new Set(flats.map((flat) => flat && `${flat[0]} ${flat[1][0] > flat[0][0]}`));
  if (ways.size !== 1 || !flats[0]) return null;
  const length = ([[x], [end]]) => Math.abs(end - x);
  return flats.reduce((one, other) => (length(other) < length(one) ? other : one));
}

/** The ways; as they were where two would meet. */
function apart(ways) {
  const differ = (key) => new Set([...ways.values()].map((way) => way[key])).size === ways.size;
  if (differ("start") && differ("end")) return ways;
  return new Map([...ways.keys()].map((x) => [x, {start: x, end: x, before: null, after: null}]));
}

/** Items and labels: left, top, right, bottom. */
function blocksOf({items, corners, rows}) {
  const gives = new Set(rows.map(([source, port]) => `${source} ${port}`));
  return items.flatMap((item, index) => {
    const [x, y] = corners[index], blocks = [[x, y, x + item.width, y + item.height]];
    item.ports.forEach((port, place) => {
      if (!gives.has(`${index} ${place}`)) return;
      const left = x + item.axis + port.offset, top = y + item.height;
      blocks.push([left, top, left + port.labelWidth, top + port.labelHeight]);
    });
    return blocks;
  });
}

// --- the columns

class InColumns {
  constructor(before, cuts) {
    Object.assign(this, {before, cuts});
    const ends = [0, ...cuts, before.height];
    this.columns = stretches(ends).map(([low, high]) => (
      {low, high, left: Infinity, right: -Infinity, bottom: 0, shift: [0, 0], ways: new Map(), leaving: []}));
    this.columnOf = before.corners.map(([, top]) => this.columnAt(top));
    this.measure();
    this.place();
    const feet = this.columns.slice(0, -1).map((column) => this.foot(column, null));
    this.height = Math.max(...this.columns.map((column) => column.bottom + column.shift[1]), ...feet);
  }

  columnAt(height) { return Math.min(bisect.right(this.cuts, height), this.cuts.length); }

  hold(place, left, right, bottom) {
    const column = this.columns[place];
    column.left = Math.min(column.left, left);
    column.right = Math.max(column.right, right);
    column.bottom = Math.max(column.bottom, bottom);
  }

  measure() {
    const {items, corners, gives, lines} = this.before;
    items.forEach((item, index) => {
      const [x] = corners[index], labels = gives.has(index) ? item.ports.map((port) => item.axis + port.offset + port.labelWidth) : [];
      this.hold(this.columnOf[index], x, x + Math.max(item.width, ...labels), bottomOf(this.before, index));
    });
    new Ways(this.before, this.cuts).of.forEach((ways, place) => {
      const leaving = [...ways.values()].map((way) => way.start).sort((a, b) => b - a);
      Object.assign(this.columns[place], {ways, leaving});
    });
    for (const line of lines) {
      for (const [place, piece] of this.pieces(line)) for (const [x, y] of piece) this.hold(place, x, x, y);
    }
    this.columns.slice(0, -1).forEach((column, place) => {
      for (const way of column.ways.values()) this.hold(place, way.start, way.start, 0), this.hold(place + 1, way.end, way.end, 0);
    });
  }

  /** Side by side: under each column, beside it, and above the next there is room for its lines. */
  place() {
    const head = sizes.HEAD + Math.max(0, ...this.columns.map((column) => sizes.TRACK * column.leaving.length));
    let x = 0;
    this.columns.forEach((column, place) => {
      const down = place ? sizes.ARROW_GAP + head - sizes.ABOVE_ITEM : 0;
      column.shift = [x - column.left, down - column.low];
      x += column.right - column.left + 2 * sizes.LANE_GAP + sizes.TRACK * Math.max(column.leaving.length - 1, 0);
    });
    this.width = x - 2 * sizes.LANE_GAP;
  }

  /** How low the line that leaves a column at x runs; by default the lowest. */
  foot(column, x) {
    const track = column.leaving.includes(x) ? column.leaving.indexOf(x) : column.leaving.length - 1;
    return column.bottom + column.shift[1] + sizes.TRACK * (track + 1);
  }

  /** The way of a line from one column to the next. */
  bridge(place, x) {
    const column = this.columns[place], following = this.columns[place + 1], way = column.ways.get(x);
    const track = column.leaving.indexOf(way.start), low = this.foot(column, way.start), high = sizes.HEAD + sizes.TRACK * track;
    const gutter = column.right + column.shift[0] + sizes.LANE_GAP + sizes.TRACK * track;
    return [[way.start + column.shift[0], low], [gutter, low], [gutter, high], [way.end + following.shift[0], high]];
  }

  /** A line's points by column, without ways that are made between columns. */
  pieces(line) {
    const places = line.map(([, y]) => this.columnAt(y)), leftOut = new Set(), instead = new Map();
    for (const crossing of crossingsOf(line, this.cuts)) {
      const way = this.columns[crossing.cut].ways.get(crossing.x);
      for (const point of [...(way.before ?? []), ...(way.after ?? [])]) leftOut.add(String(point));
      if (way.after && String(crossing.after) !== String(way.after)) {  // a line that runs on beyond what all share
        leftOut.delete(String(way.after[0]));
        instead.set(String(way.after[0]), way.after[1]);
      }
    }
    const found = [];
    for (let column = places[0]; column <= places.at(-1); column += 1) {
      const here = line.filter((point, place) => places[place] === column && !leftOut.has(String(point)));
      found.push([column, here.map((point) => instead.get(String(point)) ?? point)]);
    }
    return found;
  }

  moved(line) {
    const crossed = new Map(crossingsOf(line, this.cuts).map(({cut, x}) => [cut, x]));
    return this.pieces(line).flatMap(([column, piece]) => [
      ...(crossed.has(column - 1) ? this.bridge(column - 1, crossed.get(column - 1)) : []),
      ...piece.map((point) => this.shifted(point, column)),
    ]);
  }

  shifted([x, y], column) {
    const [dx, dy] = this.columns[column].shift;
    return [x + dx, y + dy];
  }

  /** The result; what stands at the bottom does so still. */
  placement() {
    const {before, width, height} = this, isLast = (index) => before.items[index].last;
    const corners = before.corners.map((corner, index) => {
      const [x, y] = this.shifted(corner, this.columnOf[index]);
      return [x, isLast(index) ? height : y];
    });
    const led = (line, link) => {
      const points = this.moved(line);
      return isLast(before.rows[link][2]) ? [...points.slice(0, -1), [points.at(-1)[0], height]] : points;
    };
    const dots = before.dots.map((dot) => this.shifted(dot, this.columnAt(dot[1])));
    const axis = before.axis + this.columns[0].shift[0];
    return {width, height, axis, corners, lines: before.lines.map(led), routes: before.routes.map(led), dots};
  }
}
