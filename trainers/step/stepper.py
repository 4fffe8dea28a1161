"""The update of one phase: gradients in, weights changed. It knows nothing of losses, networks or data.

A phase's batch is `begin()`, one `backward(total)`, `finish()`. With `accumulate = n`, the weights change at every
n-th `finish()` by the gradients of n batches, as if they were one: each weighs by how much counts in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.schedules import Moment
from netcfg.faults import told, untrue
from netcfg.source import NetcfgError, ProgramError

Precision = Literal["f32", "bf16", "fp16"]


class Share(NamedTuple):
    """A batch's mean of losses that count alike, and how much counts in it."""

    mean: Tensor
    amount: Tensor | float = 1.0


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
        numbers_at: Callable[[Moment], Mapping[str, float]] = lambda moment: {},
    ) -> None:
        self.section = section
        self.networks = section.networks
        self.numbers_at = numbers_at
        with told():
            # Halfway, as torch looks at what it is made with: a momentum that starts at 0 is none to it.
            self.optimizer = section.at(numbers_at(Moment(1, 2))).lower(groups)
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
        self.mean_over_team: Callable[[Sequence[Tensor]], None] = lambda gradients: None
        """Makes the gradients of a part of a batch the means over all processes."""
        self._accumulated = 0
        self._units: list[Tensor | float] = []
        self._amounts: list[Tensor | float] = []
        self._parts: list[list[Tensor | None]] = []
        self._factor = 1.0
        # Under the name that torch's own schedules use; options of a group are kept in checkpoints.
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self._changes = any(section.changing_in(group) for group in self.optimizer.param_groups)

    # --- one batch --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget the last update's gradients; in the middle of an accumulation they stay."""
        if self._accumulated == 0:
            # To None, not to zero: then the first gradient is stored rather than added to a tensor that was filled
            # for it.
            self.optimizer.zero_grad(set_to_none=True)

    def backward(self, *shares: Share | Tensor) -> None:
        """Add the gradients of a batch's losses. They reach the parameters of this phase, no others.

        Losses that count alike, each batch in the same proportion, come as one share. Of several, each has a backward
        pass, as how much of each will have counted in all batches is only known after the last.
        """
        made = [share if isinstance(share, Share) else Share(share) for share in shares]
        if self.section.accumulate == 1:
            # Restricted to this phase: gradients of the networks it passes through are neither computed nor kept, which
            # is what makes a frozen critic free.
            total = sum((share.mean for share in made[1:]), start=made[0].mean)
            self._scaled(total).backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
            return
        if len(self._units) != len(made):  # a file with other losses, resumed within an accumulation
            self._accumulated = 0
            self.begin()
        if self._accumulated == 0:
            # In units of the first batch, so that gradients stay as large as they are, and fp16 holds them.
            self._units = [_unless_zero(share.amount) for share in made]
            self._amounts, self._parts = [0.0] * len(made), []
        weights = [_ratio(share.amount, unit) for share, unit in zip(made, self._units, strict=True)]
        self._amounts = [one + more for one, more in zip(self._amounts, weights, strict=True)]
        totals = [
            self._scaled(share.mean * weight / self.section.accumulate)
            for share, weight in zip(made, weights, strict=True)
        ]
        if len(totals) == 1:
            totals[0].backward(inputs=self.parameters)  # type: ignore[no-untyped-call]
        else:
            self._add_parts(totals)

    @property
    def is_split(self) -> bool:
        """Whether gradients come in parts, which `mean_over_team` has seen already."""
        return bool(self._parts)

    def _scaled(self, total: Tensor) -> Tensor:
        return self.scaler.scale(total) if self.scaler is not None else total

    def _add_parts(self, totals: Sequence[Tensor]) -> None:
        """A backward pass for each part; `grad` then is the mean over the batches so far."""
        self._parts = self._parts or [[None] * len(self.parameters) for _ in totals]
        for number, (total, kept) in enumerate(zip(totals, self._parts, strict=True), start=1):
            found = torch.autograd.grad(
                total, self.parameters, retain_graph=number < len(totals), allow_unused=True
            )
            self.mean_over_team([gradient for gradient in found if gradient is not None])
            for place, gradient in enumerate(found):
                before = kept[place]
                if gradient is not None:
                    kept[place] = gradient if before is None else before.add_(gradient)
        factors = self._factors()
        for place, weight in enumerate(self.parameters):
            parts = [(part[place], factor) for part, factor in zip(self._parts, factors, strict=True)]
            terms = [part * factor for part, factor in parts if part is not None]
            weight.grad = sum(terms[1:], start=terms[0]) if terms else None

    def _factors(self) -> list[Tensor | float]:
        """What makes sums of n-ths (n = `accumulate`) means over what has counted; 0 where nothing has."""
        return [_ratio(self.section.accumulate, _unless_zero(amount)) for amount in self._amounts]

    def finish(self) -> bool:
        """Change the weights, if this batch completes an accumulation; whether they may have changed."""
        self._accumulated += 1
        return self._accumulated == self.section.accumulate and self.flush()

    def flush(self) -> bool:
        """Change the weights by the gradients there are, also those of a part of an accumulation.

        Call it after the last batch of an epoch, before the weights are judged. Its mean is that of the batches
        there were. Whether the weights may have changed.
        """
        if self._accumulated == 0:
            return False
        limit = self.section.clip_grad_norm
        if self.section.accumulate > 1 and not self._parts:
            self._average(self._factors()[0])
        # The norm is of gradients as they are, not as fp16 scaled them; the scaler then does not divide again.
        if self.scaler is not None and limit is not None:
            self.scaler.unscale_(self.optimizer)
        if limit is not None:
            self.gradient_norm = nn.utils.clip_grad_norm_(self.parameters, limit)
        self._step()
        self._accumulated = 0
        return True

    def _average(self, factor: Tensor | float) -> None:
        """Make the sums of a whole or partial accumulation means."""
        gradients = [weight.grad for weight in self.parameters if weight.grad is not None]
        if isinstance(factor, Tensor):
            factor = factor.to(gradients[0].dtype)
        if isinstance(factor, Tensor) or factor != 1:
            torch._foreach_mul_(gradients, factor)

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
        if self._changes:
            moment = self.section.moment(epochs_finished, max_epochs, batch, batches_per_epoch)
            numbers = self.numbers_at(moment)
            for group in self.optimizer.param_groups:
                self.section.follow(group, numbers)
        if self._changes or factor != self._factor:
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
        moment = self.section.moment(epochs_finished, max_epochs, batch, batches_per_epoch)
        numbers = self.numbers_at(moment)
        found: dict[str, float] = {}
        for called, group in self._groups():
            name = self.section.changing_in(group).get("learning_rate")
            rate = group["initial_lr"] if name is None else numbers[name] * group.get("scale", 1.0)
            found[called] = rate * factor
        return found

    def rates(self) -> dict[str, float]:
        """The learning rate of each network, and of each part that has its own, now, for logs."""
        return {name: group["lr"] for name, group in self._groups()}

    def _groups(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The groups by their names, of several of one name the first."""
        found: dict[str, dict[str, Any]] = {}
        for index, group in enumerate(self.optimizer.param_groups):
            found.setdefault(group.get("network", str(index)), group)
        yield from found.items()

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
            "units": [float(unit) for unit in self._units],
            "amounts": [float(amount) for amount in self._amounts],
            "parts": self._parts,
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
        self._units = list(partial.get("units", [1.0]))
        self._amounts = list(partial.get("amounts", [float(partial["batches"])]))
        for weight, gradient in zip(self.parameters, partial["gradients"], strict=True):
            weight.grad = None if gradient is None else gradient.clone().to(weight.device)
        self._parts = [
            [
                None if gradient is None else gradient.clone().to(weight.device)
                for weight, gradient in zip(self.parameters, part, strict=True)
            ]
            for part in partial.get("parts", [])
        ]


def _unless_zero(amount: Tensor | float) -> Tensor | float:
    """An amount to divide by: 1 where there is none."""
    return torch.where(amount > 0, amount, 1) if isinstance(amount, Tensor) else amount or 1.0


def _ratio(amount: Tensor | float, unit: Tensor | float) -> Tensor | float:
    """In double precision, as counts may be large; one that is on a processor becomes a plain number."""
    if isinstance(amount, Tensor):
        amount = float(amount) if amount.device.type == "cpu" else amount.double()
    if isinstance(unit, Tensor) and unit.device.type == "cpu":
        unit = float(unit)
    return amount / unit


def _other_state(what: str, section: Optimizer) -> NetcfgError:
    return NetcfgError(
        f"the state of the optimizer in this checkpoint {what}, and the file has [{section.type_name}] for "
        f"{', '.join(section.networks)}\n"
        "help: resume with the file the run began with, or train anew with another --run-dir",
        code="NC406",
    )


__all__ = ["Precision", "Share", "Stepper"]
