"""StyleGAN2's template, and the blocks that it is made of."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.blocks.network.activation import Applied
from netcfg.builder.modules.fir import FirUpsample
from netcfg.builder.modules.modulated_convolution import ModulatedConvolution
from netcfg.graph import Graph

HEAD = "{include blocks/stylegan2.cfg}\n{G}\n[net]\n[input]\nname = codes\n"
USE = "[stylegan2]\nname = g\nstyle = 6\nwidest = 8\nmapping = 2\n"


def text(size: int = 16, tail: str = "", **options: object) -> str:
    """A small generator with as many codes as it takes."""
    codes = f"tokens = {2 * size.bit_length() - 4}\nfeatures = 5\n"
    written = "".join(f"{key} = {value}\n" for key, value in options.items())
    return HEAD + codes + USE + f"size = {size}\n" + written + tail


def graph_of(written: str) -> Graph:
    return netcfg.load(written).networks["G"]


@pytest.mark.parametrize(
    ("line", "factor"), [((1, 3, 3, 1), 2), ((1, 2, 1), 2), ((1, 1), 2), ((1, 4, 6, 4, 1), 3)]
)
def test_an_image_is_filtered_between_zeros(line: tuple[int, ...], factor: int) -> None:
    """Against zeros put between pixels, a border, and one plane of the filter."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 5, 4)
    spread = torch.zeros(2, 3, 5 * factor, 4 * factor)
    spread[:, :, ::factor, ::factor] = x
    kernel = torch.tensor(line, dtype=torch.float32)
    plane = kernel[:, None] * kernel / kernel.sum() ** 2 * factor**2
    rest = len(line) - factor
    before, after = (rest + 1) // 2 + factor - 1, rest // 2
    padded = F.pad(spread, (before, after, before, after))
    expected = F.conv2d(padded, plane.flip(0, 1).expand(3, 1, -1, -1), groups=3)
    torch.testing.assert_close(FirUpsample(line, factor)(x), expected)


def test_a_filter_too_short_for_its_factor_is_refused() -> None:
    written = "{N}\n[net]\nchannels = 3\n[fir_upsample]\nscale_factor = 4\nfilter = 1, 2, 1\n"
    (found,) = netcfg.check(written)[1]
    assert found.code == "NC105"
    assert "a `filter` of 3 numbers; to be 4 times larger it takes 4 to 8" in found.message


@pytest.mark.parametrize("size", [4, 8, 32])
def test_each_size_has_its_features_and_an_image(size: int) -> None:
    features = 2 * size.bit_length() - 4
    tail = "".join(f"[output]\nname = f{k}\nfrom = g.feature{k}\n" for k in range(features))
    network = netcfg.build(netcfg.load(text(size, tail + "[output]\nname = image\nfrom = g.image\n")))["G"]
    made = network(torch.randn(2, 2 * size.bit_length() - 4, 5))
    assert made["image"].shape == (2, 3, size, size)
    assert made["f0"].shape == (2, 8, 4, 4)  # the learned picture, once for each sample
    assert made[f"f{features - 1}"].shape == (2, 8, size, size)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("tokens = 6", "tokens = 5"), "a generator of 16×16 takes 6 codes, and is given 5"),
        (("tokens = 6", "tokens = 8"), "a generator of 16×16 takes 6 codes, and is given 8"),
        (("size = 16", "size = 24"), "a generator's size is 4, 8, 16, … or 1024, and not 24"),
        (("size = 16", "size = 2048"), "a generator's size is 4, 8, 16, … or 1024, and not 2048"),
    ],
)
def test_other_sizes_and_codes_are_one_error(change: tuple[str, str], message: str) -> None:
    findings = [found for found in netcfg.check(text(16).replace(*change))[1] if found.severity == "error"]
    assert [(found.code, found.message) for found in findings] == [("NC117", message)]


def test_channels_follow_the_published_sizes() -> None:
    head = "{include blocks/stylegan2.cfg}\n{G}\n[net]\n[input]\nname = codes\ntokens = 18\nfeatures = 512\n"
    widths = {}
    for multiplier in (1, 2):
        graph = graph_of(head + f"[stylegan2]\nname = g\nimage = False\nmultiplier = {multiplier}\n")
        shapes = {node.path: node.output.shape for node in graph.blocks}
        widths[multiplier] = [shapes[f"g.convs.{k}.conv"][0] for k in range(0, 16, 2)]
    assert widths[2] == [512, 512, 512, 512, 256, 128, 64, 32]
    assert widths[1] == [512, 512, 512, 256, 128, 64, 32, 16]


def test_what_is_the_same_for_all_samples_is_given_for_each() -> None:
    """Also where the input is let go of before the end."""
    written = (
        "{N}\n[net]\n[input]\nname = x\nfeatures = 3\n[connected]\noutput_features = 2\n[output]\nname = a\n"
        "[parameter]\nname = p\nshape = 4\n[output]\nname = b\n"
    )
    made = netcfg.build(netcfg.load(written))["N"](torch.randn(5, 3))
    assert made["b"].shape == (5, 4)


def plain(block: nn.Module, x: Tensor, style: Tensor, upsample: bool, demodulate: bool) -> Tensor:
    """A modulated convolution as the paper has it: a weight for each sample, and √2 behind a leaky rectifier."""
    made = []
    for image, code in zip(x, style, strict=True):
        scales = F.linear(code, block.modulation.weight / code.shape[0] ** 0.5, block.modulation.bias)
        weight = block.weight / block.weight[0].numel() ** 0.5 * scales[:, None, None]
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if upsample:
            wide = F.conv_transpose2d(image[None], weight.transpose(0, 1), stride=2)
            line = torch.tensor([1.0, 3, 3, 1], dtype=x.dtype)
            plane = (torch.outer(line, line) / 16)[None, None].expand(len(weight), 1, -1, -1)
            y = F.conv2d(F.pad(wide, (1, 1, 1, 1)), plane, groups=len(weight))
        else:
            y = F.conv2d(image[None], weight, padding=1)
        y = y + block.noise_strength * block.noise + block.bias[:, None, None]
        made.append(F.leaky_relu(y, 0.2) * 2**0.5)
    return torch.cat(made)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("samples", [1, 3])
def test_scaled_maps_or_a_scaled_weight_are_one_arithmetic(
    samples: int, upsample: bool, demodulate: bool
) -> None:
    """Values and all gradients, of one sample with a map larger than the weight, and of several."""
    torch.manual_seed(0)
    block = ModulatedConvolution(
        3,
        4,
        5,
        3,
        demodulate=demodulate,
        blur=(1, 3, 3, 1) if upsample else None,
        noise="fixed",
        sizes=(16, 14) if upsample else (8, 7),
        bias=True,
        activation=Applied("fused_leaky_relu"),
    ).double()
    for parameter in (block.noise_strength, block.bias):
        nn.init.normal_(parameter)
    x = torch.randn(samples, 3, 8, 7, dtype=torch.double, requires_grad=True)
    style = torch.randn(samples, 5, dtype=torch.double, requires_grad=True)
    assert x[0].numel() > block.weight.numel()
    made, wanted = block(x, style), plain(block, x, style, upsample, demodulate)
    torch.testing.assert_close(made, wanted)
    with torch.no_grad():
        torch.testing.assert_close(block(x, style), wanted)
    along = torch.randn_like(wanted)
    of = [x, style, *block.parameters()]
    for found, expected in zip(
        torch.autograd.grad(made, of, along), torch.autograd.grad(wanted, of, along), strict=True
    ):
        torch.testing.assert_close(found, expected)


def test_what_a_modulated_convolution_reads_stays_as_it_was() -> None:
    """Though it overwrites what is its own."""
    block = ModulatedConvolution(
        3, 3, 5, 1, demodulate=True, blur=None, noise="random", sizes=(8, 8), bias=True, activation=None
    )
    x = torch.randn(1, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    before = x.clone()
    with torch.inference_mode():
        block(x, torch.randn(1, 5))
    assert torch.equal(x, before)


@pytest.mark.parametrize("blur", [(1, 2, 1), (1, 3, 3, 1), (1, 4, 2, 4, 1), (1, 2, 3, 4, 4, 3, 2, 1)])
@pytest.mark.parametrize("side", [1, 3, 5, 7])
def test_a_map_is_doubled_about_its_middle(side: int, blur: tuple[int, ...]) -> None:
    """Whatever kernels meet: it is the middle of the whole blur of the whole transposed convolution."""
    torch.manual_seed(0)
    block = ModulatedConvolution(
        3, 2, 5, side, demodulate=False, blur=blur, noise=None, sizes=(), bias=False, activation=None
    ).double()
    x, style = torch.randn(1, 3, 11, 5, dtype=torch.double), torch.randn(1, 5, dtype=torch.double)
    with torch.no_grad():
        scaled = x * block.modulation(style)[:, :, None, None]
        wide = F.conv_transpose2d(scaled, block.weight.transpose(0, 1) * block.gain, stride=2)
        kernel = block.kernel.expand(2, 1, -1, -1)
        blurred = F.conv2d(wide, kernel, padding=len(blur) - 1, groups=2)
        start = (side + len(blur) - 3) // 2
        torch.testing.assert_close(block(x, style), blurred[:, :, start : start + 22, start : start + 10])
