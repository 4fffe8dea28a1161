"""A run as an object: read without torch, as rows, and as a table in a notebook."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_runs import fake_run

import netcfg
from netcfg.cli.main import main
from netcfg.results import Evaluation, Table
from netcfg.source import NetcfgError, ProgramError

FIGURES = {"accuracy": {"accuracy": 0.75, "happy": 0.5}}


def test_a_run_says_what_it_is_and_what_it_reached(tmp_path: Path) -> None:
    run = netcfg.open(fake_run(tmp_path / "a", "faces.cfg", 4, FIGURES))
    assert (run.name, run.settings) == ("faces.cfg", {"au": "5", "seed": "4"})
    assert list(run.program.networks) == ["Mine"]
    assert run.result is not None
    assert run.result.split("test").figure("accuracy") == 0.75
    assert [row["train.loss"] for row in run.to_rows()] == [1.0, 0.5]
    assert run.to_rows()[1]["validation.accuracy"] == 0.75
    assert [row["best"] for row in run.to_rows()] == [False, True]
    assert "<td>0.75</td>" in run._repr_html_()


def test_a_run_that_goes_on_has_no_result_and_half_a_line_is_no_epoch(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)
    (folder / "result.json").unlink()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "tra')
    run = netcfg.open(folder)
    assert run.result is None
    assert [epoch.epoch for epoch in run.epochs] == [1, 2]


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="is no run folder"):
        netcfg.open(tmp_path)
    with pytest.raises(ProgramError, match="does not exist"):
        netcfg.open(tmp_path / "no")
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(ProgramError, match="is damaged, or no file of a run"):
        netcfg.open(tmp_path)


def test_a_run_of_a_newer_version_is_said(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)
    text = (folder / "result.json").read_text().replace('"schema": 2', '"schema": 99')
    (folder / "result.json").write_text(text)
    with pytest.raises(ProgramError, match="schema 99 of a later version"):
        _ = netcfg.open(folder).result


def test_a_program_of_a_newer_version_is_one_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever asks for it; that of an older one, which nobody wrote so, is told as any other."""
    monkeypatch.chdir(tmp_path)
    folder = fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)
    text = (folder / "resolved.cfg").read_text()
    (folder / "resolved.cfg").write_text(text.replace("[convolutional]", "[convolutional]\nwarp = 3", 1))
    (folder / "environment.json").write_text('{"versions": {"netcfg": "9.10.0"}}')
    said = "netcfg 9.10.0 wrote a, and .* does not understand it: `convolutional` has no option `warp`"
    with pytest.raises(ProgramError, match=said) as caught:
        _ = netcfg.open(folder).program
    assert [finding.code for finding in caught.value.findings] == ["NC809"]
    for command in ("export a -o net.py", "eval a", "train --resume a"):
        assert main(command.split()) == 1
        error = capsys.readouterr().err
        assert re.search(said, error), command
        assert "help: `pip install -U netcfg`" in error
    (folder / "environment.json").write_text('{"versions": {"netcfg": "0.0.9"}}')
    with pytest.raises(ProgramError, match="has no option `warp`") as caught:
        _ = netcfg.open(folder).program
    assert [finding.code for finding in caught.value.findings] == ["NC103"]


def test_a_frame_without_pandas_is_refused_with_the_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("netcfg.frames.import_module", none)
    with pytest.raises(NetcfgError, match="help: `pip install pandas`") as caught:
        netcfg.open(fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)).to_frame()
    assert caught.value.code == "NC807"


def test_a_network_that_is_not_there_is_refused_before_torch(tmp_path: Path) -> None:
    run = netcfg.open(fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES))
    with pytest.raises(NetcfgError, match="has no network `Mane`\nhelp: did you mean `Mine`"):
        run.network("Mane")


def test_opening_loads_no_torch(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)
    text = (
        f"import sys, netcfg; run = netcfg.open({str(folder)!r}); run.to_rows(); run.result; run.program; "
        "print([name for name in ('torch', 'numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_a_run_found_is_read_without_the_compiler(tmp_path: Path) -> None:
    """It is what makes opening quick: a program is compiled only when somebody asks for it."""
    folder = fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)
    text = (
        f"import sys, netcfg; run = netcfg.open({str(folder)!r}); run.to_rows(); run.result; run.settings; "
        "print([name for name in ('pydantic', 'lark', 'netcfg.blocks', 'netcfg.passes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_figures_show_themselves_as_tables(tmp_path: Path) -> None:
    result = netcfg.open(fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)).result
    assert result is not None
    assert "<td>0.750</td><td>0.750</td>" in result._repr_html_()
    shown = result.validation._repr_html_()
    assert ">accuracy (happy)<" in shown
    assert "<td>0.750</td>" in shown
    assert "<td>0.500</td>" in shown, "its loss"
    assert result.validation.to_rows()[1] == {"metric": "accuracy", "of": "happy", "figure": 0.5}
    assert Evaluation()._repr_html_() == ""


def test_labels_without_a_figure_are_dashes_and_said(tmp_path: Path) -> None:
    table = Table("f1", 0.5, {"happy": 0.5, "<sad>": None}, undefined={"<sad>": "no positive"})
    shown = Evaluation(tables={"f1": table})._repr_html_()
    assert "&lt;sad&gt;</th><td>–</td>" in shown
    assert "no positive of &lt;sad&gt;" in shown


def test_a_plan_shows_its_phases_and_its_batches(tmp_path: Path) -> None:
    program = netcfg.open(fake_run(tmp_path / "a", "faces.cfg", 0, FIGURES)).program
    planned = netcfg.plan(program)
    assert "On every batch" in str(planned)
    shown = planned._repr_html_()
    assert '<th scope="col">learning rate</th>' in shown
    assert "<pre>On every batch" in shown
    assert repr(planned) == f"<the training step of {program.name}>"


def test_a_program_that_trains_nothing_has_no_plan() -> None:
    with pytest.raises(ProgramError, match="trains nothing"):
        netcfg.plan(
            netcfg.load("{Net}\n[net]\nchannels = 3\n[convolutional]\nkernel_size = 3\nfilters = 2\n")
        )


def test_runs_make_a_table_that_shows_itself(tmp_path: Path) -> None:
    runs = [netcfg.open(fake_run(tmp_path / str(seed), "a&b.cfg", seed, FIGURES)) for seed in (1, 2)]
    table = netcfg.table(runs)
    assert "a&amp;b.cfg</th><td>0.750 ± 0.000</td>" in table._repr_html_()
    assert table.to_rows() == [
        {"program": "a&b.cfg", "metric": "accuracy", "mean": 0.75, "standard_deviation": 0.0, "runs": 2}
    ]


def test_what_netcfg_offers_is_there() -> None:
    module = importlib.import_module("netcfg")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
