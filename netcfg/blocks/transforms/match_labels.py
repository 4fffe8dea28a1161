"""Labels brought into an order by their names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.base import Transform
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


class MatchLabels(Transform, name="match_labels"):
    """Bring labels into another order by their names, as a network was trained on them; others are left out.

    What the data do not label is NaN there, and counts in no figure; a loss that reads such labels is not computed in
    an evaluation, and cannot be trained. `netcfg eval RUN --data DIR` writes this section by itself.
    Shapes: (K) -> as many as there are `names`.
    Source: FG-Net is judged across BP4D and DISFA so, by the five action units that both label.
    Example::

        [match_labels]
        names = AU6, AU1
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    labels: str = Option("labels", description="the field of labels")
    names: tuple[str, ...] = Option(description="the labels by name, in the order that they get")

    def conflict(self) -> str | None:
        """Each name once."""
        twice = next((name for name in self.names if self.names.count(name) > 1), None)
        return f"names `{twice}` twice" if twice else None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """The labels by these names. Raises `ShapeError` where there are none, or none of these."""
        spec = fields.get(self.labels)
        if spec is None or spec.kind != "vector" or not spec.names:
            known = [name for name, other in fields.items() if other.kind == "vector" and other.names]
            lack = "which the data do not have" if spec is None else "whose entries have no names"
            raise ShapeError(
                f"matches `{self.labels}` by name, {lack}", option="labels", code="NC501",
                help=did_you_mean(self.labels, known),
            )  # fmt: skip
        absent = tuple(name for name in self.names if name not in spec.names)
        if len(absent) == len(self.names):
            raise ShapeError(
                f"finds none of {', '.join(self.names)} in `{self.labels}`, which has {', '.join(spec.names)}",
                option="names", code="NC506", help="data that label at least one of them",
            )  # fmt: skip
        shape = (len(self.names),)
        return {**fields, self.labels: spec._replace(shape=shape, names=self.names, absent=absent)}

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples."""
        from netcfg.datasets.transforms.match_labels import MatchSample

        names = fields[self.labels].names
        places = tuple(names.index(name) if name in names else None for name in self.names)
        return MatchSample(self.labels, places)
