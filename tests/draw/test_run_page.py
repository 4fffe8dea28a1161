"""The page of a run: one file that needs nothing else, and tells what the run's folder holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import Browser, browser, needs_chromium
from fake_runs import fake_run
from PIL import Image

import netcfg
from netcfg.cli.main import main
from netcfg.pages import page, write_page
from netcfg.pages.charts import charts_of_run, charts_of_runs, colour
from netcfg.pages.pictures import MOST_BYTES

__all__ = ["browser"]

FIGURES = {"f1": {"f1": 0.75, "happy": 0.5, "sad": None}, "mae": {"mae": 41.0}}
MATRIX = {
    "name": "confusion <b>",
    "rows": ["happy", "sad"],
    "columns": ["happy", "sad"],
    "cells": [[3, 1], [None, 2]],
    "row_title": "actual",
    "column_title": "predicted",
}
CURVE = {"name": "happy", "x": [0, 0.5, 1], "y": [0, None, 1], "x_title": "false alarms", "picture": "ROC"}


class Tags(HTMLParser):
    """What a page loads, and which of its elements are left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for key, value in attributes if key in ("src", "href", "srcset")]
        if tag not in ("meta", "img", "input", "br", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def whole_run(folder: Path, program: str = "faces.cfg", seed: int = 0) -> Path:
    """A run with everything that a page shows."""
    run = fake_run(folder, program, seed, FIGURES)
    result = json.loads((run / "result.json").read_text())
    result["test"]["matrices"] = {"confusion": MATRIX}
    result["test"]["curves"] = {"happy": CURVE}
    result |= {"seconds": 12.0, "peak_bytes": 1_500_000}
    (run / "result.json").write_text(json.dumps(result))
    state = {"commit": "abc123", "branch": "main", "changed": 2}
    told = {"command": "netcfg train a.cfg --set 'x=<1>'", "git": state, "versions": {"torch": "2.0"}}
    (run / "environment.json").write_text(json.dumps(told))
    (run / "figures").mkdir()
    Image.new("RGB", (3, 2)).save(run / "figures" / "validation_Net_examples.png")
    return run


def text_of(document: str) -> str:
    """What a reader sees of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", document[document.index("<main>") :]))


def test_a_page_loads_nothing_and_closes_what_it_opens(tmp_path: Path) -> None:
    for document in (
        page([netcfg.open(whole_run(tmp_path / "a"))]),
        page([netcfg.open(whole_run(tmp_path / name)) for name in ("b", "c")]),
    ):
        found = Tags(document)
        assert found.open == []
        assert all(one.startswith("data:image/png;base64,") for one in found.loaded)
        assert [word for word in ("url(", "@import", "fetch(") if word in document] == []


def test_a_page_tells_what_the_folder_holds(tmp_path: Path) -> None:
    seen = text_of(page([netcfg.open(whole_run(tmp_path / "a"))]))
    for part in (
        "best epoch 2 of 2, f1 0.750 on validation",
        "2 MB at most",
        "label f1, validation f1, test happy 0.500 0.500 sad – –",
        "mae 41.000 41.000",
        "confusion &lt;b&gt;, test",
        "happy 3 1 sad – 2",
        "netcfg train a.cfg --set &#x27;x=&lt;1&gt;&#x27;",
        "abc123 on main, 2 changed files",
        "torch 2.0",
        "au 1 seed 0",
        "{Optimizer}",
        "training step",
    ):
        assert part in seen, part


def test_curves_over_epochs_share_a_chart_where_their_sizes_allow_it(tmp_path: Path) -> None:
    charts = charts_of_run(netcfg.open(whole_run(tmp_path / "a")))
    lines = {chart.title: [(line.name, list(line.y)) for line in chart.lines] for chart in charts}
    assert lines["loss"] == [("training", [1.0, 0.5]), ("validation", [0.5, 0.5])]
    assert lines["validation metrics: f1"] == [("f1", [0.75, 0.75])]
    assert lines["validation metrics: mae"] == [("mae", [41.0, 41.0])]
    assert {chart.mark for chart in charts} == {2}


def test_runs_are_lines_of_their_own_colour_in_every_chart(tmp_path: Path) -> None:
    runs = [netcfg.open(whole_run(tmp_path / name)) for name in ("a", "b", "c")]
    (runs[1].path / "metrics.jsonl").write_text("")
    charts = charts_of_runs(runs, ["a", "b", "c"])
    assert [chart.title for chart in charts] == [
        "f1, validation",
        "mae, validation",
        "loss, training",
        "loss, validation",
    ]
    told = [{line["name"]: tuple(line["colour"]) for line in chart.to_json()["lines"]} for chart in charts]
    assert told == 4 * [{"a": tuple(colour(0, 3)), "c": tuple(colour(2, 3))}]


@pytest.mark.parametrize("count", [1, 2, 8, 9, 30, 100])
def test_no_two_colours_are_alike(count: int) -> None:
    assert len({tuple(colour(place, count)) for place in range(count)}) == count


def test_several_runs_show_what_differs_and_what_each_reached(tmp_path: Path) -> None:
    runs = [whole_run(tmp_path / "one" / "run", seed=0), whole_run(tmp_path / "two" / "run", seed=1)]
    result = json.loads((runs[1] / "result.json").read_text())
    result["test"]["metrics"] = {"f1": {"f1": 0.5}}
    (runs[1] / "result.json").write_text(json.dumps(result))
    seen = text_of(page([netcfg.open(run) for run in runs]))
    assert "run au seed best epoch f1, test mae, test time" in seen
    assert "one/run 1 0 2 of 2 0.750 41.000 –" in seen
    assert "two/run 2 1 2 of 2 0.500 – –" in seen


def test_a_run_that_goes_on_and_one_whose_program_is_broken_have_pages_as_well(tmp_path: Path) -> None:
    run = whole_run(tmp_path / "a")
    (run / "result.json").unlink()
    (run / "environment.json").unlink()
    (run / "resolved.cfg").write_text("{Net}\n[nothing]\n")
    seen = text_of(page([netcfg.open(run)]))
    assert "not finished, after 2 epochs" in seen
    assert "It cannot be drawn" in seen
    assert "f1, validation" in seen


def test_what_is_too_large_for_a_page_is_named(tmp_path: Path) -> None:
    run = whole_run(tmp_path / "a")
    (run / "samples").mkdir()
    (run / "samples" / "over_time.png").write_bytes(bytes(MOST_BYTES))
    document = page([netcfg.open(run)])
    assert len(document) < MOST_BYTES
    assert "Too large for this page: samples/over_time.png" in document


def test_what_is_in_a_run_cannot_end_the_scripts_data(tmp_path: Path) -> None:
    run = fake_run(tmp_path / "a", "</script><b>.cfg", 0, {"</script>": {"</script>": 0.5}})
    document = page([netcfg.open(run)])
    assert document.count("</script>") == 2
    assert Tags(document).open == []


def test_a_page_takes_no_torch(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from netcfg.pages import write_page
write_page(Path({str(whole_run(tmp_path / "a"))!r}))
print(*({{'torch', 'numpy', 'matplotlib', 'rich'}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_command_writes_a_run_its_own_page_and_several_where_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(whole_run(tmp_path / name)) for name in ("a", "b")]
    assert main(["report", runs[0]]) == 0
    assert (tmp_path / "a" / "index.html").read_text() == page([netcfg.open(runs[0])])
    assert main(["report", *runs, "-o", str(tmp_path / "both.html")]) == 0
    assert (tmp_path / "both.html").is_file()
    assert main(["report", *runs]) == 1
    assert "a page of 2 runs belongs into no run's folder\nhelp: say where" in capsys.readouterr().err
    assert main(["report", *runs, "-o", "both.pdf"]) == 1
    assert "help: `-o both.html`" in capsys.readouterr().err


@needs_chromium
def test_curves_are_pointed_at_and_hidden(browser: Browser, tmp_path: Path) -> None:
    browser.open(write_page(whole_run(tmp_path / "a")).read_text(), dark=True)
    values = "(chart) => [...chart.querySelectorAll('output')].map((one) => one.value)"
    shown = f"[...document.querySelectorAll('.chart')].map({values})"
    assert browser.evaluate("document.documentElement.dataset.theme") == "dark"
    browser.evaluate("document.querySelector('.chart svg').focus()")
    browser.press("ArrowRight", "ArrowRight")
    told = browser.evaluate(shown)
    assert told[0] == ["epoch 2", "0.500", "0.500"]
    assert told[1] == ["epoch 2", "0.750"], "charts over epochs are pointed at together"
    assert told[-1] == ["", ""], "a curve of a metric is not"
    lines = "document.querySelectorAll('.chart')[0].querySelectorAll('path.line').length"
    assert browser.evaluate(lines) == 2
    browser.evaluate("document.querySelector('.legend button').click()")
    assert browser.evaluate(lines) == 1
    assert browser.problems == []


@needs_chromium
@pytest.mark.parametrize("width", [390, 1200])
def test_no_page_is_wider_than_its_window(browser: Browser, tmp_path: Path, width: int) -> None:
    browser.resize(width, 800)
    browser.open(page([netcfg.open(whole_run(tmp_path / name)) for name in ("a", "b")]))
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.resize(1200, 900)
