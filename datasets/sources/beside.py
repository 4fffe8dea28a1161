"""Points of faces in a file beside each picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.face_crop import read_landmarks
from netcfg.datasets.samples.table_samples import FilePictures, placed
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.blocks.sources.image_list import ImageList

ENDINGS = (".npy", ".pts", ".mat", ".txt")
HELP = (
    "help: netcfg finds no points in pictures; dlib, OpenFace or face_alignment do: write the 68 of each picture as an "
    "array of x, y (`numpy.save`)"
)


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
