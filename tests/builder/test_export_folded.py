"""What an export takes in: the data's normalisation in front, batch norms in the maps before them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import netcfg
from netcfg.builder.exports.optimised import fold_norms
from netcfg.builder.exports.preparing import preparation_of, with_preparation
from netcfg.cli.main import main

NORMED = """{Net}
[net]
channels = 3
height = 12
width = 12
[convolutional]
filters = 4
kernel_size = 3
batch_normalise = True
activation = relu
name = inside
[convolutional]
filters = 6
kernel_size = 3
groups = 2
activation = linear
name = grouped
[batch_norm]
[deconvolutional]
filters = 4
kernel_size = 3
groups = 2
activation = linear
weight_norm = True
name = back
[batch_norm]
affine = False
[convolutional]
filters = 4
kernel_size = 1
activation = relu
name = bent
[batch_norm]
name = after_bent
[global_avgpool]
[connected]
output_features = 3
activation = linear
[batch_norm]
"""
PICTURES = """{Data}
[synthetic_faces]
image_size = 48
fields = image, labels
[center_crop]
size = 40
[normalise]
mean = imagenet
std = 0.229, 0.224, 0.225
{Net}
[net]
inputs = data.image
[convolutional]
filters = 4
kernel_size = 3
activation = relu
[global_avgpool]
[connected]
output_features = 12
{Critic}
[net]
[input]
name = scores
features = 12
[connected]
output_features = 1
{Model}
[Net]
from = image
[Critic]
from = Net
{Loss}
[bce_with_logits]
input = Net
target = labels
[mse]
input = Critic
target = 1
{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits
[adam]
name = other
networks = Critic
minimise = mse
"""


def shaken(network: nn.Module) -> None:
    """Statistics and scales as after some training."""
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 2)
                nn.init.normal_(part.bias)


def test_norms_are_folded_where_a_linear_map_stands_before() -> None:
    program = netcfg.load(NORMED)
    torch.manual_seed(3)
    network = netcfg.build(program)["Net"].eval()
    shaken(network)
    x = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        before = network(x)
        assert fold_norms(program.networks["Net"], network) == 4  # type: ignore[arg-type]
        torch.testing.assert_close(network(x), before, rtol=1e-5, atol=1e-6)
    left = [part for part in network.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    # What follows a rectifier stays.
    assert left == [network["after_bent"]]


def test_a_map_that_somebody_else_reads_keeps_its_norm() -> None:
    last = "[convolutional]\nfilters = 4\nkernel_size = 1"
    text = NORMED.replace(last, f"[combine_add]\ncombine_layers = -1, grouped\n{last}")
    text = text.replace(
        "filters = 4\nkernel_size = 3\ngroups = 2", "filters = 6\nkernel_size = 1\ngroups = 2"
    )
    program = netcfg.load(text)
    network = netcfg.build(program)["Net"].eval()
    shaken(network)
    x = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        before = network(x)
        assert fold_norms(program.networks["Net"], network) == 3  # type: ignore[arg-type]
        torch.testing.assert_close(network(x), before, rtol=1e-5, atol=1e-6)


def test_pictures_of_bytes_become_what_the_data_make_of_them() -> None:
    program = netcfg.load(PICTURES)
    network = netcfg.build(program)["Net"].eval()
    preparation = preparation_of(program, "Net")
    x = torch.randint(256, (2, 3, 40, 40), dtype=torch.uint8)
    seen = preparation.see({"image": x})["image"]
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    torch.testing.assert_close(seen, (x / 255 - mean) / std)
    given = with_preparation(network, ["image"], preparation)(x)
    torch.testing.assert_close(given, network(seen), rtol=1e-6, atol=1e-6)
    told = preparation.told()["preprocessing"]["image"]  # type: ignore[index]
    assert told["to be done before"] == ["[center_crop]"]
    assert told["in the file"][0] == "/ 255"


def test_the_command_writes_both_into_the_file_and_its_report(tmp_path: Path) -> None:
    (tmp_path / "in.cfg").write_text(PICTURES)
    words = ["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.py"), "--network", "Net"]
    assert main([*words, "--with-preprocessing", "--optimise"]) == 0
    text = (tmp_path / "net.py").read_text()
    assert "image = image.float() / 255" in text
    assert "image: from 0 to 255" in text
    report = json.loads((tmp_path / "net.py.proof.json").read_text())
    assert report["preprocessing"]["image"]["takes"].startswith("uint8")


def test_a_network_that_sees_no_picture_has_nothing_to_prepare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.cfg").write_text(PICTURES)
    words = ["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.py"), "--with-preprocessing"]
    assert main([*words, "--network", "Critic"]) == 1
    assert "no picture of the data is an input of Critic" in capsys.readouterr().err
    assert not list(tmp_path.glob("net*"))
