"""`netcfg train` as a person uses it: exit codes, messages, Ctrl-C."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from netcfg.cli import train
from netcfg.source import NetcfgError

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
[input]
name = image
channels = 3
height = 16
width = 16
[convolutional]
filters = $filters
kernel_size = 3
stride = 2
[flatten]
[connected]
output_features = 1

{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = detection
{Metric}
[f1]
input = Net
target = labels
{General}
[variables]
filters = 4
[preset demo]
filters = 2
[training]
batch_size = 4
max_epochs = 2
workers = 0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with `face.cfg` in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "face.cfg").write_text(PROGRAM)
    return tmp_path


def netcfg_train(*arguments):
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return train.run(parser.parse_args(arguments))


def run_json(folder, name):
    return json.loads((folder / name).read_text())


def test_training_leaves_a_run_folder_and_prints_its_place(folder, capsys):
    assert netcfg_train("face.cfg") == 0
    assert netcfg_train("face.cfg", "--epochs", "1") == 0
    out = capsys.readouterr().out
    assert "run folder: runs/face-1" in out
    assert "run folder: runs/face-2" in out
    assert "AU12" in out
    assert len((folder / "runs/face-2/metrics.jsonl").read_text().splitlines()) == 1


def test_off_a_terminal_lines_are_plain(folder, capsys):
    netcfg_train("face.cfg")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    header = next(line for line in out.splitlines() if line.split()[0] == "epoch")
    assert header.split()[:4] == ["epoch", "loss", "validation", "loss"]


def test_options_reach_the_run(folder):
    netcfg_train("face.cfg", "--preset", "demo", "--epochs", "1", "--seed", "3", "--run-dir", "mine")
    assert "filters = 2" in (folder / "mine/resolved.cfg").read_text()
    started = run_json(folder, "mine/run.json")
    assert (started["preset"], started["epochs"], started["seed"]) == ("demo", 1, 3)


def test_a_run_continues_from_its_folder_alone(folder, capsys):
    netcfg_train("face.cfg", "--set", "filters=3", "--epochs", "1")
    (folder / "face.cfg").unlink()
    assert netcfg_train("--resume", "runs/face-1", "--epochs", "3") == 0
    assert len((folder / "runs/face-1/metrics.jsonl").read_text().splitlines()) == 3
    assert netcfg_train("--resume", "--run-dir", "runs/face-1") == 0


def test_a_run_continues_with_its_file(folder):
    netcfg_train("face.cfg", "--preset", "demo", "--epochs", "1")
    assert netcfg_train("face.cfg", "--resume", "runs/face-1", "--epochs", "2") == 0


def test_precision_is_kept_on_resume(folder):
    netcfg_train("face.cfg", "--epochs", "1", "--precision", "bf16")
    assert run_json(folder, "runs/face-1/run.json")["precision"] == "bf16"
    assert netcfg_train("--resume", "runs/face-1", "--epochs", "2") == 0
    assert run_json(folder, "runs/face-1/run.json")["precision"] == "bf16"
    refused(
        "NC406.*`--precision bf16`, not with `--precision f32`",
        "--resume",
        "runs/face-1",
        "--precision",
        "f32",
    )


def test_compile_is_kept_on_resume(folder, monkeypatch):
    from netcfg.trainers.fit import prepared

    compiled = []
    monkeypatch.setattr(prepared, "compile_networks", lambda program, *rest: compiled.append(program.name))
    netcfg_train("face.cfg", "--epochs", "1", "--compile")
    netcfg_train("--resume", "runs/face-1", "--epochs", "2")
    assert compiled == ["face.cfg", "face.cfg"]


def test_several_processes_share_a_run_folder_and_one_prints(folder, monkeypatch, capfd):
    from test_distributed import in_team

    monkeypatch.setattr(train, "_GRACE_SECONDS", 0.0)
    (folder / "full").mkdir()
    (folder / "full/file").touch()

    def work(team):
        assert netcfg_train("face.cfg", "--epochs", "1", "--device", "cpu") == 0

    in_team(work, joined=False)
    assert (folder / "runs/face-1/result.json").exists()
    assert not (folder / "runs/face-2").exists()
    out = capfd.readouterr().out
    assert out.count("run folder: runs/face-1\n") == 1

    def refuse(team):
        if int(os.environ["RANK"]):
            assert netcfg_train("face.cfg", "--run-dir", "full") == 1
        else:
            refused("full is not empty", "face.cfg", "--run-dir", "full")

    in_team(refuse, joined=False)


def refused(message, *arguments):
    with pytest.raises(NetcfgError, match=message):
        netcfg_train(*arguments)


def test_a_run_of_another_program_is_refused_and_the_difference_named(folder):
    netcfg_train("face.cfg", "--epochs", "1")
    (folder / "face.cfg").write_text(PROGRAM.replace("batch_size = 4", "batch_size = 5"))
    refused(
        "NC406.*`batch_size = 4` of .training. is now `5`",
        *("face.cfg", "--resume", "runs/face-1"),
    )


def test_what_cannot_be_done_is_refused(folder):
    (folder / "full").mkdir()
    (folder / "full/file").touch()
    refused("this machine has `cpu`", "face.cfg", "--device", "cuda:9")
    refused("no device `tpu`", "face.cfg", "--device", "tpu")
    refused("full is not empty", "face.cfg", "--run-dir", "full")
    refused("(?s)cannot make the run folder.*--run-dir", "face.cfg", "--run-dir", "/proc/nowhere/run")
    refused("NC406.*nowhere does not exist", "--resume", "nowhere")
    refused("NC406.*full is no run folder", "--resume", "full")
    refused("which file", *())
    refused("which run", "--resume")
    refused("NAME=VALUE", "face.cfg", "--set", "filters")
    refused("NC113", "face.cfg", "--preset", "tiny")
    refused("NC108", "face.cfg", "--set", "filterz=2")
    assert not (folder / "runs").exists()


def test_a_run_that_cannot_begin_leaves_no_folder(folder):
    (folder / "face.cfg").write_text(PROGRAM.replace("[net]", "[net]\nweights = none.safetensors"))
    refused("NC601", "face.cfg", "--run-dir", "mine")
    assert not (folder / "mine").exists()


def test_a_run_folder_in_use_is_refused(folder):
    netcfg_train("face.cfg", "--epochs", "1", "--run-dir", "mine")
    refused("already holds a run\nhelp: continue it with `--resume mine`", "face.cfg", "--run-dir", "mine")


def test_a_run_is_not_continued_with_another_seed(folder):
    netcfg_train("face.cfg", "--epochs", "1", "--seed", "1")
    refused("NC406.*`--seed 1`, not with `--seed 2`", "--resume", "runs/face-1", "--seed", "2")


def test_a_damaged_run_is_refused(folder):
    netcfg_train("face.cfg", "--epochs", "1")
    (folder / "runs/face-1/run.json").write_text("{")
    refused("NC406.*run.json is damaged", "--resume", "runs/face-1")


@pytest.mark.parametrize("option", ["--epochs", "--limit-batches", "--seed", "--workers"])
@pytest.mark.parametrize("value", ["-1", "two", "1.5"])
def test_numbers_are_checked(option, value, capsys):
    with pytest.raises(SystemExit) as caught:
        netcfg_train("face.cfg", option, value)
    assert caught.value.code == 2
    assert "must be a whole number from" in capsys.readouterr().err


def test_more_processes_than_a_machine_can_have_are_refused(capsys):
    with pytest.raises(SystemExit):
        netcfg_train("face.cfg", "--workers", "257")
    assert "must be a whole number from 0 to 256, found `257`" in capsys.readouterr().err


def test_no_epochs_is_refused(capsys):
    with pytest.raises(SystemExit):
        netcfg_train("face.cfg", "--epochs", "0")
    assert "from 1 to 1000000, found `0`" in capsys.readouterr().err


def wait_for(condition, process, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def started(folder):
    """A training in its own process and session, with workers, that has finished its first epoch."""
    command = [sys.executable, "-m", "netcfg", "train", "face.cfg", "--epochs", "2000", "--workers", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=folder
    )
    wait_for((folder / "runs/face-1/metrics.jsonl").exists, process)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def test_ctrl_c_saves_and_the_run_continues(folder, started):
    os.killpg(started.pid, signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "continue with: netcfg train --resume runs/face-1" in out
    assert "press Ctrl-C again to stop at once" in err
    assert "Traceback" not in err
    done = len((folder / "runs/face-1/metrics.jsonl").read_text().splitlines())
    assert netcfg_train("--resume", "runs/face-1", "--epochs", str(done + 1)) == 0


def test_a_killed_run_continues(folder, started):
    started.kill()
    started.wait()
    assert netcfg_train("--resume", "runs/face-1", "--epochs", "2") == 0


# --- what a run that goes on may change


CHANGING = (
    PROGRAM.replace("[adam]\n", "[adam]\nlearning_rate = $rate\n")
    .replace("filters = 4\n[preset", "filters = 4\nrate = 0.01\nsize = 4\n[preset")
    .replace("batch_size = 4", "batch_size = $size")
)


def begun(folder):
    (folder / "face.cfg").write_text(CHANGING)
    netcfg_train("face.cfg", "--epochs", "1", "--run-dir", "run", "--device", "cpu")


def rates(folder):
    lines = (folder / "run/metrics.jsonl").read_text().splitlines()
    return [json.loads(line)["learning_rate"]["Net"] for line in lines]


def test_what_leaves_the_networks_meaningful_is_applied_said_and_kept(folder, capsys):
    from netcfg.cli import eval

    begun(folder)
    change = "changed from epoch 2 on:\n  `rate = 0.01` is now `0.002`"
    netcfg_train("--resume", "run", "--set", "rate=0.002", "--epochs", "2", "--device", "cpu")
    assert change in capsys.readouterr().out
    netcfg_train("--resume", "run", "--epochs", "3", "--device", "cpu")
    assert rates(folder) == [0.01, 0.002, 0.002]
    assert "learning_rate = 0.002" in (folder / "run/resolved.cfg").read_text()
    netcfg_train("--resume", "run", "--set", "size=8", "--epochs", "4", "--device", "cpu")
    assert rates(folder)[-1] == 0.002
    parser = argparse.ArgumentParser()
    eval.add_arguments(parser)
    capsys.readouterr()
    eval.run(parser.parse_args(["run", "--device", "cpu"]))
    told = capsys.readouterr().out
    assert change.replace("\n ", "") in told
    assert "changed from epoch 4 on" in told


def test_what_would_be_another_network_or_cannot_be_done_is_refused(folder, tmp_path):
    begun(folder)
    resume = ("--resume", "run", "--device", "cpu", "--epochs", "2")
    refused(
        "(?s)NC406.*other networks.*`filters = 4`.*start a new run from its weights",
        *resume,
        "--set",
        "filters=3",
    )
    refused("NC406.*other networks", *resume, "--preset", "demo")
    refused("NC113", *resume, "--preset", "nonsense")
    refused("NC108", *resume, "--set", "nothing=3")
    refused("/nowhere", *resume, "--data", "/nowhere")
    (folder / "face.cfg").unlink()
    refused("(?s)NC406.*need the file that run began with.*face.cfg is gone", *resume, "--set", "rate=1")
    assert rates(folder) == [0.01]
    assert "changes" not in run_json(folder, "run/run.json")
