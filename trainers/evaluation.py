"""Losses and metrics over a whole split."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from netcfg.datasets.pipeline import Pipeline
from netcfg.program import Program
from netcfg.trainers.step import Losses, signals, weighted_sum

Evaluation = dict[str, dict[str, object]]


class Sums:
    """Means of losses over samples, kept on their device until somebody reads them.

    `total` sums loss times samples, in double precision.
    """

    def __init__(self, totals: Mapping[str, float] | None = None, samples: int = 0) -> None:
        self.totals: dict[str, Tensor | float] = dict(totals or {})
        self.samples = samples

    def add(self, values: Mapping[str, Tensor], samples: int) -> None:
        """A batch's losses."""
        for name, value in values.items():
            self.totals[name] = self.totals.get(name, 0.0) + value.detach().double() * samples
        self.samples += samples

    def means(self) -> dict[str, float]:
        """The mean of each loss so far."""
        return {name: float(total) / max(1, self.samples) for name, total in self.totals.items()}

    def state(self) -> dict[str, object]:
        """As plain numbers, for a checkpoint; `Sums(**state)` brings them back."""
        return {
            "totals": {name: float(total) for name, total in self.totals.items()},
            "samples": self.samples,
        }


def evaluate(
    program: Program,
    networks: nn.ModuleDict,
    losses: Losses,
    pipeline: Pipeline,
    on_batch: Callable[[int, Sums], None] = lambda done, sums: None,
) -> dict[str, dict[str, object]]:
    """`{"losses": {name: mean, "loss": the sum minimised}, "metrics": {name: {figure: value}}}` of a split.

    The networks are in evaluation mode meanwhile, and afterwards. `on_batch` is called after every batch.
    """
    networks.eval()
    weights = total_weights(program)
    sums = Sums()
    gathered: dict[str, list[Tensor]] = {}
    wanted = {name for metric in program.metrics.values() for name in (metric.input, metric.target)}
    with torch.inference_mode():
        for done, batch in enumerate(pipeline.epoch(), start=1):
            flowing = signals(networks, program.networks, pipeline.finish(batch))
            values = losses(flowing, program.losses)
            sums.add({**values, "loss": weighted_sum(values, weights)}, batch.size)
            for name in wanted:
                gathered.setdefault(name, []).append(flowing[name].cpu())
            on_batch(done, sums)
    return {"losses": dict(sums.means()), "metrics": dict(_metrics(program, gathered))}


def total_weights(program: Program) -> dict[str, float]:
    """The factor of each loss in the sum over all phases."""
    weights: dict[str, float] = {}
    for phase in program.phases:
        for name, weight in phase.weights.items():
            weights[name] = weights.get(name, 0.0) + weight
    return weights


def _metrics(program: Program, gathered: Mapping[str, list[Tensor]]) -> dict[str, dict[str, float]]:
    joined = {name: torch.cat(parts) for name, parts in gathered.items()}
    specs = program.data.fields if program.data else {}
    return {
        name: metric.compute(
            joined[metric.input],
            joined[metric.target],
            specs[metric.target].names if metric.target in specs else (),
        )
        for name, metric in program.metrics.items()
    }
