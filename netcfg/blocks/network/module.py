"""Any module that somebody has written, by its import path."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block, Mistake, ShapeError
from netcfg.blocks.constructors import (
    Argument,
    Imported,
    described,
    find_class,
    find_object,
    mistakes,
    read_argument,
)
from netcfg.blocks.made import Made, made
from netcfg.blocks.measured import Figures, Measurer, Record, key_of, record
from netcfg.shapes import Shape, Size

if TYPE_CHECKING:
    from torch import nn


class Module(Block, name="module"):
    """Computes with any class of `nn.Module`, by its import path; no Python file is needed.

    The other keys are its constructor's arguments: numbers, booleans, texts, comma lists, and the import paths of
    classes and functions (`activation = torch.nn.GELU`), checked against its signature. What it gives and costs is
    found by running it once, without numbers, and kept in netcfg's cache (`$NETCFG_CACHE`, else where the system has
    such things), so that a check needs torch only the first time. Of several results each is a port: by its name, or
    by its number from 0.
    Shapes: as its `forward` gives them, for a batch of the signals of `from`.
    Parameters: as in the module, `fc1.weight` …
    Example::

        [module]               # 8x4x4 -> 8x4x4
        class = torchvision.ops.SqueezeExcitation
        input_channels = 8
        squeeze_channels = 4
    """

    input_count: ClassVar[int | None] = None
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    takes_further: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"further"})

    path: str = Field(alias="class", description="its import path: `package.module.Class`")
    further: tuple[tuple[str, str], ...] = Field(
        (), description="the constructor's arguments as they are written"
    )

    def options(self) -> dict[str, Any]:
        """With the arguments by their own keys."""
        own = super().options()
        own.pop("further", None)
        return own | dict(self.further)

    def further_mistakes(self) -> Iterator[Mistake]:
        """No such class, or arguments that it does not take."""
        found = self._signature
        if "error" in found:
            yield Mistake("class", found["error"], found["help"], "NC105", of_value=True)
            return
        yield from mistakes(self.path, self._arguments, found["others"], dict(self.further))

    @property
    def _package(self) -> str:
        return self.path.partition(".")[0]

    @property
    def _signature(self) -> dict[str, Any]:
        kept = record(key_of(self._package, "class", self.path))
        found: dict[str, Any] = kept.get(
            "signature", lambda: described(self.path), keeps=lambda one: "error" not in one
        )
        return found

    @property
    def _arguments(self) -> dict[str, Argument]:
        taken = self._signature["arguments"]
        return {key: Argument(tuple(one["types"]), one["required"]) for key, one in taken.items()}

    def _values(self) -> dict[str, Any]:
        """The arguments, read."""
        taken = self._arguments
        any_other = Argument(("any",), False)
        read = {key: read_argument(text, taken.get(key, any_other).types) for key, text in self.further}
        return {
            key: find_object(value.path) if isinstance(value, Imported) else value
            for key, value in read.items()
        }

    @property
    def _record(self) -> Record:
        return record(key_of(self._package, "module", self.path, sorted(self.further)))

    def _figures(self, *inputs: Shape) -> Figures:
        return Measurer(self._record, self._build, f"`{self.path}`").figures(inputs)

    def _build(self) -> "nn.Module":
        return find_class(self.path)(**self._values())

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """As it gave them when it ran."""
        outputs = self._figures(*inputs).outputs
        if not outputs:
            raise ShapeError("gives nothing", argument=None)
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """Its first input's, which counts where it gives as many sizes."""
        return inputs[0] if inputs else ""

    def parameters(self, *inputs: Shape) -> int:
        """All of them."""
        return self._figures(*inputs).parameters

    def frozen_parameters(self, *inputs: Shape) -> int:
        """Those that ask for no gradient."""
        return self._figures(*inputs).frozen

    def macs(self, *inputs: Shape) -> Size:
        """As PyTorch counts them."""
        return self._figures(*inputs).macs

    def kept(self, *inputs: Shape) -> Size:
        """What backward kept of it."""
        return self._figures(*inputs).kept

    def scratch(self, *inputs: Shape) -> Size:
        """What lived while it ran."""
        return self._figures(*inputs).scratch

    def reach(self, *inputs: Shape) -> None:
        """Not known."""
        return None

    def lower(self, *inputs: Shape) -> Made:
        """The call of its class."""
        if isinstance(self.shape(*inputs), dict):
            from netcfg.builder.measuring import by_port

            return made(by_port, find_class(self.path), **self._values())
        return made(find_class(self.path), **self._values())

    def label(self) -> str:
        """The class."""
        return self.path.rpartition(".")[2]
