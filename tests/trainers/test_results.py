"""What a run has found, as data: written and read again, by hand where it is undefined, and from old run folders."""

import argparse
import json
import shutil
from pathlib import Path

import pytest

from netcfg.cli import eval as evaluation
from netcfg.cli import train
from netcfg.results import SCHEMA, Curve, Epoch, Evaluation, Matrix, Result, Table, csv_cell, mean_of
from netcfg.source import ProgramError
from netcfg.trainers.runs.ledger import Ledger, Standing
from netcfg.trainers.runs.run_folder import RunFolder

OLD_RUN = Path(__file__).parent / "old_run"  # as written before figures had a schema number


def full():
    f1 = Table(
        "f1", 0.5, {"AU1": 0.5, "AU2": None}, {"signed": -1.0}, {"AU1": (1, 1, 1)}, {"AU2": "no positive"}
    )
    return Evaluation(
        losses={"loss": 1.5},
        tables={"f1": f1, "f1_median3": Table("f1_median3", None)},
        variants={"f1": ["f1_median3"]},
        thresholds={"f1": [0.25, 0.5]},
        matrices={"confusion": Matrix("confusion", ["a"], ["a", "b"], [[1, None]], "is", "said")},
        curves={"roc": Curve("roc", [0.0, 1.0], [0.0, None], "false", "true")},
    )


def same(one, other):
    return json.dumps(one.to_json()) == json.dumps(other.to_json())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Evaluation, full()),
        (Evaluation, Evaluation()),
        (Epoch, Epoch(3, 12, {"loss": 1.0}, full(), best=True, learning_rate={"Net": 0.1})),
        (Result, Result(2, 3, "f1", None, full(), full(), {"Net": 0.1}, 12.5, 1024)),
        (Result, Result(3, 3, None, None, Evaluation())),
    ],
)
def test_what_is_written_is_read_again(kind, value):
    written = json.loads(json.dumps(value.to_json(), allow_nan=False))
    again = kind.from_json(written)
    assert same(again, value)
    if kind is Evaluation and value.tables:
        assert written["schema"] == SCHEMA
        assert written["metrics"]["f1"] == {"f1": 0.5, "AU1": 0.5, "AU2": None, "signed": -1.0}
        assert again.tables["f1"].details == {"signed": -1.0}
        assert again.tables["f1"].counts == {"AU1": (1, 1, 1)}


@pytest.mark.parametrize(
    "damaged",
    [
        [],
        3,
        {"metrics": []},
        {"metrics": {"f1": {}}},
        {"metrics": {"f1": {"f1": "high"}}},
        {"schema": SCHEMA + 1},
    ],
)
def test_what_is_no_evaluation_is_refused(damaged):
    with pytest.raises(ValueError, match="."):
        Evaluation.from_json(damaged)


def test_means_and_cells_know_what_is_undefined():
    assert mean_of([0.25, None, 0.75]) == 0.5
    assert mean_of([None, None]) is None
    assert (csv_cell(None), csv_cell(0.1)) == ("", "0.1")


# --- old run folders


@pytest.fixture
def old_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OLD_RUN, tmp_path / "run")
    return tmp_path / "run"


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def test_an_old_run_is_read(old_run):
    records = RunFolder.open(old_run).records()
    assert [record.epoch for record in records] == [1, 2, 3]
    assert [record.best for record in records] == [True, True, False]
    found = records[1].validation
    assert found.figure("f1") == pytest.approx(4 / 7)
    assert found.tables["f1"].labels == {"AU6": 1.0, "AU12": pytest.approx(0.4)}
    assert found.tables["f1"].counts == {"AU6": (2, 0, 0), "AU12": (2, 6, 0)}
    assert found.tables["auc"].details == {"overall": pytest.approx(0.541666, abs=1e-5)}
    assert list(found.own_tables) == ["f1", "auc"]
    result = Result.from_json(json.loads((old_run / "result.json").read_text()))
    assert (result.best_epoch, result.epochs, result.monitor) == (2, 3, "f1")
    assert result.split("test").figure("f1") == pytest.approx(0.25)


def test_an_old_run_is_judged_and_goes_on(old_run, capsys):
    assert command(evaluation, "run", "--device", "cpu", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"] == json.loads((OLD_RUN / "result.json").read_text())["test"]["metrics"]
    assert command(train, "--resume", "run", "--epochs", "5", "--device", "cpu") == 0
    records = RunFolder.open(old_run).records()
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5]
    result = Result.from_json(json.loads((old_run / "result.json").read_text()))
    assert result.epochs == 5
    assert result.validation.figure("f1") == result.value


# --- the ledger


def ledger(figures, **options):
    made = Ledger(**options)
    best = [made.judge(number, figure, True) for number, figure in enumerate(figures, 1)]
    return made, best


def test_an_undefined_figure_is_no_better_than_any():
    made, best = ledger([None, 0.5, None, 0.4], patience=2)
    assert best == [True, True, False, False]  # the first is kept, so that there are weights at all
    assert made.standing == Standing(0.5, 2, 2)
    assert made.is_stalled
    never, _ = ledger([None, None], patience=2)
    assert never.standing == Standing(None, 1, 2)
    assert never.is_stalled


def test_where_nothing_is_monitored_the_last_epoch_is_the_best():
    made, best = ledger([None, None, None], keeps_last=True)
    assert best == [True, True, True]
    assert made.standing.best_epoch == 3


def test_records_are_taken_by_the_number_of_their_epoch():
    made = Ledger()
    made.restore(Standing(0.5, 3, 1), [Epoch(4), Epoch(3, step=7), Epoch(1)])
    assert made.best("metrics.jsonl").step == 7
    assert [epoch.epoch for epoch in made.epochs] == [1, 3, 4]
    made.restore(Standing(0.5, 2, 1), [Epoch(1), Epoch(3)])
    with pytest.raises(ProgramError, match="NC406.*metrics.jsonl has no line of epoch 2, the best one"):
        made.best("metrics.jsonl")
