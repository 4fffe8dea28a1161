"""What can be known before the first batch, and would stop a run after an hour, or leave its figures empty."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.judgement import CLIP, Case
from netcfg.blocks.metrics.weighed import WeighedMetric
from netcfg.datasets.pipeline import Shown
from netcfg.datasets.samples.tables import opened
from netcfg.faults import told_of
from netcfg.graph import Node
from netcfg.passes.held import makes_again
from netcfg.passes.plan import network_of, plan
from netcfg.program import Program
from netcfg.results import Evaluation, Table
from netcfg.shapes import volume
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.judging.evaluation import missing_labels

MOST_LABELS = 50_000
"""Samples whose labels are looked at beforehand; in more, every label occurs, or it is said at the end."""
_SPARE = 1 << 20


# --- labels that the data do not have


def expect_labelled(program: Program) -> None:
    """Refuse (NC506) to train on labels of which the data have only some."""
    for phase in program.phases:
        for loss in phase.losses:
            lacking = missing_labels(program, loss)
            if lacking:
                message = (
                    f"the loss `{loss}` reads labels that the data do not have: {', '.join(lacking)}; such data can be "
                    "judged, not trained on"
                )
                help = "`names` of [match_labels] with those that are there, and as many outputs"
                raise ProgramError([Finding("NC506", message, program.loss_spans.get(loss), help=help)])


# --- splits that are read only later


def expect_readable(program: Program) -> None:
    """Open what is judged after an epoch, or after the last one, and read some samples of it: what lacks there, or
    cannot be read, would come to light only then. Raises what the source raises.
    """
    assert program.data is not None
    splits: tuple[Split, ...] = ("validation", "test")
    for part in program.data.each:
        for split in splits:
            if part.source.may_have(split):
                samples = opened(part.source, split, part.needed[0])
                with told_of(part.source, "__getitem__"):
                    for index in {0, len(samples) // 2, len(samples) - 1} if len(samples) else ():
                        samples[index]


# --- memory that nothing saves


def expect_gradients(program: Program) -> None:
    """Refuse (NC105) a `checkpoint` of a network that is only computed, so that nothing is kept for it anyway."""
    asking = {name for name, graph in program.networks.items() if makes_again(graph)}
    if not asking:
        return
    planned = plan(program)
    steps = [step for pattern in planned.patterns for step in pattern.step.phases]
    computed = (compute for step in steps for compute in step.computes if compute.history is not None)
    reached = {network_of(planned.model, compute.node) for compute in computed}
    reached |= {name for loss in program.losses.values() for name in loss.evaluates}
    for name in sorted(asking - reached):
        graph = program.networks[name]
        uses = [node.again.span for node in graph.nodes if node.again is not None]
        message = f"`checkpoint` saves nothing in `{name}`, through which no gradient comes"
        raise ProgramError([Finding("NC105", message, uses[0] if uses else graph.span, help="leave it out")])


# --- a batch that is too small


def expect_statistics(program: Program, networks: nn.ModuleDict, sampler: Shown) -> None:
    """Refuse (NC502) a batch of one sample, where a block in training takes statistics over the batch alone."""
    lonely = _lonely_sample(sampler)
    if lonely is None:
        return
    set_up = [(name, graph) for name, graph in program.networks.items() if graph.options.mode != "eval"]
    for name, graph in set_up:
        for path, module in networks[name].named_modules():
            node = _node_of(path, graph.nodes)
            if isinstance(module, _BatchNorm) and node is not None and _is_one_place(node):
                raise ProgramError([_too_small(program, name, node, lonely)])


def _lonely_sample(sampler: Shown) -> int | None:
    """The number of a sample, from 1 in the order of an epoch, that is all of some process's batch; None: no such."""
    last = sampler.samples_per_epoch - (sampler.batches - 1) * sampler.batch_size
    if sampler.batch_size // sampler.processes == 1:
        return 1
    return sampler.samples_per_epoch if -(-last // sampler.processes) == 1 else None


def _node_of(path: str, nodes: tuple[Node, ...]) -> Node | None:
    """The block whose module, or part of a module, lies at a path."""
    return next((node for node in nodes if path == node.path or path.startswith(f"{node.path}.")), None)


def _is_one_place(node: Node) -> bool:
    """Whether its statistics see one number of each sample, so that a single sample has no spread."""
    return volume(node.output.shape[1:]) == 1


def _too_small(program: Program, network: str, node: Node, sample: int) -> Finding:
    size = program.training.batch_size
    alone = f"sample {sample} of an epoch is alone in its batch (`batch_size = {size}`)"
    message = (
        f"{alone}, and `{network}.{node.path}` takes its statistics over a batch, for which it needs two"
    )
    help = "`drop_last = True` in [training] leaves it out, or another `batch_size`"
    if size == 1:
        help = "a `batch_size` from 2"
    return Finding("NC502", message, node.span, help=help)


def too_small_batch(error: BaseException | None) -> NetcfgError | None:
    """The same, where it came about in a way that was not foreseen; None for another error."""
    if "Expected more than 1 value per channel" not in str(error):
        return None
    message = (
        "a batch of one sample came to a block that takes its statistics over a batch, for which it needs two"
    )
    help = "`drop_last = True` in [training], or another `batch_size`"
    return ProgramError([Finding("NC502", message, help=help)])


# --- labels that a split lacks


def lacking_labels(program: Program) -> Iterator[str]:
    """A note for each split that lacks positives (or for pairs, negatives) of a label, or samples of a class."""
    splits: tuple[Split, ...] = ("train", "validation", "test")
    for split in splits:
        columns = dict(_columns(program, split))
        tables = Evaluation(tables=dict(_as_judged(program, columns))).note(split)
        classes = [
            text
            for name in _targets(program) & set(columns)
            for text in _absent(program, name, columns[name])
        ]
        if tables:
            yield f"note: {tables}"
        if classes:
            yield f"note: the {split} split has no sample of {', '.join(classes)}"


def _columns(program: Program, split: Split) -> Iterator[tuple[str, torch.Tensor]]:
    """What is judged, and by what it is weighed, as the source gives it: by field, N×labels or N classes."""
    data = program.data
    assert data is not None
    judges: list[Metric | Loss] = [*map(_without_draws, program.metrics.values()), *program.losses.values()]
    targets = _targets(program)
    fields = dict.fromkeys(name for judge in judges for name in judge.reads.values())
    for name in fields:
        # Of joined sources the first that has it.
        part = next((part for part in data.each if name in data.called(part)), data)
        given, own = part.source.fields(), data.called(part).get(name, name)
        if (
            not part.source.may_have(split)
            or own not in given
            or given[own] != data.fields.get(name)
            or (name in targets and not _is_judged(given[own]))
        ):
            continue
        with told_of(part.source, "__getitem__"):
            samples = part.source.open(split, [own])
            if not 0 < len(samples) <= MOST_LABELS:
                continue
            column = [torch.as_tensor(samples[index][own]) for index in range(len(samples))]
        yield name, torch.stack(column)


def _targets(program: Program) -> set[str]:
    """What metrics and losses compare with."""
    judges: list[Metric | Loss] = [*program.metrics.values(), *program.losses.values()]
    return {judge.reads.get("target", "") for judge in judges}


def _is_judged(spec: FieldSpec) -> bool:
    return spec.kind in ("vector", "class") and bool(spec.names)


def _as_judged(program: Program, columns: dict[str, torch.Tensor]) -> Iterator[tuple[str, Table]]:
    """What each metric would say of scores that are the labels themselves: it knows what it needs."""
    for metric in map(_without_draws, program.metrics.values()):
        reads = dict(metric.reads)
        target, _ = reads.get("target", ""), reads.pop("input", "")
        spec = program.data.fields.get(target) if program.data else None
        if spec is not None and spec.kind == "vector" and all(name in columns for name in reads.values()):
            labels = columns[target].float()
            also = {option: columns[name] for option, name in reads.items()}
            if any(len(column) != len(labels) for column in also.values()):
                continue  # of another of several sources
            case = Case(
                labels, labels, spec.names, also.get(CLIP), mask=also.get("mask"), groups=also.get("group")
            )
            yield from metric.judge(case).tables.items()


def _without_draws(metric: Metric) -> Metric:
    """The metric without its intervals, which say nothing of what is there."""
    if not isinstance(metric, WeighedMetric):
        return metric
    return metric.model_copy(update={"interval": None, "interval_over": None})


def _absent(program: Program, name: str, column: torch.Tensor) -> list[str]:
    """The classes of a field that no sample is of."""
    spec = program.data.fields[name] if program.data else None
    if spec is None or spec.kind != "class":
        return []
    present = set(column.reshape(-1).tolist())
    return [f"the class `{label}`" for place, label in enumerate(spec.names) if place not in present]


# --- a disk that is too small


def expect_room(folder: Path, networks: nn.Module, numbers_kept: int) -> None:
    """Refuse a disk that cannot hold a checkpoint beside the one before it, and the best weights.

    `numbers_kept`: what optimizers and averages keep, in numbers of four bytes.
    """
    weights = sum(one.numel() * one.element_size() for one in networks.state_dict().values())
    last = weights + 4 * numbers_kept
    there = sum(file.stat().st_size for file in folder.glob("checkpoints/*") if file.is_file())
    needed = 2 * last + weights + _SPARE - there
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise NetcfgError(
            f"the disk of {folder} has {free / 1e6:,.1f} MB free, and its checkpoints take {needed / 1e6:,.1f} MB: "
            "the last one, the one that replaces it, and the best weights\n"
            "help: make room, or give a folder on another disk with `--run-dir`",
            code="NC804",
        )
