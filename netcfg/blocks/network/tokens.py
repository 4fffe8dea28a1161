"""Rows of tokens: from images and back, class tokens, positions, classes by number."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.axes import Kind
from netcfg.blocks.base import Block, Count, ShapeError, expect_known
from netcfg.blocks.initial import Initial
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape, Size, differ, show, volume

ROWS = ("LF", "TF", "NF")


def expect_row(shape: Shape) -> None:
    """Refuse what is no row of tokens (L×F)."""
    if len(shape) != 2:
        help = "put a [tokens] before it" if len(shape) == 3 else None
        raise ShapeError(f"needs tokens (L×F), and is given {show(shape) or 'one number'}", help=help)


class Tokens(Block, name="tokens"):
    """An image as a row of tokens, one for each place, row by row.

    Shapes: C×H×W -> (H·W)×C.
    Source: Dosovitskiy et al., "An Image is Worth 16×16 Words", 2021.
    Example::

        [tokens]               # 8x4x4 -> 16x8
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    def shape(self, *inputs: Shape) -> Shape:
        """Places, then channels."""
        if len(inputs[0]) != 3:
            raise ShapeError(f"needs an image (C×H×W), and is given {show(inputs[0])}")
        channels, height, width = inputs[0]
        return (height * width, channels)

    def axes(self, *inputs: str) -> str:
        """Tokens with features."""
        return "LF"

    def inline(self, *names: str) -> str:
        """A view."""
        return f"{names[0]}.flatten(2).transpose(1, 2)"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """Tokens have no height and width."""
        return None


class ImageOfTokens(Block, name="image_of_tokens"):
    """A row of tokens as an image again, row by row.

    Shapes: (H·W)×C -> C×H×W.
    Example::

        [image_of_tokens]      # 16x8 -> 8x4x4
        height = 4
        width = 4
    """

    is_view: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS

    height: Count = Field(description="of the image, in places")
    width: Count = Field(description="of the image, in places")

    def shape(self, *inputs: Shape) -> Shape:
        """Channels, then places, if there are as many tokens."""
        expect_row(inputs[0])
        tokens, channels = inputs[0]
        if differ(tokens, self.height * self.width):
            raise ShapeError(
                f"lays out {self.height}×{self.width} = {self.height * self.width} tokens, and is given {tokens}",
                option="height",
                help="a class token is taken out first, by [select_subset]",
            )
        return (channels, self.height, self.width)

    def axes(self, *inputs: str) -> str:
        """An image."""
        return "CHW"

    def inline(self, *names: str) -> str:
        """A view."""
        return f"{names[0]}.transpose(1, 2).unflatten(2, ({self.height}, {self.width}))"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def label(self) -> str:
        """The sizes."""
        return f"{self.height}×{self.width}"


class ClassToken(Block, name="class_token"):
    """Learned tokens put before a row, the same for every sample; attention gathers the answer there.

    Shapes: L×F -> (count + L)×F.
    Parameters: one tensor that bears the block's own name, 1×count×F; zeros at the start.
    Source: Dosovitskiy et al., "An Image is Worth 16×16 Words", 2021; torchvision's `class_token`.
    Example::

        [class_token]          # 5x16 -> 6x16
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ROWS

    count: Annotated[int, Field(gt=0, le=65_536)] = Field(1, description="how many")
    initialization: Initial | None = Field(None, description="of the tokens; zeros where `None`")

    def shape(self, *inputs: Shape) -> Shape:
        """So many tokens more."""
        expect_row(inputs[0])
        return (inputs[0][0] + self.count, inputs[0][1])

    def parameters(self, *inputs: Shape) -> int:
        """Features for each."""
        return self.count * expect_known(inputs[0][1], "how many features a token has")

    def owns_tensor(self) -> bool:
        """The tokens bear the block's name."""
        return True

    def inline(self, *names: str) -> str:
        """The tokens, then the row."""
        row, token = names
        return f"torch.cat(({token}.expand({row}.shape[0], -1, -1), {row}), 1)"

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """The tokens."""
        from netcfg.builder.modules.scaling import Tensor

        sizes = (1, self.count, expect_known(inputs[0][1], "how many features a token has"))
        return made(Tensor, sizes, initialization=self.initialization)

    def label(self) -> str:
        """How many, where it is not one."""
        return "" if self.count == 1 else str(self.count)


class Positions(Block, name="positions"):
    """Adds to every token what says where it stands: learned, or waves of the place.

    `learned` needs to know how many tokens there are. `sinusoidal`: sines of even features, cosines of odd ones.
    `sinusoidal_2d`, for images: the first half of the channels tells the column, the second the row, in each sines
    before cosines.
    Shapes: L×F, unchanged; with `sinusoidal_2d` C×H×W.
    Parameters: with `learned` one tensor that bears the block's own name, 1×L×F, from N(0, 0.02²).
    Source: Vaswani et al., "Attention Is All You Need", 2017, section 3.5; torchvision's `pos_embedding`; He et al.,
    "Masked Autoencoders", 2022 (in two dimensions).
    Example::

        [positions]            # 5x16 -> 5x16
    """

    by_sample: ClassVar[bool] = True

    variant: Literal["learned", "sinusoidal", "sinusoidal_2d"] = Field(
        "learned", alias="kind", description="where they come from"
    )
    initialization: Initial | None = Field(None, description="of learned ones; normal(0.02) where `None`")

    def conflict(self) -> str | None:
        """Waves have no start."""
        if self.variant != "learned" and self.initialization is not None:
            return f"learns nothing with `kind = {self.variant}`: leave `initialization` out"
        return None

    def shape(self, *inputs: Shape) -> Shape:
        """Unchanged, if features come in pairs of waves."""
        shape = inputs[0]
        if self.variant != "sinusoidal_2d":
            expect_row(shape)
        elif len(shape) != 3:
            raise ShapeError(
                f"needs an image (C×H×W) for `sinusoidal_2d`, and is given {show(shape)}", option="kind"
            )
        waves = {"learned": 1, "sinusoidal": 2, "sinusoidal_2d": 4}[self.variant]
        features = expect_known(shape[0 if len(shape) == 3 else 1], "how many features a place has")
        if features % waves:
            raise ShapeError(f"makes {waves} waves of each kind: {waves} does not divide {features} features")
        self.parameters(*inputs)
        return shape

    def parameters(self, *inputs: Shape) -> int:
        """Features for each token."""
        if self.variant != "learned":
            return 0
        tokens, features = inputs[0]
        return expect_known(tokens, "how many tokens there are") * expect_known(features, "their features")

    def owns_tensor(self) -> bool:
        """Learned ones bear the block's name."""
        return self.variant == "learned"

    def inline(self, *names: str) -> str | None:
        """The sum, where they are learned."""
        return " + ".join(names) if self.owns_tensor() else None

    def gradient_needs(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """The tensor, or waves."""
        from netcfg.builder.modules.positions import Waves
        from netcfg.builder.modules.scaling import Tensor

        if self.variant == "learned":
            rule = self.initialization or Initial("normal", (0.02,))
            return made(Tensor, (1, *inputs[0]), initialization=rule)
        return made(Waves, plane=self.variant == "sinusoidal_2d")

    def label(self) -> str:
        """Where they come from."""
        return self.variant


class Embedding(Block, name="embedding"):
    """A learned vector for each class: numbers of classes become features.

    Shapes: one class number -> F; L of them -> L×F.
    Parameters: `weight` (count×features).
    Source: PyTorch's `Embedding`.
    Example::

        [embedding]            # 4 -> 4x8
        count = 10
        features = 8
    """

    each_place: ClassVar[bool] = True
    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "connected"
    takes_kinds: ClassVar[tuple[Kind, ...]] = ("class",)

    count: Annotated[int, Field(gt=0, le=2**31)] = Field(description="how many classes there are")
    features: Count = Field(description="of each")
    initialization: Initial | None = Field(
        None, description="of the weight; PyTorch's own, N(0, 1), where `None`"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """The features of each."""
        if len(inputs[0]) > 1:
            raise ShapeError(f"needs class numbers, one or L of them, and is given {show(inputs[0])}")
        return (*inputs[0], self.features)

    def axes(self, *inputs: str) -> str:
        """Features, after what it is given."""
        return "F" if not inputs[0] else "LF" if inputs[0] in ("F", "L") else inputs[0] + "F"

    def parameters(self, *inputs: Shape) -> int:
        """Features for each class."""
        return self.count * self.features

    def kept(self, *inputs: Shape) -> Size:
        """The numbers, in eight bytes each."""
        return 2 * volume(inputs[0])

    def gradient_needs(self) -> frozenset[str]:
        """The numbers, which are counted as kept."""
        return frozenset()

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """Torch's own."""
        from netcfg.builder.modules.positions import Embedding as Module

        return made(Module, self.count, self.features, initialization=self.initialization)

    def label(self) -> str:
        """Classes and features."""
        return f"{self.count} × {self.features}"
