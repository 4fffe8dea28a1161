"""The AUNets at full size against the original's values, by the rules in `golden_rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import torch
from golden_rules import assert_record, fill, golden, two_scale
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.builder import weights
from netcfg.passes.read import shipped_folder
from netcfg.program import Program

VARIANTS = {"none": "None", "alone": "Alone", "horizontal": "Horizontal", "conv": "Conv", "fc7": "FC7"}
PICTURES = {"image": "input.rgb", "flow": "input.of"}
TAPS = {
    "features": ("features.28", lambda x: F.max_pool2d(F.relu(x), 2)),
    "features_rgb": ("features_rgb.28", lambda x: F.max_pool2d(F.relu(x), 2)),
    "features_of": ("features_of.28", lambda x: F.max_pool2d(F.relu(x), 2)),
    "classifier.1": ("classifier.2", torch.clone),
    "classifier.4": ("classifier.5", torch.clone),
    "classifier_rgb": ("classifier_rgb.5", torch.clone),
}
"""The modules to look at for what the original records, and how to make it of what they give."""
ABLATIONS = {"image": "output_with_rgb_zero", "flow": "output_with_of_zero"}


@pytest.fixture(scope="module", autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def pictures() -> dict[str, Tensor]:
    return {name: two_scale(rule, (1, 3, 224, 224)) for name, rule in PICTURES.items()}


@pytest.fixture(scope="module")
def vgg16() -> dict[str, Tensor]:
    """The weights of VGG-16 by the rule, under torchvision's names."""
    rows = {key: tuple(shape) for key, shape, _ in golden("torchvision_vgg16")["keys"]}
    source = {key: torch.empty(shape) for key, shape in rows.items()}
    fill(source, lambda key: key, 2.0)
    return source


def program_of(variant: str, preset: str | None = "original", **variables: object) -> Program:
    return netcfg.load(shipped_folder() / f"aunet_of_{variant}.cfg", preset=preset, **variables)


def built(program: Program) -> nn.ModuleDict:
    """The networks in evaluation mode, without the time that initial values take."""
    with torch.device("meta"):
        networks = netcfg.build(program).eval()
    return networks.to_empty(device="cpu")


def taps_of(network: nn.Module, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the blocks of a network give, under the original's names; of one used twice what it gives first."""
    taps: dict[str, Tensor] = {}
    hooks = []
    for name, (path, finish) in TAPS.items():
        if path in dict(network.named_modules()):
            hooks.append(network.get_submodule(path).register_forward_hook(kept(taps, name, finish)))
    taps["output"] = network(**inputs)
    for hook in hooks:
        hook.remove()
    return taps


def kept(taps: dict[str, Tensor], name: str, finish: Callable[[Tensor], Tensor]) -> Callable[..., None]:
    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        if name not in taps:
            taps[name] = finish(output)

    return hook


@pytest.mark.parametrize(
    "variant",
    # One that fuses before the features and one after them; the others are among the long tests.
    [one if one in ("horizontal", "fc7") else pytest.param(one, marks=pytest.mark.slow) for one in VARIANTS],
)
def test_the_network_computes_what_the_original_does(
    variant: str, pictures: dict[str, Tensor], vgg16: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = golden(f"aunets_{VARIANTS[variant]}")
    program = program_of(variant, weights="imagenet")
    networks = built(program)
    network = networks["AUNet"]
    inputs = {name: pictures[name] for name in program.networks["AUNet"].inputs}
    fill(network.state_dict(), lambda key: f"model.{key}", expected["gain"])
    taps = taps_of(network, inputs)
    if variant == "fc7":
        taps["output"] = recorded_output(network, taps)
    for name, record in expected["records"].items():
        assert_record(taps[name.removeprefix("model.")].reshape(record["shape"]), record)
    for zeroed in inputs if "ablations" in expected else ():
        ablated = {name: value * (name != zeroed) for name, value in inputs.items()}
        assert_record(network(**ablated), expected["ablations"][ABLATIONS[zeroed]])
    if variant == "fc7":
        check_own_flow_head(network, inputs, expected["corrected_own_of_head"]["output"])
    monkeypatch.setattr(weights, "_imagenet", lambda _layout: vgg16)
    (report,) = weights.load_pretrained(program, networks)
    assert report.left_out == report.left_over == []
    check_adapted(network, inputs, expected["adapted_from_vgg16"])


def recorded_output(network: nn.Module, taps: dict[str, Tensor]) -> Tensor:
    """The output that fc7's file records: its recorder kept the first use of the head, and gave it for the second.

    The ablations, recorded without it, show what the original computes.
    """
    head = taps["classifier_rgb"]
    output: Tensor = network.get_submodule("classifier.0")(torch.cat([head, head], 1))
    return output


def check_own_flow_head(network: nn.Module, inputs: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Without the preset the flow goes through its own head."""
    meant = built(program_of("fc7", preset=None))["AUNet"]
    meant.load_state_dict(network.state_dict(), assign=True)
    assert_record(meant(**inputs), record)


def check_adapted(network: nn.Module, inputs: dict[str, Tensor], expected: dict[str, Any]) -> None:
    """The file's rules make of VGG-16's weights what the original's code does."""
    state = network.state_dict()
    for name, record in expected["tensors"].items():
        assert_record(state[name.removeprefix("model.")], record)
    assert_record(network(**inputs), expected["output"])
