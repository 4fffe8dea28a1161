"""Colours for a dark page: each of a drawing's colours with its lightness turned over, its hue kept."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable

_COLOUR = re.compile(r'(fill|stroke)=\\"(#[0-9a-fA-F]{6})\\"')
PAPER = 0.115
"""Lightness of what was white."""
INK = 0.90
"""Lightness of what was black."""


def colour_rules(data: str, own: Iterable[str]) -> str:
    """Style rules for every colour that occurs in the drawings of the page's data, or that it draws with."""
    both = {(attribute, colour) for attribute in ("fill", "stroke") for colour in own}
    used = sorted(both | set(_COLOUR.findall(data)))
    return "\n".join(
        f':root[data-theme="dark"] svg [{attribute}="{colour}"]{{{attribute}:{at_night(colour)}}}'
        for attribute, colour in used
    )


def at_night(colour: str) -> str:
    """The colour on dark paper: `#ffffff` becomes nearly black, and the other way round."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    turned = PAPER + (1 - lightness) * (INK - PAPER)
    # Pale colours look strong when they are dark: there they keep half of their saturation.
    calm = saturation * (0.45 + 0.35 * (1 - lightness))
    parts = colorsys.hls_to_rgb(hue, turned, calm)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
