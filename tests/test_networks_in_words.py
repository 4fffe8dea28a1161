"""Published networks that do not ship, written in the words alone: what others will write."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

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
    "sknet50": 27_494_888,  # 27.5 M, as published
    "set_transformer": 110_248,
    "hrnet": 922_111,
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


class Mab(nn.Module):
    """What the first ask of the second, as Set Transformer's authors have it."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(features, heads, batch_first=True)
        self.ln0, self.ln1 = nn.LayerNorm(features), nn.LayerNorm(features)
        self.fc_o = nn.Linear(features, features)

    def forward(self, asking: Tensor, asked: Tensor) -> Tensor:
        x = self.ln0(asking + self.attention(asking, asked, asked)[0])
        return self.ln1(x + self.fc_o(x).relu())


def test_a_set_transformer_is_that_of_a_module_by_hand_whatever_the_order() -> None:
    (network,) = netcfg.build(netcfg.load(FOLDER / "set_transformer.cfg")).values()
    state = network.state_dict()
    embed, head = nn.Linear(3, 64), nn.Linear(64, 40)
    mabs = {
        name: Mab(64, 4)
        for name in ("encoder.0.mab0", "encoder.0.mab1", "encoder.1.mab0", "encoder.1.mab1", "pool")
    }
    for name, module in {"embed": embed, "head": head, **mabs}.items():
        module.load_state_dict(
            {
                key.removeprefix(f"{name}."): value
                for key, value in state.items()
                if key.startswith(f"{name}.")
            }
        )

    def shared(name: str) -> Tensor:
        return state[name].reshape(1, -1, 64).expand(2, -1, -1)

    with torch.no_grad():
        points = torch.randn(2, 30, 3)
        x = embed(points)
        for layer in ("encoder.0", "encoder.1"):
            x = mabs[f"{layer}.mab1"](x, mabs[f"{layer}.mab0"](shared(f"{layer}.induced"), x))
        expected = head(mabs["pool"](shared("seed"), x)[:, 0])
        torch.testing.assert_close(network(points), expected)
        torch.testing.assert_close(network(points[:, torch.randperm(30)]), expected)


def test_features_of_several_sizes_stay_as_large_as_they_are() -> None:
    program = netcfg.load(FOLDER / "hrnet.cfg")
    shapes = {node.path: node.output.shape for node in program.networks["HRNet"].nodes}
    assert [shapes[f"stage3.1.to_{size}"] for size in ("high", "middle", "low")] == [
        (18, 64, 48), (36, 32, 24), (72, 16, 12),
    ]  # fmt: skip
    (network,) = netcfg.build(program).values()
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 3, 64, 64)).shape == (1, 17, 16, 16)
