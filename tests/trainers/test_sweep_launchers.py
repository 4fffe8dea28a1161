"""Runs of a sweep on clusters: submitit's local executor, a Ray of this machine, and runs that are lost on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from netcfg.cli import sweep as command
from netcfg.cli.main import main
from netcfg.results import Evaluation, Result, Table
from netcfg.source import NetcfgError
from netcfg.trainers.sweeps import launchers
from netcfg.trainers.sweeps.launchers import Ended, Job

PROGRAM = """
{General}
[variables]
rate = 0.1
epochs = 2
[training]
batch_size = 4
max_epochs = $epochs
workers = 0
{Data}
[synthetic_faces]
subjects = 4
clips = 1
clip_length = 4
image_size = 16
action_units = 12
{Net}
[net]
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = 1
{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[sgd]
networks = Net
minimise = bce_with_logits
learning_rate = $rate
{Metric}
[f1]
input = Net
target = labels
"""
REACHED = Result(1, 1, "f1", 0.5, Evaluation(tables={"f1": Table("f1", 0.5)}))
SWEEP = "sweep net.cfg --over rate=0.1,0.2 --run-dir all --device cpu"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text(PROGRAM)
    return tmp_path


def states() -> dict[str, str]:
    runs = json.loads(Path("all/sweep.json").read_text())["runs"]
    return {run["values"]["rate"]: run["state"] for run in runs}


class Told:
    """A cluster that does what a test says: what each job that is started is to end with, in turn."""

    poll_seconds = 0.0
    takes_back = True

    def __init__(self, *ends: Ended) -> None:
        self.ends = list(ends)
        self.started: list[list[str]] = []

    @contextmanager
    def ready(self) -> Iterator[None]:
        yield

    def start(self, arguments: Sequence[str], log: Path, errors: Path) -> Job:
        self.started.append(list(arguments))
        end = self.ends.pop(0) if self.ends else Ended(1)
        errors.write_text("no such file")

        class Done:
            def ended(self) -> Ended | None:
                if end.code == 0:
                    run = Path(arguments[arguments.index("--run-dir") + 1])
                    run.mkdir(exist_ok=True)
                    (run / "result.json").write_text(json.dumps(REACHED.to_json()))
                return end

            def interrupt(self) -> None:
                raise AssertionError

        return Done()


def sweep_by(told: Told, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(command, "launcher_of", lambda *asked: told)
    return main([*SWEEP.split(), "--jobs", "1", *more])


def test_a_lost_run_is_started_again_and_the_others_go_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(Ended(None, "NODE_FAIL"), Ended(0), Ended(143), Ended(0))
    assert sweep_by(told, monkeypatch) == 0
    assert states() == {"0.1": "finished", "0.2": "finished"}
    assert [words[words.index("--set") + 1] for words in told.started] == [
        "rate=0.1",
        "rate=0.1",
        "rate=0.2",
        "rate=0.2",
    ]
    out = capsys.readouterr().out
    assert "rate 0.1: lost: NODE_FAIL; it goes on after epoch 0" in out
    assert "rate 0.2: lost: its machine asked it to stop" in out


def test_a_run_that_is_lost_again_and_again_is_given_up(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(*[Ended(None, "TIMEOUT")] * 3, Ended(0))
    assert sweep_by(told, monkeypatch) == 1
    assert states() == {"0.1": "failed", "0.2": "finished"}
    assert "lost 3 times, the last time: TIMEOUT" in capsys.readouterr().out


def test_what_a_run_itself_fails_of_is_not_tried_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(Ended(1), Ended(0))
    assert sweep_by(told, monkeypatch) == 1
    assert states() == {"0.1": "failed", "0.2": "finished"}
    assert len(told.started) == 2


@pytest.mark.slow
def test_jobs_of_submitit_are_collected_and_survive_the_loss_of_one(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setattr(launchers.Submitit, "cluster", "local")
    killed = threading.Thread(target=kill_the_first_job, args=(place / "all",))
    killed.start()
    asked = "--launcher slurm --resource timeout_min=5 --jobs 1 --set epochs=60"
    assert main([*SWEEP.split(), *asked.split()]) == 0
    killed.join()
    assert states() == {"0.1": "finished", "0.2": "finished"}
    assert "rate 0.1: lost:" in capsys.readouterr().out


def kill_the_first_job(folder: Path) -> None:
    """As a node that goes: the process that submitit began, once its run has trained for a while."""
    while not any((file.stat().st_size > 0) for file in folder.glob("rate=0.1/checkpoints/last.state")):
        time.sleep(0.02)
    (pickle, *_) = folder.glob("jobs/*_submitted.pkl")
    os.kill(int(pickle.name.partition("_")[0]), signal.SIGKILL)
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = status.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"submitit.core._submit" in words and str(folder / "jobs").encode() in words:
            os.kill(int(status.parent.name), signal.SIGKILL)


@pytest.mark.slow
def test_tasks_of_ray_are_collected(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    asked = "--launcher ray --resource num_cpus=1 --jobs 2"
    assert main([*SWEEP.split(), *asked.split()]) == 0
    assert states() == {"0.1": "finished", "0.2": "finished"}


@pytest.mark.parametrize(("launcher", "module"), [("slurm", "submitit"), ("ray", "ray")])
def test_a_launcher_that_is_not_installed_is_refused_with_the_install_line(
    launcher: str,
    module: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert main([*SWEEP.split(), "--launcher", launcher]) == 1
    error = capsys.readouterr().err
    assert f"{module} is not installed" in error
    assert f"help: `pip install 'netcfg[{launcher}]'`" in error
    assert not Path("all").exists()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("--resource num_gpus=1", "these work here"),
        ("--launcher slurm --resource gpus", "write it as NAME=VALUE"),
    ],
)
def test_resources_that_say_nothing_are_refused(
    asked: str, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SWEEP.split(), *asked.split()]) == 1
    assert said in capsys.readouterr().err


def test_ray_is_given_what_it_knows() -> None:
    with pytest.raises(NetcfgError, match="--resource partition: Ray gives none"):
        launchers.Ray({}, {"partition": "gpu"})


def test_slurm_that_is_not_there_and_what_it_does_not_know_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    with (
        pytest.raises(NetcfgError, match="there is no Slurm here"),
        launchers.Submitit(tmp_path, {}, {}).ready(),
    ):
        pass
    monkeypatch.setattr(launchers.Submitit, "cluster", "local")
    with (
        pytest.raises(NetcfgError, match="--resource: Unknown argument 'patition'"),
        launchers.Submitit(tmp_path, {}, {"patition": "gpu"}).ready(),
    ):
        pass
