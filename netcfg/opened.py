"""A finished or running run as an object, for Python and notebooks: `netcfg.open("runs/net-1")`.

What it has found is read without torch; `network`, `evaluate` and `predict` import it when they are asked.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.frames import frame_of
from netcfg.results import Epoch, Evaluation, Figure, Result
from netcfg.source import Finding, NetcfgError, ProgramError, did_you_mean, shown_path
from netcfg.version import VERSION

if TYPE_CHECKING:
    from torch import nn

    from netcfg.blocks.fields import Split
    from netcfg.program import Program

Row = dict[str, Figure | int | str | bool]
NO_RUN = "NC802"
DAMAGED = "NC809"


class Run:
    """A run's folder: its program, its epochs, and what it reached. Made by `netcfg.open` and `netcfg.train`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.started: Mapping[str, Any] = self._json("run.json")
        """How it was started: the program's name and file, the preset, the settings."""

    def __repr__(self) -> str:
        return f"netcfg.open({str(self.path)!r})"

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.path / name).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise ProgramError([no_run(self.path)]) from None
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            message = f"{shown_path(self.path / name)} is damaged, or no file of a run"
            help = "put it back from where the run was copied"
            raise ProgramError([Finding(DAMAGED, message, help=help)])
        return found

    @property
    def name(self) -> str:
        """What its program is called."""
        return str(self.started.get("program", self.path.name))

    @property
    def settings(self) -> dict[str, str]:
        """The variables that were set for it, and its seed where that was given."""
        pairs = (str(one).partition("=") for one in self.started.get("settings") or ())
        seed = self.started.get("seed")
        return {key.strip(): value.strip() for key, _, value in pairs} | (
            {} if seed is None else {"seed": str(seed)}
        )

    @property
    def environment(self) -> dict[str, Any]:
        """How and where it was last started: command, git state, versions, device; empty where it does not say."""
        return self._json("environment.json") if (self.path / "environment.json").is_file() else {}

    @cached_property
    def program(self) -> Program:
        """The program as it was trained. Raises `ProgramError` where its file is damaged, or of a newer version."""
        from netcfg.compile import check

        program, findings = check(self.path / "resolved.cfg", allow_outside=True)
        if program is None:
            raise ProgramError(not_understood(self.path, findings))
        return program

    @property
    def epochs(self) -> list[Epoch]:
        """Those that have ended, read anew each time: a run may go on. A line that is none is passed over."""
        file = self.path / "metrics.jsonl"
        found: dict[int, Epoch] = {}
        for line in file.read_text("utf-8", "replace").splitlines() if file.is_file() else ():
            try:
                epoch = Epoch.from_json(json.loads(line))
            except (ValueError, TypeError):
                continue
            found[epoch.epoch] = epoch
        return list(found.values())

    @property
    def result(self) -> Result | None:
        """What it reached; None before its end."""
        if not (self.path / "result.json").is_file():
            return None
        try:
            return Result.from_json(self._json("result.json"))
        except (ValueError, TypeError) as error:
            message = f"{shown_path(self.path / 'result.json')} cannot be read: {error}"
            help = "a newer netcfg may have written it: `pip install -U netcfg`"
            raise ProgramError([Finding(DAMAGED, message, help=help)]) from None

    def to_rows(self) -> list[Row]:
        """A row for each epoch: its number, losses (`train.NAME`, `validation.NAME`), metrics, rates, seconds."""
        return [_row(epoch) for epoch in self.epochs]

    def to_frame(self) -> Any:
        """The same as a pandas `DataFrame`, by epoch. Raises `NetcfgError` (NC807) without pandas."""
        return frame_of(self.to_rows(), "epoch")

    def _repr_html_(self) -> str:
        """Its epochs as a table, which notebooks show."""
        rows = self.to_rows()
        columns = [key for key in (rows[0] if rows else {}) if not key.startswith("seconds.")]
        head = "".join(f"<th>{escape(key)}</th>" for key in columns)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(_cell(row.get(key)))}</td>' for key in columns)}</tr>"
            for row in rows
        )
        title = f"{escape(self.name)}, {escape(str(self.path))}"
        return f"<table><caption>{title}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    # --- with torch

    def network(
        self, name: str | None = None, *, weights: str | Path | None = None, device: str = "cpu"
    ) -> nn.Module:
        """A network with the run's best weights, or those of another file, as it is evaluated.

        Raises `NetcfgError` where the program has several networks and none is named.
        """
        names = list(self.program.networks)
        if name is None and len(names) > 1:
            raise NetcfgError(
                f"{self.name} has {len(names)} networks: {', '.join(names)}\nhelp: name one: `network({names[0]!r})`",
                code="NC801",
            )
        chosen = name or names[0]
        if chosen not in names:
            help = did_you_mean(chosen, names) or f"it has {', '.join(names)}"
            raise NetcfgError(f"{self.name} has no network `{chosen}`\nhelp: {help}", code="NC802")
        from netcfg.trainers.machine.devices import choose_device
        from netcfg.trainers.runs.trained import open_run

        trained = open_run(self.path, choose_device(device), Path(weights) if weights else None)
        return trained.networks[chosen].eval()

    def evaluate(
        self, split: Split = "test", *, data: str | None = None, device: str = "auto", workers: int = 0
    ) -> Evaluation:
        """What the run's best weights reach on a split, of its own data or of those in the folder `data`."""
        from netcfg.trainers.judging.examination import Examiner
        from netcfg.trainers.machine.devices import choose_device
        from netcfg.trainers.runs.run_folder import RunFolder
        from netcfg.trainers.runs.trained import chosen_thresholds, program_of_run, weights_of_run

        program = program_of_run(self.path, data)
        examiner = Examiner(program, weights_of_run(self.path), device=choose_device(device), workers=workers)
        return examiner.examine(split, chosen_thresholds(RunFolder(self.path))).evaluation

    def predict(self, source: str | Path, *, device: str = "auto", batch_size: int = 16) -> list[Row]:
        """A row for each frame of a picture, a folder of frames or a video: its number, and what is said of it.

        Of a run on arrays also for each row of a .npz file.
        """
        import csv
        from io import StringIO

        from netcfg.datasets.pictures.frames import open_frames
        from netcfg.trainers.machine.devices import choose_device
        from netcfg.trainers.prediction.files import CsvWriter
        from netcfg.trainers.prediction.prediction import Predictor, predict_frames
        from netcfg.trainers.prediction.rows import RowPredictor, Rows
        from netcfg.trainers.runs.trained import open_run

        chosen = choose_device(device)
        trained, stream = open_run(self.path, chosen), StringIO()
        data = trained.program.data
        if data is not None and Path(source).suffix.lower() in data.source.rows_of:
            of_rows = RowPredictor(trained, chosen)
            predictions = Rows([of_rows], [Path(source)]).predictions(batch_size)
            writer = CsvWriter(stream, of_rows.answers, "row")
        else:
            predictor = Predictor(trained, chosen)
            frames = open_frames(str(source), same_size=bool(predictor.flow), reading=predictor.reading)
            predictions = predict_frames([predictor], frames, batch_size)
            writer = CsvWriter(stream, predictor.answers)
        for prediction in predictions:
            writer.write(prediction)
        stream.seek(0)
        return [{key: _read(cell) for key, cell in row.items()} for row in csv.DictReader(stream)]


def open_run(path: str | os.PathLike[str]) -> Run:
    """The run in a folder. Raises `ProgramError` where it is none (NC802) or damaged (NC809)."""
    return Run(Path(path))


def no_run(path: Path, code: str = NO_RUN) -> Finding:
    """What is said of a folder that is no run's."""
    if not path.exists():
        what = "does not exist"
    else:
        what = "is a file, and no run folder" if path.is_file() else "is no run folder"
    return Finding(
        code,
        f"{shown_path(path)} {what}",
        help="give the folder that `netcfg train` printed, e.g. runs/name-1",
    )


def not_understood(run: Path, findings: Sequence[Finding]) -> list[Finding]:
    """What is said of a run whose program has mistakes: these, or, where a newer netcfg wrote it, that one did."""
    try:
        kept = json.loads((run / "environment.json").read_text("utf-8"))
        written = str(kept["versions"]["netcfg"])
    except (OSError, ValueError, KeyError, TypeError):
        return list(findings)
    wrong = next((finding for finding in findings if finding.severity == "error"), None)
    if wrong is None or _version(written) <= _version(VERSION):
        return list(findings)
    message = (
        f"netcfg {written} wrote {shown_path(run)}, and {VERSION} does not understand it: {wrong.message}"
    )
    return [Finding(DAMAGED, message, wrong.span, help="`pip install -U netcfg`")]


def _version(text: str) -> list[int]:
    """Its numbers, to be compared."""
    return [int(number) for number in re.findall(r"\d+", text.partition("+")[0])]


def _row(epoch: Epoch) -> Row:
    row: Row = {"epoch": epoch.epoch, "step": epoch.step, "best": epoch.best}
    row |= {f"train.{name}": value for name, value in epoch.train.items()}
    row |= {f"validation.{name}": value for name, value in epoch.validation.losses.items()}
    row |= {f"validation.{name}": table.main for name, table in epoch.validation.tables.items()}
    row |= {f"learning_rate.{name}": value for name, value in epoch.learning_rate.items()}
    return row | {f"seconds.{name}": value for name, value in epoch.seconds._asdict().items()}


def _cell(value: Figure | int | str | bool) -> str:
    if value is None:
        return "\u2013"
    if isinstance(value, bool):
        return "*" if value else ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _read(cell: str) -> Figure | int | str:
    if not cell:
        return None
    if cell.isdecimal():
        return int(cell)
    try:
        return float(cell)
    except ValueError:
        return cell


__all__ = ["Row", "Run", "open_run"]
