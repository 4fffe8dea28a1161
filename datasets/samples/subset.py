"""Some of the samples of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netcfg.blocks.samples import Sample, Samples, SampleTable
from netcfg.source import NetcfgError


def drawn_from(samples: Samples, count: int, seed: int) -> Samples:
    """So many of them, in their order. Raises `NetcfgError` where there are fewer."""
    if count > len(samples):
        raise NetcfgError(
            f"[subset] is to take {count} samples, and there are {len(samples)}\nhelp: `samples = None` takes all",
            code="NC506",
        )
    # The first of one permutation: of two numbers, the smaller part lies in the larger.
    chosen = np.random.default_rng(seed).permutation(len(samples))[:count]
    return SomeSamples(samples, tuple(np.sort(chosen).tolist()))


@dataclass(frozen=True)
class SomeSamples:
    """The samples of these numbers."""

    samples: Samples
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[self.numbers[index]]

    @property
    def table(self) -> SampleTable:
        """Their rows."""
        return self.samples.table.rows(self.numbers)

    def only(self, fields: Sequence[str]) -> SomeSamples:
        """The same samples with other fields."""
        return SomeSamples(self.samples.only(fields), self.numbers)
