"""FERAtt's networks at full size against the original's values, by the rules in `golden_rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import torch
from golden_rules import assert_record, filled, golden, img01, two_scale
from torch import Tensor, nn

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.program import Program

NAMES = {
    "y": "logits",
    "z": "embedding",
    "att": "face",
    "g_att": "attention",
    "g_ft": "features",
    "theta": "transform",
    "att_t": "turned",
}
"""What the original gives, by our names."""
TAPS: dict[str, tuple[str, bool, Callable[[Tensor], Tensor]]] = {
    "attention_map.conv1": ("attention_map.encoder.layer1.0.conv1", True, torch.clone),
    "attention_map.conv2": ("attention_map.encoder.layer2.0.conv1", True, torch.clone),
    "attention_map.center": ("attention_map.center.cr2.conv", False, torch.relu),
    "attention_map.dec1": ("attention_map.dec1.cr2.conv", False, torch.relu),
    "conv_input": ("conv_input", False, torch.clone),
    "feature": ("conv_mid", True, torch.clone),
    "conv_mid": ("conv_mid", False, torch.clone),
    "reconstruction": ("reconstruction.1", False, torch.clone),
    "conv2_bn": ("conv2_bn", False, torch.clone),
}
"""What else it records: the module to look at, whether at what it reads, and how to make the record of that."""
BACK_ENDS = {
    "preactresnet": "preactresnet18",
    "resnet": "resnet18",
    "cvgg": "cvgg13",
    "inception": "inception",
}
SLOW = pytest.mark.slow
VARIANTS = [
    ("ferattention", "preactresnet", "feratt"),
    ("ferattentiongmmstn", "preactresnet", "feratt_rep_stn"),
    *(
        pytest.param("ferattention", back_end, "feratt", marks=SLOW)
        for back_end in ("resnet", "cvgg", "inception")
    ),
    *(
        pytest.param("ferattentionstn", back_end, "feratt_stn", marks=SLOW)
        for back_end in ("preactresnet", "resnet", "cvgg")
    ),
    *(
        pytest.param("ferattentiongmmstn", back_end, "feratt_rep_stn", marks=SLOW)
        for back_end in ("resnet", "cvgg")
    ),
]


@pytest.fixture(scope="module", autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def front() -> Callable[[str, torch.Size, bool], Tensor | None]:
    """Values by name, made once: all variants have their front in common."""
    return cache(lambda key, shape, has_mean: filled(key, shape, 1.0, has_mean))


def built(program: Program) -> nn.Module:
    """The network in evaluation mode."""
    return netcfg.build(program).eval()["FERAtt"]


def fill_from(front: Callable[..., Tensor | None], network: nn.Module, prefix: str = "") -> None:
    state = network.state_dict()
    for key, tensor in state.items():
        if key in dict(network.named_parameters()) or key.rpartition(".")[2].startswith(("running", "num")):
            mean = f"{key.rpartition('.')[0]}.running_mean"
            value = front(key.removeprefix(prefix), tensor.shape, mean in state)
            tensor.copy_(torch.zeros(()) if value is None else value)


def watched(network: nn.Module) -> dict[str, Tensor]:
    """What the modules of `TAPS` read or give, once the network has run."""
    taps: dict[str, Tensor] = {}
    for name, (path, reads, finish) in TAPS.items():

        def hook(
            _module: nn.Module,
            inputs: Any,
            output: Tensor,
            name: str = name,
            reads: bool = reads,
            finish: Callable[[Tensor], Tensor] = finish,
        ) -> None:
            taps[name] = finish(inputs[0] if reads else output)

        network.get_submodule(path).register_forward_hook(hook)
    return taps


@pytest.mark.parametrize(("variant", "back_end", "file"), VARIANTS)
def test_the_network_computes_what_the_original_does(
    variant: str, back_end: str, file: str, front: Callable[..., Tensor | None]
) -> None:
    expected = golden(f"feratt_{variant}_{back_end}")
    image = img01("input.image", (2, 3, 64, 64))
    for records in ("records", "legacy_align_corners_true"):
        if records not in expected:
            continue
        program = netcfg.load(
            shipped_folder() / f"{file}.cfg",
            preset="original",
            back_end=BACK_ENDS[back_end],
            align_corners=records != "records",
        )
        network = built(program)
        fill_from(front, network)
        found = watched(network)
        outputs = network(image=image)
        found |= {f"output.{theirs}": outputs[ours] for theirs, ours in NAMES.items() if ours in outputs}
        for name, record in expected[records].items():
            if name not in ("attention_map.conv5", "attention_map"):
                name = name if name in found else f"output.{name}"
                assert_record(found[name].reshape(record["shape"]), record)


def test_the_baseline_computes_what_the_original_does(front: Callable[..., Tensor | None]) -> None:
    """The original is given what a mean of 2×2 pixels leaves of a picture of twice the size."""
    expected = golden("feratt_preactresnet18")
    network = built(netcfg.load(shipped_folder() / "feratt_baseline.cfg"))
    fill_from(front, network, "netclass.")
    small = two_scale("input.norm32", (2, 3, 32, 32))
    image = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert_record(network(image=image), expected["records"]["output"])
