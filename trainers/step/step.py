"""The training step: what the plan says, for one batch. Nothing else runs once per batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from netcfg.blocks.changing import Changing
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.gradient import Gradient
from netcfg.builder.modules.losses.classes import OutsideClass
from netcfg.builder.modules.losses.counted import Counted
from netcfg.builder.modules.memory import Processes
from netcfg.faults import listed, told_of, untrue
from netcfg.passes.gradients import gradients_of
from netcfg.passes.plan import Compute, Evaluate, PhasePlan, Plan, Read, counted_alike, needed_by, network_of
from netcfg.passes.reach import key
from netcfg.program import Average, Phase, Program
from netcfg.program import total_name as name_of_total
from netcfg.source import Finding, ProgramError
from netcfg.trainers.machine.distributed import ALONE, Team
from netcfg.trainers.step.diagnosis import Diagnosis
from netcfg.trainers.step.following import Following
from netcfg.trainers.step.model import Call, Model, Value, read
from netcfg.trainers.step.numbers import Numbers
from netcfg.trainers.step.stepper import Share, Stepper

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class NotFinite(ProgramError):
    """A loss became NaN or infinite (NC405)."""


class BadSample(ProgramError):
    """A target that a loss cannot take (NC502); `sample` is its place in the batch, from 0."""

    def __init__(self, section: Loss, sample: int, error: OutsideClass, called: str = "") -> None:
        target = section.reads.get("target", "")
        whose = called or f"sample {sample + 1} of a batch"
        message = (
            f"`{target}` of {whose} is the class {error.number}, and [{section.type_name}] compares "
            f"{error.classes} classes, 0 to {error.classes - 1}"
        )
        help = f"`ignore = {error.number}` where it stands for no class; else more outputs, or other labels"
        super().__init__([Finding("NC502", message, section.written_at, help=help)])
        self.sample = sample
        self.section = section
        self.error = error

    def of(self, called: str) -> BadSample:
        """The same of a sample whose name is known."""
        return BadSample(self.section, self.sample, self.error, f"the sample {called}")


class Precision:
    """In which numbers networks compute: single precision, or half where autocast sees fit."""

    def __init__(self, name: str, device: torch.device) -> None:
        self.name = name
        self.device = device

    def __call__(self, history: bool = True) -> AbstractContextManager[object]:
        """The context of one network's forward. Without `history` its casts of weights serve no other forward,
        which might need their history.
        """
        if self.name == "f32":
            return nullcontext()
        # autocast caches the cast of a weight: one made under no_grad would be handed to a later forward that trains,
        # and that weight would get no gradient.
        return torch.autocast(self.device.type, HALF[self.name], cache_enabled=history)

    def phase(self) -> AbstractContextManager[object]:
        """A context in which every weight is cast once for all forwards with history; it computes nothing in half
        precision by itself.
        """
        if self.name == "f32":
            return nullcontext()
        # autocast forgets its casts when the outermost context ends, which is this one rather than each forward's.
        return torch.autocast(self.device.type, HALF[self.name], enabled=False)

    def wrap(self, network: nn.Module) -> Callable[..., Value]:
        """A network as a loss evaluates it."""
        if self.name == "f32":
            return network

        def evaluate(*inputs: Tensor) -> Value:
            with self():
                result: Value = network(*inputs)
            return result

        return evaluate


class Mean(NamedTuple):
    """The mean loss of a batch, and how much counted in it: samples, or as a mask and weights have it."""

    value: Tensor
    amount: Tensor | int


class Reported(dict[str, Tensor]):
    """The mean losses of a batch, under the names of `report_names`; `amounts` says how much counted in each."""

    def __init__(self, values: Mapping[str, Tensor] | None = None) -> None:
        super().__init__(values or {})
        self.amounts: dict[str, Tensor | int] = {}


@runtime_checkable
class Telling(Protocol):
    """A loss whose parameters mean something to a reader of logs."""

    def figures(self) -> dict[str, float]:
        """By name."""
        ...


class Losses:
    """The losses of a program as functions of their signals, by name."""

    def __init__(
        self, program: Program, networks: nn.ModuleDict, precision: Precision, numbers: Numbers | None = None
    ) -> None:
        self.sections: Mapping[str, Loss] = program.losses
        self.numbers = numbers or Numbers(program)
        """What changes while the program trains: factors of losses, and options of theirs."""
        self.modules = {name: loss.build(*program.loss_sizes[name]) for name, loss in program.losses.items()}
        device = next((weight.device for weight in networks.parameters()), torch.device("cpu"))
        for module in self.modules.values():
            module.to(device)
        self.learned = nn.ModuleDict(
            {name: self.modules[name] for name, loss in program.losses.items() if loss.learns}
        )
        """Those that have parameters of their own."""
        self.unknown: set[str] = set()
        """Those of which the parameters are not known."""
        for module in self.modules.values():
            self.numbers.give(module)
        self.networks = {
            name: tuple(precision.wrap(networks[network]) for network in loss.evaluates)
            for name, loss in program.losses.items()
        }

    def one(self, name: str, signals: Iterable[Tensor]) -> Mean:
        """A loss. Signals in half precision are compared in single."""
        # bf16 has 8 bits: a mean over a batch would lose most samples' parts.
        inputs = [tensor.float() if tensor.dtype in HALF.values() else tensor for tensor in signals]
        section = self.sections[name]
        given, named = section.arguments(inputs)
        with told_of(section, "forward", lambda: f" (it is fed {_batches(inputs)})"):
            try:
                made = self.modules[name](*self.networks[name], *given, **named)
            except OutsideClass as error:
                raise BadSample(section, error.sample, error) from error
        value = made.mean() if isinstance(made, Counted) else made
        if not isinstance(value, Tensor) or value.dim():
            gives = f"a tensor of {_batches([value])}" if isinstance(value, Tensor) else type(value).__name__
            message = f"gives {gives} for a batch of {_batches(inputs)}, and a loss is one number"
            help = "the mean over the batch, mostly: `.mean()`"
            raise ProgramError([untrue(type(section), message, section.written_at, help)])
        samples = inputs[0].shape[0] if inputs and inputs[0].dim() else 1
        return Mean(value, made.count if isinstance(made, Counted) else samples)

    def combined(
        self, name: str, values: Mapping[str, Tensor], amounts: Mapping[str, Tensor | float]
    ) -> Tensor:
        """A loss that reads losses, of their values and how much counts in each."""
        section = self.sections[name]
        of = section.losses
        first = values[of[0]]
        counts = [torch.as_tensor(amounts[one], dtype=first.dtype, device=first.device) for one in of]
        with told_of(section, "forward", lambda: f" (it is fed {len(of)} losses)"):
            made: Tensor = self.modules[name](torch.stack([values[one] for one in of]), torch.stack(counts))
        return made

    def outer(self, name: str, means: Mapping[str, Mean]) -> Mean:
        """A loss that reads losses, which have been computed; as much counts in it as in the one of most."""
        of = self.sections[name].losses
        amounts = {one: means[one].amount for one in of}
        value = self.combined(name, {one: means[one].value for one in of}, amounts)
        counted = [
            torch.as_tensor(amount, dtype=torch.float64, device=value.device) for amount in amounts.values()
        ]
        return Mean(value, torch.stack(counted).amax())

    def take(self, state: Mapping[str, Tensor]) -> None:
        """Take up the parameters of those that learn, from a file's tensors by name; those it lacks stay unjudged."""
        for name, module in self.learned.items():
            own = {key: state[f"{name}.{key}"] for key in module.state_dict() if f"{name}.{key}" in state}
            if {key: value.shape for key, value in own.items()} == {
                key: value.shape for key, value in module.state_dict().items()
            }:
                module.load_state_dict(own)
            else:
                self.unknown.add(name)

    def figures(self) -> dict[str, float]:
        """What those that learn tell of themselves, for logs."""
        found: dict[str, float] = {}
        for name, module in self.learned.items():
            if isinstance(module, Telling):
                found |= {f"{name}.{key}": value for key, value in module.figures().items()}
        return found

    def of(self, model: Model, signals: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Mean]:
        """These losses, of signals as a model computes them (`Model.padded`)."""
        made: dict[str, Mean] = {}
        # Those that read losses last.
        for name in sorted(names, key=lambda name: bool(self.sections[name].losses)):
            if self.sections[name].losses:
                made[name] = self.outer(name, made)
                continue
            read = list(self.sections[name].reads.values())
            counted = model.counting(model.program.loss_sources.get(name), [signals[one] for one in read])
            made[name] = self.one(name, model.packed_by_name(read, counted))
        return made


class Step:
    """Runs the phases of a batch: forwards, losses, backward passes and updates, in the order of the plan.

    On a processor every loss is checked before it can harm the weights; on a GPU that would make it wait, so that
    the trainer checks their sums now and then.
    """

    def __init__(
        self,
        plan: Plan,
        model: Model,
        losses: Losses,
        steppers: Mapping[str, Stepper],
        precision: Precision,
        *,
        training_calls: Mapping[str, Call] | None = None,
        following: Following | None = None,
        team: Team = ALONE,
    ) -> None:
        self.plan = plan
        self.following = following or Following(plan.program, model.networks, model.numbers)
        self.model = model
        self.losses = losses
        self.steppers = steppers
        self.precision = precision
        self.names = report_names(plan.program)
        self.on_gradients: Callable[[str], None] | None = None
        """Called with the name of a phase when its gradients are there, before its update."""
        self.place: tuple[int | None, int | None] = (None, None)
        """The epoch, from 1, and how many batches the run has seen, where somebody tells."""
        self.diagnosis = Diagnosis(model, losses, precision)
        self.team = team
        self._training_calls = training_calls or {}
        self._networks = [network_of(model.graph, index) for index in range(len(model.graph.nodes))]
        self._phases = {phase.name: phase for phase in plan.program.phases}
        self._trained = {name: frozenset(phase.optimizer.networks) for name, phase in self._phases.items()}
        self._parameters = {
            name: [weight for weight in network.parameters() if weight.requires_grad]
            for name, network in model.networks.items()
        }
        self._requiring: dict[str, bool] = dict.fromkeys(self._parameters, True)
        # What has no wrapper that exchanges gradients by itself.
        self._exchanged = {
            phase: [
                weight
                # Sorted, as sets of texts have another order in each process, and the vectors that are added
                # up must line up.
                for name in sorted(trained)
                if name not in self._training_calls
                for weight in self._parameters[name]
            ]
            + [
                weight
                for name in self._phases[phase].losses
                if name in losses.learned
                for weight in losses.learned[name].parameters()
            ]
            for phase, trained in sorted(self._trained.items())
        }
        differentiates = gradients_of(model.graph)
        self._by = {
            phase.name: {
                key(model.graph.nodes[index].inputs[1])
                for index in differentiates
                if index
                in needed_by((plan.program.losses[name] for name in phase.losses), model.graph, plan.reach)
            }
            for phase in plan.program.phases
        }
        """The signals by which each phase takes gradients."""
        self._leaves: dict[tuple[str, int, str], tuple[Tensor, Tensor]] = {}
        self._alike = {phase.name: counted_alike(plan.program, phase) for phase in plan.program.phases}
        for stepper in steppers.values():
            stepper.mean_over_team = team.mean_of
        for one in model.remembering:
            one.is_kept, one.processes = True, _Together(team)

    def __call__(self, fields: Mapping[str, Tensor], batch: int) -> Reported:
        """Train on a batch, the `batch`-th of its epoch from 0.

        Gives the losses before each update, without their history, under the names of `report_names`.
        """
        values = self.model.fill(fields)
        reported = Reported()
        for one in self.model.remembering:
            one.begin()
        for part in self.plan.step(self.plan.running(batch, *self.place)).steps:
            if isinstance(part, Average):
                self.following.step(part.name)
            else:
                self._phase(part, fields, values, reported)
        # A batch that failed has not come here, and writes nothing.
        for one in self.model.remembering:
            one.end()
        self._leaves.clear()
        self._keep_history_of(self._parameters)  # as whoever else uses the networks expects
        return reported

    def explain(self, means: Mapping[str, float], fields: Mapping[str, Tensor] | None, place: str) -> Finding:
        """Why figures under the names of `report_names` are not finite, as the batch shows it."""
        broken = {key: means[name] for key, name in self.names.items() if not isfinite(means.get(name, 0.0))}
        phase, _ = next(iter(broken))
        losses = {loss: value for (owner, loss), value in broken.items() if owner == phase and loss}
        return self.diagnosis.finding(self._phases[phase], losses, fields, place)

    def _phase(
        self,
        plan: PhasePlan,
        fields: Mapping[str, Tensor],
        values: list[Value | None],
        reported: Reported,
    ) -> None:
        name = self.model.chance.phase = plan.phase.name
        stepper = self.steppers[name]
        with self.precision.phase():
            for computes in plan.together:
                self._compute(computes, values)
            # Before the losses, as some evaluate networks themselves (a penalty its critic): only what the phase trains
            # may keep history, else the graph of a frozen network would be built for nothing.
            self._train_only(name)
            losses: dict[str, Mean] = {}
            for evaluate in plan.evaluates:
                losses[evaluate.loss] = self._evaluate(evaluate, values, losses)
        means = {loss: mean.value for loss, mean in losses.items()}
        total = weighted_sum(means, self.losses.numbers.of_phase[name])
        # Reading a number waits for all work in the queue: free on a processor, a stall of the whole step on a GPU.
        if total.device.type == "cpu":
            if not isfinite(total.item()):
                broken = {key: value.item() for key, value in means.items()}
                raise NotFinite([self.diagnosis.finding(plan.phase, broken, fields)])
            # Before gradients are exchanged: a process whose loss broke takes part in this agreement, and
            # none waits for it.
            if self.team.size > 1:
                self.team.check()
        stepper.begin()
        stepper.backward(*self._shares(plan.phase, losses, total))
        # After the whole backward pass and before clipping: a norm of one process's gradients is not that of the mean.
        if not stepper.is_split:
            self.team.mean_gradients(self._exchanged[name])
        if self.on_gradients is not None:
            self.on_gradients(name)
        if stepper.finish():
            self.following.updated(name)
        for loss, mean in losses.items():
            reported[self.names[name, loss]] = mean.value.detach()
            amount = mean.amount
            reported.amounts[self.names[name, loss]] = (
                amount.detach() if isinstance(amount, Tensor) else amount
            )
        reported[self.names[name, ""]] = total.detach()
        # At once, not at the end of the batch: the next phase's activations take the place of these.
        for index in plan.released:
            values[index] = None

    def _shares(self, phase: Phase, losses: Mapping[str, Mean], total: Tensor) -> list[Share]:
        """What a batch adds to the sum that a phase minimises, in parts that count alike.

        Each loss is a mean over all that counts in the batch, in all processes together: where one process has more
        of that, its mean weighs more.
        """
        groups, factors = self._alike[phase.name], self.losses.numbers.of_phase[phase.name]
        if self.team.size == 1:
            if len(groups) == 1:
                return [Share(total, losses[groups[0][0]].amount)]
            values, amounts = losses, {loss: mean.amount for loss, mean in losses.items()}
        else:
            values, amounts = _of_team(losses, self.team)
        plain = {loss: mean.value for loss, mean in values.items()}
        shares = [Share(self._part(plain, amounts, factors, group), amounts[group[0]]) for group in groups]
        # What a loss that reads losses adds of its own counts once a batch, and by none of them.
        rests = [loss for loss in factors if self.losses.sections[loss].losses and loss not in groups[0]]
        nothing = {loss: torch.zeros_like(value) for loss, value in plain.items()}
        shares += [Share(self.losses.combined(loss, nothing, amounts) * factors[loss]) for loss in rests]
        return shares

    def _part(
        self,
        values: Mapping[str, Tensor],
        amounts: Mapping[str, Tensor | int],
        factors: Mapping[str, float],
        group: Collection[str],
    ) -> Tensor:
        """What a group of losses adds to the sum: each by its factor, and through losses that read it."""
        terms = []
        nothing = {loss: torch.zeros_like(value) for loss, value in values.items()}
        for loss, factor in factors.items():
            of = self.losses.sections[loss].losses
            if not of and loss in group:
                terms.append(values[loss] * factor)
            elif loss in group:
                terms.append(self.losses.combined(loss, values, amounts) * factor)
            elif set(of) & set(group):
                # The sum of the values, each times something, and something else: without the others, and that.
                own = {one: values[one] if one in group else nothing[one] for one in of}
                rest = self.losses.combined(loss, nothing, amounts)
                terms.append((self.losses.combined(loss, own, amounts) - rest) * factor)
        return sum(terms[1:], start=terms[0])

    def _compute(self, computes: tuple[Compute, ...], values: list[Value | None]) -> None:
        """One pass: a node, or several uses of one network, whose samples become one batch."""
        first = computes[0]
        call = self.model.calls[first.node]
        network = self._networks[first.node]
        if first.history is not None:
            self._train_only(first.history)
            if network in self._trained[first.history]:
                # The wrapper exchanges gradients while backward runs, so it may serve only the forward that this
                # phase trains through; any other forward would upset its count of backward passes.
                wrapped = self._training_calls.get(str(network))
                call = call if wrapped is None else self.model.over(first.node, wrapped)
        assert call is not None
        with_history = first.history is not None
        with torch.set_grad_enabled(with_history):
            inputs = [[self._input(values, read, compute) for read in compute.reads] for compute in computes]
            # One pass over the joined batches gives each sample what it would get alone; the plan joins no others.
            joined = (
                inputs[0] if len(inputs) == 1 else [torch.cat(parts) for parts in zip(*inputs, strict=True)]
            )
            with (
                self.precision(with_history),
                self.model.chance.used_by(self.model.graph.nodes[first.node].path),
            ):
                result = call(*joined)
            for compute, part in zip(computes, _parts(result, len(computes)), strict=True):
                values[compute.node] = part

    def _input(self, values: list[Value | None], one: Read, compute: Compute) -> Tensor:
        """What a node reads. By what a gradient is taken is one tensor that asks for gradients."""
        tensor = _read(values, one)
        # A gradient that nobody trains through has no history itself; what it differentiates has, for this phase.
        is_gradient = isinstance(self.model.graph.nodes[compute.node].block, Gradient)
        phase = self.model.chance.phase if is_gradient else compute.history
        if phase is None or key(one.signal) not in self._by[phase] or tensor.requires_grad:
            return tensor
        source = read(values, one.signal)
        # autograd tells tensors apart by what they are, not by what they hold: all who read the signal in this phase
        # must read the one leaf. A value that was computed anew has another.
        held, leaf = self._leaves.get((phase, *key(one.signal)), (None, None))
        if leaf is None or held is not source:
            leaf = tensor.detach().requires_grad_()
            self._leaves[phase, *key(one.signal)] = source, leaf
        return leaf

    def _evaluate(self, evaluate: Evaluate, values: list[Value | None], before: Mapping[str, Mean]) -> Mean:
        if self.losses.sections[evaluate.loss].losses:
            return self.losses.outer(evaluate.loss, before)
        with self.model.chance.used_by(evaluate.loss):
            tensors = [_read(values, read) for read in evaluate.reads]
            tensors = self.model.counting(self.plan.program.loss_sources.get(evaluate.loss), tensors)
            packed = self.model.packed([read.signal for read in evaluate.reads], tensors)
            return self.losses.one(evaluate.loss, packed)

    def _train_only(self, phase: str) -> None:
        """Let only the networks of a phase keep the history of their parameters."""
        self._keep_history_of(self._trained[phase])

    def _keep_history_of(self, networks: Collection[str]) -> None:
        # Only what changes: a network of hundreds of weights is asked for several times in each batch.
        for name, requires in self._requiring.items():
            if requires != (name in networks):
                for weight in self._parameters[name]:
                    weight.requires_grad_(not requires)
                self._requiring[name] = not requires


class _Together(Processes):
    """What remembers writes what all processes of a team have seen."""

    def __init__(self, team: Team) -> None:
        self.team = team

    def rows(self, rows: Tensor) -> Tensor:
        """Those of all processes, the first one's first."""
        if self.team.size == 1:
            return rows
        return self.joined(rows)[0]

    def joined(self, rows: Tensor) -> tuple[Tensor, slice]:
        """The same, and which of them are this one's."""
        if self.team.size == 1:
            return rows, slice(None)
        parts = self.team.gather(rows.cpu())
        first = sum(map(len, parts[: self.team.rank]))
        return torch.cat(parts).to(rows.device), slice(first, first + len(rows))

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over processes."""
        return self.team.sum_of(numbers)


def _of_team(losses: Mapping[str, Mean], team: Team) -> tuple[dict[str, Mean], dict[str, Tensor | int]]:
    """The losses of this process, such that their mean over the team is over all that counts; and how much counts."""
    device = next(iter(losses.values())).value.device
    own = torch.stack(
        [torch.as_tensor(mean.amount, dtype=torch.float64, device=device) for mean in losses.values()]
    ).detach()
    whole = team.sum_of(own)
    factors = own * team.size / torch.where(whole > 0, whole, 1)
    values = {
        name: Mean(mean.value * factor.to(mean.value.dtype), mean.amount)
        for (name, mean), factor in zip(losses.items(), factors, strict=True)
    }
    return values, dict(zip(losses, whole, strict=True))


def _batches(tensors: Iterable[Tensor]) -> str:
    """Whole batches in words, samples first."""
    return listed(tuple(tensor.shape) for tensor in tensors)


def _parts(value: Value, count: int) -> list[Value]:
    """What each of so many batches of one size has given."""
    if count == 1:
        return [value]
    if isinstance(value, Tensor):
        return list(value.chunk(count))
    return [{port: tensor.chunk(count)[part] for port, tensor in value.items()} for part in range(count)]


def _read(values: list[Value | None], one: Read) -> Tensor:
    tensor = read(values, one.signal)
    return tensor.detach() if one.cut else tensor


def report_names(program: Program) -> dict[tuple[str, str], str]:
    """What the loss of a phase is called in reports, by (phase, loss); under "" the sum that it minimises.

    A loss that one phase alone minimises has its own name, others `phase.loss`. The sum is `loss`, or where there
    are several phases `phase.loss`.
    """
    users: dict[str, int] = {}
    for phase in program.phases:
        for loss in phase.losses:
            users[loss] = users.get(loss, 0) + 1
    names = {}
    for phase in program.phases:
        for loss in phase.losses:
            names[phase.name, loss] = loss if users[loss] == 1 else f"{phase.name}.{loss}"
        names[phase.name, ""] = total_name(program, phase)
    return names


def report_parts(program: Program) -> dict[str, dict[str, float]]:
    """What the sums in reports are made of: the factor of each loss, by the name under which that is reported.

    A sum whose factors change within an epoch has no such parts: its mean is that over batches.
    """
    names = report_names(program)
    parts: dict[str, dict[str, float]] = {}
    for phase in program.phases:
        weights = {loss: weight for loss, weight in phase.weights.items() if not isinstance(weight, Changing)}
        if len(weights) == len(phase.weights):
            parts[names[phase.name, ""]] = {
                names[phase.name, loss]: weight for loss, weight in weights.items()
            }
    return parts


def total_name(program: Program, phase: Phase) -> str:
    """What the sum that a phase minimises is called."""
    return name_of_total(program.phases, phase)


def weighted_sum(values: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """What a phase minimises: each of its losses times its factor."""
    terms = [values[name] if weight == 1 else values[name] * weight for name, weight in weights.items()]
    return sum(terms[1:], start=terms[0])
