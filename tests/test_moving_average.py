"""`[moving_average]`: a network that follows another, against the same loop in plain PyTorch."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import netcfg
from netcfg.draw.training.picture import training_picture
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.source import ProgramError
from netcfg.trainers.step.phases import Phases, set_training

CPU = torch.device("cpu")
BATCHES = 10
NETWORK = """{Online}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
batch_normalise = 1
activation = tanh
[flatten]
[connected]
output_features = 7
{Target}
[net]
same_as = Online
"""
TEXT = (
    "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = 6\n"
    + NETWORK
    + """{Model}
[Online]
name = told
from = image
[Target]
name = known
from = image
{Loss}
[mse]
input = told
target = known
[cross_entropy]
input = told
target = emotion
{Optimizer}
"""
)
ADAM = "[adam]\nnetworks = Online\nminimise = mse + cross_entropy\nlearning_rate = 0.01\n"
AVERAGE = "[moving_average]\nname = slow\nnetworks = Target\nof = Online\nmomentum = 0.9\n"


def fields(batch: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return {
        "image": torch.randn(6, 3, 16, 16, generator=generator),
        "emotion": torch.randint(0, 7, (6,), generator=generator),
    }


def start(text: str) -> tuple[Phases, nn.ModuleDict]:
    program = netcfg.load(text)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    return Phases(program, networks, CPU), networks


def tensors(network: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in network.state_dict().items()}


def follow(target: nn.Module, online: nn.Module, buffers: str, momentum: float = 0.9) -> None:
    """As one writes it."""
    with torch.no_grad():
        for own, other in zip(target.parameters(), online.parameters(), strict=True):
            own.mul_(momentum).add_(other, alpha=1 - momentum)
        for own, other in zip(target.buffers(), online.buffers(), strict=True):
            if buffers == "average" and own.is_floating_point():
                own.mul_(momentum).add_(other, alpha=1 - momentum)
            elif buffers != "own":
                own.copy_(other)


def by_hand(
    networks: nn.ModuleDict, before: bool, buffers: str, every: int = 1
) -> tuple[nn.Module, nn.Module]:
    online, target = copy.deepcopy(networks["Online"]), copy.deepcopy(networks["Target"])
    optimizer = torch.optim.Adam(online.parameters(), lr=0.01)
    for batch in range(BATCHES):
        due = (batch + 1) % every == 0
        if before and due:
            follow(target, online, buffers)
        given = fields(batch)
        told = online(given["image"])
        with torch.no_grad():
            known = target(given["image"])
        loss = functional.mse_loss(told, known) + functional.cross_entropy(told, given["emotion"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if not before and due:
            follow(target, online, buffers)
    return online, target


@pytest.mark.parametrize("buffers", ["copy", "average", "own"])
@pytest.mark.parametrize("before", [False, True])
def test_ten_batches_are_those_of_a_loop_by_hand(before: bool, buffers: str) -> None:
    average = AVERAGE + f"buffers = {buffers}\n"
    phases, networks = start(TEXT + (average + ADAM if before else ADAM + average))
    assert all(map(torch.equal, networks["Target"].parameters(), networks["Online"].parameters()))
    expected = by_hand(networks, before, buffers)
    for batch in range(BATCHES):
        phases.step(fields(batch), batch)
    for name, network in zip(("Online", "Target"), expected, strict=True):
        for key, value in tensors(networks[name]).items():
            torch.testing.assert_close(value, network.state_dict()[key], rtol=1e-6, atol=1e-6, msg=key)


def test_every_third_batch() -> None:
    phases, networks = start(TEXT + ADAM + AVERAGE + "every = 3\n")
    _, expected = by_hand(networks, False, "copy", every=3)
    for batch in range(BATCHES):
        phases.step(fields(batch), batch)
    for key, value in tensors(networks["Target"]).items():
        torch.testing.assert_close(value, expected.state_dict()[key], rtol=1e-6, atol=1e-6, msg=key)


def test_it_need_not_start_equal() -> None:
    _, networks = start(TEXT + ADAM + AVERAGE + "start_equal = False\n")
    assert not torch.equal(*(next(networks[name].parameters()) for name in ("Online", "Target")))


@pytest.mark.parametrize("above", [False, True])
def test_it_waits_for_the_update_of_an_accumulation(above: bool) -> None:
    adam = ADAM + "accumulate = 3\n"
    phases, networks = start(TEXT + (AVERAGE + adam if above else adam + AVERAGE))
    moved = []
    for batch in range(7):
        before = tensors(networks["Target"])
        phases.step(fields(batch), batch)
        moved.append(not torch.equal(before["0.weight"], networks["Target"].state_dict()["0.weight"]))
    assert moved == [index in ((3, 6) if above else (2, 5)) for index in range(7)]
    before = tensors(networks["Target"])
    phases.flush()
    assert torch.equal(before["0.weight"], networks["Target"].state_dict()["0.weight"]) == above


def test_an_average_that_is_due_is_due_after_a_resume() -> None:
    text = TEXT + AVERAGE + ADAM + "accumulate = 2\n"
    phases, networks = start(text)
    for batch in range(2):
        phases.step(fields(batch), batch)
    again, others = start(text)
    others.load_state_dict(networks.state_dict())
    again.load_state_dict(copy.deepcopy(phases.state_dict()))
    for one in (phases, again):
        one.step(fields(2), 2)
    assert all(map(torch.equal, networks.state_dict().values(), others.state_dict().values()))


def test_what_it_changes_is_stale_for_later_phases() -> None:
    more = "[mse]\nname = back\ninput = guess\ntarget = known\n"
    text = TEXT.replace("{Loss}\n", "[Extra]\nname = guess\nfrom = image\n{Loss}\n" + more)
    text = text.replace("{Target}", "{Extra}\n[net]\nsame_as = Online\n{Target}")
    made = plan(netcfg.load(text + ADAM + AVERAGE + "[sgd]\nnetworks = Extra\nminimise = back\n"))
    last = made.patterns[0].step.phases[-1]
    again = {made.model.nodes[one.node].path: one.again for one in last.computes}
    assert again == {"guess": (), "known": ("Target",)}


def test_the_plan_says_who_follows_whom() -> None:
    made = plan(netcfg.load(TEXT + AVERAGE + ADAM))
    text = plan_text(made)
    assert re.search(r"slow +every batch +Target +5,\d{3} +moving average +momentum 0.9\n", text)
    assert (
        "  slow: Target follows Online\n"
        "    average   Target = 0.9 * Target + 0.1 * Online\n"
        "    with      buffers are copied, equal at the start\n"
        "  adam: trains Online\n" in text
    )
    data = plan_data(made)
    assert data["averages"][0]["follows"] == {"Target": "Online"}
    assert data["patterns"][0]["order"] == ["slow", "adam"]


def test_the_diagram_has_a_card_for_it() -> None:
    shown = training_picture(netcfg.load(TEXT + AVERAGE + ADAM)).training
    assert shown is not None
    card = next(card for card in shown.cards if card.box.name == "slow")
    assert (card.kind, card.phases, card.updates) == ("phase", (1,), ("Target",))
    fed = [shown.cards[flow.source].box.name for flow in shown.flows if shown.cards[flow.target] is card]
    assert fed == ["Online"]
    assert next(card for card in shown.cards if card.box.name == "Target").phases == (1,)


UNLIKE = "channels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 7\n"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda text: text.replace("of = Online", "of = Target"), "NC415", "`Target` follows itself"),
        (
            lambda text: (
                text + "[moving_average]\nname = b\nnetworks = Online\nof = Target\nmomentum = 0.5\n"
            ),
            "NC409",
            "`Online` follows `Target`, and an optimizer trains it",
        ),
        (
            lambda text: (
                text.replace(ADAM, "")
                + "[moving_average]\nname = b\nnetworks = Online\nof = Target\nmomentum = 0.5\n"
            ),
            "NC415",
            "`Online` follows `Target`, which follows `Online`: a circle that nothing moves",
        ),
        (
            lambda text: text.replace("same_as = Online\n", UNLIKE),
            "NC415",
            "`Target` cannot follow `Online`: `Target` has 5,383 parameters in `1` ([connected]), "
            "`Online` has 116 parameters in `0` ([convolutional])",
        ),
        (
            lambda text: text.replace("networks = Online", "networks = Online, Target"),
            "NC409",
            "`Target` follows `Online`, and an optimizer trains it: each would move what the other has just set",
        ),
        (
            lambda text: text + AVERAGE.replace("slow", "fast"),
            "NC409",
            "`Target` follows twice, and each average would move what the other has just set",
        ),
        (
            lambda text: text.replace("same_as = Online", "same_as = Online\nweights = other.pth"),
            "NC415",
            "`Target` asks for weights, and starts with those of the network that it follows",
        ),
        (lambda text: text.replace("of = Online", "of = Onlin"), "NC401", "there is no network `Onlin`"),
        (
            lambda text: text.replace("of = Online", "of = Online, Online"),
            "NC105",
            "has 1 in `networks` and 2 in `of`: write them in pairs",
        ),
    ],
)
def test_a_mistake_is_one_finding(change: Callable[[str], str], code: str, message: str) -> None:
    with pytest.raises(ProgramError) as raised:
        netcfg.load(change(TEXT + ADAM + AVERAGE))
    (finding,) = raised.value.findings
    assert finding.code == code
    assert message in finding.message


def test_weights_that_both_ask_for_are_no_mistake() -> None:
    netcfg.load(TEXT.replace("channels = 3", "channels = 3\nweights = other.pth") + ADAM + AVERAGE)


def test_an_interval_that_no_epoch_reaches_is_refused() -> None:
    phases, _ = start(TEXT + ADAM + AVERAGE + "every = 9\n")
    with pytest.raises(ProgramError, match="`slow` runs on every 9th batch, and an epoch has only 8"):
        phases.check_length(8)
