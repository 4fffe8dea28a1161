"""One training step of FERAtt against the original's: losses, gradients, what the batch leaves behind."""

from __future__ import annotations

import pytest
import torch
from golden_rules import assert_record, fill, golden, img01

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.trainers.step.model import Model


def test_a_training_step_is_the_originals() -> None:
    expected = golden("feratt_train_step")["values"]
    program = netcfg.load(shipped_folder() / "feratt.cfg", preset="original", batch_size=4, weights=None)
    networks = netcfg.build(program)
    network = networks["FERAtt"]
    with torch.no_grad():
        fill(network.state_dict(), lambda key: key, 1.0)
    networks.double().train()
    fields = {
        "image": img01("input.train", (4, 3, 64, 64)).double(),
        "target": img01("input.train_org", (4, 3, 64, 64)).double(),
        "emotion": torch.tensor([0, 3, 6, 1]),
    }
    (phase,) = program.phases
    assert phase.weights == {"classes": 4, "attention": 20}
    reads = {name: tuple(program.losses[name].reads.values()) for name in phase.weights}
    signals = Model(program, networks).signals(fields, {name for names in reads.values() for name in names})
    losses = {name: program.losses[name].lower()(*map(signals.get, reads[name])) for name in reads}
    total = sum(phase.weights[name] * loss for name, loss in losses.items())
    assert isinstance(total, torch.Tensor)
    total.backward()

    assert losses["classes"].item() == pytest.approx(expected["ce"], rel=1e-6)
    assert 5 * losses["attention"].item() == pytest.approx(expected["att"], rel=1e-6)
    assert total.item() / 4 == pytest.approx(expected["loss"], rel=1e-6)
    assert_record(signals["answer"], expected["logits"], 1e-6)
    parameters = dict(network.named_parameters())
    for name, norm in expected["grad_norms"].items():
        gradient = parameters[name].grad
        assert gradient is not None
        assert gradient.norm().item() == pytest.approx(norm, rel=1e-6), name
    for name, values in expected["running_mean_after"].items():
        found = network.get_buffer(name)[:3].tolist()
        assert found == pytest.approx(values, rel=1e-6), name
