"""`[backbone]`: networks of other libraries, whole, with a port per stage."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torchvision.models.feature_extraction import create_feature_extractor

import netcfg
from netcfg.blocks import measured
from netcfg.blocks.network import backbone
from netcfg.builder.network import build_network
from netcfg.builder.weights import load_pretrained
from netcfg.graph import Graph
from netcfg.source import Finding, ProgramError

TIMM = """
from torch import nn


class Features(nn.Module):
    feature_info = [{}, {}, {}]

    def __init__(self, out_indices=(0, 1, 2)):
        super().__init__()
        self.out_indices = out_indices
        self.stages = nn.ModuleList([nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 6, 3, 2, 1), nn.Conv2d(6, 8, 3, 2, 1)])

    def forward(self, x):
        given = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self.out_indices:
                given.append(x)
        return given


def list_models():
    return ["small"]


def create_model(name, pretrained=False, features_only=False, out_indices=(0, 1, 2)):
    return Features(out_indices)
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETCFG_CACHE", str(tmp_path / "cache"))
    measured.record.cache_clear()


def text(options: str, net: str = "channels = 3\nheight = 64\nwidth = 96", more: str = "") -> str:
    return f"{{N}}\n[net]\n{net}\n[backbone]\nname = body\n{options}\n{more}\n"


def graph(options: str, net: str = "channels = 3\nheight = 64\nwidth = 96", more: str = "") -> Graph:
    return netcfg.load(text(options, net, more)).networks["N"]


def only_error(options: str) -> tuple[Finding, str]:
    written = text(options)
    _, findings = netcfg.check(written)
    [error] = findings
    assert error.span is not None
    line = written.splitlines()[error.span.line - 1]
    return error, line[error.span.column - 1 :][: error.span.length]


def test_its_stages_are_those_of_the_library() -> None:
    more = "[output]\nname = early\nfrom = body.layer1\n[output]\nname = late\nfrom = body.layer3"
    made = graph("model = resnet18\nstages = layer1, layer3\npretrained = False", more=more)
    network = build_network(made).eval()
    theirs = torchvision.models.resnet18()
    theirs.load_state_dict(network["body"].state_dict(), strict=False)
    nodes = {"layer1": "early", "layer3": "late"}
    wanted = create_feature_extractor(theirs.eval(), nodes)(x := torch.randn(2, 3, 64, 96))
    given = network(x)
    assert all(torch.allclose(given[name], wanted[name], atol=1e-5) for name in ("early", "late"))
    signals = made.nodes[-1].outputs
    assert {port: (one.shape, one.axes) for port, one in signals.items()} == {
        "layer1": ((64, 16, 24), "CHW"),
        "layer3": ((256, 4, 6), "CHW"),
    }
    # what comes after the last stage is left out
    assert made.parameters == sum(value.numel() for value in network.parameters()) == 2_782_784


def test_without_stages_it_gives_its_own_answer() -> None:
    made = graph("model = squeezenet1_1\npretrained = False")
    assert (made.nodes[-1].output.shape, made.nodes[-1].output.axes) == ((1000,), "F")
    assert build_network(made)(torch.randn(2, 3, 64, 96)).shape == (2, 1000)


def test_unknown_sizes_become_rules() -> None:
    made = graph("model = resnet18\nstages = layer2\npretrained = False", "channels = 3")
    assert list(map(str, made.nodes[-1].output.shape)) == ["128", "(height + 7)//8", "(width + 7)//8"]


@pytest.mark.parametrize(
    ("options", "code", "blamed", "help"),
    [
        ("model = resnet81", "NC105", "resnet81", "did you mean `resnet18`?"),
        ("model = resnet18\nstages = layr1", "NC105", "layr1", "did you mean `layer1`?"),
        ("model = resnet18\nstages = layer1, layer1", "NC105", "layer1, layer1", "each stage once"),
        ("model = resnet18\nfrom_library = keras", "NC105", "keras", None),
        ("stages = layer1", "NC104", "[backbone]", "write `model = …`"),
    ],
)
def test_a_mistake_is_one_finding_at_its_place(
    options: str, code: str, blamed: str, help: str | None
) -> None:
    error, underlined = only_error(options)
    assert (error.code, underlined, error.help) == (code, blamed, help)


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether it is installed where the tests run or not.
    monkeypatch.setattr(backbone, "find_spec", lambda name: None)
    error, underlined = only_error("model = resnet18\nfrom_library = timm")
    assert (error.code, underlined, error.help) == ("NC105", "timm", "pip install timm")


def test_an_image_of_other_channels_is_refused() -> None:
    _, [error] = netcfg.check(text("model = resnet18", "channels = 1\nheight = 64\nwidth = 64"))
    assert "takes an image of 3 channels, and is given 1×64×64" in error.message


def test_it_starts_from_the_published_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = torchvision.models.resnet18().state_dict()
    weights = torchvision.models.ResNet18_Weights.DEFAULT
    monkeypatch.setattr(type(weights), "get_state_dict", lambda self, **options: theirs)
    program = netcfg.load(text("model = resnet18\nstages = layer1"))
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    ours = networks["N"]["body"].state_dict()
    assert ours
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())

    def fails(self: object, **options: object) -> None:
        raise OSError("no way out")

    monkeypatch.setattr(type(weights), "get_state_dict", fails)
    with pytest.raises(ProgramError, match="cannot fetch torchvision's weights of resnet18: no way out"):
        load_pretrained(program, networks)
    assert (
        load_pretrained(netcfg.load(text("model = resnet18\nstages = layer1\npretrained = False")), networks)
        == []
    )


def test_stages_of_timm_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "timm.py").write_text(TIMM)
    monkeypatch.syspath_prepend(str(tmp_path))
    # The one that may be installed, with its parts, stands aside.
    for name in [name for name in sys.modules if name.partition(".")[0] == "timm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(measured.metadata, "version", lambda package: "of this test")
    measured.version_of.cache_clear()
    more = "[output]\nname = a\nfrom = body.2\n[output]\nname = b\nfrom = body.0"
    try:
        made = graph("from_library = timm\nmodel = small\nstages = 2, 0\npretrained = False", more=more)
        given = build_network(made)(torch.randn(2, 3, 64, 96))
    finally:
        sys.modules.pop("timm", None)
        measured.version_of.cache_clear()
    assert {name: tuple(value.shape) for name, value in given.items()} == {
        "a": (2, 8, 8, 12),
        "b": (2, 4, 32, 48),
    }
    assert next(iter(made.nodes[-1].outputs)) == "2"
