"""The trainer's step against the same step on contiguous tensors with plain Adam, as the AUNets' code has it.

    python tests/benchmarks/bench_step.py [FILE…] [--batch 4] [--rounds 5] [--precision f32 bf16] [--busy]

Each way has a process of its own, as a training has; they take the same batch in turn, so that a busy machine slows
both; the median of the rounds' ratios counts. `--busy` counts the processor time of one thread, for machines on which
others run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.program import Program
from netcfg.trainers.machine.allocation import keep_freed_memory
from netcfg.trainers.machine.devices import use_channels_last
from netcfg.trainers.step.phases import Phases

GOALS = {"f32": 1.5, "bf16": 2.4}
FILES = ("aunet_of_none.cfg", "aunet_of_horizontal.cfg")
Fields = dict[str, Tensor]
Step = Callable[[Fields, int], object]


def make_step(program: Program, plain: bool) -> Step:
    """The step of a program, the trainer's way or the plain one."""
    torch.manual_seed(0)
    networks = netcfg.build(program).train()
    if not plain:
        for network in networks.values():
            use_channels_last(network)
    phases = Phases(program, networks, torch.device("cpu"))
    if plain:
        for stepper in phases.steppers.values():
            stepper.optimizer = torch.optim.Adam(stepper.parameters, foreach=False, fused=False)
    return phases.step


def make_batch(program: Program, size: int, layout: torch.memory_format) -> Fields:
    """Random pictures and labels for all fields in use."""
    torch.manual_seed(1)
    fields = {}
    assert program.data is not None
    for name in program.data.used:
        shape = (size, *program.data.fields[name].shape)
        fields[name] = (
            torch.rand(shape).to(memory_format=layout)
            if len(shape) == 4
            else torch.randint(0, 2, shape).float()
        )
    return fields


def with_precision(program: Program, precision: str) -> Program:
    """The program under another precision."""
    return replace(program, training=program.training.model_copy(update={"precision": precision}))


def clock() -> float:
    """The time that counts: the wall's, or with `--busy` the processor's."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def seconds(step: Step, fields: Fields) -> float:
    """How long one step takes."""
    start = clock()
    step(fields, 0)
    return clock() - start


def work(connection: Connection, path: Path, preset: str | None, precision: str | None, batch: int) -> None:
    """Take a step whenever asked, and tell how long it took; without `precision` the plain way."""
    if precision is not None:
        keep_freed_memory()
    program = netcfg.load(path, preset=preset)
    step = make_step(with_precision(program, precision or "f32"), precision is None)
    layout = torch.contiguous_format if precision is None else torch.channels_last
    fields = make_batch(program, batch, layout)
    while (threads := connection.recv()) is not None:
        torch.set_num_threads(threads)
        connection.send(seconds(step, fields))


def compare(path: Path, precision: str, batch: int, rounds: int, preset: str | None) -> None:
    """Print the rounds of one file and precision, and the median of their ratios."""
    context = multiprocessing.get_context("spawn")
    ways = []
    for asked in (None, precision):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, path, preset, asked, batch), daemon=True)
        process.start()
        ways.append((ours, process))

    def take() -> list[float]:
        found = []
        for connection, _ in ways:
            connection.send(torch.get_num_threads())
            found.append(connection.recv())
        return found

    take()
    rows = [take() for _ in range(rounds)]
    for connection, process in ways:
        connection.send(None)
        process.join()
    print(f"{path.stem}, {precision}, batch {batch}")
    for plain, ours in rows:
        print(f"  plain {plain:.3f} s   ours {ours:.3f} s   ratio {plain / ours:.2f}", flush=True)
    ratio = statistics.median(plain / ours for plain, ours in rows)
    print(f"  median ratio {ratio:.2f} (goal {GOALS[precision]})", flush=True)


def main() -> None:
    """Compare every file in every precision."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[shipped_folder() / name for name in FILES])
    parser.add_argument("--batch", default=4, type=int)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--precision", nargs="+", choices=list(GOALS), default=list(GOALS))
    parser.add_argument("--preset")
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    if options.busy:
        torch.set_num_threads(1)
    for path in options.files:
        for precision in options.precision:
            compare(path, precision, options.batch, options.rounds, options.preset)


if __name__ == "__main__":
    main()
