"""Small trees in the databases' own layouts, with pictures that tell which frame they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from netcfg.datasets.sources.synthetic_faces import BP4D_AUS, DISFA_AUS

SUBJECTS = ("F001", "F002", "F003", "F005", "F004", "F006", "M003")  # two or three of each fold


def shade(subject: str, frame: int) -> int:
    """The grey of a frame: different for each subject and frame, far enough apart to survive a JPEG."""
    return 20 + 30 * SUBJECTS.index(subject) + 4 * (frame % 7)


def picture(level: int, size: tuple[int, int] = (64, 64), right: bool = True) -> np.ndarray:
    """A grey picture whose right (or left) quarter is black, so that a mirrored one is seen."""
    made = np.full((*size, 3), level, np.uint8)
    quarter = size[1] // 4
    made[:, -quarter:] = 0 if right else level
    if not right:
        made[:, :quarter] = 0
    return made


def write(path: Path, rgb: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def flow_picture(level: int, size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """Its red is twice the frame's number above no motion, its green the grey of the frame."""
    made = np.zeros((*size, 3), np.uint8)
    made[..., 0], made[..., 1] = 127 + level % 40, level
    return made


def write_lists(root: Path, lists: dict[str, list[str]], unit: int = 12, fold: int = 0) -> None:
    """`normal/fold_0/AU12/train.txt`, val.txt and test.txt with these lines."""
    folder = root / "normal" / f"fold_{fold}" / f"AU{unit:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in lists.items():
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))


def write_crops(root: Path, subjects: Iterable[str] = SUBJECTS, frames: int = 4) -> None:
    """`Faces/F001/T1/2440.png` and the same below `Faces_Flow`."""
    for subject in subjects:
        for frame in range(frames):
            level = shade(subject, frame)
            write(root / "Faces" / subject / "T1" / f"{2440 + frame}.png", picture(level))
            write(root / "Faces_Flow" / subject / "T1" / f"{2440 + frame}.png", flow_picture(level))


def crop_lines(subjects: Iterable[str], label: int | None = None, frames: int = 4) -> list[str]:
    """Lines of a list, with paths of another machine; every other frame shows the unit."""
    return [
        f"/home/somebody/BP4D/Faces/{subject}/T1/{2440 + frame}.png {frame % 2 if label is None else label}"
        for subject in subjects
        for frame in range(frames)
    ]


def write_bp4d(root: Path, subjects: Sequence[str] = SUBJECTS, frames: int = 4, shown: int = 2) -> None:
    """BP4D as it is handed out; AU12 is shown in the first `shown` frames. Faces are at rows 20-60, columns 40-80."""
    for subject in subjects:
        rows = [",".join(map(str, (0, *BP4D_AUS)))]
        for frame in range(frames):
            values = [int(unit == 12 and frame < shown) for unit in BP4D_AUS]
            rows.append(",".join(map(str, (2440 + frame, *values))))
            whole = np.zeros((96, 128, 3), np.uint8)
            whole[20:60, 40:80] = shade(subject, frame)
            write(root / "2D+3D" / subject / "T1" / f"{2440 + frame}.png", whole)
            box = root / "boxes" / subject / "T1" / f"{2440 + frame}.txt"
            box.parent.mkdir(parents=True, exist_ok=True)
            box.write_text("20\n60\n40\n80\n")
        (root / "AUCoding").mkdir(exist_ok=True)
        (root / "AUCoding" / f"{subject}_T1.csv").write_text("\n".join(rows) + "\n")


def write_disfa(root: Path, subjects: Sequence[str], frames: int = 6) -> None:
    """DISFA as it is handed out, with videos; each unit's intensity is the frame's number."""
    (root / "Videos_LeftCamera").mkdir(parents=True)
    for place, subject in enumerate(subjects):
        video = cv2.VideoWriter(
            str(root / "Videos_LeftCamera" / f"LeftVideo{subject}_comp.avi"),
            cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48),
        )  # fmt: skip
        for frame in range(frames):
            video.write(np.full((48, 64, 3), 20 * place + 4 * frame, np.uint8))
        video.release()
        folder = root / "ActionUnit_Labels" / subject
        folder.mkdir(parents=True)
        for unit in DISFA_AUS:
            lines = [f"{frame + 1},{min(frame, 5)}\n" for frame in range(frames)]
            (folder / f"{subject}_au{unit}.txt").write_text("".join(lines))
