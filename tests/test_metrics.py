"""Metrics against the published system's values, against counting pairs one by one, and at their edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from golden_rules import golden, uniform
from torch import Tensor

import netcfg
from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.emd_bound import EmdBound
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.frechet_distance import FrechetDistance
from netcfg.blocks.metrics.judgement import Case
from netcfg.blocks.metrics.two_afc import TwoAfc
from netcfg.blocks.metrics.variance import Variance
from netcfg.blocks.metrics.xcov import Xcov
from netcfg.passes.schema import check_section
from netcfg.source import Finding, NetcfgError, SourceFile
from netcfg.syntax import parse

PAIR = {"input": "Net", "target": "labels"}
CODES = {"input": "z1", "target": "z2"}
UNITS = ("AU1", "AU2", "AU4", "AU5")


# --- AUDetNet's values

GOLDEN = golden("audetnet_metrics")


def scores() -> Tensor:
    return torch.from_numpy(((uniform("metric.pred", 96) + 1) / 2).round(2)).view(24, 4).float()


def labels() -> Tensor:
    present = torch.from_numpy(uniform("metric.gt", 96) > 0.2).view(24, 4).float()
    present[:, 3] = 0
    return present


def codes() -> tuple[Tensor, Tensor]:
    x = torch.from_numpy(uniform("metric.x", 80)).view(16, 5, 1, 1)
    y = torch.from_numpy(uniform("metric.y", 48)).view(16, 3, 1, 1) + 0.5 * x[:, :3]
    return x.float(), y.float()


def expected(main: str, value: float, each: str, overall: str | None = None) -> dict[str, object]:
    details = dict(zip(UNITS, GOLDEN[each], strict=True))
    total = {"overall": GOLDEN[overall]} if overall else {}
    return pytest.approx({main: value, **details, **total}, abs=1e-6)  # type: ignore[no-any-return]


def test_the_first_of_the_highest_is_the_answer() -> None:
    from netcfg.trainers.judging.answers import highest

    scores = torch.tensor([[0.0, 2, 2, 1], [3, 3, 3, 3]])
    maps = scores[:, :, None].expand(2, 4, 500)
    assert highest(maps).unique(dim=1).tolist() == [[1], [0]]
    drawn = torch.randn(3, 7, 40)
    assert torch.equal(highest(drawn), drawn.argmax(1))


def test_f1_is_audetnets() -> None:
    figures = F1(**PAIR, decision="logit", undefined="zero").compute(scores(), labels(), UNITS)
    assert figures == expected("f1", GOLDEN["f1_macro"], "f1_per_au", "f1_micro")


def test_accuracy_is_audetnets() -> None:
    figures = Accuracy(**PAIR, decision="logit").compute(scores(), labels(), UNITS)
    assert figures == expected("accuracy", sum(GOLDEN["accuracy"]) / 4, "accuracy")


def test_two_afc_is_audetnets() -> None:
    figures = TwoAfc(**PAIR, undefined="zero").compute(scores(), labels(), UNITS)
    mean = sum(GOLDEN["component_2afc"]) / 4
    assert figures == expected("two_afc", mean, "component_2afc", "overall_2afc")


def test_xcov_and_variance_are_audetnets() -> None:
    x, y = codes()
    assert Xcov(**CODES).compute(x, y, ()) == {"xcov": pytest.approx(GOLDEN["xcov"], abs=1e-7)}
    variance = Variance(input="z2").compute(x, None, ())
    assert variance == {"variance": pytest.approx(GOLDEN["average_variance_x"], abs=1e-6)}


# --- decisions


def test_a_logit_is_compared_as_a_probability_unless_said_otherwise() -> None:
    logits, present = torch.tensor([[0.4], [0.6]]), torch.ones(2, 1)
    assert F1(**PAIR).compute(logits, present, ())["f1"] == 1.0
    assert F1(**PAIR, decision="logit").compute(logits, present, ())["f1"] == pytest.approx(2 / 3)
    assert Accuracy(**PAIR, decision="logit", threshold=-1).compute(logits, present, ())["accuracy"] == 1.0


@pytest.mark.parametrize("section", [F1, Accuracy, TwoAfc])
def test_graded_labels_are_present_above_a_limit(section: type[F1]) -> None:
    logits, intensity = torch.tensor([[1.0], [-1.0]]), torch.tensor([[0.4], [0.2]])
    metric = section(**PAIR, active_above=0.3)
    assert metric.compute(logits, intensity, ()) == {metric.type_name: 1.0}


def test_a_probability_has_a_threshold_between_0_and_1() -> None:
    text = "{Metric}\n[f1]\ninput = Net\ntarget = labels\nthreshold = -2\n"
    findings: list[Finding] = []
    tree = parse(SourceFile("a.cfg", text), findings)
    check_section(tree.items[0].sections[0], F1, findings)  # type: ignore[union-attr]
    assert [finding.code for finding in findings] == ["NC105"]
    assert "`decision = logit`" in findings[0].message


def test_a_metric_is_not_hidden_by_a_label_of_its_name() -> None:
    figures = F1(name="AU1", **PAIR).compute(torch.tensor([[9.0, -9.0]]), torch.ones(1, 2), ("AU1", "AU2"))
    assert figures == {"AU1": 0.5, "AU2": 0.0, "overall": pytest.approx(2 / 3)}


def test_of_a_single_label_nothing_is_said_twice() -> None:
    assert list(F1(**PAIR).compute(torch.ones(2, 1), torch.ones(2, 1), ("AU12",))) == ["f1", "AU12"]


# --- pairs


def pairs_one_by_one(column: Tensor, present: Tensor) -> float:
    positives, negatives = column[present > 0.5], column[present < 0.5]
    difference = positives[:, None] - negatives[None, :]
    return float(((difference > 0).double() + 0.5 * (difference == 0).double()).mean())


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_two_afc_counts_pairs(digits: int) -> None:
    random = torch.Generator().manual_seed(digits)
    values = torch.randn(300, 5, generator=random).round(
        decimals=digits
    )  # 0 digits: mostly ties, ±0 among them
    present = (torch.rand(300, 5, generator=random) < torch.linspace(0.05, 0.9, 5)).float()
    found = TwoAfc(**PAIR).compute(values, present, "abcde")
    each = [pairs_one_by_one(values[:, unit], present[:, unit]) for unit in range(5)]
    assert [found[name] for name in "abcde"] == pytest.approx(each, abs=1e-12)
    assert found["overall"] == pytest.approx(pairs_one_by_one(values.ravel(), present.ravel()), abs=1e-12)
    assert found["two_afc"] == pytest.approx(sum(each) / 5)


def test_two_afc_of_endless_scores() -> None:
    values = torch.tensor([[float("inf")], [float("inf")], [-float("inf")], [0.0]])
    assert TwoAfc(**PAIR).compute(values, torch.tensor([[1.0], [0], [0], [0]]), ())["two_afc"] == 2.5 / 3


@pytest.mark.parametrize("present", [0.0, 1.0])
def test_two_afc_of_one_side_is_undefined_or_as_audetnet_counts_it_0(present: float) -> None:
    values, labels = torch.randn(8, 1), torch.full((8, 1), present)
    assert TwoAfc(**PAIR).compute(values, labels, ())["two_afc"] is None
    assert TwoAfc(**PAIR, undefined="zero").compute(values, labels, ())["two_afc"] == 0.0


def test_labels_that_lack_a_side_are_out_of_the_mean_and_named_with_what_lacks() -> None:
    values = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    labels = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
    table = TwoAfc(**PAIR).judge(Case(values, labels, UNITS[:3])).tables["two_afc"]
    assert (table.main, dict(table.labels)) == (1.0, {"AU1": 1.0, "AU2": None, "AU4": None})
    assert table.undefined == {"AU2": "no negative", "AU4": "no positive"}
    assert table.figures["overall"] is not None
    f1 = F1(**PAIR).judge(Case(values, labels, UNITS[:3])).tables["f1"]
    assert f1.undefined == {"AU4": "no positive"}  # F1 needs no negatives
    assert f1.labels["AU2"] == pytest.approx(2 / 3)
    assert f1.main == pytest.approx((1.0 + 2 / 3) / 2)


def test_two_afc_leaves_the_scores_as_they_are() -> None:
    values, present = scores(), labels()
    TwoAfc(**PAIR).compute(values, present, ())
    assert torch.equal(values, scores())
    assert torch.equal(present, labels())


# --- moments


def test_xcov_of_a_code_and_itself() -> None:
    code = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert Xcov(**CODES).compute(code, -3 * code + 7, ())["xcov"] == pytest.approx(0.5)


def test_a_constant_component_correlates_with_nothing() -> None:
    """The mean of seven 0.1 is not 0.1: what rounding leaves must not be found alike."""
    constant = torch.full((7, 1), 0.1, dtype=torch.float64)
    moving = torch.arange(7.0)[:, None]
    code = torch.cat([constant, moving], 1)
    assert Xcov(**CODES).compute(code, code, ())["xcov"] == pytest.approx(1 / 4)
    assert Xcov(**CODES).compute(constant, constant, ())["xcov"] == 0.0
    assert Variance(input="z").compute(constant, None, ())["variance"] == 0.0


def test_variance_is_a_metric_of_one_signal() -> None:
    assert "target" not in Variance.readers()
    assert Variance.required_options() == ["input"]
    assert Xcov.required_options() == ["input", "target"]


def test_emd_bound_is_the_distance_of_two_means() -> None:
    real, shuffled = torch.tensor([[1.0], [2.0]]), torch.tensor([[4.0], [5.0], [6.0]])
    assert EmdBound(**CODES).compute(real, shuffled, ()) == {"emd_bound": 3.5, "signed": -3.5}


def test_frechet_distance_is_that_of_normal_distributions() -> None:
    drawn = torch.Generator().manual_seed(0)
    mix = torch.randn(5, 5, generator=drawn)
    real, made = torch.randn(400, 5, generator=drawn), torch.randn(300, 5, generator=drawn) @ mix + 0.3
    given = FrechetDistance(**CODES).compute(made, real, ())
    mean, of_made = (
        made.mean(0).double().numpy() - real.mean(0).double().numpy(),
        np.cov(made.double().numpy().T),
    )
    of_real = np.cov(real.double().numpy().T)
    root = np.sqrt(np.linalg.eigvals(of_made @ of_real).astype(complex)).real.sum()
    expected = mean @ mean + np.trace(of_made) + np.trace(of_real) - 2 * root
    assert given == {
        "frechet_distance": pytest.approx(expected, rel=1e-6),
        "means": pytest.approx(mean @ mean),
    }


def test_frechet_distance_of_the_same_features_is_nothing() -> None:
    features = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))  # fewer samples than features
    assert FrechetDistance(**CODES).compute(features, features, ())["frechet_distance"] == pytest.approx(
        0, abs=1e-9
    )
    shifted = FrechetDistance(**CODES).compute(features + 2, features, ())
    assert shifted == {"frechet_distance": pytest.approx(32, rel=1e-5), "means": pytest.approx(32, rel=1e-5)}
    with pytest.raises(ShapeError, match="compares features of one kind, and `z1` gives 4, `z2` 3"):
        FrechetDistance(**CODES).check((4,), (3,))


def test_what_is_better() -> None:
    lower = [
        metric.type_name for metric in (F1, TwoAfc, Xcov, Variance, EmdBound) if not metric.higher_is_better
    ]
    assert lower == ["xcov", "emd_bound"]


# --- refused


@pytest.mark.parametrize("section", [F1, Accuracy, TwoAfc, Xcov, Variance, EmdBound])
def test_a_nan_is_no_figure(section: type[F1]) -> None:
    options = {"input": "Net"} if section is Variance else PAIR  # type: ignore[comparison-overlap]
    bad = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    with pytest.raises(
        NetcfgError, match="(?s)metric `mine` has no value: 1 of the 4 numbers of `Net`.*help: "
    ):
        section(name="mine", **options).compute(bad, torch.ones(2, 2), ())


def test_infinity_is_no_moment() -> None:
    with pytest.raises(NetcfgError, match="1 of the 2 numbers of `z2` are NaN or infinite"):
        Xcov(**CODES).compute(torch.tensor([[0.0], [1.0]]), torch.tensor([[float("inf")], [1.0]]), ())


def test_one_sample_has_no_variance() -> None:
    with pytest.raises(NetcfgError, match="at least 2 samples of `z2`, and the split gives 1"):
        Variance(input="z2").compute(torch.ones(1, 4), None, ())


def test_codes_are_vectors_of_any_lengths() -> None:
    Xcov(**CODES).check((128,), (32, 1, 1))
    with pytest.raises(ShapeError, match="needs a vector for each sample, and `z2` gives 32×4×4") as caught:
        Xcov(**CODES).check((128,), (32, 4, 4))
    assert caught.value.argument == 1
    with pytest.raises(ShapeError, match="`z2` gives 3×8×8"):
        Variance(input="z2").check((3, 8, 8), None)


def test_a_target_that_is_not_there_is_one_finding_for_all_who_ask_for_it() -> None:
    text = "{Data}\n[synthetic_faces]\nimage_size = 16\n{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
    text += "[connected]\noutput_features = 2\n{Loss}\n[bce_with_logits]\ninput = N\ntarget = lables\n"
    text += "{Metric}\n[f1]\ninput = N\ntarget = lables\n[auc]\ninput = N\ntarget = lables\n"
    (finding,) = [found for found in netcfg.check(text)[1] if found.code == "NC501"]
    assert [note.span.line for note in finding.notes] == [19, 22]
