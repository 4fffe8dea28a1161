"""What stands in `{Generation}` beside networks: a template that runs in turns, and what a turn is fed."""

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from netcfg.axes import KINDS, Kind
from netcfg.blocks.base import Block
from netcfg.shapes import Shape, Size

TURN = "turn"
"""What the number of a turn, from 0, is called inside: a class, the same for all samples."""


class Fed(Block):
    """A signal that a turn is fed."""

    type_name: ClassVar[str] = "input"
    family: ClassVar[str] = "input"
    input_count: ClassVar[int | None] = 0

    given: Any = Field(None, description="the signal")

    @classmethod
    def of(cls, name: str, shape: Shape, axes: str, kind: Kind) -> "Fed":
        """A signal of this shape."""
        return cls.model_construct(name=name, given=(shape, axes, kind))

    def shape(self, *inputs: Shape) -> Shape:
        """As it is fed."""
        shape: Shape = self.given[0]
        return shape

    def axes(self, *inputs: str) -> str:
        """Likewise."""
        axes: str = self.given[1]
        return axes

    def kind(self, *inputs: Kind) -> Kind:
        """Likewise."""
        kind: Kind = self.given[2]
        return kind


class Loop(Block):
    """A template that runs `count` times, one turn fed what the one before has given; `body` is the graph of a turn.

    `carried` gives for inputs of the body the output of the turn before that feeds it; an input that is not among them,
    but for the number of the turn, is fed the same each turn.
    """

    type_name: ClassVar[str] = "loop"
    family: ClassVar[str] = "template"
    input_count: ClassVar[int | None] = None
    takes_kinds: ClassVar[tuple[Kind, ...]] = KINDS

    body: Any = Field(None, description="the graph of a turn")
    template: str = Field("", description="what it is a use of")
    count: int = Field(1, description="how many turns")
    carried: dict[str, str] = Field({}, description="outputs by the inputs they feed")

    def expect(self, axes: Sequence[str], kinds: Sequence[Kind]) -> None:
        """The body was made for what it is fed."""

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """Those of the last turn."""
        made: dict[str, Shape] = {name: signal.shape for name, signal in self.body.outputs.items()}
        return made if len(made) > 1 else next(iter(made.values()))

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """Likewise."""
        made: dict[str, str] = {name: signal.axes for name, signal in self.body.outputs.items()}
        return made if len(made) > 1 else next(iter(made.values()))

    def kind(self, *inputs: Kind) -> Kind | dict[str, Kind]:
        """Likewise."""
        made: dict[str, Kind] = {name: signal.kind for name, signal in self.body.outputs.items()}
        return made if len(made) > 1 else next(iter(made.values()))

    def is_shared(self, *inputs: bool) -> bool:
        """Each sample has its own."""
        return False

    def macs(self, *inputs: Shape) -> Size:
        """Those of all turns."""
        macs: int | None = self.body.macs
        return (macs or 0) * self.count

    def label(self) -> str:
        """How often what."""
        return f"{self.template} ×{self.count:,}"
