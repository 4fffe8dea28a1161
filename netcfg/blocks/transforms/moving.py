"""What transforms have in common that move what all fields of a sample show."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import Augmentation, Transform, expect_pictures, picture_size, targets

if TYPE_CHECKING:
    from netcfg.datasets.transforms.moves import Way

Level = Annotated[int, Option(ge=0, le=255)]
Side = Annotated[int, Option(ge=1, le=8_192)]
Degrees = Annotated[float, Option(ge=-360, le=360)]
Between = Literal["auto", "nearest", "linear", "area"]

SIZE = "the new side in pixels, or height, width"
FILL = "of pictures, what comes in from outside: 0 is black, 255 white"
MASK_FILL = "of masks, the class of what comes in from outside; None: the number that is no class, else 0"


class Moving(Augmentation):
    """A transform that says for a picture's size how it moves, and moves all fields of a sample so.

    Pictures are taken between pixels, masks by the nearest, flow turns its arrows along, landmarks move as the pixels
    below them do, out of the picture, too.
    """

    fill: Level = Option(0, description=FILL)
    mask_fill: Level | None = Option(None, description=MASK_FILL)

    def new_size(self) -> tuple[int, int] | None:
        """Height and width of what it gives; None where they stay."""
        return None

    def border(self) -> str:
        """What comes in from outside: `constant`, or how the picture goes on there."""
        return "constant"

    def between(self) -> str:
        """How a value between pixels is found."""
        return "auto"

    @abstractmethod
    def way(self) -> "Way":
        """How a picture moves."""

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """At the new size. Raises `ShapeError` for pictures of two sizes, which no draw fits both of."""
        expect_pictures(self, fields)
        moved = targets(self, fields, ("image", "flow", "mask", "map"))
        sizes = {name: fields[name].shape[-2:] for name in moved}
        expect_one_size(sizes)
        size = self.new_size()
        if size is None:
            return dict(fields)
        return {
            name: spec._replace(shape=(*spec.shape[:-2], *size)) if name in moved else spec
            for name, spec in fields.items()
        }

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms.moves import MoveSample

        return MoveSample(
            told=f"[{self.type_name}]",
            way=self.way(),
            pictures=targets(self, fields, ("image",)),
            flows=targets(self, fields, ("flow",)),
            masks=targets(self, fields, ("mask",)),
            maps=targets(self, fields, ("map",)),
            points=targets(self, fields, ("landmarks",)),
            size=size_of_targets(self, fields),
            between=self.between(),
            border=self.border(),
            fill=self.fill,
            mask_fills=mask_fills(self.mask_fill, fields),
        )


def mask_fills(written: int | None, fields: Mapping[str, FieldSpec]) -> dict[str, int]:
    """What comes into each mask from outside: what is written, or the number that is no class."""
    masks = {name: spec.ignore for name, spec in fields.items() if spec.kind == "mask"}
    return {name: written if written is not None else ignore or 0 for name, ignore in masks.items()}


class Warping(Moving):
    """A transform that moves what a picture of the same size shows, in some of the samples."""

    probability: Probability = Option(1.0, description="how likely a sample is changed")
    interpolation: Literal["linear", "nearest"] = Option("linear", description="between pixels of pictures")

    def between(self) -> str:
        """As written."""
        return self.interpolation


def expect_one_size(sizes: Mapping[str, tuple[Any, ...]]) -> None:
    """Refuse, by a `ShapeError`, fields to be moved together whose pictures have other sizes."""
    names = list(sizes)
    for name in names[1:]:
        if sizes[name] != sizes[names[0]]:
            one, other = ("×".join(map(str, sizes[key])) for key in (names[0], name))
            raise ShapeError(
                f"moves all fields alike, and `{names[0]}` is {one}, `{name}` {other}",
                help=f"bring them to one size first, or name those it is for: `only = {names[0]}`",
            )


def size_of_targets(transform: Transform, fields: Mapping[str, FieldSpec]) -> tuple[int, int]:
    """Height and width of the pictures that it moves, as far as they are known beforehand; else zeros."""
    moved = {name: spec for name, spec in fields.items() if not transform.only or name in transform.only}
    return picture_size(moved) if picture_size(moved) != (0, 0) else picture_size(fields)


def two_numbers(key: str, values: tuple[float, ...]) -> str | None:
    """What is wrong with a range written as its ends; None where nothing is."""
    if len(values) == 2 and values[0] <= values[1]:
        return None
    written = ", ".join(f"{value:g}" for value in values)
    return f"needs the smallest and the largest as `{key}`, and has {written}"


def one_or_two(key: str, values: tuple[float, ...]) -> str | None:
    """What is wrong with a number, or a range written as its ends; None where nothing is."""
    if len(values) == 1:
        return None if values[0] >= 0 else f"goes from -n to n by `{key} = n`, and n is {values[0]:g}"
    return two_numbers(key, values)


def as_range(values: tuple[float, ...]) -> tuple[float, float]:
    """-n to n of one number, else the two that there are."""
    return (-values[0], values[0]) if len(values) == 1 else (values[0], values[1])
