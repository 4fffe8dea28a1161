"""`netcfg sweep` as a person uses it: runs in their folders, failures, stops, and the same command again."""

import argparse
import csv
import json
import os
import signal
import sys
import threading
import time
import traceback

import pytest
import torch
from safetensors.torch import load_file

from netcfg.cli import main as command_line
from netcfg.cli import sweep, train
from netcfg.source import NetcfgError
from netcfg.trainers.sweeps import launchers
from netcfg.trainers.sweeps.folder import SweepFolder, folder_name

PROGRAM = """
{Data}
[synthetic_faces]
subjects = 6
clips = 1
clip_length = 4
image_size = 16
action_units = $au
fold = $fold

{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = $outputs

{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits
{Metric}
[f1]
input = Net
target = labels
{General}
[variables]
au = 12
fold = 0
outputs = 1
epochs = 2
[training]
batch_size = 4
max_epochs = $epochs
workers = 0
"""


class Forked:
    """A process like `subprocess.Popen`'s, but a copy of this one, in which everything is imported already."""

    def __init__(self, arguments, *, stdout, stderr, env, pass_fds, **others):
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.setsid()
                for file, number in ((stdout, 1), (stderr, 2)):
                    os.dup2(file.fileno(), number)
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.default_int_handler)
                sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
                code = command_line.main(arguments[3:])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)

    def poll(self):
        if self.returncode is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number):
        os.kill(self.pid, number)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 40 epochs that was never stopped; this process, and so its copies, then have all they import."""
    path = tmp_path_factory.mktemp("unbroken")
    (path / "face.cfg").write_text(PROGRAM)
    asked = ("--set", "epochs=40", "--set", "au=6", "--run-dir", str(path / "run"), "--device", "cpu")
    command(train, str(path / "face.cfg"), *asked)
    return path / "run"


@pytest.fixture
def folder(tmp_path, monkeypatch, whole):
    """A working folder with `face.cfg`; runs are copies of this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(launchers, "Popen", Forked)
    monkeypatch.setattr(launchers.Processes, "poll_seconds", 0.01)
    (tmp_path / "face.cfg").write_text(PROGRAM)
    return tmp_path


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def netcfg_sweep(*arguments):
    return command(sweep, "face.cfg", "--device", "cpu", "--run-dir", "all", *arguments)


def sweep_of(*arguments):
    """Of the files that come first."""
    return command(sweep, *arguments, "--device", "cpu", "--run-dir", "all")


def summary(folder):
    return json.loads((folder / "all/sweep.json").read_text())


def states(folder):
    return {run["folder"]: run["state"] for run in summary(folder)["runs"]}


def test_every_choice_is_a_run_and_the_tables_hold_their_figures(folder, capsys):
    assert netcfg_sweep("--over", "au=6,12", "--over", "fold=0,1", "--jobs", "2") == 0
    names = ["au=6_fold=0", "au=6_fold=1", "au=12_fold=0", "au=12_fold=1"]
    assert states(folder) == dict.fromkeys(names, "finished")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "sweep folder: all, 4 runs\n" in out
    assert "(4 of 4 finished)" in out
    result = json.loads((folder / "all/au=12_fold=1/result.json").read_text())["test"]["metrics"]
    (table,) = summary(folder)["tables"]
    assert table["parts"][0]["rows"]["12"]["cells"]["1"] == result["f1"]["f1"]
    with open("all/sweep.csv") as file:
        rows = list(csv.DictReader(file))
    wanted = {"au": "12", "fold": "1", "split": "test", "metric": "f1", "figure": "f1"}
    assert [float(row["value"]) for row in rows if row.items() >= wanted.items()] == [result["f1"]["f1"]]
    assert r"\toprule" in (folder / "all/sweep.tex").read_text()


def test_finished_runs_are_skipped_and_values_may_be_added(folder, capsys):
    assert netcfg_sweep("--over", "au=6") == 0
    before = (folder / "all/au=6/result.json").stat().st_mtime_ns
    assert netcfg_sweep("--over", "au=6,12") == 0
    assert "2 runs, 1 finished before" in capsys.readouterr().out
    assert (folder / "all/au=6/result.json").stat().st_mtime_ns == before
    assert states(folder) == {"au=6": "finished", "au=12": "finished"}


def test_a_killed_run_continues_as_if_it_had_not_been(folder, whole, monkeypatch, capsys):
    def kill_one():
        """Once it has a few epochs."""
        records = folder / "all/au=6/metrics.jsonl"
        while not records.exists() or records.read_text().count("\n") < 3:
            time.sleep(0.002)
        os.kill(started[0].pid, signal.SIGKILL)

    started = []

    class Known(Forked):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(launchers, "Popen", Known)
    killer = threading.Thread(target=kill_one)
    killer.start()
    asked = ("--set", "epochs=40", "--over", "au=6,12")
    assert netcfg_sweep(*asked) == 1
    killer.join()
    assert states(folder) == {"au=6": "failed", "au=12": "finished"}
    out = capsys.readouterr().out
    assert "failed: au 6\n    ended by the signal SIGKILL\n    more in all/au=6.log and au=6.err" in out
    assert "1 of 2 runs are not finished; the same command goes on" in out
    assert netcfg_sweep(*asked) == 0
    assert "1 finished before, 1 to continue" in capsys.readouterr().out
    ours, theirs = (load_file(f"{run}/checkpoints/last.safetensors") for run in ("all/au=6", whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_ctrl_c_stops_all_and_the_same_command_goes_on(folder, capsys):
    def press():
        while not all((folder / f"all/seed={seed}/metrics.jsonl").exists() for seed in (0, 1)):
            time.sleep(0.002)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    asked = ("--set", "epochs=3000", "--over", "seed=0,1,2", "--jobs", "2")
    assert netcfg_sweep(*asked) == 130
    assert states(folder) == {"seed=0": "stopped", "seed=1": "stopped", "seed=2": "waiting"}
    out = capsys.readouterr().out
    assert "stopping: the runs at work save what they have" in out
    assert "stopped; 3 of 3 runs are not finished; the same command goes on" in out
    assert json.loads((folder / "all/seed=1/run.json").read_text())["seed"] == 1


def test_a_run_that_fails_stops_no_other(folder, capsys):
    (folder / "weights.pt").write_text("nothing")
    text = PROGRAM.replace("[net]\n", "[net]\nweights = $weights\n").replace(
        "epochs = 2", "epochs = 2\nweights = None"
    )
    (folder / "face.cfg").write_text(text)
    assert netcfg_sweep("--over", "weights=weights.pt,None") == 1
    assert states(folder) == {"weights=weights.pt": "failed", "weights=None": "finished"}
    assert "weights.pt is damaged" in summary(folder)["runs"][0]["message"]
    assert "failed: weights weights.pt\n    " in capsys.readouterr().out


def test_runs_that_all_fail_alike_are_not_tried_to_the_last(folder, capsys):
    (folder / "weights.pt").write_text("nothing")
    (folder / "face.cfg").write_text(PROGRAM.replace("[net]\n", "[net]\nweights = weights.pt\n"))
    assert netcfg_sweep("--over", "seed=0,1,2,3,4") == 1
    assert list(states(folder).values()) == ["failed"] * 3 + ["waiting"] * 2
    out = capsys.readouterr().out
    assert out.count("weights.pt is damaged") == 3 + 1
    assert "every run so far has failed in this same way" in out


def refused(message, *arguments):
    with pytest.raises(NetcfgError, match=message):
        netcfg_sweep(*arguments)


def test_all_that_is_wrong_is_said_before_anything_starts(folder):
    refused(
        "(?s)NC105.*`fold` is 5.*with au=6, fold=5 and 1 more.*`fold` is 7",
        *("--over", "au=6,12", "--over", "fold=0,5,7"),
    )
    refused("(?s)NC108.*no variable `unit`", "--over", "unit=6")
    refused("--over au: write it as NAME=A,B,C", "--over", "au")
    refused("(?s)`au` twice", "--over", "au=6", "--over", "au=12")
    refused("a value stands there twice", "--over", "au=6,6")
    refused("`au` is both set and swept over", "--over", "au=6", "--set", "au=12")
    refused("`seed` is both set and swept over", "--over", "seed=0", "--seed", "1")
    refused("seeds are whole numbers", "--over", "seed=one")
    assert not (folder / "all").exists()


def test_another_sweep_is_not_mixed_with_this_one(folder):
    assert netcfg_sweep("--over", "au=6", "--set", "epochs=1") == 0
    refused("(?s)`--set epochs=1`, not `--set epochs=2`.*--run-dir", "--over", "au=6", "--set", "epochs=2")
    refused("`--over au`, not `--over fold`", "--over", "fold=0", "--set", "epochs=1")
    refused("no `--epochs`, not `--epochs 3`", "--over", "au=6", "--set", "epochs=1", "--epochs", "3")
    (folder / "face.cfg").write_text(PROGRAM.replace("batch_size = 4", "batch_size = 5"))
    refused(
        "(?s)all/au=6 was begun with another program: `batch_size = 4` of .training. is now `5`",
        "--over",
        "au=6",
        "--set",
        "epochs=1",
    )


def test_a_folder_of_something_else_or_in_use_is_left_alone(folder):
    (folder / "all").mkdir()
    (folder / "all/file").touch()
    refused("all is not empty, and holds no sweep", "--over", "au=6")
    assert [path.name for path in (folder / "all").iterdir()] == ["file"]
    (folder / "all/file").unlink()
    taken = SweepFolder(folder / "all")
    taken.open({})
    refused("all is in use", "--over", "au=6")
    taken.close()
    assert netcfg_sweep("--over", "au=6") == 0


def test_names_of_folders_tell_all_values_apart():
    names = [folder_name({"a": value}) for value in ("x y", "x-y", "x/y", "1,2", "x_y", "Ä")]
    assert len(set(names)) == len(names)
    assert all("/" not in name for name in names)


def test_several_files_are_rows_and_go_on_together(folder, capsys):
    (folder / "deep.cfg").write_text(
        PROGRAM.replace("[flatten]", "[flatten]\n[connected]\noutput_features = 4")
    )
    assert sweep_of("face.cfg", "deep.cfg", "--over", "au=6,12") == 0
    names = ["program=face_au=6", "program=face_au=12", "program=deep_au=6", "program=deep_au=12"]
    assert states(folder) == dict.fromkeys(names, "finished")
    assert "connected" in (folder / "all/program=deep_au=6/resolved.cfg").read_text().partition("4")[0]
    (table,) = summary(folder)["tables"]
    assert list(table["parts"][0]["rows"]) == ["face", "deep"]
    told = json.loads((folder / "all/program=face_au=6/run.json").read_text())
    assert told["settings"] == ["au=6"], "which file it is no variable of the file"
    assert sweep_of("face.cfg", "deep.cfg", "--over", "au=6,12") == 0
    assert "4 runs, 4 finished before" in capsys.readouterr().out


def test_files_that_cannot_be_told_apart_are_refused(folder):
    (folder / "other").mkdir()
    (folder / "other/face.cfg").write_text(PROGRAM)
    with pytest.raises(NetcfgError, match="are both called `face`"):
        sweep_of("face.cfg", "other/face.cfg", "--over", "au=6,12")
    (folder / "deep.cfg").write_text(PROGRAM)
    with pytest.raises(NetcfgError, match="--over program: several files are told apart by that name"):
        sweep_of("face.cfg", "deep.cfg", "--over", "program=6,12")
