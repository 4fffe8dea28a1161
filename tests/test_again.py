"""`[again]`, and phases that run in some epochs only."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor

import netcfg
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_text
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.run_folder import RunFolder
from netcfg.trainers.step.phases import Phases, set_training

TEXT = """{General}
[training]
batch_size = 4
max_epochs = 4
{Data}
[synthetic_faces]
image_size = 16
fields = image
subjects = 6
clips = 1
clip_length = 4
{Critic}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 4
stride = 4
activation = tanh
[flatten]
[connected]
output_features = 1
{Model}
[Critic]
name = score
from = image
[gradient]
name = slope
of = score
by = image
[formula]
name = steep
value = sum(slope ** 2)
[formula]
name = far
value = (score - 1) ** 2
{Loss}
[mean]
name = missed
input = far
[mean]
name = r1
input = steep
{Optimizer}
[adam]
name = critic
networks = Critic
minimise = missed
learning_rate = 0.01
"""
AGAIN = "[again]\nname = lazy\nof = critic\nminimise = 8 * r1\nevery = 4\n"


def images(batch: int) -> dict[str, Tensor]:
    return {"image": torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(batch))}


def test_it_steps_once_more_by_the_phases_own_means() -> None:
    program = netcfg.load(TEXT + AGAIN)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    phases = Phases(program, networks, torch.device("cpu"))
    critic = copy.deepcopy(networks["Critic"])
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.01)
    for batch in range(10):
        image = images(batch)["image"]
        optimizer.zero_grad()
        (critic(image) - 1).square().mean().backward()
        optimizer.step()
        if (batch + 1) % 4 == 0:
            point = image.clone().requires_grad_()
            (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
            optimizer.zero_grad()
            (8 * slope.square().sum((1, 2, 3)).mean()).backward()
            optimizer.step()
        phases.step(images(batch), batch)
    for key, value in networks["Critic"].state_dict().items():
        torch.testing.assert_close(value, critic.state_dict()[key], rtol=1e-5, atol=1e-6, msg=key)
    assert set(phases.state_dict()) == {"critic"}, "one optimizer's state"


def test_the_plan_says_that_it_steps_again() -> None:
    text = plan_text(plan(netcfg.load(TEXT + AGAIN)))
    assert "that of critic, again" in text
    assert "  lazy: trains Critic, a further step of critic\n" in text
    assert "score = Critic(image)" in text.partition("lazy: trains")[2], "of the critic that has stepped"


def windowed(options: str) -> str:
    return TEXT + AGAIN.replace("every = 4\n", options)


def test_phases_of_some_epochs_are_kinds_of_batches_of_these() -> None:
    made = plan(netcfg.load(windowed("from_epoch = 2\nuntil_epoch = 3\n")))
    kinds = [(pattern.epochs, [step.phase.name for step in pattern.step.phases]) for pattern in made.patterns]
    assert kinds == [((1, 1), ["critic"]), ((2, 3), ["critic", "lazy"]), ((4, None), ["critic"])]
    text = plan_text(made)
    for words in (
        "On every batch, in epoch 1\n",
        "On every batch, in epochs 2 to 3\n",
        "On every batch, from epoch 4 on\n",
    ):
        assert words in text
    assert "every batch, from epoch 2, until epoch 3" in text
    assert [made.running(0, epoch) for epoch in (1, 2, 3, 4)] == [(0,), (0, 1), (0, 1), (0,)]


def test_batches_may_be_counted_through_the_run() -> None:
    made = plan(netcfg.load(windowed("every = 4\nevery_of = run\n")))
    steps = [(epoch, batch) for epoch in range(3) for batch in range(3)]
    ran = [step for step, (epoch, batch) in enumerate(steps) if 1 in made.running(batch, epoch + 1, step)]
    assert ran == [3, 7]


def test_training_runs_it_where_it_stands(tmp_path: Path) -> None:
    program = netcfg.load(windowed("every = 2\nevery_of = run\nfrom_epoch = 2\nuntil_epoch = 3\n"))
    folder = RunFolder.create(program, tmp_path / "run")
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO()), workers=0, limit_batches=3)
    trainer.setup()
    ran: list[tuple[int, int]] = []
    phase = trainer.phases.step._phase

    def watched(plan, *rest) -> None:  # type: ignore[no-untyped-def]
        if plan.phase.name == "lazy":
            ran.append((trainer.position.epoch + 1, trainer.position.batch))
        phase(plan, *rest)

    trainer.phases.step._phase = watched  # type: ignore[method-assign]
    trainer.fit()
    assert ran == [(2, 0), (2, 2), (3, 1)]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            lambda text: text.replace("of = critic", "of = critik"),
            "NC401",
            "there is no optimizer `critik` above",
        ),
        (
            lambda text: text.replace("learning_rate = 0.01\n", "learning_rate = 0.01\naccumulate = 2\n"),
            "NC105",
            "`critic` accumulates the gradients of 2 batches, and cannot step between",
        ),
        (
            lambda text: text + "from_epoch = 3\nuntil_epoch = 2\n",
            "NC411",
            "runs from epoch 3 until epoch 2, which is never",
        ),
        (lambda text: text + "from_epoch = 5\n", "NC411", "`lazy` begins in epoch 5, and training has 4"),
        (
            lambda text: text + "[sgd]\nnetworks = Critic\nminimise = missed\n",
            "NC409",
            "`Critic` is trained by two optimizers",
        ),
    ],
)
def test_a_mistake_is_one_finding(change: Callable[[str], str], code: str, message: str) -> None:
    with pytest.raises(ProgramError) as raised:
        netcfg.load(change(TEXT + AGAIN))
    (finding,) = raised.value.findings
    assert finding.code == code
    assert message in finding.message


def test_a_run_too_short_for_it_is_refused() -> None:
    program = netcfg.load(windowed("every = 90\nevery_of = run\n"))
    phases = Phases(program, netcfg.build(program), torch.device("cpu"))
    with pytest.raises(ProgramError, match="`lazy` runs on every 90th batch, and the run has only 80"):
        phases.check_length(20)
    phases.check_length(30)


def trained(path: Path, resume: bool = False, stop: int | None = None) -> Trainer:
    program = netcfg.load(TEXT.replace("max_epochs = 4", "max_epochs = 4\nmax_steps = 5"))
    folder = RunFolder.open(path) if resume else RunFolder.create(program, path)
    if not resume:
        folder.write_json("run.json", {})
    console = Console(file=io.StringIO(), width=200)
    trainer = Trainer(program, folder, console=console, workers=0, limit_batches=3)
    trainer.setup(resume=resume)
    if stop is not None:
        trainer.training = trainer.training.model_copy(update={"max_steps": stop})
    trainer.fit()
    return trainer


def test_training_ends_after_so_many_steps_within_an_epoch(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole")
    assert (whole.position.step, whole.position.epoch, whole.is_complete) == (5, 2, True)
    assert len((tmp_path / "whole/metrics.jsonl").read_text().splitlines()) == 2, "the last epoch is judged"
    assert "ended after 5 batches (max_steps)" in whole.console.file.getvalue()  # type: ignore[attr-defined]
    trained(tmp_path / "stopped", stop=3)
    again = trained(tmp_path / "stopped", resume=True)
    assert again.position.step == 5
    weights = (one.networks["Critic"].state_dict() for one in (whole, again))
    assert all(torch.equal(a, b) for a, b in zip(*(list(state.values()) for state in weights), strict=True))


def test_only_every_so_manieth_epoch_is_judged_and_the_last(tmp_path: Path) -> None:
    text = TEXT.replace(
        "max_epochs = 4", "max_epochs = 5\nvalidate_every = 2\npatience = 3\nmonitor = missed"
    )
    program = netcfg.load(text)
    folder = RunFolder.create(program, tmp_path / "run")
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO()), workers=0)
    trainer.setup()
    trainer.fit()
    epochs = trainer.ledger.epochs
    assert [bool(epoch.validation.losses) for epoch in epochs] == [False, True, False, True, True]
    judged = {epoch.epoch: epoch.validation.losses["missed"] for epoch in epochs if epoch.validation.losses}
    assert trainer.ledger.standing.best_epoch == min(judged, key=judged.__getitem__)
    assert [epoch.epoch for epoch in epochs if epoch.best][:2] == [1, 2]  # the first for want of another
