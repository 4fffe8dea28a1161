"""The tables at the end of a run."""

import io

from rich.console import Console

from netcfg.trainers.reporting.report import number, result_tables, split_tables

F1 = {"f1": 0.5, "AU6": 0.4, "AU12": 0.6, "overall": 0.55}
ACCURACY = {"accuracy": 0.75, "AU6": 0.7, "AU12": 0.8}


def shown(validation, test=None):
    result = {"best_epoch": 3, "validation": {"metrics": validation}, "test": test and {"metrics": test}}
    console = Console(file=io.StringIO(), width=100)
    tables = result_tables(result)
    for table in tables:
        console.print(table)
    lines = [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]
    return tables, lines


def test_metrics_of_the_same_labels_stand_side_by_side_in_a_table_per_split():
    tables, lines = shown({"f1": F1, "accuracy": ACCURACY}, {"f1": F1, "accuracy": ACCURACY})
    assert [table.title for table in tables] == ["validation, best epoch (3)", "test, best epoch (3)"]
    assert lines.count(["AU6", "0.400", "0.700"]) == 2
    assert ["mean", "0.500", "0.750"] in lines
    assert ["overall", "0.550", "–"] in lines


def test_a_metric_alone_has_the_splits_side_by_side():
    tables, lines = shown({"f1": F1}, {"f1": {**F1, "AU6": 0.1}})
    assert [table.title for table in tables] == ["f1, best epoch (3)"]
    assert ["AU6", "0.400", "0.100"] in lines


def test_metrics_of_other_labels_have_their_own_table():
    tables, _ = shown({"f1": F1, "accuracy": ACCURACY, "pain": {"pain": 1.0, "PSPI": 1.0, "VAS": 1.0}})
    assert [table.title for table in tables] == ["validation, best epoch (3)", "pain, best epoch (3)"]


def test_figures_without_labels_share_one_table():
    metrics = {
        "xcov": {"xcov": 0.00123},
        "emd": {"emd": 12.0, "signed": -12.0},
        "f1": {"f1": 0.5, "AU12": 0.5},
    }
    tables, lines = shown(metrics, {"xcov": {"xcov": 0.2}})
    assert len(tables) == 1
    assert [line for line in lines if line and line[0] in metrics] == [
        ["xcov", "0.00123", "0.200"],
        ["emd", "12.000", "–"],
        ["f1", "0.500", "–"],
    ]


def test_a_single_label_is_named():
    figures = {"f1": {"f1": 0.5, "AU12": 0.5}, "emd": {"emd": 1.0, "signed": 1.0}}
    result = {"best_epoch": 1, "validation": {"metrics": figures}, "test": None}
    (table,) = result_tables(result, ["AU12"])
    assert list(table.columns[0].cells) == ["f1 (AU12)", "emd"]


def test_without_metrics_there_is_no_table():
    assert result_tables({"best_epoch": 1, "validation": {}, "test": None}) == []


def test_numbers_of_all_sizes_are_short():
    assert [number(value) for value in (None, 0.0, 0.5, -1e-5, 123456.0, float("nan"))] == [
        "–",
        "0.000",
        "0.500",
        "-1e-05",
        "1.23e+05",
        "nan",
    ]


def test_a_metric_with_variants_has_a_table_of_its_own_and_says_what_its_figure_is():
    evaluation = {
        "metrics": {
            "f1": F1,
            "f1_median3": {"f1_median3": 0.6, "AU6": 0.5, "AU12": 0.7, "overall": 0.65},
            "micro": {"micro": 0.55, "AU6": 0.4, "AU12": 0.6},
            "accuracy": ACCURACY,
        },
        "variants": {"f1": ["f1_median3"]},
        "counts": {"micro": {}},
    }
    console = Console(file=io.StringIO(), width=100)
    for table in split_tables({"test": evaluation}, "here"):
        console.print(table)
    lines = [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]
    assert ["AU6", "0.400", "0.500"] in lines
    assert ["mean", "0.500", "0.600"] in lines
    assert ["mean", "–", "0.750"] in lines
    assert ["overall", "0.550", "–"] in lines
