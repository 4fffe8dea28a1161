"""How fast diagrams are drawn: a cold `netcfg graph` against `python -c pass`, and networks of up to 20,000 blocks."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import netcfg
from netcfg.draw import Look, picture, write_svg
from netcfg.draw.insides import inside_of
from netcfg.draw.levels import split
from netcfg.graph import Graph
from netcfg.passes.read import shipped_folder

ROUNDS = 7


def wall(command: list[str]) -> float:
    """Seconds of one fresh process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def cold_start() -> None:
    """Interleaved rounds of `netcfg graph` of the largest shipped file, `netcfg check` of it, and an empty program."""
    largest = max(shipped_folder().glob("*.cfg"), key=lambda path: path.stat().st_size)
    program = str(Path(sys.executable).with_name("netcfg"))
    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "network.svg")
        rounds = [
            (
                wall([program, "graph", str(largest), "-o", output]),
                wall([program, "check", str(largest)]),
                wall([sys.executable, "-c", "pass"]),
            )
            for _ in range(ROUNDS)
        ]
    graph, check, nothing = (median(times) for times in zip(*rounds, strict=True))
    ratio = median(one / empty for one, _, empty in rounds)
    print(
        f"cold `netcfg graph {largest.name}`: {graph:.3f} s, of which {graph - check:.3f} s more than `netcfg check`; "
        f"`python -c pass`: {nothing:.3f} s; {ratio:.1f} times as long"
    )


def generated(blocks: int) -> Graph:
    """A network of convolutions with a residual sum after every third."""
    conv = "[convolutional]\nname = c{0}\nfilters = 32\nkernel_size = 3\npad = 1\nactivation = leaky_relu\n"
    add = "[combine_add]\ncombine_layers = -1, -3\n"
    rows = [add if number % 4 == 3 else conv.format(number) for number in range(blocks)]
    program, findings = netcfg.check(
        "{Net}\n[net]\nchannels = 32\nheight = 64\nwidth = 64\n" + "\n".join(rows)
    )
    assert program is not None, findings[:1]
    return program.networks["Net"]


def seconds(graph: Graph, look: Look) -> tuple[float, float, float]:
    """Of boxes and wires, of their layout, and of the shapes and the SVG text."""
    gc.collect()
    gc.freeze()
    start = time.process_time()
    drawn = picture([graph], look=look)
    modelled = time.process_time()
    frame = drawn.diagrams[0].frame
    inside_of(frame, split(drawn.diagrams[0]), look)
    arranged = time.process_time()
    write_svg(drawn.scene)  # lays it out once more
    return modelled - start, arranged - modelled, time.process_time() - arranged - (arranged - modelled)


def large_networks() -> None:
    """Chains with sums, on a page of columns and in one; interleaved."""
    graphs = {blocks: generated(blocks) for blocks in (1_000, 10_000, 20_000)}
    for name, look in (("on a page", Look()), ("in one column", Look(columns=1))):
        rounds = [{blocks: seconds(graph, look) for blocks, graph in graphs.items()} for _ in range(3)]
        for blocks in graphs:
            model, layout, rest = (median(each[blocks][step] for each in rounds) for step in range(3))
            print(
                f"{blocks:,} blocks {name}: boxes and wires {model:.3f} s, "
                f"layout {layout:.3f} s, shapes and svg {rest:.3f} s"
            )
        growth = median(sum(each[20_000]) / sum(each[10_000]) for each in rounds)
        print(f"twice as many blocks take {growth:.2f} times as long")


def main() -> None:
    cold_start()
    large_networks()


if __name__ == "__main__":
    main()
