"""Pictures out of files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netcfg.source import NetcfgError, shown_path

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")


@lru_cache(maxsize=8)
def broken_pictures(paths: tuple[str, ...]) -> frozenset[str]:
    """Those that cannot be read; all are, once a process: an epoch must know its samples before it begins."""
    with ThreadPoolExecutor() as pool:
        readable = pool.map(lambda path: read_picture(path) is not None, paths)
        return frozenset(path for path, good in zip(paths, readable, strict=True) if not good)


def read_picture(path: str | Path) -> NDArray[np.uint8] | None:
    """A picture as uint8 H×W×3, RGB; None where the file is empty, cut short or no picture."""
    from netcfg.datasets.pictures.opencv import cv2

    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    if not data or _is_cut(data):
        return None
    try:
        picture = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:  # dimensions beyond OpenCV's limits
        return None
    return None if picture is None else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _is_cut(data: bytes) -> bool:
    """Whether a JPEG has no end after its last scan; OpenCV would fill what is missing with grey, and say nothing."""
    return data.startswith(b"\xff\xd8") and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")


def broken_picture(path: str) -> NetcfgError:
    return NetcfgError(
        f"{shown_path(path)} cannot be read: it is empty, cut short, or no picture\n"
        "help: put a good copy in its place; `on_error = skip` goes on without such pictures"
    )
