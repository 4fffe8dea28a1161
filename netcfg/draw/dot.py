"""Diagrams as Graphviz text: a cluster for each frame, shapes on the edges. Graphviz finds the places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from netcfg.draw import style
from netcfg.draw.marks import LOOKS, paint_of
from netcfg.draw.model import Box, Diagram, Frame, Wire
from netcfg.draw.outline import box_names, box_text, frame_text, wire_text

_HEAD: Final = """\
  graph [rankdir={direction}, fontname="Helvetica", labeljust=l, fontsize=14, color="{stroke}"]
  node [fontname="Helvetica", fontsize=12, shape=box, style="rounded,filled", margin="0.15,0.08", height=0.3]
  edge [fontname="Helvetica", fontsize=10, fontcolor="{faint}", color="{line}", arrowsize=0.7]"""


def write_dot(diagrams: Sequence[Diagram], title: str = "", direction: str = "TB") -> str:
    """The whole text; `direction` is Graphviz's `rankdir`."""
    names = box_names(list(diagrams))
    frames = count()
    rows = [f"digraph {quoted(title or 'netcfg')} {{"]
    rows.append(
        _HEAD.format(direction=direction, stroke=style.NETWORK_STROKE, faint=style.FAINT, line=style.LINE)
    )
    if title:
        rows.append(f"  label={quoted(title)}\n  labelloc=t")
    for diagram in diagrams:
        rows += _cluster(diagram.frame, names, frames, 1)
        rows += [f"  {_edge(wire, names)}" for wire in diagram.wires]
    return "\n".join([*rows, "}", ""])


def _cluster(frame: Frame, names: dict[int, str], frames: Iterator[int], depth: int) -> Iterator[str]:
    indent = "  " * depth
    yield f"{indent}subgraph cluster_{next(frames)} {{"
    yield f'{indent}  graph [label={quoted(frame_text(frame))}, style="rounded", tooltip={quoted(frame.details)}]'
    for part in frame.parts:
        if isinstance(part, Frame):
            yield from _cluster(part, names, frames, depth + 1)
        else:
            yield f"{indent}  {_node(part, names)}"
    yield f"{indent}}}"


def _node(box: Box, names: dict[int, str]) -> str:
    paint = paint_of(box)
    options = {
        "label": quoted("\n".join(box_text(box))),
        "fillcolor": quoted(paint.fill),
        "color": quoted(paint.stroke),
        "fontcolor": quoted(paint.text),
        "tooltip": quoted(box.details),
    }
    if box.colour:
        options["penwidth"] = "2"
    if box.count > 1:
        options["peripheries"] = "2"
    return f"{names[id(box)]} [{', '.join(f'{key}={value}' for key, value in options.items())}]"


def _edge(wire: Wire, names: dict[int, str]) -> str:
    options = {"label": quoted(wire_text(wire))} if wire_text(wire) else {}
    if wire.colours:
        options |= {"color": quoted(":".join(wire.colours)), "penwidth": "1.6"}
    if wire.mark:
        options |= {"color": quoted(LOOKS[wire.mark].colour), "penwidth": "2"}
    if wire.cuts:
        options |= {"arrowhead": "teenormal"}
    if wire.update:
        options |= {"style": "dashed", "constraint": "false"}
    written = ", ".join(f"{key}={value}" for key, value in options.items())
    return f"{names[id(wire.source)]} -> {names[id(wire.target)]}" + (f" [{written}]" if written else "")


def quoted(text: str) -> str:
    """A string of Graphviz, which reads a backslash as the start of a code and `&` as that of a character's name."""
    plain = "".join(
        character if character.isprintable() or character == "\n" else "\ufffd" for character in text
    )
    for character, code in (("\\", "\\\\"), ('"', '\\"'), ("&", "&amp;"), ("\n", "\\n")):
        plain = plain.replace(character, code)
    return f'"{plain}"'
