"""Predictions as files, a frame at a time: csv in the column style of OpenFace, or json; or as lines to read.

A file is written beside its target and takes its name when it is closed, with whatever frames it holds by then.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

from netcfg.files import Beside
from netcfg.source import NetcfgError, did_you_mean, shown_path, shown_text
from netcfg.trainers.prediction.answers import Answer
from netcfg.trainers.prediction.cells import as_json, attention_json, cells, columns, described, sentence
from netcfg.trainers.prediction.prediction import Prediction
from netcfg.words import counted

JSON_VERSION = 1
ENDINGS = (".csv", ".json")
Unit = Literal["frame", "clip", "row"]
"""What is answered: a picture, a whole clip, or a row of a file of arrays."""
FIRST_COLUMNS: Mapping[Unit, tuple[str, ...]] = {
    "frame": ("frame", "face_id", "timestamp", "confidence", "success"),
    "clip": ("frames",),
    "row": ("row",),
}


class Writer(Protocol):
    """Takes predictions in order."""

    def write(self, prediction: Prediction) -> None:
        """The next frame."""

    def close(self) -> None:
        """No more frames come."""


class CsvWriter:
    """A row per frame: `frame`, `face_id`, `timestamp`, `confidence`, `success` as in OpenFace, then the answers.

    See `cells.columns` for those of answers. No face is looked for: every frame is taken as one, with `confidence` 1.
    `file` names the picture, below the folder that all inputs have in common. Of whole clips there is a row for each,
    with `frames`, how many it has, in front; of rows of arrays their number in the file, from 0.
    """

    def __init__(self, stream: TextIO, answers: Sequence[Answer], unit: Unit = "frame") -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._stream = stream
        self._unit = unit
        self._columns: list[str] = [*FIRST_COLUMNS[unit], *columns(answers), "file"]

    def write(self, prediction: Prediction) -> None:
        """A row; before the first one, the columns' names."""
        if self._columns:
            self._rows.writerow(self._columns)
            self._columns = []
        if prediction.clip is not None:
            self._rows.writerow([prediction.clip.frames, *cells(prediction), prediction.file])
            return
        frame = prediction.frame
        if self._unit == "row":
            self._rows.writerow([frame.number, *cells(prediction), prediction.file])
            return
        seconds = "" if frame.seconds is None else f"{frame.seconds:.3f}"
        self._rows.writerow([frame.number, 0, seconds, 1, 1, *cells(prediction), prediction.file])

    def close(self) -> None:
        """Everything is handed on to the stream's owner."""
        self._stream.flush()


class JsonWriter:
    """An object with `version`, `answers` (what can be predicted) and `frames` or `clips`, an object a line.

    A frame has `frame`, `file`, `timestamp`, and what is answered of it, see `cells.as_json`.
    """

    def __init__(self, stream: TextIO, answers: Sequence[Answer], unit: Unit = "frame") -> None:
        self._stream = stream
        self._unit = unit
        head = {"version": JSON_VERSION, "answers": [described(answer) for answer in answers]}
        stream.write(json.dumps(head)[:-1] + f', "{unit}s": [')
        self._separator = "\n"

    def write(self, prediction: Prediction) -> None:
        """An object."""
        frame: dict[str, Any] = {"file": prediction.file}
        if self._unit == "row":
            frame = {"row": prediction.frame.number, **frame}
        elif prediction.clip is None:
            frame = {"frame": prediction.frame.number, **frame, "timestamp": prediction.frame.seconds}
        else:
            frame |= {"frames": prediction.clip.frames, "seen": attention_json(prediction.clip)}
        frame |= as_json(prediction)
        self._stream.write(self._separator + json.dumps(frame))
        self._separator = ",\n"

    def close(self) -> None:
        """The brackets that are open."""
        self._stream.write("\n]}\n")
        self._stream.flush()


class LineWriter:
    """A line to read for each frame: the likeliest classes, labels that are present, numbers, areas of masks."""

    def __init__(self, stream: TextIO, answers: Sequence[Answer], unit: Unit = "frame") -> None:
        self._stream = stream
        self._unit = unit

    def write(self, prediction: Prediction) -> None:
        """Its file, in a video its time, of rows the number, and the answers."""
        seconds = prediction.frame.seconds
        when = "" if seconds is None else f" {seconds:.2f} s"
        if self._unit == "row":
            when = f" row {prediction.frame.number}"
        if prediction.clip is not None:
            when = f", {counted(prediction.clip.frames, 'frame')}"
        parts = (sentence(answer, values) for answer, values in prediction.answers)
        self._stream.write(f"{shown_text(prediction.file)}{when}: {'; '.join(parts)}\n")

    def close(self) -> None:
        """Everything is handed on to the stream's owner."""
        self._stream.flush()


def expect_new(path: Path, option: str = "-o") -> None:
    """Refuse a file that is there."""
    if path.exists():
        raise NetcfgError(
            f"{shown_path(path)} is there already, and nothing is overwritten\n"
            f"help: another name for `{option}`, or `--overwrite`",
            code="NC803",
        )


class FileWriter:
    """One of the above into a file, which appears under its name when it is closed."""

    def __init__(self, path: Path, answers: Sequence[Answer], unit: Unit = "frame") -> None:
        expect_ending(path)
        self._beside = Beside(path)
        kind = CsvWriter if path.suffix.lower() == ".csv" else JsonWriter
        self._writer = kind(self._beside.stream, answers, unit)

    def write(self, prediction: Prediction) -> None:
        """Hand it on."""
        with self._beside.guard():
            self._writer.write(prediction)

    def close(self) -> None:
        """Give the file its name."""
        with self._beside.guard():
            self._writer.close()
        self._beside.keep()


def expect_ending(path: Path) -> None:
    """Refuse a file of another kind."""
    if path.suffix.lower() not in ENDINGS:
        help = did_you_mean(path.suffix.lower(), ENDINGS) or f"`-o {path.stem or 'predictions'}.csv`"
        kinds = " or ".join(ENDINGS)
        raise NetcfgError(f"{path}: predictions are written as {kinds}\nhelp: {help}", code="NC801")
