"""The parameter groups of a phase: what steps at a rate of its own, and what has no weight decay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from netcfg.blocks.changing import scheduled_in
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.schedules import Moment
from netcfg.graph import Graph
from netcfg.passes.parameter_groups import Part, layers_of, rate_parts, undecayed_parts
from netcfg.program import Phase, Program
from netcfg.source import Finding, ProgramError

_NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)


def parameter_groups(
    program: Program, phase: Phase, networks: nn.ModuleDict, losses: nn.ModuleDict | None = None
) -> list[dict[str, Any]]:
    """The groups of a phase's parameters that train, with what each network's [net] says of them.

    `losses` are the modules of those that learn, by name; each is a group of its own.

    Where the optimizer treats parts of a network in ways of their own, it has several groups: `network` then is what
    logs call the rate, a network or a part of it. Raises `ProgramError` (NC401) where a path in `rates` or `no_decay`,
    inside of a block whose parameters only torch knows, names none.
    """
    optimizer = phase.optimizer
    learned = {name: module for name, module in (losses or nn.ModuleDict()).items() if name in phase.losses}
    rates = rate_parts(optimizer, program.networks, learned)
    undecayed = undecayed_parts(optimizer, program.networks, learned)
    expected = {*rates, *undecayed}
    groups: list[dict[str, Any]] = []
    # Halfway, as in a stepper: whoever makes an optimizer looks at these, and a run's first batch sets them anew.
    numbers = {name: schedule.at(Moment(1, 2)) for name, schedule in program.schedules.items()}
    for name in optimizer.networks:
        network = _Network(name, program.networks[name], networks[name], optimizer)
        named = list(network.trained())
        expected -= {part for part in expected if any(part.holds(name, one) for one, _ in named)}
        made: dict[tuple[str, float, bool], list[Tensor]] = {}
        for one, weight in named:
            made.setdefault(network.treatment(one, rates, undecayed), []).append(weight)
        # The highest rate first: of several groups under one name, logs tell that of the first.
        for (called, rate, decays), weights in sorted(made.items(), key=lambda item: -item[0][1]):
            group = _options(program.networks[name], numbers) | {"params": weights, "network": called}
            if (rate, decays) != (1.0, True):
                group |= {"rate": rate, "decays": decays}
            groups.append(group)
    for name, module in learned.items():
        part = Part(name, "")
        group = {"params": list(module.parameters()), "network": name}
        if part in rates or part in undecayed:
            group |= {"rate": rates.get(part, 1.0), "decays": part not in undecayed}
        groups.append(group)
        expected.discard(part)
    for part in expected:
        message = f"`{part}` names no parameter that trains"
        raise ProgramError(
            [Finding("NC401", message, phase.span, help="`netcfg summary` lists the paths of blocks")]
        )
    return groups


class _Network:
    """A network, and how an optimizer treats each of its parameters."""

    def __init__(self, name: str, graph: Graph, module: nn.Module, optimizer: Optimizer) -> None:
        self.name = name
        self.graph = graph
        self.module = module
        self.kinds = frozenset(optimizer.no_decay)
        self.layer_decay = optimizer.layer_decay
        self.layers = layers_of(graph) if optimizer.layer_decay != 1 else {}
        self.depth = max(self.layers.values(), default=0)
        self.norms = (
            {
                f"{path}.{own}" if path else own
                for path, part in module.named_modules()
                if isinstance(part, _NORMS)
                for own, _ in part.named_parameters(recurse=False)
            }
            if "norms" in self.kinds
            else frozenset[str]()
        )

    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """Its parameters that train, each once, by name."""
        yield from (pair for pair in self.module.named_parameters() if pair[1].requires_grad)

    def treatment(
        self, parameter: str, rates: dict[Part, float], undecayed: list[Part]
    ) -> tuple[str, float, bool]:
        """What logs call its group, the factor of its rate, and whether it decays."""
        parts = [part for part in rates if part.holds(self.name, parameter)]
        part = max(parts, key=lambda part: len(part.path), default=Part(self.name, ""))
        rate = rates.get(part, 1.0)
        node = self.graph.owner(parameter)
        if self.layers and node is not None:
            rate *= self.layer_decay ** (self.depth - self.layers.get(node.path, self.depth))
        decays = not self._is_spared(parameter) and not any(
            one.holds(self.name, parameter) for one in undecayed
        )
        return str(part), rate, decays

    def _is_spared(self, parameter: str) -> bool:
        """Whether it is of a kind that `no_decay` names."""
        if not self.kinds:
            return False
        node = self.graph.owner(parameter)
        # An LSTM's are `bias_ih_l0`, an attention's `in_proj_bias`.
        own = parameter.rpartition(".")[2]
        is_bias = own.startswith("bias") or own.endswith("bias")
        is_norm = parameter in self.norms or (node is not None and node.block.family == "normalisation")
        is_token = node is not None and node.block.owns_tensor()
        return (
            ("biases" in self.kinds and is_bias)
            or ("norms" in self.kinds and is_norm)
            or ("tokens" in self.kinds and is_token)
        )


def _options(graph: Graph, numbers: Mapping[str, float]) -> dict[str, Any]:
    """What a [net] says of its parameters, and by which schedules that changes."""
    follows = dict(scheduled_in(graph.options))
    options = graph.options.model_copy(update={key: numbers[name] for key, name in follows.items()})
    group: dict[str, Any] = {"follows": follows} if follows else {}
    if options.learning_rate is not None:
        group["lr"] = options.learning_rate
    if (options.beta1, options.beta2) != (None, None):
        group["betas"] = (
            0.9 if options.beta1 is None else options.beta1,
            0.999 if options.beta2 is None else options.beta2,
        )
    return group


__all__ = ["parameter_groups"]
