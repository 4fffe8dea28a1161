"""Every option of every command is read by it when it is given; combinations that mean nothing are refused."""

from __future__ import annotations

import argparse
import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from netcfg.cli import main as command_line
from netcfg.cli.main import COMMANDS, main

NET = """{General}
[variables]
width = 2
[preset wide]
width = 3
[training]
batch_size = 4
max_epochs = 1
{Data}
[synthetic_faces]
image_size = 16
subjects = 3
clips = 1
clip_length = 4
action_units = disfa
[horizontal_flip]
{Net}
[net]
channels = 3
[convolutional]
filters = $width
kernel_size = 3
[global_avgpool]
[connected]
output_features = 12
{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[sgd]
networks = Net
minimise = bce_with_logits
learning_rate = 0.1
{Metric}
[accuracy]
input = Net
target = labels
decision = logit
{Generation}
[random]
name = noise
shape = 3, 16, 16
"""
GIVEN = "{Generation}\n[input]\nname = image\nlike = data.image\n[formula]\nname = made\nvalue = image\n"
BOXED = """{Define two}
[convolutional]
filters = 3
kernel_size = 3
[convolutional]
filters = 3
kernel_size = 1
{Net}
[net]
channels = 3
[two]
"""
PROGRAM = "--preset wide --set width=4 --data faces --allow-outside"
TRAINING = "--device cpu --epochs 1 --limit-batches 1 --seed 3 --workers 0 --precision f32"

INVOCATIONS = [
    f"check net.cfg --format json {PROGRAM}",
    f"summary net.cfg --format json --depth 1 --sort macs --batch-size 2 --precision bf16 {PROGRAM}",
    f"plan net.cfg --format json {PROGRAM}",
    f"graph net.cfg -o a.svg --network Net --depth 1 --labels none --style flow --direction left-right --columns 2 "
    f"--heat macs --link file:{{path}} {PROGRAM}",
    "graph net.cfg -o a.png --training --phase sgd --scale 1",
    "graph net.cfg -o b.svg --expand",
    "graph net.cfg -o c.tex --title Ours --no-frame --legend off --rename Net=Ours --palette grey --font serif "
    "--width 180mm",
    "graph net.cfg net.cfg -o d.svg --no-title --labels none --paper a4",
    "graph boxed.cfg -o e.svg --inset two",
    "diff net.cfg net.cfg --format json -o d.png --allow-outside --expand --scale 1 --preset wide --set width=3 "
    "--preset-a wide --set-a width=5",
    "diff net.cfg net.cfg --preset-b wide --set-b width=5",
    f"train net.cfg --run-dir run2 {TRAINING} --checkpoint-seconds 9 --quiet {PROGRAM}",
    "train --resume run --device cpu --workers 0 --verbose",
    f"sweep net.cfg --over seed=1,2 --jobs 1 --quiet --run-dir swept {TRAINING.replace('--seed 3', '')} {PROGRAM}",
    "sweep net.cfg --over width=1,2 --run-dir swept2 --seed 3 --curve width --verbose",
    "sweep net.cfg --over width=1,2 --run-dir swept3 --launcher slurm --resource timeout_min=5",
    "eval run --weights last --split test --device cpu --workers 0 --limit-batches 1 --format json --predictions p.csv "
    "--data faces --figures drawn --quiet",
    "eval net.cfg --weights run/checkpoints/best.safetensors --preset wide --set width=4 --allow-outside "
    "--data faces --device cpu --workers 0 --verbose",
    "predict net.cfg faces/imgs -o out.csv --annotate shown --weights run/checkpoints/best.safetensors --device cpu "
    f"--batch-size 2 --no-turn --max-pixels 999999 --overwrite --on-error skip --quiet {PROGRAM}",
    "predict run faces/imgs --format text --verbose",
    "generate run -n 3 -o drawn1 --seed 1 --batch-size 2 --device cpu --weights run/checkpoints/last.safetensors "
    "--set noise=0 --quiet",
    "generate run -n 2 -o drawn3 --between 1",
    "generate given -o drawn2 --from frames --no-turn --max-pixels 999999 --verbose",
    "predict run faces/imgs --frames 3",
    "predict run faces/imgs --tiles 3 --overlap 1",
    "predict run faces/imgs --tta flip --ensemble mean",
    "eval run --tta flip --ensemble mean",
    "flow frames -o flow --method dis --encoding fixed --limit 3 --size 16 --format png --jobs 1 --overwrite "
    " --no-turn --max-pixels 999999 --quiet",
    "flow frames -o flow2 --verbose",
    "data make audetnet made --from synthetic_faces --images 6 --subjects 3 --seed 1 --image-size 16 --labels "
    "intensities --folds 3 --fold 1 --quiet",
    "data make audetnet made2 --from disfa nowhere --every 2 --first-frame 0 --no-turn --max-pixels 999999",
    "data make audetnet made3 --overwrite",
    "data make audetnet made4 --images 3 --subjects 3 --image-size 16 --verbose",
    "data convert faces/aus_dict.pkl -o aus.csv --action-units disfa",
    f"data show net.cfg --split test --count 2 -o sheet.png {PROGRAM}",
    "data show net.cfg --augmented -o sheet.png",
    "data show faces --source audetnet_folder --action-units disfa --no-turn --max-pixels 999999 --all",
    "convert run/checkpoints/best.safetensors -o w.safetensors --cfg net.cfg --layout netcfg --to netcfg --network Net "
    f"--partial --verbose {PROGRAM}",
    "convert run/checkpoints -o w2.safetensors --cfg net.cfg --layout audetnet --epoch 1",
    "export run -o exported_run.py --to py --network Net --weights run/checkpoints/best.safetensors --quiet",
    f"export net.cfg -o exported.py --bf16 --optimise --with-preprocessing --verbose {PROGRAM}",
    "table run run2 --rows program --columns metric --metric accuracy --split validation --digits 2 --percent "
    "--caption Runs --label tab:runs --format booktabs -o runs.tex",
    "table run run2 --rows metric --columns program --test",
    "table run --picture bar -o drawn.svg",
    "compare run run2 --all --format json",
    "report run run2 -o page.html",
    "new --name Mine --task expression --size small -o mine.cfg",
    "doctor --format json",
    "completion bash",
    "blocks convolutional",
    "blocks --verify momu",
    "blocks --markdown",
    "explain NC101",
    "zoo alexnet -o alexnet.cfg --keep-includes",
    f"fmt --expand net.cfg {PROGRAM}",
    "fmt --check net.cfg",
]
FAILING = {
    "made2",
    "made3",
    "w2.safetensors",
    "diff",
    "sweep",
    "fmt --check",
    "--frames 3",
    "--tiles 3",
    "--ensemble mean",
    "--columns program --test",
}
"""Lines with this in them end with 1, and yet read all options: what they name is missing, differs or is not run."""


class Recording(argparse.Namespace):
    """Remembers what was asked for, since the command itself began."""

    def __getattribute__(self, name: str) -> Any:
        if name == "run":
            object.__getattribute__(self, "__dict__")["asked"] = set()
        elif not name.startswith("_") and name != "asked":
            object.__getattribute__(self, "__dict__").setdefault("asked", set()).add(name)
        return object.__getattribute__(self, name)


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"netcfg.cli.{command}").add_arguments(parser)
    return parser


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All options of a command, and of its verbs."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from actions(verb)
        elif not isinstance(action, argparse._HelpAction):
            yield action


def given_in(invocation: str) -> set[str]:
    """The options written in a line."""
    return {word for word in invocation.split() if word.startswith("-")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program, a folder of data, and frames."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "net.cfg").write_text(NET)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["data", "make", "audetnet", "faces", "--images", "6", "--image-size", "16"]) == 0
        assert main(f"train net.cfg --run-dir run {TRAINING} --preset wide --set width=4".split()) == 0
        shutil.copytree("run", "given")
        resolved = Path("run/resolved.cfg").read_text().partition("{Generation}")[0]
        Path("given/resolved.cfg").write_text(resolved + GIVEN)
        (folder / "frames").mkdir()
        (folder / "boxed.cfg").write_text(BOXED)
        for number in range(3):
            cv2.imwrite(f"frames/{number}.png", np.full((16, 16, 3), 40 * number, np.uint8))
    return folder


def test_every_option_is_given_somewhere_below() -> None:
    for command in COMMANDS:
        given = set().union(*(given_in(line) for line in INVOCATIONS if line.split()[0] == command))
        missing = [
            action.option_strings
            for action in actions(parser_of(command))
            if action.option_strings and not given & set(action.option_strings)
            if action.dest != "compile"  # takes minutes
        ]
        assert not missing, (command, missing)


@pytest.mark.parametrize("invocation", INVOCATIONS, ids=lambda line: " ".join(line.split()[:3]))
def test_what_is_given_is_read(invocation: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    words = invocation.split()
    if words[0] == "sweep":
        from netcfg.trainers.sweeps.sweep import Sweep

        monkeypatch.setattr(Sweep, "work", lambda self, *told: [self.command(self.runs[0], 0, False)] != [])
    options = Recording()
    parser = command_line._parser(words)
    parse = parser.parse_known_args
    monkeypatch.setattr(parser, "parse_known_args", lambda arguments: parse(arguments, options))
    monkeypatch.setattr(command_line, "_parser", lambda arguments: parser)
    code = main(words)
    fails = any(part in invocation for part in FAILING)
    assert code == int(fails)
    dests = {
        option: action.dest for action in actions(parser_of(words[0])) for option in action.option_strings
    }
    unread = [option for option in given_in(invocation) if dests[option] not in options.asked]
    assert not unread


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("fmt net.cfg --preset wide", "`--preset`"),
        ("fmt net.cfg --set width=2", "`--set`"),
        ("fmt net.cfg --data faces", "`--data`"),
        ("fmt net.cfg --allow-outside", "`--allow-outside`"),
        ("fmt net.cfg --expand --check", "--check"),
        ("blocks momu --markdown", "--markdown"),
        ("zoo --keep-includes", "--keep-includes"),
        ("blocks --verify --markdown", "--markdown"),
        ("graph net.cfg -o a.svg --scale 3", "--scale"),
        ("graph net.cfg -o a.pdf --link x", "--link"),
        ("graph net.cfg -o a.dot --columns 3", "--columns"),
        ("graph net.cfg -o a.svg --expand --depth 1", "--expand"),
        ("graph net.cfg -o a.svg --phase sgd", "--phase"),
        ("graph net.cfg -o a.svg --training --heat macs", "--heat"),
        ("diff net.cfg net.cfg --expand", "--expand"),
        ("diff net.cfg net.cfg --scale 3", "--scale"),
        ("diff net.cfg net.cfg --preset wide --preset-a wide --preset-b wide", "--preset"),
        ("eval run --allow-outside", "`--allow-outside`"),
        ("eval run --preset wide", "`--preset`"),
        ("predict run frames --allow-outside", "`--allow-outside`"),
        ("predict run frames --set width=2", "`--set`"),
        ("predict run frames --format csv -o a.csv", "`--format`"),
        ("data show net.cfg --split test", "--split"),
        ("data show faces --count 3", "--count"),
        ("data show faces --augmented -o sheet.png", "--augmented"),
        ("data show faces --allow-outside", "`--allow-outside`"),
        ("data show net.cfg --source audetnet_folder", "--source"),
        ("data make audetnet new --every 2", "--every"),
        ("data make audetnet new --first-frame 0", "--first-frame"),
        ("data make audetnet new --from disfa nowhere --seed 1", "--seed"),
        ("predict run frames --overwrite", "--overwrite"),
        ("predict run run", "nothing is named that is to be predicted"),
        ("table run run", "run is named twice"),
        ("table run --rows nobody", "`nobody`"),
        (
            "convert run/checkpoints/best.safetensors -o run/checkpoints/best.safetensors --cfg net.cfg",
            "read and written",
        ),
        ("flow frames -o new --limit 3", "--limit"),
        ("convert w.safetensors -o v.safetensors --cfg net.cfg --epoch 2", "--epoch"),
    ],
)
def test_what_means_nothing_is_refused(
    command: str, named: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    before = (place / "net.cfg").read_text()
    assert main(command.split()) in (1, 2)
    error = capsys.readouterr().err
    assert named in error.partition("help:")[0]
    assert "Traceback" not in error
    assert (place / "net.cfg").read_text() == before
