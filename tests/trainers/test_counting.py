"""Means over what counts: in a batch, in an accumulation, in all processes, as one step over everything has them."""

from __future__ import annotations

import pytest
import torch
from test_distributed import in_team
from torch import Tensor

import netcfg
from netcfg.passes.plan import counted_alike
from netcfg.trainers.judging.evaluation import Sums
from netcfg.trainers.step.phases import Phases

CPU = torch.device("cpu")
TEXT = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
{Net}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[convolutional]
filters = 2
kernel_size = 3
stride = 4
activation = tanh
[flatten]
[connected]
output_features = 2
{Loss}
[bce_with_logits]
name = units
input = Net
target = labels
ignore = -1
[mse]
name = near
input = Net
target = 0
[l1]
name = weighed
input = Net
target = labels
ignore = -1
{Optimizer}
[sgd]
networks = Net
minimise = {minimise}
learning_rate = 0.1
accumulate = {accumulate}
"""
BOTH = "units + 0.5 * near"


def program(minimise: str, accumulate: int = 1) -> netcfg.Program:
    text = TEXT.replace("{minimise}", minimise).replace("{accumulate}", str(accumulate))
    return netcfg.load(text)


def batches() -> list[dict[str, Tensor]]:
    """Three batches of other sizes, with other gaps in their labels; nothing is known in the last."""
    generator = torch.Generator().manual_seed(5)
    made = []
    for size, gaps in ((4, 3), (2, 1), (3, 6)):
        labels = torch.randint(0, 2, (size, 2), generator=generator).float()
        labels.view(-1)[:gaps] = -1
        made.append({"image": torch.randn(size, 3, 16, 16, generator=generator), "labels": labels})
    return made


def joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def after(made: netcfg.Program, fed: list[dict[str, Tensor]], stop: int | None = None) -> list[Tensor]:
    """The weights after these batches; with `stop`, the run is resumed before that one."""
    torch.manual_seed(0)
    networks = netcfg.build(made)
    phases = Phases(made, networks, CPU)
    for number, fields in enumerate(fed):
        if number == stop:
            state, weights = phases.state_dict(), networks.state_dict()
            networks = netcfg.build(made)
            networks.load_state_dict(weights)
            phases = Phases(made, networks, CPU)
            phases.load_state_dict(state)
        phases.step(fields, number)
    phases.flush()
    return [weight.detach() for weight in networks.parameters()]


@pytest.mark.parametrize(
    "minimise", ["units", "near", BOTH, "units + weighed", "units + 2 * near + 3 * weighed"]
)
@pytest.mark.parametrize("accumulate", [3, 5])
def test_an_accumulation_is_one_batch(minimise: str, accumulate: int) -> None:
    whole = after(program(minimise), [joined(batches())])
    for stop in (None, 1, 2):
        parts = after(program(minimise, accumulate), batches(), stop)
        for one, other in zip(parts, whole, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_losses_that_count_alike_share_a_backward_pass() -> None:
    made = program("units + near + weighed", 2)
    assert counted_alike(made, made.phases[0]) == [["units", "weighed"], ["near"]]
    alone = program("units + near + weighed")
    assert len(counted_alike(alone, alone.phases[0])) == 1


@pytest.mark.parametrize("accumulate", [1, 3])
def test_processes_are_one_batch(accumulate: int) -> None:
    whole = after(program(BOTH), [joined(batches())])
    fed = batches() if accumulate == 3 else [joined(batches())]

    def work(team: netcfg.trainers.machine.distributed.Team) -> None:
        torch.manual_seed(0)
        made = program(BOTH, accumulate)
        networks = netcfg.build(made)
        phases = Phases(made, networks, CPU, team=team)
        for number, fields in enumerate(fed):
            share = slice(None, 1) if team.is_first else slice(1, None)  # one has more, and other gaps
            phases.step({name: values[share] for name, values in fields.items()}, number)
        phases.flush()
        for one, other in zip(networks.parameters(), whole, strict=True):
            torch.testing.assert_close(one.detach(), other, rtol=1e-5, atol=1e-6)

    in_team(work)


def test_a_batch_in_which_nothing_counts_changes_nothing() -> None:
    made = program("units")
    fields = batches()[2]
    before = after(made, [])
    for one, other in zip(after(made, [fields]), before, strict=True):
        assert torch.equal(one, other)


def test_means_of_a_split_are_over_what_counts() -> None:
    sums = Sums(parts={"loss": {"a": 1.0, "b": 2.0}})
    for a, b, amount in ((1.0, 1.0, 1), (0.0, 3.0, 3)):
        values = {"a": torch.tensor(a), "b": torch.tensor(b), "loss": torch.tensor(a + 2 * b)}
        sums.add(values, {"a": torch.tensor(float(amount))}, 4)
    assert sums.means() == {"a": 0.25, "b": 2.0, "loss": 4.25}
    assert Sums(**sums.state()).means() == sums.means()


def test_of_what_never_counts_there_is_no_mean() -> None:
    sums = Sums(parts={"loss": {"a": 1.0, "b": 2.0}})
    values = {"a": torch.tensor(0.0), "b": torch.tensor(3.0), "loss": torch.tensor(6.0)}
    sums.add(values, {"a": torch.tensor(0.0)}, 4)
    assert sums.means() == {"b": 3.0, "loss": 6.0}
    assert sums.empty() == ["a"]
