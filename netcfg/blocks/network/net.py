"""What frames a network: `[net]`, `[input]`, `[output]`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import ADAPT, Adapt, Block, Count, Group, References, Section
from netcfg.shapes import Shape, Size, Symbolic

Learning = Annotated[float, Field(ge=0)]


class Net(Section, name="net"):
    """The first block of every network: its input, and the defaults of its training.

    `channels` (with `height` and `width`, symbolic where they are not given) is short for one `[input]`
    called `input`. A network with `[input]` blocks leaves it out.

    Source: AUDetNet, README, `[net]`.
    Example::

        [net]
        channels = 3
        height = 64
        width = 64
        learning_rate = 1e-4
    """

    group: ClassVar[Group] = "network"
    family: ClassVar[str] = "input"
    unavailable: ClassVar[frozenset[str]] = frozenset({"name"})

    channels: Count | None = Field(None, description="channels of the input image")
    height: Count | None = Field(None, description="of the input, in pixels; symbolic where not given")
    width: Count | None = Field(None, description="of the input, in pixels; symbolic where not given")
    learning_rate: Learning | None = Field(None, description="for this network's parameters")
    beta1: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="Adam's, for this network")
    beta2: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="Adam's, for this network")
    weights: str | None = Field(None, description="start from a file of weights, or `imagenet`")
    layout: str | None = Field(None, description="whose parameter names that file has")
    adapt: Adapt = Field("strict", description=ADAPT)
    output_row: Annotated[int, Field(ge=0)] | Literal["fresh"] | None = Field(
        None,
        description="an output layer with fewer rows than the file's: takes them from this row on; `fresh`: starts "
        "as initialised; None: refused",
    )
    freeze: bool = Field(False, description="keep all its parameters as they start")
    mode: Literal["train", "eval"] = Field(
        "train",
        description="in training; `eval`: dropout off, and batch normalisation by statistics that stay as they are",
    )

    def conflict(self) -> str | None:
        """Height and width belong to channels."""
        if self.channels is None and (self.height or self.width):
            return "gives a height or a width without `channels`"
        return None

    def input_shape(self) -> Shape:
        """C×H×W of the one input."""
        assert self.channels is not None
        return (self.channels, self.height or Symbolic.named("height"), self.width or Symbolic.named("width"))


class Input(Block, name="input"):
    """A named input of a network, fed by the data field (or signal) of that name.

    Shapes: `channels`×`height`×`width`, or `frames`×`channels`×`height`×`width` for a clip, or `features`, or
    any `shape`. Sizes that are not given stay symbolic.
    Example::

        [input]                # 3x224x224
        name = image
        channels = 3
        height = 224
        width = 224
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "input"
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"from_", "repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with"}
    )
    input_count: ClassVar[int | None] = 0

    name: str = Field(description="what the network calls it; a data field of this name feeds it")
    channels: Count | None = Field(None, description="of an image")
    height: Count | None = Field(None, description="of an image, in pixels")
    width: Count | None = Field(None, description="of an image, in pixels")
    frames: Count | str | None = Field(
        None, description="of a clip: their number, or a name for an unknown one"
    )
    features: Count | None = Field(None, description="of a vector")
    sizes: tuple[Count, ...] | None = Field(
        None, alias="shape", description="any other shape, without the batch"
    )

    def conflict(self) -> str | None:
        """One kind of shape, no more."""
        given = [
            key
            for key, value in (
                ("channels", self.channels),
                ("features", self.features),
                ("shape", self.sizes),
            )
            if value
        ]
        if len(given) != 1:
            found = " and ".join(f"`{key}`" for key in given) or "none of them"
            return f"takes one of `channels`, `features` and `shape`, and has {found}"
        if self.channels is None and (self.height or self.width or self.frames):
            return "gives a height, width or frames without `channels`"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """As declared."""
        return self.shape_in(alone=True)

    def shape_in(self, alone: bool) -> Shape:
        """The shape, with unknown sizes named after the input where it is not the only one."""
        if self.features is not None:
            return (self.features,)
        if self.sizes is not None:
            return self.sizes
        assert self.channels is not None
        prefix = "" if alone else f"{self.name}."
        height: Size = self.height or Symbolic.named(f"{prefix}height")
        width: Size = self.width or Symbolic.named(f"{prefix}width")
        if self.frames is None:
            return (self.channels, height, width)
        frames: Size = self.frames if isinstance(self.frames, int) else Symbolic.named(self.frames)
        return (frames, self.channels, height, width)


class Output(Block, name="output"):
    """A named output of a network; in a template, a port of every use of it.

    A network with several returns a dictionary by name. Without any, the last block is the output.
    Example::

        [output]               # 8x4x4 -> 8x4x4
        name = features
        from = -1
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "output"
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with"}
    )

    name: str = Field(description="what others call it")
    from_: References | None = Field(
        None, alias="from", description="the block it gives; the one before by default"
    )

    def inline(self, *names: str) -> str:
        """Itself."""
        return names[0]
