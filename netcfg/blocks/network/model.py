"""What stands in `{Model}`: the data fields it starts from, and networks used as blocks.

Neither is written as a section type of its own: a field is there because `{Data}` gives it, and a network's name
becomes a block type where the network is declared.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from netcfg.blocks.base import Block, ShapeError
from netcfg.shapes import Shape, Size, differ, show


class DataField(Block):
    """A field of the data, where a model begins."""

    type_name: ClassVar[str] = "input"
    family: ClassVar[str] = "input"
    input_count: ClassVar[int | None] = 0

    sizes: tuple[Any, ...] = Field((), description="its shape per sample")

    @classmethod
    def of(cls, name: str, shape: Shape) -> DataField:
        """The field `name`, whose shape was checked when the data were."""
        return cls.model_construct(name=name, sizes=shape)

    def shape(self, *inputs: Shape) -> Shape:
        """As the data give it."""
        return self.sizes


class NetworkUse(Block):
    """A network as a block of `{Model}`. Every use has the same parameters.

    `from` names one signal for each of its inputs, in their order. `network` is its graph.
    """

    type_name: ClassVar[str] = "network"
    family: ClassVar[str] = "network"
    input_count: ClassVar[int | None] = None
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with", "network"}
    )

    network: Any = Field(None, description="the network's graph")

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """The shapes of the network's outputs for these inputs."""
        graph = self.network
        for argument, (name, signal) in enumerate(graph.inputs.items()):
            given = inputs[argument]
            if len(given) != len(signal.shape) or any(map(differ, signal.shape, given)):
                raise ShapeError(
                    f"takes {show(signal.shape)} as `{name}`, and is given {show(given) or 'one number'}",
                    argument=argument,
                )
        outputs: dict[str, Shape] = graph.output_shapes(dict(zip(graph.inputs, inputs, strict=True)))
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def macs(self, *inputs: Shape) -> Size:
        """The network's, once more."""
        macs: int | None = self.network.macs
        return macs or 0

    def label(self) -> str:
        """The network."""
        return str(self.network.name)
