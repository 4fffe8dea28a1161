"""Metrics of samples that may each count several times or not at all: masks, groups, and intervals by bootstrap."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Case, Figures, Rows, Verdict
from netcfg.results import Baseline, Curve, Figure, Interval, Matrix, Table
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import Tensor

UNIT = "unit"
Pool = Literal["sum", "mean_probability", "vote"]
POOL = "how a group's answers become one: the sum of scores, the mean of probabilities, or a vote"


class Weighed(NamedTuple):
    """Figures by weights (B): the main one, those of classes or labels (B, K), and others by name; NaN: undefined.

    `reasons` say of each class or label why it has none.
    """

    main: "Tensor"
    each: "Tensor | None" = None
    details: "Mapping[str, Tensor]" = {}
    reasons: Sequence[str] = ()


class WeighedMetric(Metric):
    """A metric that keeps rows of samples, and finds its figures whatever their weights.

    A subclass gives `rows` of a batch and `weigh` of them.
    """

    target: str = Option(description="the data field or signal it is compared with")
    mask: str | None = Option(
        None, description="a data field or signal that says what counts, where above 0.5: of the target's shape, its "
        "first or last sizes, or one number a sample"
    )  # fmt: skip
    grouping: str | None = Option(
        None,
        alias="group",
        description="a data field, such as `clip` or `subject`, whose samples are judged as one",
    )
    interval: Annotated[float, Option(gt=0, lt=1)] | None = Option(
        None, description="also in what interval each figure lies with this probability, such as 0.95, by 1000 "
        "bootstrap draws of samples, or of groups"
    )  # fmt: skip
    interval_over: str | None = Option(
        None, description="a data field, such as `subject`, whose samples the interval's draws take together"
    )

    @property
    def reads(self) -> dict[str, str]:
        """Also its mask, and the fields of its groups."""
        also = {"mask": self.mask, "group": self.grouping, "interval_over": self.interval_over}
        return super().reads | {option: name for option, name in also.items() if name is not None}

    def conflict(self) -> str | None:
        """An interval's units belong to an interval."""
        if self.interval_over is not None and self.interval is None:
            return "has `interval_over`, and no `interval`"
        return super().conflict()

    def depends_on_order(self) -> bool:
        """Draws take samples by their numbers."""
        return self.interval is not None

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """Also that the mask fits, and that groups are numbers."""
        super().check_signals(shapes, names)
        places = {option: place for place, option in enumerate(shapes)}
        for option in ("group", "interval_over"):
            if shapes.get(option):
                raise ShapeError(
                    f"`{option}` needs one number for each sample, and `{self.reads[option]}` gives "
                    f"{show(shapes[option])}", argument=places[option], code="NC402", option=option,
                )  # fmt: skip
        if "mask" in shapes and "target" in shapes and not _fits(shapes["mask"], shapes["target"]):
            raise ShapeError(
                f"`{self.mask}` gives {show(shapes['mask'])}, which is no mask of {show(shapes['target'])}",
                argument=places["mask"], code="NC402", option="mask",
                help="a mask has the target's shape, its first or last sizes, or is one number a sample",
            )  # fmt: skip

    # --- rows

    def rows(self, case: Case) -> Rows:
        """What it keeps of samples, on their device."""
        raise NotImplementedError

    def settled(self, rows: Rows) -> Rows:
        """Rows of a whole split, where what a sample is worth hangs on the others; else as they are."""
        return rows

    def weigh(self, rows: Rows, weights: "Tensor", names: Sequence[str]) -> Weighed:
        """The figures of rows by weights (B, N), in double precision."""
        raise NotImplementedError

    def raw(self, case: Case) -> Rows:
        """What it keeps of samples that are to be judged in groups."""
        kept = {"scores": case.scores, "targets": case.targets, "mask": case.mask, "group": case.groups}
        return {name: rows for name, rows in kept.items() if rows is not None}

    def grouped(self, rows: Rows) -> "tuple[Rows, Tensor]":
        """Of rows that `raw` has kept those of groups, and the first sample of each."""
        raise NotImplementedError

    def keep(self, case: Case) -> Rows | None:
        """Rows of a batch."""
        kept = self.raw(case) if self.grouping is not None else self.rows(case)
        return kept | ({} if case.units is None else {UNIT: case.units})

    def judge(self, case: Case) -> Verdict:
        """Its rows, judged."""
        rows = self.keep(case)
        assert rows is not None
        return self.judge_rows(rows, case.names)

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The main figure under the metric's name, then those of classes or labels, then others."""
        return self.judge(Case(scores, targets, names)).tables[own_name(self)].figures

    def judge_rows(self, rows: Rows, names: Sequence[str]) -> Verdict:
        """A table of its figures with their intervals, and what else it has to show."""
        from netcfg.trainers.judging.weights import ones

        is_empty = not len(next(iter(rows.values())))
        if is_empty:
            # A source may have nothing in a split. One sample that counts nothing keeps the sizes of all figures, which
            # torch cannot tell of rows without numbers.
            rows = {name: kept.new_zeros(1, *kept.shape[1:]) for name, kept in rows.items()}
        units = rows.get(UNIT)
        if self.grouping is not None:
            rows, first = self.grouped(rows)
            units = None if units is None else units[first]
        rows = {name: kept for name, kept in rows.items() if name != UNIT}
        rows = self.settled(rows)
        size = len(next(iter(rows.values())))
        found = self.weigh(rows, ones(size) * (not is_empty), names)
        table = self._found_table(found, names, self.baseline_of(rows))
        if is_empty:
            return Verdict({table.name: table})
        if self.interval is not None:
            table = self._with_intervals(table, rows, names, size, units)
        return Verdict(
            {table.name: table},
            matrices=self.matrices(rows, names),
            curves=self.curves(rows, names),
        )

    def _found_table(self, found: Weighed, names: Sequence[str], baseline: Baseline | None) -> Table:

        name = own_name(self)
        main = _figure(found.main)
        figures = self._named(found, names)
        each = {label: _figure(value) for label, value in figures.items() if label in names}
        details = {label: _figure(value) for label, value in figures.items() if label not in names}
        reasons = dict(zip(names, found.reasons, strict=False))
        undefined = {
            label: reasons[label] for label, figure in each.items() if figure is None and reasons.get(label)
        }
        if main is None and not undefined:
            undefined = {name: next((reason for reason in found.reasons if reason), "nothing that counts")}
        table = Table(name, main, each, details, undefined=undefined)
        return table._replace(baseline=baseline if main is not None else None)

    def _named(self, found: Weighed, names: Sequence[str]) -> "dict[str, Tensor]":
        """The figures beside the main one by name, (B) each."""
        each = found.each
        labels = {} if each is None or each.shape[1] != len(names) else dict(zip(names, each.T, strict=True))
        return labels | {key: value for key, value in found.details.items() if key != own_name(self)}

    def _with_intervals(
        self, table: Table, rows: Rows, names: Sequence[str], size: int, units: "Tensor | None"
    ) -> Table:

        import torch

        from netcfg.trainers.judging.weights import figures_of_draws, limits

        assert self.interval is not None
        keys: list[str] = []

        def figures(weights: "Tensor") -> "Tensor":
            found = self.weigh(rows, weights, names)
            named = {table.name: found.main, **self._named(found, names)}
            keys[:] = named
            return torch.stack(list(named.values()), 1)

        drawn = figures_of_draws(figures, size, units)
        known = {key: limits(drawn[:, place], self.interval) for place, key in enumerate(keys)}
        intervals: dict[str, Interval] = {
            key: found
            for key, found in known.items()
            if found is not None and table.figures.get(key) is not None
        }
        return table._replace(level=self.interval, intervals=intervals)

    # --- what else it has to say

    def baseline_of(self, rows: Rows) -> Baseline | None:
        """The best that an answer can reach that looks at nothing, where it can be known."""
        return None

    def matrices(self, rows: Rows, names: Sequence[str]) -> Sequence[Matrix]:
        """Matrices of a split."""
        return ()

    def curves(self, rows: Rows, names: Sequence[str]) -> Sequence[Curve]:
        """Curves of a split."""
        return ()


def _figure(value: "Tensor") -> Figure:
    import math

    number = float(value.reshape(-1)[0])
    return None if math.isnan(number) else number


def _fits(mask: Shape, target: Shape) -> bool:
    """Whether a mask has the target's shape, its first or last sizes, or is one number."""
    ours, theirs = squeezed(mask), squeezed(target)
    while len(ours) > len(theirs) and ours[0] == 1:
        ours = ours[1:]
    if not ours or ours == (1,):
        return True
    size = len(ours)
    return size <= len(theirs) and any(
        not any(differ(one, other) for one, other in zip(ours, part, strict=True))
        for part in (theirs[:size], theirs[-size:])
    )
