// The page itself: what is seen of the drawing, what is chosen, and what keys, pointers and the address do.

const find = (selector) => document.querySelector(selector);
const FAR = 0.3;  // below this scale text cannot be read and is left out

class Page {
  constructor(data) {
    sizes = data.sizes;
    Object.assign(this, {data, folds: new Folds(), scale: 1, x: 0, y: 0, chosen: "", hits: [], hit: -1});
    this.stage = find("#stage");
    this.world = find("#world");
    this.panel = new Panel(data, find("#about"), {go: (id) => this.reveal(id), neighbours: (part) => this.neighbours(part)});
    for (const network of data.networks) {
      for (const member of this.members(network.level)) {
        if ((member.one ?? member).shut) this.folds.folded.add(member.id);
        if (member.is === "repeat" && network.turns) this.folds.turns.add(member.id);
      }
    }
    this.draw();
    this.start();
    this.listNetworks();
    this.listColours();
    new ResizeObserver(() => (this.isMoved ? this.look() : this.start())).observe(this.stage);
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
  }

  /** Draw again, with the part of that id where it was on the screen. */
  drawAround(id) {
    this.isMoved = true;
    const before = this.drawing.parts.get(id);
    const isFocused = this.world.contains(document.activeElement);
    this.draw();
    const now = this.drawing.parts.get(id) ?? this.drawing.parts.get(this.shownAs(id));
    if (before && now) {
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
    if (id) history.replaceState(null, "", `#${encodeURIComponent(id)}`);
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
  }

  closePanel() {
    find("#panel").hidden = true;
    this.focus(this.chosen);
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
    this.drawAround(member.is === "repeat" && !this.drawing.parts.has(member.id) ? id : id);
    const shown = this.drawing.parts.has(id) ? id : isRepeat ? this.nowOf(member) : this.shownAs(id);
    if (wasChosen) this.choose(shown, false), this.focus(shown);
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
    this.fit();
    this.chosen = this.shownAs(this.chosen);
    this.mark();
    find('[data-do="turns"]').setAttribute("aria-pressed", String(this.folds.turns.size > 0));
  }

  // --- view

  /** Put the view where `x`, `y` and `scale` say, at most once a frame. */
  look() {
    if (this.isWaiting) return;
    this.isWaiting = true;
    requestAnimationFrame(() => {
      this.isWaiting = false;
      this.world.setAttribute("transform", `translate(${number(this.x)},${number(this.y)}) scale(${this.scale.toFixed(4)})`);
      this.stage.classList.toggle("far", this.scale < FAR);
      this.leaveOut();
    });
  }

  /** Leave out what is in boxes far outside of the window: all texts are laid out anew at each step of a zoom. */
  leaveOut() {
    const {width, height} = this.stage.getBoundingClientRect();
    const [left, top] = [-(this.x + width / 2) / this.scale, -(this.y + height / 2) / this.scale];
    const [right, bottom] = [left + (2 * width) / this.scale, top + (2 * height) / this.scale];
    for (const box of this.boxes) {
      const isOut = box.x > right || box.x + box.w < left || box.y > bottom || box.y + box.h < top;
      if (isOut !== Boolean(box.isOut)) this.setOut(box, isOut);
    }
  }

  setOut(box, isOut) {
    const element = this.element(box.id);
    box.isOut = isOut;
    if (isOut) (box.content = document.createDocumentFragment()).append(...element.childNodes);
    else if (box.content) element.append(box.content);
  }

  zoom(factor, at) {
    const {width, height} = this.stage.getBoundingClientRect(), [px, py] = at ?? [width / 2, height / 2];
    const scale = Math.min(8, Math.max(0.004, this.scale * factor));
    this.isMoved = true;
    this.x = px - (px - this.x) * (scale / this.scale);
    this.y = py - (py - this.y) * (scale / this.scale);
    this.scale = scale;
    this.look();
  }

  /** The view at first: everything, or of what is too large for that, its beginning. */
  start() {
    this.fit();
    if (this.scale >= FAR) return;
    const {width} = this.stage.getBoundingClientRect();
    this.scale = Math.max(this.scale, Math.min(0.8, (width - 40) / this.drawing.width));
    this.x = Math.max(20, (width - this.drawing.width * this.scale) / 2);
    this.y = 20;
  }

  fit(part) {
    const {width, height} = this.stage.getBoundingClientRect();
    const {x = 0, y = 0, w, h} = part ?? {w: this.drawing.width, h: this.drawing.height};
    this.isMoved = Boolean(part);
    this.scale = Math.min(part ? 1.5 : 1.25, Math.max(0.004, Math.min((width - 40) / w, (height - 40) / h)));
    this.x = (width - w * this.scale) / 2 - x * this.scale;
    this.y = Math.max(20, (height - h * this.scale) / 2) - y * this.scale;
    this.look();
  }

  /** Move the view so that a part is in it, large enough to read. */
  bring(part) {
    const {width, height} = this.stage.getBoundingClientRect();
    this.isMoved = true;
    if (this.scale < 0.5) this.scale = 1;
    const left = this.x + part.x * this.scale, top = this.y + part.y * this.scale;
    const inside = left > 20 && top > 20 && left + part.w * this.scale < width - 20 && top + Math.min(part.h * this.scale, height / 2) < height - 20;
    if (!inside) {
      this.x = width / 2 - (part.x + part.w / 2) * this.scale;
      this.y = height / 2 - (part.y + Math.min(part.h / 2, height / 3 / this.scale)) * this.scale;
    }
    this.look();
  }

  // --- search

  search(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.hits = [];
    this.hit = -1;
    const seen = new Set();
    for (const [net, network] of words.length ? this.data.networks.entries() : []) {
      network.boxes.forEach((box, place) => {
        if (!words.every((word) => this.textOf(box).includes(word))) return;
        const key = `${net} ${this.standIn(network.level, place)}`;
        if (!seen.has(key)) this.hits.push(box.id), seen.add(key);
      });
    }
    find("#found").textContent = words.length ? String(this.hits.length) : "";
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

  step(direction) {
    const ids = [...this.drawing.parts.keys()], part = this.drawing.parts.get(this.chosen);
    if (!part) return this.goTo(ids[0]);
    if (direction === "before" || direction === "after") {
      const next = this.neighbours(part)[direction].map(({id}) => id).find((id) => this.drawing.parts.has(id));
      return this.goTo(next ?? this.chosen);
    }
    const place = ids.indexOf(this.chosen) + (direction === "next" ? 1 : -1);
    return this.goTo(ids[Math.min(Math.max(place, 0), ids.length - 1)]);
  }

  goTo(id) {
    this.choose(id, false);
    this.bring(this.drawing.parts.get(id));
    this.focus(id);
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
    list.addEventListener("change", () => this.fit(this.drawing.parts.get(list.value)));
  }
}

function frameAround(part, kind) {
  if (!part) return "";
  const radius = part.is === "box" ? 6 : 9;
  return `<rect class="${kind}" x="${number(part.x - 3)}" y="${number(part.y - 3)}" width="${number(part.w + 6)}" height="${number(part.h + 6)}" rx="${radius}"/>`;
}

function say(text) { find("#said").textContent = text; }

// --- pointers

function listenToPointers(page) {
  const {stage} = page, down = new Map();
  let moved = 0;
  const at = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    down.set(event.pointerId, at(event));
    moved = 0;
  });
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId), now = at(event);
    if (!before) return;
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (moved < 4) return;
    stage.classList.add("moving");
    if (!stage.hasPointerCapture(event.pointerId)) stage.setPointerCapture(event.pointerId);
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) page.zoom(Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])), other);
    const share = other ? 0.5 : 1;
    page.isMoved = true;
    page.x += (now[0] - before[0]) * share;
    page.y += (now[1] - before[1]) * share;
    page.look();
    down.set(event.pointerId, now);
  });
  const up = (event) => { down.delete(event.pointerId); stage.classList.remove("moving"); };
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);
  stage.addEventListener("click", (event) => { if (moved < 4) click(page, event); });
  stage.addEventListener("dblclick", (event) => {
    const part = event.target.closest(".box, .header")?.closest("[data-node]");
    if (part && !event.target.closest(".chip")) page.toggle(part.dataset.node);
  });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const isWheel = event.deltaX === 0 && (event.deltaMode !== 0 || Math.abs(event.deltaY) >= 50);
    if (event.ctrlKey || event.metaKey || isWheel) {
      return page.zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey && !isWheel ? 0.01 : 0.0018)), at(event));
    }
    page.isMoved = true;
    page.x -= event.deltaX;
    page.y -= event.deltaY;
    return page.look();
  }, {passive: false});
}

function click(page, event) {
  const chip = event.target.closest(".chip"), part = event.target.closest(".box, .header")?.closest("[data-node]");
  if (!part) return page.choose("", false), page.openPanel();
  if (chip) return page.toggle(part.dataset.node, chip.dataset.action);
  if (event.detail > 1) return undefined;
  page.choose(part.dataset.node, true);
  return page.focus(part.dataset.node);
}

// --- keys and buttons

function actionsOf(page) {
  return {
    fold: () => page.foldAll(true),
    unfold: () => page.foldAll(false),
    turns: () => page.turnsOfAll(),
    in: () => page.zoom(1.25),
    out: () => page.zoom(0.8),
    fit: () => page.fit(),
    theme: () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"),
    help: () => find("#help").showModal(),
    close: () => page.closePanel(),
  };
}

function listenToKeys(page) {
  const act = actionsOf(page);
  const keys = {
    "+": act.in, "=": act.in, "-": act.out, "0": act.fit, "1": () => page.zoom(1 / page.scale), "?": act.help,
    c: act.fold, e: act.unfold, r: act.turns, t: act.theme, "/": () => find("#query").select(),
    ...arrowsOf(page),
    Enter: () => { page.openPanel(); find("#panel-title")?.focus(); }, " ": () => page.toggle(page.chosen),
    Escape: () => act.close(),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select"), isButton = event.target.closest("button, a, summary, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.key !== "Escape")) return;
    if (isButton && event.key !== "Escape" && !"/?".includes(event.key)) return;
    if (find("#help").open || !keys[event.key]) return;
    event.preventDefault();
    if (isTyping) page.stage.focus();
    keys[event.key]();
  });
  for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", () => act[button.dataset.do]());
  find("#about").addEventListener("click", (event) => { if (event.target.matches("[data-fold]")) page.toggle(page.chosen); });
  find("#query").addEventListener("input", (event) => page.search(event.target.value));
  find("#query").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(), page.nextHit(event.shiftKey ? -1 : 1); });
  find("#search").addEventListener("submit", (event) => event.preventDefault());
  page.stage.addEventListener("focus", () => { if (page.chosen) page.focus(page.chosen); });
}

/** The arrows that point along the wires follow them, the other two go through the file. */
function arrowsOf(page) {
  const along = page.data.sideways || page.data.still ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const across = along[0] === "ArrowUp" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const ways = {[along[0]]: "before", [along[1]]: "after", [across[0]]: "previous", [across[1]]: "next"};
  return Object.fromEntries(Object.entries(ways).map(([key, way]) => [key, () => page.step(way)]));
}

// --- theme, print, address

function setTheme(theme) { document.documentElement.dataset.theme = theme; }

function listenToSurroundings(page) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
  let before = "";
  addEventListener("beforeprint", () => {
    before = document.documentElement.dataset.theme;
    setTheme("light");
    page.world.removeAttribute("transform");
    page.stage.classList.remove("far");
    for (const box of page.boxes) page.setOut(box, false);
    page.stage.setAttribute("viewBox", `0 0 ${Math.ceil(page.drawing.width)} ${Math.ceil(page.drawing.height)}`);
  });
  addEventListener("afterprint", () => {
    setTheme(before);
    page.stage.removeAttribute("viewBox");
    page.look();
  });
  addEventListener("hashchange", () => readAddress(page));
  readAddress(page);
}

/** `#ID` chooses a part; `#?theme=dark&fold=all&turns=all&find=conv&part=ID&panel=1` sets more. */
function readAddress(page) {
  const text = location.hash.slice(1);
  if (!text) return;
  if (!text.startsWith("?")) return page.reveal(decodeURIComponent(text));
  const asked = new URLSearchParams(text.slice(1));
  if (asked.has("theme")) setTheme(asked.get("theme"));
  if (asked.get("turns") === "all" && !page.folds.turns.size) page.turnsOfAll();
  if (asked.has("fold")) page.foldAll(asked.get("fold") === "all");
  if (asked.has("find")) find("#query").value = asked.get("find"), page.search(asked.get("find"));
  if (asked.has("part")) page.reveal(asked.get("part"));
  if (asked.has("panel")) page.openPanel();
  return undefined;
}

const page = new Page(JSON.parse(find("#data").textContent));
listenToPointers(page);
listenToKeys(page);
listenToSurroundings(page);
window.netcfg = page;
