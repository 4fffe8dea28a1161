// What is seen of the drawing: where it is, and how large.

const find = (selector) => document.querySelector(selector);
const FAR = 0.3;  // below this scale text cannot be read and is left out

class View {
  constructor(stage, world) {
    Object.assign(this, {stage, world, scale: 1, x: 0, y: 0, isMoved: false, boxes: []});
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
}
