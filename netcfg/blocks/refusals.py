"""How a block refuses the signals that it is given: the errors, and what many blocks ask of a shape."""

from __future__ import annotations

from netcfg.shapes import Shape, Size, show


class ShapeError(Exception):
    """A block cannot take the shape it is given; `argument` says which of its inputs is to blame.

    `option` names the option to underline, where the mistake lies in one, and `item` a text in its value. `other` is
    the input that this one does not fit, the first by default.
    """

    def __init__(
        self,
        message: str,
        *,
        argument: int | None = 0,
        help: str | None = None,
        code: str = "NC301",
        option: str | None = None,
        item: str | None = None,
        other: int | None = 0,
    ) -> None:
        super().__init__(message)
        self.argument = argument
        self.other = other
        self.option = option
        self.item = item
        self.help = help
        self.code = code


class AxesError(ShapeError):
    """A block is given a signal of other axes, or of another kind, than it takes."""

    def __init__(self, takes: str, given: str, argument: int) -> None:
        super().__init__(
            f"takes {takes}, is given {given}",
            argument=argument,
            code="NC305",
            help="let it read another signal, or put a block before it that gives what it takes",
        )


def expect_rank(shape: Shape, rank: int, what: str, argument: int = 0) -> None:
    """Refuse a signal that is not an image (rank 3) or a vector (rank 1)."""
    if len(shape) != rank:
        remedy = "put a [flatten] or a [global_avgpool] before it" if rank == 1 else None
        raise ShapeError(f"needs {what}, and is given {show(shape)}", argument=argument, help=remedy)


def expect_known(size: Size, what: str) -> int:
    """The number a size must be before parameters can be made of it."""
    if isinstance(size, int):
        return size
    raise ShapeError(
        f"needs to know {what}, which is only known as `{size}`",
        code="NC303",
        help="give the network's input a height and a width",
    )
