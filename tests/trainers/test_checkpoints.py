import os

import pytest
import torch
from torch import nn

from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.runs import checkpoints as module
from netcfg.trainers.runs.checkpoints import Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path)


def network(value):
    made = nn.ModuleDict({"Net": nn.Linear(2, 1)})
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(value)
    return made


def value_of(checkpoints):
    """The number in `last`, and the one in its state."""
    loaded = network(0.0)
    state = checkpoints.load_last(loaded)
    return loaded["Net"].bias.item(), state["value"]


def save(checkpoints, value):
    checkpoints.save_last(network(value), {"value": value})


class Killed(BaseException):
    pass


def test_last_brings_back_weights_and_state(checkpoints):
    save(checkpoints, 1.0)
    save(checkpoints, 2.0)
    assert value_of(checkpoints) == (2.0, 2.0)
    assert {path.name for path in checkpoints.folder.iterdir()} == {"last.safetensors", "last.state"}


@pytest.mark.parametrize("function", ["save_file", "fsync", "torch_save"])
def test_a_writer_that_dies_while_writing_leaves_the_old(checkpoints, monkeypatch, function):
    save(checkpoints, 1.0)

    def die(*args, **kwargs):
        raise Killed

    target = {"save_file": (module, "save_file"), "fsync": (os, "fsync"), "torch_save": (torch, "save")}[
        function
    ]
    with monkeypatch.context() as patch:
        patch.setattr(*target, die)
        with pytest.raises(Killed):
            save(checkpoints, 2.0)
    assert value_of(checkpoints) == (1.0, 1.0)


@pytest.mark.parametrize(("renames", "value"), [(0, 1.0), (1, 2.0)])
def test_a_writer_that_dies_between_the_renames_leaves_one_unit(checkpoints, monkeypatch, renames, value):
    save(checkpoints, 1.0)
    replace, done = os.replace, []

    def die(*args):
        if len(done) == renames:
            raise Killed
        done.append(args)
        replace(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        with pytest.raises(Killed):
            save(checkpoints, 2.0)
    assert value_of(checkpoints) == (value, value)
    assert value_of(checkpoints) == (value, value)


def test_a_full_disk_is_told_and_leaves_the_old(checkpoints, monkeypatch):
    save(checkpoints, 1.0)

    def full(tensors, path, metadata=None):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "save_file", full)
        with pytest.raises(NetcfgError, match=r"last\.safetensors: No space left on device"):
            save(checkpoints, 2.0)
    assert value_of(checkpoints) == (1.0, 1.0)
    assert not list(checkpoints.folder.glob("*.new"))


@pytest.mark.parametrize("name", ["last.safetensors", "last.state"])
def test_a_damaged_checkpoint_is_refused(checkpoints, name):
    save(checkpoints, 1.0)
    path = checkpoints.folder / name
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ProgramError, match="NC406.*damaged"):
        value_of(checkpoints)


def test_a_state_of_other_weights_is_refused(checkpoints):
    save(checkpoints, 1.0)
    state = (checkpoints.folder / "last.state").read_bytes()
    save(checkpoints, 2.0)
    (checkpoints.folder / "last.state").write_bytes(state)
    with pytest.raises(ProgramError, match="NC406.*does not belong"):
        value_of(checkpoints)


def test_a_run_without_checkpoint_cannot_be_continued(checkpoints):
    with pytest.raises(ProgramError, match="NC406.*holds no checkpoint"):
        value_of(checkpoints)


def test_weights_of_another_network_are_refused(checkpoints):
    save(checkpoints, 1.0)
    with pytest.raises(NetcfgError, match=r"Net\.weight"):
        checkpoints.load_last(nn.ModuleDict({"Net": nn.Linear(3, 1)}))


def test_channels_last_weights_are_kept(checkpoints):
    made = nn.ModuleDict({"Net": nn.Conv2d(3, 4, 3)}).to(memory_format=torch.channels_last)
    checkpoints.save_best(made, {"epoch": "1"})
    loaded = nn.ModuleDict({"Net": nn.Conv2d(3, 4, 3)})
    checkpoints.load_best(loaded)
    assert torch.equal(loaded["Net"].weight, made["Net"].weight)
