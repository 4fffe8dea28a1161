"""Borders and squares of pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class Pad(nn.Module):
    """A border; `sides` are before and after for each axis, the last axis first, as PyTorch has them. Without, it is
    as thick as another signal is larger.

    `turned`: places stand before channels (N×L×F, N×T×C×H×W).
    """

    def __init__(self, sides: Sequence[int] | None, *, mode: str, value: float, turned: bool) -> None:
        super().__init__()
        self.sides = None if sides is None else list(sides)
        self.mode, self.value, self.turned = mode, value, turned

    def forward(self, x: Tensor, size_of: Tensor | None = None) -> Tensor:
        """Larger by the border."""
        if self.turned:
            size_of = None if size_of is None else size_of.transpose(1, 2)
            return self._padded(x.transpose(1, 2), size_of).transpose(1, 2)
        return self._padded(x, size_of)

    def _padded(self, x: Tensor, size_of: Tensor | None) -> Tensor:
        sides = self.sides or []
        if size_of is not None:
            lacking = [there - here for here, there in zip(x.shape[2:], size_of.shape[2:], strict=True)]
            # `F.pad` counts axes from the last.
            sides = [side for size in reversed(lacking) for side in (size // 2, size - size // 2)]
        return F.pad(x, sides, mode=self.mode, value=self.value if self.mode == "constant" else None)


class Crop(nn.Module):
    """A stretch of each of some axes, from `at` or from the middle; as long as another signal without `sizes`."""

    def __init__(self, axes: Sequence[int], sizes: Sequence[int] | None, at: Sequence[int] | None) -> None:
        super().__init__()
        self.axes, self.sizes, self.at = tuple(axes), None if sizes is None else tuple(sizes), at

    def forward(self, x: Tensor, size_of: Tensor | None = None) -> Tensor:
        """A view."""
        sizes = self.sizes or ()
        if size_of is not None:
            sizes = tuple([size_of.shape[axis] for axis in self.axes])
        starts = self.at or [(x.shape[axis] - size) // 2 for axis, size in zip(self.axes, sizes, strict=True)]
        for axis, size, start in zip(self.axes, sizes, starts, strict=True):
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
        # Columns before rows, as Swin joins them: its weights count on that order.
        return x.permute(0, 1, 3, 4, 2, 5).flatten(3)


class Upsample(nn.Module):
    """Interpolation of N×C×H×W to sizes, by factors, or to the sizes of another signal; `stays`: not at all.

    `turned`: places stand before channels (N×L×F, N×T×C×H×W).
    """

    def __init__(
        self,
        sizes: Sequence[int] | None,
        factors: Sequence[float] | None,
        *,
        mode: str,
        align_corners: bool | None,
        stays: bool,
        turned: bool,
    ) -> None:
        super().__init__()
        self.sizes = None if sizes is None else tuple(sizes)
        self.factors = None if factors is None else tuple(factors)
        self.mode, self.align_corners = mode, align_corners
        self.stays, self.turned = stays, turned

    def forward(self, x: Tensor, size_of: Tensor | None = None) -> Tensor:
        """Of the sizes of `size_of`, where that is given."""
        if self.stays:
            return x
        if self.turned:
            size_of = None if size_of is None else size_of.transpose(1, 2)
            return self._resized(x.transpose(1, 2), size_of).transpose(1, 2)
        return self._resized(x, size_of)

    def _resized(self, x: Tensor, size_of: Tensor | None) -> Tensor:
        sizes = self.sizes if size_of is None else tuple(size_of.shape[2:])
        factors = None if sizes else self.factors
        return F.interpolate(x, sizes, factors, mode=self.mode, align_corners=self.align_corners)
