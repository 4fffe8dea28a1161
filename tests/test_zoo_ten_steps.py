"""Systems that ship without a figure check, plan, and take ten steps."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch.optim.optimizer import register_optimizer_step_post_hook

import netcfg
from netcfg.passes.inline import inlined
from netcfg.passes.plan import plan
from netcfg.passes.read import shipped_folder
from netcfg.plan_text import plan_text
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.run_folder import RunFolder

STEPS = 10
FACES = {"image_size": 32, "subjects": 8, "clips": 1, "frames": 3, "epochs": STEPS}
SMALL = {
    "ddpm": {**FACES, "width": 8, "turns": 5, "look": 100, "classes": True, "fields": "image, emotion"},
    "dino": {**FACES, "model": "narrow", "part_size": 16, "hidden": 16, "numbers": 8},
    "face_many_tasks": {**FACES, "model": "narrow"},
    "fixmatch": {**FACES, "model": "narrow", "labelled_subjects": 4, "labelled": 1, "unlabelled": 3},
    "pix2pix": {"width": 4, "depth": 2, "image_size": 32},
    "simclr": {**FACES, "model": "narrow"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_system_checks_plans_and_takes_ten_steps(name: str, tmp_path: Path) -> None:
    text = inlined(shipped_folder() / "zoo" / f"{name}.cfg")
    if "subjects" not in SMALL[name]:
        text = text.replace("[synthetic_faces]", "[synthetic_faces]\nsubjects = 8\nclips = 1")
        text = re.sub("^max_epochs = .*$", f"max_epochs = {STEPS}", text, flags=re.MULTILINE)
    text = re.sub(
        "^batch_size = .*$",
        f"batch_size = 4\nmax_steps = {STEPS}\nvalidate_every = {STEPS}\nmax_validation_batches = 1",
        text,
        flags=re.MULTILINE,
    )
    program = netcfg.load(text, **SMALL[name])
    planned = plan_text(plan(program))
    assert all(f"  {phase.name}: trains" in planned for phase in program.phases)

    trainer = Trainer(program, folder_of(program, tmp_path), workers=0, console=Console(quiet=True))
    trainer.setup()
    before = {key: value.clone() for key, value in trainer.networks.named_parameters()}
    taken: Counter[int] = Counter()
    hook = register_optimizer_step_post_hook(lambda optimizer, *_: taken.update([id(optimizer)]))
    try:
        trainer.fit()
    finally:
        hook.remove()
    assert list(taken.values()) == [STEPS] * len(program.phases)
    learnt = {key: value for key, value in trainer.networks.named_parameters() if value.requires_grad}
    assert all(bool(value.isfinite().all()) for value in learnt.values())
    assert not [key for key, value in learnt.items() if value.ndim > 1 and torch.equal(value, before[key])]


def folder_of(program: netcfg.Program, path: Path) -> RunFolder:
    """An empty run folder."""
    folder = RunFolder.create(program, path / "run")
    folder.write_json("run.json", {})
    return folder
