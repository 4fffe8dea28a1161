"""What a block is: a section of a network, with its shape, cost and lowering beside its options.

Everything about a block type stands in one class. `check` and its kin only ever validate options and ask for
shapes and costs; `lower` alone may import torch, and only inside its body.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import Field

from netcfg.axes import Kind, axes_in_words, kind_in_words
from netcfg.blocks.refusals import AxesError, ShapeError, expect_known, expect_rank
from netcfg.blocks.registry import Group
from netcfg.blocks.section import Mistake, Section
from netcfg.blocks.values import Reference, split_list
from netcfg.blocks.windows import Reach, window, window_arithmetic
from netcfg.shapes import Shape, Size, known, show, volume

if TYPE_CHECKING:
    from torch import nn

    from netcfg.blocks.made import Made

MAX_CHANNELS = 1_048_576
MAX_KERNEL = 4_096

Count = Annotated[int, Field(gt=0, le=MAX_CHANNELS)]
Kernel = Annotated[int, Field(gt=0, le=MAX_KERNEL)]
References = tuple[Reference, ...]
Adapt = Literal["strict", "tile", "tile_map", "skip"]
ADAPT = (
    "weights of another shape: refuse; repeat along the inputs; repeat along the sides of the map that the inputs "
    "are; or leave out"
)

POINTWISE_FAMILIES = frozenset({"activation", "normalisation", "regularisation", "combination", "routing"})
"""Blocks of these families that leave an image's size as it is work place by place; statistics do not count."""

Given = TypeVar("Given")


class Block(Section):
    """A section of a network: takes signals, gives signals.

    A subclass states its options as fields, and overrides `shape`, `parameters` and `macs`, and one of
    `lower` (an `nn.Module`) or `inline` (an expression, for blocks without parameters or state).

    Methods over `*inputs` get something of each signal that it reads: first of those that `from` names, then of those
    of the `roles` that are written, in the order in which the class lists them. A role that is not written has no
    place among them: `main(inputs)` are those of `from`, `of_role("mask", inputs)` that of a role, or None. A module
    is called with the signals of `from`, and with each role's by its name: `forward(x, mask=None)`.
    """

    group: ClassVar[Group] = "network"
    family: ClassVar[str] = "routing"
    reference_option: ClassVar[str] = "from"
    """Which option names the blocks this one reads."""
    requires_references: ClassVar[bool] = False
    """Whether that option (or `from`) must be written: what reads several signals has no block before to read."""
    input_count: ClassVar[int | None] = 1
    """How many signals it reads; None for one or more."""
    stops_gradient: ClassVar[bool] = False
    """Whether no gradient passes through it."""
    takes: ClassVar[tuple[str, ...]] = ()
    """The axes that its inputs may have, each a text like `CHW` (see `netcfg.axes`); () is any."""
    takes_kinds: ClassVar[tuple[Kind, ...]] = ("number", "truth")
    """What its inputs may hold, first what a message calls it; yes and no count as 1 and 0."""
    roles: ClassVar[tuple[str, ...]] = ()
    """Further options that name a signal each (`mask: Reference | None`), in the order in which these follow those of
    `from`: see `of_role`."""
    joins_box: ClassVar[bool] = False
    """Whether a diagram writes it into the box of the block before it."""
    by_sample: ClassVar[bool] = False
    """Whether what it makes of a sample depends on no other sample of the batch, nor on chance; with options on which
    that hangs, it says so in `depends_on_batch`."""
    each_place: ClassVar[bool] = False
    """Whether it computes each frame or token by itself. What does not is given samples of other lengths without their
    padding; see `is_each_place`."""
    is_view: ClassVar[bool] = False
    """Whether its output is its input's own memory, seen in another way."""
    has_state: ClassVar[bool] = False
    """Whether it remembers from batch to batch: its module is a `netcfg.builder.modules.memory.Remembering`."""
    only_in_model: ClassVar[bool] = False
    """Whether it stands in {Model} alone."""
    only_trains: ClassVar[bool] = False
    """Whether it gives its input itself, except in training."""

    from_: References | None = Field(
        None, alias="from", description="the block(s) it reads; the one before by default"
    )
    repeat: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        None, description="how many times in a row, with fresh parameters each time; 0 leaves it out"
    )
    weights: str | None = Field(None, description="start from a file of weights, or `imagenet`")
    weights_from: str | None = Field(
        None,
        description="its name in a file of weights, where that is another; in a template, below its use's",
    )
    layout: str | None = Field(None, description="whose parameter names that file has")
    adapt: Adapt = Field("strict", description=ADAPT)
    freeze: bool = Field(False, description="keep its parameters as they start")
    shared_with: Reference | None = Field(
        None, description="use the parameters of that earlier block, which is of the same kind"
    )

    @classmethod
    def common_options(cls) -> frozenset[str]:
        """Those of `Block`."""
        return frozenset(Block.model_fields)

    @classmethod
    def must_name(cls, key: str) -> bool:
        """Whether this option names what it reads, and cannot do without."""
        reads_several = cls.input_count is not None and cls.input_count > 1
        return (cls.requires_references or reads_several) and key in (
            cls.reference_option,
            f"{cls.reference_option}_",
        )

    def references(self) -> References | None:
        """The blocks it names as its inputs; None for the one before."""
        if self.reference_option == "from":
            return self.from_
        named: References | None = getattr(self, self.reference_option)
        return self.from_ if named is None else named

    def reference_items(self, text: str) -> list[str]:
        """The parts of the text of `reference_option` in which its references stand, one each."""
        return split_list(text)

    def written_roles(self) -> tuple[str, ...]:
        """The roles that name a signal, in order."""
        return tuple(role for role in self.roles if getattr(self, role) is not None)

    def main(self, inputs: Sequence[Given]) -> Sequence[Given]:
        """Of what stands for its inputs, what stands for those of `from`."""
        return inputs[: len(inputs) - len(self.written_roles())] if self.roles else inputs

    def of_role(self, role: str, inputs: Sequence[Given]) -> Given | None:
        """Of what stands for its inputs, what stands for that of a role; None where the role is not written."""
        written = self.written_roles()
        return inputs[len(inputs) - len(written) + written.index(role)] if role in written else None

    def gradient_reaches(self, count: int) -> frozenset[int]:
        """Of so many signals that it reads, the places of those to which a gradient comes back through it."""
        return frozenset(() if self.stops_gradient else range(count))

    def call(self, *names: str) -> str:
        """The arguments of a call of its module, in Python, over the names of its inputs: `x, mask=y`."""
        if not self.roles:
            return ", ".join(names)
        roles = ((role, self.of_role(role, names)) for role in self.written_roles())
        return ", ".join([*self.main(names), *(f"{role}={name}" for role, name in roles)])

    def expect(self, axes: Sequence[str], kinds: Sequence[Kind]) -> None:
        """Refuse, by an `AxesError`, inputs (those of `from`) of other axes or kinds than it takes.

        Axes that nobody said pass: `shape` judges them by their number.
        """
        for argument, kind in enumerate(self.main(kinds)):
            if kind not in self.takes_kinds:
                raise AxesError(kind_in_words(self.takes_kinds[0]), kind_in_words(kind), argument)
        if self.takes:
            for argument, given in enumerate(self.main(axes)):
                if given and given not in self.takes:
                    raise AxesError(
                        " or ".join(map(axes_in_words, self.takes)), axes_in_words(given), argument
                    )

    def placed(self, *axes: str | None) -> Self:
        """The block where its inputs have these axes (None: nobody said); another one where it computes by them.

        Such a block is a `netcfg.blocks.meeting.ByAxes`.
        """
        return self

    def holding(self, *kinds: Kind) -> Self:
        """The block where its inputs hold these kinds; another one where it computes by them."""
        return self

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """The shape it gives (or, with several ports, the shapes by port) for the shapes it takes.

        Raises `ShapeError`, with the arithmetic, where it cannot take them.
        """
        return inputs[0]

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """The axes of what it gives (by port, with several) for those of what it takes; "" where nobody knows.

        By default its input's, which counts only where it gives as many sizes as it is given.
        """
        return inputs[0] if inputs else ""

    def kind(self, *inputs: Kind) -> Kind | dict[str, Kind]:
        """What it gives holds (by port, where these differ): numbers, unless it says otherwise."""
        return "number"

    def is_shared(self, *inputs: bool) -> bool:
        """Whether what it gives is the same for all samples: as all that it reads, if anything."""
        return bool(inputs) and all(inputs)

    def depends_on_batch(self) -> bool:
        """Whether what it makes of a sample may hang on the others of its batch, or on chance."""
        return not self.by_sample

    def is_each_place(self) -> bool:
        """Whether what it makes of a frame or token depends on no other of the sample, nor on how many there are."""
        return self.each_place

    def takes_batch_statistics(self) -> bool:
        """Whether it counts over the batch in training."""
        return False

    def normalises_places(self) -> bool:
        """Whether that is all it does: frames and tokens are then samples to it, and padding is left out."""
        return False

    def needs_batch(self) -> bool:
        """Whether its module is also given, after its inputs, any signal of the batch: how many samples there are."""
        return False

    def draws_each_phase(self) -> bool:
        """Whether chance gives it another value in each phase of a batch; else it has one for all of them."""
        return False

    def weights_file(self) -> str | None:
        """The file of weights that it starts from by an option of its own, where `weights` says nothing."""
        return None

    def arithmetic(self, *inputs: Shape) -> str:
        """How its shape comes about, in numbers, where that is not plain to see; for error messages."""
        return ""

    def parameters(self, *inputs: Shape) -> int:
        """How many numbers it learns or loads."""
        return 0

    def frozen_parameters(self, *inputs: Shape) -> int:
        """How many of these it keeps fixed by its own options (`freeze` counts by itself)."""
        return 0

    def macs(self, *inputs: Shape) -> Size:
        """Multiply-accumulates for one sample; additions, comparisons and activations count as none."""
        return 0

    def scratch(self, *inputs: Shape) -> Size:
        """Numbers that it makes beside its output and lets go of, at most at once, for one sample."""
        return 0

    def kept(self, *inputs: Shape) -> Size:
        """Numbers beside its input and output that its gradient needs, for one sample."""
        return 0

    def gradient_needs(self) -> frozenset[str]:
        """What its gradient needs of `input` and `output`; both where a block does not know better."""
        return frozenset({"input", "output"})

    def reach(self, *inputs: Shape) -> Reach | None:
        """The stretch of its input that one place of its output sees, along height and width.

        By default the same place where a function of every place leaves the size as it is; None where that cannot be
        said. A block with a window says `Reach.of_window`.
        """
        made = self.shape(*inputs) if self.family in POINTWISE_FAMILIES else None
        keeps_size = isinstance(made, tuple) and all(shape[1:] == made[1:] for shape in inputs)
        return Reach() if keeps_size else None

    def uses_statistics(self) -> bool:
        """Whether it counts with means over a sample's places, which is no seeing in the sense of `reach`."""
        return self.family == "normalisation"

    def lower(self, *inputs: Shape) -> "Made | nn.Module":
        """The module that computes it, called with its inputs in order: mostly `made(Class, …)`, a call described."""
        raise NotImplementedError(f"[{self.type_name}] has no lowering")

    def owns_tensor(self) -> bool:
        """Whether what it has is one tensor under its own path, as PyTorch's networks have class tokens, instead of a
        module with parameters below it. `lower` then makes a module with that tensor as `value`, which is moved to
        the path, and `inline` is given it after its inputs.
        """
        return False

    def inline(self, *names: str) -> str | None:
        """Python source for a block that needs no module, over the given variable names.

        May use `torch` and `F` (`torch.nn.functional`). None: the block is lowered to a module.
        """
        return None

    def overwriting(self, name: str) -> str | None:
        """Like `inline`, but allowed to overwrite its input; None where it would gain nothing."""
        return None

    def overwritable(self) -> bool:
        """Whether its output may be overwritten: nobody else holds it and its own gradient does not need it."""
        return False

    def drawn(self) -> str:
        """What its box in a picture says: the same as the label, and more where boxes have room for it."""
        return self.label()

    def label(self) -> str:
        """The options that matter, in a few characters, for diagrams and summaries."""
        return ""


__all__ = [
    "ADAPT", "MAX_CHANNELS", "Adapt", "AxesError", "Block", "Count", "Group", "Kernel", "Mistake", "Reach",
    "Reference", "References", "Section", "Shape", "ShapeError", "expect_known", "expect_rank", "known", "show",
    "volume", "window", "window_arithmetic",
]  # fmt: skip
