"""Sizes: the lines of text in a box, boxes, and, from the inside out, frames."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from netcfg.draw import style
from netcfg.draw.heat import HOT
from netcfg.draw.layout import Item, Placement, Port
from netcfg.draw.levels import Level, Member, Pin
from netcfg.draw.marks import LOOKS, drawable, paint_of
from netcfg.draw.metrics import fitted, text_width
from netcfg.draw.model import Box, Frame, Mark
from netcfg.draw.scene import Point, Text


@dataclass(frozen=True, slots=True)
class Word:
    """A stretch of text in one style."""

    text: str
    size: float = style.TEXT
    bold: bool = False
    colour: str = style.INK

    @property
    def width(self) -> float:
        return text_width(self.text, self.size, self.bold)


Line = tuple[Word, ...]

WORD_GAP = 6.0
"""Between two words of a line."""


@dataclass(frozen=True, slots=True)
class Solid:
    """The solids of the style `volumes`: `count` in a row, of the front `width` × `height`, `slant` deep.

    The depth is drawn `slant` to the right and up. In their item: the `corner` of all that they take up, and the
    `axis` across; `text` is where lines of text begin or, as far as they are `flush`, end.
    """

    width: float
    height: float
    slant: float
    count: int
    sideways: bool
    corner: Point = (0.0, 0.0)
    axis: float = 0.0
    text: Point = (0.0, 0.0)
    flush: float = 0.0

    @property
    def text_before(self) -> bool:
        """Whether the text is above them, or left of them."""
        return self.corner[1 if self.sideways else 0] > 0

    @property
    def size(self) -> Point:
        """Width and height of all that they take up."""
        gaps, times = (self.count - 1) * style.SOLID_GAP, self.count
        if self.sideways:
            return times * self.width + gaps + self.slant, self.height + self.slant
        return self.width + self.slant, times * self.height + gaps + self.slant


@dataclass(slots=True)
class Inside:
    """What a frame holds, laid out; `sideways` is from left to right.

    `beyond` is how much further lines run that leave the frame.
    """

    level: Level
    parts: list[Measured]
    placement: Placement
    sideways: bool = False
    beyond: float = 0.0


@dataclass(slots=True)
class Measured:
    """A box with its lines, a frame with its inside, or a pin; and the size the layout gives it room for."""

    member: Member
    item: Item
    lines: tuple[Line, ...] = ()
    inside: Inside | None = None
    labels: tuple[str, ...] = ()
    solid: Solid | None = None


def line_width(line: Line) -> float:
    """Width of a line, with the gaps between its words."""
    return sum(word.width for word in line) + WORD_GAP * (len(line) - 1)


def words_of(line: Line, x: float, base: float) -> Iterator[Text]:
    """The words of a line from x on."""
    for word in line:
        yield Text(x, base, word.text, word.size, word.width, word.colour, word.bold)
        x += word.width + WORD_GAP


def common_width(
    members: Sequence[Member],
    lines: Mapping[int, tuple[Line, ...]] | None = None,
    least: float = style.BOX_WIDTH,
) -> float:
    """The width of all boxes of a network that need no more; `lines` are theirs by identity, if known."""
    known = lines or {}
    widths = [box_width(member, known.get(id(member))) for member in members]
    widths = [width for width in widths if width <= style.COMMON_WIDTH]
    return max([least, *widths])


# --- boxes --------------------------------------------------------------------------------------------------


def box_lines(box: Box, limit: float = style.LINE_WIDTH) -> tuple[Line, ...]:
    """A box's text: its name, its type and first option, then the rest in smaller lines, and what its mark is for.

    Options go to the next line where they would be wider than `limit`.
    """
    sign = _sign(box.mark)
    if not box.pieces:
        colour = paint_of(box).text
        return ((*sign, _word(box.name, bold=True, colour=colour)), *_message(box))
    head, *rest = _wrapped(box.pieces, limit)
    title = _title(box.name, box.template, faint=faint_ink(box))
    lines: list[Line] = [title] if title else []
    lines.append((_word(head),))
    lines += [(_word(text, size=style.SMALL, colour=faint_ink(box)),) for text in rest]
    lines += [(_word(text, size=style.SMALL),) for text in _filled(list(box.notes), style.SMALL, limit)]
    states = [f"from {box.start}"] if box.start else []
    states += [f"shares {box.lender}"] if box.lender else []
    states += ["frozen"] if box.frozen else []
    blue = style.INK if _is_hot(box) else style.FROZEN
    lines += [(_word(text, size=style.SMALL, colour=blue),) for text in _filled(states, style.SMALL, limit)]
    lines[0] = (*sign, *lines[0])
    return (*lines, *_message(box))


def faint_ink(box: Box) -> str:
    """The colour of what matters less; on a hot box it has to be dark to be read."""
    return style.INK if _is_hot(box) else style.FAINT


def _is_hot(box: Box) -> bool:
    return box.heat is not None and box.heat >= HOT


def _sign(mark: Mark) -> Line:
    """`+` before the first words of a box that was added, and so on."""
    return (_word(LOOKS[mark].sign, bold=True, colour=LOOKS[mark].colour),) if mark else ()


def _message(box: Box) -> list[Line]:
    """What a box's mark is for, in its colour."""
    if not box.mark:
        return []
    message = box.message if box.drawn is None else box.drawn
    rows = [row for text in drawable(message).splitlines() for row in _words_filled(text)]
    if len(rows) > style.MESSAGE_LINES:
        rows = [*rows[: style.MESSAGE_LINES - 1], "…"]
    return [(_word(row, size=style.SMALL, colour=LOOKS[box.mark].colour),) for row in rows]


def _words_filled(text: str) -> list[str]:
    """A sentence in lines no wider than `MESSAGE_WIDTH`, where its words allow."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else ""
        if lines and text_width(longer, style.SMALL) <= style.MESSAGE_WIDTH:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _word(text: str, size: float = style.TEXT, bold: bool = False, colour: str = style.INK) -> Word:
    return Word(fitted(text, size, style.WORD_WIDTH, bold), size, bold, colour)


def _wrapped(pieces: list[str], limit: float) -> list[str]:
    """The pieces, joined by commas: in one line, or else words (`bn`, `relu`) below numbers."""
    whole = ", ".join(pieces)
    if text_width(whole, style.TEXT) <= limit:
        return [whole]
    if text_width(pieces[0], style.TEXT) > limit and is_formula(pieces[0]):
        kind, _, text = pieces[0].partition(" ")
        return [kind, *_filled([text, *pieces[1:]], style.SMALL, limit)]
    words = next((place for place, piece in enumerate(pieces) if place and _is_word(piece)), len(pieces))
    return [*_filled(pieces[:words], style.TEXT, limit), *_filled(pieces[words:], style.SMALL, limit)]


_OPERATOR = re.compile(r" ([-+*/%<>=!&|]+) ")


def is_formula(text: str) -> bool:
    """Whether it computes: with operators, or with functions."""
    return bool(_OPERATOR.search(text)) or "(" in text


def broken(text: str, size: float, limit: float) -> list[str]:
    """A formula in lines no wider than `limit`, where its spaces allow: before operators, outside of brackets first."""
    words = [word.replace("\0", " ") for word in _OPERATOR.sub(" \\1\0", text).split(" ")]
    lines: list[str] = []
    while words and len(lines) < style.FORMULA_LINES:
        count = _words_of_a_line(words, size, limit)
        lines.append(" ".join(words[:count]))
        del words[:count]
    if words:
        lines[-1] += " …"
    return lines


def _words_of_a_line(words: Sequence[str], size: float, limit: float) -> int:
    """How many words fit; fewer, of at least half a line, where it then ends in fewer open brackets."""
    best, depth, fewest, is_short = 1, 0, 0, True
    for count, word in enumerate(words, 1):
        width = text_width(" ".join(words[:count]), size)
        if count > 1 and width > limit:
            return best
        depth += word.count("(") - word.count(")")
        if is_short or depth <= fewest:
            best, fewest, is_short = count, depth, width < limit / 2
    return len(words)


def _is_word(piece: str) -> bool:
    return piece.replace("_", "").replace(" ", "").isalpha()


def _filled(pieces: list[str], size: float, limit: float) -> list[str]:
    """Lines no wider than `limit`, where the pieces, and the spaces of a formula, allow."""
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}, {piece}" if lines else ""
        if lines and text_width(longer, size) <= limit:
            lines[-1] = longer
        else:
            is_long = text_width(piece, size) > limit and is_formula(piece)
            lines += broken(piece, size, limit) if is_long else [piece]
    return lines


def box_width(member: Member, lines: tuple[Line, ...] | None = None) -> float:
    """The width a block's box needs for its text; nothing for all else."""
    if not isinstance(member, Box) or not member.pieces:
        return 0.0
    # The text stands in the middle: whatever is in one corner needs room on both sides.
    times = text_width(times_text(member.count), style.TEXT, bold=True)
    aside = max(text_width(member.place, style.SMALL), times)
    room = 2 * (aside + WORD_GAP) if aside else 0.0
    return max(map(line_width, lines or box_lines(member))) + room + 2 * style.BOX_PAD_X


def times_text(count: int) -> str:
    """`×3` for three of a kind, nothing for one."""
    return f"×{count}" if count > 1 else ""


def measured_box(
    box: Box,
    common: float,
    labels: list[str],
    joined: int,
    limit: float = style.LINE_WIDTH,
    lines: tuple[Line, ...] | None = None,
) -> Measured:
    """A box and, if it stands for several, the edge of a second one behind it; `lines` are its own, if known."""
    lines = lines or box_lines(box, limit)
    if box.pieces:
        width = max(common, box_width(box, lines))
    else:
        width = max(map(line_width, lines)) + 4 * style.BOX_PAD_X
    height = sum(map(line_height, lines)) + 2 * style.BOX_PAD_Y
    behind = style.BEHIND if box.count > 1 else 0.0
    width, height = _even(width), max(height, style.SIDE_LINES * joined)
    item = Item(width + behind, height + behind, width / 2, _ports(labels), height / 2, spread=True)
    return Measured(box, item, lines, labels=tuple(labels))


def line_height(line: Line) -> float:
    """From a line's upper edge to the next one's."""
    return style.FIRST_LINE if line[0].size >= style.TEXT else style.NEXT_LINE


def _even(width: float) -> float:
    """Up to a multiple of four, so that middles fall on whole pixels."""
    return 4.0 * -(-width // 4)


def _ports(labels: list[str]) -> tuple[Port, ...]:
    """The ports of a member's signals, with the sizes of their labels."""
    sizes = [(label_width(label), style.LABEL_HEIGHT if label else 0.0) for label in labels]
    return tuple(Port(0.0, *size) for size in sizes) or (Port(),)


def label_width(label: str) -> float:
    """How far a label reaches right of its line."""
    return text_width(label, style.SMALL) + style.LABEL_GAP if label else 0.0


def several_entries(members: Sequence[object]) -> bool:
    """Whether several signals enter a level."""
    return sum(isinstance(member, Pin) and not member.exit for member in members) > 1


def measured_pin(pin: Pin, several: bool) -> Measured:
    """Entries are named where there are several; exits stand at the bottom."""
    label = fitted(pin.label, style.SMALL, style.LINE_WIDTH) if several and not pin.exit else ""
    height = style.LABEL_HEIGHT if label else 0.0
    port = Port(0.0, label_width(label), height)
    return Measured(pin, Item(0.0, 0.0, 0.0, (port,), weight=0, last=pin.exit), labels=(label,))


# --- frames -------------------------------------------------------------------------------------------------


def frame_title(frame: Frame) -> Line:
    """The words in a frame's header."""
    return (*_sign(frame.mark), *_title(frame.name, frame.note, frame.count))


def _title(name: str, template: str, count: int = 1, faint: str = style.FAINT) -> Line:
    """A use's name, its template, and its number of turns, as far as there are such."""
    words = [_word(name, bold=True)] if name else []
    if template and template != name.replace("_", " "):
        words.append(_word(template, colour=faint if name else style.INK))
    if count > 1:
        words.append(_word(times_text(count), bold=True))
    return tuple(words)
