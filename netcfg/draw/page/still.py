"""A finished scene as an HTML file, to move with the pointer and to enlarge with its wheel."""

from __future__ import annotations

from html import escape
from typing import Final

from netcfg.draw.links import Links
from netcfg.draw.scene import Scene
from netcfg.draw.svg import write_svg

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; background: #ffffff; }}
svg {{ display: block; width: 100%; height: 100%; cursor: grab; touch-action: none; }}
.line:hover path {{ stroke-width: 3.5; }}
.box:hover > rect:first-of-type {{ stroke-width: 3; }}
</style>
</head>
<body>
{svg}<script>
{script}</script>
</body>
</html>
"""
_SCRIPT: Final = """\
"use strict";
const svg = document.querySelector("svg");
const view = svg.viewBox.baseVal;
const whole = { x: view.x, y: view.y, width: view.width, height: view.height };
const place = event => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
let held = null;
svg.addEventListener("wheel", event => {
  event.preventDefault();
  const at = place(event);
  const factor = Math.min(Math.exp(event.deltaY / 400), 2 * whole.width / view.width);
  view.x = at.x + (view.x - at.x) * factor;
  view.y = at.y + (view.y - at.y) * factor;
  view.width *= factor;
  view.height *= factor;
}, { passive: false });
svg.addEventListener("pointerdown", event => { held = place(event); });
svg.addEventListener("pointermove", event => {
  if (held === null || !event.buttons) return;
  const at = place(event);
  view.x += held.x - at.x;
  view.y += held.y - at.y;
});
svg.addEventListener("dblclick", () => Object.assign(view, whole));
"""


def write_still_page(scene: Scene, links: Links) -> str:
    """The whole document. The same scene gives the same bytes."""
    return _PAGE.format(title=escape(scene.title or "netcfg"), svg=write_svg(scene, links), script=_SCRIPT)
