"""Flow of many clips at once: one clip a process, or one after the other in a thread.

The caller's thread only waits and counts, so that a bar moves and Ctrl-C is heard at any time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait as wait_for
from multiprocessing.context import SpawnContext

from netcfg.datasets.flow.folder import Clip, Outcome, Recipe, write_clip
from netcfg.source import NetcfgError

LOOK_SECONDS = 0.1


class Tally:
    """What processes tell each other: how many frames are done, and whether to stop."""

    def __init__(self, context: SpawnContext) -> None:
        self._done = context.Value("Q", 0)
        self._stopped = context.Event()

    @property
    def done(self) -> int:
        """Frames so far."""
        return int(self._done.value)

    @property
    def is_stopped(self) -> bool:
        """Whether to write nothing more."""
        return self._stopped.is_set()

    def advance(self, frames: int) -> None:
        """So many more are done."""
        with self._done.get_lock():
            self._done.value += frames

    def stop(self) -> None:
        """Let everybody finish the frame at hand, and no other."""
        self._stopped.set()


def write_clips(clips: Sequence[Clip], recipe: Recipe, jobs: int, outcomes: list[Outcome]) -> Iterator[None]:
    """Write the flow of clips; yields once for every frame that is done, and fills `outcomes`, one for each clip.

    Closed early, or interrupted, it lets the frames at hand be finished. Raises `NetcfgError` where a process dies.
    """
    missing = []
    for clip in clips:
        if clip.is_complete(recipe):
            outcomes.append(Outcome(kept=len(clip.frames)))
            yield from [None] * len(clip.frames)
        else:
            missing.append(clip)
    if missing:
        yield from _write_missing(missing, recipe, min(jobs, len(missing)), outcomes)


def _write_missing(
    clips: Sequence[Clip], recipe: Recipe, jobs: int, outcomes: list[Outcome]
) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    tally = Tally(context)
    pool, write = _workers(context, tally, jobs)
    try:
        futures = [pool.submit(write, clip, recipe) for clip in clips]
        yield from _counted(futures, tally)
        outcomes.extend(future.result() for future in futures)
    except BrokenProcessPool:
        raise NetcfgError(
            "a process that finds flow ended by itself; what was written is kept\n"
            "help: there may be too little memory: try fewer `--jobs`",
            code="NC806",
        ) from None
    finally:
        # In this order: workers look at the tally between frames, and would else finish their clips first.
        tally.stop()
        pool.shutdown(wait=True, cancel_futures=True)


def _counted(futures: Sequence[Future[Outcome]], tally: Tally) -> Iterator[None]:
    told, open_ones = 0, set(futures)
    while open_ones:
        _, open_ones = wait(open_ones, LOOK_SECONDS)
        # Looked up after the wait, so that the last frames of a clip that has just ended are in it.
        done = tally.done
        yield from [None] * (done - told)
        told = done


Write = Callable[[Clip, Recipe], Outcome]


def _workers(context: SpawnContext, tally: Tally, jobs: int) -> tuple[Executor, Write]:
    if jobs == 1:
        return ThreadPoolExecutor(1), partial(write_clip, watch=tally)
    threads = max(1, (os.cpu_count() or 1) // jobs)
    return ProcessPoolExecutor(jobs, context, _start_worker, (tally, threads)), _write_in_worker


# --- inside a worker process ------------------------------------------------------------------------------

_tally: Tally | None = None


def _start_worker(tally: Tally, threads: int) -> None:
    """Ctrl-C is the caller's to answer; where the caller has died, there is nobody to work for."""
    global _tally
    _tally = tally
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from netcfg.datasets.pictures.opencv import cv2

    # OpenCV would take all cores in each of the processes.
    cv2.setNumThreads(threads)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        # Not by an exception, which would end this thread alone.
        os._exit(1)


def _write_in_worker(clip: Clip, recipe: Recipe) -> Outcome:
    assert _tally is not None
    return write_clip(clip, recipe, _tally)
