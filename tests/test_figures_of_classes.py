"""Figures of classes by plain formulas, whatever the cuts of a split; masks, groups, intervals, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

import netcfg
from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.confusion_matrix import ConfusionMatrix
from netcfg.blocks.metrics.dice import Dice
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.iou import Iou
from netcfg.blocks.metrics.judgement import Case, Verdict
from netcfg.blocks.metrics.precision import Precision
from netcfg.blocks.metrics.recall import Recall
from netcfg.blocks.metrics.specificity import Specificity
from netcfg.blocks.metrics.top_k import TopK
from netcfg.blocks.metrics.weighed import WeighedMetric
from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.judging.answers import answers, confusion, highest
from netcfg.trainers.judging.evaluation import whose_sample
from netcfg.trainers.judging.scores import expect_numbers

PAIR = {"input": "Net", "target": "emotion"}
NAMES = ("happy", "sad", "angry", "bored")
COUNTED = (Precision, Recall, Specificity, F1, Iou, Dice)


def split(samples: int = 97, classes: int = 4, places: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(3)
    truth = torch.randint(0, classes, (samples, *places), generator=random)
    noise = torch.randn(samples, classes, *places, generator=random)
    return noise + torch.nn.functional.one_hot(truth, classes).movedim(-1, 1), truth


def in_parts(metric: WeighedMetric, case: Case, sizes: tuple[int, ...]) -> Verdict:
    """Judged batch by batch, as a split is."""
    parts = zip(*(torch.split(one, sizes) for one in (case.scores, case.targets)), strict=True)
    rows = [metric.keep(Case(*part)) for part in parts]
    joined = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
    return metric.judge_rows(joined, case.names)


def by_formula(name: str, predicted: np.ndarray, actual: np.ndarray, classes: int = 4) -> dict[str, float]:
    """What scikit-learn's definitions give."""
    right = np.array([np.sum((predicted == k) & (actual == k)) for k in range(classes)], float)
    said = np.array([np.sum(predicted == k) for k in range(classes)], float)
    true = np.array([np.sum(actual == k) for k in range(classes)], float)
    absent = len(actual) - true

    def share(right, said, true, absent):  # type: ignore[no-untyped-def]
        return {
            "precision": right / np.maximum(said, 1),
            "recall": right / true,
            "specificity": (absent - said + right) / absent,
            "f1": 2 * right / (said + true),
            "dice": 2 * right / (said + true),
            "iou": right / (said + true - right),
        }[name]

    each = share(right, said, true, absent)
    return {
        **dict(zip(NAMES, each, strict=True)),
        "macro": each.mean(),
        "micro": share(right.sum(), said.sum(), true.sum(), absent.sum()),
        "weighted": (each * true).sum() / true.sum(),
    }


@pytest.mark.parametrize("kind", COUNTED)
@pytest.mark.parametrize("places", [(), (5, 3)])
def test_figures_of_classes_are_those_of_the_formulas(kind: type[F1], places: tuple[int, ...]) -> None:
    scores, truth = split(places=places)
    predicted, actual = scores.argmax(1).flatten().numpy(), truth.flatten().numpy()
    expected = by_formula(kind.type_name, predicted, actual)
    for sizes in ((97,), (1, 90, 6), (50, 47)):
        verdict = in_parts(kind(**PAIR), Case(scores, truth, NAMES), sizes)
        figures = verdict.tables[kind.type_name].figures
        assert figures == pytest.approx({kind.type_name: expected["macro"], **expected}, abs=1e-12)
    for average in ("micro", "weighted"):
        found = kind(**PAIR, average=average).judge(Case(scores, truth, NAMES)).tables[kind.type_name]
        assert found.main == pytest.approx(expected[average])


def test_a_class_that_is_not_there_is_out_of_the_means_and_one_never_predicted_counts() -> None:
    truth = torch.tensor([0, 0, 1, 1])
    scores = torch.nn.functional.one_hot(torch.tensor([0, 2, 0, 0]), 4).float()
    table = Precision(**PAIR).judge(Case(scores, truth, NAMES)).tables["precision"]
    assert dict(table.labels) == {"happy": pytest.approx(1 / 3), "sad": 0.0, "angry": None, "bored": None}
    assert table.main == pytest.approx(1 / 6)
    assert table.undefined == {"angry": "no positive", "bored": "no positive"}


def test_accuracy_of_classes_and_balanced_accuracy() -> None:
    scores, truth = split()
    right = (scores.argmax(1) == truth).numpy()
    assert Accuracy(**PAIR).compute(scores, truth, NAMES) == {"accuracy": pytest.approx(right.mean())}
    balanced = np.mean([right[truth.numpy() == k].mean() for k in range(4)])
    found = Accuracy(**PAIR, average="macro").judge(Case(scores, truth, NAMES)).tables["accuracy"]
    assert found.main == pytest.approx(balanced)


def test_top_k_counts_higher_logits() -> None:
    scores, truth = split()
    place = (-scores).argsort(1).argsort(1).gather(1, truth[:, None])[:, 0]
    for k in (1, 2, 3):
        figures = TopK(**PAIR, k=k).compute(scores, truth, NAMES)
        assert figures == {"top_k": pytest.approx((place < k).double().mean().item())}


def test_confusion_matrix_and_kappa() -> None:
    scores, truth = split()
    cells = np.zeros((4, 4))
    np.add.at(cells, (truth.numpy(), scores.argmax(1).numpy()), 1)
    verdict = ConfusionMatrix(**PAIR).judge(Case(scores, truth, NAMES))
    (matrix,) = verdict.matrices
    assert np.array_equal(np.array(matrix.cells), cells)
    assert (matrix.row_title, tuple(matrix.rows)) == ("actual", NAMES)
    chance = (cells.sum(0) * cells.sum(1)).sum() / 97**2
    kappa = (np.trace(cells) / 97 - chance) / (1 - chance)
    assert verdict.tables["confusion_matrix"].main == pytest.approx(kappa)
    (shares,) = ConfusionMatrix(**PAIR, normalise="rows").judge(Case(scores, truth, NAMES)).matrices
    assert np.allclose(np.array(shares.cells), cells / cells.sum(1, keepdims=True))


def test_of_many_classes_the_matrix_shows_those_that_go_wrong() -> None:
    truth = torch.arange(200) % 50
    answer = torch.where(truth < 3, (truth + 1) % 50, truth)
    (matrix,) = (
        ConfusionMatrix(**PAIR).judge(Case(torch.nn.functional.one_hot(answer, 50).float(), truth)).matrices
    )
    assert len(matrix.rows) == 30
    assert {"0", "1", "2", "3"} <= set(matrix.rows)


@pytest.mark.parametrize("kind", [*COUNTED, Accuracy, TopK, ConfusionMatrix])
def test_what_is_masked_or_ignored_is_as_if_it_were_not_there(kind: type[F1]) -> None:
    options = {"k": 2} if kind is TopK else {}  # type: ignore[comparison-overlap]
    scores, truth = split()
    shown = torch.arange(97) % 3 > 0
    expected = kind(**PAIR, **options).judge(Case(scores[shown], truth[shown], NAMES)).tables
    masked = kind(**PAIR, **options, mask="known").judge(Case(scores, truth, NAMES, mask=shown.float()))
    assert masked.tables == expected
    gaps = truth.masked_fill(~shown, -1)
    assert kind(**PAIR, **options, ignore=-1).judge(Case(scores, gaps, NAMES)).tables == expected
    nothing = kind(**PAIR, **options, mask="known").judge(Case(scores, truth, NAMES, mask=torch.zeros(97)))
    assert nothing.tables[kind.type_name].main is None
    assert nothing.tables[kind.type_name].undefined


def test_a_mask_of_places() -> None:
    scores, truth = split(places=(6, 4))
    shown = torch.zeros(97, 6, 4)
    shown[:, :3] = 1
    masked = Iou(**PAIR, mask="seen").judge(Case(scores, truth, NAMES, mask=shown)).tables
    assert masked == Iou(**PAIR).judge(Case(scores[:, :, :3], truth[:, :3], NAMES)).tables


def test_the_background_may_be_left_out_of_the_means() -> None:
    scores, truth = split(places=(6, 4))
    whole = Iou(**PAIR).judge(Case(scores, truth, NAMES)).tables["iou"]
    found = Iou(**PAIR, without=("happy",)).judge(Case(scores, truth, NAMES)).tables["iou"]
    assert found.main == pytest.approx(sum(whole.labels[name] for name in NAMES[1:]) / 3)
    assert found.labels == whole.labels


# --- groups and intervals


@pytest.mark.parametrize("pool", ["sum", "mean_probability", "vote"])
def test_clips_are_judged_as_one(pool: str) -> None:
    scores, truth = split(60)
    clips = torch.arange(60) // 5
    truth = truth[clips * 5]
    mean = {
        "sum": scores,
        "mean_probability": scores.softmax(1),
        "vote": torch.nn.functional.one_hot(scores.argmax(1), 4).float(),
    }[pool]
    answers = torch.stack([mean[clips == clip].sum(0).argmax() for clip in range(12)])
    expected = (answers == truth[::5]).double().mean().item()
    order = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    metric = Accuracy(**PAIR, group="clip", pool=pool)
    found = metric.judge(Case(scores[order], truth[order], NAMES, groups=clips[order]))
    assert found.tables["accuracy"].main == pytest.approx(expected)


def test_labels_of_clips_by_their_mean_probability() -> None:
    scores, clips = torch.tensor([[9.0, -1.0], [-1.0, -1.0], [-1.0, 3.0]]), torch.tensor([0, 0, 1])
    labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = Recall(**PAIR, group="clip", pool="mean_probability").judge(Case(scores, labels, groups=clips))
    assert found.tables["recall"].main == 1.0
    voted = Recall(**PAIR, group="clip", pool="vote").judge(Case(scores, labels, groups=clips))
    assert voted.tables["recall"].main == 0.5  # one of two is no majority


def test_a_group_has_one_truth() -> None:
    case = Case(torch.zeros(2, 3), torch.tensor([0, 1]), groups=torch.tensor([7, 7]))
    with pytest.raises(NetcfgError, match=r"(?s)samples of group 7 have different targets.*help: "):
        Accuracy(**PAIR, group="clip").judge(case)


def test_intervals_are_as_wide_as_they_should_be() -> None:
    """Of a share p of n samples about 1.96 sqrt(p (1 - p) / n) to both sides; of n / 4 clips, twice that."""
    right = torch.arange(400) % 4 > 0
    scores = torch.stack([right.float(), 1 - right.float()], 1)
    case = Case(scores, torch.zeros(400, dtype=torch.long), units=torch.arange(400) // 4)
    table = Accuracy(**PAIR, interval=0.95).judge(Case(case.scores, case.targets)).tables["accuracy"]
    low, high = table.intervals["accuracy"]
    assert (0.75 - low, high - 0.75) == pytest.approx((0.0424, 0.0424), abs=0.008)
    alike = torch.arange(400) // 4 % 4 > 0
    scores = torch.stack([alike.float(), 1 - alike.float()], 1)
    whole = Accuracy(**PAIR, interval=0.95, interval_over="clip").judge(
        Case(scores, case.targets, units=torch.arange(400) // 4)
    )
    low, high = whole.tables["accuracy"].intervals["accuracy"]
    assert (0.75 - low, high - 0.75) == pytest.approx((0.0849, 0.0849), abs=0.016)
    assert (
        netcfg.results.Evaluation.from_json(netcfg.results.Evaluation(tables=whole.tables).to_json()).tables
        == whole.tables
    )


# --- what is refused


def refusal(metric: WeighedMetric, names: tuple[str, ...] = NAMES, **shapes: tuple[int, ...]) -> str:
    with pytest.raises(ShapeError) as caught:
        metric.check_signals(shapes, names)
    return str(caught.value)


def test_bad_input_is_refused_before_training() -> None:
    assert "gives 7 logits, but `emotion` has 4 classes" in refusal(Accuracy(**PAIR), input=(7,), target=())
    assert "needs two classes at least" in refusal(Recall(**PAIR), ("a",), input=(1,), target=())
    assert "`ignore = 2`, which is the class `angry`" in refusal(F1(**PAIR, ignore=2), input=(4,), target=())
    assert "no mask of 6×4" in refusal(Iou(**PAIR, mask="m"), input=(4, 6, 4), target=(6, 4), mask=(5, 4))
    assert "not one answer a sample" in refusal(
        Iou(**PAIR, group="c"), input=(4, 6, 4), target=(6, 4), group=()
    )
    assert "one number for each sample" in refusal(Iou(**PAIR, group="c"), input=(4,), target=(), group=(3,))
    assert "where every class is" in refusal(TopK(**PAIR, k=4), input=(4,), target=())
    assert "`threshold`, which is for labels" in refusal(F1(**PAIR, threshold=0.4), input=(4,), target=())
    assert "leave out `sky`" in refusal(Dice(**PAIR, without=("sky",)), input=(4, 6, 4), target=(6, 4))
    assert "for each place of `Net`, which gives 4×6×4, and `emotion` is 5×4" in refusal(
        Dice(**PAIR), input=(4, 6, 4), target=(5, 4)
    )
    assert F1(**PAIR, mask="m", threshold="best").conflict() is not None
    assert Recall(**PAIR, pool="vote").conflict() is not None
    assert Recall(**PAIR, interval_over="clip").conflict() is not None


def test_a_class_that_no_logit_stands_for_is_told_with_its_sample() -> None:
    case = Case(torch.zeros(3, 3), torch.tensor([0, 5, 1]))
    batch = SimpleNamespace(numbers=[7, 2, 4], size=3)
    pipeline = SimpleNamespace(ids=[f"face{number}" for number in range(9)])
    with (
        pytest.raises(NetcfgError, match="`emotion` of the sample face2 is the class 5"),
        whose_sample(pipeline, batch),
    ):
        Accuracy(**PAIR).keep(case)


def test_a_class_that_no_logit_stands_for_is_told() -> None:
    with pytest.raises(
        NetcfgError, match=r"(?s)compares 3 classes, 0 to 2, and `emotion` is the class 5.*ignore = 5"
    ):
        Accuracy(**PAIR).compute(torch.zeros(2, 3), torch.tensor([0, 5]), ())


def test_a_mask_that_is_no_field_is_told_at_its_place() -> None:
    text = (
        "{Data}\n[synthetic_faces]\nimage_size = 16\n{Net}\n[net]\n[input]\nname = image\nchannels = 3\nheight = 16\n"
        "width = 16\n[flatten]\n[connected]\noutput_features = 7\n"
        "{Loss}\n[cross_entropy]\ninput = Net\ntarget = emotion\n{Optimizer}\n[sgd]\nnetworks = Net\n"
        "minimise = cross_entropy\nlearning_rate = 0.1\n{Metric}\n[recall]\ninput = Net\ntarget = emotion\n"
        "mask = mosk\n"
    )
    with pytest.raises(ProgramError) as caught:
        netcfg.load(text)
    (finding,) = caught.value.findings
    assert (finding.code, "`mosk`" in finding.message) == ("NC501", True)


# --- quickly, and the same


@pytest.mark.parametrize("classes", [2, 7, 64, 65, 300])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_the_highest_of_a_map_is_the_first_of_several(classes: int, kind: torch.dtype) -> None:
    scores = torch.randint(-3, 3, (3, classes, 50)).to(kind)
    scores[0, :, 1] = -torch.inf
    scores[1, classes // 2, 2] = torch.inf
    assert torch.equal(highest(scores).long(), scores.argmax(1))


def test_maps_of_many_classes_are_counted_as_one_by_one() -> None:
    scores, truth = split(3, 70, (8, 5))
    truth[0, 0] = 255
    found = answers(("iou", "n", "t"), scores, truth, ignore=255)
    table = confusion(found, highest(found.scores))
    expected = torch.zeros_like(table)
    for sample, row, column in (truth != 255).nonzero().tolist():
        said = int(scores[sample, :, row, column].argmax())
        expected[sample, truth[sample, row, column], said] += 1
    assert torch.equal(table, expected)


@pytest.mark.parametrize(
    ("values", "finite", "is_told"),
    [
        ([3e38, 3e38, 1.0], False, False),
        ([3e38, 3e38, 1.0], True, False),
        ([np.inf, -np.inf], False, False),
        ([np.inf, 1.0], True, True),
        ([np.nan, 1.0], False, True),
        ([], True, False),
    ],
)
def test_only_what_is_no_number_is_told(values: list[float], finite: bool, is_told: bool) -> None:
    try:
        expect_numbers("iou", "n", torch.tensor(values), finite=finite)
    except NetcfgError:
        assert is_told
    else:
        assert not is_told
