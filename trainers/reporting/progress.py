"""What a person sees while training: a bar on a terminal, plain lines elsewhere.

Both are told of every batch and decide themselves how often to look; only then are losses read from the
device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Figures = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class Stretch:
    """One pass over a split. `done` batches were made before it began; `epochs_left` epochs come after."""

    title: str
    batches: int
    batch_size: float
    done: int = 0
    epochs_left: int = 0
    best: str = ""


class Display:
    """Base of both displays: times a stretch, works out rates. Subclasses implement `_show`."""

    interval = 10.0

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stretch = Stretch("", 0, 0)
        self._started = self._shown = time.monotonic()

    def start(self, stretch: Stretch) -> None:
        """A pass begins."""
        self._stretch = stretch
        self._started = self._shown = time.monotonic()

    def advance(self, done: int, figures: Figures) -> None:
        """`done` batches are finished. `figures` gives the losses so far, asked only when they are shown."""
        now = time.monotonic()
        if now - self._shown >= self.interval:
            self._shown = now
            self._show(done, self._status(done, now, figures()))

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Training is over."""

    def _show(self, done: int, status: str) -> None:
        raise NotImplementedError

    def _status(self, done: int, now: float, figures: Mapping[str, float]) -> str:
        """`41.2 samples/s  0:03:20 left  loss 0.4123  best f1 0.61`."""
        stretch = self._stretch
        seconds_per_batch = (now - self._started) / max(1, done - stretch.done)
        left = seconds_per_batch * (stretch.batches - done + stretch.epochs_left * stretch.batches)
        rate = stretch.batch_size / max(seconds_per_batch, 1e-9)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in sums(figures))
        parts = (f"{rate:.1f} samples/s", f"{clock(left)} left", shown, stretch.best)
        return "  ".join(part for part in parts if part)


class PlainDisplay(Display):
    """For files and pipes: a line every ten seconds, and one per epoch."""

    def _show(self, done: int, status: str) -> None:
        self.say(f"{self._stretch.title}  {done}/{self._stretch.batches}  {status}")


class BarDisplay(Display):
    """For terminals: a bar that keeps to one line, redrawn twice a second."""

    interval = 0.5

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}", markup=False),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=4, transient=True)
        self._task = self._progress.add_task("", status="")
        self._progress.start()

    def start(self, stretch: Stretch) -> None:
        """A pass begins: the bar starts where an interrupted one stopped."""
        super().start(stretch)
        self._progress.reset(
            self._task,
            description=stretch.title,
            total=stretch.batches,
            completed=stretch.done,
            status=stretch.best,
        )

    def advance(self, done: int, figures: Figures) -> None:
        """Move the bar; the text beside it follows twice a second."""
        self._progress.update(self._task, completed=done)
        super().advance(done, figures)

    def close(self) -> None:
        """Take the bar away; the lines stay."""
        self._progress.stop()

    def _show(self, done: int, status: str) -> None:
        self._progress.update(self._task, completed=done, status=status)


def open_display(console: Console, every_batch: bool = False) -> Display:
    """The display that suits a console; with `every_batch` a line for each, which reads its losses from the device."""
    if every_batch:
        display = PlainDisplay(console)
        display.interval = 0.0
        return display
    return BarDisplay(console) if console.is_terminal else PlainDisplay(console)


def sums(losses: Mapping[str, float]) -> Iterable[tuple[str, float]]:
    """What the phases minimise: `loss`, or `phase.loss`."""
    return ((name, value) for name, value in losses.items() if name.rpartition(".")[2] == "loss")


def clock(seconds: float) -> str:
    """A duration as a person says it: `12 s`, `3 min 20 s`, `9 h 05 min`, `3 days 4 h`."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86_400} day{'s' if whole >= 2 * 86_400 else ''} {whole % 86_400 // 3600} h"
