"""`netcfg data show` of a folder of very many pictures: seconds by the clock and of the processor, and memory.

Small jpegs of 20 classes, no two files alike, in a folder of 10,000 and one of 100,000. The command runs by itself in a
process; where the clock says much more than the processor, the machine was busy with something else.

Run: python tests/benchmarks/bench_data_show.py [FEW MANY]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

CLASSES, PICTURES = 20, 400


def write(folder: Path, count: int) -> None:
    """So many files; what stands behind a jpeg's end tells those apart that show the same."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (PICTURES, 6, 6, 3), np.uint8)
    shown = [
        cv2.imencode(".jpg", cv2.resize(one, (64, 64), interpolation=cv2.INTER_CUBIC))[1].tobytes()
        for one in coarse
    ]
    for number in range(count):
        place = folder / f"class {chr(97 + number % CLASSES)}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.jpg").write_bytes(shown[number % PICTURES] + str(number).encode())


def shown(folder: Path) -> tuple[float, float, float]:
    """Seconds by the clock, seconds of the processor, and MB at most."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "netcfg", "data", "show", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("`netcfg data show` failed")
    scale = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 1e6


def main() -> None:
    few, many = [int(word) for word in sys.argv[1:3]] or [10_000, 100_000]
    found = {}
    for count in (few, many):
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), count)
            found[count] = seconds, processor, memory = shown(Path(name))
        print(
            f"data show of {count:,} pictures: {seconds:.1f} s, {processor:.1f} s of the processor, {memory:.0f} MB",
            flush=True,
        )
    print(
        f"{many / few:.0f} times as many: {found[many][1] / found[few][1]:.1f} times the processor's time, "
        f"{found[many][2] / found[few][2]:.2f} times the memory"
    )


if __name__ == "__main__":
    main()
