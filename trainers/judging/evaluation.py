"""Losses and metrics over a whole split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.judgement import CLIP, Case, Rows
from netcfg.datasets.pipeline import Batch, FrameBound, Pipeline
from netcfg.program import Program
from netcfg.results import Evaluation
from netcfg.source import NetcfgError
from netcfg.trainers.machine.distributed import ALONE, Team
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import HALF, BadSample, Losses, Precision, total_name, weighted_sum


class Sums:
    """Means of losses over all that counts, kept on their device until somebody reads them.

    `totals` sums loss times what counted, in double precision; `samples` sums what counted: samples, or as a loss's
    mask and weights have it. `parts` says of what losses, with what factors, the sums of phases are made.
    """

    def __init__(
        self,
        totals: Mapping[str, float] | None = None,
        samples: Mapping[str, float] | None = None,
        parts: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.totals: dict[str, Tensor | float] = dict(totals or {})
        self.samples: dict[str, Tensor | float] = dict(samples or {})
        self.parts = {name: dict(factors) for name, factors in (parts or {}).items()}

    def add(self, values: Mapping[str, Tensor], amounts: Mapping[str, Tensor | int], samples: int) -> None:
        """A batch's losses, and how much counted in each; where that is not said, its samples."""
        for name, value in values.items():
            amount = amounts.get(name, samples)
            amount = amount.detach().double() if isinstance(amount, Tensor) else amount
            self.totals[name] = self.totals.get(name, 0.0) + value.detach().double() * amount
            self.samples[name] = self.samples.get(name, 0) + amount

    def over(self, team: Team) -> Sums:
        """The sums over all processes. In each the same losses were computed, or none at all."""
        if team.size == 1:
            return self
        names = team.text("\n".join(self.totals)).splitlines()
        summed = team.sum(
            [*(float(self.totals.get(name, 0.0)) for name in names),
             *(float(self.samples.get(name, 0)) for name in names)]
        )  # fmt: skip
        totals, samples = summed[: len(names)], summed[len(names) :]
        return Sums(dict(zip(names, totals, strict=True)), dict(zip(names, samples, strict=True)), self.parts)

    def means(self) -> dict[str, float]:
        """The mean of each loss so far; one of which nothing has counted has none.

        That of a phase's sum is the sum of its losses' means: each is over what counts in it.
        """
        counted = {name: float(amount) for name, amount in self.samples.items()}
        means = {name: float(total) / counted[name] for name, total in self.totals.items() if counted[name]}
        for name, factors in self.parts.items():
            known = {loss: factor for loss, factor in factors.items() if loss in means}
            if name in means and all(loss in self.totals for loss in factors):
                means[name] = sum(means[loss] * factor for loss, factor in known.items())
            if name in means and not known:
                del means[name]
        return means

    def empty(self) -> list[str]:
        """The losses that were computed, and of which nothing has counted."""
        return [name for name, amount in self.samples.items() if not float(amount)]

    def state(self) -> dict[str, Any]:
        """As plain numbers, for a checkpoint; `Sums(**state)` brings them back."""
        totals = {name: float(total) for name, total in self.totals.items()}
        samples = {name: float(amount) for name, amount in self.samples.items()}
        return {"totals": totals, "samples": samples, "parts": self.parts}


def evaluate(
    model: Model,
    losses: Losses,
    pipeline: Pipeline,
    on_batch: Callable[[int, Sums], None] = lambda done, sums: None,
    batches: int | None = None,
    team: Team = ALONE,
    thresholds: Mapping[str, Sequence[float]] | None = None,
) -> Evaluation:
    """Losses and metrics of a split, or of its first `batches`.

    The losses are those that need no gradients, and the sums of phases that have no others. The networks are in
    evaluation mode meanwhile, and afterwards. `on_batch` is called after every batch. In a team each process
    computes its share, and all get the figures of the whole split. `thresholds` are those that metrics have chosen
    on the validation split; without them they choose on this one.
    """
    computed = computable(model.program, losses)
    sums, signals = gather(model, losses, pipeline, computed, on_batch, batches, team)
    return judge(model.program, signals, thresholds or {}, sums.means())


SMALL = 4096
"""Numbers a sample: signals that are no larger are kept for a whole split whether a metric needs them or not."""


class Signals(dict[str, Tensor]):
    """The signals of a split, in the order of its samples, and the rows that metrics have kept of it by metric."""

    def __init__(self, signals: Mapping[str, Tensor], rows: Mapping[str, Rows]) -> None:
        super().__init__(signals)
        self.rows = rows


def gather(
    model: Model,
    losses: Losses,
    pipeline: Pipeline,
    computed: Sequence[str],
    on_batch: Callable[[int, Sums], None] = lambda done, sums: None,
    batches: int | None = None,
    team: Team = ALONE,
    also: Sequence[str] = (),
) -> tuple[Sums, Signals]:
    """Some losses of a split, and in the order of its samples what metrics read of it, and the signals of `also`.

    Large signals of which all metrics that read them keep less are not kept themselves.
    """
    program, networks = model.program, model.networks
    set_training(program, networks, False)
    precision = Precision(program.training.precision, next(networks.parameters()).device)
    read = [name for metric in program.metrics.values() for name in metric.reads.values()]
    gathered = dict.fromkeys([*read, *also])
    wanted = dict.fromkeys(
        [*(read for name in computed for read in program.losses[name].reads.values()), *gathered]
    )
    sums = Sums(parts=_made_of(program, losses, computed))
    parts: dict[Part, list[Tensor]] = {}
    with torch.inference_mode():
        for done, batch in enumerate(islice(pipeline.epoch(), batches), start=1):
            model.chance.evaluate(batch.numbers)
            with precision():
                padded = model.padded(pipeline.finish(batch), wanted)
            with whose_sample(pipeline, batch):
                means = losses.of(model, padded, computed)
            values = {name: mean.value for name, mean in means.items()}
            amounts = {name: mean.amount for name, mean in means.items()}
            sums.add({**values, **_totals(program, losses, values)}, amounts, batch.size)
            signals = {name: model.packed_by_name([name], [padded[name]])[0] for name in gathered}
            for part, rows in _parts(program, signals, gathered, also):
                parts.setdefault(part, []).append(_plain(rows))
            on_batch(done, sums)
    joined = {part: torch.cat(rows) for part, rows in parts.items()}
    team.check()
    sums = sums.over(team)
    # A process without a single batch knows from the first one what there is to gather.
    told = [tuple(line.split("\t")) for line in team.text("\n".join(map("\t".join, joined))).splitlines()]
    bound = pipeline.sampler.bound
    whole = {part: _by_number(_in_order(joined.get(part), pipeline, team, batches), bound) for part in told}
    kept: dict[str, Rows] = {}
    for part, rows in whole.items():
        if len(part) == 2:
            kept.setdefault(part[0], {})[part[1]] = rows
    return sums, Signals({part[0]: rows for part, rows in whole.items() if len(part) == 1}, kept)


Part = tuple[str, ...]
"""A signal's name, or a metric's and that of rows it keeps."""


def _parts(
    program: Program, signals: Mapping[str, Tensor], gathered: Iterable[str], also: Sequence[str]
) -> Iterator[tuple[Part, Tensor]]:
    """What is kept of a batch."""
    needed = set(also)
    for name, metric in program.metrics.items():
        rows = metric.keep(_case(program, metric, signals, None))
        if rows is None:
            needed |= set(metric.reads.values())
        else:
            yield from (((name, key), kept) for key, kept in rows.items())
    for name in gathered:
        if name in needed or signals[name][:1].numel() <= SMALL:
            yield (name,), signals[name]


def _in_order(rows: Tensor | None, pipeline: Pipeline, team: Team, batches: int | None) -> Tensor:
    """The rows of a split, of all processes, as one process alone would have met them."""
    shares = team.gather(rows)
    if len(shares) == 1:
        return shares[0]
    portions = [
        torch.split(share, sizes)
        for share, sizes in zip(shares, pipeline.sampler.sizes(batches), strict=True)
    ]
    return torch.cat(
        [portion for batch in zip_longest(*portions) for portion in batch if portion is not None]
    )


def _by_number(rows: Tensor, bound: FrameBound | None) -> Tensor:
    """Rows in the order in which samples were shown, in that of their numbers: one a sample, or one a frame."""
    if bound is None or not bound.by_length:
        return rows
    back = torch.from_numpy(np.argsort(bound.order))
    if len(rows) == len(back):
        return rows[back]
    clips = torch.split(rows, bound.lengths[bound.order].tolist())
    return torch.cat([clips[place] for place in back.tolist()])


def _plain(tensor: Tensor) -> Tensor:
    """As metrics take it: on the processor, in single precision at least."""
    if tensor.dtype == torch.bool:
        tensor = tensor.to(torch.uint8)
    return (tensor.float() if tensor.dtype in HALF.values() else tensor).cpu()


@contextmanager
def whose_sample(pipeline: Pipeline, batch: Batch) -> Iterator[None]:
    """Inside, a target that a loss cannot take is told with the name of its sample."""
    try:
        yield
    except BadSample as error:
        raise error.of(pipeline.ids[batch.numbers[error.sample]]) from error


def _made_of(program: Program, losses: Losses, computed: Sequence[str]) -> dict[str, dict[str, float]]:
    """What the sums of the phases are made of, all of whose losses are computed."""
    return {
        total_name(program, phase): dict(losses.numbers.of_phase_at_end[phase.name])
        for phase in program.phases
        if all(name in computed for name in phase.weights)
    }


def _totals(program: Program, losses: Losses, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The sums of the phases all of whose losses were computed."""
    return {
        total_name(program, phase): weighted_sum(values, losses.numbers.of_phase_at_end[phase.name])
        for phase in program.phases
        if all(name in values for name in phase.weights)
    }


def expect_validation(program: Program) -> None:
    """Refuse a program without validation samples, where a metric chooses its threshold on them."""
    needing = [name for name, metric in program.metrics.items() if metric.needs_validation]
    if needing:
        raise NetcfgError(
            f"the metric `{needing[0]}` chooses its threshold on the validation split, which is empty\n"
            "help: `threshold = 0.5`, or data with a validation split",
            code="NC414",
        )


def judge(
    program: Program,
    signals: Mapping[str, Tensor],
    thresholds: Mapping[str, Sequence[float]],
    losses: Mapping[str, float],
) -> Evaluation:
    """What the metrics say of a split's signals, beside its losses."""
    kept = signals.rows if isinstance(signals, Signals) else {}
    verdicts = {
        name: metric.judge_rows(kept[name], _names(program, metric))
        if name in kept
        else metric.judge(_case(program, metric, signals, thresholds.get(name)))
        for name, metric in program.metrics.items()
    }
    judged = verdicts.values()
    return Evaluation(
        losses,
        {name: table for verdict in judged for name, table in verdict.tables.items()},
        {name: tuple(one.tables)[1:] for name, one in verdicts.items() if len(one.tables) > 1},
        {name: tuple(one.thresholds) for name, one in verdicts.items() if one.thresholds is not None},
        {matrix.name: matrix for verdict in judged for matrix in verdict.matrices},
        {curve.name: curve for verdict in judged for curve in verdict.curves},
    )


def _case(
    program: Program,
    metric: Metric,
    signals: Mapping[str, Tensor],
    thresholds: Sequence[float] | None,
) -> Case:
    reads = metric.reads
    compared = {option: signals[name] for option, name in reads.items()}
    spec = _target(program, metric)
    if spec is not None and spec.absent:
        # What the data do not label is left out of all that is judged by place.
        compared |= {
            key: _present(compared[key], spec) for key in ("input", "target", "mask") if key in compared
        }
        thresholds = None if thresholds is None else [thresholds[place] for place in spec.present]
    return Case(
        compared["input"],
        compared.get("target"),
        _names(program, metric),
        compared.get(CLIP),
        thresholds,
        compared.get("mask"),
        compared.get("group"),
        compared.get("interval_over"),
        compared.get("apart"),
    )


def _target(program: Program, metric: Metric) -> FieldSpec | None:
    """What its target is, where that is a field of the data."""
    specs = program.data.fields if program.data else {}
    return specs.get(metric.reads.get("target", ""))


def _present(values: Tensor, spec: FieldSpec) -> Tensor:
    """Of N×K the entries that the data label; what has fewer is no such list."""
    if values.ndim < 2 or values.shape[1] < len(spec.names):
        return values
    return values[:, list(spec.present)]


def _names(program: Program, metric: Metric) -> Sequence[str]:
    """Those of the labels or classes of its target, where they have some; without those that the data do not label."""
    spec = _target(program, metric)
    return [spec.names[place] for place in spec.present] if spec is not None else ()


def computable(program: Program, losses: Losses) -> list[str]:
    """The losses of an evaluation: those that need no gradients, nor labels that the data do not have, nor parameters
    that the weights do not have; of one that reads losses, none of these may.
    """
    return [
        name
        for name in program.judged_losses
        for made_of in [(name, *program.losses[name].losses)]
        if not losses.unknown & set(made_of) and not any(missing_labels(program, one) for one in made_of)
    ]


def missing_labels(program: Program, loss: str) -> tuple[str, ...]:
    """The labels that a loss reads and the data do not have."""
    specs = program.data.fields if program.data else {}
    read = [specs[name] for name in program.losses[loss].reads.values() if name in specs]
    return tuple(dict.fromkeys(name for spec in read for name in spec.absent))
