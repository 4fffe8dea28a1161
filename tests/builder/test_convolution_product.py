"""A convolution as a product of patches gives what the convolution gives, to the last gradient."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.builder.modules.convolution import Convolution
from netcfg.trainers.machine.devices import use_channels_last


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "bias"),
    [
        (8, 4, 2, 1, True),
        (4, 4, 1, 0, True),
        (4, 3, 1, 1, False),
        ((5, 7), 3, 2, 1, True),
        (2, 4, 2, 1, True),
    ],
)
def test_the_product_is_the_convolution(size, kernel, stride, pad, bias):
    height, width = size if isinstance(size, tuple) else (size, size)
    module = Convolution(3, 5, kernel, stride, pad, bias=bias, as_product=True).double()
    x = torch.randn(2, 3, height, width, dtype=torch.float64, requires_grad=True)
    weights = list(module.parameters())
    product = module(x)
    plain = torch.nn.functional.conv2d(x, module.weight, module.bias, stride, pad)
    torch.testing.assert_close(product, plain)
    direction = torch.randn_like(plain)
    found = torch.autograd.grad(product, [x, *weights], direction)
    torch.testing.assert_close(found, torch.autograd.grad(plain, [x, *weights], direction))


def network(filters: int, kernel: int, pad: int) -> Convolution:
    text = (
        "{N}\n[net]\nchannels = 64\nheight = 4\nwidth = 4\n"
        f"[convolutional]\nname = c\nfilters = {filters}\nkernel_size = {kernel}\npad = {pad}\n"
    )
    module = netcfg.build(netcfg.load(text))["N"]["c"]
    assert isinstance(module, Convolution)
    return module


@pytest.mark.parametrize(
    ("filters", "kernel", "pad", "product"),
    [(2000, 3, 1, True), (8, 3, 1, False), (8, 4, 0, True), (20_000, 1, 0, False)],
)
def test_only_few_windows_under_a_large_weight_become_a_product(filters, kernel, pad, product):
    assert network(filters, kernel, pad).as_product is product


def test_the_weight_of_a_product_stays_contiguous():
    modules = torch.nn.ModuleList([network(8, 4, 0), network(8, 3, 1)])
    use_channels_last(modules)
    assert modules[0].weight.is_contiguous()
    assert modules[1].weight.is_contiguous(memory_format=torch.channels_last)
