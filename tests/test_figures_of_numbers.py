"""Figures of numbers, ranks, probabilities, pictures and embeddings by plain formulas, whatever the cuts of a split."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_figures_of_classes import NAMES, in_parts, refusal
from test_figures_of_classes import split as classes
from torch import Tensor

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.auc import Auc
from netcfg.blocks.metrics.average_precision import AveragePrecision
from netcfg.blocks.metrics.calibration_error import CalibrationError
from netcfg.blocks.metrics.ccc import Ccc
from netcfg.blocks.metrics.icc import Icc
from netcfg.blocks.metrics.judgement import Case
from netcfg.blocks.metrics.knn_accuracy import KnnAccuracy
from netcfg.blocks.metrics.mae import Mae
from netcfg.blocks.metrics.mse import Mse
from netcfg.blocks.metrics.pearson import Pearson
from netcfg.blocks.metrics.psnr import Psnr
from netcfg.blocks.metrics.r2 import R2
from netcfg.blocks.metrics.retrieval import Retrieval
from netcfg.blocks.metrics.rmse import Rmse
from netcfg.blocks.metrics.ssim import Ssim

PAIR = {"input": "Net", "target": "truth"}


def numbers(*shape: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(4)
    truth = 1000 + torch.randn(97, *shape, generator=random)  # far from 0, where digits could be lost
    return truth + 0.5 * torch.randn(97, *shape, generator=random) + 0.2, truth


def measure(name: str, x: np.ndarray, y: np.ndarray) -> float:
    """Of scores x and truths y."""
    apart, between = x - y, np.mean((x - x.mean()) * (y - y.mean()))
    rows = np.stack([x, y])
    of_samples = 2 * rows.mean(0).var(ddof=1)  # the mean squares of Shrout and Fleiss
    rest = rows - rows.mean(0) - rows.mean(1, keepdims=True) + rows.mean()
    of_rest = (rest**2).sum() / (len(x) - 1)
    return {
        "mae": np.abs(apart).mean(),
        "mse": (apart**2).mean(),
        "rmse": np.sqrt((apart**2).mean()),
        "r2": 1 - (apart**2).sum() / ((y - y.mean()) ** 2).sum(),
        "pearson": np.corrcoef(x, y)[0, 1],
        "ccc": 2 * between / (x.var() + y.var() + (x.mean() - y.mean()) ** 2),
        "icc": (of_samples - of_rest) / (of_samples + of_rest),
    }[name]


@pytest.mark.parametrize("kind", [Mae, Mse, Rmse, R2, Pearson, Ccc, Icc])
def test_figures_of_numbers_are_those_of_the_formulas(kind: type[Mae]) -> None:
    name = kind.type_name
    x, y = numbers(3)
    each = [measure(name, x[:, k].double().numpy(), y[:, k].double().numpy()) for k in range(3)]
    micro = measure(name, x.double().numpy().ravel(), y.double().numpy().ravel())
    for sizes in ((97,), (1, 90, 6)):
        table = in_parts(kind(**PAIR), Case(x, y, NAMES[:3]), sizes).tables[name]
        assert list(table.labels.values()) == pytest.approx(each, rel=1e-9)
        assert (table.main, table.details["micro"]) == pytest.approx((np.mean(each), micro), rel=1e-9)
    maps, truths = numbers(2, 4, 3)
    found = in_parts(kind(**PAIR), Case(maps, truths, NAMES[:2]), (40, 57)).tables[name]
    flat = [
        measure(name, *(part[:, k].double().numpy().ravel() for part in (maps, truths))) for k in range(2)
    ]
    assert list(found.labels.values()) == pytest.approx(flat, rel=1e-9)


@pytest.mark.parametrize("kind", [Mae, Mse, Rmse, R2, Pearson, Ccc, Icc])
def test_numbers_that_are_masked_or_ignored_are_not_there(kind: type[Mae]) -> None:
    x, y = numbers(3)
    shown = torch.arange(97) % 3 > 0
    expected = kind(**PAIR).judge(Case(x[shown], y[shown])).tables[kind.type_name].main
    for metric, case in (
        (kind(**PAIR, mask="m"), Case(x, y, mask=shown.float())),
        (kind(**PAIR, ignore=-1), Case(x, y.masked_fill(~shown[:, None], -1))),
    ):
        assert metric.judge(case).tables[kind.type_name].main == pytest.approx(expected, rel=1e-12)
    nothing = kind(**PAIR, mask="m").judge(Case(x, y, mask=torch.zeros(97))).tables[kind.type_name]
    assert nothing.main is None
    assert nothing.undefined


def test_what_does_not_vary_correlates_with_nothing() -> None:
    x, y = torch.randn(9, 2), torch.full((9, 2), 0.1)
    for kind in (Pearson, R2):
        assert kind(**PAIR).judge(Case(x, y)).tables[kind.type_name].main is None
    assert Icc(**PAIR).judge(Case(y, y)).tables["icc"].main is None


def test_groups_of_numbers_are_judged_by_their_means() -> None:
    x, y = numbers(2)
    groups = torch.arange(97) // 10
    means = [torch.stack([part[groups == one].double().mean(0) for one in range(10)]) for part in (x, y)]
    found = Mae(**PAIR, group="subject").judge(Case(x, y, groups=groups)).tables["mae"].main
    assert found == pytest.approx((means[0] - means[1]).abs().mean().item())


def test_the_error_by_target_is_a_curve() -> None:
    y = torch.arange(100.0)[:, None]
    x = torch.where(y < 50, y + 1, y + 3)
    (curve,) = Mae(**PAIR).judge(Case(x, y)).curves
    assert curve.y == pytest.approx([1.0] * 5 + [3.0] * 5)
    assert (curve.x_title, curve.y_title) == ("truth", "mean absolute error")


# --- ranks and probabilities


def area(scores: np.ndarray, present: np.ndarray) -> float:
    apart = scores[present][:, None] - scores[~present][None, :]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())


def precision_over_recall(scores: np.ndarray, present: np.ndarray) -> float:
    """Scikit-learn's: the sum over thresholds of (R_n - R_(n-1)) P_n."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        recall = (called & present).sum() / present.sum()
        total += (recall - before) * (called & present).sum() / called.sum()
        before = recall
    return total


@pytest.mark.parametrize(("kind", "formula"), [(Auc, area), (AveragePrecision, precision_over_recall)])
def test_ranks_of_labels_and_of_classes(kind: type[Auc], formula: object) -> None:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(97, 4, generator=random).round(decimals=1)  # with ties
    labels = (torch.rand(97, 4, generator=random) < 0.3).float()
    each = [formula(scores[:, k].numpy(), labels[:, k].numpy() > 0.5) for k in range(4)]  # type: ignore[operator]
    table = in_parts(kind(**PAIR), Case(scores, labels, NAMES), (50, 47)).tables[kind.type_name]
    assert list(table.labels.values()) == pytest.approx(each)
    assert table.main == pytest.approx(np.mean(each))
    logits, truth = classes()
    chances = logits.softmax(1)
    against = [formula(chances[:, k].numpy(), truth.numpy() == k) for k in range(4)]  # type: ignore[operator]
    verdict = kind(**PAIR).judge(Case(logits, truth, NAMES))
    assert list(verdict.tables[kind.type_name].labels.values()) == pytest.approx(against)
    assert [curve.name for curve in verdict.curves] == list(NAMES)


def test_weights_count_as_copies() -> None:
    """What bootstrap draws stand on: a sample of weight 2 is two samples."""
    scores, labels = torch.randn(30, 2), (torch.rand(30, 2) < 0.4).float()
    times = torch.arange(30) % 3
    again = torch.arange(30).repeat_interleave(times)
    for kind in (Auc, AveragePrecision, CalibrationError, Mae, Pearson):
        metric = kind(**PAIR)
        rows = metric.keep(Case(scores, labels))
        expected = metric.judge(Case(scores[again], labels[again])).tables[kind.type_name].main
        assert metric.weigh(rows, times[None].double(), ()).main.item() == pytest.approx(expected, rel=1e-6)


def test_one_class_alone_cannot_be_ranked() -> None:
    table = (
        Auc(**PAIR).judge(Case(torch.randn(5, 2), torch.zeros(5, dtype=torch.long), NAMES[:2])).tables["auc"]
    )
    assert table.main is None
    assert table.undefined == {"happy": "no negative", "sad": "no positive"}


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_calibration_error(norm: str) -> None:
    logits, truth = classes(400)
    sure, answer = (part.numpy() for part in logits.softmax(1).max(1))
    right, place = answer == truth.numpy(), np.minimum((sure * 15).astype(int), 14)
    bins = [
        (np.mean(place == b), abs(sure[place == b].mean() - right[place == b].mean()))
        for b in set(place.tolist())
    ]
    expected = {
        "l1": sum(share * apart for share, apart in bins),
        "l2": np.sqrt(sum(share * apart**2 for share, apart in bins)),
        "max": max(apart for _, apart in bins),
    }[norm]
    found = in_parts(CalibrationError(**PAIR, norm=norm), Case(logits, truth), (100, 300)).tables[
        "calibration_error"
    ]
    assert found.main == pytest.approx(expected, abs=1e-6)


# --- pictures and embeddings


def test_psnr_is_a_mean_over_pictures() -> None:
    pictures = torch.rand(5, 3, 12, 12)
    noisy = pictures + 0.1 * torch.randn(5, 3, 12, 12)
    each = [10 * np.log10(4 / ((noisy[k] - pictures[k]) ** 2).double().mean().item()) for k in range(5)]
    assert Psnr(**PAIR, range=2).judge(Case(noisy, pictures)).tables["psnr"].main == pytest.approx(
        np.mean(each)
    )
    assert Psnr(**PAIR).judge(Case(pictures, pictures)).tables["psnr"].main is None


def test_ssim_of_equal_and_of_opposite_pictures() -> None:
    pictures = torch.rand(4, 1, 16, 16)
    assert Ssim(**PAIR).judge(Case(pictures, pictures)).tables["ssim"].main == pytest.approx(1.0)
    table = Ssim(**PAIR).judge(Case(1 - pictures, pictures)).tables["ssim"]
    assert table.main is not None
    assert table.main < 0
    parts = in_parts(Ssim(**PAIR), Case(1 - pictures, pictures), (1, 3)).tables["ssim"]
    assert parts.main == pytest.approx(table.main, abs=1e-6)


def test_neighbours_of_embeddings() -> None:
    random = torch.Generator().manual_seed(2)
    truth = torch.randint(0, 3, (40,), generator=random)
    codes = torch.nn.functional.one_hot(truth, 3) + 0.6 * torch.randn(40, 3, generator=random)
    near = torch.nn.functional.normalize(codes, dim=1).numpy()
    order = np.array([[k for k in np.argsort(-(near @ near[i]), kind="stable") if k != i] for i in range(40)])
    alike = truth.numpy()[order] == truth.numpy()[:, None]
    assert KnnAccuracy(**PAIR, k=1).compute(codes, truth, ()) == {
        "knn_accuracy": pytest.approx(alike[:, 0].mean())
    }
    ranks = np.arange(1, 40)
    precision = [(np.cumsum(row) / ranks)[row].mean() for row in alike]
    found = in_parts(Retrieval(**PAIR, first=(1, 3)), Case(codes, truth), (7, 33)).tables["retrieval"].figures
    expected = {"recall_1": alike[:, 0].mean(), "recall_3": alike[:, :3].any(1).mean()}
    assert found == pytest.approx({"retrieval": np.mean(precision), **expected})


def test_a_class_alone_is_not_looked_for() -> None:
    codes, truth = torch.eye(3), torch.tensor([0, 0, 1])
    assert Retrieval(**PAIR).compute(codes, truth, ())["retrieval"] == 1.0
    assert KnnAccuracy(**PAIR).compute(codes[:1], truth[:1], ())["knn_accuracy"] is None


def test_bad_input_of_numbers() -> None:
    assert "compares 3 values with a target of 2" in refusal(Mae(**PAIR), input=(3,), target=(2,))
    assert "ranks one answer a sample" in refusal(Auc(**PAIR), input=(4, 6, 5), target=(6, 5))
    assert "windows of 11×11" in refusal(Ssim(**PAIR), input=(1, 8, 8), target=(1, 8, 8))
    assert "needs a class" in refusal(Retrieval(**PAIR), input=(8,), target=(8,))


def test_what_is_no_picture_is_refused_where_it_would_meet_the_other_by_broadcasting() -> None:
    with pytest.raises(ShapeError, match="C×H×W, and `labels` gives 4"):
        Psnr(input="Net", target="labels").check((4, 1, 1), (4,))


def test_of_a_source_without_samples_in_a_split_there_is_no_figure() -> None:
    metric = Psnr(**PAIR)
    kept = metric.keep(Case(torch.rand(3, 1, 4, 4), torch.rand(3, 1, 4, 4)))
    assert kept is not None
    table = metric.judge_rows({name: rows[:0] for name, rows in kept.items()}, ()).tables["psnr"]
    assert table.main is None
    assert table.undefined == {"psnr": "nothing that counts"}
