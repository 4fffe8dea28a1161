"""What is drawn at random is a function of where a run stands: for all phases, when resumed, in evaluation."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor

import netcfg
from netcfg.builder.chance import Chance
from netcfg.builder.network import build
from netcfg.program import Program
from netcfg.source import Finding
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.machine.distributed import ALONE
from netcfg.trainers.runs.run_folder import RunFolder
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import Phases

GAN = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
{Generator}
[net]
[input]
name = z
features = 5
[random]
name = noise
like = z
draw = $draw
[combine_add]
combine_layers = z, noise
[connected]
output_features = 768
{Critic}
[net]
[input]
name = picture
features = 768
[connected]
output_features = 1
{Model}
[random]
name = z
shape = 5
draw = $draw
evaluation = $evaluation
[flatten]
name = pixels
from = image
[shuffle_batch]
name = shuffled
from = pixels
[Generator]
name = fake
from = z
[Critic]
name = on_fake
from = fake
[Critic]
name = on_real
from = shuffled
[formula]
name = size
value = mean(z ** 2) + 0 * fake
{Loss}
[mean]
name = real
input = on_real
[mean]
name = made
input = on_fake
[mean]
name = spread
input = size
{Optimizer}
[adam]
name = generator
networks = Generator
minimise = spread - made
[adam]
name = critic
networks = Critic
minimise = made - real
{General}
[training]
batch_size = 4
max_epochs = 2
monitor = None
[variables]
draw = batch
evaluation = draw
"""


def program_of(draw: str = "batch", evaluation: str = "draw") -> Program:
    text = GAN.replace("draw = batch", f"draw = {draw}").replace(
        "evaluation = draw", f"evaluation = {evaluation}"
    )
    return netcfg.load(text)


class Recorded:
    """What a step computes of one node, by phase."""

    def __init__(self, phases: Phases, node: str) -> None:
        self.seen: dict[str, list[Tensor]] = {}
        index = next(i for i, one in enumerate(phases.model.graph.nodes) if one.path == node)
        call = phases.model.calls[index]
        assert call is not None

        def recorded(*inputs: Tensor) -> object:
            value = call(*inputs)
            self.seen.setdefault(phases.model.chance.phase, []).append(value.detach().clone())
            return value

        phases.model.calls[index] = recorded


def stepped(draw: str, node: str, epoch: int = 0, batch: int = 0, rank: int = 0) -> dict[str, list[Tensor]]:
    program = program_of(draw)
    torch.manual_seed(0)
    phases = Phases(program, build(program), torch.device("cpu"))
    phases.chance.rank = rank
    recorded = Recorded(phases, node)
    torch.manual_seed(epoch * 10 + batch + 77)  # whatever else is drawn changes nothing
    phases.chance.train(epoch, batch)
    phases.step({"image": torch.rand(4, 3, 16, 16), "labels": torch.zeros(4, 2)}, batch)
    return recorded.seen


def test_what_is_drawn_is_the_same_for_all_phases() -> None:
    """The planner computes the generator again after it has stepped: with the same draw inside."""
    seen = stepped("batch", "z")
    assert [len(values) for values in seen.values()] == [1]
    program = program_of()
    phases = Phases(program, build(program), torch.device("cpu"))
    noise = phases.model.networks["Generator"]["noise"]
    drawn = []
    noise.register_forward_hook(
        lambda module, inputs, output: drawn.append((phases.chance.phase, output.clone()))
    )
    phases.chance.train(0, 0)
    phases.step({"image": torch.rand(4, 3, 16, 16), "labels": torch.zeros(4, 2)}, 0)
    (one, first), (two, again) = drawn
    assert (one, two) == ("generator", "critic")
    assert torch.equal(first, again)


def test_a_draw_of_each_phase_is_made_anew() -> None:
    seen = stepped("phase", "z")
    assert list(seen) == ["generator", "critic"]
    assert not torch.equal(seen["critic"][0], seen["generator"][0])


def test_shuffled_twice_is_the_same_order() -> None:
    program = program_of()
    model = Model(program, build(program))
    fields = {"image": torch.rand(8, 3, 16, 16), "labels": torch.zeros(8, 2)}
    model.chance.train(3, 5)
    one, two = (model.signals(fields, ["shuffled"])["shuffled"] for _ in range(2))
    assert torch.equal(one, two)
    model.chance.train(3, 6)
    assert not torch.equal(one, model.signals(fields, ["shuffled"])["shuffled"])


def test_draws_differ_by_batch_epoch_process_and_use_alone() -> None:
    def drawn(**place: int) -> Tensor:
        return stepped("batch", "z", **place)["generator"][0]

    first = drawn()
    assert torch.equal(first, drawn())
    assert not any(torch.equal(first, drawn(**{key: 1})) for key in ("epoch", "batch", "rank"))
    chance = Chance(seed=3)
    with chance.used_by("one"):
        one = torch.rand(4, generator=chance.generator(torch.device("cpu"), "noise"))
    with chance.used_by("two"):
        two = torch.rand(4, generator=chance.generator(torch.device("cpu"), "noise"))
    assert not torch.equal(one, two)


def test_in_evaluation_a_draw_is_of_the_sample() -> None:
    program = program_of()
    networks = build(program).eval()
    model = Model(program, networks)
    fields = {"image": torch.rand(6, 3, 16, 16), "labels": torch.zeros(6, 2)}
    model.chance.evaluate(range(10, 16))
    whole = model.signals(fields, ["z", "fake"])
    model.chance.evaluate([13, 11])
    parts = model.signals({name: value[[3, 1]] for name, value in fields.items()}, ["z", "fake"])
    assert torch.equal(parts["z"], whole["z"][[3, 1]])
    assert torch.allclose(parts["fake"], whole["fake"][[3, 1]], atol=1e-6)


def test_in_evaluation_a_number_may_stand_for_it() -> None:
    program = program_of(evaluation="0.25")
    model = Model(program, build(program).eval())
    model.chance.evaluate(range(2))
    fields = {"image": torch.rand(2, 3, 16, 16), "labels": torch.zeros(2, 2)}
    assert torch.equal(model.signals(fields, ["z"])["z"], torch.full((2, 5), 0.25))
    model.chance.train(0, 0)
    assert model.signals(fields, ["z"])["z"].unique().numel() == 10


def trainer_in(path, resume: bool = False) -> Trainer:
    program = program_of()
    folder = RunFolder.open(path) if resume else RunFolder.create(program, path)
    if not resume:
        folder.write_json("run.json", {})
    trainer = Trainer(
        program, folder, console=Console(file=io.StringIO()), workers=0, limit_batches=3, team=ALONE
    )
    trainer.setup(resume=resume)
    return trainer


def test_a_resumed_run_draws_as_if_it_had_never_stopped(tmp_path) -> None:
    trainer_in(tmp_path / "whole").fit()
    stopped = trainer_in(tmp_path / "stopped")
    stopped.training = stopped.training.model_copy(update={"max_epochs": 1})
    stopped.fit()
    torch.manual_seed(12345)
    trainer_in(tmp_path / "stopped", resume=True).fit()
    ours, theirs = (
        load_file(tmp_path / name / "checkpoints/last.safetensors") for name in ("stopped", "whole")
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


# --- the block


def first_drawn(options: str, like: str = "") -> tuple[Tensor, netcfg.graph.Signal]:
    graph = netcfg.load(f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 7\n[random]\n{options}\n").networks["N"]
    torch.manual_seed(0)
    network = netcfg.build(
        netcfg.load(f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 7\n[random]\n{options}\n")
    )["N"]
    return network(torch.zeros(500, 7)), next(iter(graph.outputs.values()))


def test_distributions() -> None:
    normal, signal = first_drawn("shape = 3, 4, 5")
    assert normal.shape == (500, 3, 4, 5)
    assert (signal.axes, signal.kind) == ("CHW", "number")
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 1) < 0.02
    uniform, _ = first_drawn("distribution = uniform\nlike = x")
    assert uniform.shape == (500, 7)
    assert 0 <= float(uniform.min()) < 0.01 < 0.99 < float(uniform.max()) < 1
    bits, _ = first_drawn("distribution = bernoulli\nprobability = 0.2\nshape = 9")
    assert set(bits.unique().tolist()) == {0, 1}
    assert abs(float(bits.mean()) - 0.2) < 0.03
    times, signal = first_drawn("distribution = integer\nbelow = 10")
    assert (signal.shape, signal.kind) == ((), "class")
    assert sorted(times.unique().tolist()) == list(range(10))
    order, signal = first_drawn("distribution = permutation\nshape = 6")
    assert (order.dtype, signal.kind) == (torch.int64, "class")
    assert torch.equal(order.sort(1).values, torch.arange(6).expand(500, 6))
    assert len(order.unique(dim=0)) > 300


def only_error(options: str) -> Finding:
    _, findings = netcfg.check(f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 7\n[random]\nname = r\n{options}\n"
                               "[formula]\nvalue = sum(r) + sum(x)\n")  # fmt: skip
    errors = [finding for finding in findings if finding.severity == "error"]
    assert len(errors) == 1, errors
    return errors[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("distribution = integer", "needs `below`"),
        ("below = 3", "has `below` with `integer` alone"),
        ("probability = 0.5", "`bernoulli` alone"),
        ("distribution = bernoulli\nprobability = 2", "at most 1"),
        ("like = x\nshape = 4", "leave `shape` and `axes` out"),
        ("like = y", "there is no block `y` here"),
        ("shape = 4\naxes = height, width", "names 2 `axes` of 1"),
        ("distribution = permutation\nshape = 4, 4", "permutes along one axis"),
        ("distribution = gauss", "one of `normal`"),
        ("from = x", "has no option `from`"),
    ],
)
def test_what_cannot_be_drawn_is_one_finding(options: str, message: str) -> None:
    assert message in only_error(options).message


SHARED = """{Data}
[synthetic_faces]
image_size = 16
{One}
[net]
[input]
name = code
features = 3
[connected]
output_features = 4
{Two}
[net]
[input]
name = code
features = 3
[connected]
output_features = 4
{Model}
[random]
name = z
shape = 3
[One]
name = one
from = z
[Two]
name = two
from = z
[formula]
name = apart
value = sum((one - two) ** 2)
{Loss}
[mean]
name = first
input = apart
[mean]
name = second
input = apart
{Optimizer}
[sgd]
name = ones
networks = One
minimise = first
learning_rate = 0.05
[sgd]
name = twos
networks = Two
minimise = 0.5 * second
learning_rate = 0.05
"""


def test_two_phases_that_read_one_draw_are_a_plain_loop() -> None:
    program = netcfg.load(SHARED)
    torch.manual_seed(0)
    networks = build(program)
    plain = copy.deepcopy(networks)
    phases = Phases(program, networks, torch.device("cpu"))
    one, two = (torch.optim.SGD(plain[name].parameters(), lr=0.05) for name in ("One", "Two"))
    for batch in range(10):
        recorded = Recorded(phases, "z")
        phases.chance.train(0, batch)
        phases.step({"image": torch.rand(5, 3, 16, 16)}, batch)
        assert list(recorded.seen) == ["ones"]
        (z,) = recorded.seen["ones"]
        assert z.shape == (5, 3)
        one.zero_grad()
        (plain["One"](z) - plain["Two"](z)).square().sum(1).mean().backward()
        one.step()
        two.zero_grad()
        # `One` has stepped: what it makes of the same draw is another thing now.
        (0.5 * (plain["One"](z) - plain["Two"](z)).square().sum(1).mean()).backward()
        two.step()
    for name, found in networks.state_dict().items():
        torch.testing.assert_close(found, plain.state_dict()[name], rtol=1e-6, atol=1e-6, msg=name)
