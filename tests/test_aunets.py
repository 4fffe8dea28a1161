"""The AUNets' files: their parameters, and how each starts from VGG-16's weights or an image-only network's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from golden_rules import golden
from torch import Tensor, nn

import netcfg
from netcfg.builder.weights import Loaded, load_pretrained, save_state
from netcfg.passes.read import shipped_folder
from netcfg.program import Program
from netcfg.source import ProgramError

KEYS = golden("aunets_keys")
BATCH_SIZES = {
    "none": 117, "alone": 117, "horizontal": 24, "vertical": 24, "channels": 118, "conv": 34, "fc6": 42, "fc7": 42,
}  # fmt: skip
SMALL = {"filters": 2, "hidden": 6, "image_size": 64}
MAP = 2 * 2  # places of the last feature map at that size
CHANNELS = 16


def program_of(variant: str, preset: str | None = None, **variables: object) -> Program:
    return netcfg.load(shipped_folder() / f"aunet_of_{variant}.cfg", preset=preset, **variables)


@pytest.mark.parametrize("variant", KEYS)
@pytest.mark.parametrize("preset", [None, "original"])
def test_parameters_are_named_as_in_the_original(variant: str, preset: str | None) -> None:
    program = program_of(variant, preset)
    with torch.device("meta"):
        network = netcfg.build(program)["AUNet"]
    rows = [[f"model.{key}", list(value.shape)] for key, value in network.state_dict().items()]
    assert rows == KEYS[variant]["keys"]
    graph = program.networks["AUNet"]
    assert (graph.parameters, graph.trainable) == (
        KEYS[variant]["n_params"],
        KEYS[variant]["trained_params"],
    )
    assert program.training.batch_size == BATCH_SIZES[variant]


@pytest.mark.parametrize("variant", KEYS)
def test_hydra_trains_the_classifier_alone(variant: str) -> None:
    program = program_of(variant, hydra=True)
    with torch.device("meta"):
        network = netcfg.build(program)["AUNet"]
    trained = {key for key, value in network.named_parameters() if value.requires_grad}
    assert trained == {key for key in network.state_dict() if key.startswith("classifier.")}
    assert program.networks["AUNet"].trainable == KEYS[variant]["hydra_trained_params"]


@pytest.mark.parametrize("variant", KEYS)
def test_the_demo_is_small_and_trains_everything(variant: str) -> None:
    graph = program_of(variant, "demo").networks["AUNet"]
    assert graph.trainable == graph.parameters < 2_000_000


# --- where the published code departs from the paper


def test_vertical_is_horizontal_in_the_published_code() -> None:
    heights = {
        preset: [
            node.output.shape[1:]
            for node in program_of("vertical", preset).networks["AUNet"].blocks
            if node.type == "flow_fusion"
        ]
        for preset in (None, "original")
    }
    assert heights == {None: [(448, 224)], "original": [(224, 448)]}


@pytest.mark.parametrize(("preset", "head"), [(None, "classifier_of"), ("original", "classifier_rgb")])
def test_the_flow_goes_through_the_head_of_the_reading(preset: str | None, head: str) -> None:
    """A gradient from a change of the flow reaches only the parameters that it has passed."""
    network = netcfg.build(program_of("fc7", preset, **SMALL, freeze_rgb=False))["AUNet"].eval()
    image, flow = torch.zeros(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        network.get_parameter("classifier.0.weight")[:, :6] = 0  # the image's part
    network(image, flow).sum().backward()
    moved = {
        name
        for name in ("classifier_rgb", "classifier_of")
        if any(
            value.grad is not None and value.grad.any() for value in network.get_submodule(name).parameters()
        )
    }
    assert moved == {head}


# --- starting from other weights


def small_vgg16(outputs: int) -> dict[str, Tensor]:
    """Weights of a narrow VGG-16 under torchvision's names."""
    torch.manual_seed(0)
    shapes = {
        key.removeprefix("model."): value.shape
        for key, value in netcfg.build(program_of("none", **SMALL)).state_dict().items()
    }
    state = {key.removeprefix("AUNet."): torch.randn(shape) for key, shape in shapes.items()}
    state["classifier.6.weight"], state["classifier.6.bias"] = torch.randn(outputs, 6), torch.randn(outputs)
    return state


State = dict[str, Tensor]


def twice(weight: Tensor) -> Tensor:
    return torch.cat([weight, weight], 1)


def named(state: State, **heads: str) -> State:
    """Copies under other heads: `features_of="features"`."""
    return {
        f"{ours}.{key.partition('.')[2]}": value
        for ours, theirs in heads.items()
        for key, value in state.items()
        if key.startswith(f"{theirs}.")
    }


def layers(state: State, head: str, **positions: int) -> State:
    """Layers of the source's classifier at other positions: `_0=3`."""
    return {
        f"{head}.{ours[1:]}.{kind}": state[f"classifier.{theirs}.{kind}"]
        for ours, theirs in positions.items()
        for kind in ("weight", "bias")
    }


def doubled(state: State, key: str) -> State:
    return state | {key: twice(state[key])}


STREAMS = {"features_rgb": "features", "features_of": "features"}
RULES: dict[str, Callable[[State], State]] = {
    "none": dict,
    "alone": dict,
    "horizontal": lambda source: doubled(source, "classifier.0.weight"),
    "vertical": lambda source: doubled(source, "classifier.0.weight"),
    "channels": lambda source: doubled(source, "features.0.weight"),
    "conv": lambda source: doubled(
        named(source, **STREAMS, classifier="classifier"), "classifier.0.weight"
    ),
    "fc6": lambda source: doubled(
        named(source, **STREAMS)
        | layers(source, "classifier_rgb", _0=0)
        | layers(source, "classifier_of", _0=0)
        | layers(source, "classifier", _0=3, _3=6),
        "classifier.0.weight",
    ),
    "fc7": lambda source: doubled(
        named(source, **STREAMS)
        | layers(source, "classifier_rgb", _0=0, _3=3)
        | layers(source, "classifier_of", _0=0, _3=3)
        | layers(source, "classifier", _0=6),
        "classifier.0.weight",
    ),
}  # fmt: skip
"""The table of the published rules, by variant: VGG-16's weights as each starts from them."""


def loaded(program: Program) -> tuple[nn.Module, Loaded]:
    networks = netcfg.build(program)
    (report,) = load_pretrained(program, networks)
    return networks["AUNet"], report


def assert_state(network: nn.Module, expected: State) -> None:
    found = network.state_dict()
    assert set(found) == set(expected)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)


@pytest.mark.parametrize("variant", RULES)
def test_the_original_takes_vgg16s_weights_and_row_1(variant: str, tmp_path: Path) -> None:
    source = small_vgg16(outputs=22)
    torch.save(source, tmp_path / "vgg16.pth")
    network, report = loaded(program_of(variant, "original", **SMALL, weights=tmp_path / "vgg16.pth"))
    source = {key: value[1:2] if key.startswith("classifier.6.") else value for key, value in source.items()}
    assert_state(network, RULES[variant](source))
    assert report.left_out == report.left_over == []


@pytest.mark.parametrize("variant", RULES)
def test_the_weights_of_an_image_only_run_are_taken(variant: str, tmp_path: Path) -> None:
    run = netcfg.build(program_of("none", **SMALL))
    save_state(tmp_path / "best.safetensors", run)
    program = program_of(variant, **SMALL, weights=tmp_path / "best.safetensors", **paper_tiling(variant))
    assert_state(loaded(program)[0], RULES[variant](run["AUNet"].state_dict()))


def paper_tiling(variant: str) -> dict[str, object]:
    """The rules above are the published code's, whose tiling of side by side pictures is no default."""
    return {"fc6_adapt": "tile"} if variant in ("horizontal", "vertical") else {}


@pytest.mark.parametrize("variant", RULES)
def test_a_run_of_the_same_variant_is_taken_as_it_is(variant: str, tmp_path: Path) -> None:
    run = netcfg.build(program_of(variant, **SMALL))
    save_state(tmp_path / "best.safetensors", run)
    program = program_of(variant, **SMALL, weights=tmp_path / "best.safetensors")
    assert_state(loaded(program)[0], dict(run["AUNet"].state_dict()))


@pytest.mark.parametrize("variant", RULES)
def test_an_output_of_many_classes_starts_afresh(variant: str, tmp_path: Path) -> None:
    torch.save(small_vgg16(outputs=22), tmp_path / "vgg16.pth")
    _, report = loaded(program_of(variant, **SMALL, weights=tmp_path / "vgg16.pth"))
    last = {"fc6": "classifier.3", "fc7": "classifier.0"}.get(variant, "classifier.6")
    assert report.left_out == [f"{last}.weight", f"{last}.bias"]


@pytest.mark.parametrize(("variant", "axis"), [("horizontal", 3), ("vertical", 2)])
def test_each_picture_gets_the_weights_of_its_places(variant: str, axis: int, tmp_path: Path) -> None:
    """fc6 sees what it would in VGG-16, in either picture."""
    source = small_vgg16(outputs=1)
    torch.save(source, tmp_path / "vgg16.pth")
    network, _ = loaded(program_of(variant, **SMALL, weights=tmp_path / "vgg16.pth"))
    one, other = torch.randn(2, CHANNELS, 2, 2), torch.randn(2, CHANNELS, 2, 2)
    joined = torch.cat([one, other], axis).flatten(1)
    expected = (one + other).flatten(1) @ source["classifier.0.weight"].T
    found = joined @ network.get_parameter("classifier.0.weight").T
    torch.testing.assert_close(found, expected)


def test_weights_of_another_width_are_refused_with_their_names(tmp_path: Path) -> None:
    torch.save(small_vgg16(outputs=1), tmp_path / "vgg16.pth")
    program = program_of("fc6", **{**SMALL, "hidden": 5}, weights=tmp_path / "vgg16.pth")
    with pytest.raises(ProgramError) as raised:
        loaded(program)
    message = raised.value.findings[0].message
    assert (
        "classifier_of.0.bias (`classifier.0.bias` in the file): 6 in the file, 5 in the network" in message
    )
