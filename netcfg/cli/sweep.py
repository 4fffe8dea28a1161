"""`netcfg sweep`: the runs of a program for every choice of some variables, ending in one table."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.blocks.values import number_in, read_text, split_list
from netcfg.cli.numbers import positive
from netcfg.cli.program import add_program_arguments, check_file, settings_of
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.cli.train import INTERRUPTED, add_training_arguments
from netcfg.source import NetcfgError, render, shown_path, sorted_findings

if TYPE_CHECKING:
    from netcfg.program import Program
    from netcfg.trainers.sweeps.display import SweepDisplay
    from netcfg.trainers.sweeps.folder import Run, SweepFolder
    from netcfg.trainers.sweeps.launchers import Launcher
    from netcfg.trainers.sweeps.sweep import Sweep

Values = dict[str, str]

_KEPT = ("preset", "data", "epochs", "limit_batches", "seed", "precision", "compile")
"""Settings of the command line that make the runs what they are."""
_SEED = "seed"
_MODULES = {"slurm": "submitit", "ray": "ray"}
"""What launchers of clusters work by."""
PROGRAM = "program"
"""What tells several files apart, as a variable does runs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a program, or several: each is a row of the tables, `program`",
    )
    parser.add_argument(
        "--over",
        metavar="NAME=A,B,C",
        action="append",
        default=[],
        required=True,
        help="run with each of these values of a variable; repeatable: every choice of all of them. "
        "Of the last one are the columns of the tables. `seed` is the runs' seed, where no variable is called so",
    )
    add_program_arguments(parser)
    add_training_arguments(parser)
    add_saying_arguments(
        parser, "the tables only, and which runs failed", "also the command of every run, as it begins"
    )
    parser.add_argument(
        "--jobs", type=positive, metavar="N", help="so many runs at a time (default: 1, on a cluster all)"
    )
    parser.add_argument(
        "--launcher",
        choices=("local", "slurm", "ray"),
        default="local",
        help="where runs work: here (the default), as jobs of Slurm (`pip install 'netcfg[slurm]'`), or on a Ray "
        "cluster (`pip install 'netcfg[ray]'`), whose machines share these folders. A run that is lost with its "
        "machine goes on from its checkpoint",
    )
    parser.add_argument(
        "--resource",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="with slurm or ray: what each run is given, e.g. partition=gpu, gpus_per_node=1, timeout_min=600; "
        "num_gpus=1, address=HOST:PORT; repeatable",
    )
    parser.add_argument(
        "--curve",
        metavar="NAME",
        help="also draw each metric over the numbers of this variable, means over all others, into `figures`",
    )
    parser.add_argument("--run-dir", metavar="DIR", help="where to put the runs (default: runs/<file>-sweep)")


def run(options: argparse.Namespace) -> int:
    """Work the runs off. 0 when all are finished, 1 where some failed, 130 after Ctrl-C."""
    over = read_over(options.over)
    files = named_files(options.files)
    if len(files) > 1:
        if PROGRAM in over:
            raise NetcfgError(
                f"--over {PROGRAM}: several files are told apart by that name\nhelp: call the variable otherwise",
                code="NC801",
            )
        over = {PROGRAM: list(files), **over}
    if options.curve is not None:
        expect_numbers(options.curve, over)
    given = resources(options)
    if options.launcher != "local":
        expect(_MODULES[options.launcher], options.launcher)
    programs = load_all(options, over, files)  # before torch: a file with mistakes is refused at once

    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.runs.overriding import override
    from netcfg.trainers.sweeps.folder import Run, SweepFolder, folder_name
    from netcfg.trainers.sweeps.sweep import Sweep

    devices = options.device.split(",")
    for name in devices if options.launcher == "local" else ():  # others are those of machines elsewhere
        choose_device(name)
    folder = SweepFolder(
        Path(options.run_dir or _default_folder(options.files[0] if len(files) == 1 else "programs"))
    )
    settings = _settings(options, over, files)
    folder.open(settings)
    try:
        runs = [
            Run(values, override(program, epochs=options.epochs), folder.path / folder_name(values))
            for values, program in programs
        ]
        folder.expect_programs(runs)
        jobs = options.jobs or (1 if options.launcher == "local" else len(runs))
        launcher = launcher_of(options.launcher, folder, jobs, given)
        sweep = Sweep(folder, runs, jobs, Command(options, over, devices, files), launcher)
        return _work(sweep, over, settings, options.curve, saying(options))
    finally:
        folder.close()


def expect_numbers(name: str, over: dict[str, list[str]]) -> None:
    """Refuse a curve over what is not swept over, or is no two numbers at least."""
    if name not in over:
        raise NetcfgError(
            f"--curve {name}: the runs do not differ in `{name}`\nhelp: `--over {name}=A,B,C`", code="NC801"
        )
    wrong = next((value for value in over[name] if number_in(value) is None), None)
    if wrong is not None:
        raise NetcfgError(
            f"--curve {name}: `{wrong}` is no number, and has no place on an axis", code="NC801"
        )
    if len(over[name]) < 2:
        raise NetcfgError(f"--curve {name}: a curve takes two values at least", code="NC801")


def _work(
    sweep: Sweep, over: dict[str, list[str]], settings: dict[str, Any], curve: str | None, said: Saying
) -> int:
    from rich.console import Console

    from netcfg.trainers.sweeps.display import SweepDisplay
    from netcfg.trainers.sweeps.summary import draw_curves, write_summary

    console = Console()
    written = sweep.folder.path, sweep.runs, list(over), settings
    write_summary(*written)
    shown = Console(quiet=True) if said is Saying.QUIET else console
    display = SweepDisplay(shown, sweep, with_commands=said is Saying.VERBOSE)
    display.say(f"sweep folder: {shown_path(sweep.folder.path)}, {_counted(sweep.runs)}")
    try:
        is_done = sweep.work(display.changed, display.tick)
    finally:
        display.close()
    for grid in write_summary(*written):
        console.print(grid.as_text())
    if curve is not None:
        for file in draw_curves(sweep.folder.path, sweep.runs, list(over), curve):
            display.say(f"drawn: {shown_path(file)}")
    _say_end(sweep, display, is_done)
    if said is Saying.QUIET and sweep.of("failed"):
        print("\n".join(_failures(sweep)), file=sys.stderr)
    return INTERRUPTED if not is_done else int(bool(sweep.of("failed", "waiting", "stopped")))


def _counted(runs: Sequence[Run]) -> str:
    finished = sum(run.state == "finished" for run in runs)
    continued = sum(run.state == "waiting" and run.can_continue for run in runs)
    parts = [f"{len(runs)} run{'s' if len(runs) != 1 else ''}"]
    parts += [f"{finished} finished before"] if finished else []
    parts += [f"{continued} to continue"] if continued else []
    return ", ".join(parts)


def _say_end(sweep: Sweep, display: SweepDisplay, is_done: bool) -> None:
    for text in _failures(sweep):
        display.say(text)
    unfinished = len(sweep.runs) - len(sweep.of("finished"))
    if sweep.gave_up:
        display.say("stopped: every run so far has failed in this same way")
    if unfinished:
        what = "stopped; " if not is_done else ""
        display.say(
            f"{what}{unfinished} of {len(sweep.runs)} runs are not finished; the same command goes on"
        )
    display.say(f"sweep folder: {shown_path(sweep.folder.path)} (sweep.csv, sweep.tex, sweep.json)")


def _failures(sweep: Sweep) -> Iterator[str]:
    """What is said of the runs that failed."""
    for message, runs in _by_message(sweep.of("failed")).items():
        logs = f"more in {shown_path(runs[0].log)} and {runs[0].errors.name}"
        names = "; ".join(run.title for run in runs)
        yield f"failed: {names}\n{_indented(message)}\n    {logs}"


def _by_message(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs that failed, by why: what is the same is said once."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.message, []).append(run)
    return found


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


# --- what is asked for


def read_over(written: list[str]) -> dict[str, list[str]]:
    """The values of each variable. Raises `NetcfgError` where one has none, or is named twice."""
    over: dict[str, list[str]] = {}
    for text in written:
        name, equals, values = text.partition("=")
        name, items = name.strip(), [read_text(item) for item in split_list(values)]
        if not equals or not name or not all(items):
            raise NetcfgError(f"--over {text}: write it as NAME=A,B,C, e.g. --over fold=0,1,2", code="NC801")
        if name in over:
            raise NetcfgError(f"--over names `{name}` twice\nhelp: write all its values in one", code="NC801")
        if len(set(items)) < len(items):
            raise NetcfgError(f"--over {text}: a value stands there twice", code="NC801")
        over[name] = items
    return over


def named_files(files: Sequence[str]) -> dict[str, str]:
    """The files by what tells them apart: their names without endings. Raises `NetcfgError` where two are alike."""
    found: dict[str, str] = {}
    for file in files:
        name = Path(file).stem
        if name in found:
            raise NetcfgError(
                f"{found[name]} and {file} are both called `{name}`\nhelp: give one of them another name",
                code="NC801",
            )
        found[name] = file
    return found


def load_all(
    options: argparse.Namespace, over: dict[str, list[str]], files: dict[str, str]
) -> list[tuple[Values, Program]]:
    """The program for every choice. Raises `NetcfgError` with all that is wrong, each mistake once."""
    settings = settings_of(options)
    twice = sorted(over.keys() & settings.keys())
    if twice:
        raise NetcfgError(
            f"`{twice[0]}` is both set and swept over\nhelp: leave out `--set {twice[0]}=…`", code="NC801"
        )
    choices = [dict(zip(over, values, strict=True)) for values in product(*over.values())]
    several = (PROGRAM,) if len(files) > 1 else ()
    apart = several + (() if has_seed_variable(options, over, files) else (_SEED,))
    wrong: dict[str, list[Values]] = {}
    loaded = []
    for values in choices:
        variables = {name: value for name, value in values.items() if name not in apart}
        program, found = _load(options, _file_of(values, files), settings | variables)
        for text in found:
            wrong.setdefault(text, []).append(values)
        if program is not None:
            loaded.append((values, program))
    if len(loaded) < len(choices):
        raise NetcfgError("\n\n".join(_with_choice(*item, len(choices)) for item in wrong.items()), code=None)
    for text, those in wrong.items():
        print(_with_choice(text, those, len(choices)), file=sys.stderr)
    return loaded


def _file_of(values: Mapping[str, str], files: dict[str, str]) -> str:
    """The file of a choice."""
    return files[values[PROGRAM]] if len(files) > 1 else next(iter(files.values()))


def has_seed_variable(options: argparse.Namespace, over: dict[str, list[str]], files: dict[str, str]) -> bool:
    """Whether `seed` is a variable of the file, of several the first; if not, it is the runs' own."""
    if _SEED not in over:
        return True
    apart = {_SEED, PROGRAM} if len(files) > 1 else {_SEED}
    others = {name: values[0] for name, values in over.items() if name not in apart}
    file = next(iter(files.values()))
    program, _ = check_file(
        file, options.preset, settings_of(options) | others, options.data, options.allow_outside
    )
    is_variable = program is not None and _SEED in program.variables
    if not is_variable and options.seed is not None:
        raise NetcfgError("`seed` is both set and swept over\nhelp: leave out `--seed`", code="NC801")
    if not is_variable and not all(value.isdecimal() for value in over[_SEED]):
        raise NetcfgError("--over seed: seeds are whole numbers from 0", code="NC801")
    return is_variable


def _load(options: argparse.Namespace, file: str, variables: Values) -> tuple[Program | None, list[str]]:
    """A program, and what is to be said of it."""
    program, findings = check_file(file, options.preset, variables, options.data, options.allow_outside)
    return program, [render(finding) for finding in sorted_findings(findings)]


def _with_choice(text: str, those: list[Values], of: int) -> str:
    """A finding, and for which choice it was found, where not for every one."""
    if len(those) == of:
        return text
    shown = ", ".join(f"{name}={value}" for name, value in those[0].items())
    more = f" and {len(those) - 1} more" if len(those) > 1 else ""
    return f"{text}\nwith {shown}{more}"


class Command:
    """The arguments of `netcfg` for a run."""

    def __init__(
        self,
        options: argparse.Namespace,
        over: dict[str, list[str]],
        devices: list[str],
        files: dict[str, str],
    ) -> None:
        self.options = options
        self.devices = devices
        self.is_seed = not has_seed_variable(options, over, files)
        self.files = files

    def __call__(self, run: Run, slot: int, resume: bool) -> list[str]:
        """To continue it, or to begin it; runs at work at one time take turns with the devices."""
        here = ["--device", self.devices[slot % len(self.devices)]]
        if self.options.workers is not None:
            here += ["--workers", str(self.options.workers)]
        if self.options.allow_outside and not resume:
            here += ["--allow-outside"]
        if resume:
            return ["train", "--resume", str(run.path), *here]
        return [
            "train",
            _file_of(run.values, self.files),
            "--run-dir",
            str(run.path),
            *here,
            *self._choice(run),
        ]

    def _choice(self, run: Run) -> list[str]:
        given = []
        for name, value in (settings_of(self.options) | dict(run.values)).items():
            if name == PROGRAM and len(self.files) > 1:
                continue
            is_seed = self.is_seed and name == _SEED
            given += ["--seed", value] if is_seed else ["--set", f"{name}={value}"]
        for key in _KEPT:
            value = getattr(self.options, key)
            if value is not None:
                option = "--" + key.replace("_", "-")
                given += [option] if value is True else [option, str(value)]
        return given


def _settings(
    options: argparse.Namespace, over: dict[str, list[str]], files: dict[str, str]
) -> dict[str, Any]:
    """What must be the same when a sweep is continued; more values of a variable may come."""
    kept = {key: getattr(options, key) for key in _KEPT}
    several = {"files": files} if len(files) > 1 else {}
    return {"over": list(over), "set": settings_of(options), **several, **kept}


def resources(options: argparse.Namespace) -> dict[str, str]:
    """What each run is given on a cluster. Raises `NetcfgError` (NC801) where that says nothing."""
    given: dict[str, str] = {}
    for text in options.resource:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            raise NetcfgError(
                f"--resource {text}: write it as NAME=VALUE, e.g. --resource timeout_min=600", code="NC801"
            )
        given[name] = value
    if given and options.launcher == "local":
        raise NetcfgError(
            "--resource says what a cluster gives to runs, and these work here\n"
            "help: `--launcher slurm`, or leave it out",
            code="NC801",
        )
    return given


def launcher_of(name: str, folder: SweepFolder, jobs: int, given: dict[str, str]) -> Launcher:
    """What starts the runs. Raises `NetcfgError` where it cannot."""
    from netcfg.trainers.sweeps.launchers import Processes, Ray, Submitit

    if name == "slurm":
        return Submitit(folder.path.resolve(), {"PYTHONUNBUFFERED": "1"}, given)
    if name == "ray":
        return Ray({"PYTHONUNBUFFERED": "1"}, given)
    return Processes(_environment(jobs), folder.handles)


def expect(module: str, launcher: str) -> None:
    """Raises `NetcfgError` (NC807), with the install line, where what a launcher works by is not installed."""
    if find_spec(module) is None:
        raise NetcfgError(
            f"{module} is not installed, and `--launcher {launcher}` starts runs by it\n"
            f"help: `pip install 'netcfg[{launcher}]'`",
            code="NC807",
        )


def _environment(jobs: int) -> dict[str, str]:
    """What runs find in their environment: a fair share of the processor's threads."""
    from netcfg.trainers.machine.devices import usable_cores

    threads = str(max(1, usable_cores() // jobs))
    shared = {"OMP_NUM_THREADS": threads} if jobs > 1 and "OMP_NUM_THREADS" not in os.environ else {}
    return {"PYTHONUNBUFFERED": "1", **shared}


def _default_folder(file: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem).strip("-") or "run"
    return f"runs/{stem}-sweep"
