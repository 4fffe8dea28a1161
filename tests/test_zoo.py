"""The zoo: each network is torchvision's, by the names of its parameters and by what it computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from rich.console import Console
from torch import Tensor, nn
from torchvision.models import regnet

import netcfg
from netcfg.builder import weights
from netcfg.builder.modules.stochastic import StochasticDepth
from netcfg.cli import zoo as zoo_command
from netcfg.cli.main import main
from netcfg.passes.inline import inlined
from netcfg.passes.read import shipped_folder
from netcfg.source import NetcfgError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.run_folder import RunFolder

Zoo = Callable[..., tuple[int, str, str]]
FOLDER = shipped_folder() / "zoo"
ALL = [path.stem for path in sorted(FOLDER.glob("*.cfg"))]
NAMES = [name for name in ALL if name in torchvision.models.list_models()]
"""Those that are torchvision's."""
TASKS = [name for name in ALL if "# Preset demo " in (FOLDER / f"{name}.cfg").read_text()]
"""Those that say what they reach; `test_zoo_tasks.py` trains them."""
SYSTEMS = [
    name for name in ALL if "{Optimizer}" in (FOLDER / f"{name}.cfg").read_text() and name not in TASKS
]
"""Others that train as they are."""
FIRST = {name for name in NAMES if "{include zoo/" not in (FOLDER / f"{name}.cfg").read_text()}
"""One of each family; the others have more layers, or wider ones."""
FAST = {"mobilenet_v2", "resnet18", "squeezenet1_1"}


def marked(fast: set[str]) -> list[Any]:
    """All names; those that are not fast take minutes or gigabytes, and `pytest -m slow` runs them."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]


SIZES = {"inception_v3": 299}
"""Of the pictures, where 64 pixels are too few."""
OPTIONS: dict[str, dict[str, Any]] = {
    **{name: {"image_size": 64} for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32")},
    **{name: {"weights_backbone": None, "aux_loss": True} for name in ("deeplabv3_resnet50", "fcn_resnet50")},
    **{name: {"init_weights": False, "aux_logits": True} for name in ("googlenet", "inception_v3")},
}
"""What torchvision's constructor is told beside."""


def theirs(name: str) -> nn.Module:
    """Torchvision's module with random weights."""
    return torchvision.models.get_model(name, weights=None, **OPTIONS.get(name, {}))


def ours(name: str) -> nn.Module:
    """The zoo's network for small pictures."""
    program = netcfg.load(FOLDER / f"{name}.cfg", image_size=SIZES.get(name, 64))
    (network,) = netcfg.build(program).values()
    return network


def pair(name: str) -> tuple[nn.Module, nn.Module]:
    """Both, with the same weights; the statistics of batches are those of noise, not the ones they start from."""
    torch.manual_seed(0)
    expected = theirs(name)
    _without_dropout(expected)
    _fill_constants(expected)
    _fit_statistics(expected, images(name, 4))
    network = ours(name)
    _without_dropout(network)
    network.load_state_dict(expected.state_dict())
    return network, expected


def images(name: str, count: int) -> Tensor:
    size = SIZES.get(name, 64)
    return torch.randn(count, 3, size, size)


def _without_dropout(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, (nn.Dropout, torchvision.ops.StochasticDepth)):
            part.p = 0.0
        elif isinstance(part, StochasticDepth):
            part.probability = 0.0


def _fill_constants(module: nn.Module) -> None:
    """Zeros and layers' scales of 1e-6 would hide what lies before them."""
    for parameter in module.parameters():
        if bool((parameter == parameter.flatten()[0]).all()):
            nn.init.normal_(parameter, 0.5, 0.2)


def _fit_statistics(module: nn.Module, batch: Tensor) -> None:
    """With fresh ones a deep network's numbers die away, and equality would say nothing."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None
    with torch.no_grad():
        module.train()(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


def each(outputs: Any) -> list[Tensor]:
    """The classes' scores, and auxiliary ones beside; of ours by name, of torchvision's in training only."""
    if isinstance(outputs, Tensor):
        return [outputs]
    return list(outputs.values() if isinstance(outputs, dict) else outputs)


@pytest.mark.parametrize("name", marked(FIRST))
def test_names_and_shapes_of_parameters_are_torchvisions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = regnet.BlockParams.from_init_params

    def widths_are_computed_with_tensors(*arguments: Any, **options: Any) -> Any:
        with torch.device("cpu"):
            return make(*arguments, **options)

    monkeypatch.setattr(regnet.BlockParams, "from_init_params", widths_are_computed_with_tensors)
    with torch.device("meta"):
        assert shapes(ours(name)) == shapes(theirs(name))


@pytest.mark.parametrize("name", marked(FAST))
def test_outputs_and_gradients_are_torchvisions(name: str) -> None:
    network, expected = pair(name)
    batch = images(name, 2)
    with torch.no_grad():
        wanted = each(expected.eval()(batch))
        other = each(expected(images(name, 2)))
        for output, answer in zip(each(network.eval()(batch)), wanted, strict=False):
            torch.testing.assert_close(output, answer, rtol=1e-5, atol=1e-5)
    assert (wanted[0] - other[0]).abs().max() > 1e-3, "the picture does not reach the output"
    for module in (
        network.train().double(),
        expected.train().double(),
    ):  # whose gradients are no rounding errors
        sum(output.square().mean() for output in each(module(batch.double()))).backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    for key, parameter in expected.named_parameters():
        torch.testing.assert_close(gradients[key], parameter.grad, rtol=1e-5, atol=1e-10)


@pytest.mark.parametrize("name", sorted(FAST))
@pytest.mark.parametrize("classes", [1000, 10])
def test_imagenet_weights_are_those_of_this_model(
    name: str, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = theirs(name).state_dict()
    asked = []
    monkeypatch.setattr(weights, "_imagenet", lambda layout: asked.append(layout.imagenet) or published)
    program = netcfg.load(FOLDER / f"{name}.cfg", weights="imagenet", classes=classes)
    networks = netcfg.build(program)
    (report,) = weights.load_pretrained(program, networks)
    assert asked == [name]
    (network,) = networks.values()
    own = network.state_dict()
    left_out = [key for key in own if own[key].shape != published[key].shape]
    assert report.left_out == left_out
    assert len(left_out) == (0 if classes == 1000 else 2)
    assert all(torch.equal(own[key], published[key]) for key in own if key not in left_out)


@pytest.mark.parametrize(
    ("layout", "theirs", "ours"),
    [
        ("densenet121", "denseblock1.denselayer1.norm.1.weight", "denseblock1.denselayer1.norm1.weight"),
        ("vit_b_16", "encoder_layer_0.mlp.linear_1.bias", "encoder_layer_0.mlp.0.bias"),
        ("resnet18", "layer1.0.conv1.weight", "layer1.0.conv1.weight"),
    ],
)
def test_layouts_of_torchvisions_models_know_the_names_in_published_files(
    layout: str, theirs: str, ours: str
) -> None:
    (graph,) = netcfg.load(FOLDER / "alexnet.cfg").networks.values()
    known = weights.layout_named(layout)
    assert known.ours(theirs, graph) == ours
    assert known.theirs(ours, graph) == theirs
    assert known.imagenet == layout


def test_a_layout_that_nobody_knows_names_the_nearest_model() -> None:
    with pytest.raises(NetcfgError, match="there is no layout `resnet81`"):
        weights.layout_named("resnet81")


@pytest.mark.parametrize("name", ALL)
def test_a_family_is_short_and_a_further_size_is_a_table_and_a_few_lines(name: str) -> None:
    text = (FOLDER / f"{name}.cfg").read_text()
    groups = re.split(r"^(?={)", text, flags=re.MULTILINE)
    tables = [group for group in groups if group.startswith("{Table ")]
    lines = [line for group in groups if group not in tables for line in group.splitlines() if line.strip()]
    # A whole system also has data, losses, phases, metrics, and what it makes things by.
    assert sum(line.startswith("[") for line in lines) <= (50 if name in NAMES else 64)
    if "{include zoo/" in text and name not in TASKS:
        assert len(tables) <= 1
        assert len(lines) <= 16


FACES = {"image_size": 32, "subjects": 6, "clips": 1, "frames": 3, "epochs": 1}
SMALL = {
    "byol": {**FACES, "model": "narrow", "hidden": 16, "numbers": 8},
    "dino": {**FACES, "model": "narrow", "part_size": 16, "hidden": 16, "numbers": 8},
    "distillation": {"image_size": 32},
    "domain_adversarial": {**FACES, "model": "narrow"},
    "fixmatch": {**FACES, "model": "narrow", "labelled_subjects": 4, "labelled": 1, "unlabelled": 3},
    "frames_lstm": {"width": 2, "image_size": 32, "frames": 2},
    "masked_autoencoder": {**FACES, "patch": 8, "width": 16, "heads": 2, "layers": 1, "batch": 4},
    "mean_teacher": {
        "image_size": 32,
        "subjects": 6,
        "clips": 1,
        "epochs": 1,
        "model": "narrow",
        "labelled": 3,
    },
    "pix2pix": {"width": 4, "depth": 2, "image_size": 32},
    "stylegan2": {
        **FACES,
        "subjects": 24,
        "clips": 3,
        "image_size": 16,
        "style": 8,
        "mapping": 2,
        "widest": 8,
        "multiplier": 1,
        "batch": 4,
        "look": 1,
    },
    "unet": {"width": 4, "depth": 2, "image_size": 32},
    "wgan_gp": {"width": 4, "code": 8},
}
"""What makes a system quick."""


def test_every_system_has_a_small_form() -> None:
    assert sorted(SMALL) == SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_trains(name: str, tmp_path: Path) -> None:
    text = inlined(FOLDER / f"{name}.cfg")
    if "subjects" not in SMALL[name]:
        text = text.replace("[synthetic_faces]", "[synthetic_faces]\nsubjects = 6\nclips = 1")
    text = re.sub("^batch_size = .*$", "batch_size = 4", text, flags=re.MULTILINE)
    text = re.sub("^max_epochs = \\d+$", "max_epochs = 1", text, flags=re.MULTILINE)
    text = text.replace("every = 16\n", "every = 4\n")  # a penalty of some batches comes about in five
    program = netcfg.load(text, **SMALL[name])
    folder = RunFolder.create(program, tmp_path / "run")
    folder.write_json("run.json", {})
    batches = 5 if "every = " in text else 2
    trainer = Trainer(program, folder, workers=0, limit_batches=batches, console=Console(quiet=True))
    trainer.setup()
    weights = {
        key: value
        for key, value in trainer.networks.named_parameters()
        if value.requires_grad and value.ndim > 1
    }
    before = {key: value.clone() for key, value in weights.items()}
    trainer.fit()
    assert not [key for key, value in weights.items() if torch.equal(value, before[key])]
    assert all(bool(value.isfinite().all()) for value in trainer.networks.parameters())


# --- the command


@pytest.fixture
def zoo(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Zoo:
    """Run `netcfg zoo` in an empty folder; gives the exit code and both streams."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(["zoo", *arguments])
        return code, *capsys.readouterr()

    return command


def test_the_list_has_every_file_with_its_figures(zoo: Zoo) -> None:
    code, out, _ = zoo()
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()[2:] if line and "─" not in line}
    assert set(rows) >= set(ALL)
    assert "image classification" in rows["alexnet"]
    assert "61.1 M" in rows["alexnet"]
    assert "714 M" in rows["alexnet"]
    assert "normalised as ImageNet" in rows["alexnet"]


@pytest.mark.parametrize("name", marked({*FAST, "vgg13_bn", "wide_resnet50_2"}))
@pytest.mark.parametrize("keep", [True, False])
def test_what_is_written_is_the_same_network(zoo: Zoo, name: str, keep: bool) -> None:
    path = FOLDER / f"{name}.cfg"
    code, out, err = zoo(name, "-o", "my.cfg", *(["--keep-includes"] if keep else []))
    assert (code, out) == (0, "")
    assert "my.cfg" in err
    text = Path("my.cfg").read_text()
    assert ("{include" in text) == (keep and "{include" in path.read_text())
    mine, shipped = (
        [
            (node.path, node.type, node.output.shape)
            for graph in netcfg.load(file).networks.values()
            for node in graph.nodes
        ]
        for file in (Path("my.cfg"), path)
    )
    assert mine == shipped


def test_the_sizes_that_the_files_state_are_those_of_their_networks() -> None:
    stated = {name: entry.size for name, entry in zoo_command.entries().items()}
    assert stated == {name: entry.counted() for name, entry in zoo_command.entries().items()}, (
        "the line `# Size: …` below `# Data: …` says what the list shows"
    )


def test_a_file_that_states_no_size_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.cfg"
    path.write_text(
        "# Task: none\n# Data: any\n{N}\n[net]\nchannels = 3\n[convolutional]\nfilters = 2\nkernel_size = 3\n"
    )
    assert zoo_command.Entry(path, "none", "any").row() == ("mine", "none", "56", "—", "any")


def test_without_a_file_the_text_is_printed(zoo: Zoo, tmp_path: Path) -> None:
    code, out, _ = zoo("alexnet")
    assert code == 0
    assert netcfg.load(out).networks.keys() == {"AlexNet"}
    assert not list(tmp_path.iterdir())


def test_an_unknown_name_leads_to_the_nearest(zoo: Zoo) -> None:
    code, _, err = zoo("alexnett")
    assert (code, err) == (
        1,
        "error[NC802 not-found]: there is no network `alexnett` in the zoo\nhelp: did you mean `alexnet`?\n",
    )


def test_no_file_is_written_over(zoo: Zoo) -> None:
    Path("my.cfg").write_text("mine")
    code, _, err = zoo("alexnet", "-o", "my.cfg")
    assert code == 1
    assert err.startswith("error[NC803 not-overwritten]: my.cfg is there already\nhelp: ")
    assert Path("my.cfg").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alexnet", "-o", "lost/my.cfg"], "cannot write lost/my.cfg: there is no folder lost"),
        (["alexnet", "-o", "my.txt"], "my.txt is no name of a program"),
        (["-o", "my.cfg"], "-o writes one network"),
        (["--keep-includes"], "--keep-includes writes one network"),
    ],
)
def test_what_cannot_be_written_is_said(zoo: Zoo, arguments: list[str], message: str) -> None:
    code, out, err = zoo(*arguments)
    assert (code, out) == (1, "")
    assert err.partition("]: ")[2].startswith(message)


BASE = (
    "# base\n# Task: none\n{General}\n[variables]\nwidth = 3  # of all\ndepth = 2\n{Define one}\n[identity]\n"
)
LEFT = "{include base.cfg}\n{General}\n[variables]\nwidth = 4\nheight = 5\n{Define left}\n[one]\n"
WHOLE = (
    "# all\n# Task: mine\n{include left.cfg}  # gone\n{include base.cfg}\n"
    "{General}\n[variables]\nwidth = 7\n{N}\n[left]\n"
)


def test_includes_are_resolved_once_and_the_outer_value_of_a_variable_stands_in_the_inner_place(
    tmp_path: Path,
) -> None:
    for name, text in (("base", BASE), ("left", LEFT), ("all", WHOLE)):
        (tmp_path / f"{name}.cfg").write_text(text)
    lines = inlined(tmp_path / "all.cfg", ["# Task: "]).splitlines()
    assert [line for line in lines if line] == [
        "# all",
        "# Task: mine",
        "# base",
        *("{General}", "[variables]", "width = 7  # of all", "depth = 2"),
        *("{Define one}", "[identity]"),
        *("{General}", "[variables]", "height = 5"),
        *("{Define left}", "[one]"),
        *("{N}", "[left]"),
    ]


def test_an_include_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "all.cfg").write_text("{include gone.cfg}\n{N}\n")
    with pytest.raises(NetcfgError, match="no file `gone.cfg`"):
        inlined(tmp_path / "all.cfg")
