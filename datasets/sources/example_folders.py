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


def write_image_folder(folder: Path, classes: Sequence[str], pictures: int = 8) -> None:
    """A folder for each class, so many pictures in each, of several sizes."""
    for name in classes:
        for number in range(pictures):
            _picture(folder / name / f"{number + 1}.png", name, number, (SIDE + number, SIDE + 2 * number))


def write_image_list(folder: Path) -> Path:
    """A list of two dozen pictures of twelve people: a class, an age that is not always known, two units."""
    rows = ["image,person,mood,age,AU1,AU12"]
    for number in range(24):
        name = f"{number}.png"
        _picture(folder / "pictures" / name, name, number, (SIDE + number, SIDE))
        age = "" if number % 5 == 4 else str(20 + number)
        rows.append(
            f"{name},p{number % 12},{('glad', 'sad')[number % 2]},{age},{number % 2},{number % 3 // 2}"
        )
    _text(folder / "people.csv", rows)
    return folder / "people.csv"


def write_arrays(folder: Path) -> Path:
    """Two dozen pictures of 12 pixels of two classes, and a vector each."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    numbers = np.arange(24) % 2
    np.savez(
        folder / "data.npz",
        images=chance.integers(0, 256, (24, 12, 12), dtype=np.uint8),
        labels=numbers.astype(np.int64),
        measures=chance.random((24, 3), dtype=np.float32),
    )
    return folder / "data.npz"


def write_mnist(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Digits as MNIST's files hold them, 40 to train on and 20 to test; gives the former and their numbers."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    chance, kept = np.random.default_rng(0), []
    for name, count in (("train", 40), ("t10k", 20)):
        pictures = chance.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        numbers = (np.arange(count) % 10).astype(np.uint8)
        # Two zeros, the kind of number, how many axes; their lengths, the high byte first.
        head = bytes((0, 0, 8, 3)) + np.array(pictures.shape, ">i4").tobytes()
        (raw / f"{name}-images-idx3-ubyte").write_bytes(head + pictures.tobytes())
        head = bytes((0, 0, 8, 1)) + np.array([count], ">i4").tobytes()
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(head + numbers.tobytes())
        kept += [pictures, numbers]
    return kept[0], kept[1]


def write_image_pairs(folder: Path, pictures: int = 12) -> None:
    """Pictures with a mask each of two classes on a ground, numbered in grey; 255 is no class."""
    for number in range(pictures):
        mask = np.zeros((SIDE, SIDE + number), np.uint8)
        mask[8:24, 8:40] = 1
        mask[20:40, 24:44] = 2
        mask[:2] = 255
        (folder / "masks").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
        _picture(folder / "images" / f"{number}.jpg", "pair", number, (SIDE, SIDE + number))


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


def write_ck_plus(folder: Path) -> None:
    """CK+ as it is handed out: five people, a sequence of each expression, and one that nobody has named."""
    for subject in ("S005", "S010", "S011", "S014", "S022"):
        for number in range(1, 9):
            sequence = f"{number:03}"
            names = [f"{subject}_{sequence}_{frame:08}" for frame in range(1, 6)]
            for frame, name in enumerate(names):
                _picture(folder / "cohn-kanade-images" / subject / sequence / f"{name}.png", name, frame)
                points = [f"   {1.5 * point % SIDE:.7e}   {point % 40 + 2:.7e}" for point in range(68)]
                _text(folder / "Landmarks" / subject / sequence / f"{name}_landmarks.txt", points)
            place = folder / "Emotion" / subject / sequence
            place.mkdir(parents=True, exist_ok=True)
            if number < 8:
                _text(place / f"{names[-1]}_emotion.txt", [f"   {number:.7e}"])


def write_bu_3dfe(folder: Path) -> None:
    """BU-3DFE as it is handed out: five people, each expression in two strengths, the frontal pictures."""
    for number, subject in enumerate(("F0001", "F0002", "F0003", "M0001", "M0002")):
        for expression in ("AN", "DI", "FE", "HA", "SA", "SU"):
            for strength in (1, 2):
                name = f"{subject}_{expression}{strength:02}WH_F2D.bmp"
                _picture(folder / subject / name, name, number)
        _picture(folder / subject / f"{subject}_NE00WH_F2D.bmp", subject, number)
        _text(folder / subject / f"{subject}_NE00WH_F3D.wrl", ["#VRML V2.0 utf8"])


def write_affectnet(folder: Path) -> None:
    """AffectNet's lists, and pictures in numbered folders; a face in the middle of each."""
    columns = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    for name, copies in (("training.csv", 4), ("validation.csv", 1)):
        rows = [columns]
        for number in range(11 * copies):
            path = f"{number % 3}/{name[:5]}{number}.jpg"
            if number % 11 < 9:
                _picture(folder / "Manually_Annotated_Images" / path, path, number)
            rows.append(f"{path},4,6,40,36,1;2;3;4,{number % 11},0.1,0.2")
        _text(folder / "Manually_annotated_file_lists" / name, rows)
