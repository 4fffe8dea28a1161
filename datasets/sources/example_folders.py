"""Small folders in the layouts that sources read, so that a source can be tried where there are no data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from netcfg.datasets.pictures.opencv import cv2
from netcfg.datasets.samples.subject_folds import BP4D_FOLDS, DISFA_FOLDS

FRAMES = 3
SIDE = 48
FACE = ("8", "40", "8", "40")
"""First row, row after the last, first column, column after the last."""


def write_bp4d(folder: Path, units: Sequence[int]) -> None:
    """BP4D as it is handed out: two subjects of each fold, a clip each, units that come and go."""
    for subject in _some(BP4D_FOLDS, 2):
        lines = [",".join(map(str, (0, *units)))]
        for frame in range(FRAMES):
            lines.append(",".join(map(str, (2440 + frame, *((frame + unit) % 2 for unit in units)))))
            _picture(folder / "2D+3D" / subject / "T1" / f"{2440 + frame}.jpg", subject, frame)
            _text(folder / "Face_Boxes" / subject / "T1" / f"{2440 + frame}.txt", FACE)
        _text(folder / "AUCoding" / f"{subject}_T1.csv", lines)


def write_disfa(folder: Path, units: Sequence[int]) -> None:
    """DISFA as it is handed out, with folders of frames in the place of videos; intensities from 0 to 5."""
    for subject in _some(DISFA_FOLDS, 3):
        for frame in range(FRAMES):
            place = folder / "Videos_LeftCamera" / f"LeftVideo{subject}_comp"
            _picture(place / f"{frame + 1}.jpg", subject, frame)
            _text(folder / "Face_Boxes" / subject / f"{frame + 1}.txt", FACE)
        for unit in units:
            lines = [f"{frame + 1},{(frame * 2 + unit) % 6}" for frame in range(FRAMES)]
            _text(folder / "ActionUnit_Labels" / subject / f"{subject}_au{unit}.txt", lines)


def write_clips(folder: Path, units: Sequence[int]) -> Path:
    """Recordings of six people, folders of frames; gives the file of their labels."""
    lines = [",".join(("clip", "frame", *(f"AU{unit}" for unit in units)))]
    for person in ("anna", "ben", "chloe", "dora", "emil", "fay"):
        for frame in range(FRAMES):
            _picture(folder / person / "smile" / f"{frame + 1}.jpg", person, frame)
            labels = ((frame + unit) % 2 for unit in units)
            lines.append(",".join(map(str, (f"{person}/smile", frame + 1, *labels))))
    _text(folder / "labels.csv", lines)
    return folder / "labels.csv"


def write_clip_folder(folder: Path, classes: Sequence[str]) -> None:
    """A folder for each class, ten clips in each, of two to five frames."""
    for name in classes:
        for clip in range(10):
            for frame in range(2 + clip % 4):
                _picture(folder / name / f"clip_{clip}" / f"{frame + 1}.jpg", f"{name} {clip}", frame)


def write_audetnet(folder: Path, units: Sequence[int], most: int, size: tuple[int, int]) -> str:
    """AUDetNet's data folder, labels from 0 to `most`, pictures of this height and width; gives the file of labels."""
    subjects = ("SN001", "SN002", "SN003", "SN004")
    rows = [",".join(("id", *(f"AU{unit}" for unit in units)))]
    ids: dict[str, list[str]] = {subject: [] for subject in subjects}
    for subject in subjects:
        for frame in range(FRAMES):
            name = f"{subject}_{frame + 1}"
            ids[subject].append(name)
            rows.append(",".join(map(str, (name, *((frame + unit) % (most + 1) for unit in units)))))
            _picture(folder / "imgs" / f"{name}.jpg", subject, frame, size)
    _text(folder / "labels.csv", rows)
    _text(folder / "train_ids.csv", [name for subject in subjects[:-1] for name in ids[subject]])
    _text(folder / "test_ids.csv", ids[subjects[-1]])
    return "labels.csv"


def _some(folds: Iterable[Sequence[str]], count: int) -> list[str]:
    return [subject for fold in folds for subject in fold[:count]]


def _picture(path: Path, name: str, frame: int, size: tuple[int, int] = (SIDE, SIDE)) -> None:
    """A picture that tells whom it is of, and which frame it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng([frame, *name.encode()])
    cv2.imwrite(str(path), chance.integers(0, 256, (*size, 3), dtype=np.uint8))


def _text(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
