"""Writing AUDetNet's data folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from netcfg.datasets.samples.clips import Frame
from netcfg.datasets.samples.label_files import Labels, write_labels
from netcfg.datasets.sources.audetnet_folder import Layout, subject_of
from netcfg.files import write_beside
from netcfg.source import NetcfgError, shown_path

QUALITY = 95  # of JPEG
UNFINISHED = ".unfinished.json"


def new_folder(folder: Path, recipe: Mapping[str, object]) -> Path:
    """An empty folder, or one that was begun by the same recipe and not finished: a record in it says so until it is.

    Raises `NetcfgError` where there is something else in it.
    """
    record = folder / UNFINISHED
    text = json.dumps(recipe, sort_keys=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(iter(folder.iterdir()), None)
        begun = record.read_text("utf-8") if record.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its record is damaged"
        raise NetcfgError(f"cannot make the folder {shown_path(folder)}: {reason}", code="NC804") from None
    if begun is not None and begun != text:
        raise NetcfgError(
            f"{shown_path(folder)} was begun with other options, and is not finished\n"
            "help: the options it was begun with go on; or remove it",
            code="NC803",
        )
    if begun is None and taken is not None:
        raise NetcfgError(
            f"{shown_path(folder)} is not empty, and nothing in it is overwritten\nhelp: name a new folder",
            code="NC803",
        )
    write_beside(record, text.encode())
    return folder


def tested_subjects(subjects: Sequence[str], folds: int, fold: int) -> list[str]:
    """The subjects of the fold that is the test split: dealt out in turn. Raises `NetcfgError` where one is empty."""
    if fold >= folds:
        raise NetcfgError(f"the {folds} folds are numbered 0 to {folds - 1}\nhelp: `--fold 0`", code="NC502")
    tested = list(subjects[fold::folds])
    if not tested or len(tested) == len(subjects):
        raise NetcfgError(
            f"{len(subjects)} subjects in {folds} folds leave training or test without any\n"
            "help: more subjects, or other `--folds`",
            code="NC502",
        )
    return tested


def write_folder(folder: Path, frames: Iterable[Frame], test_subjects: Sequence[str]) -> Iterator[int]:
    """Write pictures as they come, labels and lists at the end; how many frames are done.

    Pictures that are there already, of a call that was stopped, are kept. Raises `NetcfgError` where a file cannot be
    written.
    """
    from netcfg.datasets.pictures.opencv import cv2

    layout = Layout(folder)
    images = layout.place(layout.images)
    images.mkdir(exist_ok=True)
    for half in (*folder.glob(".*.*"), *images.glob(".*")):  # what was being written when it was stopped
        if half.name != UNFINISHED:
            half.unlink()
    ids, rows = [], []
    for frame in frames:
        target = images / f"{frame.id}.jpg"
        if not target.exists():
            picture = cv2.cvtColor(frame.picture, cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            write_beside(target, data.tobytes())
        ids.append(frame.id)
        rows.append(frame.labels)
        yield len(ids)
    if not ids:
        raise NetcfgError(
            "there are no frames to write\nhelp: look at the pictures of the database", code="NC502"
        )
    write_labels(layout.place(layout.labels), Labels.of(ids, np.stack(rows), None, layout.labels))
    tested = set(test_subjects)
    for name, chosen in ((layout.train_ids, False), (layout.test_ids, True)):
        lines = [f"{id}\n" for id in ids if (subject_of(id) in tested) == chosen]
        write_beside(layout.place(name), "".join(lines).encode())
    (folder / UNFINISHED).unlink(missing_ok=True)
