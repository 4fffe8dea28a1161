"""What a person sees of a sweep: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import shlex
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from netcfg.results import number
from netcfg.trainers.reporting.progress import clock
from netcfg.trainers.sweeps.folder import Run
from netcfg.trainers.sweeps.sweep import Sweep

_BAR_SECONDS = 0.5
_LINE_SECONDS = 60.0


class SweepDisplay:
    """Tells of runs that begin and end, and now and then how all stand; also by what command, where that is wanted."""

    def __init__(self, console: Console, sweep: Sweep, with_commands: bool = False) -> None:
        self._with_commands = with_commands
        self.console = console
        self.sweep = sweep
        self._shown = time.monotonic()
        self._answered = 0
        self._tasks: dict[str, TaskID] = {}
        self._progress: Progress | None = None
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=20),
                TextColumn("{task.fields[status]}", markup=False),
            )
            self._progress = Progress(*columns, console=console, refresh_per_second=4, transient=True)
            self._all = self._progress.add_task("runs", total=len(sweep.runs), status="")
            self._progress.start()
            self._show()

    def changed(self, run: Run) -> None:
        """A run has begun or ended."""
        if run.state == "running":
            self._begin(run)
        else:
            self._end(run)

    def tick(self) -> None:
        """Show how all stand, where the last time is long enough ago; answer Ctrl-C at once."""
        if self.sweep.interrupts > self._answered:
            self._answered = self.sweep.interrupts
            if self.sweep.working and self._answered == 1:
                self.say("stopping: the runs at work save what they have; Ctrl-C again stops them at once")
        interval = _BAR_SECONDS if self._progress is not None else _LINE_SECONDS
        if time.monotonic() - self._shown >= interval:
            self._show()

    def close(self) -> None:
        """Take the bars away; the lines stay."""
        if self._progress is not None:
            self._progress.stop()

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _begin(self, run: Run) -> None:
        if self._with_commands:
            (arguments,) = (one.arguments for one in self.sweep.working if one.run is run)
            self.say(f"{run.title}: netcfg {shlex.join(arguments)}")
        if self._progress is None:
            self.say(f"{run.title}: {'continued' if run.can_continue else 'begun'}")
            return
        epochs = run.program.training.max_epochs
        self._tasks[run.title] = self._progress.add_task(f"  {run.title}", total=epochs, status="")

    def _end(self, run: Run) -> None:
        if self._progress is not None:
            self._progress.remove_task(self._tasks.pop(run.title))
        done = len(self.sweep.of("finished"))
        self.say(f"{run.title}: {_how_it_ended(run)}  ({done} of {len(self.sweep.runs)} finished)")

    def _show(self) -> None:
        self._shown = time.monotonic()
        running = [one.run for one in self.sweep.working]
        if self._progress is None:
            lines = [f"{run.title} {_status(run)}" for run in running]
            self.say("  ".join([self._overall(), *lines]))
            return
        shares = [1.0 if run.state == "finished" else run.share_done for run in self.sweep.runs]
        self._progress.update(self._all, completed=sum(shares), status=self._overall())
        for run in running:
            if run.title in self._tasks:
                self._progress.update(self._tasks[run.title], completed=run.epochs, status=_status(run))

    def _overall(self) -> str:
        failed, left = len(self.sweep.of("failed")), self.sweep.seconds_left()
        parts = [f"{len(self.sweep.of('finished'))} of {len(self.sweep.runs)} finished"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{clock(left)} left"] if left is not None else []
        return "  ".join(parts)


def _status(run: Run) -> str:
    """`epoch 3/12  f1 0.512`: the epochs done, and the main figure of the last one."""
    records = run.records
    epoch = f"epoch {run.epochs}/{run.program.training.max_epochs}"
    tables = list(records[-1].validation.own_tables.values()) if records else []
    shown = [f"{table.name} {number(table.main)}" for table in tables[:1]]
    return "  ".join([epoch, *shown])


def _how_it_ended(run: Run) -> str:
    result = run.result
    if run.state == "failed":
        return f"failed: {run.message.partition(chr(10))[0]}"
    if run.state == "waiting":
        return f"{run.message}; it goes on after epoch {run.epochs}"
    if run.state == "stopped" or result is None:
        return f"stopped after epoch {run.epochs}"
    reached = f"{result.monitor} {number(result.value)} in epoch" if result.monitor else "epoch"
    return f"{reached} {result.best_epoch}  {clock(run.seconds)}"
