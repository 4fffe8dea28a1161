"""The tables at the end of a run."""

import io

from rich.console import Console

from netcfg.results import Evaluation, Matrix, Result, Table, notes, number
from netcfg.trainers.reporting.report import result_tables, split_tables

F1 = {"f1": 0.5, "AU6": 0.4, "AU12": 0.6, "overall": 0.55}
ACCURACY = {"accuracy": 0.75, "AU6": 0.7, "AU12": 0.8}
WHY = "no positive"
LABELS = ("AU6", "AU12", "PSPI", "VAS")


def evaluated(metrics, **more):
    return Evaluation(tables={name: Table.of(name, found, LABELS) for name, found in metrics.items()}, **more)


def result_of(validation, test=None):
    return Result(3, 5, "f1", 0.5, evaluated(validation), evaluated(test) if test else None)


def shown(validation, test=None):
    console = Console(file=io.StringIO(), width=100)
    tables = result_tables(result_of(validation, test))
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
        ["f1", "(AU12)", "0.500", "–"],
    ]


def test_a_single_label_is_named():
    figures = {"f1": {"f1": 0.5, "AU12": 0.5}, "emd": {"emd": 1.0, "signed": 1.0}}
    (table,) = result_tables(result_of(figures))
    assert list(table.columns[0].cells) == ["f1 (AU12)", "emd"]


def test_without_metrics_there_is_no_table():
    assert result_tables(result_of({})) == []


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
    evaluation = evaluated(
        {
            "f1": F1,
            "f1_median3": {"f1_median3": 0.6, "AU6": 0.5, "AU12": 0.7, "overall": 0.65},
            "accuracy": ACCURACY,
        },
        variants={"f1": ["f1_median3"]},
    )
    evaluation.tables["micro"] = Table("micro", 0.55, {"AU6": 0.4, "AU12": 0.6}, counts={})
    console = Console(file=io.StringIO(), width=100)
    for table in split_tables({"test": evaluation}, "here"):
        console.print(table)
    lines = [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]
    assert ["AU6", "0.400", "0.500"] in lines
    assert ["mean", "0.500", "0.600"] in lines
    assert ["mean", "0.750", "–"] in lines
    assert ["overall", "–", "0.550"] in lines


def test_what_cannot_be_known_is_a_dash_and_one_note_says_why():
    f1 = Table(
        "f1", 0.4, {"AU6": 0.4, "AU12": None, "PSPI": None}, undefined=dict.fromkeys(("AU12", "PSPI"), WHY)
    )
    auc = Table("auc", None, {"AU6": None, "AU12": None}, undefined={"AU6": "no negative", "AU12": WHY})
    result = Result(1, 1, "f1", 0.4, Evaluation(), Evaluation(tables={"f1": f1, "auc": auc}))
    console = Console(file=io.StringIO(), width=100)
    for table in result_tables(result):
        console.print(table)
    lines = [line.replace("│", " ").split() for line in console.file.getvalue().splitlines()]
    assert ["AU12", "–"] in lines
    assert ["mean", "–"] in lines
    (note,) = notes({"validation": result.validation, "test": result.split("test")})
    assert note == (
        "the test split has no positive of AU12 (no f1, auc); no positive of PSPI (no f1); "
        "no negative of AU6 (no auc); out of all means"
    )


def test_a_metric_of_another_form_needs_no_writer_of_its_own():
    confusion = Matrix("confusion", ("happy", "sad"), ("happy", "sad"), ((3, 1), (None, 2)))
    (table,) = split_tables({"test": Evaluation(matrices={"confusion": confusion})}, "here")
    assert [list(column.cells) for column in table.columns[1:]] == [["3", "–"], ["1", "2"]]
