"""Colours for a dark page: each of a drawing's colours with its lightness turned over, its hue kept."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable

_COLOUR = re.compile(r'(fill|stroke)=\\?"(#[0-9a-fA-F]{6})\\?"')
PAPER = 0.115
"""Lightness of what was white."""
INK = 0.90
"""Lightness of what was black."""
PALE, BRIGHT = (0.75, 0.05), (0.3, 0.08)
"""What is at least so light by day (in relative luminance) is no lighter than that at night: there are words on it."""
WORDS = 0.42
"""As light are words at night, at the least."""


def colour_rules(data: str, own: Iterable[str]) -> str:
    """Style rules for every colour that occurs in drawings, also in those of JSON, or that the page draws with."""
    both = {(attribute, colour) for attribute in ("fill", "stroke") for colour in own}
    used = sorted(both | set(_COLOUR.findall(data)))
    rules = [
        f':root[data-theme="dark"] svg [{attribute}="{colour}"]{{{attribute}:{at_night(colour)}}}'
        for attribute, colour in used
    ]
    for attribute, colour in used:
        if attribute == "fill" and words_at_night(colour) != at_night(colour):
            rules.append(
                f':root[data-theme="dark"] svg text[fill="{colour}"]{{fill:{words_at_night(colour)}}}'
            )
    return "\n".join(rules)


def at_night(colour: str) -> str:
    """The colour on dark paper: `#ffffff` becomes nearly black, and the other way round."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_levels(colour))
    turned = PAPER + (1 - lightness) * (INK - PAPER)
    # Pale colours look strong when they are dark: there they keep half of their saturation.
    calm = saturation * (0.45 + 0.35 * (1 - lightness))
    most = next((most for least, most in (PALE, BRIGHT) if luminance(colour) >= least), 1.0)
    while turned > 0 and luminance(_written(hue, turned, calm)) > most:
        turned -= 0.01
    return _written(hue, turned, calm)


def words_at_night(colour: str) -> str:
    """The same of words: those that are dark by day are light enough to be read."""
    found = at_night(colour)
    hue, lightness, saturation = colorsys.rgb_to_hls(*_levels(found))
    while luminance(colour) < BRIGHT[0] and luminance(found) < WORDS:
        lightness += 0.01
        found = _written(hue, lightness, saturation)
    return found


def luminance(colour: str) -> float:
    """Relative luminance, from 0 to 1. Source: W3C, Web Content Accessibility Guidelines 2.2."""
    red, green, blue = (
        level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in _levels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _levels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _written(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(
        f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation)
    )
