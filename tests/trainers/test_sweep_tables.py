"""The tables of a sweep, from figures that are known."""

import io
import json
from statistics import fmean, stdev

import pytest
from rich.console import Console

from netcfg.blocks.general.training import Published
from netcfg.results import Evaluation, Table
from netcfg.trainers.sweeps.tables import Judged, sweep_grids, sweep_tables

F1 = {("1", "0"): 0.2, ("1", "1"): 0.4, ("4", "0"): 0.5, ("4", "1"): 0.9}


def run(values, f1, counts=None, undefined=()):
    label = f"AU{values[0]}"
    main = Table("f1", f1, {label: f1}, counts=counts, undefined=dict.fromkeys(undefined, "no positive"))
    tables = {"f1": main, "f1_median3": Table("f1_median3", None if f1 is None else f1 / 2)}
    return Judged(values, Evaluation(tables=tables, variants={"f1": ["f1_median3"]}))


def runs():
    return [run(values, f1) for values, f1 in F1.items()]


def lines(grid):
    console = Console(file=io.StringIO(), width=120)
    console.print(grid.as_text())
    return [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]


def test_rows_and_columns_are_summed_up_with_their_spread():
    (table,) = sweep_tables(["au", "fold"], runs())
    part = table.as_json()["parts"][0]
    assert part["rows"]["1"]["cells"] == {"0": 0.2, "1": 0.4}
    assert part["rows"]["1"]["total"] == pytest.approx(0.3)
    assert part["rows"]["4"]["spread"] == pytest.approx(stdev([0.5, 0.9]))
    assert part["total"]["cells"] == pytest.approx({"0": 0.35, "1": 0.65})
    assert part["total"]["total"] == pytest.approx(fmean(F1.values()))
    json.dumps(table.as_json())


def test_a_table_per_metric_and_one_of_all_figures():
    f1, everything = sweep_grids(["au", "fold"], runs(), "test")
    assert f1.title == "f1, test split"
    assert ["4", "0.500", "0.900", "0.700", "±", "0.283"] in lines(f1)
    assert ["mean", "0.350", "0.650", "0.500", "±", "0.212"] in lines(f1)
    assert ["f1_median3", "0.175", "0.325", "0.250", "±", "0.106"] in lines(everything)


def test_runs_that_are_missing_leave_a_gap():
    judged = [*runs()[:3], Judged(("4", "1"), Evaluation())]
    grid = sweep_grids(["au", "fold"], judged, "test")[0]
    assert ["4", "0.500", "–", "0.500"] in lines(grid)
    assert sweep_grids(["au", "fold"], [Judged(("4", "1"), Evaluation())], "test") == []


def test_published_figures_stand_beside_their_rows_and_their_mean_beside_all():
    published = Published(
        metric="f1", of="au", rows=("1", "4"), figures=(0.5, 0.7), mean=0.61, source="A paper"
    )
    grid = sweep_grids(["au", "fold"], runs(), "test", published)[0]
    assert grid.note == "published: A paper"
    assert [row[-1] for row in lines(grid) if row[:1] in (["1"], ["4"], ["mean"])] == [
        "0.500",
        "0.700",
        "0.610",
    ]
    some = sweep_tables(["au", "fold"], runs()[:2], published)[0]
    assert some.published["mean"] == 0.5
    other = published.model_copy(update={"of": "fold"})
    assert sweep_tables(["au", "fold"], runs(), other)[0].published == {}


def test_a_micro_metric_is_pooled_by_its_counts():
    counts = {("1", "0"): (1, 2, 3), ("1", "1"): (4, 0, 0), ("4", "0"): (0, 0, 5), ("4", "1"): (2, 2, 2)}
    judged = [
        run(values, 2 * hits / (2 * hits + false + missed), counts={"AU": (hits, false, missed)})
        for values, (hits, false, missed) in counts.items()
    ]
    (table,) = sweep_tables(["au", "fold"], judged)
    part = table.as_json()["parts"][0]
    assert table.total_name == "pooled"
    assert part["rows"]["1"]["total"] == pytest.approx(2 * 5 / (2 * 5 + 2 + 3))
    assert part["total"]["total"] == pytest.approx(2 * 7 / (2 * 7 + 4 + 10))


def test_one_variable_gives_rows_only():
    judged = [run((rate,), f1) for rate, f1 in (("1e-3", 0.5), ("1e-4", 0.7))]
    (grid,) = sweep_grids(["learning_rate"], judged, "validation")
    assert grid.columns == ["f1"]
    assert ["1e-4", "0.700"] in lines(grid)
    assert ["mean", "0.600", "±", "0.141"] in lines(grid)


def test_a_third_variable_makes_parts():
    judged = [run((size, *values), f1) for size in ("64", "128") for values, f1 in F1.items()]
    grid = sweep_grids(["size", "au", "fold"], judged, "test")[0]
    assert [part.title for part in grid.parts] == ["size 64", "", "size 128", ""]
    assert lines(grid).count(["4", "0.500", "0.900", "0.700", "±", "0.283"]) == 2


def test_labels_are_rows_where_runs_judge_several():
    judged = [
        Judged(
            (fold,), Evaluation(tables={"f1": Table("f1", 0.5, {"AU1": 0.4, "AU4": value}, {"overall": 0.6})})
        )
        for fold, value in (("0", 0.6), ("1", 0.8))
    ]
    grid = sweep_grids(["fold"], judged, "test")[0]
    assert grid.columns == ["fold 0", "fold 1", "mean"]
    assert ["AU4", "0.600", "0.800", "0.700", "±", "0.141"] in lines(grid)
    assert ["mean", "0.500", "0.600", "0.550", "±", "0.071"] in lines(grid)


def test_latex_is_escaped_and_ruled():
    latex = sweep_grids(["au", "fold"], runs(), "test")[1].as_latex()
    assert r"f1\_median3 & 0.175 & 0.325 & 0.250 $\pm$ 0.106 \\" in latex
    assert latex.count("rule") == 3


def test_what_cannot_be_known_is_a_dash_out_of_means_and_said_once():
    judged = [*runs()[:2], run(("4", "0"), None, undefined=["AU4"]), run(("4", "1"), 0.9)]
    f1, everything = sweep_grids(["au", "fold"], judged, "test")
    assert ["4", "–", "0.900", "0.900"] in lines(f1)
    assert ["mean", "0.200", "0.650", "0.425", "±", "0.318"] in lines(f1)
    assert everything.note == "–: the test split has no positive of AU4 (1 of 4 runs)"
    assert "4 & -- & 0.900 & 0.900" in f1.as_latex()
    cells = sweep_tables(["au", "fold"], judged)[0].as_json()["parts"][0]["rows"]["4"]["cells"]
    assert cells == {"0": None, "1": 0.9}


@pytest.mark.parametrize(("figure", "expected"), [(None, None), (0.0, 0.0)])
def test_pooled_counts_without_positives_have_a_figure_only_where_the_metric_gave_one(figure, expected):
    judged = [run((fold,), figure, counts={"AU": (0, 2, 0)}) for fold in ("0", "1")]
    assert sweep_tables(["fold"], judged)[0].parts[0].total()[0].value == expected
