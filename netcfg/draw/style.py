"""Colours, sizes and distances of diagrams. Units: pixels at scale 1."""

from __future__ import annotations

from typing import Final, NamedTuple


class Paint(NamedTuple):
    """How the boxes of a family look."""

    fill: str
    stroke: str
    text: str = "#1f2933"


FAMILIES: Final = {
    "convolution": Paint("#e4effb", "#4682c4"),
    "connected": Paint("#ede7f8", "#7b5bbd"),
    "normalisation": Paint("#e2f2f0", "#45968f"),
    "activation": Paint("#fdf2da", "#cf9a26"),
    "pooling": Paint("#fbe5e3", "#c96058"),
    "upsampling": Paint("#e4f4e1", "#58a04f"),
    "combination": Paint("#eef1f4", "#5b6876"),
    "routing": Paint("#f5f5f4", "#8d9299"),
    "input": Paint("#ffffff", "#37475a"),
    "output": Paint("#37475a", "#37475a", "#ffffff"),
    "backbone": Paint("#e5e7fb", "#5560cf"),
    "regularisation": Paint("#f5f0e6", "#a1875a"),
    "fusion": Paint("#fbe7f3", "#bd5698"),
    "template": Paint("#f6f8fa", "#9aa7b5"),
    "plain": Paint("#ffffff", "#b9c3cd"),
    "network": Paint("#f5f5f4", "#8d9299"),
    "loss": Paint("#fbf6e6", "#b39a4d"),
    "phase": Paint("#ffffff", "#37475a"),
}
OTHER_FAMILY: Final = FAMILIES["routing"]

INK: Final = "#1f2933"
FAINT: Final = "#56616d"
LINE: Final = "#54616f"
FROZEN: Final = "#1f6699"
NETWORK_STROKE: Final = "#b9c3cd"
HEADER_FILL: Final = "#e3e9ef"
HEADER_STROKE: Final = "#aab6c2"
LINE_STROKE: Final = 1.2
MARKED_STROKE: Final = 2.0
"""The width of a marked box's edge and of a marked line."""
MESSAGE_WIDTH: Final = 220.0
"""Messages of marked boxes go to the next line where they would be wider than this."""
MESSAGE_LINES: Final = 6
FORMULA_LINES: Final = 5
"""A longer formula is cut short."""
FRAME_FILLS: Final = ("#f6f8fa", "#ffffff")
"""Of a frame in a network, of a frame in that, and so on in turn."""

TEXT: Final = 12.0
SMALL: Final = 10.5
TITLE: Final = 14.0
PAGE_TITLE: Final = 17.0
FIRST_LINE: Final = 16.0
"""From one base line to the next, for text of size `TEXT`."""
NEXT_LINE: Final = 14.0
"""The same for text of size `SMALL`."""

BOX_PAD_X: Final = 12.0
BOX_PAD_Y: Final = 7.0
BOX_WIDTH: Final = 130.0
"""The least width of a block's box."""
COMMON_WIDTH: Final = 230.0
"""All boxes of a network are as wide as the widest of those that are no wider than this."""
LINE_WIDTH: Final = 170.0
"""Options go to the next line of a box where they would be wider than this."""
NARROW_LINE_WIDTH: Final = 110.0
"""The same in pictures from left to right."""
NARROW_BOX_WIDTH: Final = 60.0
"""The least width of a block's box where all are to be narrow."""
VOLUME_LINE_WIDTH: Final = 96.0
"""The same, before letters are made smaller, beside volumes."""
VOLUME_TEXT: Final = 0.85
"""Letters beside volumes, of the size they have in boxes."""
VOLUME_SHAPE: Final = 9.5
SOLID_GAP: Final = 4.0
"""Between the solids of one box."""
WORD_WIDTH: Final = 300.0
"""One name or option wider than this is cut short."""
BEHIND: Final = 4.0
"""How far the edge of a second box shows behind one that stands for several."""
BOX_RADIUS: Final = 5.0
PILL: Final = 30.0
"""The greatest height at which an input or output is round."""
SIDE_LINES: Final = 12.0
"""Height of a box for each line that enters one of its sides."""
HEADER: Final = 24.0
FRAME_SIDE: Final = 14.0
"""How far from a frame's left edge lines enter it from above or below."""
FRAME_PAD: Final = 14.0
FRAME_RADIUS: Final = 7.0
NETWORK_RADIUS: Final = 10.0
NETWORK_PAD: Final = 20.0
NETWORK_HEADER: Final = 44.0
LABEL_GAP: Final = 6.0
"""From a line to the shape beside it."""
LABEL_HEIGHT: Final = 17.0
LABEL_WIDTH: Final = 180.0
"""A longer shape, with sizes that are only known as expressions, is cut short."""
LEGEND_WIDTH: Final = 320.0
"""A legend has as much room in a row even over a narrow picture."""
PAGE_PAD: Final = 20.0
PAGE_GAP: Final = 24.0
"""Between networks."""
PAGE_SHAPE: Final = 1.5
"""Width by height that the page comes near where it has several networks."""
