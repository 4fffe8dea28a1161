"""Losses against PyTorch's functions and plain formulas: values and gradients, with masks and weights, in any shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import netcfg
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.registry import find
from netcfg.builder.modules.losses.classes import OutsideClass
from netcfg.builder.modules.losses.counted import Counted

SOFT = torch.tensor([[0.1, 0.2, 0.3, 0.2, 0.2]])


def made(name: str, **options: Any) -> Loss:
    kind = find("loss", name)
    assert kind is not None
    section = kind.model_validate({"input": "x", "target": "y", **options})
    assert isinstance(section, Loss)
    return section


def value(section: Loss, *signals: Tensor) -> Tensor:
    given, named = section.arguments(signals)
    found = section.lower()(*given, **named)
    mean: Tensor = found.mean() if isinstance(found, Counted) else found
    return mean


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(one: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], x: Tensor) -> None:
    """The same value, and the same gradient by x."""
    results = []
    for function in (one, other):
        leaf = x.clone().requires_grad_()
        result = function(leaf)
        (gradient,) = torch.autograd.grad(result, leaf)
        results.append((result.detach(), gradient))
    torch.testing.assert_close(results[0], results[1])


NUMBERS: dict[str, tuple[dict[str, Any], Callable[[Tensor, Tensor], Tensor]]] = {
    "mse": ({}, lambda x, y: (x - y) ** 2),
    "l1": ({}, lambda x, y: (x - y).abs()),
    "huber": ({"delta": 0.5}, lambda x, y: F.huber_loss(x, y, delta=0.5, reduction="none")),
    "smooth_l1": ({"beta": 0.5}, lambda x, y: F.smooth_l1_loss(x, y, beta=0.5, reduction="none")),
    "bce_with_logits": ({}, lambda x, y: F.softplus(x) - x * y),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("shape", [(3,), (2, 5), (2, 3, 4)])
def test_numbers_place_by_place(name: str, shape: tuple[int, ...]) -> None:
    options, each = NUMBERS[name]
    x, y = drawn(4, *shape), (drawn(4, *shape, seed=1) > 0).double()
    same(lambda v: value(made(name, **options), v, y), lambda v: each(v, y).mean(), x)
    mask, weight = drawn(4, *shape, seed=2) > 0, drawn(4, seed=3).abs()
    section = made(name, mask="m", weight="w", **options)
    factor = mask * weight.reshape(-1, *[1] * len(shape))

    def plain(v: Tensor) -> Tensor:
        return (each(v, y) * factor).sum() / factor.sum()

    same(lambda v: value(section, v, torch.where(mask, y, torch.nan), mask, weight), plain, x)
    section = made(name, ignore=1, **options)
    same(lambda v: value(section, v, y), lambda v: each(v, y)[y == 0].mean(), x)
    section = made(name, target="1", **options)
    same(lambda v: value(section, v), lambda v: each(v, torch.ones_like(v)).mean(), x)


def test_gaps_may_be_no_numbers() -> None:
    y = torch.tensor([[1.0, torch.nan], [torch.nan, 0.5]]).double()
    x = drawn(2, 2)
    same(
        lambda v: value(made("mse", ignore=torch.nan), v, y),
        lambda v: ((v[0, 0] - 1) ** 2 + (v[1, 1] - 0.5) ** 2) / 2,
        x,
    )


def test_the_first_channels_are_compared() -> None:
    x, y = drawn(2, 5, 3, 3), drawn(2, 2, 3, 3, seed=1)
    same(lambda v: value(made("mse", channels="target"), v, y), lambda v: ((v[:, :2] - y) ** 2).mean(), x)


@pytest.mark.parametrize(
    ("mask", "places"),
    [((3, 4), (2, 3, 4)), ((2,), (2, 3)), ((3,), (2, 3)), ((), (2, 3)), ((1, 3, 4), (2, 3, 4)), ((1,), (7,))],
)
def test_a_mask_lies_over_first_or_last_axes(mask: tuple[int, ...], places: tuple[int, ...]) -> None:
    kept = drawn(4, *mask) > 0
    missing = len(places) - len(mask)
    ones = [1] * missing
    last = len(mask) == 2 or mask == (3,)
    full = kept.reshape(4, *([*ones, *mask] if last else [*mask, *ones])).expand(4, *places)
    x, y = drawn(4, *places), drawn(4, *places, seed=1)
    same(lambda v: value(made("l1", mask="m"), v, y, kept), lambda v: (v - y).abs()[full].mean(), x)


@pytest.mark.parametrize("full", [False, True])
def test_gaussian_nll_is_pytorch_s(full: bool) -> None:
    x, y, spread = drawn(4, 3), drawn(4, 3, seed=1), drawn(4, 3, seed=2).exp()
    section = made("gaussian_nll", variance="s", full=full)
    same(lambda v: value(section, v, y, spread), lambda v: F.gaussian_nll_loss(v, y, spread, full=full), x)
    same(lambda v: value(section, x, y, v), lambda v: F.gaussian_nll_loss(x, y, v, full=full), spread)


def test_positives_weigh_more_by_label() -> None:
    x, y = drawn(4, 3, 2), (drawn(4, 3, 2, seed=1) > 0).double()
    weights = torch.tensor([1.0, 2.0, 4.0]).double()
    same(
        lambda v: value(made("bce_with_logits", pos_weight=(1, 2, 4)), v, y),
        lambda v: F.binary_cross_entropy_with_logits(v, y, pos_weight=weights.reshape(3, 1)),
        x,
    )


# --- classes

LAYOUTS = {
    "sample": ((4, 5), (4,)),
    "trailing": ((4, 5, 1, 1), (4,)),
    "row": ((4, 3, 5), (4, 3)),
    "map": ((4, 5, 3, 2), (4, 3, 2)),
    "clip": ((4, 2, 5, 3, 2), (4, 2, 3, 2)),
}
AXES = {"sample": 1, "trailing": 1, "row": 2, "map": 1, "clip": 2}


def classes(shape: tuple[int, ...]) -> Tensor:
    return torch.randint(0, 5, shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("weights", [(), (1.0, 2.0, 0.5, 3.0, 1.0)])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_pytorch_s(layout: str, weights: tuple[float, ...], smoothing: float) -> None:
    shape, places = LAYOUTS[layout]
    x, y = drawn(*shape), classes(places)
    factors = torch.tensor(weights).double() if weights else None

    def plain(v: Tensor, target: Tensor) -> Tensor:
        v = v.flatten(1) if layout == "trailing" else v.movedim(AXES[layout], 1)
        return F.cross_entropy(v, target, weight=factors, label_smoothing=smoothing, ignore_index=255)

    options = {"class_weights": weights, "label_smoothing": smoothing}
    same(lambda v: value(made("cross_entropy", **options), v, y), lambda v: plain(v, y), x)
    gaps = torch.where(classes(places).flip(0) > 3, 255, y)
    same(lambda v: value(made("cross_entropy", ignore=255, **options), v, gaps), lambda v: plain(v, gaps), x)
    mask = gaps != 255
    section = made("cross_entropy", mask="m", **options)
    same(lambda v: value(section, v, gaps, mask), lambda v: plain(v, gaps), x)


@pytest.mark.parametrize("weights", [(), (1.0, 2.0, 0.5, 3.0, 1.0)])
def test_soft_labels_are_pytorch_s(weights: tuple[float, ...]) -> None:
    x, y = drawn(4, 5), drawn(4, 5, seed=1).softmax(1)
    factors = torch.tensor(weights).double() if weights else None
    section = made("cross_entropy", soft_labels=True, class_weights=weights)
    same(lambda v: value(section, v, y), lambda v: F.cross_entropy(v, y, weight=factors), x)
    mask = torch.tensor([1, 0, 1, 1])
    section = made("cross_entropy", soft_labels=True, class_weights=weights, mask="m")
    kept = mask.bool()
    same(
        lambda v: value(section, v, y, mask),
        lambda v: F.cross_entropy(v[kept], y[kept], weight=factors),
        x,
    )


def test_nll_is_pytorch_s() -> None:
    x, y = drawn(4, 5, 3, 2).log_softmax(1), classes((4, 3, 2))
    weights = (1.0, 2.0, 0.5, 3.0, 1.0)
    same(
        lambda v: value(made("nll", class_weights=weights), v, y),
        lambda v: F.nll_loss(v, y, weight=torch.tensor(weights).double()),
        x,
    )


@pytest.mark.parametrize("number", [5, -1])
def test_a_number_of_no_class_is_told_with_its_sample(number: int) -> None:
    y = classes((4, 3, 2))
    y[2, 1, 1] = number
    with pytest.raises(OutsideClass) as caught:
        value(made("cross_entropy"), drawn(4, 5, 3, 2), y)
    assert (caught.value.sample, caught.value.number, caught.value.classes) == (2, number, 5)


# --- what holds for every comparing loss


@pytest.mark.parametrize("name", ["mse", "bce_with_logits", "cross_entropy"])
def test_nothing_that_counts_is_zero_and_moves_nothing(name: str) -> None:
    x = drawn(4, 5).requires_grad_()
    y = classes((4,)) if name == "cross_entropy" else drawn(4, 5, seed=1)
    result = value(made(name, mask="m"), x, y, torch.zeros(4))
    (gradient,) = torch.autograd.grad(result, x)
    assert float(result.detach()) == 0
    assert not gradient.any()


def test_one_sample_is_its_own_mean() -> None:
    x, y = drawn(1, 5), drawn(1, 5, seed=1)
    assert torch.equal(value(made("mse", mask="m"), x, y, torch.ones(1)), ((x - y) ** 2).mean())


def test_both_places_of_a_map_and_its_target_are_told() -> None:
    text = PROGRAM.replace("LOSS", "[mse]\ninput = Net\ntarget = image\n")
    (found,) = errors(text)
    assert found.message == "[mse] compares 4×8×8 values with a target of 3×16×16"
    assert [note.message for note in found.notes] == ["`Net` is 4×8×8", "the data field `image` is 3×16×16"]


def test_one_mistake_that_several_losses_and_metrics_meet_is_told_once() -> None:
    losses = "[cross_entropy]\ninput = Net\ntarget = parts\n[dice]\ninput = Net\ntarget = parts\n"
    metric = "{Metric}\n[iou]\ninput = Net\ntarget = parts\n"
    (found,) = [one for one in errors(PROGRAM.replace("LOSS", losses) + metric) if one.code == "NC402"]
    assert "which gives 4×8×8, and `parts` is 16×16" in found.message
    assert [note.message for note in found.notes][2:] == ["and here", "and here"]


PROGRAM = """{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 2
stride = 2
{Loss}
LOSS
{Optimizer}
[adam]
networks = Net
minimise = NAMED
"""


def errors(text: str) -> list[netcfg.source.Finding]:
    name = text.partition("{Loss}\n[")[2].partition("]")[0]
    return netcfg.check(text.replace("NAMED", name))[1]
