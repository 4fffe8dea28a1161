"""Some samples more often than others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, PositiveInt
from netcfg.blocks.samplers.base import Sampler
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class Weighted(Sampler, name="weighted"):
    """Draw samples by weights, anew each epoch: those of twice the weight are shown twice as often.

    The weight is that of a sample's class, by `weights`, one for each class in their order; or, without these, a number
    that the data have of each sample. A sample may be drawn several times, and is then changed anew by the transforms
    below. A weight of 0 leaves samples out.
    Source: PyTorch's WeightedRandomSampler, with replacement.
    Example::

        [weighted]
        labels = emotion
        weights = 1, 2, 4
    """

    labels: str = Option("class", description="the field of classes, or of one number, the weight itself")
    weights: tuple[Annotated[float, Option(ge=0)], ...] = Option(
        (), description="of each class; none: the numbers of the field"
    )
    samples: PositiveInt | None = Option(None, description="of an epoch; None: as many as there are")

    def conflict(self) -> str | None:
        """Something has to be drawn."""
        return "gives every class the weight 0" if self.weights and not any(self.weights) else None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such classes or numbers, or weights of others."""
        spec = fields.get(self.labels)
        wanted = "class" if self.weights else "vector"
        if spec is None or spec.kind != wanted or (wanted == "vector" and spec.shape not in ((), (1,))):
            known = [name for name, other in fields.items() if other.kind == wanted]
            what = "the classes" if self.weights else "one number of each sample, by"
            found = "which the data do not have" if spec is None else f"which is {spec.kind}, {spec}"
            help = did_you_mean(self.labels, known)
            if spec is not None and spec.kind == "class":
                help = "`weights = …`, one for each class"
            raise ShapeError(f"weighs {what} `{self.labels}`, {found}", option="labels", help=help)
        if self.weights and spec.names and len(spec.names) != len(self.weights):
            raise ShapeError(
                f"has {len(self.weights)} weights for the {len(spec.names)} classes of `{self.labels}`",
                option="weights",
                help=f"one for each of {', '.join(spec.names)}",
            )
        return dict(fields)

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        """By weight. Raises `NetcfgError` for weights that are none, or not known beforehand."""
        import numpy as np

        from netcfg.blocks.samples import Draw

        column = table.labels.get(self.labels)
        if column is None:
            raise NetcfgError(
                f"[weighted] what a sample's `{self.labels}` is is only known once it is made", code="NC502"
            )
        if self.weights:
            weights = np.array(self.weights)[np.clip(column, 0, len(self.weights) - 1)]
        else:
            weights = column.reshape(len(table), -1)[:, 0].astype(np.float64)
        total = float(weights.sum())
        if not np.isfinite(total) or (weights < 0).any() or total <= 0:
            raise NetcfgError(
                f"[weighted] `{self.labels}` holds weights below 0, none above it, or gaps: they come to {total:g}\n"
                "help: a number from 0 for each sample",
                code="NC502",
            )
        random = np.random.default_rng((seed, epoch))
        drawn = random.choice(len(table), self.samples or len(table), p=weights / total)
        return [Draw(place) for place in drawn.tolist()]
