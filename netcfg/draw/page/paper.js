// The page on paper: the drawing in strips, cut where no box is, so that each can go on the next sheet as a whole.

const SHEET = {width: 700, ratio: 1.25};  // a drawing narrower than that is not enlarged; a strip is no longer than that

/** The heights between which the drawing is cut into strips: below a label where that makes a strip long enough. */
function stripsOf(parts, width, height) {
  const longest = Math.max(width, SHEET.width) * SHEET.ratio, strips = [];
  const rooms = [[sizes.ARROW_GAP, sizes.LABEL_HEIGHT], [1, 1]], cuts = rooms.map((room) => cutsBetween(parts, ...room));
  for (let top = 0; top < height;) {
    const [good, all] = cuts.map((each) => each.filter((at) => at > top && at <= top + longest).at(-1) ?? top);
    const near = good - top > longest / 2 ? good : Math.max(good, all), next = cuts[1].find((at) => at > top) ?? height;
    const bottom = height - top <= longest ? height : near > top ? near : next;
    strips.push([top, bottom]);
    top = bottom;
  }
  return strips;
}

/** The heights at which no box is, and no title of a frame or a network, with so much room above and below. */
function cutsBetween(parts, above, below) {
  const heads = {network: sizes.NETWORK_HEADER, frame: sizes.HEADER};
  const taken = parts.map(({is, y, h}) => [y - above, y + (heads[is] ?? h + sizes.BEHIND) + below]);
  for (const {is, y, h} of parts) if (is === "frame") taken.push([y + h - 1, y + h + sizes.BEHIND + below]);
  return merged(taken).map(([, bottom]) => bottom);
}

/** The drawing as it goes onto paper: in one column, where columns beside each other cannot be cut often enough. */
function drawingForPaper({data, folds, drawing}) {
  const longest = ({parts, width, height}) => (
    Math.max(...stripsOf([...parts.values()], width, height).map(([top, bottom]) => bottom - top)) / Math.max(width, SHEET.width));
  if (data.still || data.sideways || longest(drawing) <= SHEET.ratio * 1.5) return drawing;
  const straight = new Drawing({...data, columns: 1}, folds);
  return longest(straight) < longest(drawing) ? straight : drawing;
}

/** Fill the paper; what is printed is a copy, cut into strips. */
function fillPaper(page) {
  page.onPaper = drawingForPaper(page);
  const {width, height, parts} = page.onPaper, sheet = Math.max(width, SHEET.width);
  const whole = document.createElementNS("http://www.w3.org/2000/svg", "g");
  whole.innerHTML = page.onPaper.svg;
  const strips = stripsOf([...parts.values()], width, height).map(([top, bottom]) => {
    const strip = document.createElementNS("http://www.w3.org/2000/svg", "svg"), world = whole.cloneNode(true);
    strip.setAttribute("viewBox", [0, top, width, bottom - top].map(number).join(" "));
    strip.setAttribute("class", "strip");
    strip.setAttribute("font-family", page.stage.getAttribute("font-family"));
    strip.setAttribute("fill", "none");
    strip.style.width = `${number(100 * width / sheet)}%`;
    for (const away of world.querySelectorAll(".chip")) away.remove();
    for (const part of world.querySelectorAll("[data-node]")) {
      const {y, h} = parts.get(part.dataset.node) ?? {y: top, h: 0};
      if (y > bottom || y + h < top) part.remove();
    }
    for (const named of world.querySelectorAll("[id]")) named.removeAttribute("id");
    strip.append(world);
    return strip;
  });
  find("#paper").replaceChildren(...strips);
}
