"""Sums of numbers and of their squares and products, kept by sample so that they add up without loss.

Legend: B weights, N samples, A numbers of a sample that are judged apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROWS = 8
"""Of each sample: how many count, their means of x and y, the sums of squares and products about these, and the sums of
absolute and of squared differences."""


def moments(x: Tensor, y: Tensor, counts: Tensor) -> Tensor:
    """The rows of samples, (N, A, 8). Shapes: (N, A, P): P places of each number, which are taken together."""
    x, y = x.double().masked_fill(~counts, 0), y.double().masked_fill(~counts, 0)
    number = counts.double().sum(2)
    least = number.clamp(min=1)
    mean_x, mean_y = x.sum(2) / least, y.sum(2) / least
    of_x, of_y = (
        (value - mean[:, :, None]).masked_fill(~counts, 0) for value, mean in ((x, mean_x), (y, mean_y))
    )
    apart = x - y
    return torch.stack(
        [
            number, mean_x, mean_y, of_x.square().sum(2), of_y.square().sum(2), (of_x * of_y).sum(2),
            apart.abs().sum(2), apart.square().sum(2),
        ],
        2,
    )  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """Of all samples by weights, (B, A) each: how many, means, and mean squares and products about them."""

    number: Tensor
    mean_x: Tensor
    mean_y: Tensor
    variance_x: Tensor
    variance_y: Tensor
    covariance: Tensor
    absolute: Tensor
    squared: Tensor

    @classmethod
    def of(cls, rows: Tensor, weights: Tensor) -> Moments:
        """Rows (N, A, 8) by weights (B, N); about a common mean first, so that no digits are lost."""
        number, mean_x, mean_y, of_x, of_y, product, absolute, squared = rows.unbind(2)
        total = number.sum(0).clamp(min=1)
        centre_x, centre_y = (number * mean_x).sum(0) / total, (number * mean_y).sum(0) / total
        x, y = mean_x - centre_x, mean_y - centre_y
        known = weights @ number
        least = torch.where(known > 0, known, torch.nan)

        def mean(values: Tensor) -> Tensor:
            return weights @ values / least

        shift_x, shift_y = mean(number * x), mean(number * y)
        return cls(
            known,
            centre_x + shift_x,
            centre_y + shift_y,
            (mean(of_x + number * x * x) - shift_x * shift_x).clamp(min=0),
            (mean(of_y + number * y * y) - shift_y * shift_y).clamp(min=0),
            mean(product + number * x * y) - shift_x * shift_y,
            mean(absolute),
            mean(squared),
        )
