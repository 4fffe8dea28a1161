"""Diagrams of networks: a straight spine, branches in lanes beside it, the same picture every time.

    graph -> boxes and wires (model) -> sizes (measure) -> places (layout) -> shapes (figure) -> a file (formats)

Nothing here needs anything but Python, save the PNG writer, which imports Pillow when it is called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from netcfg.draw.formats import FORMATS, Picture
from netcfg.draw.heat import warm
from netcfg.draw.model import diagram
from netcfg.draw.options import Look
from netcfg.draw.png import write_png
from netcfg.draw.scene import Scene
from netcfg.draw.shown import fitting_depth
from netcfg.draw.svg import write_svg
from netcfg.graph import Graph
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    from netcfg.program import Program


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
    diagrams = [diagram(graph, look=look) for graph in graphs]
    if look.heat:
        warm(diagrams, look.heat)
    return Picture(title, diagrams, scale, look=look)


def picture_of(shown: Program | Graph, choices: Mapping[str, Any]) -> Picture:
    """The picture of a program's networks or of one network. Raises `NetcfgError` for an unknown choice."""
    known = [choice.name for choice in fields(Look)]
    for name in choices:
        if name not in known:
            help = did_you_mean(name, known)
            raise NetcfgError(
                f"a picture has no choice `{name}`" + (f"\nhelp: {help}" if help else ""), code="NC802"
            )
    look = Look(**choices)
    if isinstance(shown, Graph):
        return picture([shown], look=look)
    return picture(shown.graphs, title=os.path.basename(shown.name), look=look)


def draw(
    graphs: Sequence[Graph], *, title: str = "", expand: bool = False, look: Look | None = None
) -> Scene:
    """The same, with everything in its place."""
    return picture(graphs, title=title, expand=expand, look=look).scene


__all__ = ["FORMATS", "Look", "Picture", "Scene", "draw", "picture", "picture_of", "write_png", "write_svg"]
