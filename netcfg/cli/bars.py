"""Long work that shows itself on stderr: a bar with rate and time left on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from netcfg.cli.saying import Saying

T = TypeVar("T")

LINE_SECONDS = 10.0


def shown(
    items: Iterable[T], total: int | None, title: str, unit: str, said: Saying = Saying.NORMAL
) -> Iterator[T]:
    """The same items, counted as they pass; `total` is how many there will be, None where nobody knows.

    Nothing is shown where a command is quiet; where it is verbose, a line for each.
    """
    if said is Saying.QUIET:
        return iter(items)
    if said is Saying.VERBOSE:
        return _with_lines(items, total, title, unit, 0.0)
    from rich.console import Console

    console = Console(stderr=True)
    return (
        _with_bar(items, total, title, unit, console)
        if console.is_terminal
        else _with_lines(items, total, title, unit)
    )


def _with_bar(items: Iterable[T], total: int | None, title: str, unit: str, console: object) -> Iterator[T]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:  # type: ignore[arg-type]
        task = progress.add_task(title, total=total, rate="")
        for item in items:
            yield item
            speed = progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:,.1f} {unit}/s" if speed else "")


def _with_lines(
    items: Iterable[T], total: int | None, title: str, unit: str, every: float = LINE_SECONDS
) -> Iterator[T]:
    started = said = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - said >= every:
            said = now
            of = f" of {total:,}" if total else ""
            rate = f"{done / max(now - started, 1e-9):,.1f} {unit}/s"
            print(f"{title}: {done:,}{of} {unit}, {rate}", file=sys.stderr, flush=True)
