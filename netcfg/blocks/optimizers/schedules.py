"""How learning rates change: factors of their start, as pure functions of where a run stands.

Nothing here is torch: a factor comes from the epochs finished, never from the one before it, so that a resumed
run, or one with more epochs added, takes the rates of a run that was never stopped. Only `Plateau` remembers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import cos, inf, pi
from typing import Any, Literal

Schedule = Literal["constant", "linear", "step", "multistep", "cosine", "exponential", "plateau"]

USED_BY: dict[str, tuple[Schedule, ...]] = {
    "decay_over_last_epochs": ("linear",),
    "step_epochs": ("step",),
    "milestones": ("multistep",),
    "gamma": ("step", "multistep", "exponential"),
    "final_factor": ("cosine",),
    "plateau_patience": ("plateau",),
    "plateau_factor": ("plateau",),
    "plateau_threshold": ("plateau",),
}
"""The schedules each option belongs to; with any other it would do nothing, which is an error."""

NEEDS: dict[Schedule, str] = {"step": "step_epochs", "multistep": "milestones", "exponential": "gamma"}
"""The option a schedule cannot do without."""


def linear(finished: int, max_epochs: int, span: int) -> float:
    """1 less 1/span for each of the last `span` epochs already finished."""
    decays = finished - max(0, max_epochs - span)
    return 1.0 - max(0, decays) / span


def step(finished: int, epochs: int, gamma: float) -> float:
    """Times gamma after each `epochs` epochs."""
    return float(gamma ** (finished // epochs))


def multistep(finished: int, milestones: Sequence[int], gamma: float) -> float:
    """Times gamma after each of these numbers of epochs."""
    return float(gamma ** bisect_right(sorted(milestones), finished))


def exponential(finished: int, gamma: float) -> float:
    """Times gamma after each epoch."""
    return float(gamma**finished)


def cosine(finished: int, max_epochs: int, final: float) -> float:
    """Half a cosine from 1, which would reach `final` after the last epoch.

    Source: Loshchilov and Hutter 2017 (SGDR), without restarts.
    """
    return final + (1.0 - final) * (1.0 + cos(pi * min(1.0, finished / max_epochs))) / 2.0


def warm_up(done: int, length: int) -> float:
    """A straight line that ends at 1: batch number `done` (from 0) of `length` runs at (done + 1) / length."""
    return min(1.0, (done + 1) / length)


class Plateau:
    """Times `factor` whenever a figure has not improved for more than `patience` epochs.

    A figure has improved where it beats the best so far by `threshold` of its size. NaN never does.
    """

    def __init__(self, patience: int, factor: float, threshold: float) -> None:
        self.patience = patience
        self.factor = factor
        self.threshold = threshold
        self.best: float | None = None
        self.bad_epochs = 0
        self.reductions = 0

    @property
    def rate_factor(self) -> float:
        """By what the learning rates are multiplied now."""
        return float(self.factor**self.reductions)

    def observe(self, figure: float, higher_is_better: bool) -> None:
        """Take the figure of one more epoch."""
        if self._improved(figure, higher_is_better):
            self.best, self.bad_epochs = figure, 0
            return
        self.bad_epochs += 1
        if self.bad_epochs > self.patience:
            self.reductions += 1
            self.bad_epochs = 0

    def _improved(self, figure: float, higher_is_better: bool) -> bool:
        if self.best is None:
            return -inf < figure < inf
        gain = figure - self.best if higher_is_better else self.best - figure
        return gain > self.threshold * abs(self.best)

    def state_dict(self) -> dict[str, Any]:
        """What it remembers, as plain numbers."""
        return {"best": self.best, "bad_epochs": self.bad_epochs, "reductions": self.reductions}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` gave; patience, factor and threshold stay the file's."""
        self.best = state["best"]
        self.bad_epochs = state["bad_epochs"]
        self.reductions = state["reductions"]
