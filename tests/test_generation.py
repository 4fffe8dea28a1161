"""`{Generation}`: what is made without data, by loops that run as loops."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor, nn

import netcfg
from netcfg.blocks.network.loop import Loop
from netcfg.builder.chance import MOST_AHEAD, Chance
from netcfg.builder.modules.random import Random
from netcfg.cli.main import main
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.prediction.generation import Generator
from netcfg.trainers.runs.run_folder import RunFolder

CPU = torch.device("cpu")
TEXT = """{General}
[training]
batch_size = 4
max_epochs = 2
[pictures]
show = image
samples = 2
samples_every = 1
{Data}
[synthetic_faces]
image_size = 16
fields = image
subjects = 6
clips = 1
clip_length = 3
[normalise]
mean = 0.5
std = 0.5
{Denoiser}
[net]
[input]
name = x
channels = 3
height = 16
width = 16
[input]
name = time
kind = number
[convolutional]
from = x
filters = 3
kernel_size = 3
pad = 1
[formula]
name = last
value = in + 0.1 * time
{Model}
[random]
name = time
[Denoiser]
name = guess
from = image, time
{Loss}
[mse]
input = guess
target = image
{Optimizer}
[adam]
networks = Denoiser
minimise = mse
{Define denoise}
[parameters]
rate
[input]
name = x
[input]
name = style
[formula]
name = now
value = 5 - turn
[random]
name = noise
like = x
[Denoiser]
name = guess
from = x, now
[formula]
value = x - $rate * guess + 0.1 * noise + 0.01 * style
{Generation}
[random]
name = start
shape = 3, 16, 16
[random]
name = style
[denoise]
name = made
from = start, style
repeat = 5
rate = 0.2
"""


def generator(text: str = TEXT, seed: int = 0) -> tuple[Generator, nn.ModuleDict]:
    program = netcfg.load(text)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    return Generator(program, networks, CPU, seed), networks


def test_a_loop_is_one_block_and_its_turns_are_those_of_a_loop_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, networks = generator()
    graph = made.program.generation
    assert graph is not None
    (loop,) = [node for node in graph.nodes if isinstance(node.block, Loop)]
    assert (loop.label, loop.macs) == ("denoise ×5", 5 * made.program.networks["Denoiser"].macs)
    drawn: dict[str, Tensor] = {}
    whole = made._model.calls
    for index, node in enumerate(graph.nodes[:2]):
        call = whole[index]
        whole[index] = lambda *inputs, call=call, path=node.path: drawn.setdefault(path, call(*inputs))
    inner = whole[2].call.model  # type: ignore[union-attr]
    noise = next(index for index, node in enumerate(inner.graph.nodes) if node.path == "noise")
    draw, turns = inner.calls[noise], []
    inner.calls[noise] = lambda *inputs: turns.append(draw(*inputs)) or turns[-1]
    pictures = made.samples(range(3))["made"]
    x, style = drawn["start"], drawn["style"]
    assert len(turns) == 5
    assert len({float(one.sum()) for one in turns}) == 5, "each turn draws its own"
    network = networks["Denoiser"]
    with torch.no_grad():
        for turn in range(5):
            guess = network(x, torch.full((3,), 5.0 - turn))
            x = x - 0.2 * guess + 0.1 * turns[turn] + 0.01 * style.view(-1, 1, 1, 1)
    torch.testing.assert_close(pictures, x * 0.5 + 0.5, rtol=1e-5, atol=1e-6)


def test_a_sample_is_the_same_by_itself_and_among_others() -> None:
    made, networks = generator()
    networks.train()
    four = made.samples(range(4))["made"]
    parts = torch.cat([made.samples([2])["made"], made.samples([3])["made"]])
    torch.testing.assert_close(parts, four[2:], rtol=0, atol=1e-6)
    assert networks["Denoiser"].training, "the networks are as they were"
    assert not torch.allclose(generator(seed=1)[0].samples(range(4))["made"], four)


def test_a_turns_draws_hang_on_sample_and_turn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcfg.builder.chance.AHEAD", 64)

    def drawn(numbers: list[int], size: int) -> Tensor:
        chance, block = Chance(3), Random("normal", (size,))
        block.chance, block.path = chance, "noise"
        chance.evaluate(numbers)
        rows = []
        with chance.turns("outer") as outer:
            for one in range(2):
                outer(one)
                with chance.turns("loop") as begin, chance.used_by("use"):
                    for turn in range(MOST_AHEAD + 3):
                        begin(turn)
                        rows.append(block(torch.empty(len(numbers), 1)))
        return torch.stack(rows, 1)

    for size in (2, 32, 128):  # many turns at once, two, and one
        together = drawn([0, 1, 2], size)
        assert torch.equal(drawn([2], size), together[2:])
        assert len(together.flatten(0, 1).unique(dim=0)) == 3 * 2 * (MOST_AHEAD + 3), "each is its own"
        assert float(together.std()) == pytest.approx(1, abs=0.1)


def test_a_thousand_turns_are_one_line_of_the_plan() -> None:
    program = netcfg.load(TEXT.replace("repeat = 5", "repeat = 1000"))
    made = plan(program)
    line = next(line for line in plan_text(made).splitlines() if "denoise" in line)
    assert line.split() == "made = denoise(start, style) 1,000 times; each turn uses Denoiser".split()
    data = plan_data(made)["generation"]
    assert [one["signal"] for one in data["makes"]] == ["start", "style", "made"]
    assert data["makes"][2]["turns"] == 1000
    assert data["macs"] == 1000 * program.networks["Denoiser"].macs


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("from = start, style", "from = image, style"), "NC201", "`image` is a field of the data, and {Generation}"),
        (("from = start, style", "from = start"), "NC205", "1"),
        (
            ("[formula]\nvalue = x - ", "[formula]\nname = next\nvalue = x - "),
            "NC301",
            "a turn of `denoise` is fed 3×16×16 and gives 3×8×8, which the next turn cannot take",
        ),
        (("from = start, style", "from = start, imag"), "NC201", "`imag`"),
        (("repeat = 5", "repeat = 5\nrats = 3"), "NC103", "`rats`"),
        (("{Generation}", "{Generation}\n[identity]\nname = early\nfrom = start"), "NC202", "start"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_finding(change: tuple[str, str], code: str, message: str) -> None:
    text = TEXT.replace(*change)
    if code == "NC301":
        text = text.replace("+ 0.01 * style\n", "+ 0.01 * style\n[avgpool]\npool_size = 2\nstride = 2\n")
    with pytest.raises(ProgramError) as raised:
        netcfg.load(text)
    (finding,) = [one for one in raised.value.findings if one.severity == "error"]
    assert finding.code == code
    assert message in finding.message


def test_what_is_learned_stands_in_no_generation() -> None:
    text = TEXT + "[convolutional]\nname = last\nfilters = 3\nkernel_size = 1\n"
    with pytest.raises(ProgramError, match=r"\[convolutional\] has parameters, and stands in \{Generation\}"):
        netcfg.load(text)


def test_samples_need_a_generation() -> None:
    with pytest.raises(
        ProgramError, match="`samples_every` asks for samples, and no {Generation} says what is made"
    ):
        netcfg.load(TEXT.partition("{Define denoise}")[0])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generation") / "run"
    program = netcfg.load(TEXT)
    folder = RunFolder.create(program, path)
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, console=Console(file=io.StringIO()), workers=0)
    trainer.setup()
    trainer.fit()
    return path


def test_training_leaves_samples_over_time(run: Path) -> None:
    names = sorted(path.name for path in (run / "samples").iterdir())
    assert names == ["epoch_0001.png", "epoch_0002.png", "over_time.png"]
    rows = [np.asarray(Image.open(run / "samples" / name)) for name in names]
    assert np.array_equal(rows[2], np.concatenate(rows[:2]))
    assert not np.array_equal(rows[0], rows[1])


def test_the_command_makes_pictures_and_a_sheet(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["generate", str(run), "--device", "cpu", "-o"]
    assert main([*base, str(tmp_path / "a"), "-n", "5", "--seed", "3", "--batch-size", "2"]) == 0
    assert "wrote 5 of made and a sheet of them" in capsys.readouterr().out
    assert main([*base, str(tmp_path / "b"), "-n", "3", "--seed", "3"]) == 0
    a, b = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab")
    assert sorted(a) == ["0.png", "1.png", "2.png", "3.png", "4.png", "grid.png"]
    assert all(a[name] == b[name] for name in ("0.png", "1.png", "2.png"))
    assert Image.open(tmp_path / "a/0.png").size == (16, 16)
    assert main([*base, str(tmp_path / "a")]) == 1
    assert "is there already" in capsys.readouterr().err


def test_a_run_without_generation_says_what_it_lacks(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (run / "resolved.cfg").read_text().partition("{Generation}")[0].replace("samples_every = 1\n", "")
    copy = tmp_path / "copy"
    (copy / "checkpoints").mkdir(parents=True)
    for name in ("run.json", "checkpoints/best.safetensors"):
        (copy / name).write_bytes((run / name).read_bytes())
    (copy / "resolved.cfg").write_text(text)
    assert main(["generate", str(copy), "-o", str(tmp_path / "out"), "--device", "cpu"]) == 1
    assert "has no {Generation}, which says what is made without data" in capsys.readouterr().err


def test_the_picture_has_one_block_for_a_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cfg").write_text(TEXT.replace("repeat = 5", "repeat = 1000"))
    assert main(["graph", "net.cfg", "-o", "made.svg", "--network", "Generation"]) == 0
    drawn = Path("made.svg").read_text()
    assert "denoise ×1,000" in drawn
    assert drawn.count('class="box') == 3
