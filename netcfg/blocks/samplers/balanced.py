"""Every class as often as every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, PositiveInt
from netcfg.blocks.samplers.base import Sampler
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class Balanced(Sampler, name="balanced"):
    """Show each class equally often: the classes in turn, of each a sample drawn at random.

    An epoch may have any number of samples; those of a rare class are then shown several times, each time changed
    anew by the transforms below.
    Source: FERAtt, whose epochs are 288,000 composed faces.
    Example::

        [balanced]
        samples = 8
    """

    labels: str = Option("emotion", description="the field of the classes")
    samples: PositiveInt | None = Option(None, description="of an epoch; None: as many as there are")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such classes."""
        spec = fields.get(self.labels)
        if spec is None or spec.kind != "class":
            classes = [name for name, known in fields.items() if known.kind == "class"]
            found = "which the data do not have" if spec is None else f"which is {spec}"
            raise ShapeError(
                f"balances classes by the field `{self.labels}`, {found}",
                option="labels",
                help=did_you_mean(self.labels, classes)
                or (f"one of {', '.join(classes)}" if classes else None),
            )
        return dict(fields)

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        """The classes that there are, in turn. Raises `NetcfgError` where the source does not tell them beforehand."""
        import numpy as np

        from netcfg.blocks.samples import Draw

        classes = table.labels.get(self.labels)
        if classes is None:
            raise NetcfgError(
                f"[balanced] what class a sample is of by `{self.labels}` is only known once it is made",
                code="NC502",
            )
        random = np.random.default_rng((seed, epoch))
        members = [np.flatnonzero(classes == one) for one in np.unique(classes)]
        count = self.samples or len(table)
        return [Draw(int(random.choice(members[place % len(members)]))) for place in range(count)]
