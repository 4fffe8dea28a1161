"""How fast texts compile: a cold `netcfg check` against `import torch`, and generated networks of 10,000 blocks."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import netcfg
from netcfg.passes.read import shipped_folder

ROUNDS = 7


def wall(command: list[str]) -> float:
    """Seconds of one fresh process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def cold_start() -> None:
    """Interleaved pairs of `netcfg check` and `import torch`, fresh processes."""
    largest = max(shipped_folder().glob("*.cfg"), key=lambda path: path.stat().st_size)
    program = Path(sys.executable).with_name("netcfg")
    pairs = [
        (wall([str(program), "check", str(largest)]), wall([sys.executable, "-c", "import torch"]))
        for _ in range(ROUNDS)
    ]
    check, torch = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    ratio = median(torch / check for check, torch in pairs)
    print(
        f"cold `netcfg check {largest.name}`: {check:.3f} s; `import torch`: {torch:.3f} s; {ratio:.1f} times as long"
    )


def generated(blocks: int) -> str:
    """A network of convolutions with a residual sum after every third."""
    conv = "[convolutional]\nname = c{0}\nfilters = 32\nkernel_size = 3\nstride = 1\npad = 1\nactivation = leaky_relu\n"
    add = "[combine_add]\ncombine_layers = -1, -3\n"
    rows = [add if number % 4 == 3 else conv.format(number) for number in range(blocks)]
    head = "{Net}\n[net]\nchannels = 32\nheight = 64\nwidth = 64\n"
    return head + "\n".join(rows)


def compile_seconds(text: str) -> float:
    """Seconds from text to checked graph."""
    start = time.perf_counter()
    program, findings = netcfg.check(text)
    assert program is not None, findings[:1]
    return time.perf_counter() - start


def large_networks() -> None:
    """10,000 and 20,000 blocks, interleaved."""
    small, large = generated(10_000), generated(20_000)
    compile_seconds(small)
    pairs = [(compile_seconds(small), compile_seconds(large)) for _ in range(ROUNDS)]
    ratio = median(large / small for small, large in pairs)
    print(
        f"text to checked graph: 10,000 blocks {median(p[0] for p in pairs):.3f} s, "
        f"20,000 blocks {median(p[1] for p in pairs):.3f} s; {ratio:.2f} times as long"
    )


def main() -> None:
    cold_start()
    large_networks()


if __name__ == "__main__":
    main()
