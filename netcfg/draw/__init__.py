"""Diagrams of networks: a straight spine, branches in lanes beside it, the same picture every time.

    graph -> boxes and wires (model) -> sizes (measure) -> places (layout) -> shapes (figure) -> a file (formats)

Nothing here needs anything but Python, save the PNG writer, which imports Pillow when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcfg.draw.formats import FORMATS, Picture
from netcfg.draw.model import diagram
from netcfg.draw.png import write_png
from netcfg.draw.scene import Scene
from netcfg.draw.svg import write_svg

if TYPE_CHECKING:
    from netcfg.graph import Graph


def picture(graphs: Sequence[Graph], *, title: str = "", expand: bool = False, scale: float = 2.0) -> Picture:
    """The picture of one or more networks; with `expand`, every turn of a repeat by itself."""
    return Picture(title, [diagram(graph, expand) for graph in graphs], scale)


def draw(graphs: Sequence[Graph], *, title: str = "", expand: bool = False) -> Scene:
    """The same, with everything in its place."""
    return picture(graphs, title=title, expand=expand).scene


__all__ = ["FORMATS", "Picture", "Scene", "draw", "picture", "write_png", "write_svg"]
