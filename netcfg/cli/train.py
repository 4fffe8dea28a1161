"""`netcfg train`: train a program into a run folder, or continue a run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.program import add_program_arguments, check_file, load_program, say_changes
from netcfg.compile import load
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path

if TYPE_CHECKING:
    import torch

    from netcfg.program import Program
    from netcfg.trainers.machine.distributed import Team
    from netcfg.trainers.runs.run_folder import RunFolder

INTERRUPTED = 130  # what a shell reports for Ctrl-C
_GRACE_SECONDS = (
    5.0  # torchrun ends all processes as soon as one has failed: let the one that tells why speak first
)

_CONTINUED = ("preset", "settings", "data", "epochs", "seed", "limit_batches", "precision", "compile")
_FIXED = ("seed", "limit_batches", "precision")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="the program; not needed with --resume")
    add_program_arguments(parser)
    add_training_arguments(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="continue the run in this folder (or in --run-dir)",
    )
    parser.add_argument("--checkpoint-seconds", type=float, help=argparse.SUPPRESS)  # tests want many
    parser.add_argument("--run-dir", metavar="DIR", help="where to put the run (default: runs/<file>-<n>)")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """How to train, whatever the file says: what a single run and the runs of a sweep have in common."""
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 (default: auto)"
    )
    parser.add_argument("--epochs", type=positive, metavar="N", help="instead of max_epochs")
    parser.add_argument(
        "--limit-batches", type=positive, metavar="N", help="at most N batches a split and epoch"
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="of weights, order and augmentation")
    parser.add_argument(
        "--workers", type=not_negative, metavar="N", help="processes that prepare data; 0: none"
    )
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
    folder = _resumed_folder(options)
    if folder is None and options.file is None:
        raise NetcfgError("which file?\nhelp: `netcfg train FILE`, or `netcfg train --resume RUN`")
    is_changed = folder is not None and bool(options.preset or options.settings or options.data)
    earlier = _continue_with(options, folder)
    program = _load(options, folder, earlier)  # before torch: a file with mistakes is refused at once

    from netcfg.trainers.machine.allocation import keep_freed_memory
    from netcfg.trainers.machine.parent import end_with_parent

    end_with_parent()
    keep_freed_memory()
    from netcfg.trainers.machine.devices import choose_device, own_device
    from netcfg.trainers.machine.distributed import join, place_in_team

    rank, size, local = place_in_team()
    device = choose_device(options.device) if size == 1 else own_device(options.device, local)
    with join(device, rank, size) as team:
        return _train_in(team, device, program, options, folder, earlier, is_changed)


def _train_in(
    team: Team,
    device: torch.device,
    program: Program,
    options: argparse.Namespace,
    folder: Path | None,
    earlier: dict[str, Any],
    is_changed: bool,
) -> int:
    """Train as one of a team, of which the first makes the run folder."""
    own, lines = _changes(program, folder) if folder is not None and is_changed else (program, [])
    from netcfg.trainers.runs.lock import Lock

    run_folder: RunFolder | None = None
    with ExitStack() as held:
        with team.together():
            if team.is_first:
                if folder is not None:
                    held.enter_context(Lock(folder))
                run_folder = _run_folder(own, options, folder, earlier)
                if folder is None:
                    held.enter_context(Lock(run_folder.path))
        return _train_held(team, device, program, options, folder, run_folder, own, lines)


def _train_held(
    team: Team,
    device: torch.device,
    program: Program,
    options: argparse.Namespace,
    folder: Path | None,
    run_folder: RunFolder | None,
    own: Program,
    lines: Sequence[str],
) -> int:
    """Train in a run folder that is this team's alone. `own` is the run's program before the changes in `lines`."""
    from netcfg.trainers.fit.trainer import CHECKPOINT_SECONDS, Trainer
    from netcfg.trainers.runs.changes import begins_epoch_anew, record
    from netcfg.trainers.runs.overriding import override
    from netcfg.trainers.runs.run_folder import RunFolder

    shared = team.text(str(run_folder.path) if run_folder else "")
    run_folder = run_folder or RunFolder(Path(shared))
    often = options.checkpoint_seconds
    trainer = Trainer(
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
        team=team,
        checkpoint_seconds=CHECKPOINT_SECONDS if often is None else often,
    )
    try:
        trainer.setup(resume=folder is not None)
    except BaseException:
        if folder is None and team.is_first:
            run_folder.discard()
        raise
    if lines:
        if begins_epoch_anew(own, program):
            trainer.begin_epoch_anew()
        if team.is_first:
            print(record(run_folder, program, trainer.position.epoch + 1, lines))
    trainer.announce()
    return 0 if trainer.fit() == "finished" else trainer.interrupt.code


def _run_folder(
    program: Program, options: argparse.Namespace, folder: Path | None, earlier: dict[str, Any]
) -> RunFolder:
    """A fresh folder, or that of the run that is continued."""
    from netcfg.trainers.runs.run_folder import RunFolder

    if folder is None:
        run_folder = RunFolder.create(program, Path(options.run_dir) if options.run_dir else None)
        run_folder.write_json("run.json", _started_with(options, program))
    else:
        run_folder = _reopened(folder, program, options)
        kept = {key: getattr(options, key) for key in ("epochs", "compile", "preset", "settings", "data")}
        run_folder.write_json("run.json", {**earlier, **kept})
    return run_folder


def _is_told_elsewhere(error: NetcfgError) -> bool:
    """Whether another process says it. Before they have met, all refuse alike, and the first speaks."""
    distributed = sys.modules.get("netcfg.trainers.machine.distributed")
    if distributed is not None and isinstance(error, distributed.PeerFailed):
        return bool(error.is_told)
    return int(os.environ.get("RANK") or 0) > 0 and not getattr(error, "is_agreed", False)


def _resumed_folder(options: argparse.Namespace) -> Path | None:
    if options.resume is None:
        return None
    named = options.resume or options.run_dir
    if not named:
        raise NetcfgError("which run?\nhelp: `netcfg train --resume RUN`, with the folder the run printed")
    if options.resume and options.run_dir and Path(options.resume) != Path(options.run_dir):
        raise NetcfgError("a run continues in its own folder\nhelp: leave out `--run-dir`")
    return Path(named)


def _continue_with(options: argparse.Namespace, folder: Path | None) -> dict[str, Any]:
    """On resume, fill in what the run was started with; refuse (NC406) what would make it another run."""
    if folder is None:
        return {}
    from netcfg.trainers.runs.run_folder import RunFolder

    earlier: dict[str, Any] = RunFolder.open(folder).read_json("run.json")
    for key in _FIXED:
        asked = getattr(options, key)
        if asked is not None and asked != earlier.get(key):
            option = key.replace("_", "-")
            raise ProgramError(
                [
                    Finding(
                        "NC406",
                        f"{shown_path(folder)} was started with {_shown(option, earlier.get(key))}, "
                        f"not with `--{option} {asked}`",
                        help="leave the option out to continue, or start a new run",
                    )
                ]
            )
    options.settings = [
        *(earlier.get("settings") or []),
        *options.settings,
    ]  # of two of a name the later counts
    _expect_file(options, earlier, folder)
    for key in _CONTINUED:
        if getattr(options, key) in (None, []):
            setattr(options, key, earlier.get(key, getattr(options, key)))
    return earlier


def _expect_file(options: argparse.Namespace, earlier: dict[str, Any], folder: Path) -> None:
    """Variables and presets are the file's: a run's own copy has them replaced."""
    added = len(options.settings) - len(earlier.get("settings") or [])
    if options.file is not None or not (added or options.preset):
        return
    file = str(earlier.get("file") or "")
    if not Path(file).is_file():
        gone = f"{file or 'it'} is gone"
        message = f"`--set` and `--preset` need the file that {shown_path(folder)} began with, and {gone}"
        help = (
            "give it: `netcfg train FILE --resume RUN …`; `--data`, `--epochs` and `--compile` need no file"
        )
        raise ProgramError([Finding("NC406", message, help=help)])
    options.file = file


def _changes(program: Program, folder: Path) -> tuple[Program, list[str]]:
    """A run's own program, and the lines in which it changes."""
    from netcfg.trainers.runs.changes import changes
    from netcfg.trainers.runs.run_folder import RunFolder

    own = load(folder / "resolved.cfg", allow_outside=True)
    return own, changes(RunFolder.open(folder), own, program)


def _shown(option: str, value: object) -> str:
    return f"no `--{option}`" if value is None else f"`--{option} {value}`"


def _load(options: argparse.Namespace, folder: Path | None, earlier: dict[str, Any]) -> Program:
    """The program of the file, or of the run's own copy, in which presets and variables are applied."""
    program = load_program(options.file, options) if options.file is not None else None
    if folder is None:
        assert program is not None
        return program
    from netcfg.trainers.runs.run_folder import RunFolder

    is_changed = say_changes(folder)
    if program is not None and not is_changed:
        return program
    name = RunFolder.open(folder).read_json("run.json").get("program", "")
    data = options.data if options.data != earlier.get("data") else None
    program, findings = check_file(str(folder / "resolved.cfg"), None, {}, data, allow_outside=True)
    if program is None:
        raise ProgramError(findings)
    return replace(program, name=str(name))


def _reopened(folder: Path, program: Program, options: argparse.Namespace) -> RunFolder:
    from netcfg.trainers.runs.run_folder import RunFolder

    run_folder = RunFolder.open(folder)
    if options.file is not None:
        run_folder.expect_program(program)
    return run_folder


def _started_with(options: argparse.Namespace, program: Program) -> dict[str, Any]:
    """What `run.json` holds: the program's name, and the options that make the run what it is."""
    return {
        "program": program.name,
        "file": options.file,
        **{key: getattr(options, key) for key in _CONTINUED},
    }


def positive(text: str) -> int:
    """An argument's whole number, from 1."""
    return _whole_number(text, 1)


def not_negative(text: str) -> int:
    """An argument's whole number, from 0."""
    return _whole_number(text, 0)


def _seed(text: str) -> int:
    value = _whole_number(text, 0)
    if value >= 2**31:
        raise argparse.ArgumentTypeError(f"must be below 2147483648, found `{text}`")
    return value


def _whole_number(text: str, least: int) -> int:
    if not text.strip().lstrip("+").isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}, found `{text}`")
    return int(text)
