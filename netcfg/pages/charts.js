// The curves of a page: drawn, pointed at, and their lines shown or hidden.

const charts = JSON.parse(document.getElementById("data").textContent);
const WIDTH = 420, HEIGHT = 240, LEFT = 46, RIGHT = 10, TOP = 8, BOTTOM = 34;
const number = (value) => value.toFixed(2).replace(/\.?0+$/, "");
const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const drawn = [];

/** A figure in as many digits as tell it apart from its neighbours. */
function figure(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e5) return String(value);
  const size = Math.abs(value);
  return size >= 0.01 && size < 1e4 ? value.toFixed(size < 10 ? 3 : 1) : value.toPrecision(3);
}

/** Round numbers from `low` to `high`, some five of them. */
function ticks(low, high, whole) {
  const rough = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const round = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const step = whole ? Math.max(1, Math.round(round)) : round, found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

/** Powers of ten, for an axis of logarithms. */
function powers(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high * 1.0001; power += 1) found.push(10 ** power);
  return found.length > 1 ? found : [low, high];
}

class Chart {
  constructor(about, element) {
    Object.assign(this, {about, element, shown: about.lines.map(() => true), at: null});
    element.innerHTML = `<figcaption><b>${escaped(about.title)}</b><output></output></figcaption>`
      + `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" tabindex="0" aria-label="${escaped(about.title)}"></svg>`
      + `<div class="legend">${about.lines.map((line, place) => this.entry(line, place)).join("")}</div>`;
    this.svg = element.querySelector("svg");
    this.svg.addEventListener("pointermove", (event) => point(this, this.xAt(event)));
    this.svg.addEventListener("pointerleave", () => point(this, null));
    this.svg.addEventListener("blur", () => point(this, null));
    this.svg.addEventListener("keydown", (event) => this.step(event));
    element.querySelector(".legend").addEventListener("click", (event) => this.toggle(event.target.closest("button")));
    this.draw();
  }

  entry(line, place) {
    return `<button type="button" aria-pressed="true" data-place="${place}"><i class="swatch" style="${style(line)}"></i>`
      + `<span>${escaped(line.name)}</span><output></output></button>`;
  }

  toggle(button) {
    if (!button) return;
    const place = Number(button.dataset.place);
    this.shown[place] = !this.shown[place];
    button.setAttribute("aria-pressed", this.shown[place]);
    this.draw();
  }

  /** The axes around the lines that are shown. */
  measure() {
    const {about} = this, lines = about.lines.filter((line, place) => this.shown[place]);
    const known = (lines.length ? lines : about.lines).map((line) => line.x.map((x, place) => [x, line.y[place]]).filter(([, y]) => y !== null)).flat();
    const xs = known.map(([x]) => x).filter((x) => !about.log || x > 0), ys = known.map(([, y]) => y);
    const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity), most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
    let [left, right, low, high] = xs.length ? [least(xs), most(xs), least(ys), most(ys)] : [0, 1, 0, 1];
    if (left === right) [left, right] = about.log ? [left / 2, right * 2] : [left - 0.5, right + 0.5];
    const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 0.5;
    [low, high] = [low >= 0 && low < room * 3 ? Math.min(0, low) : low - room, high + room];
    Object.assign(this, {left, right, low, high});
  }

  x(value) {
    const {about, left, right} = this, part = about.log ? Math.log(value / left) / Math.log(right / left) : (value - left) / (right - left);
    return LEFT + part * (WIDTH - LEFT - RIGHT);
  }

  y(value) { return HEIGHT - BOTTOM - ((value - this.low) / (this.high - this.low)) * (HEIGHT - TOP - BOTTOM); }

  draw() {
    this.measure();
    const {about} = this, rows = [];
    for (const value of ticks(this.low, this.high, false)) {
      const y = number(this.y(value));
      rows.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text x="${LEFT - 6}" y="${Number(y) + 4}" text-anchor="end">${figureOfAxis(value)}</text>`);
    }
    for (const value of about.log ? powers(this.left, this.right) : ticks(this.left, this.right, about.epochs)) {
      rows.push(`<text x="${number(this.x(value))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${figureOfAxis(value)}</text>`);
    }
    rows.push(`<text x="${WIDTH - RIGHT}" y="${HEIGHT - 4}" text-anchor="end">${escaped(about.x)}</text>`);
    if (about.y) rows.push(`<text x="0" y="${HEIGHT - 4}">${escaped(about.y)}, upwards</text>`);
    if (about.mark !== null) rows.push(`<line class="mark" x1="${number(this.x(about.mark))}" x2="${number(this.x(about.mark))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"><title>the best epoch</title></line>`);
    about.lines.forEach((line, place) => { if (this.shown[place]) rows.push(this.line(line)); });
    this.svg.innerHTML = `${rows.join("")}<g class="pointed"></g>`;
    this.point(this.at);
  }

  /** A line with its gaps; a point between two gaps, or of a short line, is a dot. */
  line(line) {
    const pieces = [], dots = [], few = line.x.length < 30;
    let isOpen = false;
    line.x.forEach((x, place) => {
      const y = line.y[place], isKnown = y !== null && !(this.about.log && x <= 0);
      if (isKnown) pieces.push(`${isOpen ? "L" : "M"}${number(this.x(x))},${number(this.y(y))}`);
      const alone = isKnown && !isOpen && (line.y[place + 1] ?? null) === null;
      if (isKnown && (alone || (few && this.about.epochs))) dots.push(`<circle cx="${number(this.x(x))}" cy="${number(this.y(y))}" r="2.2"/>`);
      isOpen = isKnown;
    });
    return `<g class="colour" style="${style(line)}"><path class="line" d="${pieces.join("")}"/>${dots.join("")}</g>`;
  }

  /** The x of all lines, in order. */
  places() { return [...new Set(this.about.lines.flatMap((line) => line.x))].sort((a, b) => a - b); }

  /** The x that is nearest to the pointer. */
  xAt(event) {
    const {left, width} = this.svg.getBoundingClientRect(), at = ((event.clientX - left) / width) * WIDTH;
    const places = this.places().filter((x) => !this.about.log || x > 0);
    return places.reduce((best, x) => (Math.abs(this.x(x) - at) < Math.abs(this.x(best) - at) ? x : best), places[0] ?? null);
  }

  step(event) {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!by) return;
    event.preventDefault();
    const places = this.places(), now = places.indexOf(this.at);
    point(this, places[now < 0 ? (by > 0 ? 0 : places.length - 1) : Math.min(places.length - 1, Math.max(0, now + by))]);
  }

  /** Show what the lines are at an x: of each the point that is nearest to it, of curves over epochs only that very one. */
  point(at) {
    this.at = at;
    const pointed = this.svg.querySelector(".pointed"), rows = [];
    const isIn = at !== null && at >= this.left && at <= this.right;
    this.element.querySelector("figcaption output").textContent = isIn ? `${this.about.x} ${figure(at)}` : "";
    if (isIn) rows.push(`<line class="cross" x1="${number(this.x(at))}" x2="${number(this.x(at))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`);
    const values = this.element.querySelectorAll(".legend output");
    this.about.lines.forEach((line, place) => {
      const near = isIn ? this.nearest(line, at) : -1, y = near < 0 ? undefined : line.y[near];
      values[place].textContent = isIn ? figure(y) : "";
      if (this.shown[place] && y !== null && y !== undefined) rows.push(`<g class="colour" style="${style(line)}"><circle cx="${number(this.x(line.x[near]))}" cy="${number(this.y(y))}" r="4"/></g>`);
    });
    pointed.innerHTML = rows.join("");
  }

  nearest(line, at) {
    if (this.about.epochs) return line.x.indexOf(at);
    return line.x.reduce((best, x, place) => (best < 0 || Math.abs(x - at) < Math.abs(line.x[best] - at) ? place : best), -1);
  }
}

const style = ({colour: [hue, shift]}) => `--hue:${hue};--shift:${shift}`;

/** A number at an axis. */
function figureOfAxis(value) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e5 || size < 1e-3) return Number(value.toPrecision(3)).toExponential();
  return String(Number(value.toPrecision(3)));
}

/** Point at an x in a chart; charts over epochs are pointed at together. */
function point(chart, at) {
  for (const other of drawn) if (other === chart || (chart.about.epochs && other.about.epochs)) other.point(at);
}

for (const element of document.querySelectorAll("[data-chart]")) {
  drawn.push(new Chart(charts[Number(element.dataset.chart)], element));
}
for (const drawing of document.querySelectorAll(".drawing")) {
  drawing.querySelector("svg").addEventListener("click", () => drawing.classList.toggle("whole"));
}

const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
const wear = (isDark) => { root.dataset.theme = isDark ? "dark" : "light"; };
wear(dark.matches);
dark.addEventListener("change", () => wear(dark.matches));
document.getElementById("theme").addEventListener("click", () => wear(root.dataset.theme !== "dark"));
