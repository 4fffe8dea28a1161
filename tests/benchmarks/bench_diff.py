"""How long comparing takes beside compiling what is compared: unnamed chains, edited in several ways."""

from __future__ import annotations

import random
import time
from statistics import median

import netcfg
from netcfg.compare.programs import compare

ROUNDS = 5
HEAD = "{Net}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
CONV = "[convolutional]\nfilters = {}\nkernel_size = 3\npad = True\n"
RELU = "[activation]\nactivation = relu\n"


def edits(blocks: list[str]) -> dict[str, list[str]]:
    """Other versions of a chain."""
    draw = random.Random(0)
    middle = len(blocks) // 2
    return {
        "one block more": [*blocks[:middle], CONV.format(8), *blocks[middle:]],
        "all wider": [block.replace("filters = 8", "filters = 16") for block in blocks],
        "a tenth gone": [block for block in blocks if draw.random() > 0.1],
        "in another order": draw.sample(blocks, len(blocks)),
    }


def seconds(before: netcfg.Program, after: netcfg.Program) -> float:
    """Of one comparison."""
    start = time.perf_counter()
    compare(before, after)
    return time.perf_counter() - start


def main() -> None:
    """A line for each edit, at 1,000 and 4,000 blocks."""
    for count in (1_000, 4_000):
        blocks = [CONV.format(8), RELU] * (count // 2)
        start = time.perf_counter()
        before = netcfg.load(HEAD + "".join(blocks))
        compiled = time.perf_counter() - start
        for name, changed in edits(blocks).items():
            after = netcfg.load(HEAD + "".join(changed))
            taken = median(seconds(before, after) for _ in range(ROUNDS))
            print(f"{count} blocks, {name}: {taken:.3f} s, {taken / compiled:.2f} of compiling one side")


if __name__ == "__main__":
    main()
