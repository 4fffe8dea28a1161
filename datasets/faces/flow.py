"""Optical flow between two frames, and its picture.

Source: the AUNets system writes flow from frame i to frame i + 1 as an RGB image under frame i.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.opencv import cv2

_DIS_PRESETS = {"dis": "MEDIUM", "dis_fast": "FAST", "dis_ultrafast": "ULTRAFAST"}
METHODS = (*_DIS_PRESETS, "farneback")


def dense_flow(
    first: NDArray[np.uint8], second: NDArray[np.uint8], method: str = "dis"
) -> NDArray[np.float32]:
    """Where each pixel of `first` goes to in `second`.

    Shapes: two H x W x 3 RGB (or H x W grey) images -> H x W x 2, x and y displacement in pixels.
    Errors: ValueError for a method not in METHODS.
    """
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}; it must be one of {', '.join(METHODS)}")
    grey = _grey(first), _grey(second)
    if method == "farneback":
        start = np.zeros((*grey[0].shape, 2), np.float32)
        flow = cv2.calcOpticalFlowFarneback(*grey, start, 0.5, 4, 15, 3, 5, 1.1, 0)
    else:
        flow = _dis(method, *grey[0].shape).calc(*grey, None)
    return np.asarray(flow, np.float32)


def encode_flow(flow: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Flow as an RGB image: red from x, green from minus y, blue 0; no motion is 127.

    Each frame has its own scale m = max(1, largest |x| or |y|): a channel is trunc(255 (w + m) / (2 m)).
    Shapes: H x W x 2 -> H x W x 3.
    """
    values = np.asarray(flow, np.float32)
    scale = np.float32(max(1.0, float(np.abs(values).max(initial=0.0))))
    picture = np.zeros((*values.shape[:2], 3), np.uint8)
    picture[..., 0] = _channel(values[..., 0], scale)
    picture[..., 1] = _channel(-values[..., 1], scale)
    return picture


def _channel(component: NDArray[np.float32], scale: np.float32) -> NDArray[np.uint8]:
    return (255.0 * (np.clip(component, -scale, scale) + scale) / (2.0 * scale)).astype(np.uint8)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image, np.uint8)


@lru_cache(maxsize=16)
def _dis(method: str, height: int, width: int) -> Any:
    """One object per image size: for small images OpenCV changes an object's pyramid, and it stays changed."""
    return cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{_DIS_PRESETS[method]}"))
