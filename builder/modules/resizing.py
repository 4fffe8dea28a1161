"""Borders and squares of pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class Pad(nn.Module):
    """A border; `sides` are before and after for each axis, the last axis first, as PyTorch has them.

    `turned`: places stand before channels (N×L×F, N×T×C×H×W).
    """

    def __init__(self, sides: Sequence[int], *, mode: str, value: float, turned: bool) -> None:
        super().__init__()
        self.sides, self.mode, self.value, self.turned = list(sides), mode, value, turned

    def forward(self, x: Tensor) -> Tensor:
        """Larger by the border."""
        if self.turned:
            return self._padded(x.transpose(1, 2)).transpose(1, 2)
        return self._padded(x)

    def _padded(self, x: Tensor) -> Tensor:
        return F.pad(x, self.sides, mode=self.mode, value=self.value if self.mode == "constant" else None)


class Crop(nn.Module):
    """A stretch of each of some axes, from `at` or from the middle."""

    def __init__(self, axes: Sequence[int], sizes: Sequence[int], at: Sequence[int] | None) -> None:
        super().__init__()
        self.axes, self.sizes, self.at = tuple(axes), tuple(sizes), at

    def forward(self, x: Tensor) -> Tensor:
        """A view."""
        starts = self.at or [
            (x.shape[axis] - size) // 2 for axis, size in zip(self.axes, self.sizes, strict=True)
        ]
        for axis, size, start in zip(self.axes, self.sizes, starts, strict=True):
            x = x.narrow(axis, start, size)
        return x


class Patches(nn.Module):
    """N×H×W×C -> N×H'×W'×(size²·C): columns of a square before each other, zeros below and right of odd sizes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Channels last."""
        height, width = x.shape[1:3]
        below, right = -height % self.size, -width % self.size
        if below or right:
            x = F.pad(x, (0, 0, 0, right, 0, below))
        x = x.unflatten(2, (-1, self.size)).unflatten(1, (-1, self.size))  # type: ignore[no-untyped-call]
        return x.permute(0, 1, 3, 4, 2, 5).flatten(3)


class Upsample(nn.Module):
    """Interpolation of N×C×H×W to sizes, by a factor, or to the sizes of another image; `stays`: not at all."""

    def __init__(
        self,
        sizes: tuple[int, int] | None,
        factor: float | None,
        *,
        mode: str,
        align_corners: bool | None,
        stays: bool,
    ) -> None:
        super().__init__()
        self.sizes, self.factor, self.mode = sizes, factor, mode
        self.align_corners, self.stays = align_corners, stays

    def forward(self, x: Tensor, size_of: Tensor | None = None) -> Tensor:
        """Of the sizes of `size_of`, where that is given."""
        if self.stays:
            return x
        sizes = self.sizes if size_of is None else size_of.shape[-2:]
        return F.interpolate(
            x, sizes, None if sizes else self.factor, mode=self.mode, align_corners=self.align_corners
        )
