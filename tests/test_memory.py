"""Blocks that remember, against the same loops in plain PyTorch; and what is made once in a batch."""

from __future__ import annotations

import copy
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

import netcfg
from netcfg.builder.modules.memory import Pool
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.judging.examination import Examiner
from netcfg.trainers.machine.compilation import not_compiled
from netcfg.trainers.runs.run_folder import RunFolder
from netcfg.trainers.runs.trained import open_run
from netcfg.trainers.step.phases import Phases, set_training

CPU = torch.device("cpu")
DATA = (
    "{Data}\n[synthetic_faces]\nimage_size = 16\nfields = image\nsubjects = 6\nclips = 1\nclip_length = 4\n"
)
CODER = (
    "[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 5\n[l2_norm]\n"
)
MOCO = (
    DATA
    + "{Query}\n" + CODER + "{Key}\n[net]\nsame_as = Query\n"
    + """{Model}
[Query]
name = query
from = image
[Key]
name = key
from = image
[queue]
name = bank
from = key
size = 16
[similarity]
name = unlike
from = query, bank
[formula]
name = missed
value = log(exp(sum(query * key)) + sum(exp(unlike))) - sum(query * key)
{Loss}
[mean]
name = found
input = missed
{Optimizer}
[moving_average]
networks = Key
of = Query
momentum = 0.9
[sgd]
networks = Query
minimise = found
learning_rate = 0.1
momentum = 0.9
"""
)  # fmt: skip
SIZES = (6, 6, 2) * 4
"""Of batches: epochs of 14 samples, whose last batch is smaller; a queue of 16 rows is no multiple of them."""


def images(batch: int, size: int = 6) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return {"image": torch.rand(size, 3, 16, 16, generator=generator)}


def start(text: str) -> tuple[Phases, nn.ModuleDict]:
    program = netcfg.load(text)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    set_training(program, networks, True)
    return Phases(program, networks, CPU), networks


def equal(network: nn.Module, expected: nn.Module) -> None:
    for (key, value), other in zip(network.state_dict().items(), expected.state_dict().values(), strict=True):
        torch.testing.assert_close(value, other, rtol=1e-6, atol=1e-6, msg=key)


def test_a_queue_across_epochs_ends_is_that_of_a_loop_by_hand() -> None:
    phases, networks = start(MOCO)
    query, key = copy.deepcopy(networks["Query"]), copy.deepcopy(networks["Key"])
    rows = list(phases.model.states["bank"].rows.clone())
    assert torch.allclose(torch.stack(rows).norm(dim=1), torch.ones(16))
    optimizer = torch.optim.SGD(query.parameters(), lr=0.1, momentum=0.9)
    place = 0
    for batch, size in enumerate(SIZES):
        with torch.no_grad():
            for own, other in zip(key.parameters(), query.parameters(), strict=True):
                own.lerp_(other, 0.1)
            known = key(images(batch, size)["image"])
        asked = query(images(batch, size)["image"])
        logits = torch.cat([(asked * known).sum(1, keepdim=True), asked @ torch.stack(rows).t()], 1)
        loss = functional.cross_entropy(logits, torch.zeros(size, dtype=torch.int64))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        reported = phases.step(images(batch, size), batch % 3)
        torch.testing.assert_close(reported["found"], loss.detach(), rtol=1e-5, atol=1e-6)
        for row in known:
            rows[place % 16] = row
            place += 1
    equal(networks["Query"], query)
    equal(networks["Key"], key)
    torch.testing.assert_close(phases.model.states["bank"].rows, torch.stack(rows), rtol=1e-6, atol=1e-6)


def test_evaluation_and_a_batch_that_fails_write_nothing() -> None:
    phases, _ = start(MOCO)
    before = phases.model.states["bank"].rows.clone()
    phases.model.signals(images(0), ["bank", "missed"])
    with pytest.raises(ProgramError, match="not finite|NaN|infinite"):
        phases.step({"image": torch.full((6, 3, 16, 16), float("nan"))}, 0)
    assert torch.equal(phases.model.states["bank"].rows, before)
    phases.step(images(1), 0)
    assert int((phases.model.states["bank"].rows != before).any(1).sum()) == 6


def test_only_batches_that_read_it_are_kept() -> None:
    phases, _ = start(MOCO.replace("learning_rate = 0.1\n", "learning_rate = 0.1\nevery = 2\n"))
    before = phases.model.states["bank"].rows.clone()
    phases.step(images(0), 0)
    assert torch.equal(phases.model.states["bank"].rows, before)
    phases.step(images(1), 1)
    assert not torch.equal(phases.model.states["bank"].rows, before)


def centred(read: str) -> str:
    mean = f"[running_mean]\nname = mean\nfrom = N\nmomentum = 0.75\nread = {read}\n"
    return (
        DATA
        + "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 4\n"
        "{Model}\n[N]\n" + mean + "[formula]\nname = far\nvalue = (N - mean) ** 2\n"
        "{Loss}\n[mean]\nname = spread\ninput = far\n{Optimizer}\n[sgd]\nnetworks = N\nminimise = spread\n"
        "learning_rate = 0.002\n"
    )


@pytest.mark.parametrize("read", ["before", "after"])
def test_a_running_mean_is_that_of_a_loop_by_hand(read: str) -> None:
    phases, networks = start(centred(read))
    network, mean = copy.deepcopy(networks["N"]), torch.zeros(4)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.002)
    for batch, size in enumerate(SIZES):
        given = network(images(batch, size)["image"])
        moved = 0.75 * mean + 0.25 * given.detach().mean(0)
        loss = (given - (moved if read == "after" else mean)).square().mean()
        mean = moved
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        phases.step(images(batch, size), batch)
    equal(networks["N"], network)
    torch.testing.assert_close(phases.model.states["mean"].mean, mean, rtol=1e-6, atol=1e-6)


CODES = (
    DATA
    + "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[convolutional]\nfilters = 4\nkernel_size = 4\nstride = 4\n"
    "[vector_quantise]\nname = book\ncodes = 8\nUPDATE[deconvolutional]\nfilters = 3\nkernel_size = 4\nstride = 4\n"
    "[output]\nname = made\nfrom = -1\n[output]\nname = error\nfrom = book.error\n"
    "[output]\nname = index\nfrom = book.index\n[output]\nname = used\nfrom = book.perplexity\n"
    "{Loss}\n[mse]\nname = missed\ninput = N.made\ntarget = image\n[mean]\nname = apart\ninput = N.error\n"
    "{Optimizer}\n[adam]\nnetworks = N\nminimise = missed + apart\nlearning_rate = 0.01\n"
)


@pytest.mark.parametrize("update", ["moving_average", "gradient"])
def test_codes_are_those_of_a_loop_by_hand(update: str) -> None:
    options = "decay = 0.9\n" if update == "moving_average" else "update = gradient\n"
    phases, networks = start(CODES.replace("UPDATE", options))
    book = networks["N"]["book"]
    with torch.no_grad():  # so that several codes are used
        book.weight.copy_(0.4 * torch.randn(8, 4))
        if update == "moving_average":
            book.total.copy_(book.weight)
    state = {key: value.clone() for key, value in networks["N"].state_dict().items()}
    first, last = nn.Conv2d(3, 4, 4, 4), nn.ConvTranspose2d(4, 3, 4, 4)
    first.load_state_dict({key: state[f"0.{key}"] for key in ("weight", "bias")})
    last.load_state_dict({key: state[f"2.{key}"] for key in ("weight", "bias")})
    codes = nn.Parameter(state["book.weight"].clone())
    count, total = torch.ones(8), state["book.weight"].clone()
    learned = [*first.parameters(), *last.parameters(), *([codes] if update == "gradient" else [])]
    optimizer = torch.optim.Adam(learned, lr=0.01)
    for batch in range(10):
        image = images(batch)["image"]
        coded = first(image).permute(0, 2, 3, 1)
        index = torch.cdist(coded.detach().reshape(-1, 4), codes.detach()).argmin(1)
        near = codes[index].view(coded.shape)
        missed = functional.mse_loss(last((coded + (near - coded).detach()).permute(0, 3, 1, 2)), image)
        loss = missed + 0.25 * functional.mse_loss(coded, near.detach())
        if update == "gradient":
            loss = loss + functional.mse_loss(near, coded.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update == "moving_average":
            chosen = functional.one_hot(index, 8).float()
            count = 0.9 * count + 0.1 * chosen.sum(0)
            total = 0.9 * total + 0.1 * chosen.t() @ coded.detach().reshape(-1, 4)
            smoothed = (count + 1e-5) / (count.sum() + 8e-5) * count.sum()
            codes.data = total / smoothed[:, None]
        phases.step(images(batch), batch)
    made = networks["N"].state_dict()
    for expected, key in ((first.weight, "0.weight"), (last.weight, "2.weight"), (codes, "book.weight")):
        torch.testing.assert_close(made[key], expected.detach(), rtol=1e-5, atol=1e-6)
    assert int(made["book.weight"].ne(state["book.weight"]).any(1).sum()) > 1, "codes have moved"
    given = networks["N"].eval()(images(11)["image"])
    shares = torch.bincount(given["index"].flatten(), minlength=8) / given["index"].numel()
    used = torch.exp(-(shares * torch.log(shares.clamp(min=1e-10))).sum())
    torch.testing.assert_close(given["used"], used.expand(6))
    assert given["index"].shape == (6, 4, 4)


class _ImagePool:
    """CycleGAN's history of images, sample by sample; `odds` and `places` are what it draws."""

    def __init__(self, size: int) -> None:
        self.size, self.images = size, list[Tensor]()

    def query(self, batch: Tensor, odds: Sequence[float], places: Sequence[int]) -> Tensor:
        given = []
        for image, odd, place in zip(batch, odds, places, strict=True):
            if len(self.images) < self.size:
                self.images.append(image)
                given.append(image)
            elif odd > 0.5:
                given.append(self.images[place])
                self.images[place] = image
            else:
                given.append(image)
        return torch.stack(given)


def test_a_pool_gives_what_one_sample_after_the_other_would() -> None:
    pool, expected = Pool(7, (2,)), _ImagePool(7)
    for batch in range(40):
        x = torch.arange(10.0).view(5, 2) + 100 * batch
        torch.manual_seed(batch)
        given = pool(x)
        torch.manual_seed(batch)
        odds, places = torch.rand(5), torch.randint(7, (5,))
        torch.testing.assert_close(given, expected.query(x, odds.tolist(), places.tolist()), rtol=0, atol=0)
        stored = torch.stack(expected.images)
        assert torch.equal(pool.samples[: len(stored)], stored)
    pool.eval()
    assert torch.equal(pool(x), x)


def test_what_a_batch_reads_again_is_what_it_read_first() -> None:
    pool = Pool(2, (1,))
    pool(torch.zeros(2, 1))
    pool.is_kept = True
    pool.begin()
    first = pool(torch.ones(8, 1))
    pool(torch.full((8, 1), 5.0))
    pool.end()
    assert set(first.flatten().tolist()) <= {0.0, 1.0}
    assert 5.0 not in pool.samples
    assert torch.equal(pool(torch.full((2, 1), 7.0)), torch.full((2, 1), 7.0)), (
        "between batches it only passes on"
    )


# --- made once


def gan(once: str, order: str = "maker critic") -> str:
    network = (
        "{%s}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[convolutional]\nfilters = 3\nkernel_size = 1\n"
    )
    steps = {
        "maker": "[sgd]\nname = maker\nnetworks = A\nminimise = made_loss\nlearning_rate = 0.1\n",
        "critic": "[sgd]\nname = critic\nnetworks = B\nminimise = judged\nlearning_rate = 0.1\n",
    }
    return (
        DATA + network % "A" + network % "B" + "{Model}\n[A]\nname = fake\n" + once + "[B]\nname = score\n"
        "{Loss}\n[mean]\nname = judged\ninput = score\n[mean]\nname = made_loss\ninput = fake\n{Optimizer}\n"
        + "".join(steps[name] for name in order.split())
    )


def test_what_is_made_once_is_read_though_its_network_has_stepped() -> None:
    made = plan(netcfg.load(gan("once = True\n")))
    maker, critic = made.patterns[0].step.phases
    name = lambda step: [made.model.nodes[one.node].path for one in step.computes]  # noqa: E731
    assert (name(maker), name(critic)) == (["fake"], ["score"])
    assert [made.model.nodes[index].path for index in critic.cuts] == ["fake"]
    again = plan(netcfg.load(gan(""))).patterns[0].step.phases[1]
    assert name(again) == ["fake", "score"]


def test_its_values_are_those_from_before_the_step() -> None:
    phases, networks = start(gan("once = True\n"))
    fake = networks["A"](images(0)["image"])
    judged = networks["B"](fake).mean().item()
    assert phases.step(images(0), 0)["judged"].item() == pytest.approx(judged)


def test_what_is_made_once_of_a_phases_draw_is_trained_by_a_later_phase() -> None:
    """Its value stays, so that its history, and that of networks above it, is kept for who trains them."""
    text = gan("from = c\nonce = True\n", "critic maker").replace("networks = A\n", "networks = A, C\n")
    text = text.replace("{Model}\n", "{C}\n[net]\nsame_as = A\n{Model}\n[random]\nname = drawn\nlike = image\n"
        "draw = phase\n[C]\nname = c\nfrom = drawn\n").replace("[B]\n", "[detach]\nfrom = fake\n[B]\n")  # fmt: skip
    text = text.replace("name = score", "name = score\n[formula]\nname = seen\nvalue = score + 0 * image")
    text = text.replace("input = score", "input = seen")
    critic, maker = plan(netcfg.load(text)).patterns[0].step.phases
    assert {one.history for one in critic.computes if one.history} == {"maker", "critic"}
    assert not maker.computes
    phases, networks = start(text)
    before = [weight.clone() for name in "AC" for weight in networks[name].parameters()]
    phases.step(images(0), 0)
    after = [weight for name in "AC" for weight in networks[name].parameters()]
    assert not any(torch.equal(one, other) for one, other in zip(before, after, strict=True))


def late() -> str:
    """The critic reads what is made once for it, and steps the network below before another phase trains through."""
    return (
        gan("once = True\n", "critic maker")
        .replace("networks = B\n", "networks = A, B\n")
        .replace("networks = A\n", "networks = C\n")
        .replace("{Model}\n", "{C}\n[net]\nsame_as = A\n{Model}\n[C]\nname = c\nfrom = image\n")
        .replace("[A]\nname = fake\n", "[A]\nname = fake\nfrom = c\n")
    )


def too_late() -> str:
    """The critic reads what is made once without training through it, and steps the network below."""
    still = "[detach]\nname = still\nfrom = fake\n"
    other = "name = score\n[A]\nname = other\nfrom = image\n[formula]\nname = seen\nvalue = score + other\n"
    text = late().replace("input = score", "input = seen").replace("[B]\n", still + "[B]\n")
    return text.replace("name = score\n", other)


WIRED = {
    "a circle": ("from = key\nsize", "from = unlike\nsize"),
    "itself": ("from = key\nsize", "from = bank\nsize"),
    "a picture": ("from = key\nsize", "from = image\nsize"),
}


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (late(), "NC420", "`fake`, which is made once: `critic` has trained through it already"),
        (
            too_late(),
            "NC420",
            "`fake`, which is made once: A will have stepped since it was made for `critic`",
        ),
        (gan("once = perhaps\n"), "NC105", "`once` must be"),
        (
            gan("").replace("[convolutional]\n", "[convolutional]\nonce = True\n", 1),
            "NC105",
            "`once` is for blocks of",
        ),
        (MOCO.replace(*WIRED["a circle"]), "NC202", "`unlike`"),
        (MOCO.replace(*WIRED["itself"]), "NC203", "itself"),
        (MOCO.replace(*WIRED["a picture"]), "NC305", "features"),
    ],
)
def test_a_mistake_is_one_finding(text: str, code: str, message: str) -> None:
    with pytest.raises(ProgramError) as raised:
        netcfg.load(text)
    (finding,) = [one for one in raised.value.findings if one.severity == "error"]
    assert finding.code == code
    assert message in finding.message


# --- said, kept, resumed


def test_the_plan_says_what_is_written_after_the_step() -> None:
    made = plan(netcfg.load(MOCO))
    assert plan_text(made).endswith("  after the step\n    remember  bank <- key")
    assert plan_data(made)["patterns"][0]["remembers"] == [{"block": "bank", "from": ["key"]}]
    codes = netcfg.load(CODES.replace("UPDATE", ""))
    assert plan_text(plan(codes)).endswith("  after the step\n    remember  N.book")
    assert not_compiled(codes) == {"N": "it remembers, and is written between batches"}


EVERYTHING = MOCO.replace(
    "[formula]\nname = missed",
    "[running_mean]\nname = centre\nfrom = query\nmomentum = 0.5\n[pool]\nname = old\nfrom = query\nsize = 5\n"
    "[formula]\nname = far\nvalue = (query - centre) ** 2 + (query - old) ** 2\n[formula]\nname = missed",
).replace("{Optimizer}", "[mean]\nname = apart\ninput = far\n{Optimizer}").replace(
    "minimise = found", "minimise = found - 0.1 * apart"
).replace("{Data}", "{General}\n[training]\nbatch_size = 5\nmax_epochs = 2\n{Data}")  # fmt: skip


def run(path: Path, resume: bool = False, epochs: int = 2) -> None:
    program = netcfg.load(EVERYTHING)
    folder = RunFolder.open(path) if resume else RunFolder.create(program, path)
    if not resume:
        folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO()), workers=0)
    trainer.setup(resume=resume)
    trainer.training = trainer.training.model_copy(update={"max_epochs": epochs})
    trainer.fit()


def test_a_resumed_run_remembers_to_the_bit(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    run(tmp_path / "stopped", epochs=1)
    run(tmp_path / "stopped", resume=True)
    ours, theirs = (
        load_file(tmp_path / name / "checkpoints/last.safetensors") for name in ("stopped", "whole")
    )
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    states = [
        torch.load(tmp_path / name / "checkpoints/last.state", weights_only=True)["states"]
        for name in ("stopped", "whole")
    ]
    assert set(states[0]) == {"bank", "centre", "old"}
    assert int(states[0]["old"]["count"]) == 5
    for name, state in states[0].items():
        assert all(torch.equal(value, states[1][name][key]) for key, value in state.items())


def test_a_checkpoint_without_what_is_remembered_is_refused(tmp_path: Path) -> None:
    phases, _ = start(MOCO)
    with pytest.raises(netcfg.source.NetcfgError, match="remembers nothing that fits `bank`"):
        phases.model.load_state_dict({})


def test_the_best_checkpoint_holds_what_was_remembered(tmp_path: Path) -> None:
    """An evaluation does not begin with an empty queue and a mean of nothing."""
    program = netcfg.load(EVERYTHING + "{Metric}\n[mse]\nname = off\ninput = query\ntarget = key\n")
    folder = RunFolder.create(program, tmp_path / "run")
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, workers=0, limit_batches=3, console=Console(quiet=True))
    trainer.setup()
    trainer.fit()
    best = tmp_path / "run" / "checkpoints" / "best.safetensors"
    kept = trainer.phases.model.state_dict()
    assert float(kept["centre"]["mean"].abs().sum()) > 0
    examiner = Examiner(program, best)
    for name, state in examiner.model.state_dict().items():
        assert all(torch.equal(value, kept[name][key]) for key, value in state.items()), name
    assert open_run(tmp_path / "run", torch.device("cpu")).weights == best
