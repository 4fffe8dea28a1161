"""Maps of numbers from -1 to 1 laid over a picture: red above 0, blue below, the picture shining through where weak."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

ABOVE, BELOW = (235, 60, 40), (50, 100, 235)
STRENGTH = 0.7


def with_heat(picture: Tensor, heat: Tensor) -> Tensor:
    """A picture from 0 to 1 with a map laid over it, which is enlarged or made smaller. Shapes: (C, H, W), (h, w)."""
    large = F.interpolate(
        heat.float().clamp(-1, 1)[None, None], size=picture.shape[1:], mode="bilinear", antialias=True
    )[0]
    colours = torch.where(large > 0, _column(ABOVE), _column(BELOW))
    share = STRENGTH * large.abs().nan_to_num()
    return picture.expand(3, -1, -1) * (1 - share) + colours * share


def _column(colour: tuple[int, int, int]) -> Tensor:
    return torch.tensor(colour, dtype=torch.float32).view(3, 1, 1) / 255
