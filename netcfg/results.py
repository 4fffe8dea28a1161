"""What a run has found, as plain data without torch: figures of splits, epochs, and how it ended.

A figure that cannot be known, such as the F1 of a label that a split has no positive of, is None: a dash in tables,
empty in csv, null in json, out of every mean, a gap in curves. JSON has the layout of schema 2; files of runs from
before it had a number, schema 1, are read as well: they have no undefined figures, and do not tell details from labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple, TypeVar

SCHEMA = 2
ABSENT = "–"
"""In the place of a figure that cannot be known."""
OVERALL = "overall"
"""The detail that takes all labels together."""
MEAN = "mean"
MEANS = (MEAN, "macro", "micro", "weighted", OVERALL)
"""Rows below those of labels; a metric that tells several means calls each by its name."""

Figure = float | None
Interval = tuple[float, float]
Counts = tuple[int, int, int]
"""True positives, false positives, false negatives."""


def mean_of(figures: Iterable[Figure]) -> Figure:
    """The mean of those that are known; None where none is."""
    known = [figure for figure in figures if figure is not None]
    return fmean(known) if known else None


def number(value: Figure) -> str:
    """Three digits after the point; very small and very large numbers by their first three digits; a dash for None."""
    if value is None:
        return ABSENT
    return f"{value:.3f}" if value == 0 or 0.01 <= abs(value) < 10_000 else f"{value:.3g}"


def cell_text(cell: Figure) -> str:
    """A cell of a matrix: whole numbers, as counts are, without a point."""
    return f"{cell:.0f}" if cell is not None and cell == round(cell) else number(cell)


def csv_cell(figure: Figure) -> str:
    """A figure in a csv file, to its last digit; empty where it cannot be known."""
    return "" if figure is None else repr(figure)


class Baseline(NamedTuple):
    """What an answer that looks at nothing reaches: `what` it is, such as `every label present`, and its figure."""

    what: str
    figure: float


class Table(NamedTuple):
    """A metric's figures: `main`, the one to monitor, then those of labels, then others by name.

    `counts` are those behind the figures by label, where the main figure pools them. `undefined` says of each label
    without a figure what the split lacks (`no positive`); where labels have no names, it says so of the table.
    `baseline` is of a figure of which more is better; None where none is known. `intervals` are those in which
    figures, by name, lie with the probability `level`.
    """

    name: str
    main: Figure
    labels: Mapping[str, Figure] = {}
    details: Mapping[str, Figure] = {}
    counts: Mapping[str, Counts] | None = None
    undefined: Mapping[str, str] = {}
    baseline: Baseline | None = None
    level: float | None = None
    intervals: Mapping[str, Interval] = {}

    @property
    def is_trivial(self) -> bool:
        """Whether it is no better than an answer that looks at nothing."""
        return self.main is not None and self.baseline is not None and self.main <= self.baseline.figure

    @classmethod
    def of(cls, name: str, figures: Mapping[str, Figure], labels: Iterable[str]) -> Table:
        """Of figures by name, the main one first; which of the others are of `labels`."""
        rest = dict(list(figures.items())[1:])
        known = set(labels)
        return cls(
            name,
            next(iter(figures.values())),
            {key: value for key, value in rest.items() if key in known},
            {key: value for key, value in rest.items() if key not in known},
        )

    @property
    def figures(self) -> dict[str, Figure]:
        """All of them by name, the main one first, under the table's name, which no other may take."""
        others = {**self.labels, **self.details}
        return {self.name: self.main, **{key: others[key] for key in others if key != self.name}}

    @property
    def judged(self) -> tuple[str, ...]:
        """The labels it judges, where they are several: one says no more than the main figure."""
        return tuple(self.labels) if len(self.labels) > 1 else ()

    @property
    def with_role(self) -> dict[str, Figure]:
        """Its figures by label and detail; the main one is called for what it is of its labels."""
        if "macro" in self.details:
            return {**self.labels, **self.details}
        role = MEAN if self.counts is None else OVERALL
        return {**self.labels, **self.details, role: self.main}

    @property
    def with_label(self) -> str:
        """Its name, and the label where it judges one."""
        return " ".join([self.name, *(f"({label})" for label in self.labels)])


class Matrix(NamedTuple):
    """Numbers by row and column, such as a confusion matrix; a cell that cannot be known is None."""

    name: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[Figure]]
    row_title: str = ""
    column_title: str = ""


class Curve(NamedTuple):
    """A line through points, such as a ROC curve; a point whose `y` cannot be known is a gap.

    Those of one `picture` are drawn together, under that title; without, a curve has one of its own.
    """

    name: str
    x: Sequence[float]
    y: Sequence[Figure]
    x_title: str = ""
    y_title: str = ""
    picture: str = ""
    is_logarithmic: bool = False
    """Its axis of x."""


class Evaluation(NamedTuple):
    """What a split gave: mean losses, and what the metrics say, by table in the order of the file.

    `variants` are a metric's further tables; `thresholds` those it used, one per label, where it searched for them.
    """

    losses: Mapping[str, float] = {}
    tables: Mapping[str, Table] = {}
    variants: Mapping[str, Sequence[str]] = {}
    thresholds: Mapping[str, Sequence[float]] = {}
    matrices: Mapping[str, Matrix] = {}
    curves: Mapping[str, Curve] = {}

    def figure(self, metric: str) -> Figure:
        """A metric's main figure. Raises `KeyError` where it has judged nothing."""
        return self.tables[metric].main

    @property
    def own_tables(self) -> dict[str, Table]:
        """The tables without variants."""
        variants = {name for names in self.variants.values() for name in names}
        return {name: table for name, table in self.tables.items() if name not in variants}

    def note(self, split: str) -> str:
        """One sentence on the labels that have no figure in it, and why; empty where all have one."""
        found: dict[str, dict[str, list[str]]] = {}
        for name, table in self.own_tables.items():
            for label, reason in table.undefined.items():
                found.setdefault(reason, {}).setdefault(label, []).append(name)
        parts = [part for reason, labels in found.items() for part in _lacking(reason, labels)]
        return f"the {split} split has {'; '.join(parts)}; out of all means" if parts else ""

    def trivial(self, split: str) -> list[str]:
        """A sentence on each metric that is no better than an answer that looks at nothing."""
        return [
            f"{table.name} on the {split} split, {table.main:.3f}, is no better than {table.baseline.what}, "
            f"{table.baseline.figure:.3f}"
            for table in self.own_tables.values()
            if table.is_trivial and table.baseline is not None
        ]

    def to_rows(self) -> list[dict[str, Figure | str]]:
        """A row for each figure: its metric, the label or detail it is of (empty for the main one), the figure."""
        return [
            {"metric": table.name, "of": "" if name == table.name else name, "figure": figure}
            for table in self.tables.values()
            for name, figure in table.figures.items()
        ]

    def to_frame(self) -> Any:
        """The same as a pandas `DataFrame`. Raises `NetcfgError` (NC807) without pandas."""
        from netcfg.frames import frame_of

        return frame_of(self.to_rows())

    def _repr_html_(self) -> str:
        """Its tables, which notebooks show."""
        from netcfg.pages.tables import evaluation_tables

        return evaluation_tables({"": self})

    def to_json(self) -> dict[str, Any]:
        """As plain values; what is empty is left out."""
        tables = self.tables.values()
        details = {table.name: [key for key in table.details if key != OVERALL] for table in tables}
        parts: dict[str, Any] = {
            "losses": dict(self.losses),
            "metrics": {table.name: table.figures for table in tables},
            "variants": {name: list(names) for name, names in self.variants.items()},
            "thresholds": {name: list(values) for name, values in self.thresholds.items()},
            "counts": {table.name: dict(table.counts) for table in tables if table.counts is not None},
            "details": {name: names for name, names in details.items() if names},
            "undefined": {table.name: dict(table.undefined) for table in tables if table.undefined},
            "baselines": {table.name: table.baseline._asdict() for table in tables if table.baseline},
            "intervals": {
                table.name: {
                    "level": table.level,
                    "figures": {key: list(one) for key, one in table.intervals.items()},
                }
                for table in tables
                if table.level is not None
            },
            "matrices": {name: matrix._asdict() for name, matrix in self.matrices.items()},
            "curves": {name: curve._asdict() for name, curve in self.curves.items()},
        }
        kept = {key: value for key, value in parts.items() if value or key in ("losses", "metrics")}
        return {"schema": SCHEMA, **kept}

    @classmethod
    def from_json(cls, value: object) -> Evaluation:
        """Of what `to_json` gave, or an earlier version. Raises `ValueError` where it is neither."""
        found = _object(value)
        if int(found.get("schema", 1)) > SCHEMA:
            raise ValueError(f"schema {found['schema']} of a later version")
        counts, details, undefined, baselines, intervals = (
            _object(found.get(key, {}))
            for key in ("counts", "details", "undefined", "baselines", "intervals")
        )
        tables = {
            name: _table(
                name,
                _figures(figures),
                counts.get(name),
                details.get(name, ()),
                undefined.get(name, {}),
                baselines.get(name),
                intervals.get(name),
            )
            for name, figures in _object(found.get("metrics", {})).items()
        }
        return cls(
            losses=_numbers(found.get("losses", {})),
            tables=tables,
            variants={name: tuple(names) for name, names in _object(found.get("variants", {})).items()},
            thresholds={name: tuple(one) for name, one in _object(found.get("thresholds", {})).items()},
            matrices=_built(Matrix, found.get("matrices", {})),
            curves=_built(Curve, found.get("curves", {})),
        )


def _lacking(reason: str, labels: Mapping[str, Sequence[str]]) -> list[str]:
    """`no positive of AU6, AU12 (no f1, auc)`: labels that lack the same figures together."""
    by_tables: dict[tuple[str, ...], list[str]] = {}
    for label, tables in labels.items():
        by_tables.setdefault(tuple(tables), []).append(label)
    return [f"{reason} of {', '.join(those)} (no {', '.join(tables)})" for tables, those in by_tables.items()]


class Seconds(NamedTuple):
    """What an epoch took: its training, the waiting for data in it, its validation."""

    train: float = 0.0
    waiting: float = 0.0
    validation: float = 0.0


class Rates(NamedTuple):
    """How fast an epoch was. The data's rate is what the workers could have given."""

    step_samples_per_second: float = 0.0
    data_samples_per_second: float = 0.0
    waiting_share: float = 0.0


class Epoch(NamedTuple):
    """A line of `metrics.jsonl`: losses in training, the validation, and what the epoch took.

    `step` counts batches since the run began, `best` says whether it was the best epoch by then. `numbers` are what
    schedules were in its last batch.
    """

    epoch: int
    step: int = 0
    train: Mapping[str, float] = {}
    validation: Evaluation = Evaluation()
    best: bool = False
    learning_rate: Mapping[str, float] = {}
    numbers: Mapping[str, float] = {}
    seconds: Seconds = Seconds()
    rates: Rates = Rates()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        plain = {key: value for key, value in self._asdict().items() if key not in ("seconds", "rates")}
        return {
            **plain,
            "validation": self.validation.to_json(),
            "seconds": self.seconds._asdict(),
            "rates": self.rates._asdict(),
        }

    @classmethod
    def from_json(cls, value: object) -> Epoch:
        """Of what `to_json` gave. Raises `ValueError` where it is something else."""
        found = _object(value)
        if not _is_count(found.get("epoch")):
            raise ValueError("no epoch's number")
        return cls(
            epoch=found["epoch"],
            step=int(found.get("step", 0)),
            train=_numbers(found.get("train", {})),
            validation=Evaluation.from_json(found.get("validation", {})),
            best=bool(found.get("best", False)),
            learning_rate=_numbers(found.get("learning_rate", {})),
            numbers=_numbers(found.get("numbers", {})),
            seconds=Seconds(**_known(Seconds, found.get("seconds", {}))),
            rates=Rates(**_known(Rates, found.get("rates", {}))),
        )


class Result(NamedTuple):
    """`result.json`: the best epoch, what was monitored there, and its figures on validation and test.

    `monitor` is None where the last weights are kept as the best. `test` is None without a test split. `seconds` are
    those of all epochs, of one that was interrupted those of its rest; `peak_bytes` is the highest memory of the
    process that ended the run. Both are None in runs that did not measure them.
    """

    best_epoch: int
    epochs: int
    monitor: str | None
    value: Figure
    validation: Evaluation
    test: Evaluation | None = None
    learning_rate: Mapping[str, float] = {}
    seconds: Figure = None
    peak_bytes: int | None = None

    def split(self, name: str) -> Evaluation:
        """What `validation` or `test` gave; empty where it was not judged."""
        return self.validation if name == "validation" else self.test or Evaluation()

    def _repr_html_(self) -> str:
        """The figures of both splits side by side, which notebooks show."""
        from netcfg.pages.tables import evaluation_tables

        judged = {"validation": self.validation} | ({} if self.test is None else {"test": self.test})
        return evaluation_tables(judged)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "best_epoch": self.best_epoch,
            "epochs": self.epochs,
            "monitor": {"name": self.monitor, "value": self.value},
            "learning_rate": dict(self.learning_rate),
            "seconds": self.seconds,
            "peak_bytes": self.peak_bytes,
            "validation": self.validation.to_json(),
            "test": self.test.to_json() if self.test is not None else None,
        }

    @classmethod
    def from_json(cls, value: object) -> Result:
        """Of what `to_json` gave, or an earlier version. Raises `ValueError` where it is neither."""
        found = _object(value)
        monitor = _object(found.get("monitor", {}))
        if not _is_count(found.get("best_epoch")) or not _is_count(found.get("epochs")):
            raise ValueError("no best epoch")
        test = found.get("test")
        return cls(
            best_epoch=found["best_epoch"],
            epochs=found["epochs"],
            monitor=monitor.get("name"),
            value=_figure(monitor.get("value")),
            validation=Evaluation.from_json(found.get("validation") or {}),
            test=Evaluation.from_json(test) if test else None,
            learning_rate=_numbers(found.get("learning_rate", {})),
            seconds=_figure(found.get("seconds")),
            peak_bytes=found.get("peak_bytes"),
        )


def notes(evaluations: Mapping[str, Evaluation]) -> list[str]:
    """Of each split what labels have no figure there, and why; and which figures no answer was needed for."""
    return [
        note
        for split, evaluation in evaluations.items()
        for note in (evaluation.note(split), *evaluation.trivial(split))
        if note
    ]


def by_labels(evaluated: Iterable[Mapping[str, Table]]) -> dict[tuple[str, ...], list[str]]:
    """The metrics of some evaluations by the labels that they judge, in the order of the file; () is none."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for tables in evaluated:
        for name, table in tables.items():
            names = groups.setdefault(table.judged, [])
            if name not in names:
                names.append(name)
    return groups


def by_picture(curves: Iterable[Curve]) -> dict[str, list[Curve]]:
    """Curves by the title of the picture they share."""
    found: dict[str, list[Curve]] = {}
    for curve in curves:
        found.setdefault(curve.picture or curve.name, []).append(curve)
    return found


# --- from json

Kind = TypeVar("Kind", Matrix, Curve)


def _table(
    name: str,
    figures: Mapping[str, Figure],
    counts: Mapping[str, Sequence[int]] | None,
    details: Sequence[str],
    undefined: Mapping[str, str],
    baseline: object,
    intervals: object,
) -> Table:
    if not figures:
        raise ValueError(f"no figures of {name}")
    labels = [key for key in list(figures)[1:] if key != OVERALL and key not in details]
    table = Table.of(name, figures, labels)
    read = None if counts is None else {label: _counts(of) for label, of in _object(counts).items()}
    trivial = None if baseline is None else _baseline(_object(baseline))
    level, known = _intervals({} if intervals is None else _object(intervals))
    return Table(name, table.main, table.labels, table.details, read, dict(undefined), trivial, level, known)


def _intervals(found: Mapping[str, Any]) -> tuple[Figure, dict[str, Interval]]:
    known: dict[str, Interval] = {}
    for name, ends in _object(found.get("figures", {})).items():
        low, high = _numbers(dict(enumerate(ends))).values()
        known[name] = low, high
    return _figure(found.get("level")), known


def _baseline(found: Mapping[str, Any]) -> Baseline | None:
    figure = _figure(found.get("figure"))
    return None if figure is None else Baseline(str(found.get("what", "")), figure)


def _counts(value: Sequence[int]) -> Counts:
    hits, false, missed = (int(count) for count in value)
    return hits, false, missed


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"no object: {str(value)[:40]}")
    return dict(value)


def _figure(value: object) -> Figure:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"no number: {str(value)[:40]}")
    return value


def _figures(value: object) -> dict[str, Figure]:
    return {name: _figure(one) for name, one in _object(value).items()}


def _numbers(value: object) -> dict[str, float]:
    return {name: one for name, one in _figures(value).items() if one is not None}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _known(kind: type[Seconds] | type[Rates], value: object) -> dict[str, float]:
    """The numbers among its fields."""
    return {name: one for name, one in _numbers(value).items() if name in kind._fields}


def _built(kind: type[Kind], value: object) -> dict[str, Kind]:
    try:
        return {name: kind(**_object(parts)) for name, parts in _object(value).items()}
    except TypeError as error:
        raise ValueError(str(error)) from None
