"""What steps at a rate of its own, and what has no weight decay."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import netcfg
from netcfg.passes.parameter_groups import layers_of
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.trainers.step.groups import parameter_groups

PROGRAM = """{Define stage}
[convolutional]
filters = 4
kernel_size = 1
[batch_norm]
{Net}
[net]
channels = 3
height = 8
width = 8
[convolutional]
name = features.stem
filters = 4
kernel_size = 3
[batch_norm]
name = features.norm
[stage]
name = stages
repeat = 2
[flatten]
[connected]
name = head
output_features = 2
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[resize]
size = 8
{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels
{Optimizer}
[adamw]
networks = Net
minimise = detection
learning_rate = 0.1
"""
NAMES = [
    "features.stem.weight",
    "features.stem.bias",
    "features.norm.weight",
    "features.norm.bias",
    "stages.0.0.weight",
    "stages.0.0.bias",
    "stages.0.1.weight",
    "stages.0.1.bias",
    "stages.1.0.weight",
    "stages.1.0.bias",
    "stages.1.1.weight",
    "stages.1.1.bias",
    "head.weight",
    "head.bias",
]


def treated(options: str) -> dict[str, tuple[str, float, float]]:
    """The group, learning rate and weight decay of each parameter, as torch's optimizer has them."""
    program = netcfg.load(PROGRAM + options)
    networks = netcfg.build(program)
    (phase,) = program.phases
    optimizer = phase.optimizer.lower(parameter_groups(program, phase, networks))
    names = {weight: name for name, weight in networks["Net"].named_parameters()}
    found = {
        names[weight]: (group["network"], group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    assert sorted(found) == sorted(NAMES)
    return found


def errors(options: str) -> list[tuple[str, str, str]]:
    found = [one for one in netcfg.check(PROGRAM + options)[1] if one.severity == "error"]
    return [
        (one.code, one.message, one.span.file.line(one.span.line)[one.span.column - 1 :][: one.span.length])
        for one in found
        if one.span is not None
    ]


def test_without_a_word_there_is_one_group_a_network() -> None:
    assert set(treated("").values()) == {("Net", 0.1, 0.01)}


def test_rates_go_by_path_and_the_innermost_counts() -> None:
    found = treated("rates = Net.features: 0.1, features.norm: 0.5, head: 2\n")
    assert found["features.stem.weight"] == ("Net.features", pytest.approx(0.01), 0.01)
    assert found["features.norm.bias"] == ("Net.features.norm", pytest.approx(0.05), 0.01)
    assert found["head.weight"] == ("Net.head", 0.2, 0.01)
    assert found["stages.1.1.weight"] == ("Net", 0.1, 0.01)


def test_no_decay_spares_norms_biases_and_paths() -> None:
    spared = {name for name, (_, _, decay) in treated("no_decay = norms, biases\n").items() if not decay}
    assert spared == {
        name for name in NAMES if ".norm" in name or name.endswith("bias") or ".1.weight" in name
    } - {"stages.1.0.weight"} | {"stages.0.1.weight", "stages.1.1.weight"}
    spared = {name for name, (_, _, decay) in treated("no_decay = stages.1\n").items() if not decay}
    assert spared == {name for name in NAMES if name.startswith("stages.1.")}


def test_tokens_are_what_is_a_tensor_itself() -> None:
    program = netcfg.load("cfg/zoo/vit_b_16.cfg")
    graph = program.networks["ViT"]
    assert {node.path for node in graph.blocks if node.block.owns_tensor()} == {
        "class_token",
        "encoder.pos_embedding",
    }
    layers = layers_of(graph)
    # BEiT's numbers: patches, class token and positions are one layer, then the twelve, then the head.
    assert layers["conv_proj"] == layers["class_token"] == layers["encoder.pos_embedding"] == 0
    assert layers["encoder.layers.encoder_layer_11.ln_1"] == layers["encoder.ln"] == 12
    assert layers["heads.head"] == 13


def test_layer_decay_multiplies_from_the_head_down() -> None:
    found = treated("layer_decay = 0.5\n")
    rates = {name: rate for name, (_, rate, _) in found.items()}
    assert rates["head.bias"] == 0.1
    assert rates["stages.1.1.weight"] == rates["stages.1.0.weight"] == 0.05
    assert rates["stages.0.0.weight"] == 0.025
    assert rates["features.stem.weight"] == rates["features.norm.weight"] == 0.0125
    assert {network for network, *_ in found.values()} == {"Net"}


def test_steps_are_those_of_torch_with_these_groups() -> None:
    # Before a norm some gradients are noise, which Adam would make steps of without a large eps.
    program = netcfg.load(PROGRAM + "rates = features: 0.1\nno_decay = norms, biases\neps = 0.1\n")
    networks, others = netcfg.build(program), netcfg.build(program)
    others.load_state_dict(networks.state_dict())
    (phase,) = program.phases
    ours = phase.optimizer.lower(parameter_groups(program, phase, networks))
    named = dict(others["Net"].named_parameters())

    def group(names: list[str], rate: float, decay: float) -> dict[str, Any]:
        return {"params": [named[name] for name in names], "lr": rate, "weight_decay": decay}

    spared = [name for name in NAMES if name.endswith("bias") or ".1.weight" in name or "norm" in name]
    spared = [name for name in spared if name != "stages.1.0.weight"]
    theirs = torch.optim.AdamW(
        [
            group([one for one in names if one.startswith("features") == slow], 0.01 if slow else 0.1, decay)
            for names, decay in ((spared, 0.0), ([one for one in NAMES if one not in spared], 0.01))
            for slow in (False, True)
        ],
        eps=0.1,
    )
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for optimizer, both in ((ours, networks), (theirs, others)):
        for _ in range(3):
            optimizer.zero_grad()
            both["Net"](images).square().mean().backward()
            optimizer.step()
    torch.testing.assert_close(networks.state_dict(), others.state_dict(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message", "where"),
    [
        ("rates = features: 0.1, hed: 2", "`hed` names nothing of `Net` that has parameters", "hed"),
        ("no_decay = norm", "`norm` names nothing of `Net` that has parameters", "norm"),
    ],
)
def test_a_path_that_names_nothing_is_one_finding(options: str, message: str, where: str) -> None:
    assert errors(options + "\n") == [("NC401", message, where)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("rates = features", "`rates` has `features`, which is no path with a factor"),
        ("rates = features: fast", "`rates` a number, found `fast`"),
        ("rates = features: 0", "`rates` has a factor that is not above 0: `features: 0`"),
        ("rates = head: 1, head: 2", "`rates` names `head` twice"),
        ("weight_decay = 0\nno_decay = norms", "`no_decay` leaves parameters out of a `weight_decay` of 0"),
    ],
)
def test_what_cannot_be_read_or_does_nothing_is_one_finding(options: str, message: str) -> None:
    ((code, said, _),) = errors(options + "\n")
    assert (code, said) == ("NC105", message)


def test_a_frozen_part_has_no_rate() -> None:
    text = PROGRAM.replace("name = features.stem\n", "name = features.stem\nfreeze = True\n")
    (finding,) = [
        one for one in netcfg.check(text + "rates = features.stem: 0.1\n")[1] if one.severity == "error"
    ]
    assert (finding.code, finding.message) == (
        "NC408",
        "`features.stem` is frozen, so that `rates` changes nothing",
    )


def test_the_plan_says_it() -> None:
    made = plan(netcfg.load(PROGRAM + "rates = features: 0.1\nno_decay = norms, biases\nlayer_decay = 0.5\n"))
    lines = plan_text(made).splitlines()
    assert "adamw: rates of parts: Net.features × 0.1" in lines
    assert "adamw: each layer's rate × 0.5 for the layer before it; Net has 4, the first × 0.12" in lines
    assert "adamw: weight decay 0.01, but none of norms, biases" in lines
    data = plan_data(made)["phases"][0]
    assert data["rates"] == {"Net.features": 0.1}
    assert data["no_decay"] == ["norms", "biases"]
