"""A broken program as a picture: what could be understood of it, and what is wrong where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from netcfg.draw.formats import Picture
from netcfg.draw.marked import Marked, Marks
from netcfg.draw.marks import faded
from netcfg.draw.model import Diagram, diagram
from netcfg.draw.options import Look
from netcfg.draw.shown import fitting_depth
from netcfg.passes.understand import Understood
from netcfg.source import Finding


def broken_picture(
    networks: Sequence[Understood], title: str = "", scale: float = 2.0, look: Look | None = None
) -> Picture:
    """The networks with their mistakes marked; templates are closed, as far as a page needs it, where all is well."""
    look = look or Look()
    if look.depth is None and not look.expand:
        look = replace(look, depth=fitting_depth([network.graph for network in networks]))
    return Picture(title, [broken_diagram(network, look) for network in networks], scale, look=look)


def broken_diagram(network: Understood, look: Look) -> Diagram:
    """One network; where something in it is wrong, all else is pale."""
    blocks = {index: _marked(found) for index, found in network.mistakes.items()}
    marks = Marks(blocks, dict.fromkeys(network.edges, "error"))
    drawn = diagram(network.graph, look=look, marks=marks)
    drawn.frame.note = "" if blocks or network.of_whole else drawn.frame.note
    if blocks:
        faded(drawn)
    if network.of_whole:
        drawn.frame.mark, drawn.frame.note, _ = _marked(network.of_whole)
    if drawn.expanded is not None:
        drawn.expanded = partial(broken_diagram, network, replace(look, expand=True, depth=None))
    return drawn


def _marked(found: Sequence[Finding]) -> Marked:
    return Marked("error", "\n".join(f"{finding.code}: {finding.message}" for finding in found))
