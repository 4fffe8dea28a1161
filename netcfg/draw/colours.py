"""Arithmetic of colours (`#rrggbb`)."""

from __future__ import annotations


def mixed(one: str, other: str, share: float) -> str:
    """The colour that has `share` of the other in it."""
    return "#" + "".join(
        f"{round(first + share * (second - first)):02x}"
        for first, second in zip(_parts(one), _parts(other), strict=True)
    )


def _parts(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
