"""Optimizers against PyTorch's own, with what a network and what the section says."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from netcfg.blocks.optimizers.adaptive import Adam, AdamW
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.rmsprop import RmsProp
from netcfg.blocks.optimizers.sgd import Sgd

PHASE = {"networks": ("Net",), "minimise": "detection"}
CASES: list[tuple[type[Optimizer], dict[str, Any], type[torch.optim.Optimizer], dict[str, Any]]] = [
    (
        Adam,
        {"beta1": 0.5, "amsgrad": True, "weight_decay": 0.1},
        torch.optim.Adam,
        {"betas": (0.5, 0.999), "amsgrad": True, "weight_decay": 0.1},
    ),
    (AdamW, {}, torch.optim.AdamW, {}),
    (AdamW, {"weight_decay": 0.2, "eps": 1e-3}, torch.optim.AdamW, {"weight_decay": 0.2, "eps": 1e-3}),
    (
        Sgd,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ),
    (
        Sgd,
        {"momentum": 0.8, "dampening": 0.5},
        torch.optim.SGD,
        {"momentum": 0.8, "dampening": 0.5},
    ),
    (
        RmsProp,
        {"alpha": 0.9, "momentum": 0.5, "centered": True},
        torch.optim.RMSprop,
        {"alpha": 0.9, "momentum": 0.5, "centered": True},
    ),
]


def trained(optimizer: torch.optim.Optimizer, weights: list[torch.nn.Parameter]) -> list[float]:
    """The weights after five steps on a bowl."""
    for _ in range(5):
        optimizer.zero_grad()
        sum((weight**4).sum() for weight in weights).backward()  # type: ignore[union-attr]
        optimizer.step()
    return [value for weight in weights for value in weight.tolist()]


def two_weights() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.tensor(values)) for values in ([1.0, -2.0, 0.3], [0.5])]


@pytest.mark.parametrize(("section", "options", "torch_kind", "torch_options"), CASES)
def test_five_steps_are_those_of_torch(
    section: type[Optimizer], options: dict[str, Any], torch_kind: Any, torch_options: dict[str, Any]
) -> None:
    weights, others = two_weights(), two_weights()
    made = section(**PHASE, learning_rate=0.05, **options).lower([{"params": weights}])
    reference = torch_kind(others, lr=0.05, foreach=False, **torch_options)
    assert trained(made, weights) == pytest.approx(trained(reference, others), rel=1e-5)


@pytest.mark.parametrize("section", [Adam, AdamW, Sgd])
def test_the_update_is_fused_where_torch_can(section: type[Optimizer]) -> None:
    assert section(**PHASE).lower([{"params": two_weights()}]).param_groups[0]["fused"] is True


def test_every_network_has_its_own_rate_and_betas() -> None:
    first, second = ([weight] for weight in two_weights())
    groups: list[dict[str, Any]] = [
        {"params": first, "network": "Encoder", "lr": 0.1, "betas": (0.5, 0.9)},
        {"params": second, "network": "Decoder"},
    ]
    encoder, decoder = AdamW(**PHASE).lower(groups).param_groups
    assert (encoder["network"], encoder["lr"], encoder["betas"]) == ("Encoder", 0.1, (0.5, 0.9))
    assert (decoder["network"], decoder["lr"], decoder["betas"]) == ("Decoder", 1e-3, (0.9, 0.999))


@pytest.mark.parametrize("section", [Adam, AdamW, Sgd, RmsProp])
def test_the_sections_own_rate_wins(section: type[Optimizer]) -> None:
    groups = [{"params": two_weights(), "lr": 0.1, "betas": (0.5, 0.9)}]
    assert section(**PHASE, learning_rate=0.3).lower(groups).param_groups[0]["lr"] == 0.3


@pytest.mark.parametrize("section", [Sgd, RmsProp])
def test_betas_belong_to_adam(section: type[Optimizer]) -> None:
    groups = [{"params": two_weights(), "betas": (0.5, 0.9)}]
    assert "betas" not in section(**PHASE).lower(groups).param_groups[0]


def test_a_phase_runs_on_every_nth_batch() -> None:
    section = Adam(**PHASE, every=3)
    assert [batch for batch in range(8) if section.runs_on(batch)] == [2, 5]
