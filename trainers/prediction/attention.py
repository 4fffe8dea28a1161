"""How networks weigh the frames of a clip: what each [frame_attention] gives while it computes.

Legend: T frames of one clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn

from netcfg.builder.modules.frames import FrameAttention
from netcfg.trainers.prediction.answers import Values


@dataclass
class Attention:
    """Gates (T) by the path of the block that gives them, in the order of computing.

    `weights` (T) are of the last: the share of each frame in the mean that it takes, 1 in sum; None without any.
    """

    gates: dict[str, Values] = field(default_factory=dict)
    weights: Values | None = None

    def look(self, name: str, module: FrameAttention, given: Tensor | None, made: dict[str, Tensor]) -> None:
        """What one block gave of a batch of one clip."""
        own = made["gates"]
        weights = own if given is None else own * given
        if given is not None and module.numerator == "given" and not module.training:
            weights = given
        self.gates[name] = _row(own)
        self.weights = _row(weights / weights.sum(1, keepdim=True))


def _row(gates: Tensor) -> Values:
    return np.asarray(gates[0].detach().double().cpu().numpy())


@contextmanager
def watched(networks: nn.ModuleDict) -> Iterator[Attention]:
    """Inside, what the frame attention of networks gives of a batch of one clip is kept."""
    seen = Attention()
    handles = [
        module.register_forward_hook(_hook(seen, name, module), with_kwargs=True)
        for name, module in networks.named_modules()
        if isinstance(module, FrameAttention)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _hook(seen: Attention, name: str, module: FrameAttention) -> Any:
    def look(
        _: nn.Module, inputs: tuple[Tensor, ...], named: dict[str, Tensor], made: dict[str, Tensor]
    ) -> None:
        seen.look(name, module, named.get("gates", inputs[1] if len(inputs) > 1 else None), made)

    return look
