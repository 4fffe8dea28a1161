"""`netcfg table`: figures of finished runs in one table."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import fake_run

from netcfg.cli.main import main


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Two runs of each of two programs; only the first's have a second metric."""
    found = []
    for name, seed, figure in (("a", 0, 0.5), ("a", 1, 0.6), ("b", 0, 0.8), ("b", 1, 0.7)):
        metrics: dict[str, dict[str, float | None]] = {
            "accuracy": {"accuracy": figure, "happy": 0.25, "sad": None}
        }
        if name == "a":
            metrics["other"] = {"other": 1.0 + seed}
        found.append(str(fake_run(tmp_path / f"{name}{seed}", f"{name}.cfg", seed, metrics)))
    return found


def test_runs_of_a_cell_are_mean_and_deviation_the_best_is_bold_and_what_is_not_there_a_dash(
    runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", *runs]) == 0
    assert capsys.readouterr().out == (
        "| program | accuracy | other |\n| --- | ---: | ---: |\n"
        "| a.cfg | 0.550 ± 0.071 | 1.500 ± 0.707 |\n| b.cfg | **0.750 ± 0.071** | – |\n"
    )


def test_a_variable_makes_columns_for_latex(runs: list[str], tmp_path: Path) -> None:
    words = "--columns au --metric accuracy --percent --digits 1 --caption Faces --label tab:faces"
    assert main(["table", *runs, *words.split(), "-o", str(tmp_path / "t.tex")]) == 0
    text = (tmp_path / "t.tex").read_text()
    assert "\\label{tab:faces}" in text
    assert (
        " & 1 & 2 \\\\\n\\midrule\na.cfg & 50.0 & 60.0 \\\\\nb.cfg & \\textbf{80.0} & \\textbf{70.0} \\\\"
        in text
    )


def test_labels_and_digits_to_the_last_in_csv(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", *runs, "--columns", "label", "--metric", "accuracy", "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "program,label,mean,standard_deviation,runs",
        "a.cfg,happy,0.25,0.0,2",
        "a.cfg,sad,,,0",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--metric acuracy", "no run has a metric `acuracy`\nhelp: did you mean `accuracy`"),
        ("--rows metric", "rows and columns are both `metric`"),
        ("--digits 99", "--digits must be from 0 to 12"),
        ("--caption Faces", "`--caption`: only a LaTeX table has one"),
        ("-o table.doc", "a table is written as .md, .tex or .csv"),
    ],
)
def test_mistakes(words: str, said: str, runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", *runs, *words.split()]) == 1
    assert said in capsys.readouterr().err


def test_what_has_not_finished_is_left_out(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(runs[3], "result.json").unlink()
    assert main(["table", *runs]) == 0
    said = capsys.readouterr()
    assert "has not finished, and is left out" in said.err
    assert "**0.800**" in said.out
    for run in runs[:3]:
        Path(run, "result.json").unlink()
    assert main(["table", *runs]) == 1
    assert "none of these runs has finished" in capsys.readouterr().err
