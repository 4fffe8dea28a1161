"""A schedule of learning rates of one's own: everything about it stands in this class."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from pydantic import Field

from netcfg.blocks import Schedule


class InverseRoot(Schedule, schedule="inverse_root"):
    """Learning rates fall as one over the root of the epochs, after some epochs in which they stay.

    Source: Vaswani et al., "Attention is all you need", 2017, section 5.3, by epochs.
    """

    flat_epochs: Annotated[int, Field(ge=1)] = Field(1, description="for how many epochs they stay")

    def factor(self, finished: int, max_epochs: int) -> float:
        """1, then the root of `flat_epochs` over the epoch's number."""
        return min(1.0, sqrt(self.flat_epochs / (finished + 1)))
