"""Masks out of files: a class for each pixel, by a palette's or a grey picture's numbers, or by colours of a table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.pictures.reading import ORDINARY, Reading, bytes_of, pixels_of
from netcfg.source import NetcfgError, shown_path

Mask = NDArray[Any]
"""H×W, uint8 or uint16."""
_WHOLE = ("P", "L", "1", "I", "I;16", "I;16B", "I;16L")


@dataclass(frozen=True)
class MaskReading:
    """How masks are read: how many classes there are (None: not known), the number that is none, and colours in the
    order of their classes, where masks are painted.
    """

    classes: int | None = None
    ignore: int | None = 255
    colours: tuple[tuple[int, int, int], ...] = ()
    reading: Reading = ORDINARY


def read_mask(path: Path | str, how: MaskReading) -> Mask:
    """The classes of a mask's pixels. Raises `NetcfgError` for what is none, or holds a number that is no class."""
    from PIL import Image

    try:
        # Its header says how large it is: one of a billion pixels must not be unpacked to find that out.
        data = bytes_of(Path(path))
        if len(data) and (pixels_of(data) or 0) > how.reading.max_pixels:
            raise _refused(path, f"it has more than {how.reading.max_pixels:,} pixels", "raise `max_pixels`")
        with Image.open(BytesIO(data)) as image:
            mode = image.mode
            mask = _by_colours(image, path, how) if how.colours else _by_numbers(image, mode, path)
    except NetcfgError:
        raise
    except Exception as error:  # whatever a decoder says of a file that is none of its own
        why = (
            error.strerror
            if isinstance(error, OSError) and error.strerror
            else "it is cut short, or no picture"
        )
        raise _refused(path, why, _remedy(how.reading)) from None
    _expect_classes(mask, path, how)
    return mask


@lru_cache(maxsize=8)
def broken_masks(paths: tuple[str, ...], how: MaskReading) -> frozenset[str]:
    """Those that cannot be read; all are, once a process. One that holds what is no class can be, and is no such."""
    any_number = replace(how, classes=None)

    def is_readable(path: str) -> bool:
        try:
            read_mask(path, any_number)
        except NetcfgError:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        readable = pool.map(is_readable, paths)
        return frozenset(path for path, good in zip(paths, readable, strict=True) if not good)


def _remedy(reading: Reading) -> str:
    return "put a good copy in its place" + (
        "; `on_error = skip` goes on without" if reading.can_skip else ""
    )


def scaled_mask(mask: Mask, size: int) -> Mask:
    """A mask H×W at size×size: of each place the class nearest to its middle."""
    from netcfg.datasets.pictures.opencv import cv2

    if mask.shape == (size, size):
        return mask
    # Plain INTER_NEAREST takes the pixel at a place's upper left corner, and moves masks against their pictures.
    return np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST_EXACT))


def _by_numbers(image: Any, mode: str, path: Path | str) -> Mask:
    """The numbers as they are stored: of a palette its places, of a grey picture its levels."""
    if mode not in _WHOLE:
        if mode == "F":
            raise _refused(
                path,
                "its pixels are floating-point numbers",
                "convert it to whole ones: a class for each pixel",
            )
        grey = np.asarray(image.convert("RGB")) if mode in ("RGB", "RGBA") else None
        if grey is None or not ((grey[..., 0] == grey[..., 1]) & (grey[..., 1] == grey[..., 2])).all():
            raise _refused(
                path,
                "it is a picture in colours, and nothing says which classes these are",
                "`colours` names them in the order of the classes: `colours = 000000, ff0000`",
            )
        return np.ascontiguousarray(grey[..., 0])
    numbers = np.asarray(image)
    if numbers.dtype == bool:
        return numbers.astype(np.uint8)
    if numbers.size and (int(numbers.min()) < 0 or int(numbers.max()) > 65_535):
        raise _refused(path, "it holds numbers beyond 0 to 65535", "classes are numbered from 0")
    return numbers.astype(np.uint8 if not numbers.size or int(numbers.max()) < 256 else np.uint16)


def _by_colours(image: Any, path: Path | str, how: MaskReading) -> Mask:
    rgb = np.asarray(image.convert("RGB")).astype(np.uint32)
    packed = (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]
    known = np.array([(red << 16) | (green << 8) | blue for red, green, blue in how.colours], np.uint32)
    # One search for all pixels: comparing them with colour after colour takes as many passes as there are classes.
    order = np.argsort(known)
    place = np.searchsorted(known[order], packed).clip(max=len(known) - 1)
    found = order[place]
    unknown = known[found] != packed
    if unknown.any():
        colour = int(packed[unknown][0])
        if how.ignore is None:
            raise _refused(
                path, f"it holds the colour {colour:06x}, which is that of no class", "add it to `colours`"
            )
        found = np.where(unknown, how.ignore, found)
    kind = np.uint8 if len(known) < 256 and (how.ignore or 0) < 256 else np.uint16
    return np.asarray(found.astype(kind))


def _expect_classes(mask: Mask, path: Path | str, how: MaskReading) -> None:
    if how.classes is None or not mask.size:
        return
    wrong = mask >= how.classes
    if how.ignore is not None:
        wrong &= mask != how.ignore
    if wrong.any():
        number = int(mask[wrong][0])
        raise NetcfgError(
            f"{shown_path(path)} holds the number {number} ({int(wrong.sum()):,} pixels), which is no class: there are "
            f"{how.classes}, from 0{'' if how.ignore is None else f', and {how.ignore} is ignored'}\n"
            "help: more `classes`, or that number as `ignore`",
            code="NC505",
        )


def _refused(path: Path | str, why: str, help: str) -> NetcfgError:
    return NetcfgError(f"{shown_path(path)} cannot be read as a mask: {why}\nhelp: {help}", code="NC504")
