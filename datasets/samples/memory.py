"""Samples that are made once and kept: one memory that all worker processes share."""

from __future__ import annotations

import mmap
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from operator import getitem
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from netcfg.blocks.samples import Sample, Samples
from netcfg.source import NetcfgError

SHARE_OF_FREE_MEMORY = 0.1
_PORTION = 16  # samples a worker makes in a row: neighbours are often made from the same things


class SampleMemory:
    """A map-style data set that keeps every sample of another one, as it came, after its first use.

    The memory is mapped before workers are forked, and so is common to all of them; it takes real space only
    where something was written. Samples must have equal shapes; the arrays it hands out must not be changed.
    `seconds_per_sample` is what making one takes, `take` gets one from them.
    """

    def __init__(
        self,
        samples: Samples,
        example: Sample,
        seconds_per_sample: float = 0.0,
        take: Callable[[Samples, int], Sample] = getitem,
    ) -> None:
        self.samples = samples
        self.take = take
        self.seconds_per_sample = seconds_per_sample
        self._kept = {
            name: _shared((len(samples), *array.shape), array.dtype) for name, array in example.items()
        }
        self._filled = _shared((len(samples),), np.dtype(np.uint8))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        # Two workers may make one sample at once: both write the same numbers, and the mark only after them.
        if not self._filled[index]:
            for name, array in self.take(self.samples, index).items():
                self._kept[name][index] = array
            self._filled[index] = 1
        return {name: array[index] for name, array in self._kept.items()}

    def fill(self, workers: int) -> Iterator[int]:
        """Make all samples in order, in worker processes; how many are done, now and then.

        Raises `NetcfgError` for the first that cannot be made.
        """
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
    samples: Samples, workers: int, take: Callable[[Samples, int], Sample] = getitem
) -> Samples | SampleMemory:
    """The samples with a memory, where one fits into the machine's and can be shared; else as they are.

    `take` gets one of them.
    """
    free = free_memory()
    if not len(samples) or free is None or (workers and fork_context() is None):
        return samples
    example = take(samples, 0)
    needed = len(samples) * sum(array.nbytes for array in example.values())
    # By the first sample's size; that all have one is what batches need anyway.
    if needed > SHARE_OF_FREE_MEMORY * free:
        return samples
    start = time.perf_counter()
    take(samples, len(samples) - 1)  # not the first one: that also imported what makes it
    return SampleMemory(samples, example, time.perf_counter() - start, take)


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


def start_worker(worker: int) -> None:
    """Prepare a worker process: Ctrl-C is the trainer's to answer, and one of several needs one thread."""
    # Inherited by the fork: a signal here would wake the trainer as if it were its own.
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    try:
        from netcfg.datasets.pictures.opencv import cv2
    except ImportError:
        return
    cv2.setNumThreads(0)
