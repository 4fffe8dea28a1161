"""What stands in `{Model}`: the data fields it starts from, and networks used as blocks.

Neither is written as a section type of its own: a field is there because `{Data}` gives it, and a network's name
becomes a block type where the network is declared.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from netcfg.axes import AXES, KINDS, Kind, axes_in_words, kind_in_words
from netcfg.blocks.base import AxesError, Block, ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.meeting import ByAxes
from netcfg.folding import View, inside, outside, over_in_words
from netcfg.shapes import Shape, Size, differ, show


class DataField(Block):
    """A field of the data, where a model begins."""

    type_name: ClassVar[str] = "input"
    family: ClassVar[str] = "input"
    input_count: ClassVar[int | None] = 0

    field: Any = Field(None, description="what the data say of it")

    @classmethod
    def of(cls, name: str, field: FieldSpec) -> "DataField":
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


class NetworkUse(ByAxes):
    """A network as a block of `{Model}`. Every use has the same parameters.

    `from` names one signal for each of its inputs, in their order. `network` is its graph. With `over` it is computed
    for each place of an axis, which signals that have it lose inside and what it gives has again.
    """

    type_name: ClassVar[str] = "network"
    family: ClassVar[str] = "network"
    input_count: ClassVar[int | None] = None
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS
    unavailable: ClassVar[frozenset[str]] = frozenset(
        {"weights", "weights_from", "layout", "adapt", "freeze", "shared_with", "network", "over"}
    )

    network: Any = Field(None, description="the network's graph")
    over: Any = Field(None, description="the axis for whose places it is computed, one by one")

    def goes_by_position(self, axes: tuple[str, ...]) -> bool:
        """Only `over` an axis it must know where that stands."""
        return self.over is None

    def inside(self, shapes: Sequence[Shape]) -> list[tuple[View, int | None]]:
        """What the network is fed of signals of these shapes, and where the axis that it is `over` stood in each."""
        if self.over is None:
            return [(View(shape, ""), None) for shape in shapes]
        given = self.given or ("",) * len(shapes)
        return [inside(View(shape, axes), self.over) for shape, axes in zip(shapes, given, strict=True)]

    def outside(self, shape: Shape, axes: str) -> tuple[View, int]:
        """What it gives of what the network gives, and where the axis stands that comes back."""
        return (View(shape, axes), 0) if self.over is None else outside(View(shape, axes, (self.over,)))

    def expect(self, axes: Sequence[str], kinds: Sequence[Kind]) -> None:
        """What each input of the network takes."""
        for argument, (signal, here, kind) in enumerate(
            zip(self.network.inputs.values(), axes, kinds, strict=True)
        ):
            if self.over is not None:
                here = here.replace(self.over.letter, "", 1)
            if here and signal.axes and here != signal.axes:
                raise AxesError(axes_in_words(signal.axes), axes_in_words(here), argument)
            if kind != signal.kind:
                raise AxesError(kind_in_words(signal.kind), kind_in_words(kind), argument)

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """Those of the network's outputs."""
        axes = {
            name: self.outside(signal.shape, signal.axes)[0].axes
            for name, signal in self.network.outputs.items()
        }
        return axes if len(axes) > 1 else next(iter(axes.values()))

    def kind(self, *inputs: Kind) -> Kind | dict[str, Kind]:
        """Those of the network's outputs."""
        kinds: dict[str, Kind] = {name: signal.kind for name, signal in self.network.outputs.items()}
        return kinds if len(kinds) > 1 else next(iter(kinds.values()))

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """The shapes of the network's outputs for these inputs."""
        graph = self.network
        views = self.inside(inputs)
        self._check_places(inputs, [at for _, at in views])
        fed = [view.shape for view, _ in views]
        for argument, (name, signal) in enumerate(graph.inputs.items()):
            given = fed[argument]
            if len(given) != len(signal.shape) or any(map(differ, signal.shape, given)):
                takes, found = (show(shape) or "one number" for shape in (signal.shape, given))
                raise ShapeError(f"takes {takes} as `{name}`, and is given {found}", argument=argument)
        made: dict[str, Shape] = graph.output_shapes(dict(zip(graph.inputs, fed, strict=True)))
        outputs = {
            name: self.outside(shape, graph.outputs[name].axes)[0].shape for name, shape in made.items()
        }
        if not outputs:  # a network of a broken file, in whose picture it stands all the same
            raise ShapeError(f"`{graph.name}` gives nothing")
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def _check_places(self, inputs: Sequence[Shape], places: Sequence[int | None]) -> None:
        """Refuse signals with another number of places than those that it is over."""
        for argument, (shape, at) in enumerate(zip(inputs, places, strict=True)):
            if at is not None and differ(shape[at], self.over.size):
                axis = AXES[self.over.letter]
                raise ShapeError(
                    f"is computed for each of {self.over.size} {axis}, and is given {shape[at]} ({show(shape)})",
                    argument=argument,
                )

    def macs(self, *inputs: Shape) -> Size:
        """The network's, once more."""
        macs: int | None = self.network.macs
        return (macs or 0) * (1 if self.over is None else self.over.size)

    def label(self) -> str:
        """The network."""
        over = "" if self.over is None else f", {over_in_words((self.over,))}"
        return f"{self.network.name}{over}"
