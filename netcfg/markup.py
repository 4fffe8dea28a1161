"""HTML files that need nothing else: what goes into their templates."""

from __future__ import annotations

from collections.abc import Mapping


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each `{{KEY}}` replaced once; what is put in is never searched itself."""
    pieces = text.split("{{")
    rows = [pieces[0]]
    for piece in pieces[1:]:
        key, _, rest = piece.partition("}}")
        rows += [values[key], rest]
    return "".join(rows)


def plain(text: str) -> str:
    """A text between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def script_data(data: str) -> str:
    """JSON that cannot end the element it stands in, nor open a comment there."""
    return data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
