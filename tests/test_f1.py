"""F1 as the AUNets are judged by it: the published values, medians within clips, thresholds that are searched for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from golden_rules import golden, uniform
from torch import Tensor

import netcfg
from netcfg.blocks.metrics.auc import Auc
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.figures import Undefined
from netcfg.blocks.metrics.judgement import Case
from netcfg.blocks.metrics.two_afc import TwoAfc
from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.judging.decisions import Search, median_filtered

PAIR = {"input": "Net", "target": "labels"}
CASES = golden("aunets_metrics")["cases"]
ORIGINAL = {"median_window": (1, 3, 5, 7), "across_clips": True, "baselines": True}


def score(case: dict[str, Any]) -> Tensor:
    name, _, scale = case["pred"].removeprefix("(U(").partition(",40)+1)/2*")
    return torch.from_numpy((uniform(name, 40) + 1) / 2 * float(scale)).view(-1, 1)


def actual(case: dict[str, Any]) -> Tensor:
    return torch.tensor(case["gt"]).view(-1, 1) > 0


def logit(case: dict[str, Any]) -> Tensor:
    return score(case).logit().float()


# --- the published code's values


@pytest.mark.parametrize("case", CASES)
def test_f1_is_the_originals_with_and_without_medians(case: dict[str, Any]) -> None:
    tables = F1(**PAIR, **ORIGINAL).judge(Case(logit(case), actual(case).float())).tables
    expected = {
        "f1": case["f1_at_0_5"],
        "f1_median3": case["f1_median3"],
        "f1_median5": case["f1_median5"],
        "f1_median7": case["f1_median7"],
        "f1_all_zeros": case["f1_all_zeros"],
        "f1_all_ones": case["f1_all_ones"],
    }
    assert {name: table.main for name, table in tables.items()} == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("window", [3, 5, 7])
def test_the_median_of_a_whole_list_is_the_originals(case: dict[str, Any], window: int) -> None:
    smooth = median_filtered(score(case) > 0.5, window, None)
    assert smooth[:, 0].long().tolist() == case[f"median{window}"]


@pytest.mark.parametrize("case", CASES)
def test_the_search_for_a_threshold_is_the_originals(case: dict[str, Any]) -> None:
    search = Search.over(score(case), actual(case))
    assert search.f1.nan_to_num(0).max().item() == pytest.approx(case["f1_max_python_max"], abs=1e-8)
    assert search.f1.isnan().sum() == case["undefined_thresholds"]
    assert search.best().item() == pytest.approx(case["threshold_of_true_maximum"], abs=1e-8)
    assert search.first_undefined().item() == pytest.approx(case["threshold_as_implemented"], abs=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_the_best_threshold_gives_the_highest_f1(case: dict[str, Any]) -> None:
    given = Case(logit(case), actual(case).float())
    verdict = F1(**PAIR, threshold="best").judge(given)
    assert verdict.tables["f1"].main == pytest.approx(case["f1_max_python_max"], abs=1e-8)
    quirk = F1(**PAIR, threshold="best", first_undefined_threshold=True).judge(given)
    assert quirk.thresholds == pytest.approx([case["threshold_as_implemented"]], abs=1e-8)
    assert quirk.tables["f1"].main == 0.0


# --- against a plain reading of the definitions


def plain_f1(predicted: Tensor, present: Tensor) -> float:
    both = int((predicted & present).sum())
    return 2 * both / max(int(predicted.sum()) + int(present.sum()), 1)


def plain_median(decisions: list[bool], window: int) -> list[bool]:
    half = window // 2
    if len(decisions) < window:
        return decisions
    inner = [sorted(decisions[i - half : i + half + 1])[half] for i in range(half, len(decisions) - half)]
    return [inner[0]] * half + inner + [inner[-1]] * half


@pytest.mark.parametrize("window", [1, 3, 5, 9])
def test_medians_stay_within_clips(window: int) -> None:
    random = torch.Generator().manual_seed(window)
    lengths = [12, 1, 9, 4, 20, 2, 5]
    clips = torch.repeat_interleave(torch.tensor([7, 3, 9, 0, 5, 2, 1]), torch.tensor(lengths))
    decisions = torch.rand(len(clips), 3, generator=random) > 0.5
    smooth = median_filtered(decisions, window, clips)
    for label in range(3):
        rows = [part[:, label].tolist() for part in decisions.split(lengths)]
        assert smooth[:, label].tolist() == [one for row in rows for one in plain_median(row, window)]


def test_the_search_counts_at_every_threshold() -> None:
    random = torch.Generator().manual_seed(0)
    values = torch.rand(120, 4, generator=random)
    values[:40] = values[:40].round(decimals=1)
    present = torch.rand(120, 4, generator=random) > torch.tensor([0.1, 0.5, 0.9, 1.0])
    search = Search.over(values, present)
    for label in range(4):
        f1 = [plain_f1(values[:, label] >= t, present[:, label]) for t in search.thresholds]
        assert search.f1[label].nan_to_num(0).tolist() == pytest.approx(f1)
        assert search.best()[label] == search.thresholds[f1.index(max(f1))]


@pytest.mark.parametrize(("undefined", "figure"), [("excluded", None), ("zero", 0.0)])
def test_a_label_without_positives_is_judged_by_the_lowest_threshold(
    undefined: Undefined, figure: float | None
) -> None:
    metric = F1(**PAIR, threshold="validation", undefined=undefined)
    verdict = metric.judge(Case(torch.zeros(5, 1), torch.zeros(5, 1)))
    assert verdict.thresholds == pytest.approx([0.01])
    assert verdict.tables["f1"].figures == {"f1": figure}


# --- thresholds and tables


def test_a_threshold_chosen_on_validation_judges_other_splits() -> None:
    metric = F1(**PAIR, threshold="validation")
    seen = metric.judge(Case(torch.tensor([[-2.0], [-1.0], [1.0]]), torch.tensor([[0.0], [1.0], [1.0]])))
    assert seen.tables["f1"].main == 1.0
    assert seen.thresholds is not None
    scores, targets = torch.tensor([[-1.0], [-2.0]]), torch.tensor([[1.0], [1.0]])
    other = metric.judge(Case(scores, targets, thresholds=seen.thresholds))
    assert other.thresholds == seen.thresholds
    assert other.tables["f1"].main == pytest.approx(2 / 3)


def test_micro_pools_the_counts_of_labels() -> None:
    scores = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    labels = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    verdict = F1(**PAIR, average="micro").judge(Case(scores, labels, ("AU1", "AU2")))
    assert verdict.tables["f1"].figures == {
        "f1": pytest.approx(2 * 2 / (2 * 2 + 1 + 1)),
        "AU1": 1.0,
        "AU2": 0.0,
    }
    assert verdict.tables["f1"].counts == {"AU1": (2, 0, 0), "AU2": (0, 1, 1)}


def test_the_area_under_roc_is_two_afc() -> None:
    random = torch.Generator().manual_seed(0)
    values, present = torch.randn(50, 2, generator=random), torch.rand(50, 2, generator=random).round()
    area = Auc(**PAIR).compute(values, present, ("a", "b"))
    assert area == {
        name.replace("two_afc", "auc"): value
        for name, value in TwoAfc(**PAIR).compute(values, present, ("a", "b")).items()
    }


# --- refused


def test_frames_of_a_clip_must_stand_together() -> None:
    with pytest.raises(NetcfgError, match="(?s)frames of clip 4 do not stand together.*median_window = 1"):
        median_filtered(torch.ones(4, 1) > 0, 3, torch.tensor([4, 4, 5, 4]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("median_window = 1, 4", "odd number of frames, and `median_window` has 4"),
        ("median_window = 3, 3", "names a `median_window` twice"),
        ("threshold = validation\ndecision = logit", "has `decision = logit`"),
        ("first_undefined_threshold = True", "its threshold is not searched for"),
        ("threshold = tuned", "`threshold` must be a number or one of `validation`, `best`, found `tuned`"),
    ],
)
def test_impossible_options_are_refused(options: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        netcfg.load(program(options))


def test_a_median_within_clips_needs_clips() -> None:
    data = netcfg.load(program("median_window = 1, 3")).data
    assert data is not None
    assert "clip" in data.used
    without = program("median_window = 1, 3").replace(
        "action_units = 12", "action_units = 12\nfields = image, labels"
    )
    with pytest.raises(
        ProgramError, match=r"(?s)NC501.*the data have no field `clip`.*`across_clips = True`"
    ):
        netcfg.load(without)
    netcfg.load(without.replace("1, 3", "1, 3\nacross_clips = True"))


def test_no_metric_is_called_as_a_variant_of_another() -> None:
    clash = program("median_window = 1, 3") + "[f1]\nname = f1_median3\ninput = Net\ntarget = labels\n"
    with pytest.raises(ProgramError, match="NC107.*`f1_median3` is what `f1` calls one of its variants"):
        netcfg.load(clash)


def program(options: str) -> str:
    return (
        "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = 12\n"
        "{Net}\n[net]\n[input]\nname = image\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
        "[connected]\noutput_features = 1\n"
        "{Loss}\n[bce_with_logits]\ninput = Net\ntarget = labels\n"
        "{Optimizer}\n[adam]\nnetworks = Net\nminimise = bce_with_logits\n"
        f"{{Metric}}\n[f1]\ninput = Net\ntarget = labels\n{options}\n"
    )
