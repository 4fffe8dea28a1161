"""`netcfg.train`, and what the run that it gives can be asked, as in a notebook."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from small_training import small_training

import netcfg
from netcfg.results import Epoch
from netcfg.source import NetcfgError

TEXT = small_training(metric="f1", monitor="f1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[netcfg.Run, list[Epoch]]:
    told: list[Epoch] = []
    folder = tmp_path_factory.mktemp("python") / "run"
    run = netcfg.train(netcfg.load(TEXT), folder, each_epoch=told.append, device="cpu", workers=0, quiet=True)
    return run, told


def test_it_tells_of_every_epoch_and_gives_the_run(trained: tuple[netcfg.Run, list[Epoch]]) -> None:
    run, told = trained
    assert [one.epoch for one in told] == [1, 2]
    assert [one.train for one in told] == [one.train for one in run.epochs]
    assert run.result is not None


def test_a_run_judges_and_answers(trained: tuple[netcfg.Run, list[Epoch]], tmp_path: Path) -> None:
    run = netcfg.open(trained[0].path)
    assert run.result is not None
    judged = run.evaluate(device="cpu")
    assert judged.tables["f1"].figures == pytest.approx(run.result.split("test").tables["f1"].figures)
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((16, 16, 3), 99 * number, np.uint8))
    rows = run.predict(tmp_path, device="cpu")
    assert [(row["frame"], row["file"]) for row in rows] == [(1, "0.png"), (2, "1.png")]
    assert all(isinstance(row["AU12_p"], float) for row in rows)
    with pytest.raises(NetcfgError, match="there is no"):
        run.predict(tmp_path / "nowhere")
    with pytest.raises(NetcfgError, match="must be one of train, validation, test"):
        run.evaluate("tset", device="cpu")  # type: ignore[arg-type]


def test_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = netcfg.load(TEXT)
    netcfg.train(program, tmp_path / "a", device="cpu", workers=0, epochs=1, quiet=True)
    assert capsys.readouterr().out == ""
    netcfg.train(program, tmp_path / "b", device="cpu", workers=0, epochs=1)
    assert "run folder" in capsys.readouterr().out


def test_what_a_callback_raises_ends_the_training_and_leaves_a_run(tmp_path: Path) -> None:
    def stop(epoch: Epoch) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        netcfg.train(netcfg.load(TEXT), tmp_path / "a", each_epoch=stop, device="cpu", workers=0, quiet=True)
    assert [one.epoch for one in netcfg.open(tmp_path / "a").epochs] == [1]


def test_what_cannot_be_trained_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="`epochs` must be at least 1"):
        netcfg.train(netcfg.load(TEXT), tmp_path / "a", epochs=0)
    network = TEXT[TEXT.index("{Net}") : TEXT.index("{Loss}")]
    with pytest.raises(NetcfgError):
        netcfg.train(netcfg.load(network), tmp_path / "a", device="cpu")
    assert not (tmp_path / "a").exists()
