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
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO, Any, Literal
from urllib.parse import quote

from netcfg.program import Program
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.interrupt import EXIT_CODE
from netcfg.trainers.run_folder import RunFolder

State = Literal["waiting", "running", "finished", "failed", "stopped"]

SAME_FAILURES = 3
"""So many runs that fail alike, and none that has ever finished: the rest would fail too."""
_POLL_SECONDS = 0.1
_SHOWN_LINES = 12


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
    def result(self) -> dict[str, Any] | None:
        """What it reached; None before its end."""
        return _read_json(self.path / "result.json")

    @property
    def can_continue(self) -> bool:
        """Whether it has a checkpoint."""
        return (self.path / "checkpoints" / "last.state").exists()

    @property
    def epochs(self) -> int:
        """How many are finished."""
        return max((record["epoch"] for record in self.records), default=0)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The epochs finished so far; a line that is only half written does not count."""
        try:
            lines = (self.path / "metrics.jsonl").read_text("utf-8").splitlines()
        except OSError:
            return []
        return [record for line in lines if (record := _parsed(line)) is not None]

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
                "help: give one that may be written with `--run-dir`"
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
                "help: wait for it, or give another folder with `--run-dir`"
            ) from None

    def _expect(self, settings: Mapping[str, Any]) -> None:
        earlier = (_read_json(self.path / "sweep.json") or {}).get("settings")
        if earlier is None:
            if any(entry.name != ".lock" for entry in self.path.iterdir()):
                raise NetcfgError(
                    f"{shown_path(self.path)} is not empty, and holds no sweep\n"
                    "help: give a new folder with `--run-dir`"
                )
            return
        for key, value in settings.items():
            then = earlier.get(key)
            if then != value:
                raise NetcfgError(
                    f"{shown_path(self.path)} holds a sweep with {_said(key, then)}, not {_said(key, value)}\n"
                    "help: repeat the command it was begun with, or give another folder with `--run-dir`"
                )

    def expect_programs(self, runs: Sequence[Run]) -> None:
        """Refuse runs that were begun with another program than the file now has for them."""
        for run in runs:
            is_begun = (run.path / "run.json").exists() and (run.path / "resolved.cfg").exists()
            differences = RunFolder(run.path).differences(run.program) if is_begun else []
            if differences:
                raise NetcfgError(
                    f"{shown_path(run.path)} was begun with another program: {'; '.join(differences)}\n"
                    "help: give the file back what it had, or give another folder with `--run-dir`"
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


# --- the work


@dataclass
class Working:
    """A run at work in a process. `share_before` was done when it began."""

    run: Run
    process: Popen[bytes]
    slot: int
    share_before: float
    begun: float = field(default_factory=time.monotonic)


class Sweep:
    """Works off runs, `jobs` at a time, each in a process of its own.

    `command(run, slot, resume)` gives the arguments of `netcfg` that begin or continue a run; the slot, from 0, is at
    the time no other run's. `environment` is added to that of the processes. `interrupts` counts how often it was
    asked to stop.
    """

    def __init__(
        self,
        folder: SweepFolder,
        runs: Sequence[Run],
        jobs: int,
        command: Callable[[Run, int, bool], list[str]],
        environment: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.runs = runs
        self.jobs = jobs
        self.command = command
        self.environment = {**os.environ, **environment}
        self.working: list[Working] = []
        self.gave_up = False
        self.interrupts = 0
        self._seconds = self._done = 0.0
        for run in runs:
            if run.result is not None:
                run.state = "finished"

    def of(self, *states: State) -> list[Run]:
        """The runs that stand so."""
        return [run for run in self.runs if run.state in states]

    def work(
        self, changed: Callable[[Run], None] = lambda run: None, tick: Callable[[], None] = lambda: None
    ) -> bool:
        """Until every run is finished or has failed; whether it was not interrupted.

        Ctrl-C lets the runs at work save what they have and stop; a second one stops them at once. `changed` is told
        of runs that begin or end, `tick` is called now and then.
        """
        told = 0
        with self._interruptible():
            while self.working or (self.of("waiting") and not self.interrupts and not self.gave_up):
                while self._has_room():
                    changed(self._start(self.of("waiting")[0]))
                time.sleep(_POLL_SECONDS)
                if self.interrupts > told:
                    told = self.interrupts
                    self._pass_on()
                for run in self._ended():
                    changed(run)
                tick()
        return not self.interrupts

    def seconds_left(self) -> float | None:
        """How long the rest will take, by what has been done so far; None where nothing is known yet."""
        now = time.monotonic()
        done = self._done + sum(one.run.share_done - one.share_before for one in self.working)
        seconds = self._seconds + sum(now - one.begun for one in self.working)
        unfinished = self.of("waiting", "running")
        if done <= 0 or not unfinished:
            return None
        left = sum(1.0 - run.share_done for run in unfinished)
        return left * seconds / done / min(self.jobs, len(unfinished))

    # --- one run

    def _has_room(self) -> bool:
        is_open = not self.interrupts and not self.gave_up
        return is_open and len(self.working) < self.jobs and bool(self.of("waiting"))

    def _start(self, run: Run) -> Run:
        resume = run.can_continue
        if not resume:
            shutil.rmtree(run.path, ignore_errors=True)  # of a run that died before its first checkpoint
        slot = min(set(range(self.jobs)) - {one.slot for one in self.working})
        with run.log.open("ab") as log, run.errors.open("wb") as errors:
            process = Popen(
                [sys.executable, "-m", "netcfg", *self.command(run, slot, resume)],
                stdin=DEVNULL,
                stdout=log,
                stderr=errors,
                env=self.environment,
                pass_fds=self.folder.handles,
                start_new_session=True,  # Ctrl-C reaches this process only, which passes it on
            )
        self.working.append(Working(run, process, slot, run.share_done))
        run.state = "running"
        return run

    def _ended(self) -> list[Run]:
        """The runs that have ended since the last time."""
        ended = [one for one in self.working if one.process.poll() is not None]
        for one in ended:
            self.working.remove(one)
            self._take_down(one)
        return [one.run for one in ended]

    def _take_down(self, one: Working) -> None:
        run, code = one.run, one.process.returncode
        run.seconds = time.monotonic() - one.begun
        self._seconds += run.seconds
        self._done += 1.0 - one.share_before
        if code == 0 and run.result is not None:
            run.state = "finished"
            run.errors.unlink(missing_ok=True)
        elif self.interrupts or code == EXIT_CODE:
            run.state = "stopped"
        else:
            run.state, run.message = "failed", _last_words(run.errors, code)
            self.gave_up = self._is_hopeless()

    def _is_hopeless(self) -> bool:
        failed = [run.message for run in self.of("failed")]
        return not self.of("finished") and len(failed) >= SAME_FAILURES and len(set(failed)) == 1

    # --- Ctrl-C

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Inside, a signal to stop is counted; one that is ignored (as by `nohup`) stays ignored."""

        def count(number: int, frame: object) -> None:
            self.interrupts += 1

        wanted = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        earlier = {one: signal.getsignal(one) for one in wanted if signal.getsignal(one) != signal.SIG_IGN}
        if threading.current_thread() is not threading.main_thread():
            earlier = {}
        for one in earlier:
            signal.signal(one, count)
        try:
            yield
        finally:
            for one, handler in earlier.items():
                signal.signal(one, handler)

    def _pass_on(self) -> None:
        for one in self.working:
            one.process.send_signal(signal.SIGINT)


def _last_words(errors: Path, code: int) -> str:
    """Why a run ended: the signal, or the end of what it complained of."""
    if code < 0:
        known = {one.value: one.name for one in signal.Signals}
        return f"ended by the signal {known.get(-code, -code)}"
    lines = errors.read_text("utf-8", "replace").rstrip().splitlines()
    if any(line.startswith("Traceback") for line in lines):
        return f"{lines[-1]}\n(of a traceback, which is kept)"
    return "\n".join(lines[-_SHOWN_LINES:]) or f"ended with the code {code}"


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
