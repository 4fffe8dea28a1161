"""Diagrams of networks: a straight spine, branches in lanes beside it, the same picture every time.

    graph -> boxes and wires (model) -> sizes (measure) -> places (layout) -> shapes (figure) -> svg | png

Nothing here needs anything but Python, save the PNG writer, which imports Pillow when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netcfg.draw.figure import compose
from netcfg.draw.model import diagram
from netcfg.draw.png import write_png
from netcfg.draw.scene import Scene
from netcfg.draw.svg import write_svg

if TYPE_CHECKING:
    from netcfg.graph import Graph


def draw(graphs: Sequence[Graph], *, title: str = "", expand: bool = False) -> Scene:
    """The picture of one or more networks; with `expand`, every turn of a repeat by itself."""
    return compose([diagram(graph, expand) for graph in graphs], title)


__all__ = ["Scene", "draw", "write_png", "write_svg"]
