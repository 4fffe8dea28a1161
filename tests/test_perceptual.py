"""Pictures compared in features: against torchvision's own network, with weights of a file, never fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

import netcfg
from netcfg.blocks.losses.perceptual import Perceptual
from netcfg.builder.modules.losses.counted import Counted
from netcfg.source import NetcfgError

PICTURES = torch.rand(3, 3, 24, 20, generator=torch.Generator().manual_seed(1))
TARGETS = torch.rand(3, 3, 24, 20, generator=torch.Generator().manual_seed(2))
LAYERS = {"relu1_2": 3, "relu2_1": 6, "relu3_2": 13}
"""After which of torchvision's blocks."""


@pytest.fixture(scope="module")
def vgg() -> torch.nn.Module:
    torch.manual_seed(3)
    features = torchvision.models.vgg16(init_weights=False).features
    for block in features[:17]:
        if isinstance(block, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(block.weight)
    return features.requires_grad_(False)


@pytest.fixture
def file(vgg: torch.nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "vgg16.safetensors"
    save_file({f"features.{name}": value.contiguous() for name, value in vgg.state_dict().items()}, path)
    return path


def formula(
    vgg: torch.nn.Module, pictures: torch.Tensor, targets: torch.Tensor, distance: str
) -> torch.Tensor:
    """Of each picture, pictures from 0 to 1."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    total = torch.zeros(len(pictures))
    for last in LAYERS.values():
        one, other = (
            vgg[: last + 1]((x - mean.view(3, 1, 1)) / std.view(3, 1, 1))
            for x in (pictures, targets)  # type: ignore[index]
        )
        each = (one - other).square() if distance == "mse" else (one - other).abs()
        total = total + each.flatten(1).mean(1)
    return total


@pytest.mark.parametrize("distance", ["mse", "l1"])
def test_it_is_the_distance_in_torchvisions_features(vgg: torch.nn.Module, file: Path, distance: str) -> None:
    section = Perceptual(input="N", target="t", layers=tuple(LAYERS), weights=str(file), distance=distance)
    module = section.lower()
    found, expected = [], []
    for made in (found, expected):
        pictures = PICTURES.clone().requires_grad_()
        value = (
            module(pictures, TARGETS) if made is found else formula(vgg, pictures, TARGETS, distance).mean()
        )
        made += [value, *torch.autograd.grad(value, pictures)]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    mask = torch.tensor([1.0, 0.0, 1.0])
    masked = module(PICTURES, TARGETS, mask=mask)
    assert isinstance(masked, Counted)
    torch.testing.assert_close(masked.mean(), formula(vgg, PICTURES, TARGETS, distance)[[0, 2]].mean())


@pytest.mark.parametrize(("values", "change"), [("signed", lambda x: 2 * x - 1), ("imagenet", None)])
def test_what_pictures_hold_is_said(values: str, change: object) -> None:
    options = {"input": "N", "target": "t", "layers": ("relu1_2",), "weights": "random"}
    unit = Perceptual(**options).lower()(PICTURES, TARGETS)
    if change is None:
        mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        other = [(x - mean.view(3, 1, 1)) / std.view(3, 1, 1) for x in (PICTURES, TARGETS)]
    else:
        other = [2 * x - 1 for x in (PICTURES, TARGETS)]
    torch.testing.assert_close(Perceptual(values=values, **options).lower()(*other), unit)


def test_random_weights_are_of_one_seed_and_no_parameters() -> None:
    section = Perceptual(input="N", target="t", layers=("relu2_1",), weights="random", network="vgg19")
    torch.manual_seed(1)
    drawn = torch.rand(1)
    torch.manual_seed(1)
    value = section.lower()(PICTURES, TARGETS)
    assert torch.equal(torch.rand(1), drawn)
    assert torch.equal(section.lower()(PICTURES, TARGETS), value)
    assert not any(weight.requires_grad for weight in section.lower().parameters())
    grey = PICTURES[:, :1]
    other = TARGETS[:, :1]
    wide = [one.expand(-1, 3, -1, -1) for one in (grey, other)]
    assert torch.equal(section.lower()(grey, other), section.lower()(*wide))


PROGRAM = """{Net}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 3
kernel_size = 3
pad = True
{Data}
[synthetic_faces]
image_size = 16
{Loss}
[perceptual]
input = Net
target = image
weights = random
{Optimizer}
[adam]
networks = Net
minimise = perceptual
"""


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("weights = random", "weights = random\nlayers = relu3_4", "NC105", "vgg16 has no layer `relu3_4`"),
        (
            "weights = random",
            "weights = random\nnetwork = vgg19\nlayers = relu6_1",
            "NC105",
            "vgg19 has no layer `relu6_1`",
        ),
        ("weights = random\n", "", "NC104", "`perceptual` needs `weights`"),
        (
            "filters = 3",
            "filters = 4",
            "NC402",
            "[perceptual] compares pictures of 1 or 3 channels, and `Net` gives 4×16×16",
        ),
    ],
)
def test_a_mistake_is_one_finding(old: str, new: str, code: str, message: str) -> None:
    found = [one for one in netcfg.check(PROGRAM.replace(old, new))[1] if one.severity == "error"]
    assert [(one.code, one.message) for one in found] == [(code, message)]


def test_pictures_that_are_too_small_for_the_layers_are_refused() -> None:
    text = PROGRAM.replace("weights = random", "weights = random\nlayers = relu5_1")
    small = text.replace("height = 16\nwidth = 16", "height = 8\nwidth = 8").replace(
        "image_size = 16", "image_size = 16\n[resize]\nsize = 8"
    )
    assert not [one for one in netcfg.check(text)[1] if one.severity == "error"]
    (found,) = [one for one in netcfg.check(small)[1] if one.severity == "error"]
    assert found.message == "[perceptual] halves pictures 4 times, and `Net` gives 3×8×8"


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"a.weight": torch.zeros(2)}, path)
    with pytest.raises(NetcfgError, match="holds no vgg16 of torchvision's"):
        Perceptual(input="N", target="t", weights=str(path)).lower()
    with pytest.raises(NetcfgError, match="missing"):
        Perceptual(input="N", target="t", weights=str(tmp_path / "missing.pth")).lower()
