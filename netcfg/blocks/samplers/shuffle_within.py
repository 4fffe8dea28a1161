"""Samples in a new order within their group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.samplers.columns import expect_groups, groups_of

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class ShuffleWithin(Sampler, name="shuffle_within"):
    """Show one group of samples after another, in an order drawn anew, and within each its samples in a new order.

    Samples of a group lie together in one file or on one disk, so that reading them in a row is quicker than from
    everywhere; batches then show few groups each.
    Source: shards of web-scale data sets, which are shuffled in this way.
    Example::

        [shuffle_within]
        labels = emotion
    """

    keeps_order: ClassVar[bool] = True

    labels: str = Option("clip", description="the field of the groups: `clip`, `subject`, or a class")
    groups: bool = Option(
        True, description="whether groups, too, come in a new order; else in that of the source"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such groups."""
        expect_groups(self.labels, "labels", "shuffles within groups", fields)
        return dict(fields)

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        """Group by group."""
        import numpy as np

        from netcfg.blocks.samples import Draw

        random = np.random.default_rng((seed, epoch))
        _, first, numbers = np.unique(
            groups_of(table, self.labels, self.type_name), return_index=True, return_inverse=True
        )
        place_of = random.permutation(len(first)) if self.groups else np.argsort(np.argsort(first))
        order = np.lexsort((random.random(len(table)), place_of[numbers]))
        return [Draw(place) for place in order.tolist()]
