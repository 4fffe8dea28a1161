"""Diagrams of networks: a straight spine, branches in lanes beside it, the same picture every time.

    graph -> boxes and wires (model) -> sizes (measure) -> places (layout) -> shapes (figure) -> a file (formats)

Nothing here needs anything but Python, save the PNG writer, which imports Pillow when it is called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from netcfg.draw.dressing import dressed
from netcfg.draw.figure import Beside
from netcfg.draw.formats import FORMATS, Picture
from netcfg.draw.heat import warm
from netcfg.draw.insets import insets_of
from netcfg.draw.model import diagram
from netcfg.draw.options import Look
from netcfg.draw.paper import read_width
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
    return picture_of_files([(title, graphs)], title=title, expand=expand, scale=scale, look=look)


def picture_of_files(
    files: Sequence[tuple[str, Sequence[Graph]]],
    *,
    title: str = "",
    expand: bool = False,
    scale: float = 2.0,
    look: Look | None = None,
) -> Picture:
    """The networks of several files side by side, each file's under its name; insets stand beside them all.

    Raises `NetcfgError` for other names, or insets, of what is not there.
    """
    chosen = replace(look or Look(), expand=expand or bool(look and look.expand))

    def make(look: Look) -> Picture:
        graphs = [graph for _, own in files for graph in own]
        if look.depth is None and not look.expand:
            look = replace(look, depth=fitting_depth(graphs))
        networks = [diagram(graph, look=look) for graph in graphs]
        insets = insets_of(graphs, look) if look.insets else []
        diagrams = (
            dressed([*networks, *insets], look) if look.renames or look.palette else [*networks, *insets]
        )
        if look.heat:
            warm(diagrams, look.heat)
        captions = [name for name, _ in files] if len(files) > 1 else [""]
        groups = [Beside(len(own), name) for name, (_, own) in zip(captions, files, strict=True)]
        groups += [Beside(1) for _ in insets]
        return Picture(title, diagrams, scale, look=look, groups=groups if len(groups) > 1 else (), make=make)

    return make(chosen)


def picture_of(shown: Program | Graph, choices: Mapping[str, Any]) -> Picture:
    """The picture of a program's networks or of one network. Raises `NetcfgError` for an unknown choice."""
    known = [*(choice.name for choice in fields(Look)), *_OF_PICTURES]
    for name in choices:
        if name not in known:
            help = did_you_mean(name, known)
            raise NetcfgError(
                f"a picture has no choice `{name}`" + (f"\nhelp: {help}" if help else ""), code="NC802"
            )
    look = Look(**{name: value for name, value in choices.items() if name not in _OF_PICTURES})
    if isinstance(shown, Graph):
        drawn = picture([shown], look=look)
    else:
        drawn = picture(shown.graphs, title=os.path.basename(shown.name), look=look)
    width = choices.get("width")
    return replace(
        drawn,
        title=str(choices.get("title", drawn.title)),
        font=str(choices.get("font", "")),
        paper=None if width is None else read_width(str(width)),
    )


_OF_PICTURES = ("title", "font", "width")
"""Choices beside those of `Look`: a heading, letters, and a width such as `88mm`."""


def draw(
    graphs: Sequence[Graph], *, title: str = "", expand: bool = False, look: Look | None = None
) -> Scene:
    """The same, with everything in its place."""
    return picture(graphs, title=title, expand=expand, look=look).scene


__all__ = [
    "FORMATS",
    "Look",
    "Picture",
    "Scene",
    "draw",
    "picture",
    "picture_of",
    "picture_of_files",
    "write_png",
    "write_svg",
]
