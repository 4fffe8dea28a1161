"""Pictures out of files: turned as they say, 16 bits brought to 8, too large ones refused before they are decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.picture_files import MAX_PIXELS, PICTURES
from netcfg.datasets.pictures.notes import say
from netcfg.files import expect_regular, visible
from netcfg.source import NetcfgError, shown_path

_HARMLESS_BYTES = 16_000  # not even a file of one colour that is shorter unpacks to too many pixels
_FINER = 2
"""How many times finer than it is shown a picture must still be decoded: half a level from the whole one, or one."""
_EXIF_WITHIN = 65_536  # bytes
Least = Callable[[tuple[int, int]], tuple[float, float]]
"""Of a picture's height and width those to which it will be brought down."""
_BIT_DEPTHS = (8, 10, 12, 14, 16)
_PROBED = 16  # pictures of a folder that tell in how many bits all of them are written


@dataclass(frozen=True)
class Reading:
    """How pictures are read: whether one is turned as its EXIF data say, and how many pixels it may have.

    `is_asked`: by a command's options, not by those of a source; messages then name these. `can_skip`: the source has
    an option `on_error`, which goes on without broken ones.
    """

    turns: bool = True
    max_pixels: int = MAX_PIXELS
    is_asked: bool = False
    can_skip: bool = False


ORDINARY = Reading()


@lru_cache(maxsize=8)
def broken_pictures(paths: tuple[str, ...], reading: Reading = ORDINARY) -> frozenset[str]:
    """Those that cannot be read; all are, once a process: an epoch must know its samples before it begins."""
    with ThreadPoolExecutor() as pool:
        readable = pool.map(lambda path: read_picture(path, reading) is not None, paths)
        return frozenset(path for path, good in zip(paths, readable, strict=True) if not good)


def read_picture(
    path: str | Path, reading: Reading = ORDINARY, least: Least | None = None
) -> NDArray[np.uint8] | None:
    """A picture as uint8 H×W×3, RGB; None where it cannot be read (`what_is_wrong_with` says why).

    With `least` it may be smaller, by 2, 4 or 8, where the file can be decoded so.
    """
    try:
        data = bytes_of(Path(path))
    except OSError:
        return None
    if not data or _is_cut(data) or _is_too_large(data, reading):
        return None
    picture = _decoded(data, reading, 1 if least is None else _reduction(data, reading, least))
    if picture is None or picture.dtype.kind == "f":
        return None
    if picture.dtype != np.uint8:
        picture = _in_8_bits(picture, bits_of_folder(str(Path(path).parent)))
    from netcfg.datasets.pictures.opencv import cv2

    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def bytes_of(path: Path) -> bytes:
    """What a picture's file holds. Opening a pipe would wait for a writer, so it is not opened. Errors: `OSError`."""
    expect_regular(path)
    return path.read_bytes()


def expect_picture(
    path: Path | str, reading: Reading = ORDINARY, least: Least | None = None
) -> NDArray[np.uint8]:
    """A picture, RGB, as `read_picture` gives it. Raises `NetcfgError` where it cannot be read."""
    picture = read_picture(path, reading, least)
    if picture is None:
        why, help = what_is_wrong_with(Path(path), reading)
        raise NetcfgError(f"{shown_path(path)} cannot be read: {why}\nhelp: {help}", code="NC504")
    return picture


def what_is_wrong_with(path: Path, reading: Reading = ORDINARY) -> tuple[str, str]:
    """Why a picture could not be read, in words, and what to do about it."""
    good_copy = "put a good copy in its place"
    if reading.can_skip and not reading.is_asked:
        good_copy += "; `on_error = skip` goes on without such pictures"
    if path.is_symlink() and not path.exists():
        return "it is a link to a file that is not there", good_copy
    try:
        data = bytes_of(path)
    except OSError as error:
        return error.strerror or "it cannot be opened", good_copy
    if _is_too_large(data, reading):
        pixels, limit = pixels_of(data) or 0, f"{reading.max_pixels:,}"
        return (
            f"it has {pixels:,} pixels, more than {limit}",
            f"shrink it, or raise `{'--max-pixels' if reading.is_asked else 'max_pixels'}`",
        )
    if not data:
        return "it is empty", good_copy
    if not _is_cut(data):
        if _is_of_fractions(data, reading):
            return (
                "its pixels are floating-point numbers",
                "convert it to 8 or 16 bits, with the range you mean",
            )
    return "it is cut short, or no picture", good_copy


def _is_of_fractions(data: bytes, reading: Reading) -> bool:
    """Whether pixels are stored as floating-point numbers; OpenCV makes no colours of grey ones."""
    from netcfg.datasets.pictures.opencv import cv2, quiet

    picture = _decoded(data, reading)
    if picture is None:
        try:
            with quiet():
                picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return False
    return picture is not None and np.asarray(picture).dtype.kind == "f"


def _decoded(data: bytes, reading: Reading, reduction: int = 1) -> NDArray[Any] | None:
    """H×W×3, BGR, of whatever depth it is stored in; None where it is no picture."""
    from netcfg.datasets.pictures.opencv import cv2, quiet

    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    if reduction > 1:
        flags = {
            2: cv2.IMREAD_REDUCED_COLOR_2,
            4: cv2.IMREAD_REDUCED_COLOR_4,
            8: cv2.IMREAD_REDUCED_COLOR_8,
        }[reduction]
    if not reading.turns:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        with quiet():
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:  # dimensions beyond OpenCV's limits
        return None
    return None if picture is None else np.asarray(picture)


def _is_cut(data: bytes) -> bool:
    """Whether a JPEG has no end after its last scan; OpenCV would fill what is missing with grey, and say nothing."""
    return data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")


def _reduction(data: bytes, reading: Reading, least: Least) -> int:
    """By what a JPEG may be decoded smaller, which leaves out much of the work: 1, 2, 4 or 8."""
    size = size_of_jpeg(data)
    if size is None:
        return 1
    # A picture may lie on its side in its file: then both ways have to do.
    ways = [size, size[::-1]] if reading.turns and b"Exif" in data[:_EXIF_WITHIN] else [size]
    return min(_finest(way, least(way)) for way in ways)


def _finest(size: tuple[int, int], wanted: tuple[float, float]) -> int:
    """By what a size may be divided so that it is still fine enough."""
    fine = [
        by
        for by in (8, 4, 2)
        if all(side >= _FINER * by * need for side, need in zip(size, wanted, strict=True))
    ]
    return fine[0] if fine else 1


# --- size ---------------------------------------------------------------------------------------------------


def _is_too_large(data: bytes, reading: Reading) -> bool:
    if len(data) < _HARMLESS_BYTES and reading.max_pixels >= MAX_PIXELS:
        return False
    return (pixels_of(data) or 0) > reading.max_pixels


def pixels_of(data: bytes) -> int | None:
    """How many pixels a picture says it has, by its first bytes; None where they do not tell."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return int(width * height)
    if data.startswith(b"\xff\xd8"):
        size = size_of_jpeg(data)
        return None if size is None else size[0] * size[1]
    return _pixels_of_other(data)


def size_of_jpeg(data: bytes) -> tuple[int, int] | None:
    """Height and width of the first frame header: segments are passed over by their lengths; None of others."""
    place = 2 if data.startswith(b"\xff\xd8") else len(data)
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        # A frame begins, by whatever method; the three are tables and a marker without use.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return int(height), int(width)
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None


def _pixels_of_other(data: bytes) -> int | None:
    from PIL import Image

    try:
        with Image.open(BytesIO(data)) as image:
            return image.width * image.height
    except Image.DecompressionBombError:
        return (
            2 * (Image.MAX_IMAGE_PIXELS or 0) + 1
        )  # Pillow's own limit, above which it does not say how many
    except Exception:
        return None  # no picture, or of a format that Pillow does not know; OpenCV decides


# --- 16 bits ------------------------------------------------------------------------------------------------


def _in_8_bits(picture: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    # Pictures that were not looked at may go higher than those that told the bits.
    reduced: NDArray[np.uint8] = np.minimum(picture >> (bits - 8), 255).astype(np.uint8)
    return reduced


@lru_cache(maxsize=4096)
def bits_of_folder(folder: str) -> int:
    """In how many bits the 16-bit pictures of a folder are written: the fewest that hold the levels found in it.

    Cameras store 10 or 12 bits, and some programs 8, in files of 16. All pictures of a folder are read alike, else a
    dark frame would become as bright as the others; so a few of them, evenly spread, are looked at first.
    """
    names = [path for path in visible(Path(folder)) if path.suffix.lower() in PICTURES]
    chosen = (
        names if len(names) <= _PROBED else [names[place * len(names) // _PROBED] for place in range(_PROBED)]
    )
    highest = max((_highest_level(path) for path in chosen), default=0)
    bits = next(bits for bits in _BIT_DEPTHS if highest < 2**bits)
    if bits < 16:
        say(
            f"{shown_path(folder)}: 16-bit pictures whose levels reach {highest} are read as pictures of {bits} bits"
        )
    return bits


def _highest_level(path: Path) -> int:
    """The highest level of a 16-bit picture; 0 of others."""
    try:
        data = bytes_of(path)
    except OSError:
        return 0
    if not data or _is_cut(data) or _is_too_large(data, ORDINARY):
        return 0
    picture = _decoded(data, ORDINARY)
    return int(picture.max()) if picture is not None and picture.dtype == np.uint16 else 0
