"""Adam and AdamW, and what their kin share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled
from netcfg.blocks.optimizers.base import Groups, Momentum, Optimizer

if TYPE_CHECKING:
    import torch

DEFAULT_BETAS = (0.9, 0.999)


class Betas(Optimizer):
    """What Adam and its kin share: two means, and how long they last."""

    beta1: Momentum | Scheduled | None = Option(
        None, description="how long the mean gradient lasts; None: the networks' own, or 0.9"
    )
    beta2: Momentum | Scheduled | None = Option(
        None, description="how long its square lasts; None: the networks' own, or 0.999"
    )
    eps: Annotated[float, Option(gt=0)] = Option(1e-8, description="keeps the division away from zero")

    def group_options(self, group: Mapping[str, Any]) -> dict[str, Any]:
        """With the decay rates of both means."""
        return super().group_options(group) | {"betas": _betas(self.beta1, self.beta2, group)}


class AdaptiveMoments(Betas):
    """What Adam and AdamW share: steps from the means of gradients and of their squares."""

    amsgrad: bool = Option(False, description="divide by the largest mean square so far")

    def state_size(self) -> int:
        """Both means, and with `amsgrad` the largest."""
        return 3 if self.amsgrad else 2

    def own_options(self) -> dict[str, Any]:
        """The options of torch that are the same for all groups; fused is one pass over the parameters."""
        return {
            "eps": self.eps,
            "weight_decay": self.weight_decay,
            "amsgrad": self.amsgrad,
            "fused": True,
        }


class Adam(AdaptiveMoments, name="adam"):
    """Adam, one step per batch.

    A network's [net] may state its own `learning_rate`, `beta1` and `beta2`; what is written here wins. Where
    neither says, they are 1e-3, 0.9 and 0.999.

    The options of the chosen `schedule` (see "Schedules", or `netcfg blocks linear`) stand in this section; one that
    it does not have is an error. Every schedule can begin with a warm-up, a factor 1/n, 2/n, … 1 over n batches.

    With `accumulate = n` one update takes the mean of n batches' gradients, each batch counting the same; what
    an epoch's end leaves is the mean of the batches there were.
    Source: Kingma and Ba 2015; the schedules of AUNets, AUDetNet and PyTorch.
    Example::

        [adam]
        networks = AUNet
        minimise = detection
        learning_rate = 1e-4
        beta1 = 0.5
        schedule = linear
        decay_over_last_epochs = 13
    """

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Adam`, fused: the whole update in one pass over the parameters."""
        import torch

        return torch.optim.Adam(self.parameter_groups(groups), **self.own_options())


class AdamW(AdaptiveMoments, name="adamw"):
    """Adam whose weight decay does not pass through its means.

    Weights shrink by learning_rate · weight_decay at each step, whatever the gradients. Learning rates, betas,
    schedules and accumulation are those of [adam].
    Source: Loshchilov and Hutter 2019.
    Example::

        [adamw]
        networks = Net
        minimise = classification
        learning_rate = 3e-4
        weight_decay = 0.05
        schedule = cosine
        warm_up_epochs = 5
    """

    weight_decay: Annotated[float, Option(ge=0)] | Scheduled = Option(
        0.01, description="taken from every weight, as a part of it, times the learning rate"
    )

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.AdamW`, fused."""
        import torch

        return torch.optim.AdamW(self.parameter_groups(groups), **self.own_options())


def _betas(
    beta1: float | Scheduled | None, beta2: float | Scheduled | None, group: Mapping[str, Any]
) -> tuple[float, float]:
    """The section's own where it has them, else the network's, else the usual ones."""
    assert not isinstance(beta1, Scheduled)
    assert not isinstance(beta2, Scheduled)
    first, second = group.get("betas", DEFAULT_BETAS)
    return (first if beta1 is None else beta1, second if beta2 is None else beta2)
