"""Several processes train as one with the batch of all: two that talk over gloo against one."""

import io
import json
import math
import os
import socket
import sys
import time
import traceback

import pytest
import tiny
import torch
from rich.console import Console
from safetensors.torch import load_file
from three_phases import TEXT

import netcfg
from netcfg.builder.modules.losses.gradient_penalty import GradientPenalty
from netcfg.datasets.pipeline import EpochSampler
from netcfg.passes.plan import plan
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.judging.evaluation import evaluate
from netcfg.trainers.machine.distributed import ALONE, PeerFailed, join, wrap_networks
from netcfg.trainers.runs.run_folder import RunFolder

# What depends on which samples share a process is left out: batch norm, the order within a batch. So are differences
# of which nothing but rounding would be left, which Adam would blow up.
SAME = (
    TEXT.replace("[shuffle_batch]", "[detach]")
    .replace("mode = $shuffle\n", "")
    .replace("shuffle = random\n", "")
)
SAME = SAME.replace("_fake - critic_real", "_fake - 2 * critic_real").replace(
    "- judge_real", "- 2 * judge_real"
)
OPTIONS = {"norm": "0", "dropout": "0.0", "accumulate": "1", "epochs": "2"}


def in_team(work, size=2, seconds=60, joined=True):
    """Run `work(team)` in so many copies of this process, which may have to join themselves; all must end well."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(found.getsockname()[1]))
    children = [fork(work, rank, size, joined) for rank in range(size)]
    end = time.monotonic() + seconds
    statuses = {}
    while len(statuses) < size:
        for child in set(children) - set(statuses):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                statuses[child] = status
        if time.monotonic() > end:
            for child in set(children) - set(statuses):
                os.kill(child, 9)
        time.sleep(0.005)
    assert set(statuses.values()) == {0}, statuses


def fork(work, rank, size, joined):
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank))
        with join(torch.device("cpu"), rank, size if joined else 1) as team:
            work(team)
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(status)


def make(path, program, team=ALONE, resume=False, **options):
    if resume or not team.is_first:
        folder = RunFolder(path)
    else:
        folder = RunFolder.create(program, path)
        folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO(), width=120), team=team, **options)
    trainer.setup(resume=resume)
    return trainer


def records(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def weights(path):
    return load_file(path / "checkpoints/last.safetensors")


@pytest.fixture
def fixed_mix(monkeypatch):
    """Gradient penalties take their points at three tenths of the way, not at random."""
    forward = GradientPenalty.forward

    def fixed(self, critic, real, fake, mix=None):
        return forward(self, critic, real, fake, torch.full((len(real),), 0.3))

    monkeypatch.setattr(GradientPenalty, "forward", fixed)


def test_two_processes_are_one_of_the_double_batch(tmp_path, monkeypatch, fixed_mix):
    monkeypatch.setitem(tiny.SAMPLES, "validation", 5)  # of the second batch, one process has 1 and one none
    one = tiny.tiny_program(SAME, **OPTIONS, batch_size="4")
    two = tiny.tiny_program(SAME, **OPTIONS, batch_size="2")
    make(tmp_path / "one", one).fit()
    in_team(lambda team: make(tmp_path / "two", two, team).fit())
    expected = weights(tmp_path / "one")
    for name, found in weights(tmp_path / "two").items():
        torch.testing.assert_close(found, expected[name], rtol=1e-5, atol=1e-6, msg=name)
    for ours, theirs in zip(records(tmp_path / "two"), records(tmp_path / "one"), strict=True):
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-5)
        assert ours["validation"]["losses"] == pytest.approx(theirs["validation"]["losses"], rel=1e-5)
        assert ours["validation"]["metrics"]["f1"] == theirs["validation"]["metrics"]["f1"]


def test_thresholds_and_medians_are_those_of_one_process(tmp_path):
    searched = "[f1]\ninput = Net\ntarget = labels\nthreshold = validation\nmedian_window = 1, 3\n"
    searched += "[recall]\ninput = Net\ntarget = labels\ninterval = 0.9\ninterval_over = clip\n"
    searched += "".join(
        f"[{name}]\ninput = Net\ntarget = labels\n" for name in ("auc", "dice", "mae", "pearson")
    )
    program = tiny.tiny_program(tiny.TEXT.replace("[f1]\ninput = Net\ntarget = labels\n", searched))

    def judged(team=ALONE):
        trainer = make(tmp_path / f"size{team.size}", program, team)
        phases, data = trainer.phases, trainer.validation_data
        return evaluate(phases.model, phases.losses, data, team=team)

    expected = judged()
    assert expected.thresholds["f1"]

    def work(team):
        found = judged(team)
        assert (found.tables, found.thresholds) == (expected.tables, expected.thresholds)

    in_team(work)


def test_accumulated_gradients_are_those_of_the_double_batch(tmp_path, fixed_mix):
    options = {**OPTIONS, "accumulate": "3"}  # of five batches: three, and the two that are left
    make(tmp_path / "one", tiny.tiny_program(SAME, **options, batch_size="4")).fit()
    two = tiny.tiny_program(SAME, **options, batch_size="2")
    in_team(lambda team: make(tmp_path / "two", two, team).fit())
    expected = weights(tmp_path / "one")
    for name, found in weights(tmp_path / "two").items():
        torch.testing.assert_close(found, expected[name], rtol=1e-5, atol=1e-6, msg=name)


def test_a_loss_that_is_no_number_in_one_process_stops_all(tmp_path):
    program = tiny.tiny_program(TEXT)

    def work(team):
        trainer = make(tmp_path / "run", program, team)
        finish = trainer.train_data.finish

        def poisoned(batch):
            fields = finish(batch)
            if team.rank == 1 and trainer.position.step == 2:
                fields["image"].fill_(math.nan)
            return fields

        trainer.train_data.finish = poisoned
        expected, message = (ProgramError, "NC405") if team.rank else (PeerFailed, "process 1")
        with pytest.raises(expected, match=message):
            trainer.fit()

    in_team(work)


def test_data_that_fail_in_one_process_stop_all(tmp_path):
    from netcfg.source import NetcfgError

    program = tiny.tiny_program(TEXT)

    def work(team):
        trainer = make(tmp_path / "run", program, team)
        if team.rank == 1:
            trainer.validation_data.epoch = fail
        expected = NetcfgError if team.rank else PeerFailed
        with pytest.raises(expected):
            trainer.fit()

    def fail(*arguments):
        raise NetcfgError("unreadable")
        yield

    in_team(work)


def test_a_team_stopped_by_one_continues_exactly(tmp_path):
    program = tiny.tiny_program(
        TEXT, batch_size="2", epochs="2"
    )  # batch norm, dropout, random mixes: each its own

    def stopped(team):
        trainer = make(tmp_path / "stopped", program, team)
        step = trainer.phases.step

        def counted(*batch):
            values = step(*batch)
            if team.rank == 1 and trainer.position.step == 6:
                trainer.interrupt.requested = True
            return values

        counted.explain = step.explain
        trainer.phases.step = counted
        assert trainer.fit() == "interrupted"
        assert trainer.position.step == 7

    in_team(lambda team: make(tmp_path / "unbroken", program, team).fit())
    in_team(stopped)
    in_team(lambda team: make(tmp_path / "stopped", program, team, resume=True).fit())
    ours, theirs = weights(tmp_path / "stopped"), weights(tmp_path / "unbroken")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    for first, second in zip(records(tmp_path / "stopped"), records(tmp_path / "unbroken"), strict=True):
        assert first["train"] == pytest.approx(second["train"], rel=1e-12)


def test_networks_computed_once_have_gradients_exchanged_meanwhile():
    import netcfg

    program = tiny.tiny_program(TEXT)

    def work(team):
        networks = netcfg.build(program)
        assert set(wrap_networks(program, networks, plan(program), team)) == {
            "Encoder",
            "Predictor",
            "Decoder",
        }

    in_team(work)
    assert wrap_networks(program, netcfg.build(program), plan(program), ALONE) == {}


def shares(samples, batch_size, processes, equal):
    return [
        [
            [draw.sample for _, draw, _ in keys]
            for keys in EpochSampler(
                samples, batch_size, 0, "never", False, None, None, (rank, processes), equal
            )
        ]
        for rank in range(processes)
    ]


def test_an_evaluated_split_is_shared_without_repeats():
    assert shares(7, 2, 2, False) == [[[0, 1], [4, 5]], [[2, 3], [6]]]
    assert shares(5, 2, 2, False) == [[[0, 1], [4]], [[2, 3]]]


def test_training_shares_are_equal():
    assert shares(7, 2, 2, True) == [[[0, 1], [4, 5]], [[2, 3], [6, 0]]]
    assert shares(1, 2, 3, True) == [[[0]], [[0]], [[0]]]


LEARNED = """{General}
[variables]
accumulate = 1
[training]
max_epochs = 2
batch_size = 4
monitor = units
{Net}
[net]
channels = 3
height = 16
width = 16
[flatten]
[connected]
name = code
output_features = 5
activation = tanh
[connected]
name = units
output_features = 2
[output]
name = code
from = code
[output]
name = units
from = units
{Model}
[Net]
[formula]
name = known
value = subject - 2 * floor(subject / 2) == 0
{Data}
[synthetic_faces]
image_size = 16
subjects = 10
clips = 1
clip_length = 4
action_units = 6, 12
{Loss}
[bce_with_logits]
name = units
input = Net.units
target = labels
mask = known
[arcface]
input = Net.code
target = emotion
scale = 4
[center]
input = Net.code
target = emotion
[uncertainty]
of = units, arcface
{Optimizer}
[schedule]
name = beta
end = 0.5
by = step
[sgd]
networks = Net
minimise = uncertainty + beta * center
learning_rate = 0.1
accumulate = $accumulate
"""


@pytest.mark.parametrize("accumulate", [1, 2])
def test_losses_that_learn_are_those_of_the_double_batch(tmp_path, accumulate):
    """With gaps in the labels: one process may have none. What uncertainty adds of its own counts where any has."""
    one = netcfg.load(LEARNED, accumulate=accumulate)
    two = netcfg.load(LEARNED.replace("batch_size = 4", "batch_size = 2"), accumulate=accumulate)
    in_team(lambda team: make(tmp_path / "two", two, team).fit())
    make(tmp_path / "one", one).fit()
    expected, found = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert {"arcface.weight", "center.weight", "uncertainty.log_variance"} <= set(found)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    losses = [records(tmp_path / name)[-1]["train"] for name in ("one", "two")]
    assert losses[1]["units"] == pytest.approx(losses[0]["units"], rel=1e-4)
    assert losses[1]["arcface"] == pytest.approx(losses[0]["arcface"], rel=1e-4)


KEPT_LESS = """
{Net}
[net]
checkpoint = True
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
pad = 1
activation = relu
repeat = 4
[dropout]
probability = 0
[global_avgpool]
[connected]
output_features = 2
{Data}
[synthetic_faces]
image_size = 16
subjects = 10
clips = 1
clip_length = 4
action_units = 6, 12
{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[sgd]
networks = Net
minimise = bce_with_logits
learning_rate = 0.1
{Metric}
[f1]
input = Net
target = labels
{General}
[training]
batch_size = 4
max_epochs = 1
monitor = None
"""


def test_signals_that_are_computed_again_exchange_their_gradients(tmp_path):
    """What `checkpoint` forgets and makes anew in two processes is what one process without it keeps."""
    two = netcfg.load(KEPT_LESS.replace("batch_size = 4", "batch_size = 2"))
    in_team(lambda team: make(tmp_path / "two", two, team).fit())
    make(tmp_path / "one", netcfg.load(KEPT_LESS.replace("checkpoint = True\n", ""))).fit()
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), rtol=1e-4, atol=1e-6)
    assert any(value.any() for value in weights(tmp_path / "two").values())
