"""What a loss may leave out, weigh and compare with: one row for every loss, so that a new one has to say it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_losses_values import drawn
from torch import Tensor

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.losses.comparing import Comparing
from netcfg.blocks.registry import find, sections
from netcfg.builder.modules.losses.counted import Counted

SAMPLES = 6
CLASSES = torch.tensor([0, 0, 1, 1, 2, 2])
EVERYTHING = "mask weight ignore number channels"
OF_CLASSES = "mask weight ignore"

# What it takes, the shape of its input without samples, and options that it needs. Within a batch nothing weighs: a
# pair has two samples. Of vectors, pictures and distributions no number is to be ignored.
TABLE: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "mse": (EVERYTHING, (5,), {}),
    "l1": (EVERYTHING, (5,), {}),
    "huber": (EVERYTHING, (5,), {}),
    "smooth_l1": (EVERYTHING, (5,), {}),
    "bce_with_logits": (EVERYTHING, (5,), {}),
    "gaussian_nll": (EVERYTHING, (5,), {"variance": "s"}),
    "ccc": ("mask weight ignore channels", (5,), {}),
    "cross_entropy": (OF_CLASSES, (5,), {}),
    "nll": (OF_CLASSES, (5,), {}),
    "focal": (OF_CLASSES, (5,), {}),
    "arcface": (OF_CLASSES, (5,), {}),
    "center": (OF_CLASSES, (5,), {}),
    "dice": ("mask ignore", (5,), {}),
    "jaccard": ("mask ignore", (5,), {}),
    "tversky": ("mask ignore", (5,), {}),
    "triplet": ("mask ignore", (5,), {}),
    "contrastive": ("mask ignore", (5,), {}),
    "cosine_embedding": ("mask weight", (5,), {}),
    "kl_divergence": ("mask weight", (5,), {}),
    "distillation": ("mask weight", (5,), {}),
    "ssim": ("mask weight", (2, 12, 12), {}),
    "perceptual": ("mask weight", (1, 8, 8), {"weights": "random", "layers": ("relu1_2", "relu2_2")}),
}
# No comparison of one signal with another, place by place.
OTHERS = {
    "adversarial", "gaussian_mixture", "gradient_penalty", "kl_normal", "mean", "norm", "nt_xent", "total_variation",
    "uncertainty",
}  # fmt: skip
PAIRS = {"triplet", "contrastive"}


def made(name: str, **options: Any) -> Loss:
    kind = find("loss", name)
    assert kind is not None
    section = kind.model_validate({"input": "x", "target": "y", **TABLE[name][2], **options})
    assert isinstance(section, Loss)
    return section


def of_classes(name: str) -> bool:
    return "number" not in TABLE[name][0] and "ignore" in TABLE[name][0] and name != "ccc"


def signals(name: str, samples: int = SAMPLES) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    shape = TABLE[name][1]
    x = drawn(SAMPLES, *shape).float()[:samples]
    x = x.log_softmax(1) if name in ("kl_divergence", "nll") else x.sigmoid() if len(shape) == 3 else x
    y = CLASSES if of_classes(name) else drawn(SAMPLES, *shape, seed=1).float().softmax(1)
    further = (
        {"variance": drawn(SAMPLES, *shape, seed=2).float().exp()[:samples]} if name == "gaussian_nll" else {}
    )
    return x, y[:samples], further


def computed(name: str, x: Tensor, y: Tensor | None, given: dict[str, Tensor], **options: Any) -> Tensor:
    """By one module with the same parameters, where it learns some."""
    section = made(name, **{key: key for key in given}, **options)
    torch.manual_seed(0)
    shapes = {"input": tuple(x.shape[1:]), "target": ()}
    module = section.build(shapes, 3)
    found = module(x, *([] if y is None else [y]), **given)
    mean: Tensor = found.mean() if isinstance(found, Counted) else found
    return mean


def test_every_loss_has_a_row() -> None:
    kinds = sections("loss")
    assert set(TABLE) | OTHERS == set(kinds)
    assert {name for name, kind in kinds.items() if issubclass(kind, Comparing)} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_loss_takes_what_its_row_says_and_nothing_else(name: str) -> None:
    kind = find("loss", name)
    assert kind is not None
    assert issubclass(kind, Comparing)
    asked = TABLE[name][0].split()
    options = {key for key in ("mask", "weight", "ignore", "channels") if key in kind.model_fields}
    assert options - kind.unavailable == set(asked) - {"number"}
    assert kind.takes_number == ("number" in asked)


@pytest.mark.parametrize("name", TABLE)
def test_what_is_masked_might_not_be_there(name: str) -> None:
    x, y, given = signals(name)
    plain = computed(name, x, y, given)
    torch.testing.assert_close(computed(name, x, y, given | {"mask": torch.ones(SAMPLES)}), plain)
    kept = torch.tensor([1, 1, 1, 0, 1, 0])
    chosen = kept.bool()
    expected = computed(name, x[chosen], y[chosen], {key: one[chosen] for key, one in given.items()})
    torch.testing.assert_close(computed(name, x, y, given | {"mask": kept}), expected)
    if "ignore" in TABLE[name][0]:
        number = 255 if of_classes(name) else -7.0
        gaps = torch.where(chosen.reshape(-1, *[1] * (y.ndim - 1)), y, number)
        torch.testing.assert_close(computed(name, x, gaps, given, ignore=number), expected)


@pytest.mark.parametrize("name", TABLE)
def test_a_mask_of_nothing_is_zero_and_moves_nothing(name: str) -> None:
    x, y, given = signals(name)
    leaf = x.clone().requires_grad_()
    nothing = computed(name, leaf, y, given | {"mask": torch.zeros(SAMPLES)})
    (gradient,) = torch.autograd.grad(nothing, leaf)
    assert float(nothing.detach()) == 0
    assert not gradient.any()


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "weight" in row[0]])
def test_a_weight_of_two_counts_twice(name: str) -> None:
    x, y, given = signals(name)
    again = torch.tensor([0, 0, 1, 2, 3, 5])
    expected = computed(name, x[again], y[again], {key: one[again] for key, one in given.items()})
    weight = torch.tensor([2.0, 1, 1, 1, 0, 1])
    torch.testing.assert_close(computed(name, x, y, given | {"weight": weight}), expected)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "number" in row[0]])
def test_a_number_stands_for_a_signal_of_it(name: str) -> None:
    x, _, given = signals(name)
    mask = {"mask": torch.tensor([1, 0, 1, 1, 0, 1])}
    expected = computed(name, x, torch.ones_like(x), given | mask)
    torch.testing.assert_close(computed(name, x, None, given | mask, target="1"), expected)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "channels" in row[0]])
def test_as_many_channels_as_the_target_has(name: str) -> None:
    x, y, given = signals(name)
    few = {key: one[:, :2] for key, one in given.items()}
    expected = computed(name, x[:, :2], y[:, :2], few)
    torch.testing.assert_close(computed(name, x, y[:, :2], few, channels="target"), expected)


@pytest.mark.parametrize("name", TABLE)
def test_one_sample_is_enough(name: str) -> None:
    x, y, given = signals(name, samples=1)
    leaf = x.clone().requires_grad_()
    alone = computed(name, leaf, y, given)
    (gradient,) = torch.autograd.grad(alone, leaf)
    assert bool(alone.isfinite())
    assert bool(gradient.isfinite().all())
    assert float(alone.detach()) == 0 or name not in PAIRS


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("masked", [False, True])
def test_half_precision_is_compared_in_single(name: str, masked: bool) -> None:
    """What is given in bf16 loses what its rounding took, and nothing beside; also where autocast is on."""
    x, y, given = signals(name)
    rounded = x.bfloat16()
    other = y if not y.is_floating_point() else y.bfloat16()
    halves = {key: one.bfloat16() for key, one in given.items()}
    mask = {"mask": torch.tensor([1, 1, 0, 1, 1, 1])} if masked else {}
    leaf = rounded.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=name != "perceptual"):
        found = computed(name, leaf, other, halves | mask)
    assert found.dtype == torch.float32
    (gradient,) = torch.autograd.grad(found, leaf)
    assert gradient.dtype == torch.bfloat16
    exact = rounded.float().requires_grad_()
    singles = {key: one.float() for key, one in halves.items()}
    target = other.float() if other.is_floating_point() else other
    expected = computed(name, exact, target, singles | mask)
    (wanted,) = torch.autograd.grad(expected, exact)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient, wanted.bfloat16())


BATCHES: dict[str, tuple[dict[str, Any], int]] = {
    "adversarial": ({"fake": "x", "real": "y", "side": "critic"}, 2),
    "kl_normal": ({"input": "x", "log_variance": "y"}, 2),
    "nt_xent": ({"input": "x", "target": "y"}, 2),
    "mean": ({"input": "x"}, 1),
    "norm": ({"input": "x"}, 1),
    "total_variation": ({"input": "x"}, 1),
}


@pytest.mark.parametrize("name", BATCHES)
def test_half_precision_of_whole_batches_is_summed_in_single(name: str) -> None:
    options, count = BATCHES[name]
    kind = find("loss", name)
    assert kind is not None
    module = kind.model_validate(options).build({}, None)
    shape = (2, 6, 6) if name == "total_variation" else (7,)
    halves = [drawn(64, *shape, seed=seed).bfloat16() for seed in range(count)]
    with torch.autocast("cpu", torch.bfloat16):
        found = module(*halves)
    torch.testing.assert_close(found, module(*[one.float() for one in halves]))


def test_half_precision_of_a_mixture_and_of_a_penalty() -> None:
    """`uncertainty` reads losses, which are in single precision."""
    assert {*BATCHES, "gaussian_mixture", "gradient_penalty", "uncertainty"} == OTHERS
    kind, penalty = find("loss", "gaussian_mixture"), find("loss", "gradient_penalty")
    assert kind is not None
    assert penalty is not None
    x, y = drawn(SAMPLES, 5).bfloat16(), CLASSES
    module = kind.model_validate({"input": "x", "target": "y", "mix": "never"}).build({}, None)
    with torch.autocast("cpu", torch.bfloat16):
        found = module(x, y)
    torch.testing.assert_close(found, module(x.float(), y))
    critic = torch.nn.Linear(5, 1)
    module = penalty.model_validate({"network": "C", "real": "x", "fake": "y"}).build({}, None)
    mix = torch.linspace(0, 1, SAMPLES)
    torch.testing.assert_close(
        module(critic, x, 2 * x, mix=mix), module(critic, x.float(), 2 * x.float(), mix=mix)
    )
