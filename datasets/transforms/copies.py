"""The callable behind copies of fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netcfg.blocks.samples import Sample


@dataclass(frozen=True)
class CopySample:
    """Hand a field on by other names, too: no transform changes an array, so that they may share it."""

    of: str
    to: tuple[str, ...]

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with its copies."""
        if self.of not in sample:
            return sample
        return sample | dict.fromkeys(self.to, sample[self.of])
