"""Adaptive pools in a form that ONNX can say for sizes that do not divide."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class OnnxMeans(nn.Module):
    """N×C×H×W -> N×C×rows×columns: means of windows that may overlap, as two products with their shares."""

    def __init__(self, rows: int | None, columns: int | None) -> None:
        super().__init__()
        self.sizes = rows, columns

    @classmethod
    def of(cls, pool: nn.AdaptiveAvgPool2d) -> nn.Module:
        """The same as a pool; itself where it is the mean of all pixels."""
        size = pool.output_size
        rows, columns = size if isinstance(size, tuple) else (size, size)
        return pool if (rows, columns) == (1, 1) else cls(rows, columns)

    def forward(self, x: Tensor) -> Tensor:
        """Rows, then columns; fixed sizes that divide are a pool of windows."""
        height, width = x.shape[2:]
        rows, columns = (size or there for size, there in zip(self.sizes, (height, width), strict=True))
        if isinstance(height, int) and isinstance(width, int) and not (height % rows or width % columns):
            return nn.functional.avg_pool2d(x, (height // rows, width // columns))
        return _shares(height, rows, x) @ x @ _shares(width, columns, x).mT


def _shares(size: int, parts: int, like: Tensor) -> Tensor:
    """parts×size: what share each place has in each window, of which the i-th reaches from ⌊i·size/parts⌋ to
    ⌈(i + 1)·size/parts⌉.
    """
    part = torch.arange(parts, device=like.device)[:, None]
    place = torch.arange(size, device=like.device)
    # Places below (i + 1)·size/parts lie before its rounding up, too.
    inside = (place >= part * size // parts) & (place * parts < (part + 1) * size)
    inside = inside.to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


__all__ = ["OnnxMeans"]
