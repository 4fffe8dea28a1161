"""A network that follows another: a moving average as a step of its own."""

from typing import Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled
from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.optimizers.base import StepSection


class MovingAverage(StepSection, name="moving_average"):
    """Networks that follow others: each weight = momentum · weight + (1 - momentum) · the other's, step by step.

    It is a step among those of `{Optimizer}`, in file order: below an optimizer it takes in what that has just made of
    the weights (BYOL, mean teachers), above it what the batch before has left (MoCo). No gradient moves such a network,
    and no optimizer may train it; a loss compares with what it gives. `networks` and `of` are pairs in order, of the
    same blocks: `[net] same_as = …`. Where an optimizer of `of` has `accumulate`, the average waits for its update.

    `buffers`, the running statistics of batch norm for instance: `copy` takes the other network's, `average` averages
    them like weights (what counts in whole numbers is copied), `own` leaves those that the network itself has gathered.
    `start_equal` begins with the other's weights. For an average of everything, for evaluation alone, see `ema` in
    [training].
    Source: Tarvainen and Valpola 2017; He et al. 2020; Grill et al. 2020.
    Example::

        [moving_average]
        networks = Target
        of = Online
        momentum = 0.99
    """

    networks: tuple[str, ...] = Option(description="the networks that follow")
    of: tuple[str, ...] = Option(description="those that they follow, in the same order")
    momentum: Annotated[float, Option(ge=0, lt=1)] | Scheduled = Option(
        description="how much of a weight stays at each step; 0 copies"
    )
    buffers: Literal["copy", "average", "own"] = Option(
        "copy", description="what becomes of running statistics and other buffers"
    )
    start_equal: bool = Option(True, description="begin with the weights of those that are followed")
    every: PositiveInt = Option(1, description="run on every n-th batch of an epoch: on batch n, 2n, …")

    def conflict(self) -> str | None:
        """Pairs."""
        if len(self.networks) != len(self.of):
            return f"has {len(self.networks)} in `networks` and {len(self.of)} in `of`: write them in pairs"
        return None

    def runs_on(self, batch: int, epoch: int | None = None, step: int | None = None) -> bool:
        """Whether it runs on this batch of an epoch, counted from 0: in all epochs alike."""
        return (batch + 1) % self.every == 0

    def runs_in(self, epoch: int) -> bool:
        """It runs in every epoch."""
        return True

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Who follows whom."""
        return tuple(zip(self.networks, self.of, strict=True))
