"""What frames a network: `[net]`, `[input]`, `[output]`."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.axes import AXES, KINDS, Kind
from netcfg.blocks.base import ADAPT, Adapt, Block, Count, Group, References, Section
from netcfg.blocks.changing import Scheduled
from netcfg.blocks.values import IDENTIFIER
from netcfg.shapes import Shape, Size, Symbolic

AxisName = Literal["frames", "tokens", "objects", "channels", "height", "width", "features"]
Named = Count | str
"""A size: a number, or a name for one that only a batch tells."""
_LETTERS: dict[AxisName, str] = {name: letter for letter, name in AXES.items()}  # type: ignore[misc]
CHECKPOINT = (
    "keep less for the backward pass, which computes the rest again: less memory, more time, the same numbers"
)
Learning = Annotated[float, Field(ge=0)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class Net(Section, name="net"):
    """The first block of every network: its input, and the defaults of its training.

    `channels` (with `height` and `width`, symbolic where they are not given) is short for one `[input]`
    called `input`. `inputs = data.image` takes a field of the data in its shape and by its name (bare `data` the one
    picture that there is), `inputs = Generator` what another network gives, each by its port's name. A network with
    `[input]` blocks leaves `channels` out.

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
    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("frames", "tokens", "features", "shape", "axes", "kind", "classes"),
        "an [input] block below [net] says it, with all other sizes of that input; [net] then has no `channels`",
    )

    channels: Count | None = Field(None, description="channels of the input image")
    height: Count | None = Field(None, description="of the input, in pixels; symbolic where not given")
    width: Count | None = Field(None, description="of the input, in pixels; symbolic where not given")
    inputs: tuple[str, ...] | None = Field(
        None, description="fields of the data (`data.image`) or another network's outputs, in their shapes"
    )
    learning_rate: Learning | Scheduled | None = Field(None, description="for this network's parameters")
    beta1: Beta | Scheduled | None = Field(None, description="Adam's, for this network")
    beta2: Beta | Scheduled | None = Field(None, description="Adam's, for this network")
    weights: str | None = Field(None, description="start from a file of weights, or `imagenet`")
    layout: str | None = Field(None, description="whose parameter names that file has")
    adapt: Adapt = Field("strict", description=ADAPT)
    output_row: Annotated[int, Field(ge=0)] | Literal["fresh"] | None = Field(
        None,
        description="an output layer with fewer rows than the file's: takes them from this row on; `fresh`: starts "
        "as initialised; None: refused",
    )
    freeze: bool = Field(False, description="keep all its parameters as they start")
    checkpoint: bool = Field(False, description=CHECKPOINT)
    mode: Literal["train", "eval"] = Field(
        "train",
        description="in training; `eval`: dropout off, and batch normalisation by statistics that stay as they are",
    )

    def conflict(self) -> str | None:
        """Height and width belong to channels."""
        if self.channels is None and (self.height or self.width):
            return "gives a height or a width without `channels`"
        if self.channels is not None and self.inputs:
            return "says by `channels` and by `inputs` what it is fed"
        return None

    def input_shape(self) -> Shape:
        """C×H×W of the one input."""
        assert self.channels is not None
        return (self.channels, self.height or Symbolic.named("height"), self.width or Symbolic.named("width"))


class Input(Block, name="input"):
    """A named input of a network, fed by the data field (or signal) of that name.

    Shapes: `channels`×`height`×`width` or `features`, after `frames` and `tokens` where these are given; or any
    `shape`, whose `axes` say what its sizes count. A name in the place of a number (`frames = T`) is a size that only
    a batch tells, the same wherever that name stands; so are a height and a width that are not given.
    With a `kind` and no size it is one value per sample. `like` is the shape of what another network gives, or of a
    field of the data.
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
    like: str | None = Field(
        None, description="whose shape it takes: `Generator`, `Generator.tap0` or `data.image`"
    )
    channels: Named | None = Field(None, description="of an image")
    height: Named | None = Field(None, description="of an image, in pixels")
    width: Named | None = Field(None, description="of an image, in pixels")
    frames: Named | None = Field(None, description="of a clip")
    tokens: Named | None = Field(None, description="of a row of tokens")
    features: Named | None = Field(None, description="of a vector")
    sizes: tuple[Named, ...] | None = Field(
        None, alias="shape", description="any other shape, without the batch"
    )
    named_axes: tuple[AxisName, ...] | None = Field(
        None,
        alias="axes",
        description="what the sizes of `shape` count: " + ", ".join(f"`{name}`" for name in AXES.values()),
    )
    holds: Kind | None = Field(
        None, alias="kind", description="numbers (the default), a `class` by its number, or yes and no"
    )
    classes: Count | None = Field(None, description="`kind = class`: how many there are")

    def conflict(self) -> str | None:
        """One kind of shape, no more; what belongs to another is not there."""
        if self.name == "lengths":
            return "is called `lengths`, as networks call how long clips are: give it another name"
        return self._of_shape() or self._of_axes() or self._of_sizes() or self._of_kind()

    def _of_shape(self) -> str | None:
        choices = {
            "channels": self.channels,
            "features": self.features,
            "shape": self.sizes,
            "like": self.like,
        }
        given = [key for key, value in choices.items() if value]
        if self.channels is None and (self.height or self.width):
            return "gives a height or a width without `channels`"
        if self.sizes and (self.frames or self.tokens):
            return "takes `frames` and `tokens` with `channels` or `features`; in `shape` they are sizes too"
        in_a_row = self.frames or self.tokens or self.holds
        if self.like and in_a_row:
            return "takes its sizes and its kind from another signal (`like`), and says some itself"
        if len(given) > 1 or not (given or in_a_row):
            found = " and ".join(f"`{key}`" for key in given) or "none of them"
            return f"takes one of `channels`, `features`, `shape` and `like`, and has {found}"
        return None

    def _of_axes(self) -> str | None:
        if self.named_axes is None:
            return None
        if self.sizes is None:
            return "gives `axes` without a `shape`: other options say what they count"
        if len(self.named_axes) != len(self.sizes):
            return f"names {len(self.named_axes)} axes of a shape of {len(self.sizes)}"
        if len(set(self.named_axes)) < len(self.named_axes):
            twice = next(axis for axis in self.named_axes if self.named_axes.count(axis) > 1)
            return f"names `{twice}` twice among its axes"
        return None

    def _of_sizes(self) -> str | None:
        sizes = (*self._by_axis().values(), *(self.sizes or ()))
        wrong = next((size for size in sizes if isinstance(size, str) and not IDENTIFIER.match(size)), None)
        return (
            f"has a size `{wrong}`, which is neither a whole number nor a name" if wrong is not None else None
        )

    def _of_kind(self) -> str | None:
        if self.classes is not None and self.holds != "class":
            return "gives `classes` without `kind = class`"
        return None

    def _by_axis(self) -> dict[str, Named | None]:
        """The options of one size each, by letter, in the order of a shape."""
        return {
            "T": self.frames,
            "L": self.tokens,
            "C": self.channels,
            "H": self.height,
            "W": self.width,
            "F": self.features,
        }

    def shape(self, *inputs: Shape) -> Shape:
        """As declared."""
        return self.shape_in(alone=True)

    def shape_in(self, alone: bool) -> Shape:
        """The shape, with unknown sizes named after the input where it is not the only one."""
        if self.sizes is not None:
            return tuple(map(_size, self.sizes))
        sizes = self._by_axis()
        prefix = "" if alone else f"{self.name}."
        unknown: dict[str, Size] = {
            letter: Symbolic.named(prefix + AXES[letter]) for letter in ("HW" if self.channels else "")
        }
        given = {letter: _size(size) for letter, size in sizes.items() if size is not None}
        return tuple((unknown | given)[letter] for letter in self.axes())

    def axes(self, *inputs: str) -> str:
        """As declared; "" for a bare `shape`."""
        if self.named_axes is not None:
            return "".join(_LETTERS[name] for name in self.named_axes)
        image = "HW" if self.channels else ""
        return "".join(
            letter for letter, size in self._by_axis().items() if size is not None or letter in image
        )

    def kind(self, *inputs: Kind) -> Kind:
        """As declared."""
        return self.holds or "number"


def _size(size: Named | Size) -> Size:
    return Symbolic.named(size) if isinstance(size, str) else size


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
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with"}
    )

    name: str = Field(description="what others call it")
    from_: References | None = Field(
        None, alias="from", description="the block it gives; the one before by default"
    )

    def kind(self, *inputs: Kind) -> Kind:
        """As given."""
        return inputs[0]

    def inline(self, *names: str) -> str:
        """Itself."""
        return names[0]
