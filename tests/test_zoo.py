"""The zoo: each network is torchvision's, by the names of its parameters and by what it computes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

import netcfg
from netcfg.passes.read import shipped_folder

FOLDER = shipped_folder() / "zoo"
SIZES = {"alexnet": 64}
"""Small pictures that the network still takes; 64 where nothing else is said."""
SMALL = ["alexnet"]
LARGE: list[str] = []
"""Families' further members, and those that need much memory: `pytest -m slow`."""
NETWORKS = [*SMALL, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def theirs(name: str) -> nn.Module:
    """Torchvision's module with random weights."""
    return torchvision.models.get_model(name, weights=None, **OPTIONS.get(name, {}))


OPTIONS: dict[str, dict[str, Any]] = {}
"""What torchvision's constructor is told beside."""


def ours(name: str) -> nn.Module:
    """The zoo's network for small pictures."""
    program = netcfg.load(FOLDER / f"{name}.cfg", image_size=SIZES.get(name, 64))
    (network,) = netcfg.build(program).values()
    return network


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """Both, with the same weights; the statistics of batches are those of noise, not the ones they start from."""
    torch.manual_seed(0)
    expected = theirs(name)
    _without_dropout(expected)
    _fit_statistics(expected, images(name, 4))
    network = ours(name)
    _without_dropout(network)
    network.load_state_dict(expected.state_dict())
    return network, expected


def images(name: str, count: int) -> Tensor:
    size = SIZES.get(name, 64)
    return torch.randn(count, 3, size, size)


def _without_dropout(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, (nn.Dropout, torchvision.ops.StochasticDepth)):
            part.p = 0.0


def _fit_statistics(module: nn.Module, batch: Tensor) -> None:
    """With fresh ones a deep network's numbers die away, and equality would say nothing."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        module.train()(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def first(outputs: Any) -> Tensor:
    """The classes' scores, where there are auxiliary ones beside."""
    return outputs if isinstance(outputs, Tensor) else outputs[0]


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_names_and_shapes_of_parameters_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        assert shapes(ours(name)) == shapes(theirs(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_and_gradients_are_torchvisions(name: str) -> None:
    network, expected = pair(name)
    batch = images(name, 2)
    with torch.no_grad():
        wanted = expected.eval()(batch)
        other = expected(images(name, 2))
        torch.testing.assert_close(network.eval()(batch), wanted, rtol=1e-5, atol=1e-5)
    assert (wanted - other).abs().max() > 1e-3, "the picture does not reach the output"
    for module in (network.train(), expected.train()):
        module(batch).square().mean().backward()
    gradients = dict(network.named_parameters())
    for key, parameter in expected.named_parameters():
        scale = parameter.grad.abs().max().item()
        torch.testing.assert_close(
            gradients[key].grad, parameter.grad, rtol=1e-4, atol=1e-5 * max(scale, 1e-3)
        )
