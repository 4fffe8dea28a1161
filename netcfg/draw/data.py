"""A diagram as data, for other programs: what is drawn, where, and all that is known of it.

One object; keys may be added to what stands here, and `version` grows where one changes its meaning.

    format, version      "netcfg-diagram", 1
    title                the picture's
    width, height        of the whole picture, in its units
    diagrams             one for each network:
      id, name, note     the network's name, and what stands beside it
      place              [x, y, width, height] in the picture; null where an equal network is drawn in its stead
      entries            the sections it stands for (below)
      frames             uses of templates, and folders of names (template ""), outer ones first: id, name, template,
                         parent (an id), turns, place, entries
      nodes              boxes in file order: id, kind (its family), name, text (its lines), template, parent, turns
                         (it is shown once and stands for so many), frozen, place, entries
      wires              signals: source and target (ids of nodes), port, label; where training is shown: phases
                         (whose gradients flow back), cuts (whose end here), update (a phase steps a network)

A marked frame, node or wire has a `mark` ("added", "removed", "changed" or "error"), a node or wire also the
`message` it is marked for.

An entry is a section of the file: `title`; `type` and `options` (those that differ from their defaults) where
it has such; `span` (file, line, column, end_column; the file from the folder of the one that was drawn);
`chain`, the places that lead to it from outside (spans with a message), and its `facts`. A block's facts are
`shape` by port (numbers, or the text of a size that is only known as an expression), `parameters`,
`trainable`, `macs` for one sample (null where unknown), `frozen`, `shares` (the path of the
block whose parameters it uses), and `weights` where it starts from some.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from netcfg.blocks.values import show_value
from netcfg.draw.entry import Entry, file_name
from netcfg.draw.ids import part_ids
from netcfg.draw.model import Box, Diagram, Frame, Wire
from netcfg.draw.scene import Scene, groups_of
from netcfg.source import Span

FORMAT = "netcfg-diagram"
VERSION = 1
_ROW_DEPTH = 4
"""The depth of a frame, node or wire: of an item in a list of a diagram in `diagrams`."""

Ids = dict[int, str]
Places = dict[str, tuple[float, float, float, float] | None]


def write_json(title: str, diagrams: Sequence[Diagram], scene: Scene) -> str:
    """The text of the file: a line for each frame, node and wire."""
    return "".join(_lines(diagram_data(title, diagrams, scene), depth=0)) + "\n"


def _lines(value: Any, depth: int) -> Iterator[str]:
    """The top of the tree is opened line by line, what is deeper than its rows stands in one line."""
    if depth == _ROW_DEPTH or not value or not isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    rows = value.items() if isinstance(value, dict) else (("", item) for item in value)
    yield opening
    for index, (key, item) in enumerate(rows):
        yield ("," if index else "") + "\n" + " " * (depth + 1) + (f"{json.dumps(key)}: " if key else "")
        yield from _lines(item, depth + 1)
    yield "\n" + " " * depth + closing


def diagram_data(title: str, diagrams: Sequence[Diagram], scene: Scene) -> dict[str, Any]:
    """The same as one value."""
    ids = part_ids(diagrams)
    places = {group.id: group.place for group in groups_of(scene.shapes) if group.id}
    return {
        "format": FORMAT,
        "version": VERSION,
        "title": title,
        "width": scene.width,
        "height": scene.height,
        "diagrams": [_diagram(diagram, ids, places) for diagram in diagrams],
    }


def _diagram(diagram: Diagram, ids: Ids, places: Places) -> dict[str, Any]:
    whole = diagram.frame
    data: dict[str, Any] = {"id": ids[id(whole)], "name": whole.name, "note": whole.note}
    data |= {"place": _place(whole, ids, places), "entries": list(map(entry_data, whole.entries))}
    data |= {"frames": [], "nodes": [], "wires": [_wire(wire, ids) for wire in diagram.wires]}
    _add_parts(whole, ids, places, data)
    return data


def _add_parts(around: Frame, ids: Ids, places: Places, data: dict[str, Any]) -> None:
    for part in around.parts:
        row: dict[str, Any] = {"id": ids[id(part)], "name": part.name}
        if isinstance(part, Box):
            row |= {"kind": part.kind, "text": part.pieces, "template": part.template, "frozen": part.frozen}
        else:
            row["template"] = part.note
        row |= _marked(part.mark, part.message if isinstance(part, Box) else "")
        row |= {"parent": ids[id(around)], "turns": part.count, "place": _place(part, ids, places)}
        row["entries"] = list(map(entry_data, part.entries))
        data["nodes" if isinstance(part, Box) else "frames"].append(row)
        if isinstance(part, Frame):
            _add_parts(part, ids, places, data)


def _place(part: Box | Frame, ids: Ids, places: Places) -> list[float] | None:
    place = places.get(ids[id(part)])
    return [round(number, 2) for number in place] if place else None


def _wire(wire: Wire, ids: Ids) -> dict[str, Any]:
    row: dict[str, Any] = {"source": ids[id(wire.source)], "target": ids[id(wire.target)]}
    row |= {"port": wire.port, "label": wire.label}
    trains = {"phases": wire.phases, "cuts": wire.cuts, "update": wire.update}
    row |= {key: value for key, value in trains.items() if value}
    return row | _marked(wire.mark, wire.message)


def _marked(mark: str, message: str) -> dict[str, str]:
    return {key: text for key, text in (("mark", mark), ("message", message)) if mark and text}


def entry_data(entry: Entry) -> dict[str, Any]:
    """An entry as data."""
    data: dict[str, Any] = {"title": entry.title}
    if entry.section is not None:
        options = {key: show_value(value) for key, value in entry.section.options().items()}
        data |= {"type": entry.section.type_name, "options": options}
    data["span"] = _span(entry.span) if entry.span else None
    data["chain"] = [{**_span(note.span), "message": note.message} for note in entry.chain]
    data["facts"] = dict(entry.facts)
    return data


def _span(span: Span) -> dict[str, Any]:
    return {**span.to_json(), "file": file_name(span.file)}
