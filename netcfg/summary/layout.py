"""Tables of text, and counts as a reader takes them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Rows as lines with columns two spaces apart, a rule under the first; `right` columns end together."""
    table = list(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    lines.insert(1, "─" * (sum(widths) + 2 * (len(widths) - 1)))
    return [*lines, lines[1]]


def human(number: int) -> str:
    """A count in three digits: `15.5 G`."""
    value = float(number)
    for unit in ("", " k", " M", " G", " T"):
        if value < 999.5:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:.3g} P"


def human_bytes(number: int | None) -> str:
    """`12.8 MB`, `512 B`; `?` where it is unknown."""
    if number is None:
        return "?"
    text = human(number)
    return f"{text}B" if " " in text else f"{text} B"
