"""`checkpoint = True`: less is kept for the backward pass, and every number stays what it was."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import netcfg
from netcfg.passes.held import kept_in_training, stretches_of
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.source import ProgramError
from netcfg.trainers.fit.before import expect_gradients
from netcfg.trainers.machine.compilation import compile_line, not_compiled
from netcfg.trainers.reporting.estimate import estimate

NET = """{{include blocks/resnet.cfg}}
{{Net}}
[net]
channels = 3
height = 16
width = 16
{net}

[basic_block]
repeat = 3
planes = 8
stride = 1
{use}

[dropout]
probability = 0.3

[convolutional]
filters = 4
kernel_size = 3
spectral_norm = True

[stochastic_depth]
probability = 0.4

[activation]
activation = silu

[global_avgpool]

[connected]
output_features = 2
"""
SAYS = "checkpoint = True"
WAYS = {"network": {"net": SAYS}, "uses": {"use": SAYS}}


def text(net: str = "", use: str = "") -> str:
    return NET.format(net=net, use=use)


def built(**ways: str) -> nn.Module:
    torch.manual_seed(0)
    return netcfg.build(netcfg.load(text(**ways)))["Net"].double().train()


def trained(network: nn.Module, twice_differentiated: bool) -> tuple[list[Any], dict[str, Any], Tensor]:
    """Gradients, state and the random state after two batches, of which the second meets the first one's buffers."""
    torch.manual_seed(5)
    x = torch.randn(3, 3, 16, 16, dtype=torch.double, requires_grad=True)
    for _ in range(2):
        made = network(x)
        if twice_differentiated:
            (slope,) = torch.autograd.grad(made.sum(), x, create_graph=True)
            made = slope
        made.square().sum().backward()
    return [*(value.grad for value in network.parameters()), x.grad], network.state_dict(), torch.rand(3)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("twice_differentiated", [False, True])
def test_gradients_buffers_and_chance_are_those_without(way: str, twice_differentiated: bool) -> None:
    """Batch statistics, the vectors of a spectral norm and dropout are where a second forward pass would show."""
    expected = trained(built(), twice_differentiated)
    found = trained(built(**WAYS[way]), twice_differentiated)
    for ours, theirs in zip(found[0], expected[0], strict=True):
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.equal(ours, theirs)
    assert all(torch.equal(value, expected[1][name]) for name, value in found[1].items())
    assert torch.equal(found[2], expected[2])


@pytest.mark.parametrize("way", WAYS)
def test_half_precision_is_the_same_too(way: str) -> None:
    gradients = []
    for ways in ({}, WAYS[way]):
        network = built(**ways).float()
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16):
            made = network(torch.rand(3, 3, 16, 16))
        made.float().square().sum().backward()
        gradients.append([value.grad for value in network.parameters()])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))


def test_a_signal_that_crosses_parts_is_not_overwritten() -> None:
    """A relu of the first part's result would write into what that part begins with when it is called again."""
    source = netcfg.build(netcfg.load(text(net=SAYS)))["Net"].source_code
    assert source.count("again(self, ") == len(
        set(stretches_of(netcfg.load(text(net=SAYS)).networks["Net"]).values())
    )
    chain = """{Define part}
[convolutional]
filters = 8
kernel_size = 3
[convolutional]
filters = 8
kernel_size = 3
{Net}
[net]
channels = 3
height = 16
width = 16
[part]
checkpoint = True
[activation]
activation = relu
"""
    assert "x = F.relu(x)" in netcfg.build(netcfg.load(chain))["Net"].source_code
    plain = chain.replace("checkpoint = True", "")
    assert "x = F.relu_(x)" in netcfg.build(netcfg.load(plain))["Net"].source_code


def test_evaluation_calls_parts_once_and_it_travels() -> None:
    network = built(net=SAYS).eval()
    x = torch.rand(2, 3, 16, 16, dtype=torch.double)
    copied = pickle.loads(pickle.dumps(network))
    with torch.no_grad():
        assert torch.equal(copied(x), built().eval()(x))


def test_what_is_said_of_memory() -> None:
    graphs = {way: netcfg.load(text(**ways)).networks["Net"] for way, ways in {"": {}, **WAYS}.items()}
    kept = {way: kept_in_training(graph) for way, graph in graphs.items()}
    assert kept[""].again == 0
    for way in WAYS:
        assert kept[way].held < kept[""].held / 2 or way == "uses"
        assert kept[way].at_most < kept[""].at_most


def test_the_plan_and_the_estimate_know_it() -> None:
    training = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 1, 2
[horizontal_flip]
{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits
"""
    plain, again = (netcfg.load(text(net=net) + training) for net in ("", SAYS))
    assert "again for its gradients" not in plan_text(plan(plain))
    assert "again for its gradients" in plan_text(plan(again))
    (computed,) = plan_data(plan(again))["patterns"][0]["phases"][0]["computes"]
    assert computed["checkpoint"] is True
    said = [estimate(program, 10, 5, 1, torch.device("cpu")) for program in (plain, again)]
    assert said[0] is not None
    assert said[1] is not None
    assert said[1].step.macs == pytest.approx(said[0].step.macs * 4 / 3)
    assert said[1].activation_bytes < said[0].activation_bytes


def test_it_stays_out_of_compiled_code() -> None:
    program = netcfg.load(text(net=SAYS))
    assert list(not_compiled(program)) == ["Net"]
    assert "not `Net`: its backward pass computes it again" in compile_line(program)


TWO = """{Define part}
[activation]
activation = relu
{Define more}
[part]
checkpoint = True
{Net}
[net]
channels = 3
height = 16
width = 16
"""


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        (text(net=SAYS, use=SAYS), 13, "`Net` is computed again as a whole, and so is a use in it by itself"),
        (TWO + "[convolutional]\nfilters = 3\nkernel_size = 1\n[part]\ncheckpoint = True\n", 16, "saves nothing here"),
        (TWO + "checkpoint = True\n[global_avgpool]\n[connected]\noutput_features = 1\n", 12, "saves nothing in `Net`"),
        (TWO + "[more]\ncheckpoint = True\n", 6, "`part` is computed again with the use around it already"),
    ],
)  # fmt: skip
def test_where_it_has_no_effect_it_is_refused(written: str, line: int, message: str) -> None:
    program, findings = netcfg.check(written)
    assert program is None
    (finding,) = [one for one in findings if message in one.message]
    assert finding.code == "NC105"
    assert finding.span.line == line
    assert finding.help


def test_a_network_that_no_gradient_comes_through_is_refused() -> None:
    """A teacher that is only computed."""
    blocks = "[convolutional]\nfilters = 4\nkernel_size = 3\npad = 1\nactivation = silu\n" * 2
    net = f"[net]\nchannels = 3\nheight = 16\nwidth = 16\n{{more}}\n{blocks}"
    program = (
        "{Data}\n[synthetic_faces]\nimage_size = 16\n{Teacher}\n"
        + net.format(more="freeze = True\ncheckpoint = True")
        + "{Student}\n"
        + net.format(more="")
        + "{Model}\n[Teacher]\nfrom = image\n[Student]\nfrom = image\n"
        "{Loss}\n[mse]\ninput = Student\ntarget = Teacher\n"
        "{Optimizer}\n[adam]\nnetworks = Student\nminimise = mse\n"
    )
    with pytest.raises(ProgramError, match=r"NC105.*`checkpoint` saves nothing in `Teacher`"):
        expect_gradients(netcfg.load(program))
    expect_gradients(netcfg.load(program.replace("checkpoint = True", "")))
