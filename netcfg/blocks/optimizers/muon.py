"""Muon, for matrices."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.changing import Scheduled, plain
from netcfg.blocks.optimizers.adaptive import Betas
from netcfg.blocks.optimizers.base import Groups, Momentum

if TYPE_CHECKING:
    import torch


class Muon(Betas, name="muon"):
    """Momentum whose steps are made orthogonal, for matrices; what is none, such as a bias, is stepped by AdamW.

    Matrices are the weights with two axes: those of [connected], attention and [embedding]. Kernels of convolutions
    have four and go to AdamW, whose rate is `learning_rate` times `other_rate`; `beta1`, `beta2` and `eps` are its own.
    It needs a torch that has Muon (2.9 or newer). Schedules, accumulation and groups are those of [adam].
    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; Liu et al. 2025.
    Example::

        [muon]
        networks = Net
        minimise = classification
        learning_rate = 0.02
        other_rate = 0.05
    """

    state_differs: ClassVar[bool] = True

    weight_decay: Annotated[float, Option(ge=0)] | Scheduled = Option(
        0.1, description="taken from every weight, as a part of it, times the learning rate"
    )
    momentum: Momentum | Scheduled = Option(0.95, description="how much of the last step is taken again")
    nesterov: bool = Option(True, description="look ahead along the momentum")
    ns_steps: Annotated[int, Option(gt=0, lt=100)] = Option(
        5, description="how many Newton-Schulz steps make a step orthogonal"
    )
    adjust_lr: Literal["original", "match_rms_adamw", "spectral_unclamped"] = Option(
        "original",
        description="the rate of a matrix of a rows and b columns is times √max(1, a/b), 0.2 √max(a, b), or √(a/b)",
    )
    other_rate: Annotated[float, Option(gt=0)] = Option(
        1.0, description="by what the learning rate of AdamW is multiplied"
    )

    def state_size(self) -> int:
        """Both means of AdamW; of a matrix only the last step."""
        return 2

    def lower(self, groups: Groups) -> "torch.optim.Optimizer":
        """`torch.optim.Muon` and `torch.optim.AdamW` as one."""
        from netcfg.builder.muon import MuonAndAdamW

        matrices: dict[str, Any] = {
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "ns_steps": self.ns_steps,
            "adjust_lr_fn": self.adjust_lr,
        }
        return MuonAndAdamW(
            self.parameter_groups(groups),
            plain(self.weight_decay),
            matrices,
            {"eps": self.eps},
            self.other_rate,
        )
