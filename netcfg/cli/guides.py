"""The line that ends what is said of mistakes: which guide deals with their topic."""

from __future__ import annotations

from collections.abc import Iterable

from netcfg.codes import guides_of


def more_in(codes: Iterable[str]) -> list[str]:
    """`more: examples/own_data.md`; nothing where no guide deals with any of them."""
    pages = guides_of(codes)
    return [f"more: {', '.join(pages)}"] if pages else []


__all__ = ["more_in"]
