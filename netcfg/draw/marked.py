"""Marks: what is special about parts of a graph, as a diagram is to show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Mark = Literal["", "added", "removed", "changed", "error"]
"""What is special about a box or wire: how it differs from another program's, or that it is wrong."""


class Marked(NamedTuple):
    """A mark and what it is for; `drawn` stands in the picture for a message that stands there already."""

    mark: Mark = ""
    message: str = ""
    drawn: str | None = None

    @property
    def alike(self) -> tuple[Mark, str]:
        """Equal for what may stand in one box."""
        return self.mark, self.message


UNMARKED = Marked()
GONE = "removed"
"""Before the path of what is no more, as something else may have its path now; so it is no folder's name."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What is special in a graph: blocks by index, signals by (producer, port, reader), outputs by name."""

    blocks: Mapping[int, Marked] = field(default_factory=dict)
    signals: Mapping[tuple[int, str, int], Mark] = field(default_factory=dict)
    outputs: Mapping[str, Marked] = field(default_factory=dict)


NO_MARKS = Marks()
