"""The gradient penalty is that of plain autograd, in value and in every gradient, however it is computed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.builder.modules.losses.gradient_penalty import GradientPenalty

SHAPE = (4, 3, 6, 6)


class Written(nn.Module):
    """A critic in functions and methods, some in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 5, 3), nn.Conv2d(5, 4, 3)
        self.last = nn.Linear(4 * 2 * 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N×3×6×6 -> N×1."""
        x = F.relu(input=self.first(x)).mul(2).relu_() + F.leaky_relu(x[:, :1, :4, :4], -0.3)
        x = F.leaky_relu(self.second(x), negative_slope=0.2).mul_(1.5)  # what it gave is overwritten
        F.leaky_relu_(x, 0.2)  # what it gives is left where it was
        return self.last(torch.relu(x.flatten(1)))


def from_file(*blocks: str) -> nn.Module:
    """A critic made by the compiler."""
    text = "\n".join(["{Critic}", "[net]", "channels = 3", "height = 6", "width = 6", *blocks])
    return netcfg.build(netcfg.load(text))["Critic"]


def convolution(activation: str, filters: int = 5) -> str:
    return f"[convolutional]\nfilters = {filters}\nkernel_size = 3\nstride = 1\nactivation = {activation}"


def connected(activation: str) -> str:
    return f"[connected]\noutput_features = 4\nactivation = {activation}\nuse_bias = True"


def separate(activation: str) -> tuple[str, str]:
    return convolution("None"), f"[activation]\nactivation = {activation}"


def plain(*activations: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 5, 3), activations[0], nn.Conv2d(5, 4, 3), activations[1], nn.Flatten(), nn.Linear(16, 1)
    )


CRITICS = {
    "relu": lambda: plain(nn.ReLU(), nn.ReLU()),
    "leaky relu": lambda: plain(nn.LeakyReLU(0.2), nn.LeakyReLU()),
    "in place": lambda: plain(nn.LeakyReLU(0.2, inplace=True), nn.ReLU(inplace=True)),
    "smooth": lambda: plain(nn.Tanh(), nn.Sigmoid()),
    "mixed": lambda: plain(nn.LeakyReLU(0.2), nn.Tanh()),
    "written": Written,
    "[convolutional]": lambda: from_file(convolution("leaky_relu"), convolution("relu")),
    "[convolutional], smooth": lambda: from_file(convolution("tanh"), convolution("sigmoid")),
    "[connected]": lambda: from_file(connected("leaky_relu"), connected("relu"), connected("linear")),
    "[activation]": lambda: from_file(
        *(block for name in ("leaky_relu", "relu") for block in separate(name))
    ),
}


def plain_penalty(critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor, axes: object) -> Tensor:
    """The formula, as one would write it."""
    t = mix.reshape(-1, 1, 1, 1)
    point = (t * real + (1 - t) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
    return ((torch.linalg.vector_norm(gradient, dim=axes) - 1) ** 2).mean()


def gradients(value: Tensor, critic: nn.Module) -> list[Tensor]:
    """By parameter; one that gets none has a gradient of zero."""
    parameters = list(critic.parameters())
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


@pytest.mark.parametrize("norm_over", ["all", "channel"])
@pytest.mark.parametrize("name", CRITICS)
def test_the_penalty_is_that_of_plain_autograd(name: str, norm_over: str) -> None:
    torch.manual_seed(0)
    critic = CRITICS[name]().double()  # type: ignore[no-untyped-call]
    real, fake = torch.randn(2, *SHAPE, dtype=torch.float64)
    mix = torch.rand(SHAPE[0], dtype=torch.float64)
    axes = 1 if norm_over == "channel" else (1, 2, 3)
    expected = plain_penalty(critic, real, fake, mix, axes)
    ours = GradientPenalty(norm_over)(critic, real, fake, mix)
    assert (ours - expected).abs() < 1e-12
    for one, other in zip(gradients(ours, critic), gradients(expected, critic), strict=True):
        assert (one - other).abs().max() < 1e-12
