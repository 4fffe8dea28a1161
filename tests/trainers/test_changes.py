"""What a run that goes on may change: applied, said and kept; or refused with its reason."""

import argparse
import csv
import io
import json
import math
import pickle

import pytest

from netcfg.cli import data, train
from netcfg.cli import eval as evaluation
from netcfg.source import NetcfgError
from netcfg.trainers.fit.trainer import Trainer

PROGRAM = """
{Data}
[synthetic_faces]
subjects = 3
clips = 2
clip_length = 8
image_size = 16
action_units = 12

{Net}
[net]
weights = $start
[input]
name = image
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = 1

{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels
[bce_with_logits]
name = again
input = Net
target = labels
{Optimizer}
[sgd]
networks = Net
learning_rate = $rate
minimise = detection + $again * again
schedule = $schedule
{Metric}
[f1]
input = Net
target = labels
{General}
[variables]
start = None
rate = 0.01
again = 1
schedule = constant
epochs = 2
size = 4
seed = 0
[training]
batch_size = $size
max_epochs = $epochs
seed = $seed
workers = 0
"""

RESUME = ("--resume", "run", "--device", "cpu")


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.cfg").write_text(PROGRAM)
    return tmp_path


def begin(*arguments):
    command(train, "face.cfg", "--run-dir", "run", "--device", "cpu", *arguments)


def go_on(capsys, *arguments):
    """What is said of a run that goes on."""
    capsys.readouterr()
    command(train, *RESUME, *arguments)
    return capsys.readouterr().out


def refused(message, *arguments):
    with pytest.raises(NetcfgError, match=message):
        command(train, *arguments)


def records(folder):
    return [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text().splitlines()]


def started(folder):
    return json.loads((folder / "run/run.json").read_text())


def changes(folder):
    return started(folder)["changes"]


def stop_in_epoch(monkeypatch, epoch, batch):
    """Let the next training end after a batch of an epoch, as Ctrl-C does."""

    def pause(self, sums):
        if (self.position.epoch + 1, self.position.batch) == (epoch, batch):
            self._finite(sums)
            self.position.sums = sums.state()
            self.save()
            raise NetcfgError("stopped here")

    monkeypatch.setattr(Trainer, "_pause", pause)


def stopped(folder, monkeypatch, *arguments):
    """A run that was stopped after batch 2 of epoch 2."""
    with monkeypatch.context() as patch:
        stop_in_epoch(patch, 2, 2)
        with pytest.raises(NetcfgError, match="stopped here"):
            begin("--epochs", "3", *arguments)


def test_weights_of_losses_change_within_an_epoch_from_the_batch_they_concern(folder, capsys, monkeypatch):
    stopped(folder, monkeypatch)
    told = go_on(capsys, "--set", "again=0.5")
    assert "changed from epoch 2, batch 3, on:\n  `again = 1` is now `0.5`" in told
    assert changes(folder)[0]["batch"] == 3
    last = records(folder)[-1]
    assert [one["epoch"] for one in records(folder)] == [1, 2, 3]
    assert last["step"] == 12
    assert last["train"]["loss"] == pytest.approx(1.5 * last["train"]["detection"])


@pytest.mark.parametrize("change", [("--set", "size=8"), ("--limit-batches", "3")])
def test_an_epoch_of_other_batches_begins_anew(folder, capsys, monkeypatch, change):
    stopped(folder, monkeypatch)
    told = go_on(capsys, *change)
    assert "changed from epoch 2 on" in told
    assert "the epoch begins anew" in told
    batches = 2 if "size=8" in change else 3
    assert [one["step"] for one in records(folder)] == [4, 4 + 2 + batches, 4 + 2 + 2 * batches]


def test_a_change_that_was_killed_before_its_first_epoch_ended_stays_applied(folder, capsys, monkeypatch):
    stopped(folder, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "fit", lambda self: (_ for _ in ()).throw(NetcfgError("killed")))
        refused("killed", *RESUME, "--set", "size=8")
    assert "changed" not in go_on(capsys)
    assert [one["step"] for one in records(folder)] == [4, 8, 10]
    assert len(changes(folder)) == 1


def test_other_data_are_applied_and_the_best_epoch_is_chosen_among_those_they_judge(folder, capsys):
    command(
        data, "make", "audetnet", "faces", "--images", "12", "--image-size", "16", "--labels", "occurrence"
    )
    labels = pickle.loads((folder / "faces/aus_dict.pkl").read_bytes())
    one = {name: values[6:7] for name, values in labels.items()}
    (folder / "faces/aus_dict.pkl").write_bytes(pickle.dumps(one))
    begin()
    told = go_on(capsys, "--data", "faces", "--epochs", "3")
    assert "changed from epoch 3 on:\n" in told
    assert "faces" in told
    assert changes(folder)[0]["also"][-1] == "the best epoch is chosen from here on"
    assert json.loads((folder / "run/result.json").read_text())["best_epoch"] == 3
    assert started(folder)["data"] == "faces"
    assert "changed" not in go_on(capsys)
    assert "changed from epoch 4 on:\n  `--epochs 3` is now `--epochs 4`" in go_on(capsys, "--epochs", "4")
    assert "faces" in (folder / "run/resolved.cfg").read_text()


def test_a_refused_change_leaves_the_run_as_it_was(folder):
    begin()
    before = started(folder)
    refused("/nowhere", *RESUME, "--data", "/nowhere", "--epochs", "3")
    refused("NC105", *RESUME, "--set", "size=0", "--epochs", "3")
    refused(
        r"(?s)NC406.*run is complete, so that no epoch is left for what would change: .*`rate = 0.01` is now `0.002`"
        ".*`--epochs N` with more than 2",
        *RESUME, *("--set", "rate=0.002"),
    )  # fmt: skip
    assert started(folder) == before


def test_a_seed_and_a_precision_stay_and_the_reason_is_said(folder):
    begin("--precision", "bf16")
    refused("NC406.*`seed = 0`, not with `--seed 2`.*order of the epochs", *RESUME, "--seed", "2")
    refused("NC406.*`--precision bf16`, not with `--precision f32`.*figures", *RESUME, "--precision", "f32")
    refused("NC406.*another `seed`.*`seed = 0` is now `5`", *RESUME, "--set", "seed=5")
    command(train, *RESUME, "--seed", "0", "--precision", "bf16", "--epochs", "3")
    assert len(records(folder)) == 3


def test_weights_to_start_from_are_refused_where_a_run_has_started(folder):
    begin()
    start = "start=run/checkpoints/best.safetensors"
    refused("NC406.*other networks", *RESUME, "--set", start, "--epochs", "3")


def test_workers_batches_and_epochs_are_said_and_kept(folder, capsys):
    begin()
    told = go_on(capsys, "--workers", "1", "--limit-batches", "2", "--epochs", "3")
    lines = [
        "changed from epoch 3 on:",
        "`max_epochs = 2` is now `--epochs 3`",
        "no limit of batches is now `--limit-batches 2`",
        "`workers = 0` is now `--workers 1`",
    ]
    assert "\n  ".join(lines) in told
    go_on(capsys, "--epochs", "+1")
    assert records(folder)[-1]["step"] == 4 + 4 + 2 + 2
    assert (started(folder)["workers"], started(folder)["limit_batches"]) == (1, 2)
    go_on(capsys, "--set", "epochs=5")  # counts more than the earlier `--epochs`
    assert len(records(folder)) == 5


def test_a_file_edited_without_options_is_refused_with_its_lines_and_what_to_do(folder):
    begin()
    (folder / "face.cfg").write_text(PROGRAM.replace("rate = 0.01", "rate = 0.02"))
    refused(
        r"(?s)NC406.*`rate = 0.01` is now `0.02`.*"
        "leave the file out.*`--set NAME=VALUE`",
        "face.cfg", *RESUME, "--epochs", "3",
    )  # fmt: skip
    assert len(records(folder)) == 2


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_a_rate_that_jumps_as_epochs_are_added_is_said_before_the_first_batch(folder, capsys, schedule):
    begin("--set", f"schedule={schedule}")
    told = go_on(capsys, "--epochs", "4")
    last, now = (one["learning_rate"]["Net"] for one in records(folder)[1:3])
    line = f"learning rate of Net: {last:.3g} until now, {now:.3g} from epoch 3 on"
    assert line in told
    assert told.index(line) < told.index("run folder")


def test_a_rate_that_goes_on_as_before_is_not_said(folder, capsys):
    begin()
    assert "learning rate of" not in go_on(capsys, "--epochs", "3")


def test_eval_shows_changes_in_every_format(folder, capsys):
    begin()
    go_on(capsys, "--epochs", "3", "--set", "rate=0.5")
    said = "changed from epoch 3 on: `rate = 0.01` is now `0.5`; "
    command(evaluation, "run", "--device", "cpu")
    assert said in capsys.readouterr().out
    command(evaluation, "run", "--device", "cpu", "--format", "json")
    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert change == changes(folder)[0]
    assert "`learning_rate = 0.01` of [sgd] is now `0.5`" in change["lines"]
    command(evaluation, "run", "--device", "cpu", "--format", "csv")
    told = capsys.readouterr()
    assert f"note: {said}" in told.err
    assert {row["split"] for row in csv.DictReader(io.StringIO(told.out))} == {"test"}


def test_epochs_to_add_need_a_run(folder):
    refused("(?s)adds to the epochs of a run.*--resume RUN", "face.cfg", "--epochs", "+2")


def test_an_epoch_whose_figure_is_infinite_is_no_best_one_and_that_is_said(folder, capsys, monkeypatch):
    from netcfg.trainers.fit import trainer

    figures = iter([math.inf, 0.5, -math.inf, 0.4])  # and of the test split
    given = trainer.evaluate

    def evaluate(*arguments):
        judged = given(*arguments)
        return judged._replace(losses=dict.fromkeys(judged.losses, next(figures)))

    monkeypatch.setattr(trainer, "evaluate", evaluate)
    (folder / "face.cfg").write_text(PROGRAM.replace("[training]", "[training]\nmonitor = loss"))
    begin("--set", "epochs=3")
    assert (
        "note: loss is inf in epoch 1: such an epoch is no better than any other" in capsys.readouterr().out
    )
    assert json.loads((folder / "run/result.json").read_text())["best_epoch"] == 2
