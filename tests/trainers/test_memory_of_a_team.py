"""What two processes that train as one remember is what one remembers of the batch of both."""

from __future__ import annotations

import torch
from test_distributed import in_team

import netcfg
from netcfg.trainers.machine.distributed import ALONE, Team
from netcfg.trainers.step.phases import Phases, set_training

CODER = "[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 5\n"
TEXT = (
    "{Data}\n[synthetic_faces]\nimage_size = 16\nfields = image\n{Slow}\n"
    + CODER
    + "{Key}\n[net]\nsame_as = Slow\n"
    "{Query}\n"
    + CODER
    + """[vector_quantise]
name = codes
codes = 6
[output]
name = value
from = codes.value
[output]
name = error
from = codes.error
{Model}
[Slow]
name = slow
from = image
[Key]
name = key
from = image
[Query]
name = query
from = image
[queue]
name = bank
from = key
size = 10
[running_mean]
name = centre
from = query.value
momentum = 0.5
read = after
[pool]
name = old
from = slow
size = 4
[similarity]
name = unlike
from = query.value, bank
[formula]
name = missed
value = log(sum(exp(unlike))) - sum(query.value * key) + sum((query.value - centre) ** 2) + query.error + sum(slow)
[formula]
name = aged
value = sum((query.value - old) ** 2)
{Loss}
[mean]
name = found
input = missed
[mean]
name = older
input = aged
{Optimizer}
[sgd]
networks = Query, Slow
minimise = found + 0.01 * older
learning_rate = 0.1
[moving_average]
networks = Key
of = Slow
momentum = 0.9
"""
)


def remembered(team: Team) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    program = netcfg.load(TEXT)
    networks = netcfg.build(program).double()
    set_training(program, networks, True)
    phases = Phases(program, networks, torch.device("cpu"), team=team)
    for batch in range(5):
        images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(batch)).double()
        share = images.chunk(team.size)[team.rank]
        phases.step({"image": share}, batch)
    states = {
        f"{name}.{key}": value
        for name, kept in phases.model.state_dict().items()
        for key, value in kept.items()
    }
    return networks.state_dict() | states


def test_two_processes_remember_what_one_does() -> None:
    expected = remembered(ALONE)

    def work(team: Team) -> None:
        for key, value in remembered(team).items():
            torch.testing.assert_close(value, expected[key], rtol=1e-6, atol=1e-6, msg=key)

    in_team(work)


LEARNING = """{Data}
[synthetic_faces]
image_size = 16
fields = image
{Net}
[net]
channels = 3
height = 16
width = 16
learning_rate = slower
[flatten]
[connected]
output_features = 4
{Model}
[Net]
from = image
[connected]
name = head
from = Net
output_features = 2
[parameter]
name = factor
shape = 1
start = 2
[constant]
name = threshold
value = sure
[formula]
name = far
value = sum((head * factor - threshold) ** 2)
{Loss}
[mean]
name = missed
input = far
{Optimizer}
[schedule]
name = slower
start = 0.1
end = 0.01
by = step
[schedule]
name = sure
[sgd]
networks = Net
minimise = missed
momentum = 0.5
"""


def learned(team: Team) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    program = netcfg.load(LEARNING)
    networks = netcfg.build(program).double()
    phases = Phases(program, networks, torch.device("cpu"), team=team)
    for batch in range(5):
        phases.set_rates(0, batch, 5)
        images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(batch)).double()
        phases.step({"image": images.chunk(team.size)[team.rank]}, batch)
    return networks.state_dict()


def test_blocks_of_the_model_learn_on_two_processes_as_on_one() -> None:
    expected = learned(ALONE)

    def work(team: Team) -> None:
        for key, value in learned(team).items():
            torch.testing.assert_close(value, expected[key], rtol=1e-9, atol=1e-9, msg=key)

    in_team(work)
