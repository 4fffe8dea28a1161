"""StyleGAN2's training as its file has it, against a plain loop: lazy penalties, mixing, path length, an average."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import netcfg
from netcfg.passes.inline import inlined
from netcfg.passes.read import shipped_folder
from netcfg.trainers.step.phases import Phases, set_training

SIZE, LAYERS, KEEP, RATE = 16, 6, 0.9, 0.01


def phases_of() -> tuple[Phases, nn.ModuleDict]:
    text = inlined(shipped_folder() / "zoo/stylegan2.cfg")
    # Noise within the generator is another matter, and ten batches have no sixteenth one.
    text = text.replace("noise = random", "noise = None").replace("every = 16", "every = 5")
    program = netcfg.load(
        text, image_size=SIZE, style=8, mapping=2, widest=8, multiplier=1, rate=RATE, keep=KEEP
    )
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    return Phases(program, networks, torch.device("cpu")), networks


def recording(phases: Phases) -> dict[str, Tensor]:
    """What is drawn, as it is drawn."""
    drawn: dict[str, Tensor] = {}

    def kept(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def recorded(*inputs: Tensor) -> Tensor:
            drawn[name] = call(*inputs)
            return drawn[name]

        return recorded

    model = phases.model
    for index, node in enumerate(model.graph.nodes):
        if node.type == "random":
            call = model.calls[index]
            assert call is not None
            model.calls[index] = kept(call, node.path)
    return drawn


class ByHand:
    """The loop as one would write it."""

    def __init__(self, networks: nn.ModuleDict) -> None:
        mine = copy.deepcopy(networks)
        self.mapping, self.synthesis, self.critic = (
            mine[name] for name in ("Mapping", "Synthesis", "Critic")
        )
        self.averaged = [copy.deepcopy(one) for one in (self.mapping, self.synthesis)]
        rate = RATE * 16 / 17
        self.of_critic = torch.optim.Adam(self.critic.parameters(), rate, (0.0, 0.9905))
        made = [*self.mapping.parameters(), *self.synthesis.parameters()]
        self.of_generator = torch.optim.Adam(made, RATE * 4 / 5, (0.0, 0.992))
        self.usual = torch.zeros(())

    def styles(self, drawn: dict[str, Tensor]) -> Tensor:
        first, other = self.mapping(drawn["code"]), self.mapping(drawn["other_code"])
        layer = torch.arange(LAYERS)[None, :]
        crossed = (layer > drawn["where"][:, None]) & (drawn["mixed"][:, None] == 1)
        return torch.where(crossed[:, :, None], other[:, None], first[:, None])

    def step(self, image: Tensor, drawn: dict[str, Tensor], batch: int) -> None:
        with torch.no_grad():
            fake = self.synthesis(self.styles(drawn))
        loss = functional.softplus(-self.critic(image)).mean() + functional.softplus(self.critic(fake)).mean()
        self.take(self.of_critic, loss)
        if (batch + 1) % 5 == 0:
            point = image.clone().requires_grad_()
            (slope,) = torch.autograd.grad(self.critic(point).sum(), point, create_graph=True)
            self.take(self.of_critic, 10 / 2 * 16 * slope.square().sum((1, 2, 3)).mean())
        loss = functional.softplus(-self.critic(self.synthesis(self.styles(drawn)))).mean()
        self.take(self.of_generator, loss)
        if (batch + 1) % 4 == 0:
            styles = self.styles(drawn)
            shaded = (self.synthesis(styles) * drawn["dots"]).sum() / SIZE
            (stride,) = torch.autograd.grad(shaded, styles, create_graph=True)
            length = stride.square().sum(2).mean(1).sqrt()
            self.usual = 0.99 * self.usual + 0.01 * length.detach().mean()
            self.take(self.of_generator, 2 * 4 * (length - self.usual).square().mean())
        with torch.no_grad():
            for average, now in zip(self.averaged, (self.mapping, self.synthesis), strict=True):
                for old, new in zip(average.parameters(), now.parameters(), strict=True):
                    old.mul_(KEEP).add_(new, alpha=1 - KEEP)

    def take(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        for one in (self.of_critic, self.of_generator):
            one.zero_grad()
        loss.backward()
        optimizer.step()


def test_ten_batches_are_those_of_a_plain_loop() -> None:
    phases, networks = phases_of()
    drawn, by_hand = recording(phases), ByHand(networks)
    for batch in range(10):
        image = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(batch))
        phases.step({"image": image}, batch)
        by_hand.step(image, drawn, batch)
    expected = {
        "Mapping": by_hand.mapping,
        "Synthesis": by_hand.synthesis,
        "Critic": by_hand.critic,
        "AveragedMapping": by_hand.averaged[0],
        "AveragedSynthesis": by_hand.averaged[1],
    }
    for name, network in expected.items():
        for key, value in network.named_parameters():
            torch.testing.assert_close(
                dict(networks[name].named_parameters())[key], value, rtol=1e-4, atol=2e-6, msg=f"{name} {key}"
            )


def test_a_critic_compares_the_samples_of_a_group() -> None:
    from netcfg.builder.modules.norms import MinibatchStd

    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    made = MinibatchStd(4)(x)
    assert torch.equal(made[:, :3], x)
    for first in range(2):
        group = x[first::2]  # four of eight, which lie apart
        spread = group.var(0, unbiased=False).add(1e-8).sqrt().mean()
        torch.testing.assert_close(made[first::2, 3], spread.expand(4, 4, 4))
    alike = MinibatchStd(4)(x[:1].repeat(6, 1, 1, 1))  # groups of three
    torch.testing.assert_close(alike[:, 3], torch.full((6, 4, 4), 1e-4))


def test_a_blur_is_the_filter_along_both_axes() -> None:
    from netcfg.builder.modules.fir import Blur

    x = torch.zeros(1, 2, 5, 5)
    x[0, 1, 2, 2] = 64
    made = Blur((1, 2, 5), 2)(x)
    line = torch.tensor([1.0, 2.0, 5.0])
    assert made.shape == (1, 2, 7, 7)
    torch.testing.assert_close(made[0, 1, 2:5, 2:5], torch.outer(line, line))
    assert float(made.sum()) == 64
