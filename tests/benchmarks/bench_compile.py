"""How fast texts compile: a cold `netcfg check` against `import torch`, and generated networks of 10,000 blocks."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from pathlib import Path

import netcfg
from netcfg.passes.read import shipped_folder

ROUNDS = 7


def cpu(command: list[str]) -> float:
    """Seconds of one fresh process on a core, which other processes do not lengthen much."""
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(started.pid, 0)
    assert status == 0, command
    return used.ru_utime + used.ru_stime


def cold_start() -> None:
    """Interleaved pairs of `netcfg check` and `import torch`, fresh processes; with byte code, as installed."""
    home = Path(netcfg.__file__).parent
    compileall.compile_dir(home, quiet=2)
    largest = max(shipped_folder().glob("*.cfg"), key=lambda path: path.stat().st_size)
    program = Path(sys.executable).with_name("netcfg")
    pairs = [
        (cpu([str(program), "check", str(largest)]), cpu([sys.executable, "-c", "import torch"]))
        for _ in range(ROUNDS)
    ]
    check, torch = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    print(
        f"cold `netcfg check {largest.name}`: {check:.3f} s; `import torch`: {torch:.3f} s; "
        f"{torch / check:.1f} times as long (the goal: 8)"
    )


def generated(blocks: int, kinds: int = 1) -> str:
    """A network of convolutions of so many `kinds` with a residual sum after every third."""
    conv = (
        "[convolutional]\nname = c{0}\nfilters = 32\nkernel_size = 3\nstride = 1\npad = 1\nslope = 0.{1}1\n"
        "activation = leaky_relu\n"
    )
    add = "[combine_add]\ncombine_layers = -1, -3\n"
    rows = [add if number % 4 == 3 else conv.format(number, number % kinds + 1) for number in range(blocks)]
    head = "{Net}\n[net]\nchannels = 32\nheight = 64\nwidth = 64\n"
    return head + "\n".join(rows)


def compile_seconds(text: str) -> float:
    """Seconds from text to checked graph."""
    start = time.process_time()
    program, findings = netcfg.check(text)
    assert program is not None, findings[:1]
    return time.process_time() - start


def large_networks() -> None:
    """10,000 and 20,000 blocks of one kind, and 10,000 of which none is like another, interleaved."""
    texts = generated(10_000), generated(20_000), generated(10_000, kinds=10_000)
    compile_seconds(texts[0])
    rows = [[compile_seconds(text) for text in texts] for _ in range(ROUNDS)]
    small, large, apart = (min(row[column] for row in rows) for column in range(3))
    print(
        f"text to checked graph: 10,000 blocks {small:.3f} s; 20,000 {large / small:.2f} times as long; "
        f"10,000 of which none is like another {apart / small:.2f} times as long"
    )


def main() -> None:
    cold_start()
    large_networks()


if __name__ == "__main__":
    main()
