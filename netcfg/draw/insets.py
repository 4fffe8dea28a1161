"""Insets: the inside of a template beside the network in which its uses are closed boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram, Frame, Wire, diagram
from netcfg.draw.options import Look
from netcfg.graph import Graph
from netcfg.source import NetcfgError, did_you_mean


def insets_of(graphs: Sequence[Graph], look: Look) -> list[Diagram]:
    """A diagram of the first use of each template that `look.insets` names, opened as deep as `look.depth` is not.

    Raises `NetcfgError` for a template that no network uses, or that is one box anyway.
    """
    used = dict.fromkeys(
        scope.template
        for graph in graphs
        for node in graph.nodes
        for scope in node.scopes
        if scope.template not in ("", node.type)
    )
    for name in look.insets:
        if name not in used:
            help = did_you_mean(name, used) or (
                f"they use {', '.join(used)}" if used else "they use none: leave `--inset` out"
            )
            raise NetcfgError(f"inset: no network here uses a template `{name}`\nhelp: {help}", code="NC802")
    opened = replace(look, depth=None, insets=(), columns=None)
    wholes = [diagram(graph, look=opened) for graph in graphs]
    return [_inset(name, wholes) for name in look.insets]


def _inset(template: str, wholes: Sequence[Diagram]) -> Diagram:
    shown = template.replace("_", " ")
    for whole in wholes:
        for part in parts_below(whole.frame):
            if isinstance(part, Frame) and part.note == shown:
                return _inside(shown, whole, part)
    raise NetcfgError(
        f"inset: `{template}` is one box in this picture\nhelp: leave it out of the insets", code="NC802"
    )


def _inside(title: str, whole: Diagram, use: Frame) -> Diagram:
    """The use's boxes and wires; what comes from outside, and what leaves it, is a pill."""
    boxes = {id(part) for part in parts_below(use) if isinstance(part, Box)}
    given: dict[tuple[int, str], Box] = {}
    left: dict[tuple[int, str], Box] = {}
    wires: list[Wire] = []
    crossing = [wire for wire in whole.wires if (id(wire.source) in boxes) != (id(wire.target) in boxes)]
    entering = [wire for wire in crossing if id(wire.target) in boxes]
    several = len({(id(wire.source), wire.port) for wire in entering}) > 1
    for wire in whole.wires:
        key = id(wire.source), wire.port
        is_from, is_to = id(wire.source) in boxes, id(wire.target) in boxes
        if is_from and is_to:
            wires.append(wire)
        elif is_to:
            pill = given.setdefault(key, _pill("input", _source(wire) if several else "input", len(given)))
            wires.append(replace(wire, source=pill, port=""))
        elif is_from and key not in left:
            left[key] = _pill("output", "output", len(left))
            wires.append(replace(wire, target=left[key]))
    parts = [*given.values(), *use.parts, *left.values()]
    note = f"as in {use.name}" if use.name else ""
    frame = Frame(title, note, use.details, 1, parts, f"inset:{use.path}", use.entries)
    return Diagram(frame, list(_once(wires)))


def _source(wire: Wire) -> str:
    return wire.port or wire.source.name or wire.source.path


def _pill(kind: str, name: str, number: int) -> Box:
    return Box(kind, name, "", [], f"{kind} {name}", path=f"{kind}:{number}")


def _once(wires: Sequence[Wire]) -> Iterator[Wire]:
    seen = set()
    for wire in wires:
        key = id(wire.source), wire.port, id(wire.target)
        if key not in seen:
            seen.add(key)
            yield wire
