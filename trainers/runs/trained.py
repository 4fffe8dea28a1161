"""Programs with the weights that training gave them: a run, or a file and its weights."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from netcfg.compile import check
from netcfg.opened import not_understood
from netcfg.passes.wire import MODEL
from netcfg.program import Program
from netcfg.source import Finding, ProgramError, shown_path
from netcfg.trainers.machine.devices import lay_out
from netcfg.trainers.runs.checkpoints import load_weights, metadata_of
from netcfg.trainers.runs.overriding import override
from netcfg.trainers.runs.run_folder import RunFolder

Labels = Mapping[str, Sequence[str]]
"""The names of labels by field, in the order in which networks are trained on them."""
Thresholds = Mapping[str, Sequence[float]]
"""Those that metrics have chosen on the validation split: by metric, one per label."""


_READINGS = 5
"""How often weights are read at most, where a run that trains replaces them meanwhile."""
_BETWEEN_SECONDS = 0.5
"""More than a run takes from writing its weights to writing the epoch's line."""


@dataclass(frozen=True)
class Trained:
    """A program and its networks on their device; `name` is what a message calls it."""

    name: str
    program: Program
    networks: nn.ModuleDict
    thresholds: Thresholds = field(default_factory=dict)
    weights: Path | None = None
    """The file that they are of, which also holds what the model remembers beside them."""


def open_run(path: Path, device: torch.device, weights: Path | None = None) -> Trained:
    """A run's own program with its best weights, or with other `weights` of the same networks.

    Raises `NetcfgError` where it is no run, has no weights yet, or they belong to other networks.
    """
    program = program_of_run(path)
    if weights is not None:
        return Trained(shown_path(path), program, networks_with(program, weights, device), weights=weights)
    best, run = weights_of_run(path), RunFolder(path)
    for _ in range(_READINGS):
        epoch = run.checkpoints.best_epoch()
        thresholds = chosen_thresholds(run)
        networks = networks_with(program, best, device)
        if (
            run.checkpoints.best_epoch() == epoch
        ):  # else the run, which still trains, has found a better one meanwhile
            break
    return Trained(shown_path(path), program, networks, thresholds or {}, best)


def program_of_run(path: Path, data: str | None = None) -> Program:
    """The program as a run trained it; on other data where `data` is a folder, whose labels are matched by name."""
    started = RunFolder.open(path).read_json("run.json")
    labels = None if data is None else trained_labels(path)
    program, findings = check(path / "resolved.cfg", data=data, allow_outside=True, labels=labels)
    if program is None:
        raise ProgramError(not_understood(path, findings))
    named = replace(program, name=str(started.get("program", program.name)))
    return override(named, seed=started.get("seed"), precision=started.get("precision"))


def trained_labels(run: Path) -> Labels:
    """The names of the labels that a run's networks were trained on, by field.

    Its weights tell, also where the data that it was trained on are gone; those of older runs do not, and its program
    does.
    """
    told = metadata_of(RunFolder(run).checkpoints.best)
    found = {
        key.removeprefix(_LABELS): tuple(names.split(", "))
        for key, names in told.items()
        if key.startswith(_LABELS)
    }
    if found:
        return found
    program, _ = check(run / "resolved.cfg", allow_outside=True)
    return {} if program is None else labels_of(program)


def labels_of(program: Program) -> Labels:
    """The names of labels by field, of those that the source gives and somebody reads."""
    if program.data is None:
        return {}
    data = program.data
    return {
        called: spec.names
        for part in data.each
        for called, name in data.called(part).items()
        if (spec := part.source.fields().get(name)) is not None
        and spec.kind == "vector"
        and len(spec.names) > 1
        and name in part.needed[0]
    }


_LABELS = "labels of "


def labels_told(program: Program) -> dict[str, str]:
    """The names of a program's labels as a file of weights keeps them."""
    return {f"{_LABELS}{name}": ", ".join(labels) for name, labels in labels_of(program).items()}


def expect_labels(program: Program, weights: Path) -> None:
    """Refuse (NC602) weights that were trained on other labels than the program's, or on them in another order.

    Files that say nothing of labels, as other programs' do, are taken as they are.
    """
    told = metadata_of(weights)
    specs = program.data.fields if program.data else {}
    for name, labels in labels_of(program).items():
        trained = told.get(f"{_LABELS}{name}", "")
        read = ", ".join(specs[name].names if name in specs else labels)
        if trained and trained != read:
            is_same = sorted(trained.split(", ")) == sorted(read.split(", "))
            what = "them in another order" if is_same else "others"
            message = f"{shown_path(weights)} was trained on the labels {trained}, and the program has {what}: {read}"
            help = "`action_units` as it was trained; `netcfg eval RUN --data DIR` matches those of other data by name"
            raise ProgramError([Finding("NC602", message, help=help)])


def weights_of_run(path: Path, which: str = "best") -> Path:
    """A run's `best` or `last` weights. Raises `ProgramError` (NC601) where it has none yet."""
    checkpoints = RunFolder.open(path).checkpoints
    file = checkpoints.last if which == "last" else checkpoints.best
    if not file.is_file():
        message = f"{shown_path(path)} holds no {which} weights yet: no epoch of it has finished"
        help = f"`netcfg train --resume {shown_path(path)}` goes on with it"
        raise ProgramError([Finding("NC601", message, help=help)])
    return file


def chosen_thresholds(run: RunFolder) -> Thresholds | None:
    """The thresholds that go with a run's best weights, by the number of their epoch; None where it has chosen none.

    Raises `ProgramError` (NC809) where the epoch's line is gone.
    """
    records = {record.epoch: record for record in run.records()}
    if not any(record.validation.thresholds for record in records.values()):
        return None
    number = run.checkpoints.best_epoch()
    if number is None:  # a file of somebody else's
        return None
    if number == max(records) + 1:  # a run that still trains has written its weights, and not yet its line
        time.sleep(_BETWEEN_SECONDS)
        records = {record.epoch: record for record in run.records()}
    if number not in records:
        message = (
            f"{run}/metrics.jsonl has no line of epoch {number}, whose thresholds go with the best weights"
        )
        best = shown_path(run.checkpoints.best)
        help = f"`netcfg eval {run}/resolved.cfg --weights {best}` searches for them anew"
        raise run.damaged(message, help)
    return records[number].validation.thresholds or None


def networks_with(program: Program, weights: Path, device: torch.device) -> nn.ModuleDict:
    """A program's networks on their device, with the weights of a file."""
    import netcfg

    networks = netcfg.build(program)
    expect_labels(program, weights)
    learned = [name for name, loss in program.losses.items() if loss.learns]
    load_weights(weights, networks, [MODEL, *learned])
    networks.to(device)
    lay_out(program.networks, networks)
    return networks
