"""Diagrams of networks: a straight spine, branches in lanes beside it, the same picture every time.

    graph -> boxes and wires (model) -> sizes (measure) -> places (layout) -> shapes (figure) -> a file (formats)

Nothing here needs anything but Python, save the PNG writer, which imports Pillow when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from netcfg.draw.formats import FORMATS, Picture
from netcfg.draw.model import diagram
from netcfg.draw.options import Look
from netcfg.draw.png import write_png
from netcfg.draw.scene import Scene
from netcfg.draw.shown import fitting_depth
from netcfg.draw.svg import write_svg

if TYPE_CHECKING:
    from netcfg.graph import Graph


def picture(
    graphs: Sequence[Graph],
    *,
    title: str = "",
    expand: bool = False,
    scale: float = 2.0,
    look: Look | None = None,
) -> Picture:
    """The picture of one or more networks as `look` says; `expand` is short for that of `Look`."""
    look = replace(look or Look(), expand=expand or bool(look and look.expand))
    if look.depth is None and not look.expand:
        look = replace(look, depth=fitting_depth(graphs))
    return Picture(title, [diagram(graph, look=look) for graph in graphs], scale, look=look)


def draw(
    graphs: Sequence[Graph], *, title: str = "", expand: bool = False, look: Look | None = None
) -> Scene:
    """The same, with everything in its place."""
    return picture(graphs, title=title, expand=expand, look=look).scene


__all__ = ["FORMATS", "Look", "Picture", "Scene", "draw", "picture", "write_png", "write_svg"]
