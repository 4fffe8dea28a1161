"""Training from Python: `netcfg.train(program, …)`, told of every epoch, gives the run that came of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.opened import Run
from netcfg.results import Epoch
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.program import Program


def train(
    program: Program,
    folder: str | os.PathLike[str] | None = None,
    *,
    each_epoch: Callable[[Epoch], object] | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    workers: int | None = None,
    limit_batches: int | None = None,
    quiet: bool = False,
) -> Run:
    """Train a program into a new run folder (`runs/NAME-N` by default), and give the run.

    `each_epoch` is called with every epoch that has ended, before the next begins. What it raises ends the training;
    the run can be continued by `netcfg train --resume`. So it does where Ctrl-C stopped it. With `quiet` nothing is
    printed: the run has it all. Raises `NetcfgError` where
    the program or the machine refuses.
    """
    from rich.console import Console

    from netcfg.trainers.fit.trainer import Trainer
    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.runs.lock import Lock
    from netcfg.trainers.runs.overriding import override
    from netcfg.trainers.runs.run_folder import RunFolder

    for name, value in (("epochs", epochs), ("limit_batches", limit_batches)):
        if value is not None and value < 1:
            raise NetcfgError(f"`{name}` must be at least 1, found {value}", code="NC801")

    class Told(RunFolder):
        """Tells of every epoch, as soon as its line is written."""

        def append_record(self, record: Epoch) -> None:
            super().append_record(record)
            if each_epoch is not None:
                each_epoch(record)

    chosen = choose_device(device)
    kept = RunFolder.create(program, Path(folder) if folder else None)
    started = {"program": program.name, "file": program.name, "preset": program.preset, "epochs": epochs}
    kept.write_json("run.json", {**started, "seed": seed, "limit_batches": limit_batches, "workers": workers})
    run = Told(kept.path)
    with Lock(run.path):
        trainer = Trainer(
            override(program, epochs=epochs, seed=seed),
            run,
            device=chosen,
            workers=workers,
            limit_batches=limit_batches,
            console=Console(quiet=True) if quiet else None,
        )
        try:
            trainer.setup(resume=False)
        except BaseException:
            run.discard()
            raise
        trainer.fit()
    return Run(run.path)
