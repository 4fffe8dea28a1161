"""Losses of regions, vectors, pictures, distributions and critics against PyTorch, torchvision and plain formulas."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
import torch
from test_losses_values import classes, drawn, made, same, value
from torch import Tensor
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure
from torchvision.ops import sigmoid_focal_loss

from netcfg.blocks.registry import find

FIRST = torch.tensor([1, 1, 0, 1])


def loss(name: str, **options: Any) -> Any:
    """Of a section without a target."""
    kind = find("loss", name)
    assert kind is not None
    return kind.model_validate(options)


# --- distributions


def test_divergences_are_those_of_pytorch() -> None:
    x, y = drawn(4, 5), drawn(4, 5, seed=1)
    chances = y.softmax(1)
    same(
        lambda v: value(made("kl_divergence"), v.log_softmax(1), chances),
        lambda v: F.kl_div(v.log_softmax(1), chances, reduction="batchmean"),
        x,
    )
    same(
        lambda v: value(made("kl_divergence", log_target=True), v.log_softmax(1), y.log_softmax(1)),
        lambda v: F.kl_div(v.log_softmax(1), chances, reduction="batchmean"),
        x,
    )
    same(
        lambda v: value(made("distillation", temperature=3), v, y),
        lambda v: 9 * F.kl_div((v / 3).log_softmax(1), (y / 3).softmax(1), reduction="batchmean"),
        x,
    )
    kept = FIRST.bool()
    same(
        lambda v: value(made("distillation", temperature=3, mask="m"), v, y, FIRST),
        lambda v: 9 * F.kl_div((v[kept] / 3).log_softmax(1), (y[kept] / 3).softmax(1), reduction="batchmean"),
        x,
    )


def test_kl_normal_is_that_of_distributions() -> None:
    means, logs = drawn(4, 3), drawn(4, 3, seed=1)
    own = torch.distributions.Normal(means, (logs / 2).exp())
    standard = torch.distributions.Normal(torch.zeros_like(means), torch.ones_like(means))
    expected = torch.distributions.kl_divergence(own, standard).sum(1).mean()
    torch.testing.assert_close(value(loss("kl_normal", input="m", log_variance="v"), means, logs), expected)


@pytest.mark.parametrize("alpha", [None, 0.25])
@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_of_labels_is_torchvision_s(alpha: float | None, gamma: float) -> None:
    x, y = drawn(4, 3, 2), (drawn(4, 3, 2, seed=1) > 0).double()
    section = made("focal", of="labels", gamma=gamma, alpha=alpha)
    expected = -1 if alpha is None else alpha
    same(lambda v: value(section, v, y), lambda v: sigmoid_focal_loss(v, y, expected, gamma, "mean"), x)


def test_focal_of_classes_leaves_out_what_is_known() -> None:
    x, y = drawn(4, 5, 3, 2), classes((4, 3, 2))

    def plain(v: Tensor) -> Tensor:
        right = v.softmax(1).gather(1, y[:, None])[:, 0]
        return (-((1 - right) ** 1.5) * right.log()).mean()

    same(lambda v: value(made("focal", gamma=1.5), v, y), plain, x)
    same(lambda v: value(made("focal", gamma=0), v, y), lambda v: F.cross_entropy(v, y), x)


# --- regions


def overlap(chances: Tensor, truth: Tensor, alpha: float, beta: float, smooth: float) -> Tensor:
    hits, false, missed = chances * truth, chances * (1 - truth), (1 - chances) * truth
    hits, false, missed = (one.flatten(2).sum(2) for one in (hits, false, missed))
    return (hits + smooth) / (hits + alpha * false + beta * missed + smooth)


REGIONS = {"dice": (0.5, 0.5, 0.5), "jaccard": (1.0, 1.0, 1.0), "tversky": (0.3, 0.7, 1.0)}


@pytest.mark.parametrize("name", REGIONS)
def test_regions_overlap_as_the_formula_has_it(name: str) -> None:
    x, y = drawn(4, 5, 3, 2), classes((4, 3, 2))
    truth = F.one_hot(y, 5).movedim(-1, 1).double()
    same(
        lambda v: value(made(name), v, y),
        lambda v: 1 - overlap(v.softmax(1), truth, *REGIONS[name]).mean(),
        x,
    )
    same(
        lambda v: value(made(name, background=False), v, y),
        lambda v: 1 - overlap(v.softmax(1), truth, *REGIONS[name])[:, 1:].mean(),
        x,
    )
    labels = (drawn(4, 5, 3, 2, seed=3) > 0).double()
    same(
        lambda v: value(made(name, of="labels"), v, labels),
        lambda v: 1 - overlap(v.sigmoid(), labels, *REGIONS[name]).mean(),
        x,
    )

    def together(one: Tensor) -> Tensor:
        return one.movedim(1, 0).flatten(1)[None]

    same(
        lambda v: value(made(name, over="batch"), v, y),
        lambda v: 1 - overlap(together(v.softmax(1)), together(truth), *REGIONS[name]).mean(),
        x,
    )
    mask = drawn(4, 3, 2, seed=2) > 0
    mask[1] = False
    kept = mask.any(2).any(1)
    gaps = torch.where(mask, y, 255)

    def masked(v: Tensor) -> Tensor:
        cut = mask[:, None]
        return 1 - overlap(v.softmax(1) * cut, truth * cut, *REGIONS[name])[kept].mean()

    same(lambda v: value(made(name, mask="m"), v, gaps, mask), masked, x)
    same(lambda v: value(made(name, ignore=255), v, gaps), masked, x)


def test_what_is_right_surely_is_no_loss() -> None:
    y = classes((2, 3, 4))
    x = 100.0 * F.one_hot(y, 5).movedim(-1, 1).double()
    for name in REGIONS:
        assert float(value(made(name), x, y)) == pytest.approx(0, abs=1e-9)


# --- vectors


def test_cosines_are_those_of_pytorch() -> None:
    x, y = drawn(4, 5), drawn(4, 5, seed=1)
    signs = torch.tensor([1, -1, 1, -1])
    same(
        lambda v: value(made("cosine_embedding", same="s", margin=0.1), v, y, signs),
        lambda v: F.cosine_embedding_loss(v, y, signs, margin=0.1),
        x,
    )
    same(
        lambda v: value(made("cosine_embedding"), v, y),
        lambda v: F.cosine_embedding_loss(v, y, torch.ones(4)),
        x,
    )


WHO = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3])


def apart(v: Tensor, one: int, other: int) -> Tensor:
    return (v[one] - v[other]).norm()


def test_contrastive_pairs_are_near_or_far() -> None:
    x = drawn(8, 3)

    def plain(v: Tensor) -> Tensor:
        terms = [
            apart(v, a, b) ** 2 / 2 if WHO[a] == WHO[b] else (1.5 - apart(v, a, b)).clamp(min=0) ** 2 / 2
            for a, b in permutations(range(8), 2)
            if a < b
        ]
        return torch.stack(terms).mean()

    same(lambda v: value(made("contrastive", margin=1.5), v, WHO), plain, x)


def hinged(v: Tensor, anchor: int, positive: int, negative: int) -> Tensor:
    return (apart(v, anchor, positive) - apart(v, anchor, negative) + 0.5).clamp(min=0)


def test_triplets_are_those_of_the_mining() -> None:
    x = drawn(8, 3)
    near = {a: [b for b in range(8) if b != a and WHO[a] == WHO[b]] for a in range(8)}
    far = {a: [b for b in range(8) if WHO[a] != WHO[b]] for a in range(8)}

    def every(v: Tensor) -> Tensor:
        return torch.stack([hinged(v, a, p, n) for a in near for p in near[a] for n in far[a]]).mean()

    def hard(v: Tensor) -> Tensor:
        return torch.stack(
            [
                hinged(
                    v,
                    a,
                    max(near[a], key=lambda p: apart(v, a, p)),
                    min(far[a], key=lambda n: apart(v, a, n)),
                )
                for a in near
                if near[a]
            ]
        ).mean()

    def semi_hard(v: Tensor) -> Tensor:
        made = []
        for a in near:
            for p in near[a]:
                beyond = [n for n in far[a] if apart(v, a, n) > apart(v, a, p)]
                nearest = min(beyond, key=lambda n: apart(v, a, n)) if beyond else None
                chosen = max(far[a], key=lambda n: apart(v, a, n)) if nearest is None else nearest
                made.append(hinged(v, a, p, chosen))
        return torch.stack(made).mean()

    for mining, plain in (("all", every), ("hard", hard), ("semi_hard", semi_hard)):
        same(lambda v, m=mining: value(made("triplet", mining=m, margin=0.5), v, WHO), plain, x)
    kept = WHO != 1
    same(
        lambda v: value(made("triplet", margin=0.5, mask="m"), v, WHO, kept),
        lambda v: value(made("triplet", margin=0.5), v[kept], WHO[kept]),
        x,
    )


def test_equal_vectors_give_finite_gradients() -> None:
    x = torch.ones(4, 3, requires_grad=True)
    for name in ("triplet", "contrastive"):
        (gradient,) = torch.autograd.grad(value(made(name), x, torch.tensor([0, 0, 1, 1])), x)
        assert bool(gradient.isfinite().all())


def test_a_batch_of_one_class_has_no_triplets() -> None:
    x = drawn(3, 2).requires_grad_()
    result = value(made("triplet"), x, torch.zeros(3))
    assert float(result.detach()) == 0
    assert not torch.autograd.grad(result, x)[0].any()


def test_nt_xent_is_the_formula() -> None:
    x, y = drawn(3, 4), drawn(3, 4, seed=1)

    def plain(v: Tensor) -> Tensor:
        views = [*v, *y]
        terms = []
        for a in range(6):
            scores = [F.cosine_similarity(views[a], views[b], dim=0) / 0.3 for b in range(6) if b != a]
            right = F.cosine_similarity(views[a], views[(a + 3) % 6], dim=0) / 0.3
            terms.append(torch.logsumexp(torch.stack(scores), 0) - right)
        return torch.stack(terms).mean()

    same(lambda v: value(made("nt_xent", temperature=0.3), v, y), plain, x)


# --- numbers of a batch, pictures, critics


def test_ccc_is_lin_s() -> None:
    x, y = drawn(9, 3), drawn(9, 3, seed=1)

    def plain(v: Tensor, target: Tensor) -> Tensor:
        both = ((v - v.mean(0)) * (target - target.mean(0))).mean(0)
        spread = v.var(0, correction=0) + target.var(0, correction=0) + (v.mean(0) - target.mean(0)) ** 2
        return 1 - 2 * both / spread

    same(lambda v: value(made("ccc"), v, y), lambda v: plain(v, y).mean(), x)
    mask = drawn(9, 3, seed=2) > -0.5

    def masked(v: Tensor) -> Tensor:
        return torch.stack(
            [plain(v[mask[:, a], a : a + 1], y[mask[:, a], a : a + 1])[0] for a in range(3)]
        ).mean()

    same(lambda v: value(made("ccc", mask="m"), v, torch.where(mask, y, torch.nan), mask), masked, x)
    frames = value(made("ccc"), x.reshape(3, 3, 3), y.reshape(3, 3, 3))
    torch.testing.assert_close(frames, plain(x, y).mean())


def test_ssim_is_torchmetrics_s_of_windows_inside() -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = torch.rand(2, 2, 3, 16, 14, generator=generator, dtype=torch.float64)
    _, whole = structural_similarity_index_measure(x, y, data_range=1.0, return_full_image=True)
    inside = whole[..., 5:-5, 5:-5]  # it also counts windows over the edge, into reflections
    torch.testing.assert_close(value(made("ssim"), x, y), 1 - inside.mean(), rtol=1e-6, atol=1e-6)
    alone = value(made("ssim", mask="m"), x, y, torch.tensor([0, 1]))
    torch.testing.assert_close(alone, value(made("ssim"), x[1:], y[1:]))
    assert float(value(made("ssim"), x, x)) == pytest.approx(0, abs=1e-9)


def test_total_variation_is_what_neighbours_differ_by() -> None:
    x = drawn(2, 3, 4, 5)
    expected = (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()
    torch.testing.assert_close(value(loss("total_variation", input="x"), x), expected)


GAMES = {
    "hinge": (lambda r, f: F.relu(1 - r).mean() + F.relu(1 + f).mean(), lambda f: -f.mean()),
    "least_squares": (
        lambda r, f: 0.5 * ((r - 1) ** 2).mean() + 0.5 * (f**2).mean(),
        lambda f: 0.5 * ((f - 1) ** 2).mean(),
    ),
    "vanilla": (
        lambda r, f: (
            F.binary_cross_entropy_with_logits(r, torch.ones_like(r))
            + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        ),
        lambda f: F.binary_cross_entropy_with_logits(f, torch.ones_like(f)),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
}


@pytest.mark.parametrize("mode", GAMES)
def test_both_sides_of_a_game(mode: str) -> None:
    real, fake = drawn(4, 1), drawn(4, 1, seed=1)
    critic, generator = GAMES[mode]
    section = loss("adversarial", mode=mode, side="critic", real="r", fake="f")
    same(lambda v: value(section, real, v), lambda v: critic(real, v), fake)
    section = loss("adversarial", mode=mode, side="generator", fake="f")
    same(lambda v: value(section, v), generator, fake)


# --- what holds for all that compare


COMPARING = {
    "mse": (5,), "l1": (5,), "huber": (5,), "smooth_l1": (5,), "bce_with_logits": (5,), "ccc": (5,),
    "kl_divergence": (5,), "distillation": (5,), "cosine_embedding": (5,), "ssim": (2, 12, 12),
    "cross_entropy": (), "nll": (), "focal": (), "dice": (), "jaccard": (), "tversky": (), "triplet": (),
    "contrastive": (),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPARING)
def test_masks_of_ones_of_nothing_and_halves(name: str) -> None:
    """A mask of ones changes nothing, one of nothing gives 0 and moves nothing, in bf16's range, too."""
    shape = COMPARING[name] or (5,)
    x = drawn(6, *shape).float()
    x = x.log_softmax(1) if name == "kl_divergence" else x
    y = (
        torch.tensor([0, 0, 1, 1, 2, 2])
        if not COMPARING[name]
        else drawn(6, *shape, seed=1).float().softmax(1)
    )
    plain, masked = made(name), made(name, mask="m")
    torch.testing.assert_close(value(masked, x, y, torch.ones(6)), value(plain, x, y))
    leaf = x.clone().requires_grad_()
    nothing = value(masked, leaf, y, torch.zeros(6))
    (gradient,) = torch.autograd.grad(nothing, leaf)
    assert float(nothing.detach()) == 0
    assert not gradient.any()
    first = torch.tensor([1, 1, 1, 1, 0, 0])
    torch.testing.assert_close(value(masked, x, y, first), value(plain, x[:4], y[:4]))
    half = value(plain, x.bfloat16().float(), y)
    assert float(half) == pytest.approx(float(value(plain, x, y)), rel=0.05, abs=0.02)
    if name not in ("ccc", "triplet", "contrastive"):
        alone = value(plain, x[:1], y[:1])
        assert bool(alone.isfinite())


@pytest.mark.parametrize("name", ["mse", "cross_entropy", "focal", "cosine_embedding", "ssim", "ccc"])
def test_a_weight_of_two_is_two_samples(name: str) -> None:
    shape = COMPARING[name] or (5,)
    x = drawn(4, *shape)
    y = torch.tensor([0, 4, 1, 2]) if not COMPARING[name] else drawn(4, *shape, seed=1)
    weight = torch.tensor([2.0, 1, 1, 0])
    again = torch.tensor([0, 0, 1, 2])
    same(
        lambda v: value(made(name, weight="w"), v, y, weight),
        lambda v: value(made(name), v[again], y[again]),
        x,
    )
