"""A sampler of one's own: every epoch shows another part of the training samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from netcfg.blocks import Draw, Sampler, SampleTable


class HalfEach(Sampler, name="half_each"):
    """An epoch shows a share of the training samples, drawn anew each time: shorter epochs, more often judged.

    Example::

        [half_each]
        share = 0.5
    """

    share: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="the part of the samples in an epoch")

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        """As many for every epoch, and the same for the same numbers: a run that goes on must meet them again."""
        import numpy as np

        count = max(1, round(self.share * len(table)))
        chosen = np.random.default_rng((seed, epoch)).permutation(len(table))[:count]
        return [Draw(int(sample)) for sample in chosen]
