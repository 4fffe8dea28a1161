"""What stands in `{Model}`: the data fields it starts from, and networks used as blocks.

Neither is written as a section type of its own: a field is there because `{Data}` gives it, and a network's name
becomes a block type where the network is declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind, axes_in_words, kind_in_words
from netcfg.blocks.base import AxesError, Block, ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.shapes import Shape, Size, differ, show


class DataField(Block):
    """A field of the data, where a model begins."""

    type_name: ClassVar[str] = "input"
    family: ClassVar[str] = "input"
    input_count: ClassVar[int | None] = 0

    field: Any = Field(None, description="what the data say of it")

    @classmethod
    def of(cls, name: str, field: FieldSpec) -> DataField:
        """The field `name`, whose shape was checked when the data were."""
        return cls.model_construct(name=name, field=field)

    @property
    def spec(self) -> FieldSpec:
        """What the data say of it."""
        assert isinstance(self.field, FieldSpec)
        return self.field

    def shape(self, *inputs: Shape) -> Shape:
        """As the data give it."""
        return self.spec.shape

    def axes(self, *inputs: str) -> str:
        """Those of its kind of field."""
        return self.spec.axes

    def kind(self, *inputs: Kind) -> Kind:
        """That of its kind of field."""
        return self.spec.holds


class NetworkUse(Block):
    """A network as a block of `{Model}`. Every use has the same parameters.

    `from` names one signal for each of its inputs, in their order. `network` is its graph.
    """

    type_name: ClassVar[str] = "network"
    family: ClassVar[str] = "network"
    input_count: ClassVar[int | None] = None
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"weights", "weights_from", "layout", "adapt", "freeze", "shared_with", "network"}
    )

    network: Any = Field(None, description="the network's graph")

    def expect(self, axes: Sequence[str], kinds: Sequence[Kind]) -> None:
        """What each input of the network takes."""
        for argument, (signal, here, kind) in enumerate(
            zip(self.network.inputs.values(), axes, kinds, strict=True)
        ):
            if here and signal.axes and here != signal.axes:
                raise AxesError(axes_in_words(signal.axes), axes_in_words(here), argument)
            if kind != signal.kind:
                raise AxesError(kind_in_words(signal.kind), kind_in_words(kind), argument)

    def _by_port(self, of: str) -> Any:
        outputs = {name: getattr(signal, of) for name, signal in self.network.outputs.items()}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """Those of the network's outputs."""
        axes: str | dict[str, str] = self._by_port("axes")
        return axes

    def kind(self, *inputs: Kind) -> Kind | dict[str, Kind]:
        """Those of the network's outputs."""
        kind: Kind | dict[str, Kind] = self._by_port("kind")
        return kind

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """The shapes of the network's outputs for these inputs."""
        graph = self.network
        for argument, (name, signal) in enumerate(graph.inputs.items()):
            given = inputs[argument]
            if len(given) != len(signal.shape) or any(map(differ, signal.shape, given)):
                takes, found = (show(shape) or "one number" for shape in (signal.shape, given))
                raise ShapeError(f"takes {takes} as `{name}`, and is given {found}", argument=argument)
        outputs: dict[str, Shape] = graph.output_shapes(dict(zip(graph.inputs, inputs, strict=True)))
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def macs(self, *inputs: Shape) -> Size:
        """The network's, once more."""
        macs: int | None = self.network.macs
        return macs or 0

    def label(self) -> str:
        """The network."""
        return str(self.network.name)
