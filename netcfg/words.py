"""Numbers and lists in words, for messages."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 3  # how many of a long list a message names


def counted(count: int, thing: str) -> str:
    """`1 id`, `2 ids`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def named(names: Sequence[str]) -> str:
    """The first few of a list, in words."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_NAMED]) + more


def to_write(keys: Sequence[str]) -> str:
    """The remedy where options are missing: all that is to be written, so that nobody finds them one by one."""
    return "write " + " and ".join(f"`{key} = …`" for key in keys)


def ordinal(number: int) -> str:
    """`2nd`, `5th`, `11th`, `21st`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
