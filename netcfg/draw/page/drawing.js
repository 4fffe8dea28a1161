// From the data to SVG text: what is folded and what is open, measured from the inside out, placed, and drawn.

const escaped = (text) => String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const number = (value) => String(Math.round(value * 100) / 100);
const pair = ([x, y]) => `${number(x)},${number(y)}`;

/** What is folded, and which repeats show all their turns; ids of frames and repeats. */
class Folds {
  constructor() { this.folded = new Set(); this.turns = new Set(); }

  /** How a member is shown: a pin, a box, or an open frame. */
  view(member) {
    const shown = member.is === "repeat" ? (this.turns.has(member.id) ? member.all : member.one) : member;
    if (shown.is !== "frame" || !this.folded.has(shown.id)) return shown;
    return {...shown.folded, frame: shown};
  }
}

// --- sizes

/** A network laid out, in columns where it is long; a frame that would fill more than one is folded in itself. */
function planOfNetwork(data, folds, level) {
  const whole = plan(data, folds, level), {height: length, width} = whole.placed;
  const wished = data.columns ?? columnsOfPage(length, width), share = length / wished, counts = new Map();
  if (wished < 2) return whole;
  let split = whole;
  for (let found; (found = longFrames(split, share, counts)).length; split = plan(data, folds, level, counts)) {
    for (const {shown, item} of found) counts.set(shown.id, Math.ceil(item.height / share));
  }
  const columns = counts.size ? Math.round(split.placed.height / share) : wished;
  return inColumns(data, split, data.columns === null ? null : columns);
}

/** The frames that fill more than a column and are not folded yet, of those in each other the inmost. */
function longFrames({parts}, share, counts) {
  return parts.filter(({shown, item}) => shown.is === "frame" && item.height > sizes.MORE_THAN_A_COLUMN * share).flatMap((part) => {
    const inner = longFrames(part.inside, share, counts);
    return inner.length || counts.has(part.shown.id) ? inner : [part];
  });
}

/** The inside of a frame, laid out: its parts, each with the item that stands for it, and their places. */
function plan(data, folds, level, counts = new Map(), count = 1) {
  const parts = level.members.map((member) => measured(data, folds, member, counts));
  const links = data.links[level.links], placed = arrange(parts.map((part) => part.item), links);
  return inColumns(data, {level, links, parts, placed}, count);
}

/** A plan whose placement is folded into so many columns, and runs as the page's networks do. */
function inColumns(data, made, count) {
  const items = made.parts.map((part) => part.item);
  const placed = count === 1 ? made.placed : foldedInColumns(made.placed, items, made.links.rows, count);
  return {...made, placed, placement: data.sideways ? turned(placed) : placed};
}

/** A placement that runs downwards, as one that runs to the right. */
function turned({width, height, axis, corners, lines, dots}) {
  const swap = (points) => points.map(([x, y]) => [y, x]);
  return {width: height, height: width, axis, corners: swap(corners), lines: lines.map(swap), dots: swap(dots)};
}

function measured(data, folds, member, counts) {
  const shown = folds.view(member);
  if (shown.is === "box") return {member, shown, item: itemOfBox(data.shapes[shown.shape], shown)};
  if (shown.is === "frame") {
    const inside = plan(data, folds, shown.level, counts, counts.get(shown.id) ?? 1);
    const measure = data.sideways ? itemOfSidewaysFrame : itemOfFrame;
    return {member, shown, inside, item: measure(shown, inside, behind(member, shown))};
  }
  const item = {width: 0, height: 0, axis: 0, ports: ports(shown), last: shown.is === "exit"};
  return {member, shown, item};
}

const ports = (shown) => shown.ports.map(([offset, labelWidth, labelHeight, text, width]) => (
  {offset, labelWidth, labelHeight, text, width}));

/** How far the edge of a second frame shows behind one that stands for several. */
function behind(member, shown) {
  return shown.turns > 1 && !(member.is === "repeat" && member.all === shown) ? sizes.BEHIND : 0;
}

function itemOfBox(shape, shown) {
  return {width: shape.w, height: shape.h, axis: shape.axis, sideTop: shape.side, ports: ports(shown)};
}

function itemOfFrame(shown, {placement}, back) {
  const short = shown.width + 2 * sizes.BOX_PAD_X - placement.width - 2 * sizes.FRAME_PAD;
  const pad = sizes.FRAME_PAD + Math.max(0, short / 2);
  return {
    width: placement.width + 2 * pad + back,
    height: sizes.HEADER + placement.height + sizes.FRAME_PAD + back,
    axis: pad + placement.axis,
    ports: portsOfFrame(shown, placement, 0),
    sideTop: sizes.HEADER / 2,
    back,
    beyond: sizes.FRAME_PAD,
  };
}

/** The same where signals run to the right: `width` is across them, `height` along them, as in the layout. */
function itemOfSidewaysFrame(shown, {placement}, back) {
  const short = shown.width + 2 * sizes.BOX_PAD_X - placement.width - sizes.FRAME_PAD;
  const beyond = sizes.FRAME_PAD + 2 * Math.max(0, short / 2);
  return {
    width: sizes.HEADER + placement.height + 2 * sizes.FRAME_PAD + back,
    height: placement.width + beyond + back,
    axis: sizes.HEADER + sizes.FRAME_PAD + placement.axis,
    ports: portsOfFrame(shown, placement, 1),
    sideTop: sizes.FRAME_SIDE,
    back,
    beyond,
  };
}

/** A frame's ports, each where its signal leaves what is inside. */
function portsOfFrame(shown, placement, coordinate) {
  const own = ports(shown);
  shown.exits.forEach((exit, port) => { own[port].offset = placement.corners[exit][coordinate] - placement.axis; });
  return own;
}

/** Upper left corners of networks in columns, filled downwards as far as suits the shape of the page. */
function pack(extents, shape) {
  const heights = extents.map(([, height]) => height), tallest = Math.max(0, ...heights);
  const limits = new Set([tallest]);
  heights.forEach((_, first) => {
    let sum = -sizes.PAGE_GAP;
    for (const height of heights.slice(first, first + 12)) {
      sum += height + sizes.PAGE_GAP;
      limits.add(Math.max(tallest, sum));
    }
  });
  const trials = [...limits].sort((a, b) => a - b).map((limit) => columns(extents, limit));
  const extent = ({width, height}) => Math.max(width / shape, height);
  return trials.reduce((best, trial) => (extent(trial) < extent(best) ? trial : best));
}

/** The same in rows that are filled to the right. */
function packInRows(extents) {
  const swap = (pairs) => pairs.map(([x, y]) => [y, x]);
  const {corners, width, height} = pack(swap(extents), 1 / sizes.PAGE_SHAPE);
  return {corners: swap(corners), width: height, height: width};
}

function columns(extents, limit) {
  const trial = {corners: [], width: 0, height: 0};
  let x = 0, y = 0;
  for (const [width, height] of extents) {
    if (y && y + height > limit + 0.01) [x, y] = [trial.width + sizes.PAGE_GAP, 0];
    trial.corners.push([x, y]);
    trial.width = Math.max(trial.width, x + width);
    trial.height = Math.max(trial.height, y + height);
    y += height + sizes.PAGE_GAP;
  }
  return trial;
}

// --- shapes

/** Draws networks one after the other; `parts` then holds what is shown, by id, and where. */
class Drawing {
  constructor(data, folds) {
    Object.assign(this, {data, folds, parts: new Map(), shownBy: [], rows: []});
    if (data.still) this.still(data.still);
    else this.networks();
  }

  /** A picture that stays as it is: its boxes are parts, and nothing folds. */
  still({svg, width, height, places}) {
    Object.assign(this, {width, height, rows: [svg]});
    this.data.networks.forEach((network, net) => {
      this.shownBy.push(network.boxes.map((box) => box.id));
      network.boxes.forEach((about, box) => {
        const [x, y, w, h] = places[about.id];
        this.parts.set(about.id, {id: about.id, net, is: "box", about, shown: {box, count: 1}, x, y, w, h});
      });
    });
  }

  networks() {
    const {data, folds} = this;
    const plans = data.networks.map((network) => planOfNetwork(data, folds, network.level));
    const extents = data.networks.map((network, place) => networkSize(network, plans[place].placement));
    const {corners, width, height} = data.sideways ? packInRows(extents) : pack(extents, sizes.PAGE_SHAPE);
    Object.assign(this, {width, height});
    data.networks.forEach((network, place) => this.network(place, plans[place], extents[place], corners[place]));
  }

  get svg() { return this.rows.join(""); }

  network(place, inside, [width, height], [x, y]) {
    const network = this.data.networks[place];
    this.at = place;
    this.shownBy.push([]);
    this.parts.set(network.id, {id: network.id, net: place, is: "network", about: network, x, y, w: width, h: height});
    this.rows.push(this.opening(network.id, "part network", network.details));
    this.rows.push(`<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"`
      + ` rx="10" fill="#ffffff" stroke="${sizes.NETWORK_STROKE}"/>`);
    const left = x + sizes.NETWORK_PAD, top = y + sizes.NETWORK_PAD + 14 * 0.69;
    this.rows.push(`<g class="header" transform="translate(${pair([left, top])})">`
      + `<rect class="touch" x="-8" y="-20" width="${number(network.width + 16)}" height="${TARGET / READABLE}" rx="6"/>`
      + `${this.data.drawings[network.title]}</g></g>`);
    const spare = width - inside.placement.width;
    this.content(inside, x + spare / 2, y + sizes.NETWORK_HEADER, 0, 0, []);
  }

  opening(id, kind, details, expanded) {
    const label = details.split("\n").join(", ");
    const state = expanded === undefined ? "" : ` aria-expanded="${expanded}"`;
    return `<g class="${kind}" data-node="${escaped(id)}" role="button" tabindex="-1"`
      + ` aria-label="${escaped(label)}"${state}><title>${escaped(details)}</title>`;
  }

  /** Lines, then boxes and frames, then labels. `outside` are the signals that enter, by entry. */
  content(inside, x, y, depth, below, outside) {
    const {placement, parts, links, level} = inside;
    const signals = this.signals(inside, outside);
    const marks = links.marks ?? [];
    const order = links.rows.map((_, link) => link).sort((a, b) => Boolean(marks[a]) - Boolean(marks[b]));
    for (const link of order) {  // marked ones over the others
      const target = links.rows[link][2];
      const points = placement.lines[link].map(([px, py]) => [x + px, y + py]);
      const leaves = parts[target].shown.is === "exit";
      if (leaves) points.at(-1)[this.data.sideways ? 0 : 1] += below;
      this.rows.push(line(points, !leaves, signals[link], this.data.marks[marks[link]]));
    }
    for (const [px, py] of placement.dots) {
      this.rows.push(`<circle cx="${number(x + px)}" cy="${number(y + py)}" r="2.4" fill="${sizes.LINE}"/>`);
    }
    parts.forEach((part, index) => {
      const [px, py] = placement.corners[index];
      const entering = (part.shown.entries_at ?? []).map((link) => signals[link]);
      if (part.shown.is === "box") this.box(part, x + px, y + py);
      else if (part.shown.is === "frame") this.frame(part, x + px, y + py, depth, entering);
      if (level.members[index].is === "repeat") this.standIn(part);
    });
    parts.forEach((part, index) => {
      if (part.shown.is !== "box") this.labels(part, x + placement.corners[index][0], y + placement.corners[index][1]);
    });
  }

  /** For each link the name of its signal: the box that makes it and its port, through all frames. */
  signals({parts, links}, outside) {
    return links.rows.map(([source, port]) => {
      const part = parts[source];
      if (part.shown.is === "entry") return outside[source] ?? "";
      return signalOf(this.data.networks[this.at], part, port);
    });
  }

  box(part, x, y) {
    const {shown, member} = part, network = this.data.networks[this.at], shape = this.data.shapes[shown.shape];
    const about = shown.frame ?? network.boxes[shown.box];
    const opens = Boolean(shown.frame) || member.is === "repeat";
    const place = {x, y, w: shape.vw, h: shape.vh};
    this.parts.set(about.id, {id: about.id, net: this.at, is: "box", about, member, shown, opens, ...place});
    for (let box = shown.box; box < shown.box + shown.count; box += 1) this.shownBy[this.at][box] = about.id;
    const kind = shown.frame ? "template" : about.kind;
    this.rows.push(this.opening(about.id, `part box ${escaped(kind)}`, about.details, opens ? false : undefined));
    this.rows.push(`<g transform="translate(${pair([x, y])})">${this.data.drawings[shape.drawing]}`);
    const times = shown.frame ? shown.frame.turns : member.turns;
    if (opens && times > 1) this.rows.push(button("unfold", shape.vw - 27, shape.vh / 2 - 8, "", "Unfold", 24));
    else if (opens) this.rows.push(button("unfold", shape.vw - 13, -2, "M4,8H12M8,4V12", "Unfold"));
    this.rows.push("</g>");
    this.labels(part, x, y);
    this.rows.push("</g>");
  }

  frame(part, x, y, depth, entering) {
    const {shown, member, item, inside} = part;
    const [across, along] = [item.width - item.back, item.height - item.back];
    const [width, height] = this.data.sideways ? [along, across] : [across, along];
    const all = member.is === "repeat" && member.all === shown;
    const record = {id: shown.id, net: this.at, is: "frame", about: shown, member, shown, opens: true, all};
    this.parts.set(shown.id, {...record, x, y, w: width, h: height});
    this.rows.push(this.opening(shown.id, "part frame", shown.details, true));
    const box = `width="${number(width)}" height="${number(height)}" rx="${sizes.FRAME_RADIUS}"`;
    const [colour, bar] = shown.paint ?? [sizes.HEADER_STROKE, sizes.HEADER_FILL];
    const edge = `stroke="${colour}"`;
    if (item.back) {
      this.rows.push(`<rect x="${number(x + item.back)}" y="${number(y + item.back)}" ${box}`
        + ` fill="${sizes.HEADER_FILL}" ${edge}/>`);
    }
    const fill = sizes.FRAME_FILLS[depth % sizes.FRAME_FILLS.length];
    this.rows.push(`<rect x="${number(x)}" y="${number(y)}" ${box} fill="${fill}" ${edge}/>`);
    this.rows.push(`<g class="header" transform="translate(${pair([x, y])})">`, header(width, colour, bar));
    this.rows.push(`<g transform="translate(${pair([(width - shown.width) / 2, 0])})">`
      + `${this.data.drawings[shown.title]}</g>`);
    this.rows.push(button("fold", 0, 4, "M5,8H11", all && member.one.is === "box" ? "Show once" : "Fold"));
    if (member.is === "repeat") {
      const title = all ? "Show one turn" : "Show all turns";
      this.rows.push(button("turns", width - 17, 4, "M4,5H12M4,8H12M4,11H12", title));
    }
    this.rows.push("</g></g>");
    const [left, top] = this.data.sideways
      ? [x, y + sizes.HEADER + sizes.FRAME_PAD] : [x + item.axis - inside.placement.axis, y + sizes.HEADER];
    this.content(inside, left, top, depth + 1, item.beyond, entering);
  }

  /** Where one turn stands for all, its boxes stand for those of the others. */
  standIn({member, shown}) {
    if (shown === member.all || shown.is !== "frame") return;
    const own = shown.count / member.turns, by = this.shownBy[this.at];
    for (let box = shown.box + own; box < shown.box + shown.count; box += 1) by[box] = by[box - own];
  }

  /** The texts beside the lines, under the boxes that make the signals. */
  labels({shown, item}, x, y) {
    for (const port of item.ports) {
      if (!port.text) continue;
      const along = item.height, across = item.axis + port.offset;
      const [px, py] = this.data.sideways ? [along, across] : [across, along];
      const left = x + px + sizes.LABEL_GAP, base = y + py + sizes.LABEL_HEIGHT - 4;
      this.rows.push(`<text x="${number(left)}" y="${number(base)}" font-size="${sizes.SMALL}"`
        + ` textLength="${port.width}" lengthAdjust="spacingAndGlyphs" fill="${sizes.FAINT}">${escaped(port.text)}</text>`);
    }
  }
}

function networkSize(network, placement) {
  const width = Math.max(placement.width, network.width) + 2 * sizes.NETWORK_PAD;
  return [width, placement.height + sizes.NETWORK_HEADER + sizes.NETWORK_PAD];
}

/** The name of a part's signal: a box's own, or that of the box inside a frame that makes it. */
function signalOf(network, part, port) {
  if (part.shown.is === "box") return `${network.boxes[part.shown.box].id} ${port}`;
  const {links, parts} = part.inside, exit = part.shown.exits[port];
  const [source, inner] = links.rows[links.into[exit][0]];
  return parts[source].shown.is === "entry" ? "" : signalOf(network, parts[source], inner);
}

function header(width, colour, fill) {
  const r = sizes.FRAME_RADIUS, h = sizes.HEADER, w = number(width), inner = number(width - r);
  const side = TARGET / READABLE;
  return `<rect class="touch" width="${w}" height="${number(side)}"/>`
    + `<path class="bar" d="M0,${h}L0,${r}A${r},${r} 0 0 1 ${r},0L${inner},0A${r},${r} 0 0 1 ${w},${r}L${w},${h}Z"`
    + ` fill="${fill}" stroke="${colour}"/>`;
}

function button(action, x, y, path, title, width = 16) {
  const side = TARGET / READABLE, beside = (side - width) / 2, above = Math.min((side - 16) / 2, y);
  return `<g class="chip" data-action="${action}" transform="translate(${pair([x, y])})"><title>${title}</title>`
    + `<rect class="touch" x="${number(-beside)}" y="${number(-above)}" width="${side}" height="${side}"/>`
    + `<rect width="${width}" height="16" rx="4"/><path d="${path}"/></g>`;
}

// --- lines

function line(points, arrow, signal, mark) {
  const colour = mark?.colour ?? sizes.LINE, width = mark ? sizes.MARKED_STROKE : sizes.LINE_STROKE;
  const end = arrow ? `<polygon points="${arrowHead(points).map(pair).join(" ")}" fill="${colour}"/>` : "";
  return `<g class="line" data-signal="${escaped(signal)}">`
    + `<path d="${outline(points, arrow)}" stroke="${colour}" stroke-width="${width}"/>${end}</g>`;
}

/** The direction and length of a line's last stretch. */
function lastStretch(points) {
  const [[x0, y0], [x, y]] = points.slice(-2);
  const length = Math.max(Math.abs(x - x0) + Math.abs(y - y0), 1e-9);
  return {x, y, dx: (x - x0) / length, dy: (y - y0) / length, length};
}

function arrowHead(points) {
  const {x, y, dx, dy} = lastStretch(points), back = 6, half = 3.2;
  return [[x, y], [x - back * dx - half * dy, y - back * dy + half * dx],
    [x - back * dx + half * dy, y - back * dy - half * dx]];
}

/** A line with rounded corners; under an arrow head it ends a little earlier. */
function outline(points, arrow) {
  const shaft = [...points];
  if (arrow) {
    const {x, y, dx, dy, length} = lastStretch(points), back = Math.min(4, length);
    shaft[shaft.length - 1] = [x - back * dx, y - back * dy];
  }
  let steps = `M${pair(shaft[0])}`;
  for (let at = 1; at + 1 < shaft.length; at += 1) {
    const [begin, end] = [shaft[at - 1], shaft[at + 1]].map((other) => towards(shaft[at], other, 5));
    steps += `L${pair(begin)}Q${pair(shaft[at])} ${pair(end)}`;
  }
  return `${steps}L${pair(shaft.at(-1))}`;
}

function towards(origin, target, radius) {
  const [dx, dy] = [target[0] - origin[0], target[1] - origin[1]], length = Math.abs(dx) + Math.abs(dy);
  const step = length ? Math.min(radius, length / 2) / length : 0;
  return [origin[0] + dx * step, origin[1] + dy * step];
}
