"""`[module]`: any class of modules by its import path, and what is kept of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

import netcfg
from netcfg.blocks import measured
from netcfg.builder.network import build_network
from netcfg.graph import Graph
from netcfg.source import Finding

SIZED = "channels = 8\nheight = 12\nwidth = 10"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETCFG_CACHE", str(tmp_path / "cache"))
    measured.record.cache_clear()
    return tmp_path / "cache"


def text(body: str, net: str = SIZED) -> str:
    return f"{{N}}\n[net]\n{net}\n{body}\n"


def graph(body: str, net: str = SIZED) -> Graph:
    return netcfg.load(text(body, net)).networks["N"]


def errors(body: str, net: str = SIZED) -> list[tuple[Finding, str]]:
    """The errors, each with the text that it underlines."""
    written = text(body, net)
    _, findings = netcfg.check(written)
    found = []
    for finding in findings:
        assert finding.span is not None
        line = written.splitlines()[finding.span.line - 1]
        found.append((finding, line[finding.span.column - 1 :][: finding.span.length]))
    return found


EXCITE = "[module]\nname = gate\nclass = torchvision.ops.SqueezeExcitation\ninput_channels = 8\nsqueeze_channels = 4"
OWN = """
import torch
from torch import nn


class Split(nn.Module):
    def __init__(self, at, scale: float = 1.0, names: list[str] | None = None):
        super().__init__()
        self.at, self.scale, self.names = at, scale, names

    def forward(self, x, other=None):
        first, second = x[:, : self.at] * self.scale, x[:, self.at :]
        return dict(zip(self.names, (first, second))) if self.names else (first, second)


class Even(nn.Module):
    def forward(self, x):
        return x.unflatten(2, (2, -1)).sum(2)


class Whole(nn.Module):
    def forward(self, x):
        return x.sum()


class Odd(nn.Module):
    def forward(self, x):
        return x[:, :, : x.shape[2] ** 2 % 7 + 1]


def function(x):
    return x
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a Python module of one's own."""
    name = f"own_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    return name


def test_it_is_the_module_with_its_arguments() -> None:
    made = graph(f"{EXCITE}\nactivation = torch.nn.GELU")
    network = build_network(made)
    theirs = torchvision.ops.SqueezeExcitation(8, 4, activation=nn.GELU)
    theirs.load_state_dict(network["gate"].state_dict())
    x = torch.randn(2, 8, 12, 10)
    assert torch.equal(network(x), theirs(x))
    node = made.nodes[-1]
    assert node.parameters == sum(value.numel() for value in theirs.parameters()) == 76
    assert (node.output.shape, node.output.axes, node.macs) == ((8, 12, 10), "CHW", 64)


def test_arguments_are_read_by_their_types() -> None:
    made = graph(
        "[module]\nclass = torch.nn.Conv2d\nin_channels = 8\nout_channels = 6\nkernel_size = 3, 5\nbias = False\n"
        "padding = same\npadding_mode = reflect"
    )
    module = build_network(made)["0"]
    assert (module.kernel_size, module.bias, module.padding, module.padding_mode) == (
        (3, 5),
        None,
        "same",
        "reflect",
    )
    assert made.nodes[-1].output.shape == (6, 12, 10)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("class = torch.nn.Conv2d\nin_channels = 8\nout_channels = 4\nkernel_size = 3\nstride = 2\npadding = 1",
         ("4", "(height + 1)//2", "(width + 1)//2")),
        ("class = torch.nn.ConvTranspose2d\nin_channels = 8\nout_channels = 4\nkernel_size = 4\nstride = 3",
         ("4", "3*height + 1", "3*width + 1")),
        ("class = torch.nn.AdaptiveAvgPool2d\noutput_size = 3", ("8", "3", "3")),
        ("class = torch.nn.Flatten\nstart_dim = 2", ("8", "height*width")),
    ],
)  # fmt: skip
def test_unknown_sizes_become_rules(body: str, shape: tuple[str, ...]) -> None:
    made = graph(f"[module]\n{body}", "channels = 8")
    assert tuple(map(str, made.nodes[-1].output.shape)) == shape
    declared = [size if isinstance(size, int) else netcfg.shapes.at(size, {"height": 37, "width": 41})
                for size in made.nodes[-1].output.shape]  # fmt: skip
    assert tuple(build_network(made)(torch.randn(2, 8, 37, 41)).shape[1:]) == tuple(declared)


def test_what_follows_no_rule_wants_known_sizes(own: str) -> None:
    [(finding, _)] = errors(f"[module]\nclass = {own}.Odd", "channels = 8")
    assert finding.code == "NC303"
    assert "`height` and `width`" in finding.message
    assert graph(f"[module]\nclass = {own}.Odd").nodes[-1].output.shape == (8, 5, 10)
    made = graph(f"[module]\nclass = {own}.Even", "channels = 8")
    assert str(made.nodes[-1].output.shape[1]) == "(height)//2"


def test_several_results_are_ports(own: str) -> None:
    body = f"[module]\nname = s\nclass = {own}.Split\nat = 3\nscale = 2"
    made = graph(f"{body}\n[output]\nname = a\nfrom = s.1\n[output]\nname = b\nfrom = s")
    x = torch.randn(2, 8, 12, 10)
    given = build_network(made)(x)
    assert torch.equal(given["a"], x[:, 3:])
    assert torch.equal(given["b"], x[:, :3] * 2)
    made = graph(f"{body}\nnames = left, right\n[identity]\nfrom = s.right")
    assert torch.equal(build_network(made)(x), x[:, 3:])


@pytest.mark.parametrize(
    ("body", "code", "blamed", "help"),
    [
        (EXCITE.replace("squeeze_c", "squeze_c"), "NC103", "squeze_channels", "did you mean `squeeze_channels`?"),
        (EXCITE.partition("\nsqueeze")[0], "NC104", "[module]", "write `squeeze_channels = …`"),
        (EXCITE.replace("= 4", "= four"), "NC105", "four", None),
        (EXCITE.replace("Excitation", "Exitation"), "NC105", "torchvision.ops.SqueezeExitation",
         "did you mean `SqueezeExcitation`?"),
        (EXCITE.replace("torchvision", "no_such_library"), "NC105", "no_such_library.ops.SqueezeExcitation", None),
        ("[module]\nclass = os.path.join", "NC105", "os.path.join", None),
        ("[module]\nclass = Conv2d", "NC105", "Conv2d", "such as `torch.nn.Bilinear`"),
        (EXCITE + "\nsqueeze_channels = 5", "NC106", "squeeze_channels", "take one of them out"),
        (EXCITE.replace("input_channels = 8", "input_channels = 7"), "NC301", "[module]", None),
        ("[module]\nclass = OWN.Whole", "NC301", "[module]", None),
        ("[module]\nclass = OWN.function", "NC105", None, None),
    ],
)  # fmt: skip
def test_a_mistake_is_one_finding_at_its_place(
    body: str, code: str, blamed: str | None, help: str | None, own: str
) -> None:
    [(finding, text)] = errors(body.replace("OWN", own))
    assert (finding.code, text) == (code, blamed or f"{own}.function")
    assert help is None or finding.help == help


def test_a_second_check_needs_no_torch(tmp_path: Path) -> None:
    file = tmp_path / "n.cfg"
    file.write_text(text(EXCITE, "channels = 8"))
    code = f"import sys, netcfg; print(netcfg.load({str(file)!r}).networks['N'].parameters, 'torch' in sys.modules)"
    said = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert said == [["76", "True"], ["76", "False"]]


def test_a_changed_module_is_measured_anew(own: str, tmp_path: Path) -> None:
    body = f"[module]\nclass = {own}.Even"
    first = graph(body).nodes[-1].output.shape
    measured.version_of.cache_clear()
    path = tmp_path / f"{own}.py"
    path.write_text(OWN + "# longer\n")
    assert measured.version_of(own) != "none"
    assert graph(body).nodes[-1].output.shape == first
    assert (
        len(list((tmp_path / "cache/modules").glob("*.json"))) == 4
    )  # its arguments and its figures, of each
