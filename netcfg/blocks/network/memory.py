"""Blocks that remember: what they give hangs on earlier batches."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from netcfg.axes import Kind
from netcfg.blocks.base import Block, ShapeError, expect_known
from netcfg.blocks.made import Made, made
from netcfg.shapes import Shape, Size, differ, show, volume

Share = Annotated[float, Field(ge=0, lt=1)]
Length = Annotated[int, Field(ge=1, le=16_777_216)]
_NO_PARAMETERS = frozenset({"weights", "weights_from", "layout", "adapt", "freeze", "shared_with"})


class Memory(Block):
    """What is written after a batch that has been trained on, and read as it was before it."""

    has_state: ClassVar[bool] = True
    stops_gradient: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = _NO_PARAMETERS

    def gradient_needs(self) -> frozenset[str]:
        """No gradient passes."""
        return frozenset()

    def reach(self, *inputs: Shape) -> None:
        """It sees other samples."""
        return None


class Queue(Memory, name="queue"):
    """The samples of the last batches in a row: keys to compare with, as MoCo has them.

    Read as it was before the batch; after it, in training, the batch takes the place of the oldest rows, those of all
    processes in order. A batch on which nothing reads it writes nothing. Vectors start at random with length 1.
    Shapes: features F -> rows (tokens) size×F; one number -> size. The same for all samples.
    Parameters: as buffers `rows` (size×F), `place`.
    Source: He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", 2020.
    Example::

        [queue]                # 8 -> 64x8
        size = 64
    """

    takes: ClassVar[tuple[str, ...]] = ("F",)

    size: Length = Field(description="how many rows it has")

    def shape(self, *inputs: Shape) -> Shape:
        """A row for each."""
        if len(inputs[0]) > 1:
            raise ShapeError(f"keeps vectors, and is given {show(inputs[0])}")
        return (self.size, *inputs[0])

    def axes(self, *inputs: str) -> str:
        """Rows are tokens."""
        return "L" + inputs[0]

    def is_shared(self, *inputs: bool) -> bool:
        """The same for all samples."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """What keeps them."""
        from netcfg.builder.modules.memory import Queue as Module

        return made(Module, self.size, _sizes(inputs[0]))

    def scratch(self, *inputs: Shape) -> Size:
        """Nothing for each sample: it is there once."""
        return 0

    def label(self) -> str:
        """How many."""
        return f"{self.size:,} rows"


class RunningMean(Memory, name="running_mean"):
    """The mean over samples, averaged over batches: DINO's centre, for instance.

    mean = momentum · mean + (1 - momentum) · mean of the batch, in training, over all processes; it begins at 0.
    `read = before` gives it as it was before the batch, `after` with the batch.
    Shapes: any -> the same sizes, the same for all samples.
    Parameters: a buffer `mean`.
    Source: Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021, equation 4.
    Example::

        [running_mean]         # 8 -> 8
        momentum = 0.9
    """

    momentum: Share = Field(description="how much of it stays at each batch")
    read: Literal["before", "after"] = Field("before", description="without this batch, or with it")

    def is_shared(self, *inputs: bool) -> bool:
        """The same for all samples."""
        return True

    def lower(self, *inputs: Shape) -> Made:
        """What keeps it."""
        from netcfg.builder.modules.memory import RunningMean as Module

        return made(Module, _sizes(inputs[0]), self.momentum, self.read)

    def scratch(self, *inputs: Shape) -> Size:
        """Nothing for each sample."""
        return 0

    def label(self) -> str:
        """How fast."""
        return f"momentum {self.momentum:g}" + (", with this batch" if self.read == "after" else "")


class Pool(Memory, name="pool"):
    """Old samples in the place of new ones, so that a critic does not forget what was made before.

    Samples are stored and passed on until there are `size`. Then each is, with even odds, passed on, or takes the place
    of a stored one, drawn at random, which is passed on instead. In evaluation all are passed on. Processes that train
    as one have one pool, and draw for the batch of all of them as one process would.
    Shapes: any, unchanged.
    Parameters: as buffers `samples` (size×…), `count`.
    Source: CycleGAN's `ImagePool`, after Shrivastava et al., 2017.
    Example::

        [pool]                 # 3x4x4 -> 3x4x4
        size = 50
    """

    only_trains: ClassVar[bool] = True

    size: Length = Field(50, description="how many samples it holds")

    def is_shared(self, *inputs: bool) -> bool:
        """Each sample has its own."""
        return False

    def lower(self, *inputs: Shape) -> Made:
        """What keeps them."""
        from netcfg.builder.modules.memory import Pool as Module

        return made(Module, self.size, _sizes(inputs[0]))

    def scratch(self, *inputs: Shape) -> Size:
        """Those that are stored, as many as are given; and a few numbers for each."""
        return volume(inputs[0]) * 3 + 16

    def label(self) -> str:
        """How many."""
        return f"{self.size:,} samples"


class VectorQuantise(Block, name="vector_quantise"):
    """The nearest of some vectors, the codes, in the place of each vector; gradients pass as if it were the same.

    Ports: `value`; `index`, which code it is (a class); `error`, to be minimised, one number a sample; `perplexity`,
    how many codes the batch uses evenly. With `update = moving_average` codes are means of the vectors nearest to them,
    moved after each batch of training, and error = commitment · mean of (x - code)². With `gradient` they are
    parameters, and the mean of (code - x)² is added, through which they learn.
    Shapes: channels×height×width or tokens×features, a vector at each place, or features: value unchanged, index a
    class at each place.
    Parameters: `weight` (codes×features), with a moving average a buffer, beside `count` (codes) and `total`.
    Source: van den Oord et al., "Neural Discrete Representation Learning", 2017, equation 3 and appendix A.1.
    Example::

        [vector_quantise]      # 8x4x4 -> 8x4x4
        codes = 32
    """

    has_state: ClassVar[bool] = True
    takes: ClassVar[tuple[str, ...]] = ("CHW", "LF", "TF", "F")
    unavailable: ClassVar[frozenset[str]] = frozenset({"weights_from", "layout", "adapt"})

    codes: Length = Field(description="how many vectors there are")
    update: Literal["moving_average", "gradient"] = Field("moving_average", description="how they learn")
    decay: Share | None = Field(
        None, description="`moving_average`: how much of a code stays; 0.99 by default"
    )
    commitment: Annotated[float, Field(ge=0)] = Field(
        0.25, description="how much it counts that vectors keep near their codes"
    )

    def conflict(self) -> str | None:
        """Only an average decays."""
        if self.decay is not None and self.update == "gradient":
            return "has a `decay` with `update = moving_average` alone"
        return None

    def _axis(self, *inputs: Shape) -> int:
        """Where the numbers of a vector lie, batch not counted."""
        return 0 if len(inputs[0]) in (1, 3) else len(inputs[0]) - 1

    def _features(self, *inputs: Shape) -> int:
        if not 1 <= len(inputs[0]) <= 3:
            raise ShapeError(
                f"needs vectors (F, L×F or C×H×W), and is given {show(inputs[0]) or 'one number'}"
            )
        return expect_known(inputs[0][self._axis(*inputs)], "how many numbers a code has")

    def shape(self, *inputs: Shape) -> dict[str, Shape]:
        """By port."""
        self._features(*inputs)
        axis = self._axis(*inputs)
        places = (*inputs[0][:axis], *inputs[0][axis + 1 :])
        return {"value": inputs[0], "index": places, "error": (), "perplexity": ()}

    def axes(self, *inputs: str) -> dict[str, str]:
        """By port."""
        places = inputs[0].replace("C", "").replace("F", "")
        return {"value": inputs[0], "index": places, "error": "", "perplexity": ""}

    def kind(self, *inputs: Kind) -> dict[str, Kind]:
        """A code's number is a class."""
        return {"value": "number", "index": "class", "error": "number", "perplexity": "number"}

    def is_shared(self, *inputs: bool) -> bool:
        """Each sample has its own."""
        return False

    def parameters(self, *inputs: Shape) -> int:
        """The codes, where they are learned by gradient."""
        return self.codes * self._features(*inputs) if self.update == "gradient" else 0

    def macs(self, *inputs: Shape) -> Size:
        """The product of each vector with each code."""
        return volume(inputs[0]) * self.codes

    def lower(self, *inputs: Shape) -> Made:
        """What looks them up."""
        from netcfg.builder.modules.memory import VectorQuantise as Module

        decay = None if self.update == "gradient" else 0.99 if self.decay is None else self.decay
        axis = self._axis(*inputs) + 1
        return made(
            Module, self.codes, self._features(*inputs), axis, decay=decay, commitment=self.commitment
        )

    def kept(self, *inputs: Shape) -> Size:
        """The codes; to learn them, once more."""
        return volume(inputs[0]) * (2 if self.update == "gradient" else 1)

    def scratch(self, *inputs: Shape) -> Size:
        """How far each place is from each code."""
        return volume(inputs[0]) * 4 + volume(self.shape(*inputs)["index"]) * (3 * self.codes + 4)

    def reach(self, *inputs: Shape) -> None:
        """The same place, and the codes, which all have made."""
        return None

    def label(self) -> str:
        """How many, and how they learn."""
        return f"{self.codes:,} codes" + (", by gradient" if self.update == "gradient" else "")


class Similarity(Block, name="similarity"):
    """How alike a vector is to each row of a table: their dot products; of vectors of length 1, cosines.

    Shapes: features F and rows L×F, a sample's own or the same for all -> L features.
    Source: PyTorch's `linear` without a bias.
    Example::

        [similarity]           # 8, 64x8 -> 64
        from = -1, -1
    """

    by_sample: ClassVar[bool] = True
    family: ClassVar[str] = "combination"
    input_count: ClassVar[int | None] = 2
    unavailable: ClassVar[frozenset[str]] = _NO_PARAMETERS

    def shape(self, *inputs: Shape) -> Shape:
        """A number for each row."""
        vector, rows = inputs
        if len(vector) != 1:
            raise ShapeError(f"needs a vector first, and is given {show(vector) or 'one number'}", argument=0)
        if len(rows) != 2 or differ(rows[1], vector[0]):
            raise ShapeError(
                f"needs rows of {vector[0]} features second, and is given {show(rows) or 'one number'}",
                argument=1,
            )
        return (rows[0],)

    def axes(self, *inputs: str) -> str:
        """Features."""
        return "F"

    def is_shared(self, *inputs: bool) -> bool:
        """As both are."""
        return all(inputs)

    def macs(self, *inputs: Shape) -> Size:
        """The product with each row."""
        return volume(inputs[1])

    def lower(self, *inputs: Shape) -> Made:
        """The products."""
        from netcfg.builder.modules.memory import Similarity as Module

        return made(Module)

    def gradient_needs(self) -> frozenset[str]:
        """Both."""
        return frozenset({"input"})

    def overwritable(self) -> bool:
        """Its gradient does not need its output."""
        return True

    def reach(self, *inputs: Shape) -> None:
        """It has no places."""
        return None


def _sizes(shape: Shape) -> tuple[int, ...]:
    return tuple(expect_known(size, "how much it has to keep") for size in shape)
