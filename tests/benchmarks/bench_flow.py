"""What optical flow costs: beside bare OpenCV, read from its cache, and in an epoch of training.

Flow is timed in seconds of one core, with all that goes with it (grey pictures, encoding), against OpenCV's call alone,
in turns. The goal is 10 % at 400×400. From the second epoch on, and in a second run, training should wait for data less
than 5 % of its time.

Run: python tests/benchmarks/bench_flow.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.flow.cache import FlowCache
from netcfg.datasets.flow.encoding import FlowPictures, grey
from netcfg.datasets.flow.folder import Clip, Recipe, write_clip
from netcfg.datasets.pictures.frames import open_frames
from netcfg.datasets.sources.synthetic_faces import SyntheticFaces
from netcfg.passes.read import shipped_folder

SIZES = (224, 400)
METHODS = ("dis_ultrafast", "dis_fast", "dis", "farneback")
FRAMES = 12
ROUNDS = 7


def faces(size: int) -> SyntheticFaces:
    """A clip of drawn faces."""
    return SyntheticFaces(
        split="all", fields=("image",), subjects=3, clips=1, clip_length=FRAMES, image_size=size
    )


def alternately(*works: Callable[[], object]) -> list[float]:
    """The best processor time of each, in seconds, measured in turns: other work on the machine counts little."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for place, work in enumerate(works):
            start = time.process_time()
            work()
            best[place] = min(best[place], time.process_time() - start)
    return best


def bare(method: str) -> Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]:
    """OpenCV's call for two grey pictures."""
    if method == "farneback":
        return lambda one, other: cv2.calcOpticalFlowFarneback(one, other, None, 0.5, 4, 15, 3, 5, 1.1, 0)
    preset = {"dis": "MEDIUM", "dis_fast": "FAST", "dis_ultrafast": "ULTRAFAST"}[method]
    finder = cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset}"))
    return lambda one, other: finder.calc(one, other, None)


def over(pairs: Sequence[tuple[Any, Any]], function: Callable[[Any, Any], object]) -> Callable[[], object]:
    """Calling a function with each pair."""
    return lambda: [function(*pair) for pair in pairs]


def report_methods() -> None:
    """Frames per second of bare OpenCV and of flow pictures, and what the latter cost more."""
    for size in SIZES:
        frames = [face["image"] for face in map(faces(size).__getitem__, range(FRAMES))]
        pairs = list(pairwise(frames))
        greys = list(pairwise(map(grey, frames)))
        for method in METHODS:
            seconds = alternately(over(greys, bare(method)), over(pairs, FlowPictures(method)))
            rates = [len(pairs) / taken for taken in seconds]
            print(
                f"{size}×{size} {method:14} OpenCV {rates[0]:6.0f} frames/s, pictures {rates[1]:6.0f} frames/s "
                f"({100 * (seconds[1] / seconds[0] - 1):+.1f} %)",
                flush=True,
            )


def report_cache() -> None:
    """Milliseconds of a sample: found, kept, and read from disk."""
    for size in SIZES:
        frames = [face["image"] for face in map(faces(size).__getitem__, range(FRAMES))]
        entries = [(str(number), frame) for number, frame in enumerate(frames)]
        with tempfile.TemporaryDirectory() as folder:
            cache = FlowCache(Path(folder))
            seconds = alternately(
                over(list(pairwise(frames)), FlowPictures()),
                over(entries, cache.write),
                over(entries, lambda key, _: cache.read(key)),  # noqa: B023  # called at once
            )
        found, kept, again = (1000 * taken / FRAMES for taken in seconds)
        print(f"{size}×{size} dis: found in {found:.2f} ms, kept in {kept:.2f} ms, read in {again:.3f} ms")


def report_folder() -> None:
    """Frames per second of `netcfg flow` on one core, from JPEG files to files of both formats."""
    size = SIZES[-1]
    data = faces(size)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "frames"
        source.mkdir()
        for index in range(FRAMES):
            cv2.imwrite(str(source / f"{index}.jpg"), data[index]["image"])
        for format in ("png", "jpg"):
            start = time.process_time()
            write_clip(Clip(open_frames(source), Path(folder) / format), Recipe(format=format), Unwatched())
            rate = FRAMES / (time.process_time() - start)
            print(f"{size}×{size} dis, from .jpg files to .{format} files: {rate:.0f} frames/s")


class Unwatched:
    """Nobody looks on."""

    is_stopped = False

    def advance(self, frames: int) -> None:
        """Nothing to do."""

    def stop(self) -> None:
        """Nothing to do."""


def report_training() -> None:
    """How long two short runs of the demo wait for data, the second with the flow of the first."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NETCFG_CACHE": str(Path(folder) / "cache")}
        for run in ("first run", "second run"):
            place = Path(folder) / run
            command = [
                sys.executable,
                "-m",
                "netcfg",
                "train",
                str(shipped_folder() / "aunet_of_horizontal.cfg"),
            ]
            command += ["--preset", "demo", "--epochs", "3", "--set", "subjects=60", "--run-dir", str(place)]
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            seconds = time.perf_counter() - start
            records = map(json.loads, (place / "metrics.jsonl").read_text().splitlines())
            waited = [f"{100 * record['rates']['waiting_share']:.1f} %" for record in records]
            print(
                f"{run}: waited for data {', then '.join(waited)} of an epoch; {seconds:.0f} s in all",
                flush=True,
            )


def main() -> None:
    """Print all four reports."""
    cv2.setNumThreads(1)
    report_methods()
    report_cache()
    report_folder()
    report_training()


if __name__ == "__main__":
    main()
