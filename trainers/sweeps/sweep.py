"""The runs of a sweep at work: several at a time, where its launcher starts them."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from netcfg.trainers.machine.interrupt import STOPPED_CODES
from netcfg.trainers.sweeps.folder import Run, State, SweepFolder
from netcfg.trainers.sweeps.launchers import Ended, Job, Launcher

SAME_FAILURES = 3
"""So many runs that fail alike, and none that has ever finished: the rest would fail too."""
LOSSES = 3
"""So often a run may be lost, with its machine or its time, without having got further."""
_SHOWN_LINES = 12


@dataclass
class Working:
    """A run at work. `share_before` was done when it began."""

    run: Run
    job: Job
    slot: int
    arguments: Sequence[str]
    share_before: float
    begun: float = field(default_factory=time.monotonic)


class Sweep:
    """Works off runs, `jobs` at a time, each a job of the launcher.

    `command(run, slot, resume)` gives the arguments of `netcfg` that begin or continue a run; the slot, from 0, is at
    the time no other run's. A run that is lost, with its machine or its time, is started again, and goes on from its
    checkpoint. `interrupts` counts how often it was asked to stop.
    """

    def __init__(
        self,
        folder: SweepFolder,
        runs: Sequence[Run],
        jobs: int,
        command: Callable[[Run, int, bool], list[str]],
        launcher: Launcher,
    ) -> None:
        self.folder = folder
        self.runs = runs
        self.jobs = jobs
        self.command = command
        self.launcher = launcher
        self.lost: dict[str, int] = {}
        """By title how often a run was lost since it got any further."""
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
        with self.launcher.ready(), self._interruptible():
            while self.working or (self.of("waiting") and not self.interrupts and not self.gave_up):
                while self._has_room():
                    changed(self._start(self.of("waiting")[0]))
                time.sleep(self.launcher.poll_seconds)
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
        arguments = self.command(run, slot, resume)
        job = self.launcher.start(arguments, run.log, run.errors)
        self.working.append(Working(run, job, slot, arguments, run.share_done))
        run.state = "running"
        return run

    def _ended(self) -> list[Run]:
        """The runs that have ended since the last time."""
        ended = [(one, how) for one in self.working if (how := one.job.ended()) is not None]
        for one, how in ended:
            self.working.remove(one)
            self._take_down(one, how)
        return [one.run for one, _ in ended]

    def _take_down(self, one: Working, ended: Ended) -> None:
        run, code = one.run, ended.code
        is_stopped = code in STOPPED_CODES
        is_lost = code is None or (is_stopped and self.launcher.takes_back)
        run.seconds = time.monotonic() - one.begun
        self._seconds += run.seconds
        self._done += (run.share_done if is_lost else 1.0) - one.share_before
        if code == 0 and run.result is not None:
            run.state, run.message = "finished", ""
            run.errors.unlink(missing_ok=True)
        elif self.interrupts or (is_stopped and not is_lost):
            run.state = "stopped"
        elif is_lost:
            self._start_again(one, ended.reason or "its machine asked it to stop")
        else:
            assert code is not None
            run.state, run.message = "failed", _last_words(run.errors, code)
            self.gave_up = self._is_hopeless()

    def _start_again(self, one: Working, reason: str) -> None:
        """A run that was lost waits once more, unless it was lost too often without getting further."""
        run = one.run
        count = 1 if run.share_done > one.share_before else self.lost.get(run.title, 0) + 1
        self.lost[run.title] = count
        run.message = f"lost: {reason}"
        run.state = "waiting" if count < LOSSES else "failed"
        if run.state == "failed":
            run.message = f"lost {count} times, the last time: {reason}"
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
            one.job.interrupt()


def _last_words(errors: Path, code: int) -> str:
    """Why a run ended: the signal, or the end of what it complained of."""
    if code < 0:
        known = {one.value: one.name for one in signal.Signals}
        return f"ended by the signal {known.get(-code, -code)}"
    lines = errors.read_text("utf-8", "replace").rstrip().splitlines()
    if any(line.startswith("Traceback") for line in lines):
        return f"{lines[-1]}\n(of a traceback, which is kept)"
    return "\n".join(lines[-_SHOWN_LINES:]) or f"ended with the code {code}"
