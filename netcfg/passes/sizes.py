"""Sizes in options: what `$input.channels`, `$in.channels`, `$NAME.channels` and `$data.FIELD.classes` are at a block.

Requires: what stands above is placed, so that its shapes are known. A size that is not there, or that only a batch
tells, is an `ExpressionError` that says which was asked of which signal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from netcfg.axes import AXES, axes_in_words
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.net import Input
from netcfg.blocks.values import read_reference
from netcfg.folding import Over
from netcfg.graph import Signal
from netcfg.passes.drafts import NOTHING, Namespace, Wire
from netcfg.passes.expressions import SIZES, SizeError
from netcfg.passes.infer import Inference
from netcfg.passes.references import References
from netcfg.shapes import UNKNOWN, Shape, show
from netcfg.source import did_you_mean

Fields = Callable[[], Mapping[str, FieldSpec]]
"""The fields of the program's data, worked out when first asked for."""
BROKEN: Mapping[str, FieldSpec] = MappingProxyType({})
"""The fields of data in which something is wrong: what asks for them has nothing to add."""
_LETTERS = {name: letter for letter, name in AXES.items()}
_BY_RANK = {1: "F", 3: "CHW"}
"""What sizes count where nobody said: what blocks go by, too."""
_LENGTHS = ("L", "T", "W")


@dataclass(slots=True, eq=False, repr=False)
class Sizes:
    """The sizes known at one block: `names` are those of its body, `read` gives what the block itself reads."""

    names: Namespace
    inference: Inference
    fields: Fields
    read: Callable[[], Wire]
    over: tuple[Over, ...] = ()

    def __call__(self, name: str) -> str:
        """The size that `input.channels` asks for, as text."""
        of, _, size = name.rpartition(".")
        if size not in SIZES:
            help = did_you_mean(size, SIZES) or "one of " + ", ".join(f"`{known}`" for known in SIZES)
            raise SizeError(f"asks for the `{size}` of `{of}`, which is no size", help=help)
        if of.startswith("data."):
            return self._of_field(of.removeprefix("data."), size)
        signal = self._signal(of)
        if size == "classes":
            node = self.inference.nodes[signal.producer]
            classes = node.block.classes if node and isinstance(node.block, Input) else None
            if classes is None:
                raise SizeError(f"asks for the classes of `{of}`, which nobody has said", code="NC303")
            return str(classes)
        view = signal.seen(self.over)
        return _size(of, size, view.shape, view.axes)

    def _signal(self, of: str) -> Signal:
        wire = self._wire(of)
        signal = self.inference.signal(wire, None) if wire != NOTHING else None
        if signal is None or signal.shape == UNKNOWN:
            raise SizeError("", reported=True)
        return signal

    def _wire(self, of: str) -> Wire:
        if of == "in":
            return self.read()
        if of == "input" and "input" not in self.names.inputs:
            inputs = list(dict.fromkeys(self.names.inputs.values()))
            if len(inputs) != 1:
                help = " or ".join(f"`${name}.channels`" for name in self.names.inputs)
                raise SizeError(f"asks for a size of `input`, and there are {len(inputs)} inputs", help=help)
            return inputs[0]
        try:
            reference = read_reference(of)
        except ValueError:
            reference = None
        if reference is None or not References([]).is_known(reference, self.names):
            # The block that failed above may be the one that is meant.
            if self.names.has_unknown_names:
                raise SizeError("", reported=True)
            known = {**self.names.known, "input": None, "in": None}
            message = f"asks for a size of `{of}`, and there is no block or input of that name above"
            raise SizeError(message, code="NC201", help=did_you_mean(of, known))
        return References([]).wire(reference, self.names)

    def _of_field(self, field: str, size: str) -> str:
        fields = self.fields()
        if fields is BROKEN:
            raise SizeError("", reported=True)
        spec = fields.get(field)
        if spec is None:
            message = f"asks for the {size} of the data field `{field}`, which the data do not have"
            help = did_you_mean(field, fields) or (
                f"they have {', '.join(fields)}" if fields else "add {Data}"
            )
            raise SizeError(message, code="NC501", help=help)
        if size == "classes":
            if not spec.names or spec.kind not in ("class", "mask"):
                raise SizeError(
                    f"asks for the classes of `data.{field}`, which nobody has said", code="NC303"
                )
            return str(len(spec.names))
        return _size(f"data.{field}", size, spec.shape, spec.axes)


def _size(of: str, size: str, shape: Shape, axes: str) -> str:
    """One size of a signal as text; one that is not there, or not known yet, is an error."""
    axes = axes or _BY_RANK.get(len(shape), "")
    letters = _LENGTHS if size == "length" else (_LETTERS[size],)
    letter = next((letter for letter in letters if letter in axes), None)
    if letter is None:
        known = [AXES[one] for one in axes]
        what = (
            f"which is {axes_in_words(axes)}"
            if axes
            else f"and nobody has said what its {show(shape)} counts"
        )
        help = " or ".join(f"`${of}.{name}`" for name in known) or "say the `axes` of its [input]"
        if of == "input":
            help += f"; `$in.{size}` is of what this block reads"
        raise SizeError(f"asks for the {size} of `{of}`, {what}", code="NC305", help=help)
    found = shape[axes.index(letter)]
    if not isinstance(found, int):
        message = f"asks for the {size} of `{of}`, which is only known as `{found}`"
        raise SizeError(
            message, code="NC303", help=f"give the network's input a {AXES[letter]} that is a number"
        )
    return str(found)
