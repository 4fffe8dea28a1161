"""Losses of a whole batch of numbers, and of distributions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from netcfg.builder.modules.losses.comparing import Comparing, laid
from netcfg.builder.modules.losses.counted import Counted, precise


class Ccc(Comparing):
    """1 minus Lin's concordance: 2 cov / (var + var + (mean - mean)²), of each number over the samples that count."""

    def forward(
        self,
        values: Tensor,
        targets: Tensor | None = None,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
        **others: Tensor,
    ) -> Tensor | Counted:
        """The mean over numbers, which counts as all that is compared; a number of which nothing counts is left out."""
        values, targets = self.pair(*self.precise(values, targets))
        kept = self._kept(targets, mask, targets.shape)
        if kept is not None:
            targets = torch.where(kept, targets, 0)
        # Rows of a clip count as samples: their places are those of a batch.
        x, y = (one.flatten(1, -2).flatten(0, 1) if one.ndim > 2 else one for one in (values, targets))
        if kept is None and weight is None:
            return (1 - _concordance(x, y, torch.ones_like(x))).mean()
        shares = torch.ones_like(values) if kept is None else kept.expand_as(values).to(values.dtype)
        if weight is not None:
            shares = shares * laid(weight, targets.shape).to(values.dtype)
        shares = shares.flatten(1, -2).flatten(0, 1) if shares.ndim > 2 else shares
        total = shares.sum(0)
        made = torch.where(total > 0, 1 - _concordance(x, y, shares), 0)
        there = (total > 0).sum().clamp(min=1)
        return Counted(made.sum() / there * total.sum(), total.sum())


def _concordance(x: Tensor, y: Tensor, shares: Tensor) -> Tensor:
    """Of each column, over rows that count by their shares; 0 where neither column moves and both agree."""
    total = shares.sum(0).clamp(min=torch.finfo(x.dtype).tiny)
    mean_x, mean_y = (shares * x).sum(0) / total, (shares * y).sum(0) / total
    from_x, from_y = x - mean_x, y - mean_y
    together = (shares * from_x * from_y).sum(0) / total
    spread = (shares * (from_x.square() + from_y.square())).sum(0) / total + (mean_x - mean_y).square()
    return 2 * together / torch.where(spread > 0, spread, 1)


class KlNormal(nn.Module):
    """Kullback–Leibler divergence of normal distributions from the standard one, the sum over numbers.

    Shapes: means and logarithms of variances (N, …), alike.
    """

    def forward(self, means: Tensor, log_variance: Tensor) -> Tensor:
        """The mean over samples."""
        means, log_variance = precise(means), precise(log_variance)
        each = 0.5 * (log_variance.exp() + means.square() - 1 - log_variance)
        return each.sum() / max(1, len(means))


class Adversarial(nn.Module):
    """What a critic or its opponent makes small of the critic's scores."""

    def __init__(self, mode: str, side: str) -> None:
        super().__init__()
        self.mode = mode
        self.side = side

    def forward(self, *scores: Tensor) -> Tensor:
        """The mean over scores of each kind: real and fake ones for the critic, fake ones for the generator."""
        *real, fake = map(precise, scores)
        if self.side == "generator":
            return self._pleased(fake)
        return self._told(real[0], 1) + self._told(fake, -1)

    def _told(self, scores: Tensor, sign: int) -> Tensor:
        """That real ones (sign 1) are high, and fake ones (-1) low."""
        if self.mode == "hinge":
            return (1 - sign * scores).relu().mean()
        if self.mode == "least_squares":
            # Towards 1 for real ones, and 0 for fake ones.
            return 0.5 * (scores - (sign + 1) / 2).square().mean()
        if self.mode == "vanilla":
            # This is -log sigmoid(sign · score), without the logarithm of a probability that was rounded to
            # 0.
            return nn.functional.softplus(-sign * scores).mean()
        return -sign * scores.mean()

    def _pleased(self, scores: Tensor) -> Tensor:
        if self.mode in ("hinge", "wasserstein"):
            return -scores.mean()
        return self._told(scores, 1)
