"""The training step: forward, losses, backward, update. What runs once per batch, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

import torch
from torch import Tensor, nn

from netcfg.blocks.kinds import Loss
from netcfg.graph import Graph
from netcfg.program import Phase, Program
from netcfg.source import Finding, ProgramError


class NotFinite(ProgramError):
    """A loss became NaN or infinite (NC405)."""


class Losses:
    """The losses of a program as modules, by name."""

    def __init__(self, losses: Mapping[str, Loss]) -> None:
        self.sections = losses
        self.modules = {name: loss.lower() for name, loss in losses.items()}

    def __call__(self, signals: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """The scalars of these losses."""
        return {name: self._one(name, signals) for name in names}

    def _one(self, name: str, signals: Mapping[str, Tensor]) -> Tensor:
        section = self.sections[name]
        inputs = [signals[section.input]]
        if section.target is not None:
            inputs.append(signals[section.target])
        value: Tensor = self.modules[name](*inputs)
        return value


class Step:
    """One optimizer's update on one batch.

    On a processor every batch's losses are checked before they can harm the weights; on a GPU that would make
    it wait, so that the trainer checks their sums now and then.
    """

    def __init__(
        self,
        program: Program,
        phase: Phase,
        networks: nn.ModuleDict,
        losses: Losses,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self.graphs = program.networks
        self.phase = phase
        self.networks = networks
        self.losses = losses
        self.optimizer = optimizer
        self.parameters = [weight for group in optimizer.param_groups for weight in group["params"]]

    def __call__(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Update the weights; the losses before the update, without their history."""
        self.optimizer.zero_grad(set_to_none=True)
        values = self.losses(signals(self.networks, self.graphs, fields), self.phase.weights)
        total = weighted_sum(values, self.phase.weights)
        if total.device.type == "cpu" and not isfinite(total.item()):
            refuse_non_finite({name: value.item() for name, value in values.items()}, self.phase)
        total.backward()  # type: ignore[no-untyped-call]
        if self.phase.optimizer.clip_grad_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, self.phase.optimizer.clip_grad_norm)
        self.optimizer.step()
        return {name: value.detach() for name, value in values.items()}


def signals(
    networks: nn.ModuleDict, graphs: Mapping[str, Graph], fields: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """All that flows for a batch, by name: the fields, `Network`, and `Network.output` for named outputs."""
    flowing = dict(fields)
    for name, network in networks.items():
        result = network(**{key: fields[fed_by(key, graphs[name], fields)] for key in graphs[name].inputs})
        if not isinstance(result, dict):
            flowing[name] = result
            result = {port: result for port in graphs[name].outputs}
        flowing |= {f"{name}.{port}": tensor for port, tensor in result.items() if port}
    return flowing


def fed_by(key: str, graph: Graph, fields: Mapping[str, Tensor]) -> str:
    """The field of an input: the one of its name; the one unnamed input of `channels = …` takes `image`."""
    return "image" if key == "input" and key not in fields and len(graph.inputs) == 1 else key


def weighted_sum(values: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """What a phase minimises: each of its losses times its factor."""
    terms = [values[name] if weight == 1 else values[name] * weight for name, weight in weights.items()]
    return sum(terms[1:], start=terms[0])


def refuse_non_finite(values: Mapping[str, float], phase: Phase, place: str = "") -> None:
    """Raise `NotFinite` naming the loss, where one is NaN or infinite (else the sum itself overflowed)."""
    broken = next((name for name, value in values.items() if not isfinite(value)), None)
    shown = f"the loss `{broken}` became {values[broken]}" if broken else "the sum of the losses overflowed"
    remedy = "a smaller learning_rate, or `clip_grad_norm = 1` in the optimizer, mostly helps"
    raise NotFinite([Finding("NC405", shown + place, phase.span, help=remedy)])
