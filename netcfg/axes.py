"""What the axes of a signal stand for, a letter each, and what kind of values it holds.

A signal's axes are a text with a letter for each size of its shape (`CHW` for C×H×W); "" for a single number, and where
nobody has said what they are.
"""

from __future__ import annotations

from typing import Literal

AXES: dict[str, str] = {
    "T": "frames",
    "L": "tokens",
    "N": "objects",
    "C": "channels",
    "H": "height",
    "W": "width",
    "F": "features",
}
"""The name of each axis, by its letter, in the order in which they stand in a shape."""

Kind = Literal["number", "class", "truth"]
"""Real numbers; numbers that name one of K classes; yes or no."""


def axes_in_words(axes: str) -> str:
    """`frames×tokens×features`; `one number` where there are none."""
    return "×".join(AXES[letter] for letter in axes) or "one number"
