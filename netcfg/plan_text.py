"""The plan of a program's training step, as a page for a person or as data."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import Any

from netcfg.blocks.changing import Changing, Scheduled, Weight, number_text, scheduled_in, times_text
from netcfg.blocks.network.loop import Loop
from netcfg.blocks.network.model import NetworkUse
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.graph import Graph, Scope, Signal
from netcfg.pages.tables import table
from netcfg.passes.generate import used_networks
from netcfg.passes.held import makes_again
from netcfg.passes.parameter_groups import layers_of, rate_parts
from netcfg.passes.plan import Compute, Pattern, PhasePlan, Plan, Read, network_of
from netcfg.program import Average, Phase
from netcfg.summary import aligned, human
from netcfg.words import ordinal

PLAN_FORMAT_VERSION = 1
WIDTH = 110
INDENT = 14
REMARKS = 74  # where remarks begin
RATE_SOURCES = {"net": "its [net]", "default": "default"}


# --- as data


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as data: the phases, and for each kind of batch what they do.

    A signal's `cut` means that it is read without its history; `history` names the phase that keeps it; `again`
    the networks whose step made an earlier value of the batch stale; computes of one `pass` are one forward; of a
    network with a `checkpoint` the backward pass computes parts once more.
    `averages` are networks that follow others; `order` is in which phases and averages run.
    """
    return {
        "version": PLAN_FORMAT_VERSION,
        "name": plan.program.name,
        "phases": [_phase_data(plan, phase) for phase in plan.program.phases],
        "averages": [_average_data(plan, average) for average in plan.program.averages],
        "generation": generation_data(plan.program.generation)
        if plan.program.generation is not None
        else None,
        "schedules": {name: schedule.words() for name, schedule in plan.program.schedules.items()},
        "patterns": [
            {
                "batches": pattern.batches,
                "period": pattern.period,
                "epochs": pattern.epochs,
                "phases": [_step_data(plan, phase) for phase in pattern.step.phases],
                "order": [_name(step) for step in pattern.step.steps],
                "remembers": [
                    {"block": name, "from": signals} for name, signals in remembered_by(plan, pattern)
                ],
            }
            for pattern in plan.patterns
        ],
    }


def _phase_data(plan: Plan, phase: Phase) -> dict[str, Any]:
    optimizer = phase.optimizer
    return {
        "name": phase.name,
        "optimizer": optimizer.type_name,
        "line": phase.span.line,
        "every": optimizer.every,
        "every_of": optimizer.every_of,
        "from_epoch": optimizer.from_epoch,
        "until_epoch": optimizer.until_epoch,
        "again": phase.again,
        "accumulate": optimizer.accumulate,
        "clip_grad_norm": optimizer.clip_grad_norm,
        "schedule": optimizer.schedule.type_name,
        "rates": {str(part): factor for part, factor in rate_parts(optimizer, plan.program.networks).items()},
        "layer_decay": optimizer.layer_decay,
        "weight_decay": optimizer.weight_decay,
        "no_decay": list(optimizer.no_decay),
        "minimise": {name: _weight_data(weight) for name, weight in phase.weights.items()},
        "networks": [
            {
                "name": name,
                "parameters": plan.program.networks[name].trainable,
                "learning_rate": str(rate) if isinstance(rate, Scheduled) else rate,
                "learning_rate_from": source,
            }
            for name, (rate, source) in _rates(plan, optimizer).items()
        ],
    }


def generation_data(graph: Graph) -> dict[str, Any]:
    """What is made without data: its blocks in order, and what a sample costs."""
    return {
        "macs": graph.macs,
        "makes": [
            {
                "signal": node.path,
                "type": node.type,
                "of": node.label if isinstance(node.block, Loop) else network_of(graph, index) or "",
                "turns": node.block.count if isinstance(node.block, Loop) else 1,
                "reads": [graph.reference(signal) for signal in node.inputs],
            }
            for index, node in enumerate(graph.nodes)
            if not node.is_input
        ],
        "given": list(graph.inputs),
    }


def _average_data(plan: Plan, average: Average) -> dict[str, Any]:
    section = average.section
    return {
        "name": average.name,
        "line": average.span.line,
        "every": section.every,
        "follows": dict(section.pairs),
        "momentum": str(section.momentum) if isinstance(section.momentum, Scheduled) else section.momentum,
        "buffers": section.buffers,
        "start_equal": section.start_equal,
        "parameters": _moved(plan, average),
    }


def _name(step: PhasePlan | Average) -> str:
    return step.name if isinstance(step, Average) else step.phase.name


def _moved(plan: Plan, average: Average) -> int:
    """How many parameters an average moves."""
    return sum(plan.program.networks[name].parameters for name in average.section.networks)


def _weight_data(weight: Weight) -> float | str:
    """A number, or what it hangs on."""
    if not isinstance(weight, Changing):
        return weight
    return f"-{weight}" if weight.is_negative else str(weight)


def _step_data(plan: Plan, step: PhasePlan) -> dict[str, Any]:
    return {
        "phase": step.phase.name,
        "computes": [
            {
                "signal": plan.model.nodes[compute.node].path,
                "type": _function(plan, compute.node),
                "network": network_of(plan.model, compute.node),
                "reads": _reads_data(plan, compute.reads),
                "history": compute.history,
                "again": list(compute.again),
                "checkpoint": _is_made_again(plan, compute),
                "without": list(plan.unread.get(network_of(plan.model, compute.node) or "", ())),
                "pass": number,
            }
            for number, group in enumerate(step.together)
            for compute in group
        ],
        "reused": _paths(plan, step.reused),
        "cut": _paths(plan, step.cuts),
        "losses": [
            {
                "name": evaluate.loss,
                "type": plan.program.losses[evaluate.loss].type_name,
                "factor": _weight_data(step.phase.weights.get(evaluate.loss, 0.0)),
                "of": list(plan.program.losses[evaluate.loss].losses),
                "parameters": plan.program.learned_by(step.phase).get(evaluate.loss, 0),
                "reads": _reads_data(plan, evaluate.reads),
                "networks": list(plan.program.losses[evaluate.loss].evaluates),
            }
            for evaluate in step.evaluates
        ],
        "passes_through": list(step.passed),
        "updates": [*step.phase.optimizer.networks, *plan.program.learned_by(step.phase)],
        "released": _paths(plan, step.released),
    }


def _reads_data(plan: Plan, reads: Iterable[Read]) -> list[dict[str, Any]]:
    return [{"signal": plan.model.reference(read.signal), "cut": read.cut} for read in reads]


def _paths(plan: Plan, nodes: Iterable[int]) -> list[str]:
    return [plan.model.nodes[index].path for index in nodes]


def _function(plan: Plan, node: int) -> str:
    """What computes a node: a network by its name, or a block by its type, also one that learns."""
    name = network_of(plan.model, node)
    if name is None:
        return plan.model.nodes[node].type
    graph = plan.program.networks[name]
    return graph.nodes[-1].type if graph.is_block else name


def _rates(plan: Plan, optimizer: Optimizer) -> dict[str, tuple[float | Scheduled, str]]:
    """The learning rate that each network of a phase starts with, and who says so."""
    rates = {}
    for name in optimizer.networks:
        own = plan.program.networks[name].options.learning_rate
        rate = next(one for one in (optimizer.learning_rate, own, optimizer.default_rate) if one is not None)
        source = "optimizer" if optimizer.learning_rate is not None else "default" if own is None else "net"
        rates[name] = rate if isinstance(rate, Scheduled) else float(rate), source
    return rates


# --- as a page


def plan_text(plan: Plan) -> str:
    """The phases as a table, then what each does on each kind of batch."""
    pages = [_Page(plan, pattern).lines() for pattern in plan.patterns]
    made = generation_lines(plan.program.generation) if plan.program.generation is not None else []
    return "\n\n".join("\n".join(lines) for lines in (_table(plan), *pages, made) if lines)


def generation_lines(graph: Graph) -> list[str]:
    """What is made without data, and what a sample costs."""
    lines, label = ["To make a sample, without gradients"], "make"
    if graph.inputs:
        lines += _labelled("given", ", ".join(graph.inputs))
    for node in graph.blocks:
        reads = ", ".join(map(graph.reference, node.inputs))
        call = node.block.template if isinstance(node.block, Loop) else node.type
        if isinstance(node.block, NetworkUse):
            call = node.block.network.name
        remark = ""
        if isinstance(node.block, Loop):
            inner = ", ".join(dict.fromkeys(used_networks(node.block.body)))
            remark = f"{node.block.count:,} times; each turn uses {inner}"
        lines.append(_remarked(f"    {label:<{INDENT - 4}}{node.path} = {call}({reads})", remark))
        label = ""
    if graph.macs:
        lines += _labelled("cost", f"{human(graph.macs)} multiply-accumulates")
    return lines


def plan_html(plan: Plan) -> str:
    """The same for a notebook: the phases as a table of its own."""
    head, *rows = _rows(plan)
    texts = ["\n".join(_below(plan)), *("\n".join(_Page(plan, pattern).lines()) for pattern in plan.patterns)]
    pages = "".join(f"<pre>{escape(text)}</pre>" for text in texts if text)
    return table(head, rows, plan.program.name) + pages


def _table(plan: Plan) -> list[str]:
    return aligned(_rows(plan), right=(3,))[:-1] + _below(plan)


def _below(plan: Plan) -> list[str]:
    """What is said of groups of parameters and of schedules, below the table of phases."""
    lines = [line for phase in plan.program.phases for line in _groups(plan, phase)]
    return lines + [f"{name}: {schedule.words()}" for name, schedule in plan.program.schedules.items()]


def _rows(plan: Plan) -> list[tuple[str, str, str, str, str, str]]:
    """The phases as a table, below a row of titles."""
    rows = [("phase", "runs on", "trains", "parameters", "optimizer", "learning rate")]
    for phase in plan.program.steps:
        if isinstance(phase, Average):
            rows.append(_average_row(plan, phase))
            continue
        optimizer = phase.optimizer
        learned = plan.program.learned_by(phase)
        trained = sum(plan.program.networks[name].trainable for name in optimizer.networks)
        trained += sum(learned.values())
        names, when = ", ".join([*optimizer.networks, *learned]), runs_on(optimizer)
        by = _optimizer(optimizer) if phase.again is None else f"that of {phase.again}, again"
        rows.append((phase.name, when, names, f"{trained:,}", by, _learning_rate(plan, optimizer)))
    return rows


def _groups(plan: Plan, phase: Phase) -> Iterator[str]:
    """What of a phase steps or decays in a way of its own, a line each."""
    optimizer, networks = phase.optimizer, plan.program.networks
    learned = plan.program.learned_by(phase)
    rates = [f"{part} × {factor:g}" for part, factor in rate_parts(optimizer, networks, learned).items()]
    if rates:
        yield f"{phase.name}: rates of parts: {', '.join(rates)}"
    if optimizer.layer_decay != 1:
        layers = {name: max(layers_of(networks[name]).values(), default=0) for name in optimizer.networks}
        told = [f"{name} has {last + 1}" for name, last in layers.items()]
        first = min(optimizer.layer_decay**last for last in layers.values())
        yield (
            f"{phase.name}: each layer's rate × {optimizer.layer_decay:g} for the layer before it; "
            f"{', '.join(told)}, the first × {first:.2g}"
        )
    if optimizer.no_decay:
        spared = ", ".join(optimizer.no_decay)
        yield f"{phase.name}: weight decay {number_text(optimizer.weight_decay)}, but none of {spared}"


def _average_row(plan: Plan, average: Average) -> tuple[str, str, str, str, str, str]:
    section = average.section
    names, moved = ", ".join(section.networks), f"{_moved(plan, average):,}"
    return (
        average.name,
        every(section.every),
        names,
        moved,
        "moving average",
        f"momentum {number_text(section.momentum)}",
    )


def every(period: int) -> str:
    """`every batch`, `every 5th batch`."""
    return "every batch" if period == 1 else f"every {ordinal(period)} batch"


def runs_on(optimizer: Optimizer) -> str:
    """`every 5th batch of the run, from epoch 3`."""
    words = every(optimizer.every) + (" of the run" if optimizer.every_of == "run" else "")
    if optimizer.from_epoch > 1:
        words += f", from epoch {optimizer.from_epoch}"
    return words + (f", until epoch {optimizer.until_epoch}" if optimizer.until_epoch else "")


def _optimizer(optimizer: Optimizer) -> str:
    """Its type, and what makes its updates special."""
    text = optimizer.type_name
    if optimizer.accumulate > 1:
        text += f", mean of {optimizer.accumulate}"
    if optimizer.clip_grad_norm is not None:
        text += f", norm ≤ {optimizer.clip_grad_norm:g}"
    return text


def _learning_rate(plan: Plan, optimizer: Optimizer) -> str:
    """Where the learning rates start: one where all agree, else each with its network."""
    rates = {
        name: f"{number_text(rate)} ({RATE_SOURCES.get(source, f'[{optimizer.type_name}]')})"
        for name, (rate, source) in _rates(plan, optimizer).items()
    }
    agree = len(set(rates.values())) == 1
    text = next(iter(rates.values())) if agree else ", ".join(f"{name} {rates[name]}" for name in rates)
    schedule = optimizer.schedule.type_name
    return text if schedule == "constant" else f"{text}, {schedule}"


def _rest(momentum: float | Scheduled) -> str:
    return f"(1 - {momentum})" if isinstance(momentum, Scheduled) else f"{1 - momentum:g}"


def _when(pattern: Pattern) -> str:
    batches = (
        every(pattern.period)
        if pattern.batches == 1 and pattern.is_last
        else f"{pattern.batches} of {pattern.period} batches"
    )
    return f"On {batches}{_epochs(pattern.epochs)}"


def _epochs(epochs: tuple[int, int | None] | None) -> str:
    """`, from epoch 3 on`, `, in epochs 1 to 2`, `, in epoch 1`."""
    if epochs is None:
        return ""
    first, last = epochs
    if last is None:
        return f", from epoch {first} on"
    return f", in epoch {first}" if first == last else f", in epochs {first} to {last}"


@dataclass(slots=True)
class _Page:
    """The lines of one kind of batch. `keeper`: the phase that each node computed so far keeps its history for."""

    plan: Plan
    pattern: Pattern
    keeper: dict[int, str | None] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """All phases, in order."""
        lines = [_when(self.pattern)]
        for step in self.pattern.step.steps:
            if isinstance(step, Average):
                lines += average_lines(self.plan, step)
                continue
            again = f", a further step of {step.phase.again}" if step.phase.again else ""
            lines.append(f"  {step.phase.name}: trains {', '.join(self._trained(step.phase))}{again}")
            lines += self._phase(step)
        remembered = "; ".join(map(_written, remembered_by(self.plan, self.pattern)))
        if remembered:
            lines += ["  after the step", *_labelled("remember", remembered)]
        return lines

    def _trained(self, phase: Phase) -> list[str]:
        """Networks, and losses that learn."""
        losses = [f"{name} (loss)" for name in self.plan.program.learned_by(phase)]
        return [*phase.optimizer.networks, *losses]

    def _phase(self, step: PhasePlan) -> Iterator[str]:
        self.keeper |= {compute.node: compute.history for compute in step.computes}
        yield from _labelled("reuse", ", ".join(_paths(self.plan, step.reused)))
        for label, text, remark in self._computes(step):
            yield _remarked(f"    {label:<{INDENT - 4}}{text}", remark)
        yield from _labelled("cut", "; ".join(self._cuts(step)))
        yield from _labelled("minimise", _sum(step.phase))
        for name in step.phase.weights:
            if of := self.plan.program.losses[name].losses:
                yield from _labelled("", f"{name} of {', '.join(of)}")
        yield from _labelled("through", _passed(step))

    def _computes(self, step: PhasePlan) -> Iterator[tuple[str, str, str]]:
        """A line for each network; blocks without parameters that stand together share one."""
        label = "compute"
        for (_, remark), group in groupby(
            _in_order(step), lambda one: self._kind(one[0], one[1], step.phase.name)
        ):
            for line in _packed(self._formulas([compute for compute, _ in group])):
                yield label, line, remark
                label = ""

    def _kind(self, compute: Compute, is_joined: bool, phase: str) -> tuple[int, str]:
        """What may share a line: a number for each network, 0 for all other blocks; and the remark."""
        alone = compute.node if network_of(self.plan.model, compute.node) else 0
        remarks = [
            _remark(compute, phase),
            _unread(self.plan, compute),
            "same pass" if is_joined else "",
            "again for its gradients" if _is_made_again(self.plan, compute) else "",
        ]
        return alone, ", ".join(filter(None, remarks))

    def _formulas(self, computes: list[Compute]) -> list[str]:
        """A text for each; the blocks of one use of a template are told as that use."""
        texts: list[str] = []
        for use, group in groupby(computes, lambda one: use_of(self.plan.model, one.node)):
            inside = list(group)
            if use is None or len(inside) == 1:
                texts += [self._formula(compute) for compute in inside]
                continue
            within = {compute.node for compute in inside}
            reads = [read for one in inside for read in one.reads if read.signal.producer not in within]
            texts.append(f"{use.path} = {use.template}({', '.join(dict.fromkeys(map(self._read, reads)))})")
        return texts

    def _formula(self, compute: Compute) -> str:
        node = self.plan.model.nodes[compute.node]
        changing = [f"{key} = {name}" for key, name in scheduled_in(node.block)]
        reads = ", ".join([*map(self._read, compute.reads), *changing])
        return f"{node.path} = {_function(self.plan, compute.node)}({reads})"

    def _read(self, read: Read) -> str:
        name = called(self.plan.model, read.signal)
        return f"detach({name})" if read.cut else name

    def _cuts(self, step: PhasePlan) -> Iterator[str]:
        """The signals that are read without their history, by the phase that it is kept for."""
        for keeper in dict.fromkeys(map(self.keeper.__getitem__, step.cuts)):
            cuts = [node for node in step.cuts if self.keeper[node] == keeper]
            yield f"{', '.join(_paths(self.plan, cuts))} (gradients are kept for {keeper})"


def remembered_by(plan: Plan, pattern: Pattern) -> list[tuple[str, list[str]]]:
    """What is written after batches of this kind, and in {Model} from which signals."""
    found: dict[str, list[str]] = {}
    for compute in (compute for step in pattern.step.phases for compute in step.computes):
        node = plan.model.nodes[compute.node]
        if node.block.has_state:
            found[node.path] = [plan.model.reference(signal) for signal in node.inputs]
        name = network_of(plan.model, compute.node)
        for inner in plan.program.networks[name].nodes if name else ():
            if inner.block.has_state:
                found.setdefault(f"{name}.{inner.path}", [])
    return list(found.items())


def _written(row: tuple[str, list[str]]) -> str:
    name, signals = row
    return f"{name} <- {', '.join(signals)}" if signals else name


def use_of(model: Graph, index: int) -> Scope | None:
    """The outermost use of a template that a block stands in; None for a network, which has a line of its own."""
    node = model.nodes[index]
    return node.scopes[0] if node.scopes and network_of(model, index) is None else None


def called(model: Graph, signal: Signal) -> str:
    """A signal as a reader would name it: what a template's use gives by the name of the use."""
    path = model.reference(signal)
    if not model.nodes[signal.producer].scopes:
        return path
    return next(
        (name for name, one in model.named.items() if one == signal and path.startswith(f"{name}.")), path
    )


def average_lines(plan: Plan, average: Average) -> Iterator[str]:
    """What follows what, and how."""
    section = average.section
    yield f"  {average.name}: {', '.join(f'{name} follows {of}' for name, of in section.pairs)}"
    for name, of in section.pairs:
        yield from _labelled(
            "average", f"{name} = {number_text(section.momentum)} * {name} + {_rest(section.momentum)} * {of}"
        )
    waits = [
        phase
        for phase in plan.program.phases
        if phase.optimizer.accumulate > 1 and set(phase.optimizer.networks) & set(section.of)
    ]
    remarks = [
        {"copy": "buffers are copied", "average": "buffers are averaged, too", "own": "buffers are its own"}[
            section.buffers
        ],
        "equal at the start" if section.start_equal else "",
        f"waits for the updates of {' and '.join(phase.name for phase in waits)}" if waits else "",
    ]
    yield from _labelled("with", ", ".join(filter(None, remarks)))


def _unread(plan: Plan, compute: Compute) -> str:
    """Which of a network's outputs are not computed."""
    outputs = plan.unread.get(network_of(plan.model, compute.node) or "", ())
    return f"without {', '.join(outputs)}, which nothing reads" if outputs else ""


def _in_order(step: PhasePlan) -> Iterator[tuple[Compute, bool]]:
    """The computes as they run, and whether one shares the forward pass of the one before."""
    for group in step.together:
        for index, compute in enumerate(group):
            yield compute, index > 0


def _remark(compute: Compute, phase: str) -> str:
    if compute.again:
        stepped = " and ".join(compute.again)
        return f"again: {stepped} {'has' if len(compute.again) == 1 else 'have'} stepped"
    if compute.history is None:
        return "no gradients"
    return "" if compute.history == phase else f"gradients for {compute.history}"


def _is_made_again(plan: Plan, compute: Compute) -> bool:
    """Whether the backward pass computes (parts of) a network once more, which keeps less that way."""
    name = network_of(plan.model, compute.node)
    return compute.history is not None and name is not None and makes_again(plan.program.networks[name])


def _passed(step: PhasePlan) -> str:
    """The networks that the gradients pass without changing them."""
    return f"{', '.join(step.passed)} (stay as they are)" if step.passed else ""


def _sum(phase: Phase) -> str:
    """`a - b + 10 * c`."""
    text = ""
    for name, factor in phase.weights.items():
        is_negative, size = times_text(factor)
        term = f"{size} * {name}" if size else name
        sign = "-" if is_negative else "+"
        text += f" {sign} {term}" if text else f"-{term}" if is_negative else term
    return text


def _labelled(label: str, text: str) -> Iterator[str]:
    """A label and its text, on as many lines as it needs; nothing where there is no text."""
    for line in textwrap.wrap(text, WIDTH - INDENT):
        yield f"    {label:<{INDENT - 4}}{line}"
        label = ""


def _packed(formulas: list[str]) -> list[str]:
    """Formulas on as few lines as leave room for a remark; none is broken."""
    lines: list[str] = []
    for formula in formulas:
        if lines and len(lines[-1]) + len(formula) + 4 <= REMARKS - INDENT:
            lines[-1] += f"; {formula}"
        else:
            lines.append(formula)
    return lines


def _remarked(line: str, remark: str) -> str:
    return f"{line:<{REMARKS - 2}}  {remark}" if remark else line
