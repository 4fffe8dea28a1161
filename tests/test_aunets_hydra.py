"""HydraNet: twelve heads on features that stay as they start, as networks of their own and as one network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import netcfg
from netcfg.builder.weights import load_pretrained, save_state
from netcfg.passes.plan import plan
from netcfg.passes.read import shipped_folder
from netcfg.plan_text import plan_text
from netcfg.program import Program
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import Phases

ACTION_UNITS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
SMALL = {"filters": 2, "hidden": 6, "image_size": 64}
FEATURES = 14_714_688
HEAD = 119_549_953


def program_of(name: str, **variables: object) -> Program:
    return netcfg.load(shipped_folder() / f"aunet_{name}.cfg", **variables)


@pytest.fixture
def image_only_run(tmp_path: Path) -> Path:
    """The weights of an image-only network, as a run leaves them."""
    save_state(tmp_path / "best.safetensors", netcfg.build(program_of("of_none", **SMALL)))
    return tmp_path / "best.safetensors"


def loaded(program: Program) -> nn.ModuleDict:
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    return networks


def fields(count: int) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {"image": torch.randn(count, 3, 64, 64), "labels": torch.randint(0, 2, (count, 12)).float()}


@pytest.mark.parametrize("name", ["hydra", "hydra_multilabel"])
def test_the_heads_train_and_the_features_stay(name: str) -> None:
    graphs = program_of(name).networks.values()
    assert sum(graph.parameters for graph in graphs) == FEATURES + 12 * HEAD
    assert sum(graph.trainable for graph in graphs) == 12 * HEAD


@pytest.mark.parametrize("name", ["hydra", "hydra_multilabel"])
@pytest.mark.parametrize("preset", ["demo", "original"])
def test_every_preset_holds(name: str, preset: str) -> None:
    program = netcfg.load(shipped_folder() / f"aunet_{name}.cfg", preset=preset)
    assert program.findings == ()


def test_the_heads_stand_in_the_order_of_the_labels() -> None:
    program = program_of("hydra")
    assert list(program.networks) == ["Trunk", *(f"AU{unit}" for unit in ACTION_UNITS)]
    assert program.phases[0].optimizer.networks == tuple(f"AU{unit}" for unit in ACTION_UNITS)


@pytest.mark.parametrize("name", ["hydra", "hydra_multilabel"])
def test_a_step_changes_every_head_and_no_feature(name: str) -> None:
    program = program_of(name, **SMALL)
    networks = netcfg.build(program).eval()
    before = {key: value.clone() for key, value in networks.state_dict().items()}
    Phases(program, networks, torch.device("cpu")).step(
        fields(3), 0
    )  # an odd number: no balance of labels leaves a bias without a gradient
    changed = {key for key, value in networks.state_dict().items() if not torch.equal(value, before[key])}
    biases = {key for key in before if key.endswith("6.bias")}
    assert len(biases & changed) == 12
    assert not any("features" in key for key in changed)


def test_the_trunk_runs_once_and_without_gradients() -> None:
    program = program_of("hydra", **SMALL)
    rows = [line.split() for line in plan_text(plan(program)).splitlines() if "Trunk(" in line]
    assert [row[-5:] for row in rows] == [["vector", "=", "Trunk(image)", "no", "gradients"]]
    assert not netcfg.build(program)["Trunk"](fields(1)["image"]).requires_grad


def test_every_head_starts_from_the_image_only_network(image_only_run: Path) -> None:
    """Both files then compute the image-only network's logit twelve times."""
    expected = netcfg.build(program_of("of_none", **SMALL, weights=image_only_run))
    load_pretrained(program_of("of_none", **SMALL, weights=image_only_run), expected)
    batch = fields(2)
    logit = expected.eval()["AUNet"](batch["image"])
    program = program_of("hydra", **SMALL, weights=image_only_run)
    heads = Model(program, loaded(program).eval()).signals(batch, ["AUNet"])["AUNet"]
    network = loaded(program_of("hydra_multilabel", **SMALL, weights=image_only_run))["AUNet"].eval()
    torch.testing.assert_close(heads, logit.expand(2, 12))
    torch.testing.assert_close(network(batch["image"]), logit.expand(2, 12))
