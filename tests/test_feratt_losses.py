"""FERAtt's losses against the original's values, by the rules in `golden_rules`: numbers and gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from golden_rules import assert_record, golden, two_scale, uniform
from torch import Tensor, nn

import netcfg
from netcfg.blocks.losses.gaussian_mixture import GaussianMixture
from netcfg.builder.modules.gaussian_mixture import Norm

EXPECTED = golden("feratt_losses")


def picture(name: str) -> Tensor:
    """A picture of 0 to 1 in double precision."""
    return (two_scale(name, (4, 3, 16, 16)).double() + 1) / 2


def block_of(section: str, inputs: str) -> nn.Module:
    """A network of one block, as the losses' parts are written in the files."""
    program = netcfg.load(f"{{N}}\n[net]\n{inputs}{section}")
    return netcfg.build(program).double()["N"]


IMAGES = "".join(
    f"[input]\nname = {name}\nchannels = 3\nheight = 16\nwidth = 16\n" for name in ("face", "target")
)


@pytest.mark.parametrize(
    ("name", "formula", "weight"),
    [("attloss", "tanh(3 * abs(face - target))", 5), ("attmseloss", "(face - target) ** 2", 10)],
)
def test_attention_losses(name: str, formula: str, weight: float) -> None:
    face = picture("loss.att").requires_grad_()
    network = block_of(f"[formula]\nvalue = {formula}\n", IMAGES)
    loss = weight * network(face=face, target=picture("loss.x_org")).mean()
    loss.backward()
    assert loss.item() == pytest.approx(EXPECTED[name]["value"], rel=1e-6)
    assert_record(face.grad, EXPECTED[name]["grad"], 1e-6)


@pytest.mark.parametrize(
    ("name", "align"), [("stnloss_align_corners_false", False), ("stnloss_align_corners_true_legacy", True)]
)
def test_the_loss_of_the_transform(name: str, align: bool) -> None:
    moved = "[input]\nname = picture\nchannels = 3\nheight = 16\nwidth = 16\n[input]\nname = matrix\nfeatures = 6\n"
    network = block_of(f"[spatial_transformer]\nfrom = picture, matrix\nalign_corners = {align}\n", moved)
    identity = torch.tensor([1.0, 0, 0, 0, 1, 0], dtype=torch.double)
    asked, given = (
        identity + 0.1 * torch.from_numpy(uniform(f"loss.{rule}", 24)).float().double().view(4, 6)
        for rule in ("theta_gt", "theta")
    )
    given.requires_grad_()
    target = picture("loss.x_org")
    loss = (
        10 * (network(picture=target, matrix=asked) - network(picture=target, matrix=given)).square().mean()
    )
    loss.backward()
    assert loss.item() == pytest.approx(EXPECTED[name]["value"], rel=1e-6)
    assert_record(given.grad.view(4, 2, 3), EXPECTED[name]["grad"], 1e-6)


def vectors() -> Tensor:
    return (0.4 * torch.from_numpy(uniform("loss.z", 72)).view(12, 6)).float()


def mixture(**options: Any) -> nn.Module:
    return GaussianMixture.model_validate({"input": "z", "target": "y", **options}).lower()


LABELS = torch.tensor(EXPECTED["inputs"]["labels"])


def test_gaussians_without_mixtures() -> None:
    expected = EXPECTED["gmm_no_mix"]
    z = vectors().requires_grad_()
    loss = mixture(mix="never")(z, LABELS)
    loss.backward()
    assert loss.item() == pytest.approx(expected["value"], rel=1e-6)
    assert_record(z.grad, expected["grad"], 1e-6)


def test_gaussians_with_mixtures_of_numbers() -> None:
    expected = EXPECTED["gmm_mixup"]
    order, share = torch.tensor(expected["permutation"]), torch.tensor(expected["lam"])
    z = vectors().requires_grad_()
    loss = mixture(mixed_labels="numbers")(z, LABELS, share, order)
    loss.backward()
    assert loss.item() == pytest.approx(expected["value"], rel=1e-6)
    assert_record(z.grad, expected["grad"], 1e-6)
    other = mixture(mixed_labels="numbers")(vectors(), LABELS, torch.tensor(0.37), order)
    assert other.item() == pytest.approx(EXPECTED["gmm_mixup_lam_0.37"]["value"], rel=1e-6)


def test_a_mixture_of_one_class_keeps_it_whatever_its_share() -> None:
    """The published code mixes numbers, and loses some labels of 3, 6 and 7 to rounding."""
    labels = torch.tensor([6, 6, 3, 3, 1, 0])
    order, share = torch.tensor([1, 0, 3, 2, 5, 4]), torch.tensor(0.3)
    module = mixture()
    assert module._mixed(labels, share, order).tolist() == [6, 6, 3, 3, -1, -1]


def test_mixtures_of_two_classes_may_be_of_each_by_its_part() -> None:
    """In the middle between two classes half of each is right, where `pairs` wants neither."""
    z = torch.tensor([[1.5, 0], [-1.5, 0]])
    labels, order, share = torch.tensor([0, 1]), torch.tensor([1, 0]), torch.tensor(0.5)
    assert mixture(mixed_labels="shares")(z, labels, share, order).item() < 1e-6
    assert mixture()(z, labels, share, order).item() == pytest.approx(0.25, abs=1e-4)


def test_evaluation_mixes_when_asked_and_the_same_each_time() -> None:
    with torch.no_grad():
        plain = mixture(mix="never")(vectors(), LABELS)
        assert mixture(mix="train")(vectors(), LABELS) == plain
        always = [mixture(mix="always")(vectors(), LABELS) for _ in "ab"]
    assert always[0] == always[1] != plain


def test_classes_that_lie_apart_cost_nothing() -> None:
    z = torch.eye(3).repeat(4, 1) * 50
    assert mixture(mix="never")(z, torch.arange(3).repeat(4)).item() == pytest.approx(0, abs=1e-6)


def test_the_norm_is_of_the_whole_batch() -> None:
    assert Norm()(torch.tensor([[3.0], [4.0]])).item() == 5


def test_sections_of_losses_may_be_left_out() -> None:
    text = """
{{General}}
[variables]
with_penalty = {value}
{{N}}
[net]
channels = 1
height = 4
width = 4
[convolutional]
filters = 1
kernel_size = 1
{{Data}}
[synthetic_faces]
subjects = 3
{{Loss}}
[mean]
input = N
[norm]
if = $with_penalty
input = N
colour = red
"""
    found = [netcfg.check(text.format(value=value))[1] for value in ("True", "False", "perhaps")]
    assert any("colour" in finding.message for finding in found[0])
    assert not any("colour" in finding.message for finding in found[1])
    assert any(finding.code == "NC105" and "`if` must be" in finding.message for finding in found[2])
