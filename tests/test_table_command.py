"""`netcfg table`: figures of finished runs in one table."""

from __future__ import annotations

import json
import re
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
        ("--rows nobody", "none of these runs was told `nobody`"),
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


@pytest.fixture
def folds(tmp_path: Path) -> list[str]:
    """Runs of three programs on six folds each: b is always better than a, c only at times."""
    found = []
    for seed in range(6):
        for name, figure in (
            ("a", 0.5 + 0.01 * seed),
            ("b", 0.6 + 0.013 * seed),
            ("c", 0.6 + 0.013 * seed + (-1) ** seed * (0.02 + 0.003 * seed)),
        ):
            metrics: dict[str, dict[str, float | None]] = {"accuracy": {"accuracy": figure}}
            found.append(str(fake_run(tmp_path / f"{name}{seed}", f"{name}.cfg", seed, metrics)))
    return found


def test_what_is_worse_by_more_than_chance_is_marked(
    folds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("scipy")
    assert main(["table", *folds, "--test"]) == 0
    text = capsys.readouterr().out
    assert "| a.cfg | 0.525 ± 0.019 † |\n| b.cfg | **0.632 ± 0.024**" in text
    # Six pairs, each better: of the 64 ways in which signs could have fallen, two are as uneven.
    assert "a.cfg against b.cfg, accuracy: p = 0.0312 (6 pairs)" in text
    assert "† " not in text.partition("c.cfg")[2].partition("|\n")[0]
    assert main(["table", *folds, "--test", "--format", "booktabs", "--caption", "Faces."]) == 0
    text = capsys.readouterr().out
    assert r"0.525 $\pm$ 0.019$^\dagger$" in text
    assert r"\caption{Faces. $^\dagger$: worse than the best, $p < 0.05$ (Wilcoxon signed rank).}" in text
    assert main(["table", *folds, "--test", "--format", "csv"]) == 0
    rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][-2:] == ["pairs", "p"]
    assert rows[1][-2:] == ["6", "0.03125"]
    assert rows[2][-2:] == ["", ""], "the best is compared with nothing"


def test_one_row_has_nothing_to_be_compared_with(
    folds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    of_a = [folder for folder in folds if Path(folder).name.startswith("a")]
    assert main(["table", *of_a, "--test"]) == 1
    assert "--test compares rows, and there is one: program a.cfg\nhelp: more runs" in capsys.readouterr().err


def test_pairs_are_runs_that_were_told_the_same(folds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy")
    assert main(["table", *folds[3:], "--test"]) == 0
    assert "5 pairs, too few to tell (6 at least)" in capsys.readouterr().out
    result = Path(folds[0], "run.json")
    result.write_text(
        Path(folds[3], "run.json").read_text()
    )  # the first two runs of a are now one fold twice
    assert main(["table", *folds, "--test"]) == 1
    assert "differ in nothing they were told: au 2, seed 1\nhelp:" in capsys.readouterr().err


def test_without_scipy_a_test_is_refused_with_the_install_line(
    runs: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("netcfg.tables.paired.import_module", none)
    assert main(["table", *runs, "--test"]) == 1
    assert "help: `pip install 'netcfg[tables]'`" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["box", "bar"])
def test_a_table_is_drawn_the_same_each_time(kind: str, runs: list[str], tmp_path: Path) -> None:
    words = f"--picture {kind} --columns au --metric accuracy --caption Faces -o".split()
    for name in ("one.svg", "two.svg", "one.pdf", "one.png"):
        assert main(["table", *runs, *words, str(tmp_path / name)]) == 0
    one = (tmp_path / "one.svg").read_text()
    for part in ("a.cfg", "b.cfg", "accuracy", "Faces"):
        assert f"<!-- {part} -->" in one, part
    strip = re.compile(r'(id|xlink:href|clip-path)="[^"]*"')  # Matplotlib draws lots for names of parts
    assert strip.sub("", one) == strip.sub("", (tmp_path / "two.svg").read_text())
    assert (tmp_path / "one.pdf").read_bytes()[:4] == b"%PDF"
    assert (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--picture box", "--picture box: a picture is a file"),
        ("--picture bar -o t.md", "help: `-o FILE.pdf`"),
        ("--test -o t.svg", "--test marks cells of a table"),
        ("--label a -o t.svg", "`--label`: only a LaTeX table has one"),
        ("--format csv -o t.svg", "t.svg is a picture"),
    ],
)
def test_mistakes_of_pictures(
    words: str, said: str, runs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", *runs, *words.split()]) == 1
    assert said in capsys.readouterr().err


def test_programs_of_one_name_keep_their_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures: dict[str, dict[str, float | None]] = {"accuracy": {"accuracy": 0.5}}
    names = ("x/net.cfg", "y/net.cfg", "x/other.cfg")
    runs = [str(fake_run(tmp_path / str(place), name, 0, figures)) for place, name in enumerate(names)]
    assert main(["table", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| x/net.cfg", "| y/net.cfg", "| other.cfg"]


def test_two_runs_are_compared_by_what_differs(runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", runs[0], runs[2]]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["program", "a.cfg", "b.cfg"] in lines
    assert ["test:", "accuracy", "0.500", "0.800", "+0.3"] in lines
    assert ["test:", "other", "1.000", "–"] in lines
    assert not [line for line in lines if line[:1] in (["au"], ["seed"]) or "happy" in line], (
        "they are the same"
    )
    assert main(["compare", runs[0], runs[2], "--all"]) == 0
    assert "happy" in capsys.readouterr().out
    assert main(["compare", *runs, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"]["seed"] == {"a0": "0", "a1": "1", "b0": "0", "b1": "1"}
    assert told["figures"]["test: accuracy"]["b1"] == 0.7
    assert main(["compare", runs[0]]) == 1
    assert "one run is compared with nothing" in capsys.readouterr().err
    resolved = Path(runs[2], "resolved.cfg")
    resolved.write_text(resolved.read_text().replace("batch_size = ", "batch_size = 1"))
    assert main(["compare", runs[0], runs[2]]) == 0
    assert "batch_size" in capsys.readouterr().out
