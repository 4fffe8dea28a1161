"""What losses of the vectors of a batch among each other have in common."""

from typing import ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.losses.comparing import OverClasses
from netcfg.shapes import Shape, show


class WithinBatch(OverClasses):
    """Vectors of one class should be near, of others far: by the samples of a batch, in one process."""

    unavailable: ClassVar[frozenset[str]] = frozenset({"channels", "weight"})
    named_options: ClassVar[tuple[str, ...]] = ("mask",)

    target: str = Option(description="the data field of the class, or of who it is")
    normalise: bool = Option(False, description="bring vectors to length 1 before")

    def counts_by(self) -> tuple[object, ...]:
        """How many pairs or triplets there are hangs on the classes of a batch."""
        return (self.type_name, self.input, self.target, self.mask, self.ignore)

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """A vector and a class."""
        if not input or len(squeezed(input)) != 1:
            raise ShapeError(
                f"compares vectors, and `{self.input}` gives {show(input) or 'one number'}", code="NC402"
            )
        if target is None or squeezed(target or (1,)) != (1,):
            raise ShapeError(
                f"needs a class for each sample, and `{self.target}` is {show(target or ())}",
                argument=1,
                code="NC402",
            )
        return ()
