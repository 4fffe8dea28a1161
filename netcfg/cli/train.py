"""`netcfg train`: train a program into a run folder, or continue a run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.numbers import More, epochs, epochs_or_more, not_negative, positive, workers
from netcfg.cli.program import add_program_arguments, load_program
from netcfg.cli.resume import CONTINUED, Resumed, resume, take_up
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    import torch

    from netcfg.program import Program
    from netcfg.trainers.fit.trainer import Trainer
    from netcfg.trainers.machine.distributed import Team
    from netcfg.trainers.runs.run_folder import RunFolder

INTERRUPTED = 130  # what a shell reports for Ctrl-C
_GRACE_SECONDS = (
    5.0  # torchrun ends all processes as soon as one has failed: let the one that tells why speak first
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="the program; not needed with --resume")
    add_program_arguments(parser)
    add_training_arguments(parser, epochs_or_more, "instead of max_epochs; with --resume also `+N`: N more")
    add_saying_arguments(
        parser,
        "print the run folder only",
        "a line for every batch with its losses, which a GPU is waited for",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="continue the run in this folder (or in --run-dir)",
    )
    parser.add_argument("--checkpoint-seconds", type=float, help=argparse.SUPPRESS)  # tests want many
    parser.add_argument("--run-dir", metavar="DIR", help="where to put the run (default: runs/<file>-<n>)")


def add_training_arguments(
    parser: argparse.ArgumentParser,
    epochs: Callable[[str], int] = epochs,
    help: str = "instead of max_epochs",
) -> None:
    """How to train, whatever the file says: what a single run and the runs of a sweep have in common."""
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 (default: auto)"
    )
    parser.add_argument("--epochs", type=epochs, metavar="N", help=help)
    parser.add_argument(
        "--limit-batches", type=positive, metavar="N", help="at most N batches a split and epoch"
    )
    parser.add_argument("--seed", type=not_negative, metavar="N", help="of weights, order and augmentation")
    parser.add_argument("--workers", type=workers, metavar="N", help="processes that prepare data; 0: none")
    parser.add_argument(
        "--precision", choices=("f32", "bf16", "fp16"), help="of the signals, instead of the file's"
    )
    parser.add_argument(
        "--compile", action="store_true", default=None, help="generate code for the networks first"
    )


def run(options: argparse.Namespace) -> int:
    """Train. 0 when done, 130 after Ctrl-C (143, 129: SIGTERM, SIGHUP).

    Raises `NetcfgError` where the program or the machine refuses.

    Of several processes that `torchrun` started one prints: the first, or the first that failed.
    """
    try:
        return _train(options)
    except NetcfgError as error:
        if not _is_told_elsewhere(error):
            raise
        time.sleep(_GRACE_SECONDS)
        return 1
    except KeyboardInterrupt as stop:
        if stop.args:  # before it began
            raise
        print(
            "stopped at once; `netcfg train --resume RUN` continues from the last checkpoint", file=sys.stderr
        )
        return INTERRUPTED


def _train(options: argparse.Namespace) -> int:
    resumed = resume(options)
    if resumed is None and options.file is None:
        raise NetcfgError(
            "which file?\nhelp: `netcfg train FILE`, or `netcfg train --resume RUN`", code="NC801"
        )
    if isinstance(options.epochs, More):
        message = f"`--epochs +{options.epochs}` adds to the epochs of a run, and none is continued"
        raise NetcfgError(f"{message}\nhelp: `--resume RUN`, or `--epochs {options.epochs}`", code="NC801")
    # before torch: a file with mistakes is refused at once
    program = load_program(options.file, options) if resumed is None else resumed.program

    from netcfg.trainers.machine.allocation import keep_freed_memory
    from netcfg.trainers.machine.parent import end_with_parent

    end_with_parent()
    keep_freed_memory()
    from netcfg.trainers.machine.devices import choose_device, own_device
    from netcfg.trainers.machine.distributed import join, place_in_team

    rank, size, local = place_in_team()
    device = choose_device(options.device) if size == 1 else own_device(options.device, local)
    with join(device, rank, size) as team:
        return _train_in(team, device, program, options, resumed)


def _train_in(
    team: Team,
    device: torch.device,
    program: Program,
    options: argparse.Namespace,
    resumed: Resumed | None,
) -> int:
    """Train as one of a team, of which the first makes the run folder and holds it."""
    from netcfg.trainers.runs.lock import Lock
    from netcfg.trainers.runs.run_folder import RunFolder

    run_folder: RunFolder | None = None
    with ExitStack() as held:
        with team.together():
            if team.is_first:
                if resumed is None:
                    run_folder = _new_folder(program, options)
                else:
                    run_folder = RunFolder(resumed.folder, to_resume=True)
                held.enter_context(Lock(run_folder.path))
        shared = team.text(str(run_folder.path) if run_folder else "")
        trainer = _trainer(
            team, device, program, options, run_folder or RunFolder(Path(shared), resumed is not None)
        )
        _set_up(trainer, resumed, options)
        trainer.announce()
        code = 0 if trainer.fit() == "finished" else trainer.interrupt.code
        if team.is_first and saying(options) is Saying.QUIET:
            print(shown_path(trainer.run.path))
        return code


def _trainer(
    team: Team, device: torch.device, program: Program, options: argparse.Namespace, run_folder: RunFolder
) -> Trainer:
    from rich.console import Console

    from netcfg.trainers.fit.trainer import CHECKPOINT_SECONDS, Trainer
    from netcfg.trainers.runs.overriding import override

    often, said = options.checkpoint_seconds, saying(options)
    return Trainer(
        override(
            program,
            epochs=options.epochs,
            seed=options.seed,
            precision=options.precision,
            compile=options.compile,
        ),
        run_folder,
        device=device,
        workers=options.workers,
        limit_batches=options.limit_batches,
        console=Console(quiet=True) if said is Saying.QUIET else None,
        every_batch=said is Saying.VERBOSE,
        team=team,
        checkpoint_seconds=CHECKPOINT_SECONDS if often is None else often,
    )


def _set_up(trainer: Trainer, resumed: Resumed | None, options: argparse.Namespace) -> None:
    """Make everything; a fresh run that cannot begin leaves no folder."""
    try:
        trainer.setup(resume=resumed is not None)
    except BaseException:
        if resumed is None and trainer.team.is_first:
            trainer.run.discard()
        raise
    if resumed is not None:
        take_up(trainer, resumed, options)


def _new_folder(program: Program, options: argparse.Namespace) -> RunFolder:
    """A fresh run folder, with how it was started."""
    from netcfg.trainers.runs.run_folder import RunFolder

    run_folder = RunFolder.create(program, Path(options.run_dir) if options.run_dir else None)
    kept = {key: getattr(options, key) for key in CONTINUED}
    run_folder.write_json("run.json", {"program": program.name, "file": options.file, **kept})
    return run_folder


def _is_told_elsewhere(error: NetcfgError) -> bool:
    """Whether another process says it. Before they have met, all refuse alike, and the first speaks."""
    distributed = sys.modules.get("netcfg.trainers.machine.distributed")
    if distributed is not None and isinstance(error, distributed.PeerFailed):
        return bool(error.is_told)
    return int(os.environ.get("RANK") or 0) > 0 and not getattr(error, "is_agreed", False)
