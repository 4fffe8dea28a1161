"""Losses and metrics over a whole split."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, zip_longest
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netcfg.blocks.fields import SOURCES, FieldSpec
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.judgement import CLIP, Case, Rows, Verdict
from netcfg.datasets.pipeline import Batch, Batches, FrameBound
from netcfg.program import Program
from netcfg.results import Evaluation
from netcfg.source import NetcfgError
from netcfg.trainers.judging.answers import NoClass
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

    def expect_sums(self) -> None:
        """Have the sums of phases be those of their losses' means, though no batch has all of these."""
        for name, factors in self.parts.items():
            if all(loss in self.totals for loss in factors):
                self.totals.setdefault(name, 0.0)
                self.samples.setdefault(name, 1)

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
    pipeline: Batches,
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

    def __init__(
        self,
        signals: Mapping[str, Tensor],
        rows: Mapping[str, Rows],
        judged: Collection[str],
        sources: Tensor | None = None,
    ) -> None:
        super().__init__(signals)
        self.rows = rows
        self.judged = judged
        """The metrics that some sample of the split tells something of."""
        self.sources = sources
        """Of joined sources the one of each sample. In a gap stand zeros, which are judged by no metric."""


def gather(
    model: Model,
    losses: Losses,
    pipeline: Batches,
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
    told = Told(model, pipeline)
    computed = [name for name in computed if told.losses[name]]
    judged = [name for name in program.metrics if told.metrics[name]]
    read = [name for metric in judged for name in program.metrics[metric].reads.values()]
    gathered = dict.fromkeys([*read, *also])
    sums = Sums(parts=_made_of(program, losses, computed))
    parts: dict[Part, list[Tensor | int]] = {}
    samples = 0
    with torch.inference_mode():
        for done, batch in enumerate(islice(pipeline.epoch(), batches), start=1):
            model.chance.evaluate(batch.numbers)
            fields = pipeline.finish(batch)
            here = told.source_of(fields)
            counting = [name for name in computed if here in told.losses[name]]
            known = [name for name in gathered if here in told.signals[name]]
            wanted = dict.fromkeys(
                [*(read for name in counting for read in program.losses[name].reads.values()), *known]
            )
            with precision():
                padded = model.padded(fields, wanted)
            with whose_sample(pipeline, batch):
                means = losses.of(model, padded, counting)
            values = {name: mean.value for name, mean in means.items()}
            amounts = {name: mean.amount for name, mean in means.items()}
            sums.add({**values, **_totals(program, losses, values)}, amounts, batch.size)
            signals = {name: model.packed_by_name([name], [padded[name]])[0] for name in known}
            of_batch = [name for name in judged if here in told.metrics[name]]
            with whose_sample(pipeline, batch):
                kept_now = dict(_parts(program, of_batch, signals, known, also))
            if told.in_turn:
                kept_now[WHOSE] = fields[SOURCES]
                for part in [part for part in kept_now if part not in parts]:
                    parts[part] = [samples] if samples else []
                for part in [part for part in parts if part not in kept_now]:
                    parts[part].append(batch.size)
            for part, rows in kept_now.items():
                parts.setdefault(part, []).append(_plain(rows))
            samples += batch.size
            on_batch(done, sums)
    if told.in_turn:
        sums.expect_sums()
    joined = {part: _with_gaps(rows) for part, rows in parts.items()}
    team.check()
    sums = sums.over(team)
    # A process without a single batch knows from the first one what there is to gather.
    there = [tuple(line.split("\t")) for line in team.text("\n".join(map("\t".join, joined))).splitlines()]
    bound = pipeline.sampler.bound
    whole = {part: _by_number(_in_order(joined.get(part), pipeline, team, batches), bound) for part in there}
    kept: dict[str, Rows] = {}
    for part, rows in whole.items():
        if len(part) == 2:
            kept.setdefault(part[0], {})[part[1]] = rows
    sources = whole.pop(WHOSE, None)
    signals = {part[0]: rows for part, rows in whole.items() if len(part) == 1}
    return sums, Signals(signals, kept, judged, sources)


class Told:
    """Which sources tell, in a split, of each signal, loss and metric: the places of those whose samples count."""

    def __init__(self, model: Model, pipeline: Batches) -> None:
        program = model.program
        data = program.data
        self.in_turn = data is not None and data.joined is not None
        """Whether each batch is of one source."""
        present = pipeline.present if self.in_turn else frozenset([0])
        self.signals: dict[str, frozenset[int]] = dict.fromkeys(program.signals, present)
        if data is not None and data.parts:
            for name in program.signals:
                fields = model.reads((name,))
                if pipeline.lacking.intersection(fields):
                    self.signals[name] = frozenset()
                elif self.in_turn:
                    self.signals[name] = present.intersection(*map(data.givers, fields))
        self.losses = {
            name: self._of(loss.reads.values(), program.loss_sources.get(name))
            for name, loss in program.losses.items()
        }
        for name, loss in program.losses.items():
            if loss.losses:
                self.losses[name] = present.intersection(*(self.losses[one] for one in loss.losses))
        self.metrics = {
            name: self._of(metric.reads.values(), program.metric_sources.get(name))
            for name, metric in program.metrics.items()
        }

    def _of(self, reads: Iterable[str], counting: frozenset[int] | None) -> frozenset[int]:
        told = [self.signals[name] for name in reads if name in self.signals]
        found = frozenset.intersection(*told) if told else frozenset([0])
        return found if counting is None else found & counting

    def source_of(self, fields: Mapping[str, Tensor]) -> int:
        """The source that a batch is of."""
        return int(fields[SOURCES][0]) if self.in_turn else 0


def _with_gaps(rows: Sequence[Tensor | int]) -> Tensor:
    """Rows of all batches; where a number of samples stands that have none, as many zeros."""
    some = next(one for one in rows if isinstance(one, Tensor))
    return torch.cat(
        [one if isinstance(one, Tensor) else some.new_zeros(one, *some.shape[1:]) for one in rows]
    )


Part = tuple[str, ...]
"""A signal's name, or a metric's and that of rows it keeps; or which source each sample is of."""
WHOSE: Part = (SOURCES, "", "")


def _parts(
    program: Program,
    judged: Iterable[str],
    signals: Mapping[str, Tensor],
    gathered: Iterable[str],
    also: Sequence[str],
) -> Iterator[tuple[Part, Tensor]]:
    """What is kept of a batch."""
    needed = set(also)
    for name in judged:
        metric = program.metrics[name]
        rows = metric.keep(_case(program, metric, signals, None))
        if rows is None:
            needed |= set(metric.reads.values())
        else:
            yield from (((name, key), kept) for key, kept in rows.items())
    for name in gathered:
        if name in needed or signals[name][:1].numel() <= SMALL:
            yield (name,), signals[name]


def _in_order(rows: Tensor | None, pipeline: Batches, team: Team, batches: int | None) -> Tensor:
    """The rows of a split, of all processes, as one process alone would have met them."""
    shares = team.gather(rows)
    if len(shares) == 1:
        return shares[0]
    counts = pipeline.sampler.sizes(batches)
    if shares:
        # A process that has no sample of a source knows nothing of its signals.
        some = max(shares, key=len)
        shares = [
            share
            if len(share) or not sum(sizes) or not len(some)
            else some.new_zeros(sum(sizes), *some.shape[1:])
            for share, sizes in zip(shares, counts, strict=True)
        ]
    portions = [torch.split(share, sizes) for share, sizes in zip(shares, counts, strict=True)]
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
def whose_sample(pipeline: Batches, batch: Batch) -> Iterator[None]:
    """Inside, a target that a loss or metric cannot take is told with the name of its sample."""
    try:
        yield
    except BadSample as error:
        raise error.of(pipeline.ids[batch.numbers[error.sample]]) from error
    except NoClass as error:
        if error.rows != batch.size:  # of frames, of which a sample has several
            raise
        raise error.of(pipeline.ids[batch.numbers[error.row]]) from error


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
    verdicts: dict[str, Verdict] = {}
    for name in signals.judged if isinstance(signals, Signals) else program.metrics:
        verdicts[name] = _of_each_source(program, name, signals, thresholds.get(name))
    judged = verdicts.values()
    return Evaluation(
        losses,
        {name: table for verdict in judged for name, table in verdict.tables.items()},
        {name: tuple(one.tables)[1:] for name, one in verdicts.items() if len(one.tables) > 1},
        {name: tuple(one.thresholds) for name, one in verdicts.items() if one.thresholds is not None},
        {matrix.name: matrix for verdict in judged for matrix in verdict.matrices},
        {curve.name: curve for verdict in judged for curve in verdict.curves},
    )


def _of_each_source(
    program: Program, name: str, signals: Mapping[str, Tensor], thresholds: Sequence[float] | None
) -> Verdict:
    """What a metric says; of samples of several joined sources also a table for each."""
    sources = signals.sources if isinstance(signals, Signals) else None
    if sources is None or program.data is None:
        return _verdict(program, name, signals, thresholds, None)
    told = program.metric_sources.get(name, frozenset(range(len(program.data.parts))))
    places = sorted(told.intersection(sources.tolist()))
    whole = _verdict(program, name, signals, thresholds, torch.isin(sources, torch.tensor(places)))
    tables = dict(whole.tables)
    for place in places if len(places) > 1 else ():
        called = f"{name}_{program.data.parts[place].name}"
        if called not in program.metrics:
            of_source = _verdict(program, name, signals, whole.thresholds or thresholds, sources == place)
            first = next(iter(of_source.tables.values()))
            tables[called] = first._replace(name=called)
    return whole._replace(tables=tables)


def _verdict(
    program: Program,
    name: str,
    signals: Mapping[str, Tensor],
    thresholds: Sequence[float] | None,
    chosen: Tensor | None,
) -> Verdict:
    """What a metric says of the samples that are chosen, or of all."""
    metric = program.metrics[name]
    kept = signals.rows if isinstance(signals, Signals) else {}

    def of(rows: Tensor) -> Tensor:
        return rows if chosen is None else rows[chosen]

    if name in kept:
        return metric.judge_rows({key: of(rows) for key, rows in kept[name].items()}, _names(program, metric))
    read = {one: of(signals[one]) for one in metric.reads.values()}
    return metric.judge(_case(program, metric, read, thresholds))


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
