"""Frames of the face databases as they are handed out: DISFA, BP4D, and drawn faces in their place.

Each reader lists its clips first (cheap; what is missing is told at once) and then gives frames one at a time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.picture_files import VIDEOS
from netcfg.datasets.pictures.reading import ORDINARY, Reading
from netcfg.datasets.samples.clips import Clip, Database, Frame, files_by_number
from netcfg.datasets.samples.label_files import read_csv_rows
from netcfg.datasets.samples.pairing import Pairing
from netcfg.datasets.sources.audetnet_folder import MAX_INTENSITY
from netcfg.datasets.sources.synthetic_faces import BP4D_AUS, DISFA_AUS, SyntheticFaces
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted, named

UNCODED = (9, -1)  # what could not be seen: BP4D's code, and that of lists made from it
PRESENT_FROM = 2  # DISFA's intensity from which a unit counts as shown, where occurrence is wanted


# --- DISFA ------------------------------------------------------------------------------------------------


def disfa(folder: Path, occurrence: bool = False, units: Sequence[int] = DISFA_AUS) -> Database:
    """DISFA: `Videos_LeftCamera/LeftVideoSN001_comp.avi`, `ActionUnit_Labels/SN001/SN001_au1.txt`, landmarks
    anywhere below `Landmark_Points/SN001`.

    Labels are intensities 0 to 5, or with `occurrence` 1 from 2 on. Pictures may also be folders of frames. Intensities
    of -1 and 9 stand for frames that could not be coded, which are left out.
    """
    root = _part(folder, "ActionUnit_Labels", "DISFA")
    videos = _part(folder, "Videos_LeftCamera", "DISFA", "Images_LeftCamera", "Video_LeftCamera")
    database, uncoded = Database(tuple(units), []), 0
    for labels in (path for path in visible(root) if path.is_dir()):
        pictures = _pictures_of(labels.name, videos)
        if pictures is None:
            database.notes.append(f"{labels.name} has labels and no video in {shown_path(videos)}: left out")
            continue
        intensities, without = _disfa_labels(labels, units)
        uncoded += without
        if occurrence:
            intensities = {
                number: (row >= PRESENT_FROM).astype(np.float32) for number, row in intensities.items()
            }
        landmarks = files_by_number(folder / "Landmark_Points" / labels.name, (".pts", ".mat", ".txt"))
        # landmark files count from 0 where one is called 0, frames from 1
        shift = 1 if 0 in landmarks else 0
        landmarks = {number + shift: path for number, path in landmarks.items()}
        clip = Clip(labels.name, labels.name, pictures, intensities, landmarks, place=labels.name)
        database.clips.append(clip)
    _note_uncoded(database, uncoded)
    return _with_clips(database, folder, "DISFA")


def _disfa_labels(folder: Path, units: Sequence[int]) -> tuple[dict[int, NDArray[np.float32]], int]:
    """Intensities by frame number, which counts from 1: a file `frame,intensity` for each unit.

    Also how many frames were not fully coded.
    """
    columns = [_frame_values(_unit_file(folder, unit)) for unit in units]
    shared = reduce(np.intersect1d, (frames for frames, _ in columns))
    rows = np.stack([values[np.searchsorted(frames, shared)] for frames, values in columns], axis=1)
    coded = ~np.isin(rows, UNCODED).any(1)
    labels = dict(zip(shared[coded].tolist(), rows[coded].astype(np.float32), strict=True))
    return labels, int((~coded).sum())


def _unit_file(folder: Path, unit: int) -> Path:
    pattern = re.compile(rf"(?i)au0*{unit}\.txt$")
    path = next((path for path in visible(folder) if pattern.search(path.name)), None)
    if path is None:
        raise NetcfgError(
            f"{shown_path(folder)} has no file of AU{unit}\n"
            f"help: it would be called {folder.name}_au{unit}.txt; `action_units` says which are read",
            code="NC506",
        )
    return path


def _frame_values(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame numbers, ascending, and their intensities. Raises `NetcfgError` with the line that has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy would warn of an empty file, which is refused below
            table = np.loadtxt(path, np.float64, delimiter=",", usecols=(0, 1), ndmin=2, encoding="utf-8-sig")
    except (ValueError, OSError):
        raise _no_intensities(path) from None
    if not table.size:
        raise _no_intensities(path)
    wrong = ~((table[:, 1] >= 0) & (table[:, 1] <= MAX_INTENSITY) | np.isin(table[:, 1], UNCODED))
    if wrong.any() or not np.isfinite(table).all():
        raise _no_intensities(path)
    frames, first = np.unique(table[:, 0].astype(np.int64), return_index=True)
    return frames, table[first, 1]


def _no_intensities(path: Path) -> NetcfgError:
    """What is wrong with a file, and in which line: read slowly, as it is read once."""
    for line, row in read_csv_rows(path):
        try:
            _, intensity = int(row[0]), float(row[1])
        except (ValueError, IndexError):
            return NetcfgError(
                f"{shown_path(path)}:{line}: `{','.join(row)}` is not `frame,intensity`", code="NC505"
            )
        if intensity not in UNCODED and not 0 <= intensity <= MAX_INTENSITY:
            return NetcfgError(
                f"{shown_path(path)}:{line}: an intensity of {intensity:g}, and they reach from 0 to 5",
                code="NC505",
            )
    return NetcfgError(f"{shown_path(path)} holds no lines `frame,intensity`", code="NC505")


def _pictures_of(subject: str, folder: Path) -> Path | None:
    """The subject's video, or folder of frames."""
    for path in visible(folder):
        if subject.lower() in path.stem.lower() and (path.is_dir() or path.suffix.lower() in VIDEOS):
            return path
    return None


# --- BP4D -------------------------------------------------------------------------------------------------


def bp4d(folder: Path, units: Sequence[int] = BP4D_AUS) -> Database:
    """BP4D: `AUCoding/F001_T1.csv`, pictures in `2D+3D/F001/T1/*.jpg` (or `Sequences`, or the folder itself),
    landmarks, if any, below `Landmark_Points/F001/T1`.

    The first line of a .csv names the units, its first column the frames; frames with a wanted unit that was not
    coded (9, or -1) are left out.
    """
    coding = _part(folder, "AUCoding", "BP4D", "AUCoding/AU_OCC", "AU_OCC")
    places = [folder / name for name in ("2D+3D", "Sequences(2D+3D)", "Sequences", ".")]
    database, uncoded = Database(tuple(units), []), 0
    for path in sorted(coding.rglob("*.csv")):
        match = re.fullmatch(r"(?i)([FM]\d+)_(T\d+)(_occ)?", path.stem)
        if match is None:
            continue
        subject, task = match[1].upper(), match[2].upper()
        pictures = next(
            (place / subject / task for place in places if (place / subject / task).is_dir()), None
        )
        if pictures is None:
            database.notes.append(f"{subject} {task} is coded and has no pictures: left out")
            continue
        labels, without = _bp4d_labels(path, units)
        uncoded += without
        landmarks = files_by_number(folder / "Landmark_Points" / subject / task, (".pts", ".mat", ".txt"))
        place = f"{subject}/{task}"
        database.clips.append(Clip(subject, f"{subject}_{task}", pictures, labels, landmarks, place=place))
    _note_uncoded(database, uncoded)
    return _with_clips(database, folder, "BP4D")


def _bp4d_labels(path: Path, units: Sequence[int]) -> tuple[dict[int, NDArray[np.float32]], int]:
    """0 or 1 for each unit by frame number, and how many frames were not fully coded."""
    (line, header), *lines = read_csv_rows(path) or [(1, [])]
    try:
        coded = [int(float(cell)) for cell in header]
    except ValueError:
        raise _no_coding(path, line) from None
    missing = [unit for unit in units if unit not in coded[1:]]
    if missing or not coded:
        there = ", ".join(f"AU{unit}" for unit in coded[1:]) or "none"
        raise NetcfgError(
            f"{shown_path(path)}:{line}: AU{missing[0]} is not coded; there are {there}", code="NC506"
        )
    columns = [coded.index(unit, 1) for unit in units]
    labels = {}
    for line, row in lines:
        try:
            values = [int(float(row[column])) for column in columns]
            frame = int(float(row[0]))
        except (ValueError, IndexError):
            raise _no_coding(path, line) from None
        if not set(values) <= {0, 1, *UNCODED}:
            raise _no_coding(path, line)
        if not set(values) & set(UNCODED):
            labels[frame] = np.array(values, np.float32)
    return labels, len(lines) - len(labels)


def _no_coding(path: Path, line: int) -> NetcfgError:
    return NetcfgError(
        f"{shown_path(path)}:{line}: no coding of BP4D: a line of unit numbers, then a line of 0, 1 or 9 per frame",
        code="NC505",
    )


def _note_uncoded(database: Database, uncoded: int) -> None:
    if uncoded:
        database.notes.append(f"left out for units that were not coded (9): {counted(uncoded, 'frame')}")


# --- drawn faces ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FramesToWrite:
    """Frames of subjects, at most `total` of them; `notes` are complete after the last one."""

    subjects: list[str]
    total: int
    frames: Iterator[Frame]
    notes: list[str]


def database_frames(
    name: str,
    folder: Path,
    *,
    occurrence: bool,
    size: int,
    every: int,
    first_frame: int | None,
    reading: Reading = ORDINARY,
) -> FramesToWrite:
    """Each clip's every so many labelled frames of `disfa` or `bp4d`, cut to the face."""
    database = bp4d(folder) if name == "bp4d" else disfa(folder, occurrence)
    pairing = Pairing(first_frame)
    database.expect_pairs(pairing)
    frames = database.frames(size, every, pairing, reading)
    return FramesToWrite(database.subjects, database.count(every), frames, database.notes)


def drawn_frames(images: int, subjects: int, size: int, seed: int, occurrence: bool = True) -> FramesToWrite:
    """The subjects, and `images` frames of `synthetic_faces` spread over them, with DISFA's action units."""
    length = 8  # a unit rises and falls within a clip: few frames of many clips show more than one whole clip
    clips = -(-images // (2 * subjects))
    kind = "labels" if occurrence else "intensities"
    faces = SyntheticFaces(
        split="all", fields=("image", kind), subjects=max(subjects, 3), clips=clips, clip_length=length,
        image_size=size, action_units=DISFA_AUS, seed=seed,
    )  # fmt: skip
    names = {
        number: f"SN{place + 1:03d}" for place, number in enumerate(sorted(faces.subject_ids())[:subjects])
    }
    places: dict[int, list[int]] = {number: [] for number in names}
    for index in range(len(faces)):
        number = faces.clip_of(index)[0]
        if number in places:
            places[number].append(index)
    shares = [images // subjects + (place < images % subjects) for place in range(subjects)]

    def frames() -> Iterator[Frame]:
        random = np.random.default_rng(seed)
        for (number, indices), share in zip(places.items(), shares, strict=True):
            spread = np.sort(random.choice(len(indices), share, replace=False)).tolist()
            for count, place in enumerate(spread):
                sample = faces[indices[place]]
                yield Frame(f"{names[number]}_{count + 1}", sample["image"], sample[kind])

    return FramesToWrite(list(names.values()), images, frames(), [])


# --- files ------------------------------------------------------------------------------------------------


def _part(folder: Path, name: str, database: str, *others: str) -> Path:
    for candidate in (name, *others):
        if (folder / candidate).is_dir():
            return folder / candidate
    raise NetcfgError(
        f"{shown_path(folder)} has no folder `{name}`\nhelp: give the folder of {database} as it is handed out",
        code="NC506",
    )


def _with_clips(database: Database, folder: Path, name: str) -> Database:
    if not database.count(1):
        reasons = f" ({named(database.notes)})" if database.notes else ""
        raise NetcfgError(f"{shown_path(folder)} holds no labelled frames of {name}{reasons}", code="NC506")
    return database
