"""A convolution as a product of patches gives what the convolution gives, to the last gradient."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import netcfg
from netcfg.builder.modules.convolution import Convolution, convolution
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


@pytest.mark.parametrize(
    ("axes", "channels", "stride", "groups", "thins"),
    [
        (2, 4, 2, 1, True), (2, 3, (2, 1), 1, True), (2, 16, 2, 1, False), (2, 16, 2, 4, True), (2, 4, 1, 1, False),
        (1, 4, 2, 1, True), (3, 3, (1, 2, 2), 1, True),
    ],
)  # fmt: skip
def test_single_places_in_steps_of_few_channels_are_taken_first(axes, channels, stride, groups, thins):
    """As many numbers as a vector of AVX2 holds, or fewer, are what oneDNN's gradient of the weight goes wrong at."""
    module = convolution(axes)(channels, 4 * groups, (1,) * axes, stride, groups=groups)
    assert module.thins is thins
    x = torch.randn(4, channels, *(16, 15, 14)[:axes]).requires_grad_()
    of = [x, module.weight, module.bias]
    if axes == 2:  # as networks are trained
        x = x.contiguous(memory_format=torch.channels_last)
    given = module(x.movedim(1, 2) if module.turned else x)
    given = given.movedim(2, 1) if module.turned else given
    exact = [value.detach().double().requires_grad_() for value in (x, module.weight, module.bias)]
    call = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    wanted = call(*exact, stride=stride, groups=groups)
    torch.testing.assert_close(given.double(), wanted, rtol=1e-4, atol=1e-5)
    direction = torch.randn_like(wanted)
    found = torch.autograd.grad(given, of, direction.float())
    for one, other in zip(found, torch.autograd.grad(wanted, exact, direction), strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=1e-4)
