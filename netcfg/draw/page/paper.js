// The page on paper: the drawing in strips, cut where no box is, so that each can go on the next sheet as a whole.

const SHEET = {width: 700, ratio: 1.25};  // a drawing narrower than that is not enlarged; a strip is no longer than that

/** The heights between which the drawing is cut into strips. */
function stripsOf(parts, width, height) {
  const longest = Math.max(width, SHEET.width) * SHEET.ratio, strips = [];
  const taken = merged([...parts].flatMap(wholeOf)), free = [...taken.map(([, bottom]) => bottom), height];
  for (let top = 0; top < height;) {
    const near = free.filter((at) => at > top && at <= top + longest);
    const bottom = height - top <= longest ? height : near.at(-1) ?? free.find((at) => at > top) ?? height;
    strips.push([top, bottom]);
    top = bottom;
  }
  return strips;
}

/** From where to where a part must not be cut: a box with the label below it, the title of a frame or a network. */
function wholeOf({is, y, h}) {
  if (is === "box") return [[y - sizes.ARROW_GAP, y + h + sizes.LABEL_HEIGHT + sizes.BEHIND]];
  return [[y - 1, y + (is === "network" ? sizes.NETWORK_HEADER : sizes.HEADER + sizes.ARROW_GAP)]];
}

/** Fill the paper; what is printed is a copy, cut into strips. */
function fillPaper(page) {
  const {width, height, parts} = page.drawing, sheet = Math.max(width, SHEET.width);
  const strips = stripsOf(parts.values(), width, height).map(([top, bottom]) => {
    const strip = document.createElementNS("http://www.w3.org/2000/svg", "svg"), world = page.world.cloneNode(true);
    strip.setAttribute("viewBox", [0, top, width, bottom - top].map(number).join(" "));
    strip.setAttribute("class", "strip");
    strip.setAttribute("font-family", page.stage.getAttribute("font-family"));
    strip.setAttribute("fill", "none");
    strip.style.width = `${number(100 * width / sheet)}%`;
    world.removeAttribute("transform");
    for (const away of world.querySelectorAll(".chip, #focus")) away.remove();
    for (const part of world.querySelectorAll("[data-node]")) {
      const {y, h} = parts.get(part.dataset.node) ?? {y: top, h: 0};
      if (y > bottom || y + h < top) part.remove();
    }
    for (const named of [world, ...world.querySelectorAll("[id]")]) named.removeAttribute("id");
    strip.append(world);
    return strip;
  });
  find("#paper").replaceChildren(...strips);
}
