// What keys, pointers and the address do, and the start of it all.

// --- pointers

function listenToPointers(page) {
  const {stage} = page, down = new Map();
  let moved = 0;
  const at = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button || (event.pointerType === "mouse" && event.target.closest("text"))) return;  // marks text
    getSelection().removeAllRanges();
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
    page.move();
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
    page.move();
    page.x -= event.deltaX;
    page.y -= event.deltaY;
    return page.look();
  }, {passive: false});
}

function click(page, event) {
  const chip = event.target.closest(".chip"), part = event.target.closest(".box, .header")?.closest("[data-node]");
  if (!getSelection().isCollapsed) return undefined;  // text was marked, to be copied
  if (!part) return page.choose("", true);
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
    ...listenToTools(page),
  };
}

function listenToKeys(page) {
  const act = actionsOf(page);
  const keys = {
    "+": act.in, "=": act.in, "-": act.out, "0": act.fit, "1": () => page.zoom(1 / page.scale), "?": act.help,
    l: act.list, n: act.names, c: act.fold, e: act.unfold, r: act.turns, t: act.theme, "/": () => find("#query").select(),
    ...arrowsOf(page),
    Enter: () => { page.openPanel(); find("#panel-title")?.focus(); }, " ": () => page.toggle(page.chosen),
    Escape: () => act.close(),
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, select"), isButton = event.target.closest("button, a, summary, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping && event.key !== "Escape")) return;
    if (isButton && event.key !== "Escape" && !"/?".includes(event.key)) return;
    if (document.querySelector("dialog[open]") || !keys[event.key]) return;
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
    fillPaper(page);
  });
  addEventListener("afterprint", () => {
    setTheme(before);
    find("#paper").replaceChildren();
    page.look();
  });
  document.addEventListener("copy", (event) => {
    const part = page.drawing.parts.get(page.chosen);
    if (!part || !getSelection().isCollapsed || event.target.closest?.("input")) return;
    event.clipboardData.setData("text/plain", part.about.details);
    event.preventDefault();
  });
  addEventListener("popstate", () => readAddress(page));
  if (location.hash) readAddress(page);
}

/** `#ID` chooses a part; `#?theme=dark&fold=all&turns=all&find=conv&part=ID&panel=1` sets more (`Page.address`). */
function readAddress(page) {
  const text = location.hash.slice(1), isPart = text && !text.startsWith("?");
  const asked = new URLSearchParams(isPart ? "" : text.slice(1));
  if (isPart) asked.set("part", decoded(text));
  if (asked.has("theme")) setTheme(asked.get("theme"));
  page.restore(asked);
}

function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

const page = new Page(JSON.parse(find("#data").textContent));
listenToPointers(page);
listenToKeys(page);
listenToSurroundings(page);
window.netcfg = page;
