"""One answer of many frames."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, Reference, ShapeError, expect_known
from netcfg.blocks.made import Made, made
from netcfg.blocks.network.tokens import expect_row
from netcfg.shapes import Shape, Size, differ, show, volume

CLIPS = ("TF", "LF", "TCHW")


class _OfFrames(Block):
    """The first axis gone."""

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = CLIPS

    def shape(self, *inputs: Shape) -> Shape:
        """Without frames."""
        if len(inputs[0]) < 2:
            raise ShapeError(f"needs frames (T×F, T×C×H×W), and is given {show(inputs[0]) or 'one number'}")
        return inputs[0][1:]

    def axes(self, *inputs: str) -> str:
        """Without frames."""
        return inputs[0][1:]

    def gradient_needs(self) -> frozenset[str]:
        """Nothing but sizes."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """All frames."""
        return None


class FrameMean(_OfFrames, name="frame_mean"):
    """The mean over frames.

    Shapes: T×F -> F; T×C×H×W -> C×H×W.
    Example::

        [frame_mean]           # 5x16 -> 16
    """

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"{names[0]}.mean(1)"

    def overwritable(self) -> bool:
        """Its gradient needs nothing."""
        return True


class FrameMax(_OfFrames, name="frame_max"):
    """The largest number over frames; several largest share the gradient.

    Shapes: T×F -> F; T×C×H×W -> C×H×W.
    Example::

        [frame_max]            # 5x16 -> 16
    """

    def inline(self, *names: str) -> str:
        """Torch's own."""
        return f"{names[0]}.amax(1)"

    def gradient_needs(self) -> frozenset[str]:
        """Which was the largest."""
        return frozenset({"input", "output"})


class Frame(_OfFrames, name="frame"):
    """One frame of a clip, or one token of a row.

    Shapes: T×F -> F; T×C×H×W -> C×H×W. An `index` below 0 counts from the end.
    Example::

        [frame]                # 5x16 -> 16
        index = -1
    """

    is_view: ClassVar[bool] = True

    index: Annotated[int, Field(ge=-(2**31), lt=2**31)] = Field(
        -1, description="which one, from 0; -1 is the last"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """Without frames, if there is such a one."""
        made = super().shape(*inputs)
        frames = inputs[0][0]
        if isinstance(frames, int) and not -frames <= self.index < frames:
            raise ShapeError(
                f"takes frame {self.index} of {frames} ({show(inputs[0])})",
                option="index",
                help=f"{-frames} to {frames - 1}",
            )
        return made

    def inline(self, *names: str) -> str:
        """A view."""
        return f"{names[0]}[:, {self.index}]"

    def label(self) -> str:
        """Which one."""
        return str(self.index)


class FrameAttention(Block, name="frame_attention"):
    """A mean of frames, weighted by a learned gate for each: Σ gate · frame / Σ gate.

    Ports: `value` and `gates`. With `gates` given, its own gates are multiplied by these; `numerator = given` leaves
    its own out of the numerator in evaluation, as Emotion-FAN's code does. Dropout is before the gates' map.
    Shapes: T×F (and gates T) -> `value` F, `gates` T.
    Parameters: `weight` (1×F), `bias`.
    Source: Meng et al., "Frame Attention Networks for Facial Expression Recognition in Videos", 2019.
    Example::

        [frame_attention]      # 5x16 -> 16
        dropout = 0.5
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "pooling"
    takes: ClassVar[tuple[str, ...]] = ("TF", "LF")
    roles: ClassVar[tuple[str, ...]] = ("gates",)

    gates: Reference | None = Field(
        None, description="gates of the same frames, that its own are multiplied by"
    )
    activation: Literal["sigmoid", "softmax"] = Field(
        "sigmoid", description="of the gates: each by itself, or all together to a sum of 1"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="in training, of a feature to become zero"
    )
    numerator: Literal["all", "given"] = Field(
        "all", description="whose gates weigh frames in evaluation: both, or only those given"
    )

    def conflict(self) -> str | None:
        """What is given alone must be given."""
        if self.numerator == "given" and self.gates is None:
            return "weighs frames by gates that are given, and names none: write `gates = …`"
        return None

    def depends_on_batch(self) -> bool:
        """Only by what dropout draws."""
        return self.dropout > 0

    def shape(self, *inputs: Shape) -> dict[str, Shape]:
        """A vector, and a gate for each frame."""
        expect_row(inputs[0])
        frames, features = inputs[0]
        expect_known(features, "how many features a frame has")
        if len(inputs) > 1 and (len(inputs[1]) != 1 or differ(inputs[1][0], frames)):
            raise ShapeError(
                f"takes a gate for each of {frames} frames, and is given {show(inputs[1])}", argument=1
            )
        return {"value": (features,), "gates": (frames,)}

    def axes(self, *inputs: str) -> dict[str, str]:
        """Features, and frames."""
        return {"value": "F", "gates": inputs[0][:1]}

    def parameters(self, *inputs: Shape) -> int:
        """A map to one number."""
        return expect_known(inputs[0][1], "how many features a frame has") + 1

    def macs(self, *inputs: Shape) -> Size:
        """The map, and the weighted sum."""
        return volume(inputs[0]) * 2

    def kept(self, *inputs: Shape) -> Size:
        """Products of gates, their sum and the weighted sum; with dropout what became zero, and the rest."""
        frames, features = inputs[0]
        products = frames if self.gates is not None else 0
        return products + features + 1 + (volume(inputs[0]) * 2 if self.dropout else 0)

    def scratch(self, *inputs: Shape) -> Size:
        """Products of gates, their sum and the weighted sum."""
        return inputs[0][0] * 2 + inputs[0][1] + 1

    def gradient_needs(self) -> frozenset[str]:
        """What it was given, and the gates."""
        return frozenset({"input", "output"})

    def lower(self, *inputs: Shape) -> Made:
        """A map, and two sums."""
        from netcfg.builder.modules.frames import FrameAttention as Module

        return made(
            Module,
            expect_known(inputs[0][1], "how many features a frame has"),
            activation=self.activation,
            dropout=self.dropout,
            numerator=self.numerator,
        )

    def label(self) -> str:
        """How gates are made."""
        return self.activation
