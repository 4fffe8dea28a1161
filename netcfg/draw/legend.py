"""What the colours of a picture mean, in a row under its title: marks, families of blocks, the scale of heat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from netcfg.draw import style
from netcfg.draw.heat import heat_colour, ticks
from netcfg.draw.ids import parts_below
from netcfg.draw.marks import GAP, LEGEND_HEIGHT, LOOKS, SWATCH, marks_of
from netcfg.draw.metrics import ASCENT, text_width
from netcfg.draw.model import Box, Diagram
from netcfg.draw.options import Look
from netcfg.draw.scene import Group, Rect, Shape, Text

CELL: Final = 6.0
"""Width of one colour of the scale of heat."""
CELLS: Final = 24


@dataclass(frozen=True, slots=True)
class _Item:
    """Shapes that start at the origin, and how far they reach to the right."""

    shapes: tuple[Rect | Text, ...]
    width: float


@dataclass(frozen=True, slots=True)
class Legend:
    """Items in rows; empty where no colour needs a word."""

    rows: tuple[tuple[_Item, ...], ...]

    @property
    def width(self) -> float:
        """Of the widest row."""
        return max((_row_width(row) for row in self.rows), default=0.0)

    @property
    def height(self) -> float:
        """Of all rows, with the space beneath."""
        return LEGEND_HEIGHT * len(self.rows)

    def shapes(self, x: float, y: float) -> Iterator[Group]:
        """What to draw, from the upper left corner on."""
        if self.rows:
            yield Group("legend", "", tuple(self._shapes(x, y)))

    def _shapes(self, x: float, y: float) -> Iterator[Shape]:
        for row in self.rows:
            left = x
            for item in row:
                yield from (_moved(shape, left, y) for shape in item.shapes)
                left += item.width + 4 * GAP
            y += LEGEND_HEIGHT


def legend_of(diagrams: Sequence[Diagram], look: Look, width: float) -> Legend:
    """The legend of a picture, in rows of about that width."""
    items = []
    for mark in marks_of(diagrams):
        shown = LOOKS[mark]
        items.append(_swatch(shown.fill, shown.colour, f"{shown.sign} {mark}", True))
    if not look.legend:
        return Legend(())
    if look.heat:
        items.append(_scale(ticks(diagrams, look.heat)))
    elif look.volumes:
        items += [_swatch(paint.fill, paint.stroke, family) for family, paint in _families(diagrams)]
    rows: list[list[_Item]] = []
    for item in items:
        if rows and _row_width([*rows[-1], item]) <= width:
            rows[-1].append(item)
        else:
            rows.append([item])
    return Legend(tuple(map(tuple, rows)))


def _families(diagrams: Sequence[Diagram]) -> list[tuple[str, style.Paint]]:
    """The families of the boxes, where there are several."""
    parts = (part for diagram in diagrams for part in parts_below(diagram.frame))
    paints = {part.kind: part.paint for part in parts if isinstance(part, Box) and part.pieces}
    found = [
        (family, paints[family] or paint) for family, paint in style.FAMILIES.items() if family in paints
    ]
    return found if len(found) > 1 else []


def _row_width(row: Sequence[_Item]) -> float:
    return sum(item.width for item in row) + 4 * GAP * (len(row) - 1)


def _swatch(fill: str, stroke: str, word: str, marked: bool = False) -> _Item:
    thickness = style.MARKED_STROKE if marked else 1.0
    text = _text(SWATCH + GAP, word, stroke if marked else style.INK)
    return _Item((Rect(0.0, 0.0, SWATCH, SWATCH, fill, stroke, 2.0, thickness), text), text.x + text.width)


def _scale(words: tuple[str, str, str]) -> _Item:
    """The colours from nothing to the most, with three words at them."""
    low, middle, high = words
    first = _text(0.0, low)
    left = first.width + GAP
    half = CELL * CELLS / 2
    cells = [
        Rect(
            left + CELL * cell,
            0.0,
            CELL,
            SWATCH,
            heat_colour(cell / (CELLS - 1)),
            heat_colour(cell / (CELLS - 1)),
        )
        for cell in range(CELLS)
    ]
    last = _text(left + 2 * half + GAP, high)
    shown = f"half way: {middle}"
    note = _text(last.x + last.width + 3 * GAP, shown, style.FAINT)
    return _Item((first, *cells, last, note), note.x + note.width)


def _text(x: float, word: str, colour: str = style.INK) -> Text:
    base = SWATCH / 2 + style.SMALL * ASCENT / 2
    return Text(x, base, word, style.SMALL, text_width(word, style.SMALL), colour)


def _moved(shape: Rect | Text, x: float, y: float) -> Rect | Text:
    return replace(shape, x=shape.x + x, y=shape.y + y)
