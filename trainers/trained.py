"""Programs with the weights that training gave them: a run, or a file and its weights."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from netcfg.compile import load
from netcfg.program import Program
from netcfg.source import Finding, ProgramError, shown_path
from netcfg.trainers.checkpoints import load_weights
from netcfg.trainers.devices import use_channels_last
from netcfg.trainers.run_folder import RunFolder


@dataclass(frozen=True)
class Trained:
    """A program and its networks on their device; `name` is what a message calls it.

    `thresholds`: those that metrics chose on the validation split in training, by metric, one per label.
    """

    name: str
    program: Program
    networks: nn.ModuleDict
    thresholds: Mapping[str, Sequence[float]] = field(default_factory=dict)


def open_run(path: Path, device: torch.device, weights: Path | None = None) -> Trained:
    """A run's own program with its best weights, or with other `weights` of the same networks.

    Raises `NetcfgError` where it is no run, has no weights yet, or they belong to other networks.
    """
    run = RunFolder.open(path)
    program = replace(load(path / "resolved.cfg"), name=run.read_json("run.json")["program"])
    if weights is None and not run.checkpoints.best.is_file():
        message = f"{run} holds no weights yet: its first epoch has not ended"
        help = f"`netcfg train --resume {run}` continues it"
        raise ProgramError([Finding("NC601", message, help=help)])
    trained = with_weights(program, weights or run.checkpoints.best, device, str(run))
    return trained if weights is not None else replace(trained, thresholds=_chosen_thresholds(run))


def _chosen_thresholds(run: RunFolder) -> Mapping[str, Sequence[float]]:
    """Those of the epoch whose weights are the best."""
    best = [record for record in run.records(sys.maxsize, rewrite=False) if record["best"]]
    return best[-1]["validation"].get("thresholds", {}) if best else {}


def with_weights(program: Program, weights: Path, device: torch.device, name: str | None = None) -> Trained:
    """A program with a file of its networks' weights."""
    import netcfg

    networks = netcfg.build(program)
    load_weights(weights, networks)
    networks.to(device)
    for key, graph in program.networks.items():
        if any(len(signal.shape) >= 3 for signal in graph.inputs.values()):
            use_channels_last(networks[key])
    return Trained(name or shown_path(Path(program.name)), program, networks)
