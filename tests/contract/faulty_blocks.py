"""Blocks that are wrong about themselves, each in one way."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from netcfg.blocks import Block, Reference, expect_rank
from netcfg.blocks.base import Reach
from netcfg.shapes import Shape, Size, volume


class Mixing(nn.Module):
    """A 1×1 convolution by hand."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv2d(x, self.weight[:, :, None, None])


class Mixed(Block):
    """What the mixing blocks below share, all of it true."""

    family: ClassVar[str] = "activation"

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "an image")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> int:
        channels = inputs[0][0]
        assert isinstance(channels, int)
        return channels**2

    def macs(self, *inputs: Shape) -> Size:
        return volume(inputs[0]) * inputs[0][0]

    def kept(self, *inputs: Shape) -> Size:
        return 0

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"input"})

    def lower(self, *inputs: Shape) -> nn.Module:
        channels = inputs[0][0]
        assert isinstance(channels, int)
        return Mixing(channels)


class NoMacs(Mixed, name="no_macs"):
    """Leaves its products out.

    Parameters: `weight`.
    Example::

        [no_macs]              # 6x4x4 -> 6x4x4
    """

    def macs(self, *inputs: Shape) -> Size:
        return 0


class NoParameter(Mixed, name="no_parameter"):
    """Leaves its weight out.

    Parameters: `weight`.
    Example::

        [no_parameter]         # 6x4x4 -> 6x4x4
    """

    def parameters(self, *inputs: Shape) -> int:
        return 0


class OtherName(Mixed, name="other_name"):
    """Calls its weight something else.

    Parameters: `kernel`.
    Example::

        [other_name]           # 6x4x4 -> 6x4x4
    """


class HiddenList(nn.Module):
    """Holds a parameter in a plain list, where no optimizer finds it."""

    def __init__(self) -> None:
        super().__init__()
        self.held = [nn.Parameter(torch.ones(()))]

    def forward(self, x: Tensor) -> Tensor:
        return x * self.held[0]


class Hidden(Block, name="hidden"):
    """Learns what nobody knows of.

    Example::

        [hidden]               # 6x4x4 -> 6x4x4
    """

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"input"})

    def lower(self, *inputs: Shape) -> nn.Module:
        return HiddenList()


class Overwritten(Block, name="overwritten"):
    """Its gradient needs what it made.

    Example::

        [overwritten]          # 6x4x4 -> 6x4x4
    """

    def inline(self, *names: str) -> str:
        return f"torch.sigmoid({names[0]})"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})

    def overwritable(self) -> bool:
        return True


class Centred(Block, name="centred"):
    """Takes the mean of the batch away, and says that samples are alone.

    Example::

        [centred]              # 6x4x4 -> 6x4x4
    """

    by_sample: ClassVar[bool] = True

    def inline(self, *names: str) -> str:
        return f"{names[0]} - {names[0]}.mean(0, keepdim=True)"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Blended(Block, name="blended"):
    """Takes the mean of a row away, and says that each of its places is alone.

    Example::

        [blended]              # 6x4 -> 6x4
    """

    by_sample: ClassVar[bool] = True
    each_place: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 2, "a row")
        return inputs[0]

    def inline(self, *names: str) -> str:
        return f"{names[0]} - {names[0]}.mean(1, keepdim=True)"

    def scratch(self, *inputs: Shape) -> Size:
        return inputs[0][-1]

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Chance(Block, name="chance"):
    """Adds noise in training, and says that samples are alone.

    Example::

        [chance]               # 6x4x4 -> 6x4x4
    """

    by_sample: ClassVar[bool] = True
    only_trains: ClassVar[bool] = True

    def lower(self, *inputs: Shape) -> nn.Module:
        return Noisy()

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Noisy(nn.Module):
    """Noise in training."""

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn_like(x) if self.training else x


class NoMemory(Block, name="no_memory"):
    """Keeps a signal of its own for the gradient.

    Example::

        [no_memory]            # 6x4x4 -> 6x4x4
    """

    def inline(self, *names: str) -> str:
        return f"torch.sigmoid(torch.exp({names[0]}))"

    def scratch(self, *inputs: Shape) -> Size:
        return volume(inputs[0])

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})


class OddHalf(Block, name="odd_half"):
    """Halves, rounding up; its module rounds down.

    Example::

        [odd_half]             # 6x4x4 -> 6x2x2
    """

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "an image")
        channels, height, width = inputs[0]
        return channels, (height + 1) // 2, (width + 1) // 2

    def inline(self, *names: str) -> str:
        return f"F.max_pool2d({names[0]}, 2, 2)"

    def scratch(self, *inputs: Shape) -> Size:
        return volume(self.shape(*inputs)) * 2

    def kept(self, *inputs: Shape) -> Size:
        return self.scratch(*inputs)

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"input"})


class Idle(Block, name="idle"):
    """Has an option that nothing obeys, though its label shows it.

    Example::

        [idle]                 # 6x4x4 -> 6x4x4
        strength = 0.5
    """

    strength: float = Field(1.0, description="of nothing")

    def inline(self, *names: str) -> str:
        return f"torch.tanh({names[0]})"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})

    def label(self) -> str:
        return f"{self.strength:g}"


class Narrow(Block, name="narrow"):
    """Says that it sees one place, and sees three.

    Example::

        [narrow]               # 6x5x5 -> 6x5x5
    """

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "an image")
        return inputs[0]

    def inline(self, *names: str) -> str:
        return f"F.avg_pool2d({names[0]}, 3, 1, 1)"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"input"})

    def reach(self, *inputs: Shape) -> Reach:
        return Reach()


class Leaking(Block, name="leaking"):
    """Says that it stops gradients.

    Example::

        [leaking]              # 6x4x4 -> 6x4x4
    """

    stops_gradient: ClassVar[bool] = True

    def inline(self, *names: str) -> str:
        return f"{names[0]} * 2"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Doubled(nn.Module):
    """Twice its input."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


class TwoWays(Block, name="two_ways"):
    """Its line and its module differ.

    Example::

        [two_ways]             # 6x4x4 -> 6x4x4
    """

    def inline(self, *names: str) -> str:
        return f"3 * {names[0]}"

    def lower(self, *inputs: Shape) -> nn.Module:
        return Doubled()

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Unpickled(nn.Module):
    """Holds what cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.function = lambda x: 2 * x

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class NoPickle(Block, name="no_pickle"):
    """Cannot be pickled.

    Example::

        [no_pickle]            # 6x4x4 -> 6x4x4
    """

    def lower(self, *inputs: Shape) -> nn.Module:
        return Unpickled()

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class SecretView(Block, name="secret_view"):
    """Gives its input's memory, and does not say so.

    Example::

        [secret_view]          # 6x4x4 -> 96
    """

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "an image")
        return (volume(inputs[0]),)

    def inline(self, *names: str) -> str:
        return f"{names[0]}.flatten(1)"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class InPlace(Block, name="in_place"):
    """Its form in place computes something else.

    Example::

        [in_place]             # 6x4x4 -> 6x4x4
    """

    def inline(self, *names: str) -> str:
        return f"F.relu({names[0]})"

    def overwriting(self, name: str) -> str:
        return f"F.leaky_relu_({name}, 0.5)"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})


class Raising(Mixed, name="raising"):
    """Fails where it is asked for its cost.

    Parameters: `weight`.
    Example::

        [raising]              # 6x4x4 -> 6x4x4
    """

    def macs(self, *inputs: Shape) -> Size:
        raise TypeError("no cost")


class OddOnly(Mixed, name="odd_only"):
    """Counts its products for even heights alone.

    Parameters: `weight`.
    Example::

        [odd_only]             # 6x4x4 -> 6x4x4
    """

    def macs(self, *inputs: Shape) -> Size:
        channels, height, width = inputs[0]
        return height // 2 * 2 * width * channels * channels


class Ungated(nn.Module):
    """Is given a gate, and does not look at it."""

    def forward(self, x: Tensor, gate: Tensor | None = None) -> Tensor:
        return x.tanh()


class IgnoredRole(Block, name="ignored_role"):
    """Names a signal that changes nothing.

    Example::

        [ignored_role]         # 6x4x4, 6 -> 6x4x4
        gate = gates
    """

    roles: ClassVar[tuple[str, ...]] = ("gate",)

    gate: Reference | None = Field(None, description="a factor for each channel")

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})

    def lower(self, *inputs: Shape) -> nn.Module:
        return Ungated()


class Plain(Block, name="plain"):
    """Keeps its contract.

    Example::

        [plain]                # 6x4x4 -> 6x4x4
    """

    def inline(self, *names: str) -> str:
        return f"torch.tanh({names[0]})"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset({"output"})


class Scaling(nn.Module):
    """Changes what it is given."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x.mul_(1.5)
        return x + 1


class WritesInput(Mixed, name="writes_input"):
    """Changes a signal that others read as well.

    Example::

        [writes_input]         # 6x4x4 -> 6x4x4
    """

    def parameters(self, *inputs: Shape) -> int:
        return 0

    def lower(self, *inputs: Shape) -> nn.Module:
        return Scaling()


class Rows(nn.Module):
    """An image as a row."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2).contiguous()


class OtherAxes(Block, name="other_axes"):
    """Makes a row of an image, and calls its axes an image's.

    Example::

        [other_axes]           # 6x4x4 -> 16x6
    """

    by_sample: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "an image")
        channels, height, width = inputs[0]
        return (height * width, channels)

    def axes(self, *inputs: str) -> str:
        return "CHW"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()

    def lower(self, *inputs: Shape) -> nn.Module:
        return Rows()


# --- what only shows later, or elsewhere


class Apart(nn.Module):
    """Twice its input, and something that it should not do besides."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.asked = way, 0
        if way == "left behind":
            self.factor = torch.tensor([2.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.way == "left behind":
            return x * self.factor.to(x)
        if self.way == "wide":
            return x.float() * 2
        self.asked += 1
        return x * (2 if self.training else 1 + self.asked)


class Wide(Block, name="wide"):
    """Gives single precision whatever it is given.

    Example::

        [wide]              # 3x8x8 -> 3x8x8
    """

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def lower(self, *inputs: Shape) -> nn.Module:
        return Apart("wide")


class Counting(Block, name="counting"):
    """Gives other numbers each time it is asked.

    Example::

        [counting]              # 3x8x8 -> 3x8x8
    """

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def lower(self, *inputs: Shape) -> nn.Module:
        return Apart("counting")


class LeftBehind(Block, name="left_behind"):
    """Holds a tensor that does not move with it to a GPU.

    Example::

        [left_behind]              # 3x8x8 -> 3x8x8
    """

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def lower(self, *inputs: Shape) -> nn.Module:
        return Apart("left behind")


class Unforeseen(Block, name="unforeseen"):
    """Takes any signal for an image: its own Python error is all that is said of another.

    Example::

        [unforeseen]           # 6x4x4 -> 4x4x6
    """

    is_view: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        channels, height, width = inputs[0]
        return height, width, channels

    def inline(self, *names: str) -> str:
        return f"{names[0]}.movedim(1, 3)"

    def gradient_needs(self) -> frozenset[str]:
        return frozenset()


class Boundless(Mixed, name="boundless"):
    """Takes rows of tokens, too, which its module does not.

    Parameters: `weight`.
    Example::

        [boundless]            # 6x4x4 -> 6x4x4
    """

    def shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) not in (2, 3):
            expect_rank(inputs[0], 3, "an image")
        return inputs[0]


class Seeds(nn.Module):
    """Adds what it draws when it is made."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.weight = nn.Parameter(torch.randn(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class SeedsInit(Block, name="seeds_init"):
    """Starts from numbers for which it seeds all chance.

    Shapes: C×H×W -> C×H×W.
    Parameters: `weight`.
    Example::

        [seeds_init]           # 3x8x8 -> 3x8x8
    """

    by_sample: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    def shape(self, *inputs: Shape) -> Shape:
        expect_rank(inputs[0], 3, "C×H×W")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> Size:
        return inputs[0][0]

    def lower(self, *inputs: Shape) -> nn.Module:
        return Seeds(int(inputs[0][0]))
