// What is seen of the drawing: where it is, and how large.

const find = (selector) => document.querySelector(selector);
const FAR = 0.3;  // below this scale text is left out
const TARGET = 24;  // what can be clicked is as wide and high as that, in pixels, from this scale on:
const READABLE = 0.8;  // from this scale on text can be read, and everything is large enough to be hit

class View {
  constructor(stage, world) {
    // `fits` is the id of what fills the window, "" of everything, null where nothing needs to.
    Object.assign(this, {stage, world, scale: 1, x: 0, y: 0, isMoved: false, fits: null, boxes: []});
  }

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
    this.move();
    this.x = px - (px - this.x) * (scale / this.scale);
    this.y = py - (py - this.y) * (scale / this.scale);
    this.scale = scale;
    this.look();
  }

  /** From now on the view is where somebody moved it. */
  move() { Object.assign(this, {isMoved: true, fits: null}); }

  /** The window has another size, or there is something else in it: what filled it does so still. */
  settle() {
    if (this.fits !== null) this.fit(this.fits);
    else if (this.isMoved) this.look();
    else this.start();
  }

  /** The view at first: everything, or of what cannot be read then, its beginning. */
  start() {
    this.fit();
    this.fits = null;
    if (this.scale >= READABLE) return;
    const {width, height} = this.stage.getBoundingClientRect(), {x, y, w, h} = this.boxes[0] ?? this.drawing.parts.values().next().value;
    this.scale = READABLE;
    this.x = this.begin((width - this.drawing.width * this.scale) / 2, x, w, width);
    this.y = this.begin(0, y, h, height);
  }

  /** Where the drawing begins on the screen: at its edge, or, where its first box would then be out of sight, at that. */
  begin(wished, at, size, room) {
    const start = Math.max(20, wished);
    return start + (at + size) * this.scale < room - 20 ? start : room / 2 - (at + size / 2) * this.scale;
  }

  /** Fill the window with a part, or with everything, until it is moved. */
  fit(id = "") {
    const part = this.drawing.parts.get(id), {width, height} = this.stage.getBoundingClientRect();
    const {x = 0, y = 0, w, h} = part ?? {w: this.drawing.width, h: this.drawing.height};
    Object.assign(this, {isMoved: false, fits: part ? id : ""});
    this.scale = Math.min(part ? 1.5 : 1.25, Math.max(0.004, Math.min((width - 40) / w, (height - 40) / h)));
    this.x = (width - w * this.scale) / 2 - x * this.scale;
    this.y = Math.max(20, (height - h * this.scale) / 2) - y * this.scale;
    this.look();
  }

  /** Move the view so that a part is in it, large enough to read; where all is fitted, it is in it already. */
  bring(part) {
    if (this.fits === "" && this.scale >= FAR) return;
    const {width, height} = this.stage.getBoundingClientRect();
    this.move();
    if (this.scale < READABLE) this.scale = 1;
    const left = this.x + part.x * this.scale, top = this.y + part.y * this.scale;
    const inside = left > 20 && top > 20 && left + part.w * this.scale < width - 20 && top + Math.min(part.h * this.scale, height / 2) < height - 20;
    if (!inside) {
      this.x = width / 2 - (part.x + part.w / 2) * this.scale;
      this.y = height / 2 - (part.y + Math.min(part.h / 2, height / 3 / this.scale)) * this.scale;
    }
    this.look();
  }
}
