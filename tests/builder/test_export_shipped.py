"""Shipped networks of many families leave as ONNX, their pictures made small where numbers say how large they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import netcfg
from netcfg.builder.exports.export import LIMIT, Asked, export

FOLDER = Path(netcfg.__file__).parent / "cfg"


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "zoo/alexnet",
        "zoo/convnext_tiny",
        "zoo/dcgan",
        "zoo/ddpm",
        "zoo/densenet121",
        "zoo/distillation",
        "zoo/frames_lstm",
        "zoo/resnet18",
        "zoo/unet",
    ],
)
def test_it_leaves_as_onnx(file: str, tmp_path: Path) -> None:
    path = FOLDER / f"{file}.cfg"
    (tmp_path / path.name).write_text(
        re.sub(r"^(height|width) = (224|256)$", r"\1 = 96", path.read_text(), flags=re.MULTILINE)
    )
    program, _ = netcfg.check(tmp_path / path.name)
    program = program or netcfg.load(path)  # its sizes hang together
    torch.manual_seed(1)
    networks = netcfg.build(program)
    for number, name in enumerate(program.networks):
        made = export("onnx", program, networks, [name], tmp_path / f"{number}.onnx", Asked())
        assert max(one.relative for one in made.found) <= LIMIT
