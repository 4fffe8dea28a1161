"""The sections of a page of runs, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from netcfg.opened import Run
from netcfg.pages.charts import Chart, charts_of_curves, charts_of_run, charts_of_runs, colour
from netcfg.pages.pictures import program_pictures, samples
from netcfg.pages.tables import figure_tables, matrix_table, pairs, table
from netcfg.results import Evaluation, notes, number
from netcfg.source import NetcfgError, shown_path

SPLITS = ("validation", "test")
_DEFAULTS = ("preset", "data", "epochs", "limit_batches", "precision", "compile")
"""What `run.json` says of the command beside its variables and its seed."""


@dataclass
class Charts:
    """The charts of a page: what its script draws, called by number."""

    data: list[dict[str, Any]] = field(default_factory=list)

    def add(self, charts: Sequence[Chart]) -> str:
        """The elements that they will be drawn into."""
        cells = []
        for chart in charts:
            cells.append(f'<figure class="chart" data-chart="{len(self.data)}"></figure>')
            self.data.append(chart.to_json())
        return f'<div class="charts">{"".join(cells)}</div>' if cells else ""


# --- one run


def sections_of_run(run: Run, charts: Charts) -> Iterator[str]:
    """All that there is to tell of a run."""
    yield f"<header><h1>{escape(Path(run.name).name)}</h1>{pairs(_summary(run))}{_notes(run)}</header>"
    yield from _told(run, charts, "")


def _told(run: Run, charts: Charts, before: str) -> Iterator[str]:
    evaluations = _judged(run)
    yield _section(before, "Figures", "".join(figure_tables(evaluations)))
    yield _section(before, "Over epochs", charts.add(charts_of_run(run)))
    matrices = "".join(
        matrix_table(matrix, split)
        for split, found in evaluations.items()
        for matrix in found.matrices.values()
    )
    curves = charts.add(charts_of_curves(evaluations))
    yield _section(
        before, "Matrices and curves", f'<div class="side">{matrices}</div>{curves}' if matrices else curves
    )
    yield _section(before, "Samples", "".join(samples(run.path)))
    yield _section(before, "Program", _program(run))
    yield _section(before, "Settings", _settings(run))
    yield _section(before, "How it was run", _environment(run))


def _section(before: str, title: str, content: str) -> str:
    """A section; empty where it has nothing to say."""
    name = f"{before}{title}".lower().replace(" ", "-")
    return f'<section id="{escape(name)}"><h2>{escape(title)}</h2>{content}</section>' if content else ""


def _judged(run: Run) -> dict[str, Evaluation]:
    """The splits that have figures: those of the best epoch, or of the last one of a run that goes on."""
    if run.result is not None:
        found = {split: run.result.split(split) for split in SPLITS}
    else:
        epochs = run.epochs
        found = {"validation": epochs[-1].validation} if epochs else {}
    return {split: one for split, one in found.items() if one.tables or one.matrices or one.curves}


def _summary(run: Run) -> Iterator[tuple[str, str]]:
    result, epochs, environment = run.result, run.epochs, run.environment
    yield "run", shown_path(run.path)
    yield "started", _when(str(environment.get("started") or ""))
    if result is None:
        yield "state", f"not finished, after {len(epochs)} epochs"
    else:
        reached = "" if result.monitor is None else f", {result.monitor} {number(result.value)} on validation"
        yield "best epoch", f"{result.best_epoch} of {result.epochs}{reached}"
        yield "memory", "" if result.peak_bytes is None else f"{result.peak_bytes / 1e6:,.0f} MB at most"
    yield "time", _time(run)
    yield "device", str(environment.get("device") or "")


def _when(text: str) -> str:
    return text.replace("T", " ")


def _time(run: Run) -> str:
    seconds = [epoch.seconds for epoch in run.epochs]
    trained, judged = sum(one.train for one in seconds), sum(one.validation for one in seconds)
    if not trained + judged:
        return ""
    waited = sum(one.waiting for one in seconds) / trained if trained else 0.0
    return f"{_span(trained + judged)}, of which {_span(judged)} of judging; waited for data {waited:.0%} of training"


def _span(seconds: float) -> str:
    """`7.2 s`, `12 min`, `3 h 5 min`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def _notes(run: Run) -> str:
    told = notes(_judged(run))
    return f'<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in told)}</ul>' if told else ""


def _program(run: Run) -> str:
    try:
        drawn = list(program_pictures(replace(run.program, name=run.name)))
    except NetcfgError as error:
        return f"<p>It cannot be drawn: {escape(str(error))}</p>"
    return "".join(
        f'<figure class="drawing wide"><figcaption>{escape(title)}</figcaption>{svg}</figure>'
        for title, svg in drawn
    )


def settings_of(run: Run) -> dict[str, str]:
    """What a run was told beside its file: preset, variables, data and the like."""
    told = {key: run.started.get(key) for key in _DEFAULTS}
    return {key: str(value) for key, value in told.items() if value is not None} | run.settings


def _settings(run: Run) -> str:
    told = pairs([("file", str(run.started.get("file") or "")), *settings_of(run).items()])
    training = ""
    try:
        program = run.program
    except NetcfgError:
        program = None
    if program is not None:
        values = {name: value for name, value in program.training.model_dump().items() if value is not None}
        training = _folded("[training]", pairs((name, str(value)) for name, value in values.items()))
    changes = "".join(
        f"<li>{escape(_change(change))}</li>" for change in run.started.get("changes") or () if change
    )
    changed = f"<h3>Changed while it trained</h3><ul>{changes}</ul>" if changes else ""
    file = run.path / "resolved.cfg"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    whole = _folded("The program as it was trained", f"<pre>{escape(text)}</pre>")
    return told + changed + training + whole


def _change(change: Mapping[str, Any]) -> str:
    what = "; ".join(map(str, (*change.get("lines", ()), *change.get("also", ()))))
    return f"from epoch {change.get('epoch')} on: {what}"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>" if content else ""


def _environment(run: Run) -> str:
    found = run.environment
    git = found.get("git")
    versions = found.get("versions")
    plain = {
        "command": found.get("command"),
        "in the folder": found.get("folder"),
        "git": _git(git) if isinstance(git, Mapping) else None,
        "system": found.get("system"),
        "device": found.get("device"),
        "cores": found.get("cores"),
        "processes for data": found.get("workers"),
        "Python": found.get("python"),
        **(versions if isinstance(versions, Mapping) else {}),
        "CUDA": found.get("cuda"),
    }
    return pairs((name, str(value)) for name, value in plain.items() if value is not None)


def _git(state: Mapping[str, Any]) -> str:
    changed = int(state.get("changed") or 0)
    files = f"{changed} changed file{'s' * (changed != 1)}"
    branch = f" on {state['branch']}" if state.get("branch") else ""
    return f"{state.get('commit')}{branch}, {files if changed else 'nothing changed'}"


# --- several runs


def shown_names(runs: Sequence[Run]) -> list[str]:
    """A name for each run that no other one has: the folder's own, with as many of those above as that takes."""
    parts = [run.path.resolve().parts for run in runs]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({place})" for place, name in enumerate(("/".join(part) for part in parts), 1)]


def sections_of_runs(runs: Sequence[Run], charts: Charts) -> Iterator[str]:
    """The runs beside each other, then each one by itself."""
    names = shown_names(runs)
    yield f"<header><h1>{len(runs)} runs</h1></header>"
    yield _section("", "Side by side", _side_by_side(runs, names))
    yield _section("", "Over epochs", charts.add(charts_of_runs(runs, names)))
    for place, (run, name) in enumerate(zip(runs, names, strict=True)):
        parts = "".join(_told(run, charts, f"{name}-"))
        summary = f"{pairs(_summary(run))}{_notes(run)}"
        swatch = _swatch(place, len(runs))
        yield f'<details class="run"><summary>{swatch}{escape(name)}</summary>{summary}{parts}</details>'


def _swatch(place: int, count: int) -> str:
    hue, shift = colour(place, count)
    return f'<i class="swatch" style="--hue:{hue};--shift:{shift}"></i>'


def _side_by_side(runs: Sequence[Run], names: Sequence[str]) -> str:
    """What differs in how runs were started, and what each reached."""
    told = [{"program": Path(run.name).name, **settings_of(run)} for run in runs]
    keys = [
        key
        for key in dict.fromkeys(key for one in told for key in one)
        if len({one.get(key) for one in told}) > 1
    ]
    split = "test" if any(run.result and run.result.test for run in runs) else "validation"
    metrics = list(dict.fromkeys(name for run in runs for name in _main_figures(run, split)))
    rows = []
    for run, name, one in zip(runs, names, told, strict=True):
        figures = _main_figures(run, split)
        result = run.result
        ended = "–" if result is None else f"{result.best_epoch} of {result.epochs}"
        taken = sum(epoch.seconds.train + epoch.seconds.validation for epoch in run.epochs)
        cells = [number(figures.get(metric)) for metric in metrics]
        rows.append(
            [name, *(one.get(key, "–") for key in keys), ended, *cells, _span(taken) if taken else "–"]
        )
    return table(["run", *keys, "best epoch", *(f"{name}, {split}" for name in metrics), "time"], rows)


def _main_figures(run: Run, split: str) -> dict[str, float | None]:
    if run.result is None:
        return {}
    return {name: one.main for name, one in run.result.split(split).own_tables.items()}


__all__ = ["Charts", "sections_of_run", "sections_of_runs", "settings_of", "shown_names"]
