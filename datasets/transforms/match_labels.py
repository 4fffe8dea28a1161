"""Labels in another order, with NaN where the data have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netcfg.blocks.samples import Sample


@dataclass(frozen=True)
class MatchSample:
    """Takes entries of `field` from these places; None is one that the data do not label."""

    field: str
    places: tuple[int | None, ...]

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with its labels in the new order."""
        if self.field not in sample:
            return sample
        given = sample[self.field]
        taken = [np.nan if place is None else given[place] for place in self.places]
        return sample | {
            self.field: np.asarray(taken, given.dtype if None not in self.places else np.float32)
        }
