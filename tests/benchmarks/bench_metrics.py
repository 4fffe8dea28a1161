"""The metrics over a long split: 100,000 samples of 12 action units, and two codes of 128 and 64 components.

    python tests/benchmarks/bench_metrics.py [SAMPLES]

Beside them, as a measure of the machine, one plain sort of the same scores as whole numbers.
"""

import argparse
import statistics
import time

import numpy as np
import torch

from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.judgement import Case
from netcfg.blocks.metrics.two_afc import TwoAfc
from netcfg.blocks.metrics.variance import Variance
from netcfg.blocks.metrics.xcov import Xcov

UNITS = 12
ROUNDS = 7
GOAL = 0.25


def seconds(run):
    """The median of a few rounds, after one that counts for nothing."""
    run()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", nargs="?", default=100_000, type=int)
    samples = parser.parse_args().samples
    torch.manual_seed(0)
    scores = torch.randn(samples, UNITS)
    labels = (torch.rand(samples, UNITS) < 0.2).float()
    z1, z2 = torch.randn(samples, 128), torch.randn(samples, 64)
    names = [f"AU{unit}" for unit in range(UNITS)]
    pair, codes = {"input": "Net", "target": "labels"}, {"input": "z1", "target": "z2"}

    keys = scores.numpy().view(np.int32).astype(np.int64)
    print(f"a sort of {keys.size} whole numbers {seconds(lambda: np.sort(keys, axis=None)) * 1e3:7.1f} ms")
    print(f"torch.sort of the scores     {seconds(lambda: scores.flatten().sort()) * 1e3:10.1f} ms")
    took = seconds(lambda: TwoAfc(**pair).compute(scores, labels, names))
    print(f"two_afc                      {took * 1e3:10.1f} ms (goal {GOAL * 1e3:.0f})")
    coarse = scores.round(decimals=2)
    print(
        f"two_afc, mostly ties         {seconds(lambda: TwoAfc(**pair).compute(coarse, labels, names)) * 1e3:10.1f} ms"
    )
    for metric in (F1(**pair), Accuracy(**pair)):
        print(
            f"{metric.type_name:28} {seconds(lambda m=metric: m.compute(scores, labels, names)) * 1e3:10.1f} ms"
        )
    clips = torch.arange(samples) // 500
    windows = F1(**pair, threshold="validation", median_window=(1, 3, 5, 7), baselines=True)
    took = seconds(lambda: windows.judge(Case(scores, labels, names, clips)))
    print(f"f1, a threshold, 4 windows   {took * 1e3:10.1f} ms")
    print(f"xcov                         {seconds(lambda: Xcov(**codes).compute(z1, z2, ())) * 1e3:10.1f} ms")
    print(
        f"variance                     {seconds(lambda: Variance(input='z2').compute(z2, None, ())) * 1e3:10.1f} ms"
    )


if __name__ == "__main__":
    main()
