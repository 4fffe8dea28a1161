"""A diagram as one HTML file that needs nothing else: pan, zoom, search, fold, and look things up.

    diagrams -> units that fold (folds) -> what can be drawn of them (content) -> one file (here)

Python measures and draws the boxes and decides who stands beside whom; `page.js` finds the places anew whenever
something is folded or unfolded, as `netcfg.draw.layout` does for the other formats.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files

from netcfg.draw import style
from netcfg.draw.links import Links
from netcfg.draw.model import Diagram
from netcfg.draw.options import Look
from netcfg.draw.page.content import COLOURS, HEAT, SIZES, page_data
from netcfg.draw.page.night import colour_rules, words_at_night
from netcfg.draw.scene import Scene
from netcfg.draw.svg import family
from netcfg.markup import filled, plain, script_data

PARTS = (
    "geometry.js",
    "columns.js",
    "drawing.js",
    "panel.js",
    "view.js",
    "page.js",
    "paper.js",
    "tools.js",
    "controls.js",
)
"""The scripts, in order; they share one scope."""


def write_page(
    title: str,
    diagrams: Sequence[Diagram],
    links: Links,
    look: Look | None = None,
    scene: Scene | None = None,
    font: str = "",
) -> str:
    """The whole document; the same diagrams give the same bytes. With a `scene` it shows that as it is."""
    data = json.dumps(
        page_data(title, diagrams, links, look or Look(), scene), ensure_ascii=False, separators=(",", ":")
    )
    scripts = "\n".join(map(_part, PARTS))
    values = {
        "TITLE": plain(title or "netcfg"),
        "FONT": family(font),
        "STYLE": _part("page.css").replace("FONT", family(font)),
        "COLOURS": "\n".join([colour_rules(data, [*COLOURS, *SIZES["FRAME_FILLS"]]), *heat_rules()]),
        "DATA": script_data(data),
        "SCRIPT": f'"use strict";\n(() => {{\n{scripts}}})();',
    }
    return filled(_part("page.html"), values)


def heat_rules() -> Iterator[str]:
    """The colours of boxes that the page colours by their cost, and of the words in them, by day and by night."""
    for step, (day, night) in enumerate(HEAT):
        yield f'#stage .box rect[data-heat="{step}"]{{fill:{day}}}'
        yield f':root[data-theme="dark"] #stage .box rect[data-heat="{step}"]{{fill:{night}}}'
    yield f"#stage .box rect[data-heat] ~ text{{fill:{style.INK}}}"  # no fainter words on strong colours
    yield f':root[data-theme="dark"] #stage .box rect[data-heat] ~ text{{fill:{words_at_night(style.INK)}}}'


def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
