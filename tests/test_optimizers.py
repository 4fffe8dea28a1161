"""Optimizers against PyTorch's own, with what a network and what the section says."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import netcfg
from netcfg.blocks.optimizers.adadelta import Adadelta
from netcfg.blocks.optimizers.adafactor import Adafactor
from netcfg.blocks.optimizers.adagrad import Adagrad
from netcfg.blocks.optimizers.adamax import Adamax
from netcfg.blocks.optimizers.adaptive import Adam, AdamW
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.muon import Muon
from netcfg.blocks.optimizers.nadam import NAdam
from netcfg.blocks.optimizers.radam import RAdam
from netcfg.blocks.optimizers.rmsprop import RmsProp
from netcfg.blocks.optimizers.sgd import Sgd

PHASE = {"networks": ("Net",), "minimise": "detection"}
PROGRAM = """{Net}
[net]
channels = 3
height = 8
width = 8
[convolutional]
name = features.stem
filters = 4
kernel_size = 3
[batch_norm]
name = features.norm
[convolutional]
name = features.deep
filters = 4
kernel_size = 1
[flatten]
[connected]
name = head
output_features = 2
{Loss}
[mean]
name = detection
input = Net
{Optimizer}
[adam]
networks = Net
minimise = detection
learning_rate = 0.1
"""
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
    (Adadelta, {"rho": 0.8, "weight_decay": 0.1}, torch.optim.Adadelta, {"rho": 0.8, "weight_decay": 0.1}),
    (
        Adagrad,
        {"lr_decay": 0.1, "initial_accumulator_value": 0.5},
        torch.optim.Adagrad,
        {"lr_decay": 0.1, "initial_accumulator_value": 0.5},
    ),
    (
        Adamax,
        {"beta1": 0.8, "weight_decay": 0.1},
        torch.optim.Adamax,
        {"betas": (0.8, 0.999), "weight_decay": 0.1},
    ),
    (
        NAdam,
        {"momentum_decay": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
        torch.optim.NAdam,
        {"momentum_decay": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True},
    ),
    (
        RAdam,
        {"beta2": 0.9, "weight_decay": 0.1},
        torch.optim.RAdam,
        {"betas": (0.9, 0.9), "weight_decay": 0.1},
    ),
    (
        Adafactor,
        {"beta2_decay": -0.5, "clip": 2.0},
        torch.optim.Adafactor,
        {"beta2_decay": -0.5, "d": 2.0},
    ),
]


def trained(optimizer: torch.optim.Optimizer, weights: list[torch.nn.Parameter]) -> list[float]:
    """The weights after eight steps on a bowl: RAdam's sixth is its first of the full kind."""
    for _ in range(8):
        optimizer.zero_grad()
        sum((weight**4).sum() for weight in weights).backward()  # type: ignore[union-attr]
        optimizer.step()
    return [value for weight in weights for value in weight.tolist()]


def matrices_and_vector() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(4)
    return [torch.nn.Parameter(torch.randn(*size, generator=generator)) for size in ((3, 2), (2, 4), (5,))]


def test_muon_is_torchs_for_matrices_and_adamw_for_the_rest() -> None:
    weights, others = matrices_and_vector(), matrices_and_vector()
    section = Muon(**PHASE, learning_rate=0.05, adjust_lr="match_rms_adamw", other_rate=0.1)
    made = section.lower([{"params": weights, "network": "Net"}])
    trained(made, weights)
    options = {"weight_decay": 0.1}
    for kind, part, rate, own in (
        (torch.optim.Muon, others[:2], 0.05, {"adjust_lr_fn": "match_rms_adamw"}),
        (torch.optim.AdamW, others[2:], 0.005, {}),
    ):
        trained(kind(part, lr=rate, **options, **own), part)
    torch.testing.assert_close(weights, others, rtol=1e-5, atol=1e-7)
    assert [group["network"] for group in made.param_groups] == ["Net", "Net (no matrices)"]


@pytest.mark.parametrize("only", ["matrices", "vectors"])
def test_muon_takes_networks_of_one_kind_of_weights(only: str) -> None:
    kept = matrices_and_vector()[:2] if only == "matrices" else matrices_and_vector()[2:]
    before = [weight.detach().clone() for weight in kept]
    trained(Muon(**PHASE).lower([{"params": kept}]), kept)
    assert not any(torch.equal(weight, start) for weight, start in zip(kept, before, strict=True))


def two_weights() -> list[torch.nn.Parameter]:
    return [torch.nn.Parameter(torch.tensor(values)) for values in ([1.0, -2.0, 0.3], [0.5])]


@pytest.mark.parametrize(("section", "options", "torch_kind", "torch_options"), CASES)
def test_steps_are_those_of_torch(
    section: type[Optimizer], options: dict[str, Any], torch_kind: Any, torch_options: dict[str, Any]
) -> None:
    weights, others = two_weights(), two_weights()
    made = section(**PHASE, learning_rate=0.05, **options).lower([{"params": weights}])
    reference = torch_kind(others, lr=0.05, foreach=False, **torch_options)
    assert trained(made, weights) == pytest.approx(trained(reference, others), rel=1e-5, abs=1e-7)


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


@pytest.mark.parametrize("section", [Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, NAdam, RAdam])
def test_where_nobody_says_a_rate_it_is_torchs(section: type[Optimizer]) -> None:
    made = section(**PHASE).lower([{"params": two_weights()}])
    kind = getattr(torch.optim, type(made).__name__)
    assert made.param_groups[0]["lr"] == kind(two_weights()).param_groups[0]["lr"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lbfgs", "L-BFGS computes its losses many times a step"),
        ("rprop", "`[rmsprop]` is its form for batches"),
        ("asgd", "`ema` in [training]"),
        ("sparse_adam", "take `[adam]`"),
        ("lion", "a class in a Python file"),
    ],
)
def test_optimizers_that_there_are_not_are_told_with_a_reason(word: str, said: str) -> None:
    text = PROGRAM.replace("[adam]", f"[{word}]")
    (finding,) = [one for one in netcfg.check(text)[1] if one.severity == "error"]
    assert finding.code == "NC102"
    assert said in (finding.help or "")


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
