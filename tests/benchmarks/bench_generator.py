"""StyleGAN2's generator, its feature maps tapped, against the straightforward way: a weight a sample, a filter of 4×4.

`bench_generator.py 256 1024` says which sizes. Seconds are those of the processor, so that others on it count little.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from bench_network import high_water
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg

ROUNDS = 5


def text(size: int) -> str:
    """A generator of a size that gives the second feature map of each."""
    levels = int(math.log2(size)) - 2
    taps = ["conv1", *(f"convs.{2 * level + 1}" for level in range(levels))]
    outputs = "".join(f"[output]\nname = tap{k}\nfrom = {tap}\n" for k, tap in enumerate(taps))
    return (
        "{include blocks/stylegan2.cfg}\n{G}\n[net]\n[input]\nname = codes\n"
        f"tokens = {2 * levels + 2}\nfeatures = 512\n[stylegan2]\nflat = True\nsize = {size}\n{outputs}"
    )


def built(size: int) -> nn.Module:
    """With noise, which starts with a strength of 0."""
    torch.manual_seed(0)
    network = netcfg.build(netcfg.load(text(size)))["G"].eval()
    for name, parameter in network.named_parameters():
        if name.endswith(("noise_strength", "conv.bias")):
            nn.init.normal_(parameter, std=0.1)
    return network


class Straightforward:
    """The same from the same parameters, as the paper's and the most used PyTorch code compute it."""

    def __init__(self, network: nn.Module, size: int) -> None:
        self.state = network.state_dict()
        self.levels = int(math.log2(size)) - 2
        line = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.plane = torch.outer(line, line) / 64 * 4

    def __call__(self, codes: Tensor) -> list[Tensor]:
        """The taps; the image is made on the way."""
        x = codes * torch.rsqrt(codes.square().mean(2, keepdim=True) + 1e-8)
        for number in range(1, 9):
            weight = self.state[f"style.{number}.weight"] * (0.01 / math.sqrt(512))
            x = self._activated(F.linear(x, weight, self.state[f"style.{number}.bias"] * 0.01))
        styles, out = x, self.state["constant"][None].repeat(len(x), 1, 1, 1)
        out = self._styled("conv1", out, styles[:, 0], False)
        taps, image = [out], self._modulated("to_rgb1", out, styles[:, 1], False, False)
        for level in range(self.levels):
            out = self._styled(f"convs.{2 * level}", out, styles[:, 2 * level + 1], True)
            out = self._styled(f"convs.{2 * level + 1}", out, styles[:, 2 * level + 2], False)
            rgb = self._modulated(f"to_rgbs.{level}", out, styles[:, 2 * level + 3], False, False)
            image = rgb + self._filtered(self._spread(image), 2, 1)
            taps.append(out)
        return taps

    def _styled(self, path: str, x: Tensor, style: Tensor, upsamples: bool) -> Tensor:
        x = self._modulated(path, x, style, upsamples, True)
        x = x + self.state[f"{path}.conv.noise_strength"] * self.state[f"{path}.conv.noise"]
        return self._activated(x + self.state[f"{path}.conv.bias"].view(1, -1, 1, 1))

    def _modulated(self, path: str, x: Tensor, style: Tensor, upsamples: bool, demodulates: bool) -> Tensor:
        weight, (batch, channels, height, width) = self.state[f"{path}.conv.weight"], x.shape
        modulation = self.state[f"{path}.conv.modulation.weight"] / math.sqrt(style.shape[1])
        scales = F.linear(style, modulation, self.state[f"{path}.conv.modulation.bias"])
        each = weight / math.sqrt(weight[0].numel()) * scales.view(batch, 1, channels, 1, 1)
        if demodulates:
            each = each * torch.rsqrt(each.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        x = x.reshape(1, batch * channels, height, width)
        if upsamples:
            turned = each.transpose(1, 2).reshape(batch * channels, *weight.shape[:1], *weight.shape[2:])
            x = F.conv_transpose2d(x, turned, stride=2, groups=batch)
            x = self._filtered(x.reshape(batch, -1, *x.shape[2:]), 1, 1)
        else:
            x = F.conv2d(x, each.flatten(0, 1), padding=weight.shape[2] // 2, groups=batch)
        made = x.reshape(batch, -1, *x.shape[2:])
        return made if demodulates else made + self.state[f"{path}.conv.bias"].view(1, -1, 1, 1)

    def _filtered(self, x: Tensor, before: int, after: int) -> Tensor:
        padded = F.pad(x, (before, after, before, after)).flatten(0, 1)[:, None]
        return F.conv2d(padded, self.plane.flip(0, 1)[None, None]).view(
            *x.shape[:2], *self._sizes(x, before + after)
        )

    @staticmethod
    def _sizes(x: Tensor, more: int) -> tuple[int, int]:
        return x.shape[2] + more - 3, x.shape[3] + more - 3

    @staticmethod
    def _spread(x: Tensor) -> Tensor:
        spread = x.new_zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3])
        spread[:, :, ::2, ::2] = x
        return spread

    @staticmethod
    def _activated(x: Tensor) -> Tensor:
        return F.leaky_relu(x, 0.2) * math.sqrt(2)


def codes(network: nn.Module, batch: int, size: int) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(batch, 2 * int(math.log2(size)) - 2, 512)


def seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def times(size: int, batch: int, rounds: int = ROUNDS) -> None:
    """Interleaved rounds, and how far the taps lie apart, as a share of the largest number."""
    network = built(size)
    theirs, given = Straightforward(network, size), codes(network, batch, size)
    with torch.inference_mode():
        found, expected = list(network(given).values()), theirs(given)
        apart = max(
            float((one - other).abs().max() / other.abs().max())
            for one, other in zip(found, expected, strict=True)
        )
        pairs = [(seconds(lambda: network(given)), seconds(lambda: theirs(given))) for _ in range(rounds)]
    ratio = median(their / our for our, their in pairs)
    print(
        f"{size}×{size}, batch {batch}: {median(p[0] for p in pairs):.2f} s against "
        f"{median(p[1] for p in pairs):.2f} s, {ratio:.1f} times as fast; taps within {apart:.0e}",
        flush=True,
    )


def peak(which: str, size: int, batch: int) -> None:
    """Print how far resident memory rises above the weights' in one forward, in MB."""
    network = built(size)
    theirs, given = Straightforward(network, size), codes(network, batch, size)
    with torch.inference_mode():
        Path("/proc/self/clear_refs").write_text("5")  # forget the high-water mark
        before = high_water()
        kept = network(given) if which == "built" else theirs(given)
    print(high_water() - before)
    del kept


def memory(size: int, batch: int) -> None:
    """Each in a fresh process."""
    grown = {}
    for which in ("built", "straightforward"):
        command = [sys.executable, __file__, which, str(size), str(batch)]
        grown[which] = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    ratio = grown["straightforward"] / grown["built"]
    print(
        f"{size}×{size}, batch {batch}: {grown['built']} MB against {grown['straightforward']} MB at most, {ratio:.1f} "
        "times less",
        flush=True,
    )


def main() -> None:
    sizes = [int(word) for word in sys.argv[1:]] or [256]
    for size in sizes:
        for batch in (1, 4) if size <= 256 else (1,):
            times(size, batch, ROUNDS if size <= 256 else 1)
            memory(size, batch)


if __name__ == "__main__":
    peak(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) if sys.argv[1:] and not sys.argv[
        1
    ].isdigit() else main()
