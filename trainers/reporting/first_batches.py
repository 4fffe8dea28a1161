"""What the first batches say of the time that a training will take, data included."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from netcfg.trainers.reporting.progress import clock

BATCHES = 10
"""Measured after the first, which warms up."""
_LEAST = 1


@dataclass
class FirstBatches:
    """Watches the first batches of a training, once.

    `validation_share` is what judging a batch computes, as a part of what training on one does.
    """

    device: torch.device
    validation_share: float = 1 / 3
    _began: float = 0.0
    _waited: float = 0.0
    _done: int = 0
    _is_told: bool = False

    def batch(self, waited: float) -> bool:
        """A batch is done, after so many seconds of waiting in all; whether there have been enough."""
        if self._is_told:
            return False
        self._done += 1
        if self._done == 1:
            self._began, self._waited = self._now(), waited
        return self._done > BATCHES

    def line(self, waited: float, batches_left: int, validation_batches: int) -> str | None:
        """What is left, so many batches of both splits; None where too few were measured, or none is left."""
        measured = self._done - 1
        if self._is_told or measured < _LEAST or not batches_left:
            self._done = 0  # an epoch's end: what lies between two epochs is no part of a batch
            return None
        self._is_told = True
        seconds = (self._now() - self._began) / measured
        waiting = (waited - self._waited) / measured
        judged = waiting + max(0.0, seconds - waiting) * self.validation_share
        left = clock(seconds * batches_left + judged * validation_batches)
        return f"measured on {measured} batches, data included: about {left} from here on"

    def _now(self) -> float:
        """The time, when the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
