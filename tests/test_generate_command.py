"""`netcfg generate`: samples between others, values in the place of draws, pictures made of given ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import netcfg
from netcfg.builder.chance import Between
from netcfg.cli.main import main
from netcfg.plan_text import generation_data, generation_lines
from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.prediction.generation import Generator, on_the_way
from netcfg.trainers.runs.run_folder import RunFolder

CPU = torch.device("cpu")
DATA = """{General}
[training]
batch_size = 4
max_epochs = 1
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
{Painter}
[net]
[input]
name = image
channels = 3
height = HEIGHT
width = HEIGHT
[convolutional]
filters = 3
kernel_size = 3
pad = 1
{Model}
[Painter]
name = painted
from = image
{Loss}
[mse]
input = painted
target = image
{Optimizer}
[adam]
networks = Painter
minimise = mse
"""
DRAWN = (
    DATA.replace("HEIGHT", "16")
    + """{Generation}
[random]
name = start
shape = 3, 16, 16
[random]
name = light
distribution = uniform
[random]
name = label
distribution = integer
below = 7
[constant]
name = guidance
value = 1
[constant]
name = pair
shape = 3
value = 0
[formula]
name = shift
value = label + guidance * light + mean(pair)
[Painter]
name = paint
from = start
[formula]
name = made
value = 0.001 * paint + shift
"""
)
GIVEN = DATA.replace("height = HEIGHT\nwidth = HEIGHT\n", "") + (
    "{Generation}\n[input]\nname = image\nlike = data.image\n[input]\nname = shade\nkind = number\n"
    "[Painter]\nname = paint\nfrom = image\n[formula]\nname = made\nvalue = image + shade + 0 * paint\n"
)


def generator(text: str, **settings: str) -> Generator:
    program = netcfg.load(text)
    torch.manual_seed(0)
    return Generator(program, netcfg.build(program), CPU, 0, {"label": "0", "light": "0"} | settings)


def means(made: Generator, numbers: list[int | Between]) -> list[float]:
    """Of each sample, as the network made it; its draw of noise counts for little."""
    return [float(one.mean()) * 2 - 1 for one in made.samples(numbers)["made"]]


def test_values_stand_in_the_place_of_draws_and_constants() -> None:
    assert means(generator(DRAWN), [0, 1, 2]) == pytest.approx([0, 0, 0], abs=0.002)
    assert means(generator(DRAWN, **{"label": "5"}), [0, 1, 2]) == pytest.approx([5, 5, 5], abs=0.002)
    assert means(generator(DRAWN, guidance="4", light="0.5"), [0, 3]) == pytest.approx([2, 2], abs=0.002)
    assert means(generator(DRAWN, pair="1,2,6"), [7]) == pytest.approx([3], abs=0.002)


def test_of_several_values_samples_get_one_each_by_their_numbers() -> None:
    made = generator(DRAWN, **{"label": "2,0,6"})
    assert means(made, [0, 1, 2, 3]) == pytest.approx([2, 0, 6, 2], abs=0.002)
    assert means(made, [5]) == pytest.approx([6], abs=0.002)


def test_a_class_may_be_called_as_in_the_data() -> None:
    named = DRAWN.replace("fields = image\n", "")
    names = netcfg.load(named).data.fields["emotion"].names
    made = generator(named, label=f"{names[5]}, {names[2]},1")
    assert means(made, [0, 1, 2]) == pytest.approx([5, 2, 1], abs=0.002)
    with pytest.raises(
        NetcfgError, match=rf"`label` has no class `{names[5]}x`\nhelp: did you mean `{names[5]}`"
    ):
        generator(named, label=f"{names[5]}x")
    with pytest.raises(NetcfgError, match=f"0 to 6, or by its name: {names[0]}, "):
        generator(named, label="7")
    with pytest.raises(NetcfgError, match="takes numbers"):  # no field says what seven classes are called
        generator(DRAWN, label=names[5])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("label", "7", "--set label=7: `label` is a class by its number, 0 to 6"),
        ("label", "1.5", "is a class by its number, 0 to 6"),
        ("light", "dim", "--set light=dim: `light` takes numbers, with commas between several"),
        ("light", "nan", "takes numbers"),
        ("guidance", "1,2", "`guidance` is one number, the same for all samples"),
        ("start", "1,2", "`start` is 3×16×16: one number for all of it, or 768"),
        ("labe", "1", "nothing of that name\nhelp: did you mean `label`"),
        ("paint", "1", "nothing of that name\nhelp: known here: `guidance`, `label`, `light`, `pair`, `start`"),
    ],
)  # fmt: skip
def test_other_values_are_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(NetcfgError) as raised:
        generator(DRAWN, **{name: value})
    assert message in str(raised.value)


def test_between_samples_draws_become_each_other() -> None:
    assert on_the_way(3, 1) == [0, Between(0, 1, 0.5), 1, Between(1, 2, 0.5), 2]
    program = netcfg.load(DRAWN)
    made = Generator(program, netcfg.build(program), CPU)
    seen: dict[str, torch.Tensor] = {}
    for index, node in enumerate(made.graph.nodes[:3]):
        call = made._model.calls[index]
        made._model.calls[index] = lambda *inputs, call=call, path=node.path: seen.setdefault(
            path, call(*inputs)
        )
    made.samples([0, Between(0, 1, 0.0), Between(0, 1, 0.25), Between(0, 1, 0.75), 1])
    noise, light, classes = seen["start"], seen["light"], seen["label"]
    assert torch.equal(noise[0], noise[1])
    first, second = noise[0], noise[4]
    torch.testing.assert_close(noise[2], first * np.cos(np.pi / 8) + second * np.sin(np.pi / 8))
    assert float(noise[2].std()) == pytest.approx(1, abs=0.1), "as large as a draw"
    torch.testing.assert_close(light[3], 0.25 * light[0] + 0.75 * light[4])
    assert [int(classes[2]), int(classes[3])] == [int(classes[0]), int(classes[4])]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, text in (("drawn", DRAWN), ("given", GIVEN)):
        program = netcfg.load(text)
        made[name] = tmp_path_factory.mktemp("generate") / name
        folder = RunFolder.create(program, made[name])
        folder.write_json("run.json", {})
        trainer = Trainer(program, folder, console=Console(file=io.StringIO()), workers=0)
        trainer.setup()
        trainer.fit()
    return made


def test_the_command_writes_what_lies_between(runs: dict[str, Path], tmp_path: Path) -> None:
    base = ["generate", str(runs["drawn"]), "--device", "cpu", "--seed", "2", "--set", "label=0"]
    assert main([*base, "-n", "3", "--between", "2", "--batch-size", "3", "-o", str(tmp_path / "way")]) == 0
    assert main([*base, "-n", "3", "-o", str(tmp_path / "plain")]) == 0
    way, plain = tmp_path / "way", tmp_path / "plain"
    assert sorted(path.name for path in way.iterdir()) == [*(f"{n}.png" for n in range(7)), "grid.png"]
    for number in range(3):
        assert (way / f"{3 * number}.png").read_bytes() == (plain / f"{number}.png").read_bytes()
    # Two rows, each from a sample to the next: 4 pictures of 96 pixels, 4 between them.
    assert Image.open(way / "grid.png").size == (4 + 4 * 100, 4 + 2 * 100)


def test_pictures_are_made_of_given_ones(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    (source / "more").mkdir(parents=True)
    colours = {"a.png": 40, "grid.png": 80, "more/c.png": 120}
    for name, colour in colours.items():
        Image.new("RGB", (20, 20), (colour,) * 3).save(source / name)
    base = ["generate", str(runs["given"]), "--device", "cpu", "--set", "shade=0.2", "--batch-size", "2"]
    assert main([*base, "--from", str(source), "-o", str(tmp_path / "made")]) == 0
    assert "wrote made of 3 pictures and a sheet of them" in capsys.readouterr().out
    made = {"a.png": "a.png", "grid.png.png": "grid.png", "more/c.png": "more/c.png"}
    for file, name in made.items():
        picture = np.asarray(Image.open(tmp_path / "made" / file))
        assert picture.shape == (16, 16, 3)
        # 0.2 of what goes from -1 to 1 is 0.1 of all colours.
        assert np.abs(picture.astype(int) - colours[name] - 25.5).max() <= 1
    assert (tmp_path / "made/grid.png").is_file()
    assert main([*base, "--from", str(source), "-n", "1", "-o", str(tmp_path / "one")]) == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["a.png", "grid.png"]


@pytest.mark.parametrize(
    ("run", "options", "message"),
    [
        ("given", ["--set", "shade=1"], "makes pictures of given ones (`image`)\nhelp: name them: `--from PICTURES`"),
        ("given", ["--from", "here"], "reads `shade`, and nothing says what it is\nhelp: `--set shade=0`"),
        ("drawn", ["--from", "here"], "reads no pictures, which `--from` gives it"),
        ("drawn", ["--between", "3", "--from", "here"], "`--between` leads from draw to draw"),
        ("drawn", ["--between", "3", "-n", "1"], "`-n 2`, or more"),
        (
            "drawn", ["--between", "3", *"--set start=0 --set pair=0 --set label=0 --set light=0".split()],
            "all that {Generation} of",
        ),
        ("drawn", ["--no-turn"], "`--no-turn` is for given pictures"),
        ("drawn", ["--set", "label"], "write it as NAME=VALUE"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_error(
    run: str, options: list[str], message: str, runs: dict[str, Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Image.new("RGB", (16, 16)).save("here/a.png")
    assert main(["generate", str(runs[run]), "-o", "out", "--device", "cpu", *options]) == 1
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_plan_says_what_is_given() -> None:
    graph = netcfg.load(GIVEN).generation
    assert graph is not None
    lines = [line.split() for line in generation_lines(graph)]
    assert ["given", "image,", "shade"] in lines
    assert generation_data(graph)["given"] == ["image", "shade"]
    assert [one["signal"] for one in generation_data(graph)["makes"]] == ["paint", "made"]


@pytest.mark.parametrize(
    ("text", "change", "code", "message"),
    [
        (GIVEN, ("name = shade\nkind = number", "name = shade\nlike = data.image"), "NC501",
         "`shade` is given pictures, and no picture of the data is called so"),
        (GIVEN, ("max_epochs = 1\n", "max_epochs = 1\n[pictures]\nshow = image\nsamples_every = 1\n"), "NC403",
         "{Generation} makes them of `image`, which is given"),
        (DRAWN, ("from = start\n", "from = image\n"), "NC201", "{Generation} makes things without any"),
        (DRAWN, ("{Model}\n", "{Model}\n[input]\nname = other\nfeatures = 2\n"), "NC112", "[input] stands in {Model}"),
        (DRAWN, ("{Loss}\n", "[output]\nname = other\n{Loss}\n"), "NC112",
         "[output] stands in {Model}, which is no network"),
        (DRAWN + "[output]\nname = other\n", ("", ""), "NC112", "[output] stands in {Generation}, which is no network"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_is_given_is_one_finding(
    text: str, change: tuple[str, str], code: str, message: str
) -> None:
    changed = text.replace(*change) if change[0] else text
    with pytest.raises(ProgramError) as raised:
        netcfg.load(changed.replace("HEIGHT", "16"))
    findings = [one for one in raised.value.findings if one.severity == "error"]
    assert [one.code for one in findings] == [code]
    assert message in findings[0].message
    if "image" in change[1] and code == "NC201":
        assert "`[input] name = image`, `like = data.image`" in (findings[0].help or "")


def test_of_two_pictures_nobody_knows_which_is_given() -> None:
    text = GIVEN.replace("[normalise]", "[views]\nof = image\nto = other\n[normalise]")
    text = text.replace("{Generation}\n", "{Generation}\n[input]\nname = other\nlike = data.other\n")
    with pytest.raises(ProgramError, match="is given two pictures for a sample: `other` and `image`"):
        netcfg.load(text)
