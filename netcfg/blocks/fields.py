"""What a field of the data is: its shape, its kind, and the splits it comes in."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field as Option

from netcfg.axes import Kind
from netcfg.shapes import Shape, show

FieldKind = Literal["image", "flow", "mask", "vector", "class", "landmarks", "map"]
Split = Literal["train", "validation", "test"]
_AXES: dict[FieldKind, str] = {
    "image": "TCHW",
    "flow": "TCHW",
    "mask": "THW",
    "vector": "TF",
    "class": "",
    "landmarks": "TNF",
    "map": "TCHW",
}
"""The axes of the fields of a kind, those of clips in front."""
LENGTHS = "lengths of "
"""Before the name of a ragged size: where a batch keeps how long it is in each of its samples."""
SOURCES = "sources of samples"
"""Where a batch of joined sources keeps, beside its fields, which source each of its samples is of, by number."""
PositiveInt = Annotated[int, Option(gt=0)]


class FieldSpec(NamedTuple):
    """What a data field holds, per sample: its shape as a network sees it (images are C×H×W), and its kind.

    `image` is pictures (C×H×W, or T×C×H×W for a clip), `flow` motion as a picture, `mask` a class for
    each pixel (H×W), `class` one number, `map` numbers for each pixel that are no colours (C×H×W, in samples too).
    `names` labels the entries of a vector (`AU12`), the maps, or the classes of a class field or a mask.
    `pairs` gives for each of the landmarks the number of the one on the other side, itself where it lies in the
    middle; without it 68 landmarks are those of the face. Fields of one `view` are drawn for together.
    `absent` are those of `names` that the data do not label: whatever stands there is nobody's.
    `ignore` is the number in a mask that is no class: losses and metrics leave it out where they do not say otherwise.
    `unit` is what the numbers of a vector count, such as `cm`; "" where nobody says it.
    """

    shape: Shape
    kind: FieldKind
    names: tuple[str, ...] = ()
    pairs: tuple[int, ...] = ()
    view: int = 0
    absent: tuple[str, ...] = ()
    ignore: int | None = None
    unit: str = ""

    @property
    def axes(self) -> str:
        """What its sizes count (see `netcfg.axes`); "" where its kind has no such shape."""
        axes = _AXES[self.kind]
        short = axes[len(axes) - len(self.shape) :]
        return short if axes and len(short) == len(self.shape) and len(axes) - len(short) <= 1 else ""

    @property
    def present(self) -> tuple[int, ...]:
        """The places of the entries that the data label."""
        return tuple(place for place, name in enumerate(self.names) if name not in self.absent)

    @property
    def holds(self) -> Kind:
        """What its values are, for networks."""
        return "class" if self.kind in ("class", "mask") else "number"

    def __str__(self) -> str:
        return show(self.shape) if self.shape else "one number"


ImageSize = Annotated[int, Option(ge=16, le=4_096)]
Probability = Annotated[float, Option(ge=0, le=1)]
