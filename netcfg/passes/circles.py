"""Of a body whose blocks read what only comes later: whether they go in a circle, which no order could mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from netcfg.blocks import registry
from netcfg.blocks.base import Block
from netcfg.syntax import Section

_NAME = re.compile(r"[A-Za-z_]\w*")


def circle(body: Sequence[Section], section: Section, read: str) -> list[Section]:
    """The blocks from one that reads the name of a later one, by what each reads in its turn, back to itself.

    Empty where that one can be computed without it. Known of names and of the block before, as they are written.
    """
    blocks = [one for one in body if one.name not in ("input", "output", "defaults", "expect")]
    places = {option.value: at for at, one in enumerate(blocks) if (option := one.option("name"))}
    start = next((at for at, one in enumerate(blocks) if one.span == section.span), None)
    if start is None or read not in places:
        return []
    came: dict[int, int] = {places[read]: start}
    waiting = [places[read]]
    while waiting:
        at = waiting.pop(0)
        for other in _reads(blocks, at, places):
            if other == start:
                way = [at]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return [blocks[place] for place in (*reversed(way), start)]
            if other not in came:
                came[other] = at
                waiting.append(other)
    return []


def has_state(section: Section) -> bool:
    """Whether it is a block that remembers from batch to batch."""
    found = registry.find("network", section.name)
    return found is not None and issubclass(found, Block) and found.has_state


def _reads(blocks: Sequence[Section], at: int, places: dict[str, int]) -> Iterable[int]:
    section = blocks[at]
    found = registry.find("network", section.name)
    keys = ["from"]
    if found is not None and issubclass(found, Block):
        keys += [found.reference_option, *found.roles]
    written = [option for key in dict.fromkeys(keys) if (option := section.option(key))]
    named = [places[name] for option in written for name in _NAME.findall(option.value) if name in places]
    before = not written or any(re.search(r"\bin\b|-1", option.value) for option in written)
    return [*named, *([at - 1] if before and at else [])]


__all__ = ["circle", "has_state"]
