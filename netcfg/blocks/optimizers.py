"""The sections of `{Optimizer}`: each is one phase of the training step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field as Option

from netcfg.blocks.kinds import Optimizer, PositiveInt

if TYPE_CHECKING:
    import torch

Momentum = Annotated[float, Option(ge=0, lt=1)]

DEFAULT_LEARNING_RATE = 1e-3
DEFAULT_BETAS = (0.9, 0.999)


class Adam(Optimizer, name="adam"):
    """Adam, one step per batch.

    A network's [net] may state its own `learning_rate`, `beta1` and `beta2`; what is written here wins. Where
    neither says, they are 1e-3, 0.9 and 0.999.

    With `schedule = linear` and `decay_over_last_epochs = k`, every learning rate shrinks by 1/k of its start
    after each epoch n (from 1) with max_epochs - n < k, so that it would reach zero after the last. That is
    AUDetNet's rule: 12 epochs with k = 10 run at 1, 1, 1, 0.9, … 0.1. AUNets', minus 1/13 after each of 12
    epochs, is k = 13.
    Source: Kingma and Ba 2015; the schedules of AUNets and AUDetNet.
    Example::

        [adam]
        networks = AUNet
        minimise = detection
        learning_rate = 1e-4
        beta1 = 0.5
        schedule = linear
        decay_over_last_epochs = 13
    """

    learning_rate: Annotated[float, Option(gt=0)] | None = Option(
        None, description="the step size; None: the networks' own"
    )
    beta1: Momentum | None = Option(
        None, description="how long the mean gradient lasts; None: the networks' own"
    )
    beta2: Momentum | None = Option(None, description="how long its square lasts; None: the networks' own")
    eps: Annotated[float, Option(gt=0)] = Option(1e-8, description="keeps the division away from zero")
    weight_decay: Annotated[float, Option(ge=0)] = Option(
        0.0, description="added to the gradient, per unit of weight"
    )
    amsgrad: bool = Option(False, description="divide by the largest mean square so far")
    schedule: Literal["constant", "linear"] = Option(
        "constant", description="how learning rates change by epoch"
    )
    decay_over_last_epochs: PositiveInt | None = Option(
        None, description="`linear`: over how many epochs it falls to zero; None: all of them"
    )

    def lower(self, parameters: Iterable[dict[str, Any]]) -> torch.optim.Optimizer:
        """`torch.optim.Adam`, fused: the whole update in one pass over the parameters."""
        import torch

        groups = [{**group, **self._group_options(group)} for group in parameters]
        fused = all(weight.is_floating_point() for group in groups for weight in group["params"])
        return torch.optim.Adam(
            groups, eps=self.eps, weight_decay=self.weight_decay, amsgrad=self.amsgrad, fused=fused or None
        )

    def _group_options(self, group: dict[str, Any]) -> dict[str, Any]:
        beta1, beta2 = group.get("betas", DEFAULT_BETAS)
        return {
            "lr": self.learning_rate or group.get("lr", DEFAULT_LEARNING_RATE),
            "betas": (
                beta1 if self.beta1 is None else self.beta1,
                beta2 if self.beta2 is None else self.beta2,
            ),
        }

    def rate_factor(self, finished: int, max_epochs: int) -> float:
        """1 while constant; under `linear`, 1 less 1/k for each of the last k epochs already finished."""
        if self.schedule == "constant":
            return 1.0
        span = self.decay_over_last_epochs or max_epochs
        decays = finished - max(0, max_epochs - span)
        return 1.0 - max(0, decays) / span
