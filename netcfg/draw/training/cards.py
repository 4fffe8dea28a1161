"""The cards of a training diagram: how large they are, where their ports are, and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netcfg.draw import style
from netcfg.draw.measure import Line, Word, broken, is_formula, line_width
from netcfg.draw.metrics import ASCENT, fitted, text_width
from netcfg.draw.scene import Dot, Group, Rect, Shape, Text
from netcfg.draw.training.model import PHASE_INKS, Card, phase_colour
from netcfg.draw.training.rows import Row

ROW = 19.0
"""Height of a row, and least distance of two ports."""
PAD_X = 12.0
PAD_Y = 8.0
ROW_GAP = 16.0
"""Between what is written left and right in a row."""
BADGE = 8.0
"""Radius of a phase's number."""
NAME_WIDTH = 230.0
"""Longer names are cut short."""
BAND_GAP = 6.0
"""Below the band with a phase's name."""
_WRAP = 160.0


@dataclass(frozen=True, slots=True)
class Sized:
    """A card with its texts and its size. `inputs` and `outputs` are how far below its upper edge its ports are."""

    card: Card
    header: tuple[Line, ...]
    footer: tuple[Line, ...]
    width: float
    height: float
    inputs: tuple[float, ...]
    outputs: tuple[float, ...]


def sized(card: Card) -> Sized:
    """Measure a card."""
    header, footer = tuple(_header(card)), tuple(_footer(card))
    rows = [] if card.kind in ("loss", "block") else card.rows
    badges = (2 * BADGE + 4) * len(card.phases) if card.kind in ("network", "phase") else 0.0
    widths = [line_width(header[0]) + badges, *map(line_width, header[1:]), *map(line_width, footer)]
    width = max([*widths, *map(_row_width, rows), 70.0]) + 2 * PAD_X
    below_header = _header_height(card, header)
    height = below_header + ROW * len(rows) + sum(map(_line_height, footer)) + PAD_Y
    if rows:
        middles = [below_header + (place + 0.5) * ROW for place in range(len(rows))]
        inputs = tuple(y for y, row in zip(middles, rows, strict=True) if row.enters)
        outputs = tuple(y for y, row in zip(middles, rows, strict=True) if row.leaves)
    else:
        height = max(height, 14.0 * len(card.inputs), 14.0 * len(card.outputs))
        inputs, outputs = _spread(len(card.inputs), height), _spread(len(card.outputs), height)
    return Sized(card, header, footer, 4.0 * -(-width // 4), 2.0 * -(-height // 2), inputs, outputs)


def _header_height(card: Card, header: Sequence[Line]) -> float:
    """From a card's upper edge to its first row; a phase's name stands in a band."""
    return PAD_Y + sum(map(_line_height, header)) + (BAND_GAP if card.kind == "phase" else 0.0)


def _spread(count: int, height: float) -> tuple[float, ...]:
    """Ports at equal distances along an edge, around its middle."""
    step = min(height / max(count, 1), ROW)
    return tuple(height / 2 + (place - (count - 1) / 2) * step for place in range(count))


def _word(text: str, size: float = style.TEXT, bold: bool = False, colour: str = style.INK) -> Word:
    return Word(fitted(text, size, NAME_WIDTH, bold), size, bold, colour)


def _header(card: Card) -> Iterator[Line]:
    box = card.box
    title = _word(box.name, bold=True, colour="#ffffff" if card.kind == "phase" else style.INK)
    if card.kind == "block":
        yield (title, *(_word(row.shape, style.SMALL, colour=style.FAINT) for row in card.rows if row.shape))
    else:
        yield (title,)
    pieces = box.pieces
    if card.kind == "data":
        pieces = [step for piece in pieces for step in piece.split(", ")]
    elif card.kind == "phase":
        pieces = pieces[1:]  # its number stands in the band
    elif card.phases:
        pieces = pieces[:1]  # the phase that updates it is its badge
    for text in _wrapped(pieces, ", "):
        yield (_word(text, style.SMALL, colour=style.FAINT),)
    if box.frozen:
        yield (_word("frozen", style.SMALL, colour=style.FROZEN),)


def _footer(card: Card) -> Iterator[Line]:
    if card.kind == "phase":
        names = [f"updates {card.updates[0]}", *card.updates[1:]]
        for text in _wrapped(names, ", "):
            yield (_word(text, style.SMALL, bold=True, colour=PHASE_INKS[card.box.colour]),)


def _wrapped(pieces: Sequence[str], glue: str) -> list[str]:
    """The pieces joined, on as many lines as it takes; a piece that is too long by itself is broken at ` of `."""
    parts = [part for piece in pieces for part in piece.replace(" of ", "\0of ").split("\0")]
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}{' ' if part.startswith('of ') else glue}{part}" if lines else ""
        if lines and text_width(joined, style.SMALL) <= _WRAP:
            lines[-1] = joined
        else:
            if lines and not part.startswith("of "):
                lines[-1] += glue.rstrip()
            is_long = text_width(part, style.SMALL) > _WRAP and is_formula(part)
            lines += broken(part, style.SMALL, _WRAP) if is_long else [part]
    return lines


def _row_width(row: Row) -> float:
    left, right = _row_words(row)
    gap = ROW_GAP if left and right else 0.0
    return (line_width(left) if left else 0.0) + gap + (line_width(right) if right else 0.0)


def _row_words(row: Row) -> tuple[Line, Line]:
    """What is written left and right in a row."""
    if row.enters and not row.leaves:
        return (_word(row.text or row.entry),), ()
    left = (_word(row.entry),) if row.entry else ()
    right = [_word(row.text)] if row.text else []
    return left, (*right, _word(row.shape, style.SMALL, colour=style.FAINT))


def _line_height(line: Line) -> float:
    return style.FIRST_LINE + 1.0 if line[0].bold and line[0].size >= style.TEXT else style.NEXT_LINE


# --- shapes ---------------------------------------------------------------------------------------------------


def card_shapes(one: Sized, x: float, y: float, width: float, id: str) -> Group:
    """The card with its upper left corner at (`x`, `y`), as wide as its column."""
    box = one.card.box
    shapes = (*_outline(one, x, y, width), *_texts(one, x, y, width), *_badges(one, x, y, width))
    spans = box.entries[0].spans if box.entries else ()
    return Group(f"box {box.kind}", box.details, shapes, id, spans, (x, y, width, one.height))


def _outline(one: Sized, x: float, y: float, width: float) -> Iterator[Shape]:
    card = one.card
    paint = style.FAMILIES.get(card.box.kind, style.OTHER_FAMILY)
    colour = card.box.colour
    fill = tint(colour) if colour and card.kind == "network" else paint.fill
    stroke_width = 1.6 if colour else 1.0
    yield Rect(x, y, width, one.height, fill, colour or paint.stroke, style.BOX_RADIUS, stroke_width)
    if card.kind == "phase":
        band = PAD_Y + _line_height(one.header[0]) + 1.0
        ink = PHASE_INKS[colour]
        yield Rect(x, y, width, band, ink, ink, style.BOX_RADIUS, stroke_width, top_only=True)


def _texts(one: Sized, x: float, y: float, width: float) -> Iterator[Text]:
    left, right = x + PAD_X, x + width - PAD_X
    number = 2 * BADGE + 4 if one.card.kind == "phase" else 0.0
    base = y + PAD_Y - 2.0
    for place, line in enumerate(one.header):
        yield from _line(line, left + (0.0 if place else number), base + _line_height(line) - 3.0)
        base += _line_height(line) + (BAND_GAP if one.card.kind == "phase" and not place else 0.0)
    if one.card.kind not in ("loss", "block"):
        top = y + _header_height(one.card, one.header)
        for place, row in enumerate(one.card.rows):
            base = top + (place + 0.5) * ROW + style.TEXT * ASCENT / 2
            first, last = _row_words(row)
            yield from _line(first, left, base)
            yield from _line(last, right - (line_width(last) if last else 0.0), base)
    base = y + one.height - PAD_Y - sum(map(_line_height, one.footer))
    for line in one.footer:
        base += _line_height(line)
        yield from _line(line, left, base - 2.0)


def _badges(one: Sized, x: float, y: float, width: float) -> Iterator[Shape]:
    """The numbers of the phases that update a network, in its corner; or a phase's own before its name."""
    middle = y + PAD_Y + 6.0
    if one.card.kind == "phase":
        yield from badge(one.card.phases[0], x + PAD_X + BADGE, middle, inverse=True)
    elif one.card.kind == "network":
        for place, phase in enumerate(one.card.phases):
            yield from badge(phase, x + width - PAD_X - BADGE - place * (2 * BADGE + 4), middle)


def badge(phase: int, x: float, y: float, inverse: bool = False) -> Iterator[Shape]:
    """A phase's number on a disc of its colour around (`x`, `y`)."""
    colour, paper = PHASE_INKS[phase_colour(phase)], "#ffffff"
    yield Dot(x, y, BADGE, paper if inverse else colour)
    text, size = str(phase), style.SMALL
    width = text_width(text, size, bold=True)
    ink = colour if inverse else paper
    yield Text(x, y + size * ASCENT / 2, text, size, width, ink, bold=True, anchor="middle")


def tint(colour: str) -> str:
    """The same colour, nearly white."""
    levels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - level) * 0.09):02x}" for level in levels)


def _line(line: Line, x: float, base: float) -> Iterator[Text]:
    for word in line:
        yield Text(x, base, word.text, word.size, word.width, word.colour, word.bold)
        x += word.width + 6.0
