"""The trainer's step against the same step on contiguous tensors with plain Adam.

    python tests/benchmarks/bench_step.py [FILE [BATCH [ROUNDS]]] [--preset demo]

Both take the same batch in turn, so that a busy machine slows both; the median of the rounds' ratios counts.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.trainers.devices import use_channels_last
from netcfg.trainers.phases import Phases

GOAL = 1.4


def make_step(program, plain):
    """The step of a program, the trainer's way or the plain one; and the layout of its pictures."""
    torch.manual_seed(0)
    networks = netcfg.build(program).train()
    if not plain:
        for network in networks.values():
            use_channels_last(network)
    phases = Phases(program, networks, torch.device("cpu"))
    if plain:
        for stepper in phases.steppers.values():
            stepper.optimizer = torch.optim.Adam(stepper.parameters, foreach=False, fused=False)
    return phases.step, torch.contiguous_format if plain else torch.channels_last


def make_batch(program, size, layout):
    """Random pictures and labels for all fields in use."""
    torch.manual_seed(1)
    fields = {}
    for name in program.data.used:
        shape = (size, *program.data.fields[name].shape)
        fields[name] = (
            torch.rand(shape).to(memory_format=layout)
            if len(shape) == 4
            else torch.randint(0, 2, shape).float()
        )
    return fields


def seconds(step, fields):
    start = time.perf_counter()
    step(fields, 0)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default=str(shipped_folder() / "aunet_of_none.cfg"), type=Path)
    parser.add_argument("batch", nargs="?", default=4, type=int)
    parser.add_argument("rounds", nargs="?", default=5, type=int)
    parser.add_argument("--preset")
    options = parser.parse_args()
    program = netcfg.load(options.file, preset=options.preset)
    (plain, plain_layout), (ours, our_layout) = make_step(program, True), make_step(program, False)
    batches = make_batch(program, options.batch, plain_layout), make_batch(program, options.batch, our_layout)
    seconds(plain, batches[0]), seconds(ours, batches[1])
    rows = [(seconds(plain, batches[0]), seconds(ours, batches[1])) for _ in range(options.rounds)]
    for row in rows:
        print(f"plain {row[0]:.3f} s   ours {row[1]:.3f} s   ratio {row[0] / row[1]:.2f}")
    ratio = statistics.median(first / second for first, second in rows)
    print(f"median ratio {ratio:.2f} (goal {GOAL})")


if __name__ == "__main__":
    main()
