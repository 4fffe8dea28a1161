"""What stands in a diagram where a block could not be read."""

from functools import cache
from typing import ClassVar

from netcfg.blocks.base import Block
from netcfg.blocks.registry import find
from netcfg.shapes import UNKNOWN, Shape


class Broken(Block):
    """A block as it was written, of which nothing else is known. Never part of a program."""

    type_name: ClassVar[str] = "broken"
    input_count: ClassVar[int | None] = None

    def shape(self, *inputs: Shape) -> Shape:
        """Not known."""
        return UNKNOWN


def broken(type_name: str, name: str | None) -> Broken:
    """The stand-in for a block of this type, called so where a name is given."""
    return _kind(type_name).model_construct(name=name)


@cache
def _kind(name: str) -> type[Broken]:
    """A stand-in of its own for each type, of the same family as the type where there is such."""
    known = find("network", name)
    family = known.family if known is not None else Block.family
    return type("Broken", (Broken,), {"type_name": name, "family": family, "__module__": __name__})
