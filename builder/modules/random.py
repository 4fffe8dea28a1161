"""Signals that are drawn at random, and samples in a random order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from netcfg.builder.chance import Drawing, nearer

Distribution = Literal["normal", "uniform", "bernoulli", "integer", "permutation"]


class Random(Drawing):
    """Called with any signal of the batch; gives a draw of `shape` (or of that signal's shape) for each sample.

    `number` is what the distribution needs: the probability of 1, or how many integers there are. In evaluation it
    gives `evaluation`, where that is a number.
    """

    def __init__(
        self,
        distribution: Distribution,
        shape: Sequence[int] | None,
        number: float = 0.0,
        each_phase: bool = False,
        evaluation: float | None = None,
    ) -> None:
        super().__init__()
        self.distribution = distribution
        self.shape = None if shape is None else tuple(shape)
        self.number = number
        self.each_phase = each_phase
        self.evaluation = evaluation

    def forward(self, like: Tensor) -> Tensor:
        """(N, …) -> (N, *shape)."""
        shape = tuple(like.shape[1:]) if self.shape is None else self.shape
        if self.evaluation is not None and self._is_evaluated():
            return torch.full((like.shape[0], *shape), self.evaluation, device=like.device)

        def draw(generator: torch.Generator | None, device: torch.device, count: int) -> Tensor:
            return self._drawn((count, *shape), generator, device)

        if self.chance is None:
            return draw(None, like.device, like.shape[0])  # `len` would settle a traced size
        size = math.prod(shape)
        return self.chance.samples(
            draw, len(like), like.device, self.path, self.each_phase, self._mixed, size
        )

    def _mixed(self, first: Tensor, second: Tensor, part: float) -> Tensor:
        if self.distribution == "normal":
            # On a quarter of a circle: a straight line would lead through draws that are too small.
            return first * math.cos(part * math.pi / 2) + second * math.sin(part * math.pi / 2)
        if self.distribution == "uniform":
            return torch.lerp(first, second, part)
        return nearer(first, second, part)

    def _is_evaluated(self) -> bool:
        # A block of {Model} is part of no network, and never switched to evaluation: there only numbered
        # samples tell.
        return not self.training or (self.chance is not None and self.chance.numbers is not None)

    def _drawn(
        self, size: tuple[int, ...], generator: torch.Generator | None, device: torch.device
    ) -> Tensor:
        # Without the argument, since what draws by a generator cannot be traced for open sizes.
        by: dict[str, Any] = {} if generator is None else {"generator": generator}
        if self.distribution == "normal":
            return torch.randn(size, device=device, **by)
        if self.distribution == "uniform":
            return torch.rand(size, device=device, **by)
        if self.distribution == "bernoulli":
            return torch.empty(size, device=device).bernoulli_(self.number, **by)
        if self.distribution == "integer":
            return torch.randint(int(self.number), size, device=device, **by)
        # The order of even draws is an even permutation, of all samples at once.
        return torch.rand(size, device=device, **by).argsort(-1)


class ShuffledBatch(Drawing):
    """Gives the samples of a batch in a random order, or those `by` rows further on, without their history."""

    def __init__(self, by: int | None = None) -> None:
        super().__init__()
        self.by = by

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) -> (N, …)."""
        if self.by is not None:
            # Row i gets what row i + `by` has, the last ones what the first have: AUDetNet's pairs.
            return x.detach().roll(-self.by, 0)
        drawn_for = None if self.chance is None else self.chance.generator(x.device, self.path)
        return x.detach()[torch.randperm(len(x), generator=drawn_for, device=x.device)]
