"""What long commands say: with `--quiet` only what they are for, with `--verbose` a line for every step of theirs."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from rich.console import Console
from small_training import small_training

from netcfg.cli.main import main
from netcfg.trainers.reporting.progress import BarDisplay, Stretch

NET = small_training(
    metric="accuracy",
    batch_size=2,
    max_epochs=1,
    further="{Generation}\n[random]\nname = noise\nshape = 3, 16, 16\n",
)
TRAIN = "train net.cfg --device cpu --workers 0"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program, a run of it, and frames."""
    folder = tmp_path_factory.mktemp("saying")
    (folder / "net.cfg").write_text(NET)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(f"{TRAIN} --run-dir run".split()) == 0
    (folder / "frames").mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"frames/{number}.png"), np.full((16, 16, 3), 40 * number, np.uint8))
    return folder


@pytest.fixture
def said(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What a command writes to stdout and stderr, which must be finished well."""
    monkeypatch.chdir(place)

    def run(command: str) -> tuple[str, str]:
        capsys.readouterr()
        assert main(command.split()) == 0
        return capsys.readouterr()

    return run


def test_train_says_where_the_run_is_or_every_batch(said) -> None:
    assert said(f"{TRAIN} --quiet --run-dir a") == ("a\n", "")
    out, _ = said(f"{TRAIN} --verbose --run-dir b")
    batches = re.findall(r"^epoch 1/1  (\d)/\d .*  loss 0\.\d+", out, re.MULTILINE)
    assert batches == [str(number) for number in range(1, len(batches) + 1)]
    assert len(batches) > 1


def test_eval_gives_its_figures_and_says_every_batch(said) -> None:
    quiet, nothing = said("eval run --split train --device cpu --workers 0 --quiet")
    out, errors = said("eval run --split train --device cpu --workers 0 --verbose")
    assert quiet == out
    assert "accuracy" in quiet
    assert "1/" not in nothing
    assert re.search(r"^train  1/\d", errors, re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("predict run frames -o {} --device cpu", "predicting: 2 of 3 frames"),
        ("generate run -n 3 -o {} --batch-size 1 --device cpu", "making: 2 of 3 batches"),
        ("flow frames -o {} --jobs 1", "flow: 2 of 3 frames"),
        ("data make audetnet {} --images 6 --subjects 3 --image-size 16", "2 of 6 pictures"),
    ],
    ids=lambda text: text.split()[0],
)
def test_what_writes_files_is_silent_or_says_each(command: str, line: str, said) -> None:
    name = command.split()[0]
    assert said(command.format(f"{name}-quiet.csv") + " --quiet") == ("", "")
    out, errors = said(command.format(f"{name}-verbose.csv") + " --verbose")
    assert f"{name}-verbose.csv" in out
    assert line in errors


def test_answers_that_are_printed_are_printed_quietly_too(said) -> None:
    out, errors = said("predict run frames --device cpu --quiet")
    assert len(out.splitlines()) == 4
    assert errors == ""


@pytest.mark.slow
def test_export_is_silent_or_says_what_leaves(said) -> None:
    assert said("export run -o quiet.py --quiet")[0] == ""
    out, _ = said("export run -o verbose.py --verbose")
    assert "Net: 62 parameters\n    takes input: N×3×height×width\n    gives output: N×2\n" in out
    assert re.search(r"verbose\.safetensors: [\d,]+ bytes", out)
    assert re.search(r"built in \d+\.\d s, written and proven in \d+\.\d s", out)


def test_a_sweep_prints_its_tables_or_also_its_commands(
    said, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from netcfg.cli import sweep
    from netcfg.trainers.sweeps.launchers import Ended

    class Here:
        """Each run is done as soon as it is asked for."""

        poll_seconds = 0.0
        takes_back = False

        def ready(self):
            from contextlib import nullcontext

            return nullcontext()

        def start(self, arguments, log, errors):
            errors.write_text("no room\n")
            code = 1 if "3" in arguments else main([*arguments, "--quiet"])
            capsys.readouterr()

            class Done:
                def ended(self):
                    return Ended(code)

            return Done()

    monkeypatch.setattr(sweep, "launcher_of", lambda *asked: Here())
    asked = "sweep net.cfg --device cpu --workers 0 --jobs 1"
    out, errors = said(f"{asked} --over seed=1 --run-dir swept --verbose")
    assert re.search(r"^seed 1: netcfg train net.cfg --run-dir swept/seed=1 .*--seed 1$", out, re.MULTILINE)
    assert "sweep folder" in out
    out, errors = said(f"{asked} --over seed=1 --run-dir swept --quiet")
    assert "accuracy" in out
    assert "sweep folder" not in out
    assert errors == ""
    assert main(f"{asked} --over seed=1,3 --run-dir swept --quiet".split()) == 1
    assert "failed: seed 3\n    no room\n" in capsys.readouterr().err


def test_both_at_once_mean_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main("flow frames -o x --quiet --verbose".split())
    assert "--verbose: not allowed with argument --quiet" in capsys.readouterr().err


def test_no_colour_where_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a terminal; what is bold stays bold."""

    def written() -> str:
        stream = StringIO()
        console = Console(file=stream, force_terminal=True, width=100)
        display = BarDisplay(console)
        display.start(Stretch("epoch 1/2", 3, 1))
        display.advance(2, dict)
        display.close()
        return stream.getvalue()

    colour = re.compile(r"\x1b\[([0-9]+;)*(3[0-8]|4[0-8]|9[0-7])(;[0-9]+)*m")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colour.search(written())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(written())
