"""The planned step against one that saves nothing: every phase computes every signal anew, with its whole graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import netcfg
from netcfg.passes.plan import Plan, network_of, plan
from netcfg.passes.reach import reach
from netcfg.program import Phase, Program
from netcfg.trainers.step.model import Model, Value, read
from netcfg.trainers.step.phases import Phases

CPU = torch.device("cpu")
BATCHES = 4
RATE = 0.05
FAST = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
)
SEEDS = st.integers(0, 10**6)  # of a generator without Hypothesis' love of small things: those have one phase
DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\n"
NETWORK = """{{{name}}}
[net]
channels = 3
height = 16
width = 16
[convolutional]
filters = 3
kernel_size = 3
pad = 1
stride = 1
batch_normalise = {norm}
activation = {activation}
[convolutional]
filters = 3
kernel_size = 1
stride = 1
activation = linear
"""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """For networks this small, threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Sketch:
    """A program without its optimizers: what networks there are, how they are wired, the losses."""

    text: str
    networks: tuple[str, ...]
    losses: tuple[str, ...]


OTHERS = ("detach", "shuffle_batch", "combine_add")


def sketch(random: Random, norm: int) -> Sketch:
    """Networks that all map an image to an image, so that any signal may feed any of them."""
    names = tuple("ABCD"[: random.randint(2, 4)])
    text = DATA
    for name in names:
        activation = random.choice(["tanh", "leaky_relu", "sigmoid"])
        text += NETWORK.format(name=name, norm=norm, activation=activation)
    text += "{Model}\n"
    signals = ["image"]
    blocks = [*names, *random.choices(OTHERS + 2 * names, k=random.randint(1, 5))]
    random.shuffle(blocks)
    for number, block in enumerate(blocks):
        first, second = (random.choice(signals[-4:]) for _ in range(2))
        text += f"[{block}]\nname = s{number}\n"
        text += f"combine_layers = {first}, {second}\n" if block == "combine_add" else f"from = {first}\n"
        text += "mode = shift\n" if block == "shuffle_batch" else ""
        signals.append(f"s{number}")
    losses = "".join(_loss(random, number, signals, names) for number in range(6))
    return Sketch(text + "{Loss}\n" + losses, names, tuple(f"l{number}" for number in range(6)))


def _loss(random: Random, number: int, signals: list[str], networks: tuple[str, ...]) -> str:
    kind = random.choice(["mean", "mse", "l1", "gradient_penalty"])
    one, other = random.choice(signals), random.choice(signals)
    text = f"[{kind}]\nname = l{number}\n"
    if kind == "mean":
        return text + f"input = {one}\n"
    if kind == "gradient_penalty":
        return text + f"network = {random.choice(networks)}\nreal = {one}\nfake = {other}\n"
    return text + f"input = {one}\ntarget = {other}\n"


def program(seed: int, norm: int = 0) -> Program:
    """A sketch and up to three phases, each with some networks of its own and losses that reach them."""
    random = Random(seed)
    drawn = sketch(random, norm)
    program = netcfg.load(drawn.text)
    assert program.model is not None
    reached = reach(program.model, program.signals)
    free = random.sample(drawn.networks, len(drawn.networks))
    text = "{Optimizer}\n"
    for number in range(random.randint(2, 3)):
        wanted = {free.pop() for _ in range(min(len(free), random.randint(1, 2)))}
        able = [name for name in drawn.losses if reached.trains(program.losses[name]) & wanted]
        if not able:
            continue
        chosen = random.sample(able, min(len(able), random.randint(1, 3)))
        trained = wanted & frozenset().union(*(reached.trains(program.losses[name]) for name in chosen))
        terms = " + ".join(f"{random.choice([-0.5, 1, 3])} * {loss}" for loss in chosen)
        text += f"[sgd]\nname = p{number}\nnetworks = {', '.join(sorted(trained))}\nminimise = {terms}\n"
        text += f"every = {random.choice([1, 1, 2, 3])}\nlearning_rate = {RATE}\n"
    assume("[sgd]" in text)
    return netcfg.load(drawn.text + text)


def images(batch: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return {"image": torch.randn(3, 3, 16, 16, dtype=torch.float64, generator=generator)}


def built(program: Program) -> nn.ModuleDict:
    torch.manual_seed(0)
    return netcfg.build(program).double()


def planned(program: Program, networks: nn.ModuleDict) -> list[dict[str, float]]:
    """The losses of some batches, by the plan."""
    phases = Phases(program, networks, CPU)
    torch.manual_seed(1)
    return [
        {name: value.item() for name, value in phases.step(images(batch), batch).items()}
        for batch in range(BATCHES)
    ]


def naive(program: Program, networks: nn.ModuleDict) -> list[dict[str, float]]:
    """The same by a reader of the file: for each phase all signals, all losses, the gradient, a step."""
    model = Model(program, networks)
    torch.manual_seed(1)
    return [_naive_batch(program, model, batch) for batch in range(BATCHES)]


def _naive_batch(program: Program, model: Model, batch: int) -> dict[str, float]:
    reported: dict[str, float] = {}
    for phase in program.phases:
        if (batch + 1) % phase.optimizer.every:
            continue
        losses = _losses(program, model, phase, images(batch))
        total = sum(losses[name] * factor for name, factor in phase.weights.items())
        assert isinstance(total, Tensor)
        weights = [
            weight for name in phase.optimizer.networks for weight in model.networks[name].parameters()
        ]
        gradients = torch.autograd.grad(total, weights, allow_unused=True)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= 0 if gradient is None else RATE * gradient
        alone = Counter(name for other in program.phases for name in other.weights)
        for name, value in losses.items():
            reported[name if alone[name] == 1 else f"{phase.name}.{name}"] = value.item()
        reported["loss" if len(program.phases) == 1 else f"{phase.name}.loss"] = total.item()
    return reported


def _losses(program: Program, model: Model, phase: Phase, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
    values: list[Value | None] = model.fill(fields)
    for index, node in enumerate(model.graph.nodes):
        call = model.calls[index]
        if call is not None:
            values[index] = call(*(read(values, signal) for signal in node.inputs))
    return {
        name: loss.lower()(
            *(model.networks[network] for network in loss.evaluates),
            *(read(values, program.signals[signal]) for signal in loss.reads.values()),
        )
        for name in phase.weights
        for loss in [program.losses[name]]
    }


@FAST
@given(SEEDS)
def test_the_planned_step_is_the_naive_one(seed: int) -> None:
    drawn = program(seed)
    ours, theirs = built(drawn), built(drawn)
    for one, other in zip(planned(drawn, ours), naive(drawn, theirs), strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9, msg=name)


@FAST
@given(SEEDS)
def test_statistics_move_once_for_each_planned_forward(seed: int) -> None:
    drawn = program(seed, norm=1)
    networks = built(drawn)
    planned(drawn, networks)
    expected = planned_forwards(plan(drawn))
    for name, network in networks.items():
        counts = [int(value) for key, value in network.state_dict().items() if key.endswith("tracked")]
        assert counts == [expected[name]]


def planned_forwards(plan: Plan) -> Counter[str | None]:
    """How often each network is computed on the batches: as a node, and by losses that evaluate it."""
    forwards: Counter[str | None] = Counter()
    for batch in range(BATCHES):
        for step in plan.step(plan.running(batch)).phases:
            forwards.update(network_of(plan.model, compute.node) for compute in step.computes)
            for name in step.phase.weights:
                forwards.update(plan.program.losses[name].evaluates)
    return forwards


@FAST
@given(SEEDS)
def test_what_is_released_is_never_read_again(seed: int) -> None:
    planned_steps = plan(program(seed))
    for pattern in planned_steps.patterns:
        there: set[int] = set()
        for step in pattern.step.phases:
            for compute in step.computes:
                assert {one.signal.producer for one in compute.reads} - _fields(planned_steps) <= there
                there.add(compute.node)
            for evaluate in step.evaluates:
                assert {one.signal.producer for one in evaluate.reads} - _fields(planned_steps) <= there
            there -= set(step.released)
        assert not there, "kept to the end of the step for nobody"


def _fields(plan: Plan) -> set[int]:
    return {index for index, node in enumerate(plan.model.nodes) if node.is_input}


@FAST
@given(SEEDS)
def test_history_is_kept_only_for_the_phase_that_trains(seed: int) -> None:
    """Every call of a run: with history where the plan says so, else without."""
    drawn = program(seed)
    networks, seen = built(drawn), list[tuple[str, bool]]()
    phases = Phases(drawn, networks, CPU)
    for index, node in enumerate(phases.model.graph.nodes):
        call = phases.model.calls[index]
        if call is not None:
            phases.model.calls[index] = _watched(node.path, call, seen)
    for batch in range(BATCHES):
        seen.clear()
        phases.step(images(batch), batch)
        steps = phases.step.plan.step(phases.step.plan.running(batch)).phases
        assert seen == [
            (phases.model.graph.nodes[group[0].node].path, group[0].history is not None)
            for step in steps
            for group in step.together
        ]
    trained = {name for phase in drawn.phases for name in phase.optimizer.networks}
    for name, network in networks.items():
        assert name in trained or all(weight.grad is None for weight in network.parameters())


def _watched(path: str, call: Callable[..., Value], seen: list[tuple[str, bool]]) -> Callable[..., Value]:
    def watched(*inputs: Tensor) -> Value:
        value: Value = call(*inputs)
        assert isinstance(value, Tensor)
        seen.append((path, value.requires_grad))
        return value

    return watched
