"""What a run's epochs have given: which was the best, how long none has been better, and their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from netcfg.results import Epoch, Figure
from netcfg.source import Finding, ProgramError


@dataclass
class Standing:
    """The best figure so far and its epoch, and how many epochs have gone by since a better one."""

    best: Figure = None
    best_epoch: int = 0
    stale: int = 0


class Ledger:
    """The epochs of a run by their numbers, and how they compare.

    `patience` and `patience_above` are those of [training]. An epoch whose figure is undefined is no better than any;
    the first one is kept all the same, so that there always are best weights. With `keeps_last` each one is the best.
    """

    def __init__(
        self,
        patience: int | None = None,
        patience_above: Figure = None,
        keeps_last: bool = False,
    ) -> None:
        self.patience = patience
        self.patience_above = patience_above
        self.keeps_last = keeps_last
        self.standing = Standing()
        self._epochs: dict[int, Epoch] = {}

    @property
    def epochs(self) -> list[Epoch]:
        """The records, in order of their numbers."""
        return [self._epochs[number] for number in sorted(self._epochs)]

    @property
    def is_stalled(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and 0 < self.standing.stale >= self.patience

    def judge(self, epoch: int, figure: Figure, higher_is_better: bool) -> bool:
        """Compare an epoch that has ended with the best one; whether it is the best now."""
        is_better = self._is_better(figure, higher_is_better)
        is_best = is_better or self.keeps_last or not self.standing.best_epoch
        counts = is_better and self._counts(figure, higher_is_better)
        self.standing.stale = 0 if counts else self.standing.stale + 1
        if is_best:
            self.standing.best, self.standing.best_epoch = figure, epoch
        return is_best

    def pass_over(self, epoch: int) -> bool:
        """An epoch that has ended and that nobody has judged; whether it is kept as the best, for want of another."""
        is_kept = self.keeps_last or not self.standing.best_epoch
        if is_kept:
            self.standing.best, self.standing.best_epoch = None, epoch
        return is_kept

    def _is_better(self, figure: Figure, higher_is_better: bool) -> bool:
        best = self.standing.best
        if figure is None or best is None:
            return figure is not None
        return figure > best if higher_is_better else figure < best

    def _counts(self, figure: Figure, higher_is_better: bool) -> bool:
        """Whether the best epoch so far is good enough to go on for."""
        above = self.patience_above
        return above is None or not higher_is_better or figure is None or figure > above

    def add(self, epoch: Epoch) -> None:
        """Take in an epoch's record; one of the same number gives way."""
        self._epochs[epoch.epoch] = epoch

    def restore(self, standing: Standing, epochs: Iterable[Epoch]) -> None:
        """Take up a run where it stands."""
        self.standing = standing
        self._epochs = {epoch.epoch: epoch for epoch in epochs}

    def best(self, source: str) -> Epoch:
        """The best epoch's record. Raises `ProgramError` (NC406), naming `source`, where it is gone."""
        number = self.standing.best_epoch
        if number not in self._epochs:
            raise ProgramError(
                [
                    Finding(
                        "NC406",
                        f"{source} has no line of epoch {number}, the best one, whose figures the run ends with",
                        help="put the line back; the best weights are whole, and `netcfg eval RUN` judges them",
                    )
                ]
            )
        return self._epochs[number]
