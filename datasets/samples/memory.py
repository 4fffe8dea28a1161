"""Samples that are made once and kept: one memory that all worker processes share."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from operator import getitem
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from netcfg.blocks.samples import Sample, Samples
from netcfg.datasets.samples.disk import DiskPlaces
from netcfg.source import NetcfgError

SHARE_OF_FREE_MEMORY = 0.1
Keep = Literal["auto", "memory", "disk", "none"]
"""Where samples are kept once they are made; auto: in memory where they fit, else on disk."""
_GRACE = 30.0
"""Seconds that a worker goes on after it was asked to end; the trainer lets it go sooner."""
_PORTION = 16  # samples a worker makes in a row: neighbours are often made from the same things


class SampleMemory:
    """A map-style data set that keeps every sample of another one, as it came, after its first use.

    The memory is mapped before workers are forked, and so is common to all of them; it takes real space only
    where something was written. Samples must have equal shapes; the arrays it hands out must not be changed.
    `seconds_per_sample` is what making one takes, `take` gets one from them. With `places` it lies on disk, and what an
    earlier run has left there is not made again.
    """

    def __init__(
        self,
        samples: Samples,
        example: Sample,
        seconds_per_sample: float = 0.0,
        take: Callable[[Samples, int], Sample] = getitem,
        places: DiskPlaces | None = None,
    ) -> None:
        self.samples = samples
        self.take = take
        self.seconds_per_sample = seconds_per_sample
        self._looked_at: NDArray[np.bool_] | None = None
        if places is not None:
            self._kept, self._filled = places.kept, places.filled
            self._looked_at = np.zeros(len(samples), np.bool_)
            return
        self._kept = {
            name: _shared((len(samples), *array.shape), array.dtype) for name, array in example.items()
        }
        self._filled = _shared((len(samples),), np.dtype(np.uint8))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        # Two workers may make one sample at once: both write the same numbers, and the mark only after them.
        if not self._filled[index] or not self._is_whole(index):
            for name, array in self.take(self.samples, index).items():
                self._kept[name][index] = array
            self._filled[index] = self._mark(index)
        return {name: array[index] for name, array in self._kept.items()}

    def _mark(self, index: int) -> int:
        """What marks a sample that is there: on disk a checksum, as a machine may stop between it and the sample."""
        if self._looked_at is None:
            return 1
        found = 0
        for array in self._kept.values():
            found = zlib.crc32(array[index].tobytes(), found)
        return found | 1  # 0 is for what is not there

    def _is_whole(self, index: int) -> bool:
        """Whether a sample is as it was written; looked at once in each process."""
        if self._looked_at is None or self._looked_at[index]:
            return True
        self._looked_at[index] = True
        return int(self._filled[index]) == self._mark(index)

    def fill(self, workers: int) -> Iterator[int]:
        """Make all samples in order, in worker processes; how many are done, now and then.

        Raises `NetcfgError` for the first that cannot be made.
        """
        if self._filled.all():  # by an earlier run
            return
        loader: DataLoader[Any] = DataLoader(
            _Filler(self),  # type: ignore[arg-type]  # it is one by its methods
            batch_size=_PORTION,
            num_workers=workers,
            multiprocessing_context=fork_context(),
            collate_fn=list,
            generator=torch.Generator(),
            worker_init_fn=start_worker,
        )
        done = 0
        for made in loader:
            refused = next((failure for failure in made if failure), None)
            if refused is not None:
                raise NetcfgError(*refused)
            done += len(made)
            yield done


class _Filler:
    """Has a memory's samples made without sending them anywhere."""

    def __init__(self, memory: SampleMemory) -> None:
        self.memory = memory

    def __len__(self) -> int:
        return len(self.memory)

    def __getitem__(self, index: int) -> tuple[str, str | None] | None:
        """Message and code of a sample that could not be made: they travel better than an exception."""
        try:
            self.memory[index]
        except (NetcfgError, OSError) as error:
            return str(error), error.code if isinstance(error, NetcfgError) else "NC804"
        return None


def remembering(
    samples: Samples,
    workers: int,
    take: Callable[[Samples, int], Sample] = getitem,
    keep: Keep = "auto",
    on_disk: Callable[[Sample], DiskPlaces | None] = lambda example: None,
    in_memory: bool = True,
) -> Samples | SampleMemory:
    """The samples with a memory, where one fits into the machine's and can be shared, or on its disk; else as they are.

    `take` gets one of them; `on_disk` makes room there, by what a sample holds. What is seen once is not kept
    `in_memory`.
    """
    free = free_memory()
    if keep == "none" or not len(samples) or free is None or (workers and fork_context() is None):
        return samples
    example = take(samples, 0)
    needed = len(samples) * sum(array.nbytes for array in example.values())
    # By the first sample's size; that all have one is what batches need anyway.
    fits = needed <= SHARE_OF_FREE_MEMORY * free
    places = on_disk(example) if keep == "disk" or (keep == "auto" and not fits) else None
    if places is None and not (fits and in_memory):
        return samples
    start = time.perf_counter()
    take(samples, len(samples) - 1)  # not the first one: that also imported what makes it
    return SampleMemory(samples, example, time.perf_counter() - start, take, places)


def fork_context() -> Any:
    """The way of starting processes in which they share mapped memory; None where the system has none."""
    return multiprocessing.get_context("fork") if "fork" in multiprocessing.get_all_start_methods() else None


def free_memory() -> int | None:
    """Bytes of main memory that could still be used; None where the system does not tell."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            rows = dict(line.split(":", 1) for line in file)
        return int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def _shared(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    # Mapped without a file: forked workers write into the same pages, and the system takes them back by itself.
    size = max(1, int(np.prod(shape)) * dtype.itemsize)
    return np.frombuffer(mmap.mmap(-1, size), dtype, int(np.prod(shape))).reshape(shape)


def _end_later(number: int, frame: object) -> None:
    """Asked to end, as all processes of a job are at once: the trainer is let finish its batch before."""
    timer = threading.Timer(_GRACE, os._exit, [0])
    timer.daemon = True
    timer.start()


def start_worker(worker: int) -> None:
    """Prepare a worker process: Ctrl-C is the trainer's to answer, and one of several needs one thread."""
    # Inherited by the fork: a signal here would wake the trainer as if it were its own.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_later)
    torch.set_num_threads(1)
    try:
        from netcfg.datasets.pictures.opencv import cv2
    except ImportError:
        return
    cv2.setNumThreads(0)
