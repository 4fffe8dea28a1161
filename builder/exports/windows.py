"""Attention inside windows for ONNX."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from netcfg.builder.modules.attention import WindowAttention


class OnnxWindows(WindowAttention):
    """As it is, with the heads of each place laid out anew.

    What is traced finds them side by side and only looks at them so; the exporter takes attention apart into operators
    that leave them one behind the other, where that view is none.
    """

    @classmethod
    def of(cls, part: WindowAttention) -> OnnxWindows:
        """The same weights."""
        made = copy.copy(part)
        made.__class__ = cls
        assert isinstance(made, cls)
        return made

    def _beside(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).clone(memory_format=torch.contiguous_format).flatten(2)


__all__ = ["OnnxWindows"]
