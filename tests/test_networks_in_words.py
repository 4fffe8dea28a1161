"""Published networks that do not ship, written in the words alone: what others will write."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import netcfg

FOLDER = Path(__file__).with_name("networks")
PARAMETERS = {
    "convmixer": 21_110_248,  # ConvMixer-768/32, patches and kernels of 7, as published
    "se_resnet50": 28_088_024,  # as timm has it
    "unetpp": 2_234_563,
    "mobilevit": 723_480,
    "mixer_s16": 18_528_264,  # as timm has it
    "convnextv2_atto": 3_708_400,  # as timm has it
    "conformer": 1_959_152,
    "tcn": 140_490,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_published_network_needs_no_python(name: str) -> None:
    (graph,) = netcfg.load(FOLDER / f"{name}.cfg").networks.values()
    assert graph.parameters == PARAMETERS[name]


def test_attention_over_unfolded_squares_computes() -> None:
    (network,) = netcfg.build(netcfg.load(FOLDER / "mobilevit.cfg")).values()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 256, 256)).shape == (1, 1000)


def test_rows_of_any_length_are_mixed_by_what_looks_along_them() -> None:
    (network,) = netcfg.build(netcfg.load(FOLDER / "conformer.cfg")).values()
    network.eval()
    for length in (17, 40):
        assert network(torch.randn(2, length, 80)).shape == (2, length, 32)


def test_what_is_later_moves_nothing_before_it() -> None:
    program = netcfg.load(FOLDER / "tcn.cfg")
    (network,) = netcfg.build(program).values()
    network.eval()
    x = torch.randn(1, 400, 12, requires_grad=True)
    network(x).sum().backward()
    # Six blocks of two convolutions of three, dilated by 1 to 32: the last answer sees 253 places.
    assert x.grad is not None
    assert [bool(x.grad[0, place].any()) for place in (399, 399 - 252, 399 - 253)] == [True, True, False]
