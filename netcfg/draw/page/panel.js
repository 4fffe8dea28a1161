// The side panel: what is known of a part, from its sections to their reference pages.

const counted = (value) => (typeof value === "number" ? value.toLocaleString("en").replace(/,/g, "\u202f") : String(value));
const FACTS = {macs: "MACs per sample", "macs before": "MACs per sample before", parameters: "parameters", trainable: "trainable", shape: "shape"};

/** A fact as a reader takes it in: shapes as `64×32×32`, by port where there are several. */
function factText(key, value) {
  if (value === null) return "unknown";
  if (value === true || value === false) return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((size) => (/ /.test(size) ? `(${size})` : size)).join("×");
  if (typeof value === "object") {
    return Object.entries(value).map(([port, shape]) => `${port} ${factText(key, shape)}`.trim()).join("\n");
  }
  return counted(value);
}

class Panel {
  constructor(data, element, actions) {
    Object.assign(this, {data, element, actions});
    element.addEventListener("click", (event) => this.click(event));
  }

  click(event) {
    const link = event.target.closest("[data-goto]");
    if (!link) return;
    event.preventDefault();
    this.actions.go(link.dataset.goto);
  }

  show(part) {
    const {about} = part, network = this.data.networks[part.net];
    const path = about.id.slice(network.id.length + 1), type = about.entries[0]?.[0].match(/^\[(.*?)\]/)?.[1];
    const name = about.name || [type, path.split(".").at(-1)].filter(Boolean).join(" ");
    const rows = [`<h2 id="panel-title" tabindex="-1">${escaped(name)}</h2>`, about.id === name ? "" : `<p class="path">${escaped(about.id)}</p>`];
    const {entries, turns} = this.entries(part);
    const message = about.message ?? part.shown?.message;
    if (message) rows.push(`<p class="message">${escaped(message)}</p>`);
    if (turns > 1) rows.push(`<p class="note">Stands for ${turns} in a row; this is the first.</p>`);
    if (part.opens) rows.push(this.foldRow(part));
    if (!entries.length) rows.push(`<p class="details">${escaped(about.details)}</p>`);
    rows.push(this.wires(part));
    rows.push(...entries.map(([title, body]) => this.entry(title === name ? "" : title, this.data.bodies[body])));
    if (part.is === "frame" || part.shown?.frame) rows.push(this.total(part));
    this.element.innerHTML = rows.join("");
    this.element.scrollTop = 0;
  }

  /** The sections of a part: of a box that stands for several, those of the first. */
  entries(part) {
    const turns = part.member?.is === "repeat" && !part.all ? part.member.turns : 1;
    return {entries: part.about.entries, turns};
  }

  foldRow(part) {
    const verb = part.is === "box" ? "Unfold" : part.all ? "Show one turn" : "Fold";
    return `<p><button type="button" data-fold>${verb}</button></p>`;
  }

  entry(title, body) {
    const type = this.data.types[body.type], rows = title ? [`<h3>${escaped(title)}</h3>`] : [];
    rows.push(this.facts(body.facts));
    if (type) rows.push(this.options(type, body.options));
    if (body.at) rows.push(this.source(body));
    if (type) rows.push(this.reference(type));
    return `<section>${rows.join("")}</section>`;
  }

  facts(facts) {
    const rows = Object.entries(facts).map(([key, value]) => (
      `<dt>${escaped(FACTS[key] ?? key)}</dt><dd>${escaped(factText(key, value))}</dd>`));
    return rows.length ? `<dl>${rows.join("")}</dl>` : "";
  }

  /** All options with their values: those that were set, then, faint, those left at their defaults. */
  options(type, set) {
    const ordered = [...type.rows].sort((a, b) => (b[0] in set) - (a[0] in set));
    const rows = ordered.map(([key, kind, fallback, meaning]) => {
      const isSet = key in set, value = isSet ? set[key] : fallback === "required" ? "" : fallback;
      return `<tr class="${isSet ? "set" : "default"}" title="${escaped(`${kind}: ${meaning}`)}"><th>${escaped(key)}</th>`
        + `<td>${escaped(value)}${isSet ? "" : ' <span class="tag">default</span>'}</td></tr>`;
    });
    return `<table><caption>Options</caption>${rows.join("")}</table>`;
  }

  /** The lines of the section, and what leads to them from outside. */
  source(body) {
    const [file, line] = body.at, {name, text} = this.data.files[file];
    const place = escaped(`${name}:${line}`);
    const head = body.href ? `<a href="${escaped(body.href)}">${place}</a>` : place;
    const chain = body.chain.map(([other, at, message]) => (
      `<li>${escaped(message)} <span class="path">${escaped(`${this.data.files[other].name}:${at}`)}</span></li>`));
    return `<h4>Source ${head}</h4>${excerpt(text, line)}${chain.length ? `<ul class="chain">${chain.join("")}</ul>` : ""}`;
  }

  reference(type) {
    const rows = type.rows.map(([key, kind, fallback, meaning]) => (
      `<tr><th>${escaped(key)}</th><td>${escaped(meaning)}<br><span class="path">${escaped(kind)}; `
      + `${fallback === "required" ? "required" : `default ${escaped(fallback)}`}</span></td></tr>`));
    return `<details><summary>Reference: [${escaped(type.name)}]</summary><pre class="page">${escaped(type.page)}</pre>`
      + `<table>${rows.join("")}</table><p class="path">${escaped(type.origin)}</p></details>`;
  }

  /** What the blocks in a frame add up to. */
  total(part) {
    const {boxes} = this.data.networks[part.net], {box, count} = part.shown;
    const all = boxes.slice(box, box + count), left = all.filter(({mark}) => mark !== "removed");
    const entries = (left.length ? left : all).flatMap((each) => each.entries).map(([, body]) => this.data.bodies[body].facts);
    const sum = (key) => entries.reduce((total, facts) => (facts[key] === null || total === null ? null : total + (facts[key] ?? 0)), 0);
    const facts = {boxes: left.length || count, parameters: sum("parameters"), trainable: sum("trainable"), macs: sum("macs")};
    return `<section><h3>In all</h3>${this.facts(facts)}</section>`;
  }

  /** The parts it reads and those that read it. */
  wires(part) {
    const {before, after} = this.actions.neighbours(part);
    const list = (title, rows) => (rows.length ? `<h4>${title}</h4><ul class="wires">${rows.map(({id, label}) => (
      `<li><a href="#" data-goto="${escaped(id)}">${escaped(id)}</a> <span class="path">${escaped(label)}</span></li>`)).join("")}</ul>` : "");
    return `<section>${list("Reads", before)}${list("Is read by", after)}</section>`;
  }
}

/** The section that begins in a line, up to the next one. */
function excerpt(text, line) {
  const lines = text.split(/\r?\n/);
  if (lines.length < line || !lines[line - 1].trim()) return "";
  let end = line;
  while (end < lines.length && !/^\s*[[{]/.test(lines[end])) end += 1;
  while (end > line && /^\s*([#;].*)?$/.test(lines[end - 1])) end -= 1;
  const rows = lines.slice(line - 1, end).map((row, place) => (
    `<span class="number">${line + place}</span>${escaped(row)}\n`));
  return `<pre class="source">${rows.join("")}</pre>`;
}
