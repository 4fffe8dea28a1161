"""Programs as they are written in research, which hold every part that a step can have: stopped within an epoch and
resumed, they are those that were never stopped, bit for bit.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

import netcfg
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_text
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.run_folder import RunFolder

PROGRAMS = Path(__file__).with_name("programs")
PARTS = {
    "[moving_average]": "moco teacher",
    "[queue]": "moco",
    "[running_mean]": "moco",
    "[pool]": "wgan_gp",
    "[vector_quantise]": "vq",
    "once = True": "wgan_gp",
    "draw = phase": "wgan_gp",
    "[again]": "r1",
    "every_of = run": "r1 wgan_gp",
    "from_epoch": "wgan_gp",
    "until_epoch": "vae",
    "max_steps": "vq",
    "[schedule]": "vicreg moco vae teacher fixmatch",
    "[gradient]": "r1",
    "[joined]": "fixmatch",
    "[center]": "teacher",
    "[uncertainty]": "teacher",
    "accumulate": "vicreg",
    "[parameter]": "vq",
}
SAID = {
    "vicreg": "expander = connected(a)",
    "moco": "Key = slow * Key + (1 - slow) * Query",
    "r1": "lazily: trains Critic, a further step of critic",
    "wgan_gp": "fake = Generator(code)                                      gradients for generator",
    "vae": "beta: 0 to 1 in 1 epoch, cosine, by step",
    "teacher": "adam: trains Student, Head, projection, both (loss), centred (loss)",
    "vq": "remember  Encoder.codes",
    "fixmatch": "threshold = constant(value = sure)",
}


class Stopping(Trainer):
    """Stops in the middle of its second epoch."""

    def _train_batch(self, batch):  # type: ignore[no-untyped-def]
        self.interrupt.requested = self.position.epoch == 1 and self.position.batch == 2
        return super()._train_batch(batch)


def fit(path: Path, name: str, kind: type[Trainer] = Trainer, resume: bool = False) -> str:
    program = netcfg.load(PROGRAMS / f"{name}.cfg")
    folder = RunFolder(path) if resume else RunFolder.create(program, path)
    if not resume:
        folder.write_json("run.json", {})
    trainer = kind(program, folder, console=Console(file=io.StringIO()), workers=0)
    trainer.setup(resume=resume)
    return trainer.fit()


def tensors(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a checkpoint, by where it lies."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from tensors(one, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for key, one in enumerate(value):
            yield from tensors(one, f"{path}.{key}")
    else:
        yield path, value


@pytest.mark.slow
@pytest.mark.parametrize("name", SAID)
def test_a_stopped_run_goes_on_to_the_bit(name: str, tmp_path: Path) -> None:
    assert fit(tmp_path / "whole", name) == "finished"
    assert fit(tmp_path / "stopped", name, Stopping) == "interrupted"
    assert fit(tmp_path / "stopped", name, resume=True) == "finished"
    whole, stopped = (tmp_path / one / "checkpoints" for one in ("whole", "stopped"))
    expected, found = load_file(whole / "last.safetensors"), load_file(stopped / "last.safetensors")
    assert expected.keys() == found.keys()
    assert [key for key in expected if not torch.equal(expected[key], found[key])] == []
    for part in ("phases", "states"):
        kept, ours = (
            dict(tensors(torch.load(one / "last.state", weights_only=True)[part])) for one in (whole, stopped)
        )
        assert kept.keys() == ours.keys()
        for key, value in kept.items():
            same = torch.equal(value, ours[key]) if isinstance(value, torch.Tensor) else value == ours[key]
            assert same, key
    losses = [
        [json.loads(line)["train"] for line in (tmp_path / one / "metrics.jsonl").read_text().splitlines()]
        for one in ("whole", "stopped")
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("name", SAID)
def test_the_plan_says_it_as_a_person_would(name: str) -> None:
    program = netcfg.load(PROGRAMS / f"{name}.cfg")
    assert not program.findings
    assert SAID[name] in plan_text(plan(program))


def test_every_part_is_in_one_of_them() -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in PROGRAMS.glob("*.cfg")}
    assert set(texts) == set(SAID)
    for part, names in PARTS.items():
        assert {name for name, text in texts.items() if part in text} >= set(names.split()), part
