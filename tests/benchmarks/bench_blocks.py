"""Blocks' modules against the same layers written by hand in PyTorch: forward, and a training step, in f32 and bf16.

    python tests/benchmarks/bench_blocks.py [NAME…]

Each has several fresh instances, since where memory lies moves a figure by some hundredths, and the processor's time of
one thread counts. `same` is the layer by hand against another instance of itself: how far ratios stray by chance.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

import netcfg

sys.path.insert(0, str(Path(__file__).parent))
from bench_zoo import Work, ratios, with_precision  # noqa: E402

ROUNDS, INSTANCES = 21, 3
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


def step(module: nn.Module, x: Tensor) -> Work:
    def work() -> None:
        module(x).sum().backward()

    return work


def forward(module: nn.Module, x: Tensor) -> Work:
    def work() -> None:
        with torch.no_grad():
            module(x)

    return work


def main() -> None:
    """A line a block and precision: ours against by hand, and by hand against itself."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for name in sys.argv[1:] or CASES:
        shape, body, by_hand = CASES[name]
        text = f"{{N}}\n[net]\n[input]\nname = x\n{shape}\n{body}"
        for precision in ("f32", "bf16"):
            found = []
            for make in (forward, step):
                pairs = []
                for _ in range(INSTANCES):
                    modules = by_hand(), netcfg.build(netcfg.load(text))["N"], by_hand()
                    x = torch.randn(SHAPES[shape], requires_grad=True)
                    works = [with_precision(precision, make(module, x)) for module in modules]
                    pairs.append(ratios(works[0], works[1:], ROUNDS))
                ratio, chance = (median(column) for column in zip(*pairs, strict=True))
                found.append(f"{ratio:.3f} (same {chance:.3f})")
            print(f"{name}, {precision}: forward {found[0]}, training step {found[1]}", flush=True)


if __name__ == "__main__":
    main()
