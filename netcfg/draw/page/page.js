// The page itself: what is drawn, chosen, folded and found.

class Page extends View {
  constructor(data) {
    super(find("#stage"), find("#world"));
    sizes = data.sizes;
    Object.assign(this, {data, folds: new Folds(), chosen: "", hits: [], hit: -1, fan: [], isRestoring: false});
    this.panel = new Panel(data, find("#about"), {go: (id) => this.reveal(id), neighbours: (part) => this.neighbours(part)});
    for (const network of data.networks) {
      for (const member of this.members(network.level)) {
        if ((member.one ?? member).shut) this.folds.folded.add(member.id);
        if (member.is === "repeat" && network.turns) this.folds.turns.add(member.id);
      }
    }
    this.first = {folded: new Set(this.folds.folded), turns: new Set(this.folds.turns)};
    this.draw();
    this.start();
    this.listNetworks();
    this.listColours();
    new ResizeObserver(() => this.settle()).observe(this.stage);
  }

  // --- drawing

  draw() {
    this.drawing = new Drawing(this.data, this.folds);
    this.world.innerHTML = `${this.drawing.svg}<g id="focus"></g>`;
    for (const part of this.data.still ? this.world.querySelectorAll("[data-node]") : []) {
      if (!this.drawing.parts.has(part.dataset.node)) continue;
      part.classList.add("part", "box");
      part.setAttribute("role", "button");
      part.setAttribute("tabindex", "-1");
    }
    this.elements = new Map(Array.from(this.world.querySelectorAll("[data-node]"), (part) => [part.dataset.node, part]));
    this.boxes = [...this.drawing.parts.values()].filter((part) => part.is === "box");
    this.lines = new Map();
    for (const line of this.world.querySelectorAll(".line")) {
      const signal = (line.dataset.signal ?? "").replace(/ \d+$/, "");
      this.lines.set(signal, [...(this.lines.get(signal) ?? []), line]);
    }
    this.marked = [];
    this.mark();
    this.makeTabStop();
    colourByCost(this);
  }

  /** Draw again, with the part of that id where it was on the screen. */
  drawAround(id) {
    const before = this.drawing.parts.get(id);
    const isFocused = this.world.contains(document.activeElement);
    this.draw();
    const now = this.drawing.parts.get(id) ?? this.drawing.parts.get(this.shownAs(id));
    if (this.fits !== null) {
      this.fit(this.fits);
    } else if (before && now) {
      this.move();
      this.x += (before.x + before.w / 2 - now.x - now.w / 2) * this.scale;
      this.y += (before.y - now.y) * this.scale;
    }
    this.look();
    if (isFocused && now) this.focus(now.id);
  }

  element(id) { return this.elements.get(id); }

  /** What is marked: the chosen part, the lines of its signals, what a search found. */
  mark() {
    const rows = [...new Set(this.hits.map((hit) => this.shownAs(hit)))].map((id) => frameAround(this.drawing.parts.get(id), "hit"));
    rows.push(frameAround(this.drawing.parts.get(this.chosen), "chosen"));
    find("#focus").innerHTML = rows.join("");
    for (const line of this.marked) line.classList.remove("in", "out");
    this.marked = [];
    const part = this.drawing.parts.get(this.chosen);
    if (part?.is !== "box") return;
    const {wires} = this.data.networks[part.net], own = this.boxesOf(part);
    for (const [source, target] of wires) {
      if (own.has(source)) this.colour(this.signalName(part.net, source), "out");
      else if (own.has(target)) this.colour(this.signalName(part.net, source), "in");
    }
  }

  colour(signal, kind) {
    for (const line of this.lines.get(signal) ?? []) line.classList.add(kind), this.marked.push(line);
  }

  /** The box by whose name a box's signal goes: the first of those that are shown as one. */
  signalName(net, box) {
    const part = this.drawing.parts.get(this.drawing.shownBy[net][box]);
    return this.data.networks[net].boxes[part?.shown ? part.shown.box : box].id;
  }

  // --- which part

  boxesOf(part) {
    if (part.is === "network") return new Set(part.about.boxes.keys());
    return new Set(Array.from({length: part.shown.count}, (_, place) => part.shown.box + place));
  }

  /** The id of what is shown in place of a part: itself, or what it is folded into. */
  shownAs(id) {
    if (this.drawing.parts.has(id)) return id;
    const place = this.placeOf(id);
    return place ? this.drawing.shownBy[place.net][place.box] : "";
  }

  placeOf(id) {
    for (const [net, network] of this.data.networks.entries()) {
      const box = network.boxes.findIndex((each) => each.id === id);
      if (box >= 0) return {net, box};
    }
    return null;
  }

  /** What a part reads and what reads it, as it is shown: ids and labels. */
  neighbours(part) {
    const own = this.boxesOf(part), by = this.drawing.shownBy[part.net], before = new Map(), after = new Map();
    for (const [source, target, label] of this.data.networks[part.net].wires) {
      if (own.has(target) && !own.has(source) && by[source] !== part.id) before.set(by[source], label);
      if (own.has(source) && !own.has(target) && by[target] !== part.id) after.set(by[target], label);
    }
    const list = (map) => [...map].map(([id, label]) => ({id, label}));
    return {before: list(before), after: list(after)};
  }

  choose(id, open) {
    this.element(this.chosen)?.setAttribute("tabindex", "-1");
    this.chosen = id;
    this.makeTabStop();
    this.mark();
    if (open || !find("#panel").hidden) this.openPanel();
    this.remember();
  }

  /** Tab leads to the chosen part, or, where there is none, to the diagram as a whole. */
  makeTabStop() {
    const element = this.element(this.chosen);
    element?.setAttribute("tabindex", "0");
    this.stage.setAttribute("tabindex", element ? "-1" : "0");
  }

  focus(id) {
    const part = this.drawing.parts.get(id);
    if (part?.isOut) this.setOut(part, false);
    this.element(id)?.focus({preventScroll: true});
  }

  openPanel() {
    const part = this.drawing.parts.get(this.chosen);
    find("#panel").hidden = !part;
    if (!part) return;
    this.panel.show(part);
    this.bring(part);
    this.remember();
  }

  closePanel() {
    find("#panel").hidden = true;
    this.focus(this.chosen);
    this.remember();
  }

  /** Show a part, unfolding what it is in, and bring it into view. */
  reveal(id) {
    const place = this.placeOf(id);
    if (place && !this.drawing.parts.has(id)) {
      for (const frame of this.around(this.data.networks[place.net].level, place.box)) this.unfoldFor(frame, place.box);
      this.draw();
    }
    const shown = this.shownAs(id);
    if (!shown) return;
    this.choose(shown, false);
    this.bring(this.drawing.parts.get(shown));
    this.focus(shown);
  }

  /** The frames and repeats around a box, outer ones first. */
  *around(level, box) {
    for (const member of level?.members ?? []) {
      const frame = member.is === "repeat" ? member.all : member;
      if (!(frame.box <= box && box < frame.box + frame.count) || member.is === "box") continue;
      yield member;
      yield* this.around(frame.level, box);
    }
  }

  unfoldFor(member, box) {
    this.folds.folded.delete(member.id);
    if (member.is === "repeat" && box >= member.all.box + member.all.count / member.turns) this.folds.turns.add(member.id);
  }

  // --- folding

  /** Every frame and repeat of a level and below, each with the id its state goes by. */
  *members(level) {
    for (const member of level?.members ?? []) {
      if (member.is === "frame") yield member, yield* this.members(member.level);
      if (member.is !== "repeat") continue;
      yield member;
      yield* this.members(member.all.level);
      if (member.one.level) yield* this.members(member.one.level);
    }
  }

  toggle(id, action) {
    const part = this.drawing.parts.get(id);
    if (!part?.opens) return;
    const {folded, turns} = this.folds, {member} = part, isRepeat = member.is === "repeat";
    if (action === "turns") turns.has(id) ? turns.delete(id) : turns.add(id);
    else if (folded.has(id)) folded.delete(id);
    else if (isRepeat && member.one.is === "box") turns.has(member.id) ? turns.delete(member.id) : turns.add(member.id);
    else folded.add(id);
    const wasChosen = this.chosen === id;
    this.drawAround(id);
    const shown = this.drawing.parts.has(id) ? id : isRepeat ? this.nowOf(member) : this.shownAs(id);
    if (wasChosen) this.choose(shown, false), this.focus(shown);
    else if (this.chosen && !this.drawing.parts.has(this.chosen)) this.choose(this.shownAs(this.chosen), false);
    this.remember();
    say(`${part.is === "box" ? "Unfolded" : "Folded"} ${id}`);
  }

  /** The id under which a repeat is shown now. */
  nowOf(member) {
    const shown = this.folds.view(member);
    if (shown.is === "frame") return shown.id;
    return this.drawing.parts.has(member.id) ? member.id : [...this.drawing.parts.values()].find((part) => part.member === member)?.id ?? "";
  }

  foldAll(isFolded) {
    this.folds.folded.clear();
    if (isFolded) {
      for (const network of this.data.networks) for (const {id} of this.members(network.level)) this.folds.folded.add(id);
      this.folds.turns.clear();
    }
    this.redrawWhole();
  }

  turnsOfAll() {
    const isOn = this.folds.turns.size === 0;
    for (const network of this.data.networks) this.showTurns(network.level, isOn);
    this.redrawWhole();
  }

  showTurns(level, isOn) {
    for (const member of this.members(level)) {
      if (member.is === "repeat") isOn ? this.folds.turns.add(member.id) : this.folds.turns.delete(member.id);
    }
  }

  redrawWhole() {
    this.draw();
    this.chosen = this.shownAs(this.chosen);
    if (this.fits === null) this.isMoved = false;
    this.settle();
    this.mark();
    this.makeTabStop();
    if (!find("#panel").hidden) this.openPanel();
    this.remember();
    find('[data-do="turns"]').setAttribute("aria-pressed", String(this.folds.turns.size > 0));
  }

  // --- search

  search(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean), holds = matcher(text, words);
    if (!holds) return this.nothing();
    this.hits = [];
    this.hit = -1;
    const seen = new Set();
    for (const [net, network] of words.length ? this.data.networks.entries() : []) {
      network.boxes.forEach((box, place) => {
        if (!holds(this.textOf(box))) return;
        const key = `${net} ${this.standIn(network.level, place)}`;
        if (!seen.has(key)) this.hits.push(box.id), seen.add(key);
      });
    }
    find("#found").textContent = words.length ? String(this.hits.length) : "";
    this.mark();
    this.remember("replaceState");
  }

  /** What is typed is no regular expression, or not yet. */
  nothing() {
    Object.assign(this, {hits: [], hit: -1});
    find("#found").textContent = "?";
    this.mark();
  }

  /** The box by which a box is shown where nothing is folded: that of a first turn, where one stands for all. */
  standIn(level, box) {
    for (const member of level?.members ?? []) {
      const frame = member.is === "repeat" ? member.all : member;
      if (frame.is !== "frame" || box < frame.box || box >= frame.box + frame.count) continue;
      if (member.is === "frame" || this.folds.turns.has(member.id)) return this.standIn(frame.level, box);
      const first = frame.box + ((box - frame.box) % (frame.count / member.turns));
      return member.one.level ? this.standIn(member.one.level, first) : first;
    }
    return box;
  }

  textOf(box) {
    box.text ??= [box.id, box.kind, box.details, ...box.entries.flatMap(([title, body]) => [
      title, ...Object.entries(this.data.bodies[body].options ?? {}).map(([key, value]) => `${key}=${value} ${key} = ${value}`),
    ])].join("\n").toLowerCase();
    return box.text;
  }

  nextHit(step) {
    if (!this.hits.length) return;
    this.hit = (this.hit + step + this.hits.length) % this.hits.length;
    find("#found").textContent = `${this.hit + 1}/${this.hits.length}`;
    const query = find("#query"), isTyping = document.activeElement === query;
    this.reveal(this.hits[this.hit]);
    if (isTyping) query.focus();
    say(`${this.hits[this.hit]}, ${this.hit + 1} of ${this.hits.length}`);
  }

  // --- where to

  /**
   * Along a wire to what a part reads, or to what reads it; where several parts read it, on to the others of them. Else,
   * and beyond the last of them, through all parts in the order of the file.
   */
  step(direction) {
    const ids = [...this.drawing.parts.keys()], part = this.drawing.parts.get(this.chosen);
    if (!part) return this.goTo(ids[0]);
    if (direction === "before" || direction === "after") {
      const ends = this.along(part, direction);
      this.fan = direction === "after" ? ends : [];
      return this.goTo(ends[0] ?? this.chosen);
    }
    const by = direction === "next" ? 1 : -1, other = this.fan[this.fan.indexOf(this.chosen) + by];
    if (this.fan.includes(this.chosen) && other) return this.goTo(other);
    this.fan = [];
    return this.goTo(ids[Math.min(Math.max(ids.indexOf(this.chosen) + by, 0), ids.length - 1)]);
  }

  /** What stands before or after a part: at the other ends of its wires; in a network the first part, or the last. */
  along(part, direction) {
    const inside = [...this.drawing.parts.values()].filter(({net, is}) => net === part.net && is === "box");
    if (part.is === "network") return inside.slice(...(direction === "after" ? [0, 1] : [-1])).map(({id}) => id);
    return this.neighbours(part)[direction].map(({id}) => id).filter((id) => this.drawing.parts.has(id));
  }

  goTo(id) {
    this.choose(id, false);
    this.bring(this.drawing.parts.get(id));
    this.focus(id);
    if (this.fan.length > 1 && this.fan.includes(id)) say(`${id}, ${this.fan.indexOf(id) + 1} of ${this.fan.length}`);
  }

  // --- the address: what is chosen, folded and searched

  /** Put what is shown into the address, as a step that the browser's Back undoes. */
  remember(how = "pushState") {
    const address = this.address();
    if (this.isRestoring || address === location.hash || (!address && !location.hash)) return;
    try {
      history[how](null, "", address || `${location.pathname}${location.search}`);
    } catch {
      // a page within a page may not: it has no address
    }
  }

  address() {
    const asked = new URLSearchParams(), query = find("#query").value, isOpen = !find("#panel").hidden;
    this.describe(asked, "fold", "folded", "open", this.folds.folded, this.first.folded, () => true);
    this.describe(asked, "turns", "shown", "once", this.folds.turns, this.first.turns, ({is}) => is === "repeat");
    if (query) asked.set("find", query);
    if (this.chosen && isOpen) asked.set("panel", "1");
    if (!asked.size) return this.chosen ? `#${encodeURIComponent(this.chosen)}` : "";
    if (this.chosen) asked.set("part", this.chosen);
    return `#?${asked}`;
  }

  /** A set as what differs from the one at first: all, none, or these more and those less. */
  describe(asked, whole, more, less, now, first, counts) {
    const all = this.ids(counts), isSame = now.size === first.size && [...now].every((id) => first.has(id));
    if (isSame) return;
    if (!now.size || all.every((id) => now.has(id))) return asked.set(whole, now.size ? "all" : "none");
    for (const id of now) if (!first.has(id)) asked.append(more, id);
    for (const id of first) if (!now.has(id)) asked.append(less, id);
  }

  ids(counts) {
    return this.data.networks.flatMap((network) => [...this.members(network.level)].filter(counts).map(({id}) => id));
  }

  /** Show what an address asks for, and nothing that it does not. */
  restore(asked) {
    this.isRestoring = true;
    const folded = this.asked(asked, "fold", "folded", "open", this.first.folded, () => true);
    const turns = this.asked(asked, "turns", "shown", "once", this.first.turns, ({is}) => is === "repeat");
    if (asked.get("fold") === "all" && !asked.has("turns")) turns.clear();
    Object.assign(this.folds, {folded, turns});
    find("#query").value = asked.get("find") ?? "";
    this.redrawWhole();
    this.search(find("#query").value);
    find("#panel").hidden = true;
    if (asked.get("part")) this.reveal(asked.get("part"));
    else this.choose("", false);
    if (asked.has("panel")) this.openPanel();
    this.isRestoring = false;
  }

  asked(asked, whole, more, less, first, counts) {
    const set = new Set(asked.get(whole) === "all" ? this.ids(counts) : asked.get(whole) === "none" ? [] : first);
    for (const id of asked.getAll(more)) set.add(id);
    for (const id of asked.getAll(less)) set.delete(id);
    return set;
  }

  listColours() {
    const element = find("#legend"), {legend} = this.data;
    element.toggleAttribute("hidden", !legend);
    if (legend) {
      element.innerHTML = legend.svg;
      element.setAttribute("width", Math.ceil(legend.width));
      element.setAttribute("height", Math.ceil(legend.height));
    }
    const foldable = this.data.networks.some((network) => !this.members(network.level).next().done);
    for (const name of ["fold", "unfold", "turns"]) find(`[data-do="${name}"]`).hidden = !foldable;
  }

  listNetworks() {
    const list = find("#networks"), {networks} = this.data;
    list.hidden = networks.length < 2;
    list.innerHTML = `<option value="">All networks</option>${networks.map(({id, name}) => `<option value="${escaped(id)}">${escaped(name)}</option>`).join("")}`;
    list.addEventListener("change", () => this.fit(list.value));
  }
}

/** What a text must hold: all words, or what `/a regular expression/` matches; null where it is none. */
function matcher(text, words) {
  const pattern = text.trim().match(/^\/(.+)\/$/)?.[1];
  if (!pattern) return (found) => words.every((word) => found.includes(word));
  try {
    const expression = new RegExp(pattern, "im");
    return (found) => expression.test(found);
  } catch {
    return null;
  }
}

function frameAround(part, kind) {
  if (!part) return "";
  const radius = part.is === "box" ? 6 : 9;
  return `<rect class="${kind}" x="${number(part.x - 3)}" y="${number(part.y - 3)}" width="${number(part.w + 6)}" height="${number(part.h + 6)}" rx="${radius}"/>`;
}

function say(text) { find("#said").textContent = text; }
