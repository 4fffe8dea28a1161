"""What rosinality's code calls the parameters of StyleGAN2's generator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from netcfg.builder.layout_kinds import Layout
from netcfg.graph import Graph

_BLUR = torch.tensor((1.0, 3.0, 3.0, 1.0))
_PLANE = _BLUR[:, None] * _BLUR / 64 * 4
"""What every StyleGAN2 blurs with: a filter along each axis, times 4 for pixels that were none before."""


@dataclass(frozen=True)
class StyleGAN2Names(Layout):
    """A generator's parameters as rosinality's code calls them.

    They have more axes of one there: a weight is 1×filters×C×k×k. Noise pictures stand together, and filters are part
    of the state, which no network here keeps: they are compared, left out, and written again.
    """

    heads: Mapping[str, str | None] = field(default_factory=dict)

    _THEIRS: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"constant$", "input.input"),
        (r"(.+)\.conv\.noise_strength$", r"\1.noise.weight"),
        (r"(to_rgb.*)\.conv\.bias$", r"\1.bias"),
        (r"(.+)\.conv\.bias$", r"\1.activate.bias"),
        (r"conv1\.conv\.noise$", "noises.noise_0"),
    )
    _OURS: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"input\.input$", "constant"),
        (r"(.+)\.noise\.weight$", r"\1.conv.noise_strength"),
        (r"(to_rgb[^.]*(?:\.\d+)?)\.bias$", r"\1.conv.bias"),
        (r"(.+)\.activate\.bias$", r"\1.conv.bias"),
        (r"noises\.noise_0$", "conv1.conv.noise"),
    )

    def ours(self, key: str, graph: Graph) -> str | None:
        """Ours; None for a filter."""
        if key.endswith(".kernel"):
            return None
        if match := re.fullmatch(r"noises\.noise_(\d+)", key):
            number = int(match[1])
            return f"convs.{number - 1}.conv.noise" if number else "conv1.conv.noise"
        return _replaced(key, self._OURS)

    def theirs(self, key: str, graph: Graph) -> str:
        """Theirs."""
        if match := re.fullmatch(r"convs\.(\d+)\.conv\.noise", key):
            return f"noises.noise_{int(match[1]) + 1}"
        return _replaced(key, self._THEIRS)

    def taken(self, key: str, value: Tensor) -> Tensor:
        """Without axes of one that the original has more of; `key` is the file's."""
        if key.endswith(".conv.weight") and value.dim() == 5 or key == "input.input":
            return value.squeeze(0)
        if key.endswith(".noise.weight") and value.numel() == 1:
            return value.reshape(())
        return value.flatten() if re.fullmatch(r"to_rgb.*\.bias", key) and value.dim() == 4 else value

    def given(self, key: str, value: Tensor) -> Tensor:
        """With them; `key` is the file's."""
        if key.endswith(".conv.weight") or key == "input.input":
            return value[None]
        if key.endswith(".noise.weight"):
            return value.reshape(1)
        return value.reshape(1, -1, 1, 1) if re.fullmatch(r"to_rgb[^.]*(\.\d+)?\.bias", key) else value

    def further(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The filters, of each convolution that makes larger and each image that is made larger."""
        numbers = [
            int(match[1]) for key in state if (match := re.fullmatch(r"convs\.(\d+)\.conv\.weight", key))
        ]
        images = [key.split(".")[1] for key in state if re.fullmatch(r"to_rgbs\.\d+\.conv\.weight", key)]
        names = [f"convs.{number}.conv.blur.kernel" for number in numbers if number % 2 == 0]
        names += [f"to_rgbs.{number}.upsample.kernel" for number in images]
        return {name: _PLANE.clone() for name in names}

    def strange(self, state: Mapping[str, Tensor]) -> str | None:
        """Whether it was trained with another filter, which nothing here would tell."""
        for key, value in state.items():
            if key.endswith(".kernel") and not (
                value.shape == _PLANE.shape and torch.allclose(value.float(), _PLANE, atol=1e-6)
            ):
                return f"it blurs with another filter than 1, 3, 3, 1 (`{key}`)"
        return None


def _replaced(key: str, rules: Iterable[tuple[str, str]]) -> str:
    """By the first rule that matches."""
    for pattern, replacement in rules:
        if re.match(pattern, key):
            return re.sub(pattern, replacement, key)
    return key
