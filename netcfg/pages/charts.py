"""What a page of runs draws as lines: figures over epochs, and the curves of metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netcfg.opened import Run
from netcfg.results import Curve, Epoch, Evaluation, Figure, by_picture

Values = list[Figure]
_MOST_LINES = 8
"""In a chart of one run."""
_LEVELS = (0.0, 0.13, -0.11)
"""Where there are many colours, neighbours differ in lightness as well."""
_MANY = 9
_FIRST_HUE = 250.0


@dataclass(frozen=True)
class Line:
    """Points by x; a y of None is a gap. `place` is the number of its colour."""

    name: str
    x: Sequence[float]
    y: Sequence[Figure]
    place: int


@dataclass(frozen=True)
class Chart:
    """Lines that share axes. `mark` is an x to point out, the best epoch. Those over epochs are pointed at together."""

    title: str
    lines: Sequence[Line]
    x_title: str = "epoch"
    y_title: str = ""
    over_epochs: bool = True
    is_logarithmic: bool = False
    colours: int = 0
    """How many there are to tell apart, where other charts have more lines than this one."""
    mark: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the page's script reads it."""
        count = max(self.colours, 1 + max((line.place for line in self.lines), default=0))
        lines = [
            {"name": line.name, "colour": colour(line.place, count), "x": list(line.x), "y": list(line.y)}
            for line in self.lines
        ]
        rest = {
            "x": self.x_title,
            "y": self.y_title,
            "epochs": self.over_epochs,
            "log": self.is_logarithmic,
            "mark": self.mark,
        }
        return {"title": self.title, "lines": lines, **rest}


def colour(place: int, count: int) -> list[float]:
    """The hue, in degrees, and the change of lightness of one of `count` colours, no two of which are alike."""
    hue = (_FIRST_HUE + 360.0 * place / max(1, count)) % 360.0
    shift = _LEVELS[place % len(_LEVELS)] if count >= _MANY else 0.0
    return [round(hue, 2), shift]


# --- over epochs


def charts_of_run(run: Run) -> list[Chart]:
    """The losses of a run, of training and validation together, its metrics, and what else has changed in it."""
    epochs = run.epochs
    result = run.result
    mark = None if result is None else result.best_epoch
    train, validation = (
        _series(epochs, lambda epoch: epoch.train),
        _series(epochs, lambda epoch: epoch.validation.losses),
    )
    charts = [_over(epochs, title, splits, mark) for title, splits in _losses(train, validation).items()] + [
        _over(epochs, title, curves, mark)
        for title, curves in _grouped(_series(epochs, main_figures), "validation metrics")
    ]
    for title, read in _OTHERS.items():
        charts += [
            _over(epochs, name, curves, mark) for name, curves in _grouped(_series(epochs, read), title)
        ]
    seconds = _series(epochs, lambda epoch: epoch.seconds._asdict())
    return [*charts, _over(epochs, "seconds", seconds, mark)] if epochs else charts


def charts_of_runs(runs: Sequence[Run], names: Sequence[str]) -> list[Chart]:
    """A chart for each figure that runs have over epochs, in which each run is a line of its own colour."""
    found: dict[str, list[Line]] = {}
    for place, (run, name) in enumerate(zip(runs, names, strict=True)):
        epochs = run.epochs
        for title, values in _named_series(epochs):
            line = Line(name, [epoch.epoch for epoch in epochs], values, place)
            found.setdefault(title, []).append(line)
    return [Chart(title, lines, colours=len(runs)) for title, lines in found.items()]


def main_figures(epoch: Epoch) -> Mapping[str, Figure]:
    """The metrics' main figures on the validation split."""
    return {name: table.main for name, table in epoch.validation.own_tables.items()}


_OTHERS: Mapping[str, Callable[[Epoch], Mapping[str, Figure]]] = {
    "numbers that change": lambda epoch: epoch.numbers,
    "learning rate": lambda epoch: epoch.learning_rate,
}


def _named_series(epochs: Sequence[Epoch]) -> Iterator[tuple[str, Values]]:
    yield from ((f"{name}, validation", values) for name, values in _series(epochs, main_figures).items())
    for split, values in (
        ("training", _series(epochs, lambda epoch: epoch.train)),
        ("validation", _series(epochs, lambda epoch: epoch.validation.losses)),
    ):
        yield from ((f"{name}, {split}", series) for name, series in _alone(values).items())


def _series(epochs: Sequence[Epoch], read: Callable[[Epoch], Mapping[str, Figure]]) -> dict[str, Values]:
    """Figures by name, one for each epoch; one that only some epochs have has gaps."""
    rows = [read(epoch) for epoch in epochs]
    return {
        name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)
    }


def _alone(series: Mapping[str, Values]) -> dict[str, Values]:
    """The same, without those that equal an earlier one: a sum of one loss says no more than the loss."""
    kept: dict[str, Values] = {}
    for name, values in series.items():
        if values not in kept.values():
            kept[name] = values
    return kept


def _losses(train: Mapping[str, Values], validation: Mapping[str, Values]) -> dict[str, dict[str, Values]]:
    """By loss its curves by split. Those of which one only repeats the other are one chart."""
    found: dict[str, dict[str, Values]] = {}
    for name in dict.fromkeys((*train, *validation)):
        splits = {"training": train.get(name), "validation": validation.get(name)}
        told = {split: values for split, values in splits.items() if values is not None}
        if told not in found.values():
            found[name] = told
    return found


def _grouped(series: Mapping[str, Values], title: str) -> Iterator[tuple[str, dict[str, Values]]]:
    """Curves that share an axis: those between -1 and 1 together, and any other one by itself, under its name.

    Where all are alike in size they are together as well.
    """
    alike = {name: values for name, values in series.items() if _size(values) <= 1}
    others = {name: values for name, values in series.items() if name not in alike}
    sizes = [_size(values) for values in others.values()]
    if sizes and max(sizes) < 30 * min(sizes) and not alike:
        alike, others = others, {}
    names = list(alike)
    for first in range(0, len(names), _MOST_LINES):
        part = {name: alike[name] for name in names[first : first + _MOST_LINES]}
        yield title if len(part) > 1 else f"{title}: {next(iter(part))}" if title else next(iter(part)), part
    for name, values in others.items():
        yield f"{title}: {name}", {name: values}


def _size(values: Iterable[Figure]) -> float:
    return max((abs(value) for value in values if value is not None), default=0.0)


def _over(epochs: Sequence[Epoch], title: str, curves: Mapping[str, Values], mark: int | None) -> Chart:
    numbers = [epoch.epoch for epoch in epochs]
    lines = [Line(name, numbers, values, place) for place, (name, values) in enumerate(curves.items())]
    return Chart(title, lines, mark=mark)


# --- curves of metrics


def charts_of_curves(evaluations: Mapping[str, Evaluation]) -> list[Chart]:
    """ROC, precision over recall, calibration and the like: a chart for each picture of each split."""
    return [
        _of_curves(f"{title}, {split}", curves)
        for title in dict.fromkeys(
            title for one in evaluations.values() for title in by_picture(one.curves.values())
        )
        for split, evaluation in evaluations.items()
        if (curves := by_picture(evaluation.curves.values()).get(title))
    ]


def _of_curves(title: str, curves: Sequence[Curve]) -> Chart:
    lines = [Line(curve.name, curve.x, curve.y, place) for place, curve in enumerate(curves)]
    first = curves[0]
    is_logarithmic = all(curve.is_logarithmic for curve in curves)
    return Chart(title, lines, first.x_title, first.y_title, False, is_logarithmic)


__all__ = ["Chart", "Line", "charts_of_curves", "charts_of_run", "charts_of_runs", "colour", "main_figures"]
