"""`netcfg train --resume`: which run goes on, what it was started with, and what it is to change."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.numbers import More
from netcfg.cli.program import check_file, load_program, say_changes
from netcfg.opened import Run
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path

if TYPE_CHECKING:
    from netcfg.program import Program
    from netcfg.trainers.fit.trainer import Trainer
    from netcfg.trainers.runs.changes import Change

CONTINUED = (
    "preset",
    "settings",
    "data",
    "epochs",
    "seed",
    "limit_batches",
    "precision",
    "compile",
    "workers",
)
"""The options that make a run what it is: kept in `run.json`, and taken up again where they are not given."""


@dataclass(frozen=True)
class Resumed:
    """A run that goes on.

    `started` is its `run.json`, `own` its program so far, with the options it had, `program` the one it goes on with;
    `lines` say what was changed in the file, `options` what by other options.
    """

    folder: Path
    started: Mapping[str, Any]
    own: Program
    program: Program
    lines: list[str]
    options: list[str]
    is_limited_anew: bool
    """Whether epochs have another number of batches."""


def resume(options: argparse.Namespace) -> Resumed | None:
    """The run that `--resume` names; None without it. Fills in the options it was started with.

    Raises `NetcfgError` (NC406) for what would make it another run.
    """
    folder = _named_folder(options)
    if folder is None:
        return None
    from netcfg.trainers.runs.changes import changed_lines
    from netcfg.trainers.runs.overriding import override
    from netcfg.trainers.runs.run_folder import RunFolder

    run = RunFolder.open(folder, to_resume=True)
    started = run.read_json("run.json")
    own = Run(folder).program
    _expect_fixed(options, started, own, folder)
    is_changed = bool(options.preset or options.settings or options.data)
    if isinstance(options.epochs, More):
        options.epochs += started.get("epochs") or own.training.max_epochs
    given = argparse.Namespace(**vars(options))
    _fill_in(options, started, folder)
    program = _program(options, given, folder, started)
    if not is_changed:
        run.expect_program(program)
    lines = changed_lines(run, own, program) if is_changed else []
    _let_the_file_speak(options, given, own, program)
    return Resumed(
        folder,
        started,
        override(own, epochs=started.get("epochs")),
        program,
        lines,
        _option_lines(options, started, own),
        is_limited_anew=options.limit_batches != started.get("limit_batches"),
    )


def _named_folder(options: argparse.Namespace) -> Path | None:
    if options.resume is None:
        return None
    named = options.resume or options.run_dir
    if not named:
        raise NetcfgError(
            "which run?\nhelp: `netcfg train --resume RUN`, with the folder the run printed", code="NC801"
        )
    if options.resume and options.run_dir and Path(options.resume) != Path(options.run_dir):
        raise NetcfgError("a run continues in its own folder\nhelp: leave out `--run-dir`", code="NC801")
    return Path(named)


def _expect_fixed(
    options: argparse.Namespace, started: Mapping[str, Any], own: Program, folder: Path
) -> None:
    """Refuse (NC406) another seed or precision than the run has had, by an option or its file."""
    from netcfg.trainers.runs.changes import FIXED

    for key, reason in FIXED.items():
        asked, earlier = getattr(options, key), started.get(key)
        if asked is None or asked == (getattr(own.training, key) if earlier is None else earlier):
            continue
        had = f"{key} = {getattr(own.training, key)}" if earlier is None else f"--{key} {earlier}"
        message = f"{shown_path(folder)} was started with `{had}`, not with `--{key} {asked}`, and stays so: {reason}"
        help = "leave the option out to continue, or start a new run"
        raise ProgramError([Finding("NC406", message, help=help)])


def _fill_in(options: argparse.Namespace, started: Mapping[str, Any], folder: Path) -> None:
    earlier = started.get("settings") or []
    added = bool(options.settings or options.preset)
    options.settings = [*earlier, *options.settings]  # of two of a name the later counts
    if added and options.file is None:
        options.file = _own_file(started, folder)
    for key in CONTINUED:
        if getattr(options, key) in (None, []):
            setattr(options, key, started.get(key, getattr(options, key)))


def _own_file(started: Mapping[str, Any], folder: Path) -> str:
    """Variables and presets are the file's: a run's own copy has them replaced."""
    file = str(started.get("file") or "")
    if Path(file).is_file():
        return file
    gone = f"{file or 'it'} is gone"
    message = f"`--set` and `--preset` need the file that {shown_path(folder)} began with, and {gone}"
    help = "give it: `netcfg train FILE --resume RUN …`; `--data`, `--epochs` and `--compile` need no file"
    raise ProgramError([Finding("NC406", message, help=help)])


def _program(
    options: argparse.Namespace, given: argparse.Namespace, folder: Path, started: Mapping[str, Any]
) -> Program:
    """The program of the file, or of the run's own copy, in which presets and variables are applied."""
    program = load_program(options.file, options) if options.file is not None else None
    is_changed = say_changes(folder)
    if program is not None and not is_changed:
        return program
    if given.settings or given.preset:
        message = "`--set` and `--preset` need the run's Python files, which have changed"
        help = f"put them back from {shown_path(folder)}/extensions, or start a new run"
        raise ProgramError([Finding("NC406", message, help=help)])
    data = options.data if options.data != started.get("data") else None
    program, findings = check_file(str(folder / "resolved.cfg"), None, {}, data, allow_outside=True)
    if program is None:
        raise ProgramError(findings)
    return replace(program, name=str(started.get("program", "")))


def _let_the_file_speak(
    options: argparse.Namespace, given: argparse.Namespace, own: Program, program: Program
) -> None:
    """What the file says anew counts more than an option that the run was started with."""
    for key, field in (("epochs", "max_epochs"), ("workers", "workers")):
        is_new = getattr(own.training, field) != getattr(program.training, field)
        if is_new and getattr(given, key) is None:
            setattr(options, key, None)


def _option_lines(options: argparse.Namespace, started: Mapping[str, Any], own: Program) -> list[str]:
    """What other options change."""
    before: dict[str, Callable[[], str]] = {
        "epochs": lambda: f"`max_epochs = {own.training.max_epochs}`",
        "limit_batches": lambda: "no limit of batches",
        "workers": lambda: f"`workers = {own.training.workers}`",
        "compile": lambda: "`compile = False`",
    }
    lines = []
    for key, otherwise in before.items():
        earlier, now = started.get(key), getattr(options, key)
        if now != earlier and now is not None:
            had = otherwise() if earlier is None else f"`{_option(key, earlier)}`"
            lines.append(f"{had} is now `{_option(key, now)}`")
    return lines


def _option(key: str, value: object) -> str:
    name = f"--{key.replace('_', '-')}"
    return name if value is True else f"{name} {value}"


# --- when it is set up


def take_up(trainer: Trainer, resumed: Resumed, options: argparse.Namespace) -> None:
    """Apply a change where the run stands, say it, and make it the run's own.

    Raises `ProgramError` (NC406) where no epoch is left for what the file changes.
    """
    if trainer.is_complete:
        if resumed.lines:
            raise _too_late(trainer, resumed)
        return
    change = _applied(trainer, resumed)
    if trainer.team.is_first:
        _keep(trainer, resumed, options)
    if change is not None and trainer.team.is_first:
        from netcfg.trainers.runs.changes import record

        record(trainer.run, resumed.program, change)
        trainer.say(change.told)
    for line in trainer.rate_jumps(resumed.own.training.max_epochs):
        trainer.say(line)


def _applied(trainer: Trainer, resumed: Resumed) -> Change | None:
    """The change, after what it makes of an epoch under way and of the best one."""
    from netcfg.trainers.runs.changes import Change, begins_epoch_anew, judges_anew

    if not resumed.lines and not resumed.options:
        return None
    limited = resumed.is_limited_anew
    notes = []
    if trainer.position.batch and (limited or begins_epoch_anew(resumed.own, resumed.program)):
        trainer.begin_epoch_anew()
        notes.append("the epoch begins anew")
    if trainer.ledger.standing.best_epoch and (limited or judges_anew(resumed.own, resumed.program)):
        trainer.choose_best_anew()
        notes.append("the best epoch is chosen from here on")
    if notes:
        trainer.save()  # before the record: a run killed in between is one that has not changed yet
    epoch, batch = trainer.place
    return Change(epoch, batch, tuple(resumed.lines), (*resumed.options, *notes))


def _keep(trainer: Trainer, resumed: Resumed, options: argparse.Namespace) -> None:
    """Make the options those of the run, but for those that no run changes."""
    kept = {key: getattr(options, key) for key in CONTINUED if key not in ("seed", "precision")}
    trainer.run.write_json("run.json", {**resumed.started, **kept})


def _too_late(trainer: Trainer, resumed: Resumed) -> ProgramError:
    from netcfg.trainers.runs.run_folder import shortened

    message = f"{trainer.run} is complete, so that no epoch is left for what would change: {shortened(resumed.lines)}"
    help = f"`--epochs N` with more than {trainer.position.epoch}; `netcfg eval RUN --data DIR` judges other data"
    return ProgramError([Finding("NC406", message, help=help)])
