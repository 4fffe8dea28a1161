"""Pictures compared by what a network that knows pictures sees in them."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import compare
from netcfg.blocks.losses.comparing import Comparing
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import nn

_CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""How many a stage has; a stage halves the picture before it, but for the first."""


class Perceptual(Comparing, name="perceptual"):
    """The distance of two pictures in the features of torchvision's VGG, which stays as it is: alike in kind.

    The mean over the numbers of each of `layers`, added up; `relu3_2` is the second convolution of the third stage.
    `weights = imagenet` are torchvision's, which it keeps in its cache and fetches where they are not there yet; or a
    file of its `vgg16`. Pictures of one channel are taken as grey. Mask and weights by sample.
    Shapes: equal ones, 3×H×W or 1×H×W.
    Source: Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016.
    Example::

        [perceptual]
        input = Decoder
        target = image
        layers = relu1_2, relu2_2
        weights = random
    """

    takes_number: ClassVar[bool] = False
    unavailable: ClassVar[frozenset[str]] = frozenset({"channels", "ignore"})

    network: Literal["vgg16", "vgg19"] = Option("vgg16", description="whose features")
    layers: tuple[str, ...] = Option(
        ("relu1_2", "relu2_2", "relu3_3"),
        description="after which activations: stage and convolution, from 1",
    )
    weights: str = Option(description="`imagenet`, a file, or `random`: from one seed, which see less")
    distance: Literal["mse", "l1"] = Option("mse", description="between features: squares, or sizes")
    values: Literal["unit", "signed", "imagenet"] = Option(
        "unit", description="pictures are from 0 to 1, from -1 to 1, or normalised as ImageNet's already"
    )

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Layers that the network does not have."""
        found = super().mistakes()
        counts = _CONVOLUTIONS[self.network]
        known = [f"relu{stage}_{one}" for stage, many in enumerate(counts, 1) for one in range(1, many + 1)]
        for layer in self.layers:
            if layer not in known:
                help = f"{known[0]} to {known[-1]}: stages of {', '.join(map(str, counts))} convolutions"
                found["layers"] = ("NC105", f"{self.network} has no layer `{layer}`", help)
        return found

    @property
    def stages(self) -> int:
        """How many stages it computes."""
        return max(int(layer.removeprefix("relu").partition("_")[0]) for layer in self.layers)

    def places(self, input: Shape, target: Shape | None, classes: int | None) -> Shape:
        """One number for each sample."""
        if len(input) != 3 or input[0] not in (1, 3):
            raise ShapeError(
                f"compares pictures of 1 or 3 channels, and `{self.input}` gives {show(input) or 'one number'}",
                code="NC402",
            )
        compare("values", input, target)
        least = 2 ** (self.stages - 1)
        if any(isinstance(size, int) and size < least for size in input[1:]):
            raise ShapeError(
                f"halves pictures {self.stages - 1} times, and `{self.input}` gives {show(input)}",
                code="NC402",
                option="layers",
                help="layers of earlier stages, or larger pictures",
            )
        return ()

    def lower(self) -> "nn.Module":
        """The module `(pictures, pictures) -> scalar`."""
        from netcfg.builder.modules.losses.perceptual import Perceptual as Module
        from netcfg.builder.perception import state_of

        state = state_of(self.network, self.weights, self.written_at)
        return Module(self.network, self.layers, self.distance, self.values, state, **self.shared())
