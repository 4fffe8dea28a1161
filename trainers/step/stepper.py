"""The update of one phase: gradients in, weights changed. It knows nothing of losses, networks or data.

A phase's batch is `begin()`, one or more `backward(total)`, `finish()`. With `accumulate = n`, the weights change
at every n-th `finish()` by the mean of n batches' gradients.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from netcfg.blocks.optimizers.base import Optimizer
from netcfg.faults import told, untrue
from netcfg.source import NetcfgError, ProgramError

Precision = Literal["f32", "bf16", "fp16"]


class Stepper:
    """Steps one optimizer over its parameter groups.

    A group has `params` (those that train), `network`, and, where its [net] states them, `lr` and `betas`.
    `scaler` keeps small gradients of fp16 signals from vanishing, and skips an update whose gradients
    overflowed; bf16 and f32 have the same range and need none. `gradient_norm` is the norm before clipping at
    the last update, a tensor on the device, None without `clip_grad_norm`.
    """

    def __init__(
        self,
        section: Optimizer,
        groups: Iterable[Mapping[str, Any]],
        device: torch.device,
        precision: Precision = "f32",
    ) -> None:
        self.section = section
        self.networks = section.networks
        with told():
            self.optimizer = section.lower(groups)
        if not isinstance(self.optimizer, torch.optim.Optimizer):
            message = f"gives {type(self.optimizer).__name__} from `lower`, which is no optimizer of torch"
            help = "give a `torch.optim.Optimizer` over the groups"
            raise ProgramError([untrue(type(section), message, section.written_at, help)])
        self.parameters: list[Tensor] = [
            weight for group in self.optimizer.param_groups for weight in group["params"]
        ]
        self.scaler = torch.amp.GradScaler(device.type) if precision == "fp16" else None
        if self.scaler is not None and isinstance(self.optimizer, torch.optim.SGD):
            # When torch's fused SGD skips its first update, it leaves its momentum whatever memory held. So the
            # scaler, not the kernel, does the skipping.
            self.optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        self.plateau = section.plateau()
        self.gradient_norm: Tensor | None = None
        self._accumulated = 0
        self._factor = 1.0
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]

    # --- one batch --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget the last update's gradients; in the middle of an accumulation they stay."""
        if self._accumulated == 0:
            # To None, not to zero: then the first gradient is stored rather than added to a tensor that was filled
            # for it.
            self.optimizer.zero_grad(set_to_none=True)

    def backward(self, total: Tensor) -> None:
        """Add the gradients of a batch's sum of losses. They reach the parameters of this phase, no others."""
        share = total / self.section.accumulate if self.section.accumulate > 1 else total
        scaled = self.scaler.scale(share) if self.scaler is not None else share
        # Restricted to this phase: gradients of the networks it passes through are neither computed nor kept, which is
        # what makes a frozen critic free.
        scaled.backward(inputs=self.parameters)  # type: ignore[no-untyped-call]

    def finish(self) -> bool:
        """Change the weights, if this batch completes an accumulation; whether they may have changed."""
        self._accumulated += 1
        return self._accumulated == self.section.accumulate and self.flush()

    def flush(self) -> bool:
        """Change the weights by the gradients there are, also those of a part of an accumulation.

        Call it after the last batch of an epoch, before the weights are judged. Its mean is that of the batches
        there were, each counting the same however large. Whether the weights may have changed.
        """
        if self._accumulated == 0:
            return False
        limit = self.section.clip_grad_norm
        if self.scaler is not None and (limit is not None or self._is_partial):
            self.scaler.unscale_(self.optimizer)
        if self._is_partial:
            self._average_over(self._accumulated)
        if limit is not None:
            self.gradient_norm = nn.utils.clip_grad_norm_(self.parameters, limit)
        self._step()
        self._accumulated = 0
        return True

    @property
    def _is_partial(self) -> bool:
        return self._accumulated < self.section.accumulate

    def _average_over(self, batches: int) -> None:
        """Make sums of n-ths (n = `accumulate`) the mean of fewer batches."""
        gradients = [weight.grad for weight in self.parameters if weight.grad is not None]
        torch._foreach_mul_(gradients, self.section.accumulate / batches)

    def _step(self) -> None:
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()

    # --- learning rates ---------------------------------------------------------------------------

    def set_rates(
        self, epochs_finished: int, batch: int = 0, batches_per_epoch: int = 1, max_epochs: int = 1
    ) -> None:
        """Give every group its learning rate on a batch (from 0). Cheap where nothing changes."""
        factor = self._factor_at(epochs_finished, batch, batches_per_epoch, max_epochs)
        if factor != self._factor:
            self._set_factor(factor)

    def _factor_at(self, epochs_finished: int, batch: int, batches_per_epoch: int, max_epochs: int) -> float:
        factor = self.section.rate_factor(epochs_finished, max_epochs, batch, batches_per_epoch)
        return factor if self.plateau is None else factor * self.plateau.rate_factor

    def _set_factor(self, factor: float) -> None:
        self._factor = factor
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def rates_at(
        self, epochs_finished: int, batch: int, batches_per_epoch: int, max_epochs: int
    ) -> dict[str, float]:
        """What each group's learning rate would be, by network."""
        factor = self._factor_at(epochs_finished, batch, batches_per_epoch, max_epochs)
        groups = self.optimizer.param_groups
        return {
            group.get("network", str(index)): group["initial_lr"] * factor
            for index, group in enumerate(groups)
        }

    def rates(self) -> dict[str, float]:
        """The learning rate of each network now, for logs."""
        groups = self.optimizer.param_groups
        return {group.get("network", str(index)): group["lr"] for index, group in enumerate(groups)}

    def end_epoch(self, figure: float | None = None, higher_is_better: bool = False) -> None:
        """Let `plateau` see the epoch's monitored figure; apply what `flush` was not called for."""
        self.flush()
        if self.plateau is not None and figure is not None:
            self.plateau.observe(figure, higher_is_better)

    # --- state ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that the next updates depend on besides the weights. Its tensors are the live ones."""
        return {
            "type": self.section.type_name,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler is not None else {},
            "plateau": self.plateau.state_dict() if self.plateau is not None else {},
            "partial": self._partial_state() if self._accumulated else {},
        }

    def _partial_state(self) -> dict[str, Any]:
        """An accumulation under way: which part of it is done, and the gradients so far."""
        return {
            "batches": self._accumulated,
            "of": self.section.accumulate,
            "scaled": self.scaler is not None,
            "gradients": [weight.grad for weight in self.parameters],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave; options, learning rates among them, stay those of the file.

        Raises `NetcfgError` where the state is that of another optimizer or of other parameters.
        """
        self._load_optimizer(state)
        if self.scaler is not None and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        if self.plateau is not None and state["plateau"]:
            self.plateau.load_state_dict(state["plateau"])
        self._load_partial(state["partial"])

    def _load_optimizer(self, state: Mapping[str, Any]) -> None:
        if state["type"] != self.section.type_name:
            raise _other_state(f"was written by [{state['type']}]", self.section)
        options = [
            {key: value for key, value in group.items() if key != "params"}
            for group in self.optimizer.param_groups
        ]
        if not self._fits(state["optimizer"]):
            raise _other_state("is that of other parameters", self.section)
        # A file that was edited between runs has the last word on options; torch would take the stored ones.
        self.optimizer.load_state_dict(state["optimizer"])
        for group, own in zip(self.optimizer.param_groups, options, strict=True):
            group.update(own)

    def _fits(self, state: Mapping[str, Any]) -> bool:
        """Whether the stored groups hold as many parameters, and what is kept of each has its shape."""
        stored = [len(group["params"]) for group in state["param_groups"]]
        if stored != [len(group["params"]) for group in self.optimizer.param_groups]:
            return False
        return all(
            value.shape == self.parameters[index].shape
            for index, values in state["state"].items()
            for value in values.values()
            if isinstance(value, Tensor) and value.dim() > 0
        )

    def _load_partial(self, partial: Mapping[str, Any]) -> None:
        """Go on with an accumulation. Under another `accumulate` or precision it cannot go on: it starts anew."""
        own = (self.section.accumulate, self.scaler is not None)
        self._accumulated = 0
        if not partial or (partial["of"], partial["scaled"]) != own:
            return
        self._accumulated = partial["batches"]
        for weight, gradient in zip(self.parameters, partial["gradients"], strict=True):
            weight.grad = None if gradient is None else gradient.clone().to(weight.device)


def _other_state(what: str, section: Optimizer) -> NetcfgError:
    return NetcfgError(
        f"the state of the optimizer in this checkpoint {what}, and the file has [{section.type_name}] for "
        f"{', '.join(section.networks)}\n"
        "help: resume with the file the run began with, or train anew with another --run-dir",
        code="NC406",
    )


__all__ = ["Precision", "Stepper"]
