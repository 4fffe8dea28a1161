"""What a training says of time and figures: epochs in columns, the first batches' measure, trivial figures, the end."""

import io

import pytest
import torch
from rich.console import Console

from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.auc import Auc
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.metrics.judgement import Case
from netcfg.results import Baseline, Epoch, Evaluation, Rates, Result, Seconds, Table
from netcfg.trainers.reporting import first_batches
from netcfg.trainers.reporting.epochs import EpochLines, ending, width_of
from netcfg.trainers.reporting.first_batches import FirstBatches

PAIR = {"input": "Net", "target": "labels"}
CPU = torch.device("cpu")


def epoch(number=1, f1=0.5, best=False, loss=0.25, baseline=0.4):
    tables = {
        "f1": Table("f1", f1, baseline=Baseline("every label present", baseline)),
        "auc": Table("auc", 0.75),
    }
    return Epoch(
        number,
        train={"loss": loss, "detection": 3.0},
        validation=Evaluation({"loss": 0.5}, tables),
        best=best,
        seconds=Seconds(10.0, 1.0, 2.0),
        rates=Rates(100.0, 200.0, 0.1),
    )


def ends(line, titles):
    """Where columns end."""
    places, at = [], 0
    for title in titles:
        at = line.index(title, at) + len(title)
        places.append(at)
    return places


def test_epochs_stand_in_columns_under_one_header():
    lines = EpochLines(epochs=12)
    header, first = lines.lines(epoch(1, best=True))
    (later,) = lines.lines(epoch(11, loss=12.125))
    assert header.split() == [
        *("epoch", "loss", "validation", "loss", "f1", "auc", "samples/s", "data/s", "waited", "time")
    ]  # fmt: skip
    titles = ("epoch", "loss", "validation loss", "f1", "auc", "samples/s", "data/s", "waited", "time")
    cells = ("1/12", "0.2500", "0.5000", "0.500", "0.750", "100.0", "200", "10%", "12 s")
    assert ends(first, cells) == ends(header, titles)
    assert ends(later, ("11/12", "12.1250", *cells[2:])) == ends(header, titles)
    assert first.endswith("best so far")
    assert later == later.rstrip()


def test_a_header_comes_again_where_a_column_grows():
    lines = EpochLines(epochs=3)
    lines.lines(epoch(1))
    assert len(lines.lines(epoch(2, loss=123456.0))) == 2
    assert len(lines.lines(epoch(3))) == 1


@pytest.mark.parametrize("width", [80, 60, 48])
def test_lines_keep_to_the_width_and_say_what_is_left_out(width):
    header, left_out, line = EpochLines(12, width).lines(epoch(best=True))
    assert max(len(header), len(line)) <= width
    assert header.split()[:2] == ["epoch", "loss"]
    assert "f1" in header.split()
    assert "data/s" not in header
    assert "data/s" in left_out
    assert "metrics.jsonl" in left_out


def test_only_a_terminal_or_columns_limit_a_line(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert width_of(Console(file=io.StringIO())) is None
    assert width_of(Console(file=io.StringIO(), force_terminal=True, width=70)) == 70
    monkeypatch.setenv("COLUMNS", "66")
    assert width_of(Console(file=io.StringIO())) == 66


# --- figures that no answer is needed for


def test_a_figure_no_better_than_trivial_is_marked():
    lines = EpochLines(3)
    _, line, note = lines.lines(epoch(f1=0.4))
    assert "0.400!" in line
    assert note == "note: ! behind f1: no better than every label present: 0.400"
    (again,) = lines.lines(epoch(f1=0.3))
    assert "0.300!" in again
    assert "!" not in lines.lines(epoch(f1=0.41))[-1]
    assert "!" not in lines.lines(epoch(f1=None))[-1]


LABELS = torch.tensor([[1.0, 0], [1, 0], [0, 0], [0, 1]])
PRESENT = torch.full((4, 2), 9.0)


def baseline(metric, targets):
    return metric.judge(Case(PRESENT[: len(targets)], targets, ("AU6", "AU12")))


@pytest.mark.parametrize(
    ("metric", "figure"),
    [
        (F1(**PAIR), (4 / 6 + 2 / 5) / 2),
        (F1(**PAIR, average="micro"), 6 / 11),
        (F1(**PAIR, median_window=(1, 3), across_clips=True, baselines=True), (4 / 6 + 2 / 5) / 2),
        (Auc(**PAIR), 0.5),
        (Accuracy(**PAIR), (0.5 + 0.75) / 2),
    ],
)
def test_metrics_know_what_looking_at_nothing_reaches(metric, figure):
    tables = baseline(metric, LABELS).tables
    own = next(iter(tables.values()))
    assert own.baseline.figure == pytest.approx(figure)
    assert own.is_trivial == (own.main <= figure)
    assert own.main == pytest.approx(figure) or isinstance(metric, Accuracy)
    assert all(table.baseline is None for name, table in tables.items() if "_all_" in name)


def test_the_most_frequent_class_is_trivial():
    targets = torch.tensor([0, 0, 1, 2])
    scores = torch.eye(3)[torch.tensor([0, 0, 0, 0])]
    table = Accuracy(**PAIR).judge(Case(scores, targets, ())).tables["accuracy"]
    assert (table.main, table.baseline.figure) == (0.5, 0.5)
    assert table.is_trivial


def test_labels_without_pairs_are_out_of_the_baseline_as_out_of_the_mean():
    lacking = torch.tensor([[1.0, 0], [0, 0]])
    auc = baseline(Auc(**PAIR), lacking).tables["auc"]
    assert auc.baseline.figure == 0.5
    as_zero = baseline(Auc(**PAIR, undefined="zero"), lacking).tables["auc"]
    assert as_zero.baseline.figure == 0.25
    assert baseline(F1(**PAIR), torch.zeros(3, 2)).tables["f1"].baseline is None


def test_baselines_are_kept_in_json():
    evaluation = epoch(f1=0.4).validation
    again = Evaluation.from_json(evaluation.to_json())
    assert again.tables["f1"].baseline == Baseline("every label present", 0.4)
    assert again.tables["auc"].baseline is None
    assert again.trivial("test") == [
        "f1 on the test split, 0.400, is no better than every label present, 0.400"
    ]


def test_a_training_marks_explains_and_ends_with_what_it_took(make_trainer, console):
    trainer = make_trainer(epochs=3)
    trainer.announce()
    trainer.fit()
    told = console.file.getvalue().splitlines()
    headers = [place for place, line in enumerate(told) if line.split()[:2] == ["epoch", "loss"]]
    assert len(headers) == 1
    rows = [line for line in told if line.split()[:1] in (["1/3"], ["2/3"], ["3/3"])]
    assert len(rows) == 3
    trivial = [record.validation.tables["f1"].is_trivial for record in trainer.ledger.epochs]
    assert ["!" in row for row in rows] == trivial
    assert sum("! behind f1" in line for line in told) == any(trivial)
    result = Result.from_json(trainer.run.read_json("result.json"))
    assert ending(result) in told
    assert result.seconds == pytest.approx(
        sum(one.seconds.train + one.seconds.validation for one in trainer.ledger.epochs)
    )
    assert result.learning_rate == trainer.ledger.epochs[-1].learning_rate
    assert result.peak_bytes > 10**7


def test_the_end_says_what_is_known():
    result = Result(1, 12, "f1", 0.5, Evaluation(), None, {"Net": 1e-3}, 200.0, 1_200_000_000)
    assert ending(result) == "12 epochs in 3 min 20 s, at most 1.2 GB of memory; last learning rate 0.001"
    two = result._replace(epochs=1, learning_rate={"A": 0.1, "B": 0.2}, seconds=None, peak_bytes=None)
    assert ending(two) == "1 epoch; last learning rate 0.1 (A), 0.2 (B)"


# --- the first batches


def test_the_first_batches_measure_their_data_too(monkeypatch):
    clock = iter([100.0, 100.0 + 10 * 3])
    monkeypatch.setattr(first_batches.time, "perf_counter", lambda: next(clock))
    watch = FirstBatches(CPU, validation_share=0.5)
    told = [watch.batch(waited=2.0 * done) for done in range(11)]
    assert told == [False] * 10 + [True]
    # 3 s a batch, of which 2 s are waiting: 3 s × 40 left, and (2 + 0.5 × 1) s × 10 of validation
    assert watch.line(20.0, 40, 10) == (
        "measured on 10 batches, data included: about 2 min 25 s from here on"
    )
    assert watch.line(20.0, 40, 10) is None


def test_epochs_of_one_batch_measure_nothing_not_even_together():
    watch = FirstBatches(CPU)
    for _ in range(3):
        watch.batch(0.0)
        assert watch.line(0.0, 5, 5) is None


def test_a_training_says_what_its_estimate_leaves_out_and_then_measures_it(make_trainer, console):
    trainer = make_trainer(epochs=3)
    trainer.announce()
    trainer.fit()
    told = console.file.getvalue()
    assert "without the making of data, which the first batches measure" in told
    assert told.count("measured on 4 batches, data included: about") == 1
    assert told.index("data included") < told.index("validation loss")
