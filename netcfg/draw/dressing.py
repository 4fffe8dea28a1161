"""What a picture for a paper changes of its parts before they are measured: names and colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box, Diagram, Frame, Part
from netcfg.draw.options import Look
from netcfg.draw.palettes import PALETTES
from netcfg.source import NetcfgError, did_you_mean


def dressed(diagrams: Sequence[Diagram], look: Look) -> list[Diagram]:
    """The diagrams with other names and colours, as `look` asks for. Raises `NetcfgError` for a name of no part."""
    expect_names(diagrams, look.renames)
    return [_dressed(diagram, look) for diagram in diagrams]


def expect_names(diagrams: Sequence[Diagram], renames: Mapping[str, str]) -> None:
    """Refuse another name for what is not in the picture."""
    known = {name for diagram in diagrams for part in _all(_whole(diagram)) for name in _names(part, diagram)}
    for name in renames:
        if name not in known:
            help = (
                did_you_mean(name, known)
                or "a block goes by its name, or by its path as `netcfg summary` has it"
            )
            raise NetcfgError(f"rename: there is no `{name}` in this picture\nhelp: {help}", code="NC802")


def _whole(diagram: Diagram) -> Diagram:
    return diagram.expanded() if diagram.expanded else diagram


def _dressed(diagram: Diagram, look: Look) -> Diagram:
    palette = PALETTES[look.palette] if look.palette else {}
    network = diagram.frame.name
    for part in _all(diagram):
        for name in _names(part, diagram, network):
            if name in look.renames:
                part.name = look.renames[name]
                break
        if isinstance(part, Box):
            part.paint = palette.get(part.kind)
    whole = diagram.expanded
    return replace(diagram, expanded=(lambda: _dressed(whole(), look)) if whole else None)


def _all(diagram: Diagram) -> Iterator[Part]:
    yield diagram.frame
    yield from parts_below(diagram.frame)


def _names(part: Part, diagram: Diagram, network: str = "") -> Iterator[str]:
    """What a part may be called by: its path with its network's name and without, then the name it shows."""
    whole = network or diagram.frame.name
    if isinstance(part, Frame) and part is diagram.frame:
        yield whole
        return
    if part.path:
        yield f"{whole}.{part.path}"
        yield part.path
    if part.name:
        yield part.name
