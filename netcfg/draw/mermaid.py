"""Diagrams as a Mermaid flowchart, which many Markdown viewers draw: subgraphs for frames, shapes on the edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

from netcfg.draw import style
from netcfg.draw.marks import LOOKS, paint_of
from netcfg.draw.model import Box, Diagram, Frame, Wire
from netcfg.draw.outline import box_names, box_text, boxes_of, frame_text, wire_text


def write_mermaid(diagrams: Sequence[Diagram], title: str = "", direction: str = "TB") -> str:
    """The whole text; `direction` is Mermaid's (`TB`, `LR`, ...)."""
    names = box_names(list(diagrams))
    frames = count()
    # Lines back to what a phase updates would turn Mermaid's order upside down; the boxes say it in words.
    wires = [wire for diagram in diagrams for wire in diagram.wires if not wire.update]
    rows = ["---", f"title: {_scalar(title)}", "---"] if title else []
    rows.append(f"flowchart {direction}")
    for diagram in diagrams:
        rows += _subgraph(diagram.frame, names, frames, direction)
    rows += [f"  {_link(wire, names)}" for wire in wires]
    rows.append(f"  classDef frame fill:#ffffff,stroke:{style.NETWORK_STROKE}")
    rows += [f"  class s{number} frame" for number in range(next(frames))]
    rows += _classes([box for diagram in diagrams for box in boxes_of(diagram.frame)], names)
    rows += [
        f"  linkStyle {number} stroke:{colour},stroke-width:2px"
        for number, wire in enumerate(wires)
        if (colour := _line_colour(wire))
    ]
    return "\n".join([*rows, ""])


def write_markdown(diagrams: Sequence[Diagram], title: str = "", direction: str = "TB") -> str:
    """The same in a fence, as it stands in a Markdown file."""
    return f"```mermaid\n{write_mermaid(diagrams, title, direction)}```\n"


def _line_colour(wire: Wire) -> str:
    return LOOKS[wire.mark].colour if wire.mark else wire.colours[0] if wire.colours else ""


def _subgraph(frame: Frame, names: dict[int, str], frames: Iterator[int], direction: str) -> Iterator[str]:
    yield f"  subgraph s{next(frames)}[{quoted(frame_text(frame))}]"
    yield f"    direction {direction}"
    for part in frame.parts:
        if isinstance(part, Frame):
            yield from (f"  {row}" for row in _subgraph(part, names, frames, direction))
        else:
            yield f"    {_node(part, names)}"
    yield "  end"


def _node(box: Box, names: dict[int, str]) -> str:
    text = quoted(*box_text(box))
    return f"{names[id(box)]}[{text}]" if box.pieces else f"{names[id(box)]}([{text}])"


def _link(wire: Wire, names: dict[int, str]) -> str:
    arrow = "--x" if wire.cuts else "-->"
    text = wire_text(wire)
    label = f"|{quoted(text)}|" if text else ""
    return f"{names[id(wire.source)]} {arrow}{label} {names[id(wire.target)]}"


def _classes(boxes: Sequence[Box], names: dict[int, str]) -> Iterator[str]:
    """The colours, once for each family and margin, and which boxes have them."""
    looks: dict[tuple[style.Paint, bool], list[str]] = {}
    for box in boxes:
        looks.setdefault((paint_of(box), bool(box.mark or box.colour)), []).append(names[id(box)])
    for number, ((paint, is_thick), members) in enumerate(looks.items()):
        stroke = f"{paint.stroke},stroke-width:{3 if is_thick else 1}px"
        yield f"  classDef c{number} fill:{paint.fill},stroke:{stroke},color:{paint.text}"
        yield f"  class {','.join(members)} c{number}"


def quoted(*lines: str) -> str:
    """A label. Whatever Mermaid or Markdown could read as more than a letter is written by its number."""
    return f'"{"<br/>".join("".join(map(_letter, line)) for line in lines)}"'


def _letter(character: str) -> str:
    if character.isalnum() or character in " ×,·":
        return character
    return f"#{ord(character)};" if character.isprintable() else "\ufffd"


def _scalar(text: str) -> str:
    """A text in the YAML that stands before the flowchart; Mermaid takes `<…>` in it for HTML."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text)
    plain = plain.replace("<", "‹").replace(">", "›")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
