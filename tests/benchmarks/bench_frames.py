"""What a frame takes in clips of several lengths, by Emotion-FAN in one thread: what batches of clips can gain.

    python tests/benchmarks/bench_frames.py [SIDE…]

A clip is as quick as its frames. Batches join short clips, and long ones are as quick alone.
"""

from __future__ import annotations

import argparse
import time

import torch

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.trainers.machine.devices import use_channels_last

COUNTS = (1, 3, 8, 32, 96)


def main() -> None:
    """Print milliseconds of the processor for each size and count of frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sides", nargs="*", default=[64, 112], type=int)
    torch.set_num_threads(1)
    for side in parser.parse_args().sides:
        program = netcfg.load(shipped_folder() / "emotion_fan.cfg", image_size=side)
        network = netcfg.build(program)["FAN"].eval()
        use_channels_last(network)
        for count in COUNTS:
            clip = torch.rand(1, count, 3, side, side)
            found = []
            with torch.inference_mode():
                for _ in range(4):
                    started = time.process_time()
                    network(clip)
                    found.append((time.process_time() - started) / count)
            print(f"{side}×{side}, {count:3} frames: {1e3 * min(found):6.2f} ms a frame")


if __name__ == "__main__":
    main()
