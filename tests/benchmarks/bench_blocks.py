"""Blocks' modules against the same layers written by hand in PyTorch: forward, and a training step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

import netcfg

sys.path.insert(0, str(Path(__file__).parent))
from bench_network import seconds  # noqa: E402

ROUNDS = 41
IMAGE, ROW = "channels = 64\nheight = 28\nwidth = 28", "tokens = 196\nfeatures = 384"
SHAPES = {IMAGE: (8, 64, 28, 28), ROW: (8, 196, 384)}


class _Attention(nn.Module):
    """PyTorch's attention of a row to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(384, 6, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=False)[0]  # type: ignore[no-any-return]


class _First(nn.Module):
    """The sequence of a recurrent module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)[0]  # type: ignore[no-any-return]


CASES: dict[str, tuple[str, str, Callable[[], nn.Module]]] = {
    "convolution, norm, activation": (
        IMAGE,
        "[convolutional]\nfilters = 64\nkernel_size = 3\npad = 1\nbatch_normalise = 1\nactivation = relu\n",
        lambda: nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64, 1e-4), nn.ReLU(inplace=True)
        ),
    ),
    "transposed convolution": (
        IMAGE,
        "[deconvolutional]\nfilters = 32\nkernel_size = 4\nstride = 2\npad = 1\nactivation = relu\n",
        lambda: nn.Sequential(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(inplace=True)),
    ),
    "group norm": (IMAGE, "[group_norm]\n", lambda: nn.GroupNorm(32, 64)),
    "layer norm": (ROW, "[layer_norm]\n", lambda: nn.LayerNorm(384)),
    "batch norm of tokens": (
        ROW,
        "[batch_norm]\n",
        lambda: nn.Sequential(nn.Flatten(0, 1), nn.BatchNorm1d(384), nn.Unflatten(0, (8, 196))),
    ),
    "connected, gelu": (
        ROW,
        "[connected]\noutput_features = 384\nactivation = gelu\n",
        lambda: nn.Sequential(nn.Linear(384, 384), nn.GELU()),
    ),
    "max pool": (IMAGE, "[maxpool]\npool_size = 3\nstride = 2\npad = 1\n", lambda: nn.MaxPool2d(3, 2, 1)),
    "self attention": (ROW, "[self_attention]\nheads = 6\n", _Attention),
    "lstm": (ROW, "[lstm]\nhidden = 64\n", lambda: _First(nn.LSTM(384, 64, batch_first=True))),
}


def step(module: nn.Module, x: Tensor) -> Callable[[], None]:
    def work() -> None:
        made = module(x)
        made.sum().backward()

    return work


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """The median of interleaved rounds, each of a few calls, in turns who comes first."""
    pairs = []
    for number in range(ROUNDS + 2):
        if number % 2:
            pairs.append((seconds(ours), seconds(theirs)))
        else:
            other = seconds(theirs)
            pairs.append((seconds(ours), other))
    return median(our / their for our, their in pairs[2:])


def main() -> None:
    """A line a block."""
    torch.manual_seed(0)
    for name, (shape, body, by_hand) in CASES.items():
        text = f"{{N}}\n[net]\n[input]\nname = x\n{shape}\n{body}"
        ours, theirs = netcfg.build(netcfg.load(text))["N"], by_hand()
        x = torch.randn(SHAPES[shape], requires_grad=True)
        with torch.no_grad():
            forward = ratio(lambda: ours(x), lambda: theirs(x))  # noqa: B023
        print(
            f"{name}: forward {forward:.3f}, training step {ratio(step(ours, x), step(theirs, x)):.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
