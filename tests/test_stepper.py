"""The update of one phase: accumulation, clipping, fp16, and state to the bit."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from netcfg.blocks.optimizers.adaptive import Adam
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.rmsprop import RmsProp
from netcfg.blocks.optimizers.sgd import Sgd
from netcfg.source import NetcfgError
from netcfg.trainers.step.stepper import Precision, Stepper

PHASE = {"networks": ("Net",), "minimise": "detection"}
CPU = torch.device("cpu")
BATCHES = torch.randn(12, 5, 3, generator=torch.Generator().manual_seed(3))


def network() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 2)


def stepper(
    module: nn.Module, precision: Precision = "f32", kind: type[Optimizer] = Adam, **options: Any
) -> Stepper:
    section = kind(**PHASE, **{"learning_rate": 0.1, **options})
    return Stepper(section, [{"params": list(module.parameters()), "network": "Net"}], CPU, precision)


def run(stepper: Stepper, module: nn.Module, batches: Tensor) -> list[bool]:
    """One batch after the other; which of them changed the weights."""
    changed = []
    for batch in batches:
        stepper.begin()
        stepper.backward((module(batch) ** 2).mean())
        changed.append(stepper.finish())
    return changed


def weights(module: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in module.parameters()])


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return dict(torch.load(file, weights_only=True))


@pytest.mark.parametrize("precision", ["f32", "fp16"])
def test_four_batches_accumulated_are_one_of_four_times_the_size(precision: Precision) -> None:
    module, whole = network(), network()
    changed = run(stepper(module, precision, Sgd, accumulate=4), module, BATCHES[:8])
    run(stepper(whole, "f32", Sgd), whole, BATCHES[:8].reshape(2, 20, 3))
    assert changed == [False, False, False, True] * 2
    torch.testing.assert_close(weights(module), weights(whole))


@pytest.mark.parametrize("precision", ["f32", "fp16"])
def test_what_an_epoch_leaves_is_the_mean_of_the_batches_there_were(precision: Precision) -> None:
    module, whole = network(), network()
    phase = stepper(module, precision, Sgd, accumulate=4)
    run(phase, module, BATCHES[:3])
    assert torch.equal(weights(module), weights(whole))
    assert (phase.flush(), phase.flush()) == (True, False)
    run(stepper(whole, "f32", Sgd), whole, BATCHES[:3].reshape(1, 15, 3))
    torch.testing.assert_close(weights(module), weights(whole))


@pytest.mark.parametrize("precision", ["f32", "fp16"])
def test_clipping_sees_the_true_gradients(precision: Precision) -> None:
    module, before = network(), weights(network())
    phase = stepper(module, precision, Sgd, learning_rate=1.0, clip_grad_norm=0.01)
    run(phase, module, BATCHES[:1])
    assert (weights(module) - before).norm().item() == pytest.approx(0.01, rel=1e-3)
    other = network()
    gradients = torch.autograd.grad((other(BATCHES[0]) ** 2).mean(), list(other.parameters()))
    assert phase.gradient_norm is not None
    torch.testing.assert_close(phase.gradient_norm, torch.cat([g.flatten() for g in gradients]).norm())


@pytest.mark.parametrize("kind", [Adam, Sgd, RmsProp])
@pytest.mark.parametrize("options", [{}, {"clip_grad_norm": 1.0}])
def test_an_update_whose_gradients_overflow_is_skipped(
    kind: type[Optimizer], options: dict[str, Any]
) -> None:
    module = network()
    phase = stepper(module, "fp16", kind, **options)
    assert phase.scaler is not None
    run(phase, module, BATCHES[:1])
    before, scale = weights(module), phase.scaler.get_scale()
    run(phase, module, BATCHES[:1] * 1e30)
    assert torch.equal(weights(module), before)
    assert phase.scaler.get_scale() == scale / 2
    run(phase, module, BATCHES[1:2])
    assert not torch.equal(weights(module), before)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_only_fp16_is_scaled(precision: Precision) -> None:
    assert stepper(network(), precision).scaler is None


def test_gradients_reach_no_other_phase() -> None:
    generator, critic = network(), nn.Linear(2, 1)
    phase = stepper(generator)
    phase.begin()
    phase.backward(critic(generator(BATCHES[0])).mean())
    assert critic.weight.grad is None
    assert generator.weight.grad is not None


@pytest.mark.parametrize("precision", ["f32", "fp16"])
@pytest.mark.parametrize("kind", [Adam, RmsProp])
def test_a_run_resumed_within_an_accumulation_is_the_unbroken_one(
    precision: Precision, kind: type[Optimizer]
) -> None:
    module, other = network(), network()
    phase = stepper(module, precision, kind, accumulate=4)
    run(phase, module, BATCHES[:6])
    resumed = stepper(other, precision, kind, accumulate=4)
    other.load_state_dict(module.state_dict())
    resumed.load_state_dict(through_a_file(phase.state_dict()))
    for one, its in ((phase, module), (resumed, other)):
        run(one, its, BATCHES[6:])
    assert torch.equal(weights(module), weights(other))


def test_a_part_of_an_accumulation_is_dropped_under_another_accumulate() -> None:
    module = network()
    phase, resumed = stepper(module, accumulate=4), stepper(module, accumulate=2)
    run(phase, module, BATCHES[:3])
    resumed.load_state_dict(phase.state_dict())
    assert run(resumed, module, BATCHES[:2]) == [False, True]


def test_options_come_from_the_file_not_from_the_checkpoint() -> None:
    module = network()
    phase = stepper(module, learning_rate=0.1)
    run(phase, module, BATCHES[:1])
    resumed = stepper(module, learning_rate=0.2, weight_decay=0.5)
    resumed.load_state_dict(through_a_file(phase.state_dict()))
    resumed.set_rates(0, max_epochs=3)
    group = resumed.optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.2, 0.5)


def test_linear_decay_resumes_at_the_rate_of_its_epoch() -> None:
    module = network()
    phase = stepper(module, schedule="linear")
    run(phase, module, BATCHES[:1])
    phase.set_rates(1, max_epochs=4)
    resumed = stepper(module, schedule="linear")
    resumed.load_state_dict(phase.state_dict())
    resumed.set_rates(2, max_epochs=4)
    assert resumed.rates() == {"Net": pytest.approx(0.05)}


def test_every_network_keeps_its_own_rate_under_a_schedule() -> None:
    groups = [
        {"params": list(network().parameters()), "network": name, "lr": rate}
        for name, rate in (("Encoder", 0.1), ("Decoder", 0.4))
    ]
    phase = Stepper(Adam(**PHASE, schedule="linear"), groups, CPU)
    phase.set_rates(1, max_epochs=2)
    assert phase.rates() == {"Encoder": 0.05, "Decoder": 0.2}


def test_rates_fall_when_the_monitored_figure_stalls() -> None:
    module = network()
    phase = stepper(module, schedule="plateau", plateau_patience=0, plateau_factor=0.5)
    for figure in (0.7, None, 0.6):
        phase.end_epoch(figure, higher_is_better=True)
    resumed = stepper(module, schedule="plateau", plateau_patience=0, plateau_factor=0.5)
    resumed.load_state_dict(through_a_file(phase.state_dict()))
    resumed.set_rates(3, max_epochs=9)
    assert resumed.rates() == {"Net": 0.05}


def test_a_state_of_another_optimizer_is_refused() -> None:
    module = network()
    phase = stepper(module)
    with pytest.raises(
        NetcfgError, match=r"written by \[sgd\], and the file has \[adam\] for Net\nhelp: resume"
    ):
        phase.load_state_dict(stepper(module, kind=Sgd).state_dict())


@pytest.mark.parametrize("other", [nn.Linear(3, 2, bias=False), nn.Linear(2, 3)])
def test_a_state_of_other_parameters_is_refused(other: nn.Module) -> None:
    module = network()
    phase = stepper(module)
    run(phase, module, BATCHES[:1])
    with pytest.raises(NetcfgError, match="is that of other parameters"):
        stepper(other).load_state_dict(phase.state_dict())
