"""How much of the input each place of a signal sees: the receptive field.

Source: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from netcfg.blocks.base import Reach
from netcfg.graph import Graph, Node


class Seen(NamedTuple):
    """What one place of a signal sees, in pixels of the network's input, along height and width alike.

    `size` is the side of that square (of the largest one, where squares differ), `stride` from one place's to the
    next's, `start` where the first one begins, which is below 0 by the padding. `size` may be larger than the input.
    """

    size: int
    stride: Fraction
    start: Fraction

    def through(self, reach: Reach) -> Seen:
        """What a place sees that sees so many places of this signal."""
        size = math.ceil(self.size + (reach.size - 1) * self.stride)
        return Seen(size, self.stride * reach.step, self.start - reach.pad * self.stride)

    def with_(self, other: Seen) -> Seen:
        """What both see together, at the same place."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Seen(math.ceil(end - start), self.stride, start)


def receptive_fields(graph: Graph) -> list[Seen | None]:
    """That of each block's first signal; None where there is none: for vectors, or where a block cannot say."""
    fields: list[Seen | None] = []
    for node in graph.nodes:
        fields.append(_field(node, [fields[signal.producer] for signal in node.inputs]))
    return fields


def _field(node: Node, given: list[Seen | None]) -> Seen | None:
    if not node.output.is_image:
        return None
    if node.is_input:
        return Seen(1, Fraction(1), Fraction(0))
    reach = node.block.reach(*node.given)
    if reach is None:
        return None
    seen = given[0]
    for other in given[1:]:
        if seen is None or other is None or seen.stride != other.stride:
            return None
        seen = seen.with_(other)
    return seen.through(reach) if seen else None
