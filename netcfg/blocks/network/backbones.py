"""Published networks as single blocks, cut where a file says."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field

from netcfg.blocks.base import Block, Count, Reach, ShapeError, expect_rank, window
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape, Size, at, show, volume


class _Convolution(NamedTuple):
    """One convolution of a backbone, for counting: what it is given and gives."""

    channels: int
    filters: int
    kernel: int
    stride: int
    pad: int
    has_bias: bool

    def parameters(self) -> int:
        """Weights, and a bias or (in ResNets) a scale and shift."""
        return self.filters * (self.channels * self.kernel**2 + (1 if self.has_bias else 2))

    def shape(self, shape: Shape) -> Shape:
        _, height, width = shape
        return (
            self.filters,
            window(height, self.kernel, self.stride, self.pad, "height"),
            window(width, self.kernel, self.stride, self.pad, "width"),
        )

    def macs(self, shape: Shape) -> Size:
        _, height, width = self.shape(shape)
        return height * width * (self.channels * self.filters * self.kernel**2)

    def reach(self) -> Reach:
        """Its window."""
        return Reach(self.kernel, Fraction(self.stride), Fraction(self.pad))


_POOL3 = Reach(3, Fraction(2), Fraction(1))
_POOL2 = Reach(2, Fraction(2))


class _Made(NamedTuple):
    """What layer number `layer` of a backbone makes: so many numbers, and `beside` times as many for its gradient."""

    layer: int
    numbers: Size
    beside: int = 0


def _kept(made: Iterable[_Made], frozen: int, output: Size) -> Size:
    """What gradients need of the layers that are not frozen, and what these are fed; without the output."""
    kept: Size = 0
    fed: Size = 0
    for layer, numbers, beside in made:
        if layer < frozen:
            fed = numbers
        else:
            kept = kept + numbers * (1 + beside)
    return kept + fed - output if kept != 0 else 0


def _largest(made: Iterable[_Made], times: int) -> Size:
    """So many times the largest signal; where sizes are unknown, the one that is the largest of large images."""
    return times * max((one.numbers for one in made), key=_of_large_images, default=0)


def _of_large_images(numbers: Size) -> int:
    return at(numbers, defaultdict(lambda: 4096))


_RESNET50_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
_RESNET50_CHANNELS = (64, 64, 64, 64, 256, 512, 1024, 2048, 2048)


def _bottleneck_stage(channels: int, width: int, units: int, stride: int) -> Iterator[list[_Convolution]]:
    """The units of a stage, each a list of convolutions: three in a row, then the shortcut's, if any."""
    for unit in range(units):
        step = stride if unit == 0 else 1
        convolutions = [
            _Convolution(channels, width, 1, 1, 0, False),
            _Convolution(width, width, 3, step, 1, False),
            _Convolution(width, 4 * width, 1, 1, 0, False),
        ]
        if unit == 0:
            # Only here do channels or sizes change. The step is in the 3×3, as torchvision has it, not in the
            # first 1×1.
            convolutions.append(_Convolution(channels, 4 * width, 1, step, 0, False))
        yield convolutions
        channels = 4 * width


class ResNet50(Block, name="resnet50"):
    """The first children of torchvision's ResNet-50, up to and without number `end_at_layer`.

    Children: 0 conv1, 1 bn1, 2 relu, 3 maxpool, 4-7 layer1-layer4, 8 avgpool. Starts from ImageNet weights when
    it is trained, unless `weights` says otherwise (`None`: random).
    Shapes: 3×H×W -> n_out_filters×H'×W'; H' is about H/4 after layer1, then H/8, H/16, H/32.
    Parameters: by child number, as in the original's checkpoints: `0.weight`, `1.weight`, `4.0.conv1.weight`.
    Source: AUDetNet, README, `[resnet50]`; He et al., "Deep Residual Learning for Image Recognition", 2016.
    Example::

        [resnet50]             # 3x64x64 -> 512x8x8
        end_at_layer = 6
        freeze_first_n_layers = 5
        n_out_filters = 512
    """

    family: ClassVar[str] = "backbone"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    end_at_layer: Annotated[int, Field(ge=1, le=9)] = Field(description="how many children it takes")
    freeze_first_n_layers: Annotated[int, Field(ge=0, le=9)] = Field(
        0, description="children kept as they start"
    )
    n_out_filters: Count = Field(description="channels of the last child, checked")
    weights: str | None = Field(
        "imagenet", description="`imagenet`, a file of torchvision's layout, or `None`"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """n_out_filters×H'×W'."""
        return self._walk(inputs[0])[0]

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def parameters(self, *inputs: Shape) -> int:
        """Of the children taken."""
        return sum(self._child_parameters(child) for child in range(self.end_at_layer))

    def frozen_parameters(self, *inputs: Shape) -> int:
        """Of the first `freeze_first_n_layers` children."""
        return sum(
            self._child_parameters(child)
            for child in range(min(self.freeze_first_n_layers, self.end_at_layer))
        )

    def macs(self, *inputs: Shape) -> Size:
        """Of all convolutions taken."""
        return self._walk(inputs[0])[1]

    def reach(self, *inputs: Shape) -> Reach | None:
        """That of its main path, in which the shortcuts lie."""
        if self.end_at_layer == 9:
            return None
        # The stem's 7×7; what follows is each unit's main path.
        reach = Reach(7, Fraction(2), Fraction(3))
        reach = reach.then(_POOL3) if self.end_at_layer > 3 else reach
        for child in range(4, self.end_at_layer):
            for unit in self._units(child):
                for convolution in unit[:3]:
                    reach = reach.then(convolution.reach())
        return reach

    def kept(self, *inputs: Shape) -> Size:
        """What is normalised, and what the activations made, of children that are not frozen, but for its output."""
        return _kept(self._made(inputs[0]), self.freeze_first_n_layers, volume(self.shape(*inputs)))

    def scratch(self, *inputs: Shape) -> Size:
        """At most the largest signal inside before and after its normalisation, and one more."""
        return _largest(self._made(inputs[0]), 3)

    def _made(self, shape: Shape) -> Iterator[_Made]:
        stem = _Convolution(3, 64, 7, 2, 3, False)
        shape = stem.shape(shape)
        yield from (_Made(child, volume(shape)) for child in range(min(2, self.end_at_layer)))
        if self.end_at_layer > 3:
            shape = (64, window(shape[1], 3, 2, 1, "height"), window(shape[2], 3, 2, 1, "width"))
            # A pool also keeps where its largest numbers were: eight bytes each, as much as two numbers.
            yield _Made(3, volume(shape), 2)
        for child in range(4, min(self.end_at_layer, 8)):
            for unit in self._units(child):
                inner = shape
                for convolution in unit[:3]:
                    inner = convolution.shape(inner)
                    # A norm keeps what it was given, and the next convolution what the activation made of
                    # that.
                    yield from (_Made(child, volume(inner)) for _ in ("convolved", "normalised"))
                yield from (_Made(child, volume(shortcut.shape(shape))) for shortcut in unit[3:])
                shape = inner

    def _child_parameters(self, child: int) -> int:
        if child == 0:
            return 64 * 3 * 49
        if child == 1:
            return 128
        return sum(convolution.parameters() for unit in self._units(child) for convolution in unit)

    @staticmethod
    def _units(child: int) -> Iterator[list[_Convolution]]:
        if 4 <= child <= 7:
            width, units, stride = _RESNET50_STAGES[child - 4]
            yield from _bottleneck_stage(_RESNET50_CHANNELS[child - 1], width, units, stride)

    def _walk(self, shape: Shape) -> tuple[Shape, Size]:
        """The output shape and the multiply-accumulates up to it."""
        expect_rank(shape, 3, "an image (3×H×W)")
        if shape[0] != 3:
            raise ShapeError(f"takes an image of 3 channels, and is given {show(shape)}")
        self._check_filters()
        stem = _Convolution(3, 64, 7, 2, 3, False)
        macs = stem.macs(shape)
        shape = stem.shape(shape)
        if self.end_at_layer > 3:
            shape = (64, window(shape[1], 3, 2, 1, "height"), window(shape[2], 3, 2, 1, "width"))
        for child in range(4, self.end_at_layer):
            for unit in self._units(child):
                inner = shape
                for convolution in unit[:3]:
                    macs = macs + convolution.macs(inner)
                    inner = convolution.shape(inner)
                macs = macs + sum((shortcut.macs(shape) for shortcut in unit[3:]), 0)
                shape = inner
        if self.end_at_layer == 9:
            shape = (shape[0], 1, 1)
        return shape, macs

    def _check_filters(self) -> None:
        channels = _RESNET50_CHANNELS[self.end_at_layer - 1]
        if self.n_out_filters != channels:
            raise ShapeError(
                f"says `n_out_filters = {self.n_out_filters}`, and its first {self.end_at_layer} children give "
                f"{channels} channels",
                argument=None,
                option="n_out_filters",
                help=f"write `n_out_filters = {channels}`",
            )

    def lower(self, *inputs: Shape) -> Made:
        """Torchvision's children in a row."""
        from netcfg.builder.modules.backbones import resnet50_children

        return made(resnet50_children, self.end_at_layer, self.freeze_first_n_layers)

    def label(self) -> str:
        """Where it ends."""
        return f"to child {self.end_at_layer - 1}"


_VGG_WIDTHS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))


def vgg16_layers() -> list[tuple[str, _Convolution | None]]:
    """Name and, for convolutions, the sizes of VGG-16's 31 feature layers, in order."""
    layers: list[tuple[str, _Convolution | None]] = []
    channels = 3
    for stage, (width, count) in enumerate(_VGG_WIDTHS, 1):
        for number in range(1, count + 1):
            layers.append((f"conv{stage}_{number}", _Convolution(channels, width, 3, 1, 1, True)))
            layers.append((f"relu{stage}_{number}", None))
            channels = width
        layers.append((f"pool{stage}", None))
    return layers


class VggFace(Block, name="vgg-face"):
    """The convolutions of VGG-Face (VGG-16), conv1_1 to pool5, from a file of its weights.

    The file's fully connected layers (fc6, fc7, fc8) are left out. `freeze_first_n_layers` counts every layer,
    also ReLUs and pools.
    Shapes: 3×H×W -> 512×H/32×W/32 (each halving rounds down).
    Parameters: `conv1_1.weight`, `conv1_1.bias`, ….
    Source: AUDetNet, README, `[vgg-face]`; Parkhi, Vedaldi, Zisserman, "Deep Face Recognition", 2015.
    Example::

        [vgg-face]             # 3x64x64 -> 512x2x2
        state_dict_filepath = vgg_face_dag.pth
        freeze_first_n_layers = 10
    """

    family: ClassVar[str] = "backbone"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    state_dict_filepath: str = Field(description="the weights, read when the network is trained")
    freeze_first_n_layers: Annotated[int, Field(ge=0, le=31)] = Field(
        0, description="layers kept as they start"
    )

    def shape(self, *inputs: Shape) -> Shape:
        """512×H/32×W/32."""
        return self._walk(inputs[0])[0]

    def axes(self, *inputs: str) -> str:
        """An image's."""
        return "CHW"

    def weights_file(self) -> str:
        """The file of its own option."""
        return self.state_dict_filepath

    def parameters(self, *inputs: Shape) -> int:
        """Of all 13 convolutions."""
        return sum(layer.parameters() for _, layer in vgg16_layers() if layer)

    def frozen_parameters(self, *inputs: Shape) -> int:
        """Of the first layers."""
        return sum(layer.parameters() for _, layer in vgg16_layers()[: self.freeze_first_n_layers] if layer)

    def macs(self, *inputs: Shape) -> Size:
        """Of all convolutions."""
        return self._walk(inputs[0])[1]

    def _walk(self, shape: Shape) -> tuple[Shape, Size]:
        expect_rank(shape, 3, "an image (3×H×W)")
        if shape[0] != 3:
            raise ShapeError(f"takes an image of 3 channels, and is given {show(shape)}")
        macs: Size = 0
        for name, layer in vgg16_layers():
            if layer:
                macs = macs + layer.macs(shape)
                shape = layer.shape(shape)
            elif name.startswith("pool"):
                shape = (shape[0], window(shape[1], 2, 2, 0, "height"), window(shape[2], 2, 2, 0, "width"))
        return shape, macs

    def reach(self, *inputs: Shape) -> Reach:
        """That of its convolutions and pools."""
        reach = Reach()
        for name, layer in vgg16_layers():
            if layer or name.startswith("pool"):
                reach = reach.then(layer.reach() if layer else _POOL2)
        return reach

    def kept(self, *inputs: Shape) -> Size:
        """What each layer that is not frozen made, and where the largest numbers were, but for its output."""
        return _kept(self._made(inputs[0]), self.freeze_first_n_layers, volume(self.shape(*inputs)))

    def scratch(self, *inputs: Shape) -> Size:
        """At most the largest signal inside, twice."""
        return _largest(self._made(inputs[0]), 2)

    def _made(self, shape: Shape) -> Iterator[_Made]:
        for number, (name, layer) in enumerate(vgg16_layers()):
            if layer:
                shape = layer.shape(shape)
                yield _Made(number, volume(shape))
            elif name.startswith("pool"):
                shape = (shape[0], window(shape[1], 2, 2, 0, "height"), window(shape[2], 2, 2, 0, "width"))
                yield _Made(number, volume(shape), 2)

    def lower(self, *inputs: Shape) -> Made:
        """The layers under their published names."""
        from netcfg.builder.modules.backbones import vgg_face_features

        return made(
            vgg_face_features,
            [(name, layer and (layer.channels, layer.filters)) for name, layer in vgg16_layers()],
            self.freeze_first_n_layers,
        )

    def label(self) -> str:
        """How much of it is frozen."""
        return f"first {self.freeze_first_n_layers} frozen" if self.freeze_first_n_layers else ""
