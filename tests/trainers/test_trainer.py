import io
import json
import math
import subprocess
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tiny import TEXT, tiny_program

import netcfg
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.git_state import git_state
from netcfg.trainers.runs.run_folder import RunFolder


def weights(trainer, name="last"):
    return load_file(trainer.run.path / "checkpoints" / f"{name}.safetensors")


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def records(trainer):
    lines = (trainer.run.path / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def figures(trainer):
    return [
        (record["epoch"], record["step"], record["train"], record["validation"])
        for record in records(trainer)
    ]


def stop_after(trainer, batches):
    """Ask the trainer to stop, as Ctrl-C does, once this many batches are done."""
    step = trainer.phases.step

    def counted(*batch):
        values = step(*batch)
        if trainer.position.step + 1 == batches:
            trainer.interrupt.requested = True
        return values

    trainer.phases.step = counted


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A run of four epochs that nothing disturbed."""
    program = tiny_program()
    folder = RunFolder.create(program, tmp_path_factory.mktemp("runs") / "unbroken")
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO(), width=120))
    trainer.setup()
    assert trainer.fit() == "finished"
    return trainer


def result(trainer):
    """What it ended with, but for time and memory."""
    found = trainer.run.read_json("result.json")
    return {key: value for key, value in found.items() if key not in ("seconds", "peak_bytes")}


@pytest.mark.parametrize("batches", [1, 7, 10])  # five batches make an epoch
def test_a_resumed_run_equals_an_unbroken_one(make_trainer, unbroken, batches):
    broken = make_trainer("broken")
    stop_after(broken, batches)
    assert broken.fit() == "interrupted"
    assert broken.position.step == batches
    resumed = make_trainer("broken", resume=True)
    assert resumed.fit() == "finished"
    assert equal(weights(resumed), weights(unbroken))
    assert equal(weights(resumed, "best"), weights(unbroken, "best"))
    assert figures(resumed) == figures(unbroken)
    assert result(resumed) == result(unbroken)


def test_a_run_stopped_while_validating_validates_when_resumed(make_trainer, unbroken):
    broken = make_trainer("broken")
    validate = broken.validate

    def stopped():
        broken.interrupt.requested = True
        return validate()

    broken.validate = stopped
    assert broken.fit() == "interrupted"
    resumed = make_trainer("broken", resume=True)
    resumed.fit()
    assert figures(resumed) == figures(unbroken)
    assert equal(weights(resumed), weights(unbroken))


def test_a_run_killed_after_its_record_does_not_count_the_epoch_twice(make_trainer, unbroken):
    broken = make_trainer("broken")
    stop_after(broken, 10)
    broken.fit()
    broken.run.append_record(broken.ledger.epochs[0]._replace(epoch=2))
    resumed = make_trainer("broken", resume=True)
    resumed.fit()
    assert [record["epoch"] for record in records(resumed)] == [1, 2, 3, 4]


def test_a_finished_run_is_only_reported_again(make_trainer):
    make_trainer(epochs=1).fit()
    again = make_trainer(epochs=1, resume=True)
    before = weights(again)
    assert again.fit() == "finished"
    assert again.position.step == 5
    assert equal(weights(again), before)


def test_the_same_seed_gives_the_same_weights(make_trainer, unbroken):
    again = make_trainer("again", workers=2)
    again.fit()
    assert equal(weights(again), weights(unbroken))


def test_another_seed_gives_other_weights(make_trainer, unbroken):
    from netcfg.trainers.runs.overriding import override

    other = make_trainer("other", program=override(unbroken.program, seed=1))
    other.fit()
    assert not equal(weights(other), weights(unbroken))


def test_training_learns(make_trainer):
    trainer = make_trainer(epochs=12)
    trainer.fit()
    losses = [record["train"]["loss"] for record in records(trainer)]
    assert losses[-1] < 0.7 * losses[0]


def test_the_learning_rate_follows_the_schedule(make_trainer, unbroken):
    rates = [record["learning_rate"]["Net"] for record in records(unbroken)]
    assert rates == pytest.approx([0.01, 0.0075, 0.005, 0.0025])


def test_training_stops_early_and_says_why(make_trainer, console):
    trainer = make_trainer(epochs=20, patience=2)
    trainer.monitor = ScriptedMonitor([0.1, 0.5, 0.5, 0.4, 0.9])
    trainer.fit()
    assert trainer.position.epoch == 4
    assert trainer.ledger.standing.best_epoch == 2
    assert "has not improved since epoch 2 (patience 2)" in console.file.getvalue()


class ScriptedMonitor:
    """A monitor whose figures are known beforehand."""

    name = "scripted"

    def __init__(self, figures):
        self.figures = iter(figures)

    def figure(self, evaluation, train_losses):
        return next(self.figures), True


def test_patience_may_ask_for_more_than_the_first_figure(make_trainer):
    for above, epochs in ((None, 3), (0.0, 2), (-1.0, 3)):
        program = tiny_program(epochs=20, patience=2)
        training = program.training.model_copy(update={"patience_above": above})
        trainer = make_trainer(f"run{above}", program=replace(program, training=training))
        trainer.monitor = ScriptedMonitor([0.0, 0.0, 0.0, 0.5])
        trainer.fit()
        assert (trainer.position.epoch, trainer.ledger.standing.best_epoch) == (epochs, 1)


def test_the_networks_end_with_the_best_weights(make_trainer):
    trainer = make_trainer()
    trainer.monitor = ScriptedMonitor([0.1, 0.5, 0.3, 0.2])
    trainer.fit()
    assert equal(dict(trainer.networks.state_dict()), weights(trainer, "best"))
    assert not equal(weights(trainer, "best"), weights(trainer, "last"))
    assert trainer.run.read_json("result.json")["best_epoch"] == 2


def test_a_loss_that_is_no_number_stops_and_is_named(make_trainer):
    trainer = make_trainer()
    finish = trainer.train_data.finish

    def poisoned(batch):
        fields = finish(batch)
        if trainer.position.step == 7:
            fields["image"].fill_(math.nan)
        return fields

    trainer.train_data.finish = poisoned
    with pytest.raises(ProgramError, match="NC405.*the loss `detection` became nan") as caught:
        trainer.fit()
    assert "the data field `image` holds NaN" in str(caught.value)
    assert all(parameter.isfinite().all() for parameter in trainer.networks.parameters())
    resumed = make_trainer(resume=True)
    assert (resumed.position.epoch, resumed.position.batch) == (1, 0)


def test_limit_batches_limits_every_pass(make_trainer):
    trainer = make_trainer(limit_batches=2)
    trainer.fit()
    assert trainer.position.step == 2 * 4
    assert len(trainer.validation_data) == 2


def test_the_run_folder_holds_everything(unbroken):
    names = {path.name for path in unbroken.run.path.iterdir()}
    assert names >= {
        "checkpoints", "curves.png", "environment.json", "metrics.jsonl", "resolved.cfg", "result.json",
        "run.json", "tensorboard", "index.html",
    }  # fmt: skip
    assert (unbroken.run.path / "resolved.cfg").read_text() == unbroken.program.resolved
    assert (unbroken.run.path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert not list(unbroken.run.path.rglob("*.new"))


def test_a_record_tells_both_rates(unbroken):
    rates = records(unbroken)[0]["rates"]
    assert rates["step_samples_per_second"] > 0
    assert rates["data_samples_per_second"] > 0
    assert 0 <= rates["waiting_share"] <= 1


def test_the_end_is_a_table_by_action_unit(unbroken):
    lines = unbroken.console.file.getvalue()
    assert "AU6" in lines
    assert "AU12" in lines
    assert "mean" in lines
    assert "validation" in lines
    assert "test" in lines
    assert str(unbroken.run) in lines


def test_without_metrics_the_loss_is_monitored(make_trainer):
    program = make_trainer("template").program
    trainer = make_trainer(program=replace(program, metrics={}))
    trainer.fit()
    losses = [record["validation"]["losses"]["loss"] for record in records(trainer)]
    assert trainer.ledger.standing.best == min(losses)


def test_an_unknown_monitor_is_refused(make_trainer, unbroken):
    training = unbroken.training.model_copy(update={"monitor": "f2"})
    with pytest.raises(ProgramError, match="(?s)`f2`, which is no metric or loss.*`f1`"):
        make_trainer("other", program=replace(unbroken.program, training=training))


def with_training(program, **changes):
    return replace(program, training=program.training.model_copy(update=changes))


@pytest.mark.parametrize("monitor", ["detection", "loss"])
def test_a_loss_may_pick_the_best_epoch(make_trainer, unbroken, monitor):
    trainer = make_trainer(program=with_training(unbroken.program, monitor=monitor))
    trainer.fit()
    losses = [epoch.validation.losses[monitor] for epoch in trainer.ledger.epochs]
    assert trainer.ledger.standing.best == min(losses)
    assert trainer.ledger.standing.best_epoch == losses.index(min(losses)) + 1


def test_without_a_monitor_the_last_weights_are_kept(make_trainer, unbroken):
    trainer = make_trainer(program=with_training(unbroken.program, monitor=None))
    trainer.fit()
    assert [epoch.best for epoch in trainer.ledger.epochs] == [True] * 4
    result = json.loads((trainer.run.path / "result.json").read_text())
    assert (result["best_epoch"], result["monitor"]) == (4, {"name": None, "value": None})
    folder = trainer.run.path / "checkpoints"
    best, last = (load_file(folder / f"{name}.safetensors") for name in ("best", "last"))
    assert all(torch.equal(best[name], last[name]) for name in best)


def test_training_goes_on_where_the_monitored_figure_cannot_be_known(make_trainer, console):
    trainer = make_trainer(epochs=20, patience=2)
    trainer.monitor = ScriptedMonitor([None, 0.5, None, None, 0.9])
    trainer.fit()
    assert (trainer.position.epoch, trainer.ledger.standing.best_epoch) == (4, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("monitor = detection", None),
        ("monitor = loss", None),
        ("monitor = None", None),
        ("monitor = None\npatience = 3", "`patience = 3`, and with `monitor = None` no epoch is better"),
        ("monitor = detektion", "no metric and no loss `detektion` to monitor.*did you mean `detection`"),
    ],
)
def test_what_may_be_monitored_is_known_when_the_file_is_checked(options, message):
    text = TEXT.replace("patience = $patience", options)
    if message is None:
        netcfg.load(text)
        return
    with pytest.raises(ProgramError, match=f"(?s){message}"):
        netcfg.load(text)


def test_conv_weights_are_channels_last(unbroken):
    weight = next(weight for weight in unbroken.networks.parameters() if weight.ndim == 4)
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_the_optimizer_is_fused(unbroken):
    assert unbroken.phases.steppers["adam"].optimizer.param_groups[0]["fused"]


def test_the_first_epoch_can_leave_dropout_off(make_trainer, unbroken):
    training = unbroken.training.model_copy(update={"first_epoch_in_eval_mode": True, "max_epochs": 2})
    trainer = make_trainer(program=replace(unbroken.program, training=training))
    step, modes = trainer.phases.step, []

    def watched(*batch):
        modes.append(trainer.networks.training)
        return step(*batch)

    trainer.phases.step = watched
    trainer.fit()
    assert modes == [False] * 5 + [True] * 5


def test_a_frozen_parameter_stays(make_trainer):
    trainer = make_trainer(epochs=1)
    frozen = trainer.networks["Net"]["0"]
    frozen.requires_grad_(False)
    before = {name: value.clone() for name, value in frozen.named_parameters()}
    trainer.setup_phases()
    trainer.fit()
    assert all(torch.equal(value, before[name]) for name, value in frozen.named_parameters())


def test_a_complete_run_says_so(make_trainer, console):
    make_trainer(epochs=1).fit()
    again = make_trainer(epochs=1, resume=True)
    again.announce()
    assert "this run is complete (1 epochs)" in console.file.getvalue()


def test_a_run_ends_with_its_page(unbroken):
    text = (unbroken.run.path / "index.html").read_text()
    told = unbroken.run.read_json("environment.json")
    assert told["started"][:2] == "20"
    assert told["command"]
    for part in (
        "<h1>unbroken</h1>",
        "training step",
        told["started"].replace("T", " "),
        "validation metrics",
    ):
        assert part in text, part


def test_a_page_that_cannot_be_written_costs_no_run(make_trainer, console, monkeypatch):
    def full(*_):
        raise OSError("there is\nno room")

    monkeypatch.setattr("netcfg.trainers.fit.trainer.write_page", full)
    trainer = make_trainer(epochs=1)
    assert trainer.fit() == "finished"
    assert f"no page: there is; `netcfg report {trainer.run}` tries again" in console.file.getvalue()


def test_the_state_of_a_repository_is_told_and_none_outside(tmp_path):
    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True)

    assert git_state(tmp_path / "gone") is None
    git("init", "-b", "trunk")
    (tmp_path / "a.cfg").write_text("{Net}\n")
    assert git_state(tmp_path) is None, "without a commit there is no state"
    git("add", "a.cfg")
    git("commit", "-m", "one")
    assert git_state(tmp_path)["branch"] == "trunk"
    assert git_state(tmp_path)["changed"] == 0
    (tmp_path / "a.cfg").write_text("{Other}\n")
    (tmp_path / "unfollowed").write_text("")
    assert git_state(tmp_path)["changed"] == 1
    git("checkout", "--detach")
    assert git_state(tmp_path)["branch"] is None
