"""Predictions as files, a frame at a time: csv in the column style of OpenFace, or json.

A file is written beside its target and takes its name when it is closed, with whatever frames it holds by then.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from netcfg.files import Beside
from netcfg.source import NetcfgError, did_you_mean
from netcfg.trainers.prediction.answers import Answer
from netcfg.trainers.prediction.prediction import Prediction

JSON_VERSION = 1
ENDINGS = (".csv", ".json")
OPENFACE_COLUMNS = ("frame", "face_id", "timestamp", "confidence", "success")


class Writer(Protocol):
    """Takes predictions in order."""

    def write(self, prediction: Prediction) -> None:
        """The next frame."""

    def close(self) -> None:
        """No more frames come."""


class CsvWriter:
    """A row per frame: `frame`, `face_id`, `timestamp`, `confidence`, `success` as in OpenFace, then the answers.

    An action unit has `AU12_c`, 1 where it is present, `AU12_p`, its confidence from 0 to 1, and where a network was
    trained on intensities `AU12_r`, from 0 to 5. A class has its name, and a confidence for each. No face is looked
    for: every frame is taken as one, with `confidence` 1. `file` names the picture.
    """

    def __init__(self, stream: TextIO, answers: Sequence[Answer]) -> None:
        self._rows = csv.writer(stream, lineterminator="\n")
        self._stream = stream
        self._columns: list[str] = [*OPENFACE_COLUMNS, *_columns(answers), "file"]

    def write(self, prediction: Prediction) -> None:
        """A row; before the first one, the columns' names."""
        if self._columns:
            self._rows.writerow(self._columns)
            self._columns = []
        cells = [cell for answer, values in prediction.answers for cell in _cells(answer, values)]
        seconds = "" if prediction.frame.seconds is None else f"{prediction.frame.seconds:.3f}"
        self._rows.writerow([prediction.frame.number, 0, seconds, 1, 1, *cells, prediction.frame.path.name])

    def close(self) -> None:
        """Everything is handed on to the stream's owner."""
        self._stream.flush()


class JsonWriter:
    """An object with `version`, `answers` (what can be predicted) and `frames`, an object a line.

    A frame has `frame`, `file`, `timestamp`, and by action unit `{"confidence", "present"}`.
    """

    def __init__(self, stream: TextIO, answers: Sequence[Answer]) -> None:
        self._stream = stream
        head = {"version": JSON_VERSION, "answers": [_described(answer) for answer in answers]}
        stream.write(json.dumps(head)[:-1] + ', "frames": [')
        self._separator = "\n"

    def write(self, prediction: Prediction) -> None:
        """An object."""
        frame: dict[str, Any] = {"frame": prediction.frame.number, "file": prediction.frame.path.name}
        frame["timestamp"] = prediction.frame.seconds
        for answer, values in prediction.answers:
            frame |= _as_json(answer, values)
        self._stream.write(self._separator + json.dumps(frame))
        self._separator = ",\n"

    def close(self) -> None:
        """The brackets that are open."""
        self._stream.write("\n]}\n")
        self._stream.flush()


class FileWriter:
    """One of the above into a file, which appears under its name when it is closed."""

    def __init__(self, path: Path, answers: Sequence[Answer]) -> None:
        expect_ending(path)
        self._beside = Beside(path)
        kind = CsvWriter if path.suffix.lower() == ".csv" else JsonWriter
        self._writer = kind(self._beside.stream, answers)

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


def _columns(answers: Sequence[Answer]) -> list[str]:
    columns = []
    for answer in answers:
        if answer.kind == "class":
            columns += [answer.target, *(f"{answer.target}_{name}_p" for name in answer.names)]
        for name in answer.names if answer.kind == "labels" else ():
            kinds = ("c", "p", "r") if answer.graded else ("c", "p")
            columns += [f"{_padded(name)}_{kind}" for kind in kinds]
    return columns


def _padded(name: str) -> str:
    """`AU4` as OpenFace writes it: `AU04`."""
    unit = re.fullmatch(r"AU(\d)", name)
    return f"AU0{unit[1]}" if unit else name


def _cells(answer: Answer, values: Any) -> list[str]:
    if answer.kind == "class":
        return [answer.names[int(values.argmax())], *(f"{value:.4f}" for value in values)]
    cells = []
    for value, above in zip(values, answer.present_above, strict=True):
        cells += [str(int(value > above)), f"{value:.4f}"]
        cells += [f"{5 * value:.2f}"] if answer.graded else []
    return cells


def _described(answer: Answer) -> dict[str, Any]:
    described = {"signal": answer.signal, "kind": answer.kind, "names": list(answer.names)}
    return described | ({"present_above": list(answer.present_above)} if answer.kind == "labels" else {})


def _as_json(answer: Answer, values: Any) -> dict[str, Any]:
    numbers = {name: round(float(value), 6) for name, value in zip(answer.names, values, strict=True)}
    if answer.kind == "class":
        return {answer.target: {"name": max(numbers, key=numbers.__getitem__), "confidences": numbers}}
    return {
        name: {"confidence": value, "present": value > above}
        | ({"intensity": round(5 * value, 6)} if answer.graded else {})
        for (name, value), above in zip(numbers.items(), answer.present_above, strict=True)
    }
