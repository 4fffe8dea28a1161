"""All that is answered of pictures in a new folder: a table, masks, overlays, points, made pictures, embeddings."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from netcfg.datasets.pictures.opencv import cv2
from netcfg.files import Beside, write_beside
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.cells import attention_columns, attention_rows, points_in_frame
from netcfg.trainers.prediction.drawn import (
    Picture,
    class_map,
    heat_sheet,
    laid_over,
    made_picture,
    mask_png,
    png_of,
    seen_part,
    with_points,
)
from netcfg.trainers.prediction.embeddings import Embeddings
from netcfg.trainers.prediction.files import FileWriter
from netcfg.trainers.prediction.prediction import Prediction, SeenClip
from netcfg.trainers.prediction.strips import strip

TABLE = "predictions.csv"
FRAMES = "frames.csv"
CLIPS = "clips"
OVERLAY = "overlay"
LEAST_SIDE = 256
"""Of pictures with points in them: in smaller ones a point would hide what it marks."""


class FolderWriter:
    """A folder with `predictions.csv`, and of each answer that is one a folder of pictures, subfolders kept.

    `parts/` holds a mask's class numbers at the size of the pictures, `parts_overlay/` the pictures with it laid over
    them, `landmarks/` those with points drawn in, `heatmaps/` a sheet of them, one for each map, `reconstruction/`
    pictures that a network made, at the size it made them. Of embeddings there are `Embedder.npz` and
    `Embedder_projection.png`. Of whole clips there are `frames.csv`, the frames that were seen and how each was
    weighed, and `clips/`, pictures of that.
    Raises `NetcfgError` where the folder holds something, or cannot be written.
    """

    def __init__(
        self, folder: Path, answers: Sequence[Answer], of_several: bool = True, of_clips: bool = False
    ) -> None:
        make_new(folder, "-o")
        self.folder = folder
        self._table = FileWriter(folder / TABLE, answers, "clip" if of_clips else "frame")
        self._frames = FrameTable(folder / FRAMES) if of_clips else None
        self._names = _folder_names(answers)
        self._embeddings = {
            answer: Embeddings(answer.signal) for answer in answers if answer.kind == "embedding"
        }
        self._places = Places(of_several)

    def write(self, prediction: Prediction) -> None:
        """A row, and the pictures."""
        self._table.write(prediction)
        if prediction.clip is not None and self._frames is not None:
            self._frames.write(prediction.file, prediction.clip)
        place = self._places.of(prediction)
        if prediction.clip is not None:
            write_picture(self.folder / CLIPS / place, png_of(strip(prediction)))
        for answer, values in prediction.answers:
            if answer.kind == "embedding":
                self._embeddings[answer].add(prediction, values)
            else:
                self._draw(answer, values, prediction, place)

    def _draw(self, answer: Answer, values: Values, prediction: Prediction, place: str) -> None:
        picture = prediction.frame.image
        name = self._names.get(answer, "")
        match answer.kind:
            case "mask":
                classes = class_map(values, picture.shape[0], picture.shape[1], answer.box)
                write_picture(self.folder / f"{name}/{place}", mask_png(classes))
                write_picture(self.folder / f"{name}_{OVERLAY}/{place}", png_of(laid_over(picture, classes)))
            case "points":
                large, factor = _enlarged(picture)
                points = (points_in_frame(answer, values, prediction) + 0.5) * factor - 0.5
                write_picture(self.folder / f"{name}/{place}", png_of(with_points(large, points)))
            case "map":
                sheet = heat_sheet(seen_part(picture, answer.box), answer.names, values)
                write_picture(self.folder / f"{name}/{place}", png_of(sheet))
            case "picture":
                write_picture(self.folder / f"{name}/{place}", png_of(made_picture(values)))

    def close(self) -> None:
        """The table gets its name, and embeddings are written."""
        self._table.close()
        if self._frames is not None:
            self._frames.close()
        for embeddings in self._embeddings.values():
            embeddings.write(self.folder)


class FrameTable:
    """A row for each frame that was seen of clips, with gates and weights where networks weigh frames."""

    def __init__(self, path: Path) -> None:
        self._beside = Beside(path)
        self._rows = csv.writer(self._beside.stream, lineterminator="\n")
        self._is_new = True

    def write(self, file: str, clip: SeenClip) -> None:
        """The frames of a clip."""
        with self._beside.guard():
            if self._is_new:
                self._rows.writerow(["file", "frame", "timestamp", *attention_columns(clip)])
                self._is_new = False
            self._rows.writerows([file, *row] for row in attention_rows(clip))

    def close(self) -> None:
        """Give the file its name."""
        self._beside.keep()


class Places:
    """Where the pictures of frames go below a folder; names that are `taken` are another's, without their ending."""

    def __init__(self, of_several: bool = True, taken: Iterable[str] = ()) -> None:
        self._of_several = of_several
        self._taken = set(taken)

    def of(self, prediction: Prediction) -> str:
        """Under its own name, of several videos in a folder for each; where that is taken, with its ending."""
        file, frame = PurePosixPath(prediction.file or prediction.frame.path.name), prediction.frame
        is_video = frame.seconds is not None
        if prediction.clip is not None:
            plain, full = file.with_suffix("") if is_video else file, file
            return self._free(str(plain), str(full))
        if is_video and not self._of_several:
            return f"{frame.name}.png"
        plain = file.with_suffix("") / frame.name if is_video else file.with_suffix("")
        full = file / frame.name if is_video else file
        return self._free(str(plain), str(full))

    def _free(self, plain: str, full: str) -> str:
        place = full if plain in self._taken else plain
        self._taken.add(place)
        return f"{place}.png"


def write_picture(path: Path, content: bytes) -> None:
    """Write a file into a folder that is made where it lacks. Raises `NetcfgError` where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NetcfgError(
            f"cannot make the folder {shown_path(path.parent)}: {error.strerror}", code="NC804"
        ) from None
    write_beside(path, content)


def make_new(folder: Path, option: str) -> None:
    """Make a folder, or take an empty one. Raises `NetcfgError` where it holds something, or cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise NetcfgError(
            f"cannot make the folder {shown_path(folder)}: {error.strerror}", code="NC804"
        ) from None
    if not is_empty:
        raise NetcfgError(
            f"{shown_path(folder)} is not empty, and nothing is overwritten\nhelp: name a new folder for `{option}`",
            code="NC803",
        )


def _folder_names(answers: Sequence[Answer]) -> dict[Answer, str]:
    """What the folders of pictures are called: by the field, or where two answers share one with their signal."""
    named = {
        answer: answer.signal if answer.kind == "picture" else answer.target
        for answer in answers
        if answer.kind in ("mask", "map", "points", "picture")
    }
    times = Counter(named.values())
    return {answer: name if times[name] == 1 else f"{answer.signal}_{name}" for answer, name in named.items()}


def _enlarged(picture: Picture) -> tuple[Picture, int]:
    """A small picture with each pixel as a square, and how large that is."""
    factor = max(1, LEAST_SIDE // max(picture.shape[:2]))
    if factor == 1:
        return picture, 1
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST), factor
