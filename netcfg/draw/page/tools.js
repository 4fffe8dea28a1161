// What else can be done with the drawing: save what is shown, list all blocks, colour them by their cost, hide names.

const COSTS = {parameters: "parameters", macs: "MACs per sample"};
const COLUMNS = ["block", "type", "shape", "parameters", "MACs"];

/** What is shown as a picture that needs no style sheet: as it is by day, without what is only there to be clicked. */
function pictureOf(page) {
  const {width, height, svg} = page.drawing, {heat} = page.data, holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  holder.innerHTML = svg;
  const hot = new Map(Array.from(page.boxes, (part) => [part.id, (part.isOut ? part.content : page.element(part.id)).querySelector("[data-heat]")?.dataset.heat]));
  for (const [id, step] of hot) {
    const same = step === undefined ? null : holder.querySelector(`[data-node="${CSS.escape(id)}"]`);
    for (const rect of same?.querySelectorAll(":scope > g:not(.chip) > rect") ?? []) {
      rect.setAttribute("fill", heat[step][0]);
      for (const text of rect.parentNode.querySelectorAll(":scope > text")) text.setAttribute("fill", sizes.INK);
    }
  }
  for (const away of holder.querySelectorAll(".chip, .touch")) away.remove();
  if (page.stage.classList.contains("nameless")) for (const name of holder.querySelectorAll(".box text[font-weight]")) name.remove();
  for (const part of holder.querySelectorAll("[tabindex], [role]")) part.removeAttribute("tabindex"), part.removeAttribute("role");
  Object.entries({xmlns: "http://www.w3.org/2000/svg", width: number(width), height: number(height), fill: "none",
    viewBox: `0 0 ${number(width)} ${number(height)}`, "font-family": page.stage.getAttribute("font-family")})
    .forEach(([key, value]) => holder.setAttribute(key, value));
  holder.insertAdjacentHTML("afterbegin", `<rect width="${number(width)}" height="${number(height)}" fill="#ffffff"/>`);
  return new XMLSerializer().serializeToString(holder);
}

/** The same in pixels, two for each unit, or fewer where that would be more than a browser can paint. */
async function pixelsOf(page) {
  const {width, height} = page.drawing, scale = Math.min(2, 16000 / Math.max(width, height), Math.sqrt(2e8 / (width * height)));
  const image = new Image(), canvas = document.createElement("canvas");
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(pictureOf(page))}`;
  await image.decode();
  Object.assign(canvas, {width: Math.round(width * scale), height: Math.round(height * scale)});
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

async function save(page, kind) {
  const blob = kind === "png" ? await pixelsOf(page) : new Blob([pictureOf(page)], {type: "image/svg+xml"});
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob)});
  link.download = `${(page.data.title || "networks").replace(/\.[^.]*$/, "")}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(`Saved ${link.download}`);
}

// --- costs

/** The facts of all sections that a box stands for, added up; null where one is unknown. */
function costOf(page, entries, key) {
  return entries.reduce((sum, [, body]) => {
    const value = page.data.bodies[body].facts[key];
    return sum === null || value === null ? null : sum + (value ?? 0);
  }, 0);
}

function colourByCost(page) {
  const key = page.cost;
  for (const rect of page.world.querySelectorAll("[data-heat]")) rect.removeAttribute("data-heat");
  if (!key) return;
  const costs = page.boxes.filter((part) => part.about.entries.length).map((part) => {
    const boxes = page.data.networks[part.net].boxes, turns = part.member?.is === "repeat" && !part.all ? part.member.turns : 1;
    const own = [...page.boxesOf(part)].map((place) => costOf(page, boxes[place].entries, key));
    return [part, own.includes(null) ? 0 : turns * own.reduce((sum, cost) => sum + cost, 0)];
  });
  const most = Math.max(1, ...costs.map(([, cost]) => cost)), steps = page.data.heat.length - 1;
  for (const [part, cost] of costs) {
    const holder = part.isOut ? part.content : page.element(part.id);
    for (const rect of holder.querySelectorAll(":scope > g:not(.chip) > rect")) {
      if (!rect.matches(".touch")) rect.dataset.heat = Math.round(Math.sqrt(cost / most) * steps);
    }
  }
}

// --- the list

class List {
  constructor(page, element) {
    Object.assign(this, {page, element, by: 0, isFalling: false});
    this.rows = page.data.networks.flatMap((network) => network.boxes.filter((box) => box.entries.length).map((box) => {
      const [title, body] = box.entries[0], {shape} = page.data.bodies[body].facts;
      const costs = Object.keys(COSTS).map((key) => costOf(page, box.entries, key));
      return [box.id, title.match(/^\[(.*?)\]/)?.[1] ?? box.kind, shape === undefined ? "" : factText("shape", shape), ...costs];
    }));
    element.addEventListener("click", (event) => this.click(event));
  }

  click(event) {
    event.preventDefault();
    const head = event.target.closest("[data-column]"), row = event.target.closest("[data-goto]");
    if (row) return this.element.closest("dialog").close(), this.page.reveal(row.dataset.goto);
    if (!head) return undefined;
    const column = Number(head.dataset.column);
    Object.assign(this, {by: column, isFalling: this.by === column ? !this.isFalling : column > 2});
    this.show();
    return this.element.querySelector(`[data-column="${column}"]`).focus();
  }

  show() {
    const {by, isFalling} = this, names = new Intl.Collator("en", {numeric: true});
    const compared = (a, b) => (by > 2 ? (a[by] ?? -1) - (b[by] ?? -1) : names.compare(a[by], b[by]));
    const rows = [...this.rows].sort((a, b) => (isFalling ? compared(b, a) : compared(a, b)));
    const head = COLUMNS.map((name, column) => {
      const sorted = column === by ? (isFalling ? "descending" : "ascending") : "none";
      return `<th aria-sort="${sorted}"><button type="button" data-column="${column}">${name}${column === by ? (isFalling ? " ↓" : " ↑") : ""}</button></th>`;
    });
    const body = rows.map(([id, type, shape, ...costs]) => `<tr><td><a href="#" data-goto="${escaped(id)}">${escaped(id)}</a></td>`
      + `<td>${escaped(type)}</td><td>${escaped(shape)}</td>${costs.map((cost) => `<td class="count">${escaped(factText("", cost))}</td>`).join("")}</tr>`);
    this.element.innerHTML = `<thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody>`;
  }
}

function listenToTools(page) {
  const list = new List(page, find("#list table")), costs = find("#costs");
  page.cost = "";
  page.saved = {svg: () => pictureOf(page), png: () => pixelsOf(page)};
  costs.hidden = !page.data.heat;
  costs.addEventListener("change", () => { page.cost = costs.value; colourByCost(page); });
  return {
    svg: () => save(page, "svg"),
    png: () => save(page, "png"),
    list: () => { list.show(); find("#list").showModal(); },
    names: () => {
      const isOff = page.stage.classList.toggle("nameless");
      find('[data-do="names"]').setAttribute("aria-pressed", String(!isOff));
    },
  };
}
