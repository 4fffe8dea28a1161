"""The moving average of the weights."""

from __future__ import annotations

from contextlib import suppress

import pytest
import torch
from torch import nn

from netcfg.source import NetcfgError
from netcfg.trainers.step.averaging import Averages


def networks() -> nn.ModuleDict:
    """One weight that trains, one that does not, and running statistics."""
    module = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1, affine=False), nn.Linear(1, 1))
    module[2].requires_grad_(False)
    nn.init.ones_(module[0].weight)
    return nn.ModuleDict({"Net": module})


def train(made: nn.ModuleDict, averages: Averages, values: list[float]) -> None:
    for value in values:
        made["Net"][0].weight.data.fill_(value)
        averages.update()


def test_the_average_is_the_one_by_hand() -> None:
    made = networks()
    averages = Averages(made, decay=0.5)
    values = [float(n) for n in range(2, 22)]
    train(made, averages, values)
    expected = 1.0
    for n, value in enumerate(values, start=1):
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * value
    with averages.swap():
        assert made["Net"][0].weight.item() == pytest.approx(expected)


def test_outside_the_swap_the_weights_are_their_own_even_after_an_error() -> None:
    made = networks()
    averages = Averages(made, decay=0.9)
    train(made, averages, [3.0])
    weight = made["Net"][0].weight
    with suppress(KeyboardInterrupt), averages.swap():
        assert weight.item() != 3.0
        raise KeyboardInterrupt
    assert weight.item() == 3.0
    assert weight is made["Net"][0].weight


def test_running_statistics_are_the_current_ones() -> None:
    made = networks()
    averages = Averages(made, decay=0.9)
    made["Net"][1].running_mean.fill_(7.0)
    averages.update()
    with averages.swap():
        assert made["Net"][1].running_mean.item() == 7.0


def test_frozen_weights_are_not_kept_twice() -> None:
    assert list(Averages(networks(), decay=0.9).state_dict()["weights"]) == ["Net.0.weight"]


def test_averages_go_on_where_they_were() -> None:
    made, other = networks(), networks()
    first, second = Averages(made, decay=0.9), Averages(other, decay=0.9)
    train(made, first, [2.0, 5.0])
    second.load_state_dict(first.state_dict())
    train(made, first, [4.0])
    train(other, second, [4.0])
    with first.swap(), second.swap():
        assert torch.equal(made["Net"][0].weight, other["Net"][0].weight)


def test_averages_of_other_networks_are_refused() -> None:
    state = {"updates": 1, "weights": {"Net.0.weight": torch.ones(2, 2)}}
    with pytest.raises(NetcfgError, match=r"`Net\.0\.weight` does not fit\nhelp: resume"):
        Averages(networks(), decay=0.9).load_state_dict(state)
