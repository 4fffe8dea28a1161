"""An optimizer of one's own: only the signs of gradients count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from netcfg.blocks import Optimizer

if TYPE_CHECKING:
    import torch


class SignDescent(Optimizer, name="sign_descent"):
    """Every weight moves by the learning rate against the sign of its gradient, averaged over steps.

    Source: Bernstein et al., "signSGD", 2018, with momentum.
    Example::

        [sign_descent]
        networks = Net
        minimise = huber
        learning_rate = 0.01
    """

    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="how much of the average is kept")

    def state_size(self) -> int:
        """The average: one number for each parameter."""
        return 1

    def group_options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """Weight decay is an option of every optimizer, and must not be left unread."""
        return super().group_options(group) | {"weight_decay": self.weight_decay}

    def lower(self, groups: Iterable[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Torch's own kind of optimizer, over the groups of parameters."""
        import torch

        class Descent(torch.optim.Optimizer):
            def __init__(self, groups: list[dict[str, Any]], momentum: float) -> None:
                super().__init__(groups, {"momentum": momentum})

            @torch.no_grad()
            def step(self, closure: Any = None) -> None:  # type: ignore[override]
                for group in self.param_groups:
                    for weight in group["params"]:
                        if weight.grad is not None:
                            gradient = weight.grad + group["weight_decay"] * weight
                            average = self.state[weight].setdefault("average", torch.zeros_like(weight))
                            average.lerp_(gradient, 1 - group["momentum"])
                            weight.add_(average.sign(), alpha=-group["lr"])

        return Descent(self.parameter_groups(groups), self.momentum)
