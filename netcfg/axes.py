"""What the axes of a signal stand for, a letter each, and what kind of values it holds.

A signal's axes are a text with a letter for each size of its shape (`CHW` for C×H×W); "" for a single number, and where
nobody has said what they are.
"""

from __future__ import annotations

from typing import Literal, get_args

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

KINDS: tuple[Kind, ...] = get_args(Kind)

_KIND_WORDS: dict[Kind, str] = {"number": "numbers", "class": "classes", "truth": "yes or no"}


def axes_in_words(axes: str) -> str:
    """`frames×tokens×features`; `one number` where there are none."""
    return "×".join(AXES[letter] for letter in axes) or "one number"


def kind_in_words(kind: Kind) -> str:
    """What a signal of this kind holds: `numbers`, `classes`, `yes or no`."""
    return _KIND_WORDS[kind]


def in_order(letters: str) -> str:
    """Letters as they stand in a shape, each once."""
    return "".join(letter for letter in AXES if letter in letters)
