"""A sweep: the runs of a program for every choice of some variables, several at a time, each a process of its own.

Files of a sweep's folder:

    sweep.json            the settings, what became of each run, and the tables
    sweep.csv             every figure of every run, a row each
    sweep.tex             the tables for LaTeX
    au=1_fold=0/          a run's folder, named by its variables
    au=1_fold=0.log       what the run printed
    au=1_fold=0.err       what it complained of, where it has not finished

A run that has a `result.json` is finished; one with a checkpoint is continued from it; all others begin anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal
from urllib.parse import quote

from netcfg.program import Program
from netcfg.results import Epoch, Result
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.runs.run_folder import RunFolder

State = Literal["waiting", "running", "finished", "failed", "stopped"]


@dataclass
class Run:
    """One choice of the variables: its program, its folder, and how it stands."""

    values: Mapping[str, str]
    program: Program
    path: Path
    state: State = "waiting"
    message: str = ""
    seconds: float = 0.0

    @property
    def title(self) -> str:
        """`au 1, fold 0`."""
        return ", ".join(f"{name} {value}" for name, value in self.values.items())

    @property
    def log(self) -> Path:
        """Where what it prints goes."""
        return self.path.with_name(self.path.name + ".log")

    @property
    def errors(self) -> Path:
        """Where its complaints go."""
        return self.path.with_name(self.path.name + ".err")

    @property
    def result(self) -> Result | None:
        """What it reached; None before its end."""
        found = _read_json(self.path / "result.json")
        try:
            return None if found is None else Result.from_json(found)
        except (ValueError, TypeError):
            return None

    @property
    def can_continue(self) -> bool:
        """Whether it has a checkpoint."""
        return (self.path / "checkpoints" / "last.state").exists()

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return max((record.epoch for record in self.records), default=0)

    @property
    def records(self) -> list[Epoch]:
        """The epochs finished so far; a line that is only half written does not count."""
        try:
            return RunFolder(self.path).records()
        except OSError:
            return []

    @property
    def share_done(self) -> float:
        """How much of it is done, 0 to 1, by its epochs."""
        return min(1.0, self.epochs / self.program.training.max_epochs)


def folder_name(values: Mapping[str, str]) -> str:
    """`au=1_fold=0`; other characters than letters, digits, `_`, `.` and `-` by their number, as in addresses."""
    return "_".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


# --- the folder


class SweepFolder:
    """A sweep's folder. It belongs to one program with one set of settings, and to one process at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    @property
    def handles(self) -> tuple[int, ...]:
        """What runs inherit so that the folder stays taken as long as one of them works in it."""
        return (self._lock.fileno(),) if self._lock is not None else ()

    def open(self, settings: Mapping[str, Any]) -> None:
        """Take the folder. Raises `NetcfgError` where it is another sweep's, or taken."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._expect(settings)
            self._take()
        except OSError as error:
            raise NetcfgError(
                f"cannot make the sweep's folder {shown_path(self.path)}: {error.strerror}\n"
                "help: give one that may be written with `--run-dir`",
                code="NC804",
            ) from None

    def _take(self) -> None:
        """Hold a lock that ends with the last process that has inherited it, however that ends."""
        import fcntl

        self._lock = (self.path / ".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NetcfgError(
                f"{shown_path(self.path)} is in use: another sweep works in it, or a run that it left behind\n"
                "help: wait for it, or give another folder with `--run-dir`",
                code="NC805",
            ) from None

    def _expect(self, settings: Mapping[str, Any]) -> None:
        earlier = (_read_json(self.path / "sweep.json") or {}).get("settings")
        if earlier is None:
            if any(entry.name != ".lock" for entry in self.path.iterdir()):
                raise NetcfgError(
                    f"{shown_path(self.path)} is not empty, and holds no sweep\n"
                    "help: give a new folder with `--run-dir`",
                    code="NC803",
                )
            return
        for key, value in settings.items():
            then = earlier.get(key)
            if then != value:
                raise NetcfgError(
                    f"{shown_path(self.path)} holds a sweep with {_said(key, then)}, not {_said(key, value)}\n"
                    "help: repeat the command it was begun with, or give another folder with `--run-dir`",
                    code="NC803",
                )

    def expect_programs(self, runs: Sequence[Run]) -> None:
        """Refuse runs that were begun with another program than the file now has for them."""
        for run in runs:
            is_begun = (run.path / "run.json").exists() and (run.path / "resolved.cfg").exists()
            differences = RunFolder(run.path).differences(run.program) if is_begun else []
            if differences:
                raise NetcfgError(
                    f"{shown_path(run.path)} was begun with another program: {'; '.join(differences)}\n"
                    "help: give the file back what it had, or give another folder with `--run-dir`",
                    code="NC803",
                )

    def close(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _said(key: str, value: Any) -> str:
    option = "--" + key.replace("_", "-")
    if value in (None, [], {}, False):
        return f"no `{option}`"
    if isinstance(value, dict):
        return " ".join(f"`{option} {name}={text}`" for name, text in value.items())
    if isinstance(value, list):
        return f"`{option} {' '.join(map(str, value))}`"
    return f"`{option}`" if value is True else f"`{option} {value}`"


def _read_json(path: Path) -> dict[str, Any] | None:
    """A JSON file's content; None where it is absent or damaged."""
    try:
        return _parsed(path.read_text("utf-8"))
    except OSError:
        return None


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
