"""A built AUNet against the same layers in an nn.Sequential: time and peak memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import nn

import netcfg
from netcfg.passes.read import shipped_folder

ROUNDS = 7
VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def built() -> nn.Module:
    """The network of cfg/aunet_of_none.cfg at full size."""
    return netcfg.build(netcfg.load(shipped_folder() / "aunet_of_none.cfg"))["AUNet"]


def by_hand() -> nn.Sequential:
    """The same layers, written as people write them."""
    layers: list[nn.Module] = []
    channels = 3
    for item in VGG16:
        if item == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            assert isinstance(item, int)
            layers += [nn.Conv2d(channels, item, 3, padding=1), nn.ReLU(inplace=True)]
            channels = item
    layers += [nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    layers += [nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(4096, 1)]
    return nn.Sequential(*layers)


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> None:
    """Interleaved rounds; prints the median ratio ours / theirs."""
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    ratio = median(our / their for our, their in pairs)
    print(
        f"{name}: {median(p[0] for p in pairs):.3f} s against {median(p[1] for p in pairs):.3f} s; ratio {ratio:.3f}",
        flush=True,
    )


def forwards() -> None:
    """Forward, and forward with backward, of one image."""
    ours, theirs = built().eval(), by_hand().eval()
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        paired("forward, built / by hand", lambda: ours(picture), lambda: theirs(picture))
    paired(
        "forward and backward, built / by hand",
        lambda: ours(picture).sum().backward(),
        lambda: theirs(picture).sum().backward(),
    )


def high_water() -> int:
    """This process's largest resident memory since the last reset, in MB (Linux)."""
    rows = Path("/proc/self/status").read_text().splitlines()
    return int(next(row for row in rows if row.startswith("VmHWM")).split()[1]) // 1024


def peak(which: str) -> None:
    """Print how far resident memory rises above the weights' during one inference at batch 8, in MB."""
    network = (built() if which == "built" else by_hand()).eval()
    pictures = torch.randn(8, 3, 224, 224)
    with torch.no_grad():
        network(pictures[:1])
        Path("/proc/self/clear_refs").write_text("5")  # forget the high-water mark
        before = high_water()
        network(pictures)
    print(high_water() - before)


def memory() -> None:
    """Peak growth of resident memory in inference, fresh processes."""
    grown = {}
    for which in ("built", "by hand"):
        runs = [
            subprocess.run([sys.executable, __file__, which], capture_output=True, text=True, check=True)
            for _ in range(3)
        ]
        grown[which] = median(int(run.stdout) for run in runs)
    print(
        f"peak memory of inference at batch 8: built {grown['built']} MB, by hand {grown['by hand']} MB",
        flush=True,
    )


def main() -> None:
    forwards()
    memory()


if __name__ == "__main__":
    peak(sys.argv[1]) if len(sys.argv) > 1 else main()
