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
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_published_network_needs_no_python(name: str) -> None:
    (graph,) = netcfg.load(FOLDER / f"{name}.cfg").networks.values()
    assert graph.parameters == PARAMETERS[name]


def test_attention_over_unfolded_squares_computes() -> None:
    (network,) = netcfg.build(netcfg.load(FOLDER / "mobilevit.cfg")).values()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 256, 256)).shape == (1, 1000)
