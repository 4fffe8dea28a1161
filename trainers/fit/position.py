"""Where a run stands, and how that is read from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from netcfg.source import Finding, ProgramError
from netcfg.trainers.judging.evaluation import Sums
from netcfg.trainers.runs.ledger import Standing


@dataclass
class Position:
    """Where a run stands: whole epochs finished, and batches finished in the one after them.

    `sums` are the losses of the unfinished epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    sums: dict[str, Any] = field(default_factory=dict)


def read_position(state: Mapping[str, Any]) -> tuple[Position, Standing]:
    """Where a run stood, from its checkpoint. Raises `TypeError` or `ValueError` where that says no such thing."""
    of_standing = {one.name for one in fields(Standing)}
    position = Position(**{key: value for key, value in state.items() if key not in of_standing})
    standing = Standing(**{key: value for key, value in state.items() if key in of_standing})
    counts = (position.epoch, position.batch, position.step, standing.best_epoch, standing.stale)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("counts")
    Sums(**position.sums).means()
    return position, standing


def other_team(then: int, now: int) -> ProgramError:
    """A run cannot go on in another number of processes."""
    message = f"the run trained in {_processes(then)}, and would continue in {now}"
    help = f"`torchrun --nproc-per-node={then} -m netcfg train --resume RUN`: every process has a state of its own"
    return ProgramError([Finding("NC406", message, help=help)])


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"
