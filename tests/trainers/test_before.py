"""What is said before the first batch, and not after the first epoch."""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from netcfg.cli import eval, train
from netcfg.source import NetcfgError

PROGRAM = """
{Data}
[synthetic_faces]
subjects = 6
clips = 1
clip_length = 9
image_size = 16
action_units = 6, 12
{Net}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
stride = 2
$normalised
[flatten]
[batch_norm]
[connected]
output_features = 2
{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels
{Optimizer}
[sgd]
networks = Net
minimise = detection
learning_rate = 0.01
{Metric}
[f1]
input = Net
target = labels
[auc]
input = Net
target = labels
{General}
[training]
batch_size = 2
max_epochs = 2
workers = 0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*changes):
    text = PROGRAM.replace("$normalised\n", "")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    Path("face.cfg").write_text(text)


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args([*arguments, "--device", "cpu"]))


def test_a_last_batch_of_one_is_found_before_the_first(folder, capsys):
    write()
    with pytest.raises(
        NetcfgError,
        match=r"(?s)face.cfg:19:1: error\[NC502.*sample 27 of an epoch is alone in its batch \(`batch_size = 2`\), and "
        r"`Net\.\S+` takes its statistics over a batch.*\[batch_norm\].*`drop_last = True`",
    ):
        command(train, "face.cfg", "--run-dir", "run")
    assert not Path("run").exists()
    write(("batch_size = 2", "batch_size = 1"))
    with pytest.raises(NetcfgError, match="NC502.*sample 1 of an epoch"):
        command(train, "face.cfg")


@pytest.mark.parametrize(
    "change",
    [
        ("batch_size = 2", "batch_size = 2\ndrop_last = True"),
        ("batch_size = 2", "batch_size = 5"),
        (
            "[flatten]\n[batch_norm]\n",
            "[batch_norm]\n[flatten]\n",
        ),  # many places of one picture have a spread
        ("channels = 3\n", "channels = 3\nmode = eval\nfreeze = False\n"),
    ],
)
def test_batches_that_are_large_enough_are_left_alone(folder, change):
    write(change)
    assert command(train, "face.cfg", "--epochs", "1") == 0


def test_one_that_comes_about_in_another_way_is_one_sentence(folder, monkeypatch):
    from netcfg.trainers.fit import prepared

    monkeypatch.setattr(prepared, "expect_statistics", lambda *given: None)
    write()
    with pytest.raises(NetcfgError, match="(?s)NC502.*a batch of one sample came to a block.*drop_last"):
        command(train, "face.cfg")


def test_labels_that_a_split_lacks_are_named_before_training_and_after(folder, capsys, monkeypatch):
    from netcfg.blocks.sources.synthetic_faces import SyntheticFaces

    opened = SyntheticFaces.open

    class Without:
        """The samples of a split, in which nobody shows AU12."""

        def __init__(self, samples):
            self.samples = samples

        def __len__(self):
            return len(self.samples)

        def pair(self, index):
            return self.samples.pair(index)

        def __getitem__(self, index):
            sample = dict(self.samples[index])
            if "labels" in sample:
                sample["labels"] = sample["labels"] * [1, 0]
            return sample

    monkeypatch.setattr(
        SyntheticFaces,
        "open",
        lambda self, split, fields: (
            Without(opened(self, split, fields)) if split == "test" else opened(self, split, fields)
        ),
    )
    write(("batch_size = 2", "batch_size = 5"))
    command(train, "face.cfg", "--epochs", "1", "--run-dir", "run")
    before, _, after = capsys.readouterr().out.partition("\n  epoch ")
    note = "note: the test split has no positive of AU12 (no f1, auc); out of all means"
    assert note in before
    assert note in after
    assert "validation split has no" not in before
    found = json.loads(Path("run/result.json").read_text())["test"]
    assert found["metrics"]["f1"]["AU12"] is None
    assert found["metrics"]["f1"]["f1"] == found["metrics"]["f1"]["AU6"]
    capsys.readouterr()
    command(eval, "run", "--format", "csv")
    told = capsys.readouterr()
    assert "test,auc,AU12,\n" in told.out
    assert note in told.err


@pytest.mark.parametrize(
    "option", ["group = subject\npool = vote", "interval = 0.9\ninterval_over = subject", "mask = labels"]
)
def test_labels_are_looked_at_as_a_metric_will_judge_them(folder, capsys, option):
    """Groups, masks and units are read with the labels; what cannot be judged so is said before the first batch."""
    write(("batch_size = 2", "batch_size = 5"), ("[auc]\ninput = Net\ntarget = labels\n", ""))
    text = Path("face.cfg").read_text().replace("{General}", f"{option}\n{{General}}")
    Path("face.cfg").write_text(text)
    if option.startswith("group"):
        with pytest.raises(NetcfgError, match="judges groups as one, and the samples of group"):
            command(train, "face.cfg", "--epochs", "1")
        assert "\n  epoch " not in capsys.readouterr().out
        return
    assert command(train, "face.cfg", "--epochs", "1") == 0
    before = capsys.readouterr().out.partition("\n  epoch ")[0]
    assert ("note: the train split has no negative" in before) is False


def test_a_disk_that_cannot_hold_two_checkpoints_is_said(folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    write(("batch_size = 2", "batch_size = 5"))
    with pytest.raises(
        NetcfgError, match=r"has 0\.0 MB free, and its checkpoints take 1\.\d MB.*\n.*--run-dir"
    ):
        command(train, "face.cfg", "--run-dir", "run")
    assert not Path("run").exists()


# --- one process at a time, and how it ends


def wait_for(path, text):
    end = time.monotonic() + 60
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_run_folder_is_one_process_s_at_a_time(folder):
    write(("batch_size = 2", "batch_size = 5"))
    command(train, "face.cfg", "--run-dir", "run", "--epochs", "1")
    hold = "from pathlib import Path; from netcfg.trainers.runs.lock import Lock; lock = Lock(Path('run'))"
    holder = subprocess.Popen([sys.executable, "-c", f"{hold}; lock.__enter__(); input()"], stdin=-1)
    message = rf"NC406.*another process trains in run \(process {holder.pid} on \S+, since 20"
    wait_for(Path("run/.lock"), f'"process": {holder.pid}')
    with pytest.raises(NetcfgError, match=message):
        command(train, "--resume", "run", "--epochs", "2")
    command(eval, "run")  # only looks
    holder.kill()
    holder.wait()
    command(train, "--resume", "run", "--epochs", "2")
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_end_leaves_a_checkpoint_that_goes_on(folder, number, code):
    write(("batch_size = 2", "batch_size = 5"))
    arguments = ["train", "face.cfg", "--run-dir", "run", "--epochs", "100000", "--device", "cpu"]
    process = subprocess.Popen([sys.executable, "-m", "netcfg", *arguments], stdout=-1, stderr=-1, text=True)
    wait_for(Path("run/metrics.jsonl"), "epoch")
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "continue with: netcfg train --resume run" in out
    assert "Ctrl-C" not in told
