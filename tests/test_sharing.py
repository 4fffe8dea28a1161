"""Blocks that use the parameters of another, and repeats of none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import netcfg
from netcfg.compile import check
from netcfg.source import Finding

HEAD = """{Define tower}
[parameters]
outputs
[connected]
output_features = $outputs
[activation]
activation = relu
[connected]
output_features = 3

{N}
[net]
[input]
name = a
features = 4
[input]
name = b
features = 4
"""
ONE = "[tower]\nname = one\nfrom = a\noutputs = 5\n"
OTHER = "[tower]\nname = other\nfrom = b\noutputs = 5\nshared_with = one\n"
JOIN = "[combine_concat]\ncombine_layers = one, other\n"


def built(text: str) -> nn.Module:
    return netcfg.build(netcfg.load(text))["N"]


def findings_of(text: str) -> list[Finding]:
    return [finding for finding in check(text)[1] if finding.severity == "error"]


def test_both_uses_compute_the_same_with_one_set_of_parameters() -> None:
    network = built(HEAD + ONE + OTHER + JOIN)
    assert {key.partition(".")[0] for key in network.state_dict()} == {"one"}
    a, b = torch.randn(2, 4), torch.randn(2, 4)
    first, second = network(a, b).chunk(2, 1)
    turned_first, turned_second = network(b, a).chunk(2, 1)
    torch.testing.assert_close((first, second), (turned_second, turned_first))


def test_parameters_and_work_are_counted_once_and_twice() -> None:
    alone = netcfg.load(HEAD.replace("[input]\nname = b\nfeatures = 4\n", "") + ONE).networks["N"]
    both = netcfg.load(HEAD + ONE + OTHER + JOIN).networks["N"]
    assert (both.parameters, both.macs) == (alone.parameters, 2 * (alone.macs or 0))


def test_gradients_of_all_uses_add_up() -> None:
    network = built(HEAD + ONE + OTHER + JOIN)
    a = torch.randn(2, 4)
    network(a, a).sum().backward()
    shared = network.get_parameter("one.0.weight").grad
    network.zero_grad()
    network(a, a)[:, :3].sum().backward()
    torch.testing.assert_close(shared, 2 * network.get_parameter("one.0.weight").grad)


def test_a_repeated_use_applies_the_same_parameters_again() -> None:
    """A recurrence: three times the same layer."""
    text = HEAD + "[connected]\nname = one\nfrom = a\noutput_features = 4\n"
    text += "[connected]\nname = again\noutput_features = 4\nshared_with = one\nrepeat = 2\n"
    network = built(text + "[combine_add]\ncombine_layers = again, b\n")
    layer = network.get_submodule("one")
    a = torch.randn(2, 4)
    torch.testing.assert_close(network(a, torch.zeros(2, 4)), layer(layer(layer(a))))


def test_a_shared_use_can_be_shared_again() -> None:
    third = OTHER.replace("other", "third").replace("= one", "= other")
    network = built(HEAD + ONE + OTHER + third + JOIN.replace("other", "other, third"))
    assert {key.partition(".")[0] for key in network.state_dict()} == {"one"}


def test_a_repeat_of_none_gives_what_it_is_fed() -> None:
    text = HEAD + ONE + OTHER.replace("shared_with = one", "repeat = 0") + JOIN
    network = built(text)
    b = torch.randn(2, 4)
    assert {key.partition(".")[0] for key in network.state_dict()} == {"one"}
    torch.testing.assert_close(network(b, b)[:, 3:], b)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (OTHER.replace("shared_with = one", "shared_with = other"), "NC201", "no block `other` above"),
        (OTHER.replace("shared_with = one", "shared_with = on"), "NC201", "no block `on` above"),
        (OTHER.replace("outputs = 5", "outputs = 6"), "NC213", "has `output_features = 5`, and this"),
        (OTHER.replace("[tower]", "[connected]").replace("outputs = 5", "output_features = 5"), "NC213", "is [tower]"),
        (OTHER + "freeze = True\n", "NC213", "`freeze` is of parameters"),
        (OTHER.replace("= one", "= one.0"), "NC213", "is a part of `one`"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_said_once(text: str, code: str, words: str) -> None:
    (finding,) = findings_of(HEAD + ONE + text + JOIN)
    assert finding.code == code
    assert words in finding.message


def test_a_repeated_block_is_not_shared() -> None:
    (finding,) = findings_of(HEAD + ONE.replace("outputs = 5", "outputs = 4\nrepeat = 2") + OTHER + JOIN)
    assert "`one` is repeated" in finding.message


def test_inputs_of_another_size_are_told_with_both_counts() -> None:
    (finding,) = findings_of(
        HEAD.replace("name = b\nfeatures = 4", "name = b\nfeatures = 7") + ONE + OTHER + JOIN
    )
    assert finding.code == "NC213"
    assert "needs 40 parameters for what it is fed, and `one.0`, whose it uses, has 25" in finding.message
