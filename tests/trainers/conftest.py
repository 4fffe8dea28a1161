"""Fixtures of the training tests; the program they train is in `tiny.py`."""

import io

import pytest
import torch
from rich.console import Console
from tiny import tiny_program


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Two threads for networks this small only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def console():
    """A console that is no terminal; `console.file.getvalue()` is what it was told."""
    return Console(file=io.StringIO(), width=120)


@pytest.fixture
def make_trainer(tmp_path, console):
    """`make_trainer("name", epochs=…)`: a fresh trainer in `tmp_path/name`; `resume=True`: the run there."""
    from netcfg.trainers.fit.trainer import Trainer
    from netcfg.trainers.runs.run_folder import RunFolder

    def make(name="run", resume=False, program=None, workers=None, limit_batches=None, **variables):
        program = program or tiny_program(**variables)
        path = tmp_path / name
        folder = RunFolder.open(path) if resume else RunFolder.create(program, path)
        if not resume:
            folder.write_json("run.json", {})
        trainer = Trainer(program, folder, workers=workers, limit_batches=limit_batches, console=console)
        trainer.setup(resume=resume)
        return trainer

    return make
