"""Where the time of an epoch goes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netcfg.datasets.pipeline import Batch
from netcfg.results import Rates, Seconds


@dataclass
class EpochTimes:
    """Seconds of an epoch: its training, waiting for data in it, preparing data (over all workers)."""

    train: float = 0.0
    waiting: float = 0.0
    preparing: float = 0.0
    validation: float = 0.0
    samples: int = 0

    def measured(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, and on the way how long they were waited for."""
        iterator = iter(batches)
        while True:
            started = time.perf_counter()
            batch = next(iterator, None)
            if batch is None:
                return
            self.waiting += time.perf_counter() - started
            self.preparing += batch.seconds
            self.samples += batch.size
            yield batch

    def seconds(self) -> Seconds:
        """For the epoch's record."""
        return Seconds(self.train, self.waiting, self.validation)

    def rates(self, processes: int, workers: int) -> Rates:
        """How fast the step and the data were, each by itself, over all processes with so many workers each."""
        busy = max(1e-9, self.train - self.waiting)
        samples = self.samples * processes
        return Rates(
            step_samples_per_second=samples / busy,
            data_samples_per_second=samples * max(1, workers) / max(1e-9, self.preparing),
            waiting_share=self.waiting / max(1e-9, self.train),
        )
