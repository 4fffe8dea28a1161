"""Muon for matrices and AdamW for all else, as one optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from netcfg.source import NetcfgError


class MuonAndAdamW(torch.optim.Optimizer):
    """Steps weights of two axes by `torch.optim.Muon`, the others by `torch.optim.AdamW`.

    `groups` are parameter groups with `lr` and `betas`; each becomes a group of matrices and one of the rest, under the
    same names, whose rate is `other_rate` times the group's. Raises `NetcfgError` (NC807) where torch has no Muon.
    """

    def __init__(
        self,
        groups: Iterable[Mapping[str, Any]],
        weight_decay: float,
        of_matrices: Mapping[str, Any],
        of_others: Mapping[str, Any],
        other_rate: float,
    ) -> None:
        try:
            from torch.optim import Muon
        except ImportError:
            raise NetcfgError(
                f"torch {torch.__version__} has no Muon\nhelp: torch 2.9 or newer has it; else [adamw]",
                code="NC807",
            ) from None
        matrices, others = [], []
        for group in groups:
            shared = {key: value for key, value in group.items() if key not in ("params", "betas")}
            # An empty group would be refused; one of a network without matrices, or of matrices alone, is left out.
            if flat := [weight for weight in group["params"] if weight.ndim == 2]:
                matrices.append(shared | {"params": flat})
            if rest := [weight for weight in group["params"] if weight.ndim != 2]:
                own = {"params": rest, "betas": group["betas"], "lr": group["lr"] * other_rate}
                own["scale"] = group.get("scale", 1.0) * other_rate
                if flat and other_rate != 1 and "network" in group:
                    own["network"] = f"{group['network']} (no matrices)"
                others.append(shared | own)
        self._parts: list[torch.optim.Optimizer] = []
        if matrices:
            self._parts.append(Muon(matrices, weight_decay=weight_decay, **of_matrices))
        if others:
            self._parts.append(torch.optim.AdamW(others, weight_decay=weight_decay, fused=True, **of_others))
        super().__init__([group for part in self._parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """Let both look at this one's groups and state, so that rates, and what is resumed, reach them."""
        first = len(self._parts[0].param_groups)
        for part, groups in zip(
            self._parts, (self.param_groups[:first], self.param_groups[first:]), strict=False
        ):
            part.param_groups, part.state = groups, self.state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._share()

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor | None:  # type: ignore[override]
        """One step of both."""
        loss = None if closure is None else closure()
        for part in self._parts:
            part.step()
        return loss


__all__ = ["MuonAndAdamW"]
