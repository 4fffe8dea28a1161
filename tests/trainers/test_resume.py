"""A run killed at any moment, and continued, is the run that was never stopped."""

import io
import json
import os
import random
import signal
import time

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from three_phases import three_phases

from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs import checkpoints
from netcfg.trainers.runs.run_folder import RunFolder


def trainer_in(path, program, resume=False, **options):
    folder = RunFolder.open(path) if resume else RunFolder.create(program, path)
    if not resume:
        folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO(), width=120), **options)
    trainer.setup(resume=resume)
    return trainer


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "unbroken"
    trainer_in(path, three_phases()).fit()
    return path


def kill(work, path, checkpoints, seconds):
    """Do the work in a copy of this process, and kill it so long after so many checkpoints; whether it was done."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    seen = set()
    while len(seen) <= checkpoints:  # the one it starts from is seen first
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            return True
        seen.add((path / "checkpoints/last.safetensors").stat().st_mtime_ns)
        time.sleep(0.0002)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status == 0


def same_files(first, second, name):
    ours, theirs = (load_file(path / "checkpoints" / name) for path in (first, second))
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


def records(path):
    lines = (path / "metrics.jsonl").read_text().splitlines()
    kept = ("epoch", "step", "train", "validation", "best", "learning_rate")
    return [{key: json.loads(line)[key] for key in kept} for line in lines]


def same_states(first, second):
    """Whether all that later updates depend on is equal: moments, averages, schedules, random numbers."""
    ours, theirs = (
        torch.load(path / "checkpoints/last.state", weights_only=True) for path in (first, second)
    )
    return all(flat(ours[key]) == flat(theirs[key]) for key in ours if key != "mark")


def flat(value):
    if isinstance(value, torch.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {key: flat(one) for key, one in value.items()}
    return [flat(one) for one in value] if isinstance(value, list) else value


def test_a_run_killed_again_and_again_ends_as_one_never_stopped(tmp_path, unbroken):
    program, path = three_phases(), tmp_path / "killed"
    chance = random.Random(1)
    first = trainer_in(path, program, checkpoint_seconds=0.0)
    first.save()
    first.events.close()

    def go_on():
        trainer_in(path, program, resume=True, checkpoint_seconds=0.0).fit()

    kills = 0
    while not kill(go_on, path, chance.randint(1, 5), chance.uniform(0, 0.03)):
        kills += 1
    assert kills > 1
    assert records(path) == records(unbroken)
    assert same_files(path, unbroken, "last.safetensors")
    assert same_files(path, unbroken, "best.safetensors")
    assert same_states(path, unbroken)


def test_checkpoints_in_an_epoch_change_nothing(tmp_path, unbroken):
    trainer_in(tmp_path / "saving", three_phases(), checkpoint_seconds=0.0).fit()
    assert same_files(tmp_path / "saving", unbroken, "last.safetensors")
    assert same_states(tmp_path / "saving", unbroken)


def test_a_run_can_be_continued_before_its_first_batch(tmp_path, unbroken):
    path = tmp_path / "stopped"
    broken = trainer_in(path, three_phases())

    def die(*given):
        raise NetcfgError("died")

    broken.phases.step = die
    with pytest.raises(NetcfgError, match="died"):
        broken.fit()
    trainer_in(path, three_phases(), resume=True).fit()
    assert same_files(path, unbroken, "last.safetensors")


def test_a_disk_that_fills_keeps_the_checkpoint_and_all_phases_states(tmp_path, unbroken, monkeypatch):
    path = tmp_path / "full"
    broken = trainer_in(path, three_phases(), checkpoint_seconds=0.0)
    write, written = checkpoints.torch.save, []

    def full(state, file):
        write(state, file)
        written.append(state)
        if len(written) == 5:
            file.truncate(100)
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.torch, "save", full)
        with pytest.raises(NetcfgError, match=r"last\.state: No space left on device"):
            broken.fit()
    assert not list(path.rglob("*.new"))
    resumed = trainer_in(path, three_phases(), resume=True)
    assert resumed.position.step == 3
    resumed.fit()
    assert same_files(path, unbroken, "last.safetensors")
    assert same_states(path, unbroken)


def test_a_changed_group_is_named(unbroken):
    changed = three_phases(accumulate="3")
    with pytest.raises(ProgramError, match="NC406.*`accumulate = 2` of .*now `3`"):
        RunFolder.open(unbroken).expect_program(changed)


def test_a_checkpoint_of_several_processes_needs_as_many(tmp_path, unbroken):
    from netcfg.trainers.machine.distributed import Team

    again = Trainer(three_phases(), RunFolder.open(unbroken), console=Console(file=io.StringIO()))
    again.setup(resume=True)
    again.team = Team(0, 2)
    with pytest.raises(ProgramError, match="(?s)NC406.*trained in one process, and would continue in 2"):
        again.restore()
