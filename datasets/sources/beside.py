"""What lies in a file beside each picture: a mask, or points of a face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.face_crop import read_landmarks
from netcfg.datasets.pictures.masks import MaskReading, read_mask, scaled_mask
from netcfg.datasets.samples.table_samples import FilePictures, placed, squared
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.blocks.sources.image_list import ImageList
    from netcfg.blocks.sources.plain_pictures import PlainPictures

ENDINGS = (".npy", ".pts", ".mat", ".txt")
HELP = (
    "help: netcfg finds no points in pictures; dlib, OpenFace or face_alignment do: write the 68 of each picture as an "
    "array of x, y (`numpy.save`)"
)


class Masks:
    """The masks of samples, brought to the size of their pictures."""

    def __init__(
        self, paths: Sequence[str], pictures: FilePictures, section: PlainPictures, how: MaskReading
    ) -> None:
        self.paths, self.pictures, self.how = paths, pictures, how
        self.size, self.fit = section.image_size, section.fit

    def __call__(self, index: int) -> NDArray[Any]:
        """A mask H×W. Raises `NetcfgError` where it is of another size than its picture."""
        mask = read_mask(self.paths[index], self.how)
        size = self.pictures.original(index).shape[:2]
        if mask.shape != size:
            picture = self.pictures.paths[index]
            raise NetcfgError(
                f"{shown_path(Path(self.paths[index]))} is {mask.shape[0]}×{mask.shape[1]}, and its picture "
                f"{shown_path(Path(str(picture)))} {size[0]}×{size[1]}\n"
                "help: a mask has its picture's height and width; where EXIF data turn the picture, `turn = False`",
                code="NC504",
            )
        if self.size is None:
            return mask
        return scaled_mask(squared(mask, self.fit, self.how.ignore or 0), self.size)


def landmark_paths(section: ImageList, pictures: Sequence[str]) -> list[Path]:
    """Where the points of pictures lie, without the ending; [] where none are asked for.

    Raises `NetcfgError` where a picture's path does not have the folder that they stand in the place of.
    """
    if not section.landmark_files:
        return []
    here, there = section.landmark_files
    places = []
    for picture in pictures:
        parts = Path(picture).parts
        if here not in parts[:-1]:
            raise NetcfgError(
                f"`landmark_files` looks for the folder `{here}`, which is not in the path {shown_path(Path(picture))}",
                code="NC506",
            )
        # The last of that name: the folders above are the reader's own.
        at = len(parts) - 2 - parts[-2::-1].index(here)
        places.append(Path(*parts[:at], there, *parts[at + 1 :]).with_suffix(""))
    return places


def landmarks_beside(
    section: ImageList, places: Sequence[Path], pictures: FilePictures, count: int
) -> Callable[[int], NDArray[np.float32]]:
    """The points of a sample by its number, in the pixels of the picture as it is shown."""

    def landmarks(index: int) -> NDArray[np.float32]:
        points = _read(places[index])
        if len(points) != count:
            raise NetcfgError(
                f"{shown_path(_file(places[index]))} has {len(points)} points, and {count} are needed\n{HELP}",
                code="NC505",
            )
        if section.image_size is None:
            return points
        height, width = pictures.original(index).shape[:2]
        return placed(points, height, width, section.image_size, section.fit)

    return landmarks


def _file(place: Path) -> Path:
    for ending in ENDINGS:
        if place.with_suffix(ending).is_file():
            return place.with_suffix(ending)
    raise NetcfgError(
        f"there are no points {shown_path(place.with_suffix(ENDINGS[0]))} of the picture of that name\n{HELP}",
        code="NC506",
    )


def _read(place: Path) -> NDArray[np.float32]:
    return read_landmarks(_file(place)).astype(np.float32)
