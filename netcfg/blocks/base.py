"""What a section is: a schema for its options, its page, and, for blocks, shape, cost and lowering.

Everything about a block type stands in one class. `check` and its kin only ever validate options and ask for
shapes and costs; `lower` alone may import torch, and only inside its body.
"""

import inspect
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from netcfg.axes import Kind, axes_in_words, kind_in_words
from netcfg.blocks.registry import Group, register
from netcfg.blocks.values import Reader, Reference, describe_type, reader_of, show_value, split_list
from netcfg.shapes import Shape, Size, known, show, volume
from netcfg.source import Span

if TYPE_CHECKING:
    from torch import nn

    from netcfg.blocks.made import Made

MAX_CHANNELS = 1_048_576
MAX_KERNEL = 4_096
MAX_NAME = 255

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


class Reach(NamedTuple):
    """The window of an input that one place of an output sees: its size, the step to the next one, what is before it.

    The step is a fraction where the output is the larger one; the first window begins `pad` before the input.
    """

    size: int = 1
    step: Fraction = Fraction(1)
    pad: Fraction = Fraction(0)

    @classmethod
    def of_window(cls, size: int, stride: int, pad: int = 0, dilation: int = 1) -> "Reach":
        """Of a convolution or a pool."""
        return cls(dilation * (size - 1) + 1, Fraction(stride), Fraction(pad))

    def then(self, next: "Reach") -> "Reach":
        """Of two in a row."""
        size = math.ceil(self.size + (next.size - 1) * self.step)
        return Reach(size, self.step * next.step, self.pad + next.pad * self.step)


class ShapeError(Exception):
    """A block cannot take the shape it is given; `argument` says which of its inputs is to blame.

    `option` names the option to underline, where the mistake lies in one, and `item` a text in its value. `other` is
    the input that this one does not fit, the first by default.
    """

    def __init__(
        self,
        message: str,
        *,
        argument: int | None = 0,
        help: str | None = None,
        code: str = "NC301",
        option: str | None = None,
        item: str | None = None,
        other: int | None = 0,
    ) -> None:
        super().__init__(message)
        self.argument = argument
        self.other = other
        self.option = option
        self.item = item
        self.help = help
        self.code = code


class AxesError(ShapeError):
    """A block is given a signal of other axes, or of another kind, than it takes."""

    def __init__(self, takes: str, given: str, argument: int) -> None:
        super().__init__(
            f"takes {takes}, is given {given}",
            argument=argument,
            code="NC305",
            help="let it read another signal, or put a block before it that gives what it takes",
        )


class Mistake(NamedTuple):
    """What is wrong about a section, at one of its keys (at its header, without one), and what to do."""

    key: str | None
    message: str
    help: str | None = None
    code: str = "NC105"
    of_value: bool = False
    """Whether the key's value is to blame rather than the key."""


Given = TypeVar("Given")
_PLACE = "written at"  # no name that a field could have


class Section(BaseModel):
    """A checked section of a file. Subclasses are final: one class per section type, named in its header."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    group: ClassVar[Group]
    type_name: ClassVar[str]
    family: ClassVar[str] = ""
    unavailable: ClassVar[frozenset[str]] = frozenset()
    """Options of the base class that this section does not have."""
    takes_further: ClassVar[bool] = False
    """Whether it takes keys beside its options; a field `further` then holds them with their texts, as written, and
    `further_mistakes` says what is wrong with them."""

    name: str | None = Field(None, max_length=MAX_NAME, description="what others call it")

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.type_name = name

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if "name" in kwargs:
            register(cls)

    @property
    def written_at(self) -> Span | None:
        """Its header in the file; None for a section that was made in Python. It is no part of what a section is:
        two that say the same are equal wherever they stand.
        """
        place: Span | None = self.__dict__.get(_PLACE)
        return place

    def place(self, span: Span) -> None:
        """Take note of where it is written."""
        self.__dict__[_PLACE] = span

    @classmethod
    @cache
    def readers(cls) -> dict[str, Reader]:
        """How to read each option's text, by the option's key."""
        return {
            field.alias or key: reader_of(field.annotation)
            for key, field in cls.model_fields.items()
            if key not in cls.unavailable
        }

    @classmethod
    def required_options(cls) -> list[str]:
        """The keys that must be written."""
        return [field.alias or key for key, field in cls.model_fields.items() if field.is_required()]

    @classmethod
    def describe(cls) -> str:
        """The docstring: what the section is for, shapes, source, example."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def option_rows(cls) -> list[tuple[str, str, str, str]]:
        """Key, type, default (`required` where there is none) and meaning of every option, own ones first."""
        rows = []
        for key, field in cls.model_fields.items():
            if key in cls.unavailable:
                continue
            required = field.is_required() or (issubclass(cls, Block) and cls.must_name(key))
            default = "required" if required else show_value(field.get_default())
            limits = "".join(f", {_limit(bound)}" for bound in field.metadata if _limit(bound))
            rows.append(
                (
                    field.alias or key,
                    describe_type(field.annotation) + limits,
                    default,
                    field.description or "",
                    key in Block.model_fields,
                )
            )
        return [row[:4] for row in sorted(rows, key=lambda row: row[4])]

    def conflict(self) -> str | None:
        """What is wrong with the options taken together, as the rest of "`[block]` …"; None where nothing is."""
        return None

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """What is wrong with an option that its type does not tell: key -> (code, sentence, help)."""
        return {}

    def further_mistakes(self) -> Iterator[Mistake]:
        """What is wrong with the keys that it takes beside its options."""
        return iter(())

    def doubts(self) -> dict[str, tuple[str, str, str]]:
        """What is hardly meant, and yet can be done: as `mistakes`, each a warning."""
        return {}

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults, by key, in schema order."""
        return {
            field.alias or key: getattr(self, key)
            for key, field in type(self).model_fields.items()
            if getattr(self, key) != field.default
        }


def _limit(bound: Any) -> str:
    for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")):
        if hasattr(bound, attribute):
            return f"{sign} {getattr(bound, attribute)}"
    return ""


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
    is_view: ClassVar[bool] = False
    """Whether its output is its input's own memory, seen in another way."""
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

    def label(self) -> str:
        """The options that matter, in a few characters, for diagrams and summaries."""
        return ""


# --- arithmetic that several families share -------------------------------------------------------------------


def expect_rank(shape: Shape, rank: int, what: str, argument: int = 0) -> None:
    """Refuse a signal that is not an image (rank 3) or a vector (rank 1)."""
    if len(shape) != rank:
        remedy = "put a [flatten] or a [global_avgpool] before it" if rank == 1 else None
        raise ShapeError(f"needs {what}, and is given {show(shape)}", argument=argument, help=remedy)


def expect_known(size: Size, what: str) -> int:
    """The number a size must be before parameters can be made of it."""
    if isinstance(size, int):
        return size
    raise ShapeError(
        f"needs to know {what}, which is only known as `{size}`",
        code="NC303",
        help="give the network's input a height and a width",
    )


def window(size: Size, kernel: int, stride: int, pad: int, axis: str) -> Size:
    """How many windows fit along one axis: (size + 2·pad - kernel) // stride + 1.

    Raises `ShapeError` where not even one fits.
    """
    room = size + 2 * pad
    if isinstance(room, int) and room < kernel:
        sum = f"{size} + 2·{pad} = {room}" if pad else str(room)
        raise ShapeError(
            f"has a window of {kernel} that does not fit into the {axis} of {size}: {sum} < {kernel}",
            code="NC302",
            help=f"a window of at most {room}, or a larger input" if room > 0 else "a larger input",
        )
    return (room - kernel) // stride + 1


def window_arithmetic(shape: Shape, kernel: int, stride: int, pad: int) -> str:
    """How `window` comes to its height and width, in numbers."""
    rows = []
    for size, axis in zip(shape[1:], ("height", "width"), strict=True):
        rows.append(
            f"{axis} ({size} + 2·{pad} - {kernel}) // {stride} + 1 = {window(size, kernel, stride, pad, axis)}"
        )
    return ", ".join(dict.fromkeys(rows))


__all__ = [
    "MAX_CHANNELS", "AxesError", "Block", "Count", "Group", "Kernel", "Reach", "Reference",
    "References", "Section", "ShapeError", "expect_known", "expect_rank", "known", "show", "volume",
    "window", "window_arithmetic",
]  # fmt: skip
