"""Pass: the phases of a program become the plan of its training step.

On a batch, some phases run, in file order. For these the plan says what is computed when, and with what memory of
how it came about ("history", autograd's graph):

- a phase computes what its losses need and what is not there yet;
- a value that an earlier phase has left is used again, unless a network it depends on has stepped since;
- history is kept only between a loss and the networks its phase trains. A value that a later phase will train
  through is computed once, with history for that phase, and read by the others without ("cut");
- a network keeps history of its own parameters only for the phase that trains it; in others it is frozen.

Each value has history for at most one phase: after a phase that trains through a value, the value is out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, zip_longest
from math import lcm

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.model import NetworkUse
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.moving_average import MovingAverage
from netcfg.graph import Graph, Signal
from netcfg.passes.gradients import between, gradients_of
from netcfg.passes.joint import together
from netcfg.passes.reach import Reach, key, reach
from netcfg.passes.unread import unread_outputs
from netcfg.program import Average, Phase, Program, Step
from netcfg.shapes import known
from netcfg.source import Finding, ProgramError

MAX_INTERVALS = 10  # of different `every`: so many make up to a thousand kinds of batches


@dataclass(frozen=True, slots=True)
class Read:
    """A signal that is read; `cut`: without its history."""

    signal: Signal
    cut: bool


@dataclass(frozen=True, slots=True)
class Compute:
    """A node of the model is computed.

    `history` names the phase that will train through it (None: no history is kept). Where an earlier phase of the
    same batch had computed it, `again` names the networks it depends on that have stepped since.
    """

    node: int
    reads: tuple[Read, ...]
    history: str | None
    again: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A loss is computed from its signals."""

    loss: str
    reads: tuple[Read, ...]


def all_reads(computes: Iterable[Compute], evaluates: Iterable[Evaluate]) -> list[Read]:
    """All that is read by these."""
    return [read for compute in computes for read in compute.reads] + [
        read for evaluate in evaluates for read in evaluate.reads
    ]


@dataclass(frozen=True)
class PhasePlan:
    """What one phase does on a batch: computes, evaluates its losses, updates its networks, forgets.

    `reused`: nodes that an earlier phase has computed; `released`: nodes that nothing later reads; `passed`: the
    networks that gradients pass on their way to those that the phase trains; `together`: the computes as they run,
    in order, where one pass of a network serves several (see `joint`).
    """

    phase: Phase
    computes: tuple[Compute, ...]
    evaluates: tuple[Evaluate, ...]
    reused: tuple[int, ...]
    released: tuple[int, ...]
    passed: tuple[str, ...]
    together: tuple[tuple[Compute, ...], ...]

    @property
    def cuts(self) -> tuple[int, ...]:
        """The nodes whose values are read without the history they have."""
        reads = all_reads(self.computes, self.evaluates)
        return tuple(sorted({read.signal.producer for read in reads if read.cut}))


@dataclass(frozen=True)
class StepPlan:
    """What runs on a batch, in order: phases, and averages of networks, which compute no signal."""

    steps: tuple[PhasePlan | Average, ...]

    @property
    def phases(self) -> tuple[PhasePlan, ...]:
        """The phases alone."""
        return tuple(step for step in self.steps if isinstance(step, PhasePlan))


@dataclass(frozen=True)
class Pattern:
    """A set of phases that run on the same batches: `batches` of every `period`."""

    step: StepPlan
    batches: int
    period: int
    epochs: tuple[int, int | None] | None = None
    """The first and the last epoch (None: of all) where others have other phases; None where all are alike."""
    is_last: bool = True
    """Whether the last batch of each period is one of them."""


@dataclass(frozen=True, repr=False)
class Plan:
    """The plan of a program's training step; `model` is what the node numbers mean."""

    program: Program
    model: Graph
    reach: Reach
    _steps: dict[tuple[int, ...], StepPlan] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<the training step of {self.program.name}>"

    def __str__(self) -> str:
        """The page that `netcfg plan` prints."""
        from netcfg.plan_text import plan_text

        return plan_text(self)

    def _repr_html_(self) -> str:
        """The same, with the phases as a table, which notebooks show."""
        from netcfg.plan_text import plan_html

        return plan_html(self)

    @cached_property
    def unread(self) -> dict[str, tuple[str, ...]]:
        """By network the outputs that are not computed, as nothing reads them."""
        return unread_outputs(self.program)

    def running(self, batch: int, epoch: int | None = None, step: int | None = None) -> tuple[int, ...]:
        """The numbers, among the program's steps, of those that run on a batch of an epoch, counted from 0.

        `epoch`, from 1, leaves out those that run in others; `step` is how many batches the run has seen before.
        """
        return tuple(
            number
            for number, one in enumerate(self.program.steps)
            if section_of(one).runs_on(batch, epoch, step)
        )

    def step(self, running: tuple[int, ...]) -> StepPlan:
        """The plan for a batch on which these steps run."""
        # The same ones meet on batch after batch.
        if running not in self._steps:
            steps = [self.program.steps[number] for number in running]
            self._steps[running] = _Planner(self.program, self.model, self.reach, steps).step()
        return self._steps[running]

    @cached_property
    def patterns(self) -> tuple[Pattern, ...]:
        """The kinds of batches there are, the most frequent first; batches without any phase are left out.

        Raises `ProgramError` (NC404) where there are far too many.
        """
        starts = {1}
        for one in self.program.phases:
            starts |= {one.optimizer.from_epoch, (one.optimizer.until_epoch or 0) + 1}
        first = sorted(starts)
        found = []
        for start, after in zip_longest(first, first[1:]):
            stretch = None if len(first) == 1 else (start, after - 1 if after else None)
            found += self._patterns(start, stretch)
        return tuple(found)

    def _patterns(self, epoch: int, stretch: tuple[int, int | None] | None) -> list[Pattern]:
        """Those of an epoch."""
        steps = self.program.steps
        there = [number for number, step in enumerate(steps) if section_of(step).runs_in(epoch)]
        intervals = sorted({section_of(steps[number]).every for number in there})
        if len(intervals) > MAX_INTERVALS:
            message = f"the phases run at {len(intervals)} different intervals; at most {MAX_INTERVALS} can be listed"
            raise ProgramError([Finding("NC404", message, steps[-1].span, help="let some agree in `every`")])
        found = []
        for count, chosen in _coincidences(intervals):
            running = tuple(number for number in there if section_of(steps[number]).every in chosen)
            found.append((count, running, set(chosen) == set(intervals)))
        found.sort(key=lambda item: (-item[0], len(item[1])))
        return [
            Pattern(self.step(running), count, lcm(*intervals), stretch, is_last)
            for count, running, is_last in found
        ]


def section_of(step: Step) -> Optimizer | MovingAverage:
    """What is written of a step."""
    return step.optimizer if isinstance(step, Phase) else step.section


def _coincidences(intervals: Sequence[int]) -> Iterator[tuple[int, frozenset[int]]]:
    """On how many batches of a period just these intervals end, for every set of them that there is."""
    # By inclusion and exclusion rather than by walking a period: `every` of 7, 11, 13 and 17 alone make one of 17,017.
    period = lcm(*intervals)
    for size in range(1, len(intervals) + 1):
        for chosen in combinations(intervals, size):
            others = [interval for interval in intervals if interval not in chosen]
            count = _multiples(period, lcm(*chosen), others)
            if count:
                yield count, frozenset(chosen)


def _multiples(period: int, of: int, others: Sequence[int]) -> int:
    """The multiples of a number up to `period` that are multiples of none of the others."""
    if not others:
        return period // of
    # Then each of its multiples is one of the other.
    if of % others[0] == 0:
        return 0
    return _multiples(period, of, others[1:]) - _multiples(period, lcm(of, others[0]), others[1:])


def plan(program: Program) -> Plan:
    """The plan of a checked program that has a model and phases."""
    assert program.model is not None
    return Plan(program, program.model, reach(program.model, program.signals))


def history_path(program: Program, model: Graph, reach: Reach, phase: Phase) -> frozenset[int]:
    """The nodes between a phase's losses and its networks: those that need history."""
    return trained_through(program.losses, model, reach, phase)


def trained_through(known: Mapping[str, Loss], model: Graph, reach: Reach, phase: Phase) -> frozenset[int]:
    """The same of losses by name, before there is a program."""
    trained = frozenset(phase.optimizer.networks)
    losses = [known[name] for name in phase.losses]
    waiting = [signal for loss in losses if not loss.stops_gradient for signal in reach.reads(loss)]
    path: set[int] = set()
    while waiting:
        signal = waiting.pop()
        if signal.producer not in path and reach.gradient[key(signal)] & trained:
            path.add(signal.producer)
            waiting += model.nodes[signal.producer].inputs
    return frozenset(path) | _differentiated(losses, model, reach)


def _differentiated(losses: Iterable[Loss], model: Graph, reach: Reach) -> frozenset[int]:
    """What lies between the two signals of each gradient that these losses need: it takes history, whoever trains."""
    found = gradients_of(model)
    if not found:
        return frozenset()
    needed = needed_by(losses, model, reach)
    return frozenset().union(*(between(model, index) for index in found if index in needed))


def needed_by(losses: Iterable[Loss], model: Graph, reach: Reach) -> set[int]:
    """All nodes that losses hang on."""
    needed: set[int] = set()
    waiting = [signal.producer for loss in losses for signal in reach.reads(loss)]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting += [signal.producer for signal in model.nodes[index].inputs]
    return needed


def check_planned(program: Program, wanted: str = "plan") -> None:
    """Refuse (NC403) a program that has no training step to `plan`, or to do something else with."""
    if program.phases and program.model is not None:
        return
    lacks = [
        text
        for text, missing in (
            ("{Data} with a source", program.data is None),
            ("{Loss} with what to make small", not program.losses),
            ("{Optimizer} with an [adam]", not program.phases),
            ("{Model} that connects its networks", program.data is not None and program.model is None),
        )
        if missing
    ]
    message = f"{program.name} trains nothing, so there is no step to {wanted}"
    raise ProgramError([Finding("NC403", message, help=f"add a group {', and one '.join(lacks)}")])


class _Planner:
    """Plays the steps of one batch through, and writes down what has to happen."""

    def __init__(self, program: Program, model: Graph, reach: Reach, steps: Sequence[Step]) -> None:
        self.program = program
        self.model = model
        self.reach = reach
        self.steps = steps
        self.trained = [frozenset(section_of(step).networks) for step in steps]
        """The networks that each changes."""
        self.path: list[frozenset[int]] = [
            history_path(program, model, reach, step) if isinstance(step, Phase) else frozenset()
            for step in steps
        ]
        self.values: dict[int, str | None] = {}
        """For each node whose value is up to date: the phase it keeps history for."""
        self.redrawn = redrawn(model)
        self.once = frozenset(index for index, node in enumerate(model.nodes) if node.once)
        """The nodes whose first value in a batch stays, whatever steps."""
        self.feeds = _below(model, self.once) if self.once else {index: () for index in self.redrawn}
        """For each node those of them that hang on it."""
        self.stepped: dict[int, frozenset[str]] = {}
        """For each node that was computed: the networks it depends on that have stepped since."""

    def step(self) -> StepPlan:
        """The plan of all steps."""
        plans = [
            self._phase(number, step) if isinstance(step, Phase) else self._average(number, step)
            for number, step in enumerate(self.steps)
        ]
        phases = _with_releases([plan for plan in plans if isinstance(plan, PhasePlan)], self.model)
        return StepPlan(tuple(next(phases) if isinstance(plan, PhasePlan) else plan for plan in plans))

    def _average(self, number: int, average: Average) -> Average:
        """It computes no signal, and makes those stale that hang on the networks it changes."""
        self._forget(number)
        return average

    # --- one phase

    def _phase(self, number: int, phase: Phase) -> PhasePlan:
        needed = self._needed(number, phase)
        # In the order of the model, where each block reads only earlier ones.
        computes = [self._compute(index, number) for index in sorted(needed)]
        computed = {compute.node for compute in computes}
        evaluates = tuple(self._evaluate(name, phase.name) for name in phase.losses)
        read = {read.signal.producer for read in all_reads(computes, evaluates)}
        reused = tuple(sorted(index for index in read - computed if not self.model.nodes[index].is_input))
        self._forget(number)
        joined = together(computes, self.model)
        return PhasePlan(phase, tuple(computes), evaluates, reused, (), self._passed(number), joined)

    def _passed(self, number: int) -> tuple[str, ...]:
        """The networks between the losses of a phase and what it trains."""
        used = {network_of(self.model, index) for index in self.path[number]} - self.trained[number]
        return tuple(name for name in self.program.networks if name in used)

    def _needed(self, number: int, phase: Phase) -> set[int]:
        """What the losses of a phase need and is not there in a fit state."""
        needed: set[int] = set()
        waiting = [
            signal.producer for name in phase.losses for signal in self.reach.reads(self.program.losses[name])
        ]
        while waiting:
            index = waiting.pop()
            if index in needed or self._is_there(index, number):
                continue
            needed.add(index)
            waiting += [signal.producer for signal in self.model.nodes[index].inputs]
        return needed

    def _is_there(self, index: int, number: int) -> bool:
        """Whether a phase can use the value of a node as it is."""
        if self.model.nodes[index].is_input:
            return True
        if index not in self.values:
            return False
        if index in self.once:
            return True
        # Up to date is not enough where the phase trains through it: the history kept must be for this very phase.
        # Another phase's backward pass has freed its own.
        return index not in self.path[number] or self.values[index] == self.steps[number].name

    def _compute(self, index: int, number: int) -> Compute:
        history = self._history(index, number)
        again = tuple(sorted(self.stepped.get(index, ())))
        reads = tuple(self._read(signal, history) for signal in self.model.nodes[index].inputs)
        self.values[index] = history
        self.stepped[index] = frozenset()
        return Compute(index, reads, history, again)

    def _history(self, index: int, number: int) -> str | None:
        """The phase that will train through a value that is computed now, while it is still up to date."""
        # The next phase draws another value: history can serve this one alone, or what is made of it once.
        if index in self.redrawn:
            if index in self.path[number]:
                return self.steps[number].name
            served = (self._history(one, number) for one in self.feeds[index] if one not in self.values)
            return next((phase for phase in served if phase is not None and self._trains(phase, index)), None)
        stepped: frozenset[str] = frozenset()
        for later in range(number, len(self.steps)):
            # By then the value will be out of date and is computed again anyway: history for that phase would be
            # memory for nothing.
            if stepped & self.reach.depends[index]:
                return None
            if index in self.path[later]:
                return self.steps[later].name
            stepped |= self.trained[later]
        return None

    def _trains(self, phase: str, index: int) -> bool:
        """Whether that phase trains through a node."""
        return any(
            step.name == phase and index in path for step, path in zip(self.steps, self.path, strict=True)
        )

    def _read(self, signal: Signal, history: str | None) -> Read:
        """Without history, a reader keeps none itself: only one that does has to cut what is not its own."""
        kept = self.values.get(signal.producer)
        # Uncut, the backward pass would run on into a graph that belongs to another phase, and may have been freed.
        return Read(signal, history is not None and kept is not None and kept != history)

    def _evaluate(self, name: str, phase: str) -> Evaluate:
        loss = self.program.losses[name]
        reads = tuple(self._read(self.program.signals[read], phase) for read in loss.reads.values())
        return Evaluate(name, reads)

    def _forget(self, number: int) -> None:
        """A phase has stepped: what depends on its networks is out of date."""
        for index, before in self.stepped.items():
            # A value is as old as the oldest weights in it: all that hangs on the phase's networks has to be computed
            # again, though the inputs are the same.
            stepped = self.reach.depends[index] & self.trained[number]
            if stepped:
                self.stepped[index] = before | stepped
            if (stepped or index in self.redrawn) and index not in self.once:
                self.values.pop(index, None)


def _with_releases(plans: list[PhasePlan], model: Graph) -> Iterator[PhasePlan]:
    """Let every phase forget what no later one reads."""
    # From the last phase back: what a phase may let go of is what none after it reads before making it anew.
    kept: set[int] = set()
    releases: list[tuple[int, ...]] = []
    for plan in reversed(plans):
        made = {compute.node for compute in plan.computes}
        read = {read.signal.producer for read in all_reads(plan.computes, plan.evaluates)}
        here = {index for index in made | read if not model.nodes[index].is_input}
        releases.append(tuple(sorted(here - kept)))
        # What this phase makes anew it does not need from before, so that an earlier one may forget its own.
        kept = (kept | here) - made
    for plan, released in zip(plans, reversed(releases), strict=True):
        yield replace(plan, released=released)


def redrawn(model: Graph) -> frozenset[int]:
    """The nodes that chance gives another value in each phase: those that draw for it, and what hangs on them."""
    found: set[int] = set()
    for index, node in enumerate(model.nodes):
        inside = node.block.network.nodes if isinstance(node.block, NetworkUse) else (node,)
        draws = any(one.block.draws_each_phase() for one in inside)
        if (draws or any(signal.producer in found for signal in node.inputs)) and not node.once:
            found.add(index)
    return frozenset(found)


def _below(model: Graph, nodes: frozenset[int]) -> dict[int, tuple[int, ...]]:
    """For each node of a model those of `nodes` that hang on it."""
    found: dict[int, dict[int, None]] = {index: {} for index in range(len(model.nodes))}
    for index in reversed(range(len(model.nodes))):
        here = {index: None} if index in nodes else found[index]
        for signal in model.nodes[index].inputs:
            found[signal.producer] |= here
    return {index: tuple(below) for index, below in found.items()}


def network_of(model: Graph, index: int) -> str | None:
    """The network that a node of a model uses; None for other blocks."""
    block = model.nodes[index].block
    return block.network.name if isinstance(block, NetworkUse) else None


def counted_alike(program: Program, phase: Phase) -> list[list[str]]:
    """The losses of a phase in groups of which each counts, batch by batch, in the same proportion; of losses that
    read losses, these.

    One group where nothing is accumulated: nothing has to be weighed against later batches then.
    """
    if phase.optimizer.accumulate == 1:
        return [list(phase.weights)]
    groups: dict[tuple[object, ...], list[str]] = {}
    for name in phase.losses:
        loss = program.losses[name]
        if loss.losses:
            continue
        sizes = [program.signals[read].shape for read in loss.reads.values()]
        by = loss.counts_by() or (() if all(map(known, sizes)) else ("sizes", *loss.reads.values()))
        if name in program.loss_sources:
            by = ("sources", *sorted(program.loss_sources[name]), *by)
        groups.setdefault(by, []).append(name)
    return list(groups.values())
