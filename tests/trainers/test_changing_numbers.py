"""Numbers that change: against plain loops of torch, in what says them, and in what is wrong with them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import netcfg
from netcfg.blocks.changing import Changing, Scheduled
from netcfg.blocks.optimizers.schedule import NumberSchedule
from netcfg.blocks.optimizers.schedules import Moment
from netcfg.builder.changing import ScheduledNumber
from netcfg.passes.loss_sums import sum_of_losses
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.results import Epoch
from netcfg.trainers.reporting.curves import number_panels
from netcfg.trainers.step.phases import Phases

PROGRAM = """{Net}
[net]
channels = 3
height = 8
width = 8
[flatten]
[connected]
name = hidden
output_features = 4
activation = tanh
[connected]
name = head
output_features = 2
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[resize]
size = 8
{Loss}
[bce_with_logits]
name = a
input = Net
target = labels
[norm]
name = b
input = Net
{General}
[training]
max_epochs = 4
batch_size = 5
"""
EPOCHS, BATCHES = 4, 5


def batches() -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(5)
    return [
        {
            "image": torch.randn(5, 3, 8, 8, generator=generator),
            "labels": torch.randint(2, (5, 2), generator=generator).float(),
        }
        for _ in range(EPOCHS * BATCHES)
    ]


def phases_of(text: str) -> Phases:
    program = netcfg.load(text)
    torch.manual_seed(0)
    return Phases(program, netcfg.build(program), torch.device("cpu"))


def trained(phases: Phases, first: int = 0, last: int = EPOCHS * BATCHES) -> dict[str, Tensor]:
    """The weights after these batches, an epoch of `BATCHES` after the other."""
    for number in range(first, last):
        epoch, batch = divmod(number, BATCHES)
        phases.set_rates(epoch, batch, BATCHES)
        phases.step(batches()[number], batch)
        if batch == BATCHES - 1:
            phases.flush()
    return {name: value.detach().clone() for name, value in phases.model.networks.state_dict().items()}


def plain_losses(network: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    made = network(batch["image"])
    return (
        nn.functional.binary_cross_entropy_with_logits(made, batch["labels"]),
        made.norm(),
    )


def test_a_schedule_by_step_with_accumulation_is_a_plain_loop_of_torch() -> None:
    """Factors of losses, learning rate and momentum together; the last update of each epoch has one batch."""
    phases = phases_of(
        PROGRAM
        + """{Optimizer}
[schedule]
name = beta
start = 0.5
end = 2
epochs = 3
shape = cosine
by = step
[schedule]
name = mu
value = 0.9 - 0.4 * p
by = step
[sgd]
networks = Net
minimise = a + 0.1 * beta * b
learning_rate = 0.2
momentum = mu
accumulate = 2
schedule = one_cycle
"""
    )
    network = netcfg.build(phases.program)["Net"]
    network.load_state_dict(phases.model.networks["Net"].state_dict())
    updates = 3  # of an epoch: of 2, 2 and 1 batches
    optimizer = torch.optim.SGD(network.parameters(), 0.2, 0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.2, total_steps=EPOCHS * updates, cycle_momentum=False
    )
    given = batches()
    for epoch in range(EPOCHS):
        for update, numbers in enumerate(((0, 1), (2, 3), (4,))):
            time = epoch + update / updates
            beta = 2 - 1.5 * (1 + math.cos(math.pi * min(1, time / 3))) / 2
            optimizer.param_groups[0]["momentum"] = 0.9 - 0.4 * time / EPOCHS
            optimizer.zero_grad()
            for number in numbers:
                a, b = plain_losses(network, given[epoch * BATCHES + number])
                ((a + 0.1 * beta * b) / len(numbers)).backward()
            optimizer.step()
            scheduler.step()
    expected = {f"Net.{name}": value for name, value in network.state_dict().items()}
    torch.testing.assert_close(trained(phases), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["adamw", "muon", "nadam"])
def test_rates_and_decays_of_groups_follow_schedules(kind: str) -> None:
    phases = phases_of(
        PROGRAM
        + f"""{{Optimizer}}
[schedule]
name = rate
start = 0.1
end = 0.3
[schedule]
name = decay
start = 0.04
end = 0.4
shape = exponential
[schedule]
name = slow
start = 0.8
end = 0.6
[{kind}]
networks = Net
minimise = a
learning_rate = rate
weight_decay = decay
beta1 = slow
rates = head: 0.5
no_decay = biases
"""
    )
    (stepper,) = phases.steppers.values()
    for epoch in (0, 2):
        phases.set_rates(epoch, 0, BATCHES)
        part = epoch / EPOCHS
        assert phases.rates()["Net"] == pytest.approx(0.1 + 0.2 * part)
        assert phases.rates()["Net.head"] == pytest.approx((0.1 + 0.2 * part) / 2)
        assert phases.rates_at(epoch, 0, BATCHES, EPOCHS) == pytest.approx(phases.rates())
        decays = {round(group["weight_decay"], 9) for group in stepper.optimizer.param_groups}
        assert sorted(decays) == pytest.approx([0, 0.04 * 10**part])
        betas = {round(group["betas"][0], 9) for group in stepper.optimizer.param_groups if "betas" in group}
        assert betas == {round(0.8 - 0.2 * part, 9)}


OF_A_NETWORK = (
    PROGRAM.replace("width = 8\n", "width = 8\nlearning_rate = own\nbeta1 = slow\n", 1)
    + """{Optimizer}
[schedule]
name = own
start = 0.01
end = 0.1
epochs = 3
by = step
[schedule]
name = slow
start = 0.8
end = 0.6
[adamw]
networks = Net
minimise = a
rates = head: 0.5
accumulate = 2
"""
)


def test_a_networks_own_rate_and_momentum_follow_schedules() -> None:
    """Those of its [net]: like a loop of torch, of which the head steps half as far."""
    phases = phases_of(OF_A_NETWORK)
    network = netcfg.build(phases.program)["Net"]
    network.load_state_dict(phases.model.networks["Net"].state_dict())
    groups: list[list[nn.Parameter]] = [[], []]
    for name, weight in network.named_parameters():
        groups["head" in name].append(weight)
    optimizer = torch.optim.AdamW([{"params": one} for one in groups])
    given, updates = batches(), 3
    for epoch in range(EPOCHS):
        for update, numbers in enumerate(((0, 1), (2, 3), (4,))):
            rate = 0.01 + 0.09 * min(1.0, (epoch + update / updates) / 3)
            for group, factor in zip(optimizer.param_groups, (1, 0.5), strict=True):
                group["lr"], group["betas"] = rate * factor, (0.8 - 0.2 * epoch / EPOCHS, 0.999)
            optimizer.zero_grad()
            for number in numbers:
                (plain_losses(network, given[epoch * BATCHES + number])[0] / len(numbers)).backward()
            optimizer.step()
    expected = {f"Net.{name}": value for name, value in network.state_dict().items()}
    torch.testing.assert_close(trained(phases), expected, rtol=0, atol=1e-6)
    phases.set_rates(1, 0, BATCHES)
    assert phases.rates() == pytest.approx({"Net": 0.04, "Net.head": 0.02})
    assert phases.rates_at(1, 0, BATCHES, EPOCHS) == pytest.approx(phases.rates())
    page = plan_text(plan(phases.program))
    assert "own (its [net])" in page
    assert "own: 0.01 to 0.1 in 3 epochs, by step" in page


def test_a_constant_that_changes_lets_a_formula_change() -> None:
    phases = phases_of(
        PROGRAM.replace(
            "{Loss}",
            """{Model}
[Net]
from = image
[constant]
name = threshold
value = sure
[formula]
name = above
value = relu(Net - threshold)
{Loss}""",
        ).replace("[norm]\nname = b\ninput = Net", "[mean]\nname = b\ninput = above")
        + """{Optimizer}
[schedule]
name = sure
start = -1
end = 1
by = step
[sgd]
networks = Net
minimise = a + b
learning_rate = 0.1
"""
    )
    network = netcfg.build(phases.program)["Net"]
    network.load_state_dict(phases.model.networks["Net"].state_dict())
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for number, batch in enumerate(batches()):
        optimizer.zero_grad()
        above = torch.relu(network(batch["image"]) + 1 - 2 * number / (EPOCHS * BATCHES))
        (plain_losses(network, batch)[0] + above.mean()).backward()
        optimizer.step()
    expected = {f"Net.{name}": value for name, value in network.state_dict().items()}
    torch.testing.assert_close(trained(phases), expected, rtol=0, atol=1e-6)


def test_what_the_optimizer_says_of_a_rate_wins_over_a_networks_schedule() -> None:
    phases = phases_of(OF_A_NETWORK.replace("minimise = a\n", "minimise = a\nlearning_rate = 0.5\n"))
    for epoch in (0, 3):
        phases.set_rates(epoch, 0, BATCHES)
        assert phases.rates() == {"Net": 0.5, "Net.head": 0.25}


CHANGING = (
    PROGRAM
    + """{Optimizer}
[schedule]
name = beta
end = 0.5
shape = cosine
by = step
[schedule]
name = rate
start = 0.01
end = 0.1
by = step
[adam]
networks = Net
minimise = a + beta * b
learning_rate = rate
accumulate = 2
"""
)


@pytest.mark.parametrize("text", [CHANGING, OF_A_NETWORK])
def test_a_resumed_run_goes_on_to_the_bit(text: str) -> None:
    whole = trained(phases_of(text))
    first = phases_of(text)
    trained(first, 0, 8)
    second = phases_of(text)
    second.model.networks.load_state_dict(first.model.networks.state_dict())
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(trained(second, 8), whole, rtol=0, atol=0)


def test_a_gradient_is_reversed_by_a_number_that_changes() -> None:
    phases = phases_of(
        PROGRAM.replace(
            "{Data}", "{Model}\n[Net]\n[reverse_gradient]\nname = back\nfactor = lambda\n{Data}"
        ).replace("[norm]\nname = b\ninput = Net", "[norm]\nname = b\ninput = back")
        + """{Optimizer}
[schedule]
name = lambda
value = 2 / (1 + exp(-10 * p)) - 1
[sgd]
networks = Net
minimise = a + b
learning_rate = 1
"""
    )
    network = phases.model.networks["Net"]
    weights = list(network.parameters())
    batch = batches()[0]
    for epoch in (0, 1, 3):
        a, b = (
            torch.autograd.grad(loss, weights, retain_graph=True) for loss in plain_losses(network, batch)
        )
        before = [weight.detach().clone() for weight in weights]
        phases.set_rates(epoch, 0, BATCHES)
        phases.step(batch, 0)
        factor = 2 / (1 + math.exp(-10 * epoch / EPOCHS)) - 1
        for weight, start, of_a, of_b in zip(weights, before, a, b, strict=True):
            torch.testing.assert_close(weight.detach(), start - of_a + factor * of_b, rtol=1e-4, atol=1e-6)


# --- what a schedule is


def schedule(**options: Any) -> NumberSchedule:
    return NumberSchedule(name="beta", **options)


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, [0, 0.25, 0.5, 0.75]),
        ({"epochs": 2.0}, [0, 0.5, 1, 1]),
        ({"delay": 2.0, "start": 4.0, "end": 0.0}, [4, 4, 4, 2]),
        ({"shape": "step", "epochs": 2.0}, [0, 0, 1, 1]),
        ({"shape": "exponential", "start": 1.0, "end": 16.0}, [1, 2, 4, 8]),
        ({"shape": "cosine"}, [(1 - math.cos(math.pi * part / 4)) / 2 for part in range(4)]),
    ],
)
def test_what_a_schedule_is_in_each_epoch(options: dict[str, Any], values: list[float]) -> None:
    assert [schedule(**options).at(Moment(epoch, 4, 2, 3)) for epoch in range(4)] == pytest.approx(values)


def test_by_step_it_changes_within_an_epoch() -> None:
    assert schedule(by="step").at(Moment(1, 4, 2, 4)) == pytest.approx(1.5 / 4)


@pytest.mark.parametrize(
    ("formula", "half"),
    [
        ("2 / (1 + exp(-10 * p)) - 1", math.tanh(2.5)),
        ("where(p < 0.5, 0, max(p, 0.7))", 0.7),
        ("clip(3 * p, 0, 1) + sin(pi * p) ** 2", 2.0),
        ("sigmoid(p - 0.5) - floor(p + 0.6) + abs(-p)", 0.0),
    ],
)
def test_a_formula_of_time(formula: str, half: float) -> None:
    schedule = f"{{Optimizer}}\n[schedule]\nname = beta\nvalue = {formula}\n"
    text = PROGRAM + schedule + "[adam]\nnetworks = Net\nminimise = a + beta * b\n"
    assert netcfg.load(text).schedules["beta"].after(0.5) == pytest.approx(half)


def test_factors_hang_on_schedules_as_they_are_written() -> None:
    weights, constant = sum_of_losses(
        "(1 - beta) * a + 2 * beta * (b - 3 * mu * c) / 4 - beta * d", {"beta", "mu"}
    )
    assert constant == 0
    numbers = {"beta": 0.25, "mu": 2.0}
    assert {name: weight.at(numbers) for name, weight in weights.items() if isinstance(weight, Changing)} == {
        "a": 0.75,
        "b": 0.125,
        "c": -0.75,
        "d": -0.25,
    }
    assert [str(weight) for weight in weights.values()] == [
        "(1 - beta)",
        "0.5 * beta",
        "1.5 * beta * mu",
        "beta",
    ]


def test_the_plan_says_how_numbers_change() -> None:
    made = plan(netcfg.load(CHANGING))
    text = plan_text(made)
    assert "    minimise  a + beta * b\n" in text + "\n"
    assert "rate ([adam])" in text
    assert "beta: 0 to 0.5, cosine, by step\nrate: 0.01 to 0.1, by step" in text
    data = plan_data(made)
    assert data["phases"][0]["minimise"] == {"a": 1.0, "b": "beta"}
    assert data["schedules"]["beta"] == "0 to 0.5, cosine, by step"
    json.dumps(data)


def test_a_run_logs_and_draws_them() -> None:
    records = [Epoch(epoch, numbers={"beta": epoch / 4}) for epoch in (1, 2)]
    assert [Epoch.from_json(json.loads(json.dumps(one.to_json()))) for one in records] == records
    (panel,) = number_panels(records)
    assert (panel.title, dict(panel.curves)) == ("numbers that change", {"beta": {"": [0.25, 0.5]}})


# --- what is wrong


def findings(optimizer: str, program: str = PROGRAM) -> list[tuple[str, str, str]]:
    """Code, message and place of each finding."""
    return [
        (one.code, one.message, one.span.file.line(one.span.line)[one.span.column - 1 :][: one.span.length])
        for one in netcfg.check(program + "{Optimizer}\n" + optimizer)[1]
        if one.span is not None
    ]


BETA = "[schedule]\nname = beta\n"
ADAM = "[adam]\nnetworks = Net\nminimise = a + beta * b\n"


@pytest.mark.parametrize(
    ("optimizer", "finding"),
    [
        (
            BETA + ADAM + "clip_grad_norm = beta\n",
            (
                "NC105",
                "`clip_grad_norm` may not change while the program trains, and `beta` is a [schedule]",
                "beta",
            ),
        ),
        (
            BETA + ADAM + "learning_rate = btea\n",
            ("NC105", "`learning_rate` must be a number or the name of a [schedule], found `btea`", "btea"),
        ),
        (
            BETA + ADAM.replace("beta * ", "") + "learning_rate = btea\n",
            ("NC105", "`learning_rate` must be a number or the name of a [schedule], found `btea`", "btea"),
        ),
        (
            BETA + "start = -1\n" + ADAM + "learning_rate = beta\n",
            ("NC105", "`learning_rate` must be greater than 0.0, and `beta` comes to -1", "beta"),
        ),
        (
            BETA + "end = 2\n" + ADAM + "beta1 = beta\n",
            ("NC105", "`beta1` must be less than 1.0, and `beta` comes to 2", "beta"),
        ),
        (
            BETA + "value = 1 / (p - 0.5)\n" + ADAM,
            ("NC105", "`value` has no number at p = 0.5", "1 / (p - 0.5)"),
        ),
        (
            BETA + "value = p + epoch\n" + ADAM,
            ("NC105", "`value` names `epoch`, and a schedule knows only `p`", "p + epoch"),
        ),
        (
            BETA + "value = softmax(p)\n" + ADAM,
            ("NC105", "`value` has `softmax(…)`, which no schedule knows", "softmax(p)"),
        ),
        (
            BETA + "value = p\nend = 2\n" + ADAM,
            ("NC105", "`schedule` has `value`, which says all of it, and `end`", "[schedule]"),
        ),
        (
            BETA + "shape = exponential\n" + ADAM,
            (
                "NC105",
                "`schedule` has `shape = exponential`, which needs numbers of one sign that are not 0, and goes from "
                "0 to 1",
                "[schedule]",
            ),
        ),
        (
            BETA + "delay = 4\n" + ADAM,
            ("NC416", "it stays at first for 4 epochs, and training has 4 epochs", "4"),
        ),
        (
            BETA + "shape = step\nepochs = 9\n" + ADAM,
            ("NC416", "its step would come after the last epoch, and training has 4 epochs", "9"),
        ),
        (
            BETA + ADAM + "schedule = multistep\nmilestones = 2, 4, 60\n",
            ("NC416", "the milestones 4, 60 are never passed, and training has 4 epochs", "2, 4, 60"),
        ),
        (
            BETA + ADAM + "schedule = step\nstep_epochs = 30\n",
            ("NC416", "the first step would come after 30 epochs, and training has 4 epochs", "30"),
        ),
        (
            BETA + ADAM + "warm_up_epochs = 5\n",
            ("NC416", "the warm-up takes 5 epochs, and training has 4 epochs", "5"),
        ),
        (
            BETA + ADAM.replace("a + beta * b", "a / beta + b"),
            (
                "NC009",
                "`a / beta + b` is not a sum of losses: it divides by a schedule: let the [schedule] itself be what it "
                "multiplies",
                "a / beta + b",
            ),
        ),
        (
            BETA + ADAM.replace("a + beta * b", "a + b + beta"),
            ("NC009", "`a + b + beta` adds a number to the losses", "a + b + beta"),
        ),
        (
            BETA.replace("beta", "a") + ADAM.replace("a + beta * b", "b"),
            ("NC107", "`a` is a loss, too, and `minimise` could mean either", "a"),
        ),
        (BETA + BETA + ADAM, ("NC107", "there are two called `beta`", "beta")),
        (BETA + ADAM.replace("beta * ", ""), ("NC416", "nothing names the schedule `beta`", "[schedule]")),
        (
            "[schedule]\nend = 2\n" + ADAM.replace("beta * ", ""),
            ("NC104", "`schedule` needs `name`", "[schedule]"),
        ),
    ],
)
def test_a_mistake_is_one_finding_at_its_place(optimizer: str, finding: tuple[str, str, str]) -> None:
    found = [one for one in findings(optimizer) if one[0] != "NC412"]
    assert found == [finding]


def test_a_blocks_option_that_may_not_change_is_told_so() -> None:
    program = PROGRAM.replace("output_features = 4", "output_features = beta")
    assert findings(BETA + ADAM, program) == [
        (
            "NC105",
            "`output_features` may not change while the program trains, and `beta` is a [schedule]",
            "beta",
        )
    ]


def test_the_page_says_which_options_may_change() -> None:
    from netcfg.blocks.optimizers.sgd import Sgd

    types = {key: kind for key, kind, *_ in Sgd.option_rows()}
    assert types["momentum"] == "number or schedule"
    assert types["dampening"].startswith("number, ")
    assert Sgd(networks=("N",), minimise="a", momentum=Scheduled("mu")).state_size() == 1


def test_a_real_run_keeps_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netcfg.cli.main import main

    file = tmp_path / "a.cfg"
    file.write_text(
        CHANGING.replace("max_epochs = 4", "max_epochs = 2").replace(
            "image_size = 16", "image_size = 16\nsubjects = 8\nclips = 1"
        )
    )
    assert main(["train", str(file), "--run-dir", str(tmp_path / "run"), "--workers", "0"]) == 0
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    numbers = [json.loads(line)["numbers"] for line in lines]
    assert 0 < numbers[0]["beta"] < numbers[1]["beta"] < 0.5
    assert 0.01 < numbers[0]["rate"] < numbers[1]["rate"] < 0.1
    assert "beta" in capsys.readouterr().out


def test_an_average_follows_at_a_momentum_that_changes() -> None:
    """BYOL's: from its start to 1 along half a cosine, batch by batch."""
    text = PROGRAM.replace(
        "{Data}", "{Slow}\n[net]\nsame_as = Net\n{Model}\n[Net]\n[Slow]\nfrom = image\n{Data}", 1
    )
    phases = phases_of(
        text
        + """{Metric}
[accuracy]
input = Slow
target = labels
{Optimizer}
[schedule]
name = tau
start = 0.6
end = 1
shape = cosine
by = step
[sgd]
networks = Net
minimise = a + b
learning_rate = 0.1
[moving_average]
networks = Slow
of = Net
momentum = tau
"""
    )
    fast, slow = (phases.model.networks[name].head.weight for name in ("Net", "Slow"))
    expected = slow.detach().clone()
    for number, batch in enumerate(batches()[:7]):
        epoch, place = divmod(number, BATCHES)
        phases.set_rates(epoch, place, BATCHES)
        phases.step(batch, place)
        tau = 1 - 0.4 * (1 + math.cos(math.pi * number / (EPOCHS * BATCHES))) / 2
        expected = tau * expected + (1 - tau) * fast.detach()
        torch.testing.assert_close(slow.detach(), expected, rtol=0, atol=1e-6)
    made = plan(phases.program)
    assert "Slow = tau * Slow + (1 - tau) * Net" in plan_text(made)
    assert json.loads(json.dumps(plan_data(made)))["averages"][0]["momentum"] == "tau"


def test_a_diff_shows_schedules() -> None:
    from netcfg.compare.training import compare_training

    before, after = (netcfg.load(text) for text in (CHANGING, CHANGING.replace("end = 0.5", "end = 0.75")))
    (change,) = compare_training(before, after)
    assert (change.group, change.name) == ("Optimizer", "beta")
    assert [(one.what, one.before, one.after) for one in change.changes] == [("end", "0.5", "0.75")]


def test_sums_on_other_data_are_made_as_at_the_end() -> None:
    """Else the first epoch, in which the divergence does not count yet, would be the best."""
    phases = phases_of(CHANGING)
    phases.set_rates(0, 0, BATCHES)
    assert phases.numbers.of_phase["adam"] == {"a": 1.0, "b": 0.0}
    assert phases.numbers.of_phase_at_end["adam"] == {"a": 1.0, "b": 0.5}


def test_a_loss_and_its_margin_change_together() -> None:
    text = PROGRAM.replace(
        "[norm]\nname = b\ninput = Net", "[arcface]\nname = b\ninput = Net\ntarget = emotion\nmargin = m"
    )
    phases = phases_of(
        text + "{Optimizer}\n[schedule]\nname = m\nend = 0.4\n[adam]\nnetworks = Net\nminimise = a + b\n"
    )
    for epoch in (0, 3):
        phases.set_rates(epoch, 0, BATCHES)
        assert float(phases.losses.modules["b"].margin()) == pytest.approx(0.1 * epoch)


@pytest.mark.slow
def test_a_number_that_changes_is_compiled_once() -> None:
    from torch._dynamo.backends.debugging import aot_eager

    from netcfg.builder.modules.stochastic import ReverseGradient

    compiled = []

    def backend(graph: Any, inputs: Any) -> Any:
        compiled.append(graph)
        return aot_eager(graph, inputs)

    module = nn.Sequential(nn.Linear(3, 2), ReverseGradient(Scheduled("factor")))
    (number,) = (part for part in module.modules() if isinstance(part, ScheduledNumber))
    run = torch.compile(module, backend=backend)
    for factor in (0.0, 0.5, 2.0):
        number.value.fill_(factor)
        x = torch.ones(2, 3, requires_grad=True)
        (gradient,) = torch.autograd.grad(run(x).sum(), x)
        (straight,) = torch.autograd.grad(module[0](x).sum(), x)
        torch.testing.assert_close(gradient, -factor * straight)
    assert len(compiled) == 1


@pytest.mark.parametrize("word", ["scheduler", "shedule", "annealing"])
def test_other_words_for_a_schedule_lead_to_it(word: str) -> None:
    text = PROGRAM + "{Optimizer}\n" + BETA.replace("schedule", word) + ADAM.replace("beta * ", "")
    (found,) = [one for one in netcfg.check(text)[1] if one.code == "NC102"]
    assert "`schedule`" in (found.help or "")
