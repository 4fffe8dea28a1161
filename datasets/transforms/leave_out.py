"""Samples without some of their fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netcfg.blocks.samples import Sample


@dataclass(frozen=True)
class Without:
    """Takes these fields out of a sample."""

    fields: tuple[str, ...]

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The rest of the sample."""
        return {name: values for name, values in sample.items() if name not in self.fields}
