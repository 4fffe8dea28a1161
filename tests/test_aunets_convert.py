"""Checkpoints of the AUNets to safetensors and back, and what is said of another variant's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from golden_rules import golden
from safetensors.torch import load_file
from torch import Tensor

import netcfg
from netcfg.builder.layouts import LAYOUTS
from netcfg.builder.recognition import owner_of
from netcfg.builder.weights import load_pretrained
from netcfg.cli.main import main
from netcfg.passes.read import shipped_folder

KEYS = golden("aunets_keys")
SMALL = ("filters=2", "hidden=6", "image_size=64")
Convert = Callable[..., tuple[int, str]]


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Convert:
    """Run the command on small networks of a variant; gives the code and what it has to complain about."""
    monkeypatch.chdir(tmp_path)

    def command(variant: str, *arguments: str) -> tuple[int, str]:
        settings = [word for setting in SMALL for word in ("--set", setting)]
        cfg = str(shipped_folder() / f"aunet_of_{variant}.cfg")
        return main(["convert", *arguments, "--cfg", cfg, *settings]), capsys.readouterr().err

    return command


def checkpoint(variant: str) -> dict[str, Tensor]:
    """A small one under the original's names."""
    variables = dict(setting.split("=") for setting in SMALL)
    program = netcfg.load(shipped_folder() / f"aunet_of_{variant}.cfg", **variables)
    state = netcfg.build(program)["AUNet"].state_dict()
    return {key: state[key.removeprefix("model.")].clone() for key, _ in KEYS[variant]["keys"]}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("variant", KEYS)
@pytest.mark.parametrize("preset", [(), ("--preset", "original")])
def test_every_variant_goes_there_and_back(variant: str, preset: tuple[str, ...], convert: Convert) -> None:
    original = checkpoint(variant)
    torch.save(original, "36_1000.pth")
    assert convert(variant, "36_1000.pth", "-o", "ours.safetensors", "--layout", "aunets", *preset)[0] == 0
    ours = load_file("ours.safetensors")
    assert {key.replace("AUNet.", "model.") for key in ours} == set(original)
    assert convert(variant, "ours.safetensors", "-o", "back.pth", "--to", "aunets", *preset)[0] == 0
    assert equal(torch.load("back.pth", weights_only=True), original)


@pytest.mark.parametrize(
    ("saved", "asked", "rows"),
    [
        ("none", "conv", ["features_rgb.…: 26 parameters not in the file", "features.…: 26 parameters only in the"]),
        ("none", "channels", ["features.0.weight: 2×3×3×3 in the file, 2×6×3×3 in the network"]),
        ("horizontal", "none", ["classifier.0.weight: 6×128 in the file, 6×64 in the network"]),
        ("fc7", "fc6", ["classifier_of.3.weight: only in the file"]),
    ],
)  # fmt: skip
def test_another_variants_checkpoint_is_told_by_its_difference(
    saved: str, asked: str, rows: list[str], convert: Convert
) -> None:
    torch.save(checkpoint(saved), "x.pth")
    code, error = convert(asked, "x.pth", "-o", "out.safetensors", "--layout", "aunets")
    assert code == 1
    assert [row for row in rows if row not in error] == []
    assert error.count("error[") == 1
    assert not Path("out.safetensors").exists()


@pytest.mark.parametrize(
    ("variant", "owners"),
    [
        ("none", "aunet_of_none.cfg or of aunet_of_alone.cfg"),
        ("vertical", "aunet_of_horizontal.cfg or of aunet_of_vertical.cfg"),
        ("channels", "aunet_of_channels.cfg"),
        ("fc6", "aunet_of_fc6.cfg"),
    ],
)
def test_a_checkpoint_of_full_size_is_recognised(variant: str, owners: str) -> None:
    shapes = {key.removeprefix("model."): torch.Size(shape) for key, shape in KEYS[variant]["keys"]}
    assert owner_of([shapes], LAYOUTS["aunets"]) == f"it is a checkpoint of {owners}: give that as `--cfg`"


def test_no_ones_checkpoint_has_no_owner() -> None:
    assert owner_of([{"x": torch.Size([1])}], LAYOUTS["aunets"]) is None


def test_a_published_checkpoint_can_be_started_from(tmp_path: Path) -> None:
    """`weights = FILE` takes it without a conversion."""
    variables: dict[str, object] = dict(setting.split("=") for setting in SMALL)
    original = checkpoint("none")
    path = tmp_path / "36_1000.pth"
    torch.save(original, path)
    program = netcfg.load(shipped_folder() / "aunet_of_fc7.cfg", weights=path, **variables)
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    found = networks["AUNet"].get_parameter("classifier_of.3.weight")
    assert torch.equal(found, original["model.classifier.3.weight"])
