"""`[gradient]`: penalties as formulas, against the same in plain PyTorch, and against the shipped penalty."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import netcfg
from netcfg.builder.modules.losses.gradient_penalty import GradientPenalty
from netcfg.passes.plan import plan
from netcfg.source import ProgramError
from netcfg.trainers.machine.compilation import not_compiled
from netcfg.trainers.step.phases import Phases, set_training

CPU = torch.device("cpu")
Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]
CRITIC = (
    "[net]\nchannels = 3\nheight = 16\nwidth = 16\n[convolutional]\nfilters = 4\nkernel_size = 4\nstride = 4\n"
    "activation = tanh\n[flatten]\n[connected]\noutput_features = 1\n"
)
MAKER = (
    "[net]\nchannels = 3\nheight = 16\nwidth = 16\n[convolutional]\nfilters = 3\nkernel_size = 3\npad = 1\n"
    "activation = sigmoid\n"
)
DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\nfields = image\n"
NETWORKS = DATA + "{Critic}\n" + CRITIC + "{Maker}\n" + MAKER
GAN = """{Model}
[Maker]
name = fake
from = image
[Critic]
name = on_fake
from = fake
[Critic]
name = on_real
from = image
BLOCKS
{Loss}
[mean]
name = real
input = on_real
[mean]
name = made
input = on_fake
[mean]
name = penalty
input = steep
{Optimizer}
[adam]
name = critic
networks = Critic
minimise = made - 2 * real + 5 * penalty
learning_rate = 0.01
[adam]
name = maker
networks = Maker
minimise = -made
learning_rate = 0.01
"""
R1 = "[gradient]\nname = slope\nof = on_real\nby = image\n[formula]\nname = steep\nvalue = sum(slope ** 2)"
MIXED = (
    "[random]\nname = t\ndistribution = uniform\n[formula]\nname = mixed\nvalue = t * image + (1 - t) * fake\n"
    "[Critic]\nname = on_mixed\n[gradient]\nname = slope\nof = on_mixed\nby = mixed\n"
    "[formula]\nname = steep\nvalue = (sqrt(sum(slope ** 2)) - 1) ** 2"
)


STILL = "[detach]\nname = still\nfrom = image\n[Critic]\nname = seen\n"


def images(batch: int) -> dict[str, Tensor]:
    return {"image": torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(batch))}


def start(text: str) -> tuple[Phases, nn.ModuleDict]:
    program = netcfg.load(text)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    return Phases(program, networks, CPU), networks


def r1(critic: nn.Module, image: Tensor, fake: Tensor) -> Tensor:
    point = image.clone().requires_grad_()
    (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def by_hand(networks: nn.ModuleDict, penalty: Penalty, batches: int = 10) -> tuple[nn.Module, nn.Module]:
    critic, maker = copy.deepcopy(networks["Critic"]), copy.deepcopy(networks["Maker"])
    steps = [torch.optim.Adam(network.parameters(), lr=0.01) for network in (critic, maker)]
    for batch in range(batches):
        image = images(batch)["image"]
        fake = maker(image)
        loss = (
            critic(fake.detach()).mean()
            - 2 * critic(image).mean()
            + 5 * penalty(critic, image, fake.detach())
        )
        steps[0].zero_grad()
        loss.backward()
        steps[0].step()
        loss = -critic(fake).mean()
        steps[1].zero_grad()
        loss.backward()
        steps[1].step()
    return critic, maker


def equal(networks: nn.ModuleDict, expected: tuple[nn.Module, nn.Module]) -> None:
    for name, network in zip(("Critic", "Maker"), expected, strict=True):
        for key, value in networks[name].state_dict().items():
            torch.testing.assert_close(value, network.state_dict()[key], rtol=1e-5, atol=1e-6, msg=key)


def test_r1_is_that_of_a_loop_by_hand() -> None:
    phases, networks = start(NETWORKS + GAN.replace("BLOCKS", R1))
    expected = by_hand(networks, r1)
    for batch in range(10):
        phases.step(images(batch), batch)
    equal(networks, expected)


def test_the_formula_of_wgan_gp_is_the_shipped_penalty() -> None:
    phases, networks = start(NETWORKS + GAN.replace("BLOCKS", MIXED))
    drawn = [torch.rand(6, generator=torch.Generator().manual_seed(batch)) for batch in range(10)]
    shipped = GradientPenalty()
    given = iter(drawn)
    expected = by_hand(networks, lambda critic, image, fake: shipped(critic, image, fake, next(given)))
    index = next(i for i, node in enumerate(phases.model.graph.nodes) if node.path == "t")
    for batch in range(10):
        phases.model.calls[index] = lambda *inputs, batch=batch: drawn[batch]
        phases.step(images(batch), batch)
    equal(networks, expected)


def test_two_phases_may_take_the_same_gradient() -> None:
    """DRAGAN's points, and a maker that is to make the critic flat: both differentiate the critic by what is made."""
    blocks = (
        "[gradient]\nname = slope\nof = on_fake\nby = fake\n[formula]\nname = steep\nvalue = sum(slope ** 2)"
    )
    text = (NETWORKS + GAN.replace("BLOCKS", blocks)).replace(
        "minimise = -made", "minimise = 2 * penalty - made"
    )
    phases, networks = start(text)
    critic, maker = copy.deepcopy(networks["Critic"]), copy.deepcopy(networks["Maker"])
    steps = [torch.optim.Adam(network.parameters(), lr=0.01) for network in (critic, maker)]

    def slope(point: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
        return found.square().sum((1, 2, 3)).mean()

    for batch in range(10):
        image = images(batch)["image"]
        fake = maker(image)
        still = fake.detach().requires_grad_()
        loss = critic(still).mean() - 2 * critic(image).mean() + 5 * slope(still)
        steps[0].zero_grad()
        loss.backward()
        steps[0].step()
        loss = 2 * slope(fake) - critic(fake).mean()
        steps[1].zero_grad()
        loss.backward()
        steps[1].step()
        phases.step(images(batch), batch)
    equal(networks, (critic, maker))


def test_a_gradient_that_nobody_trains_through_is_a_number_like_others() -> None:
    blocks = R1.replace("sum(slope ** 2)", "sum(still ** 2) * on_real").replace(
        "[formula]", "[detach]\nname = still\n[formula]"
    )
    phases, networks = start(NETWORKS + GAN.replace("BLOCKS", blocks))

    def penalty(critic: nn.Module, image: Tensor, fake: Tensor) -> Tensor:
        point = image.clone().requires_grad_()
        (slope,) = torch.autograd.grad(critic(point).sum(), point)
        return (slope.square().sum((1, 2, 3))[:, None] * critic(image)).mean()

    expected = by_hand(networks, penalty)
    for batch in range(10):
        phases.step(images(batch), batch)
    equal(networks, expected)


def test_it_is_planned_and_left_out_of_evaluation() -> None:
    program = netcfg.load(NETWORKS + GAN.replace("BLOCKS", MIXED))
    made = plan(program)
    critic = made.patterns[0].step.phases[0]
    history = {made.model.nodes[one.node].path: one.history for one in critic.computes}
    assert history["on_mixed"] == history["slope"] == "critic"
    assert program.judged_losses == ("real", "made")
    assert "Critic" in not_compiled(program)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (
            GAN.replace("BLOCKS", R1.replace("of = on_real", "of = on_fake").replace("by = image", "by = on_real")),
            "NC421",
            "`slope` differentiates `on_fake` by `on_real`, and no gradient leads there",
        ),
        (
            GAN.replace("BLOCKS", STILL + R1.replace("on_real", "seen")),
            "NC421",
            "`slope` differentiates `seen` by `image`, and no gradient leads there",
        ),
        (GAN.replace("BLOCKS", R1.replace("of = on_real\n", "")), "NC104", "`of`"),
        (GAN.replace("BLOCKS", R1.replace("of = on_real", "of = on_reel")), "NC201", "`on_reel`"),
        (
            GAN.replace("BLOCKS", R1) + "{Metric}\n[mse]\ninput = slope\ntarget = image\n",
            "NC421",
            "`slope` hangs on a [gradient], which is there in training alone",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_one_finding(text: str, code: str, message: str) -> None:
    with pytest.raises(ProgramError) as raised:
        netcfg.load(NETWORKS + text)
    (finding,) = [one for one in raised.value.findings if one.severity == "error"]
    assert finding.code == code
    assert message in finding.message


def test_in_a_network_it_is_out_of_place() -> None:
    text = NETWORKS.replace("[flatten]\n", "[gradient]\nof = 0\nby = input\n[flatten]\n", 1)
    with pytest.raises(ProgramError, match=re.escape("[gradient] stands in {Model} alone")):
        netcfg.load(text + GAN.replace("BLOCKS", R1))


def test_what_breaks_is_told_though_nothing_is_differentiated_then() -> None:
    phases, _ = start(NETWORKS + GAN.replace("BLOCKS", R1))
    broken = {"image": torch.full((6, 3, 16, 16), float("nan"))}
    with pytest.raises(ProgramError, match="the data field `image` holds NaN"):
        phases.step(broken, 0)
