"""What a metric is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.blocks.metrics.judgement import Case, Cut, Figures, Rows, Verdict
from netcfg.results import Baseline, Table
from netcfg.shapes import Shape

if TYPE_CHECKING:
    from torch import Tensor


def expect_figures(figures: object) -> None:
    """Raise `TypeError` where `compute` gave no figures: an author's metric may give anything."""
    if not isinstance(figures, Mapping) or not figures:
        gives = "an empty dictionary" if isinstance(figures, Mapping) else type(figures).__name__
        raise TypeError(f"`compute` gives {gives}, and a metric gives figures by name, its main one first")
    for name, value in figures.items():
        if not isinstance(value, int | float | None):
            raise TypeError(
                f"`compute` gives {type(value).__name__} for `{name}`, and a figure is a number or None"
            )


class Metric(Section):
    """A figure of merit over a whole split, of a signal and (mostly) a target.

    A metric that cannot do without a target declares it anew as a `str`; one of a single signal puts it into
    `unavailable`.
    """

    group: ClassVar[Group] = "metric"
    family: ClassVar[str] = "metric"
    higher_is_better: ClassVar[bool] = True

    input: str = Option(description="the signal: a network, or `Network.output`")
    target: str | None = Option(None, description="the signal or data field it is compared with")
    source: str | None = Option(None, description="of joined sources the one whose samples it judges")

    @property
    def reads(self) -> dict[str, str]:
        """The signals it reads, by option: input and target first."""
        return {"input": self.input} | ({} if self.target is None else {"target": self.target})

    @property
    def needs_validation(self) -> bool:
        """Whether it judges other splits by what it has found on the validation split."""
        return False

    def depends_on_order(self) -> bool:
        """Whether its figures may hang on the order of clips; that of a clip's frames counts where it reads `clip`."""
        return False

    @property
    def cut(self) -> Cut | None:
        """How it decides which labels are present; None: it takes scores as they are."""
        return None

    @property
    def table_names(self) -> tuple[str, ...]:
        """What its tables of figures are called; the first as the metric."""
        return (self.name or self.type_name,)

    def check(self, input: Shape, target: Shape | None) -> None:
        """Raise `ShapeError` where the two shapes cannot be compared."""

    def check_signals(self, shapes: Mapping[str, Shape], names: Sequence[str] = ()) -> None:
        """`check`, of all that it reads by option; `names` are those of the classes or labels of its target."""
        self.check(shapes["input"], shapes.get("target"))

    def keep(self, case: Case) -> Rows | None:
        """What it keeps of a batch, on the batch's device, where that is less than its signals; None: it keeps those.

        Rows of all batches, one after the other, then come to `judge_rows`. Whether and by which names it keeps rows
        hangs on its options and the signals' shapes alone.
        """
        return None

    def judge_rows(self, rows: Rows, names: Sequence[str]) -> Verdict:
        """`judge`, of what `keep` has kept of a whole split."""
        raise NotImplementedError

    def judge(self, case: Case) -> Verdict:
        """All it has to say of a split: by default one table, that of `compute`."""
        name = self.table_names[0]
        figures = self.compute(case.scores, case.targets, case.names)
        expect_figures(figures)
        return Verdict(
            {name: Table.of(name, figures, case.names)._replace(baseline=self.baseline(case.targets))}
        )

    def baseline(self, targets: "Tensor | None") -> Baseline | None:
        """The best that an answer can reach that looks at nothing, where it can be known. Shape: as `compute`."""
        return None

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The figures over all samples: the one to monitor under the metric's own name, then the details.

        `scores` and `targets` are the two signals of the whole split, samples first, on the CPU; `names` are
        those of the target's entries. A figure that cannot be known is None. Raises `NetcfgError` where they hold
        numbers it cannot judge (NaN).
        """
        raise NotImplementedError
