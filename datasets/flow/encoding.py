"""Optical flow between two frames, and its picture.

Flow says where each pixel of the first frame lies in the second: H×W×2, x to the right and y down, in pixels. Its
picture is what a network of images can read: red from x, green from minus y, blue 0, no motion 127.

Source: AUNets (Romero, León and Arbeláez 2018), whose flow is Brox's on a GPU; OpenCV offers that in builds with CUDA
only. DIS: Kroeger et al. 2016. Farneback 2003. TV-L1: Zach, Pock and Bischof 2007. DeepFlow: Weinzaepfel et al. 2013.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.flow_choices import DEFAULT_LIMIT, FlowEncoding
from netcfg.datasets.pictures.opencv import cv2
from netcfg.source import NetcfgError

ENCODINGS: tuple[str, ...] = get_args(FlowEncoding)

_DIS_PRESETS = {"dis": "MEDIUM", "dis_fast": "FAST", "dis_ultrafast": "ULTRAFAST"}
_LEAST_DIS_HEIGHT = 32
_LEVEL = 255.0  # the largest value of a channel


def dense_flow(
    first: NDArray[np.uint8], second: NDArray[np.uint8], method: str = "dis"
) -> NDArray[np.float32]:
    """Where each pixel of `first` goes to in `second`.

    Shapes: two H×W×3 RGB (or H×W grey) images -> H×W×2.
    Errors: ValueError for a method not in METHODS; `NetcfgError` where this OpenCV lacks it or cannot do it.
    """
    greys = grey(first), grey(second)
    height, width = greys[0].shape
    _check_size(method, height, width)
    try:
        flow = _finder(method, height, width).calc(*greys, None)
    except cv2.error as error:
        raise _unfit(method, height, width, error.err) from None
    return np.asarray(flow, np.float32)


def _check_size(method: str, height: int, width: int) -> None:
    """DIS chooses its pyramid for small frames by their width; were they lower, it would read beyond them."""
    if method in _DIS_PRESETS and height < min(width, _LEAST_DIS_HEIGHT):
        raise _unfit(method, height, width, f"it needs a height of {min(width, _LEAST_DIS_HEIGHT)}")


def _unfit(method: str, height: int, width: int, reason: str) -> NetcfgError:
    return NetcfgError(
        f"no flow can be found by `{method}` in frames of {height}×{width} (height×width): {reason}\n"
        "help: larger frames, or `farneback`",
        code="NC508",
    )


def encode_flow(
    flow: NDArray[np.floating[Any]], encoding: str = "per_frame", limit: float = DEFAULT_LIMIT
) -> NDArray[np.uint8]:
    """Flow as an RGB image, in which a component w becomes trunc(255 (w + m) / 2m).

    m is in `per_frame` the largest |x| or |y| of this frame, at least 1, and in `fixed` the `limit`, to which larger
    motions are cut.
    Shapes: H×W×2 -> H×W×3.
    """
    values = np.asarray(flow, np.float32)
    if encoding == "fixed":
        scale = np.float32(limit)
        values = np.clip(values, -scale, scale)
    else:
        scale = np.float32(max(1.0, float(values.max(initial=0.0)), -float(values.min(initial=0.0))))
    # Green is minus y, as in AUNets' pictures: `scale - y`, where red has `scale + x`.
    red = _channel(values[..., 0] + scale, scale)
    return picture_of(red, _channel(scale - values[..., 1], scale))


def picture_of(red: NDArray[np.uint8], green: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The RGB image of two channels; blue is 0."""
    return np.asarray(cv2.merge([red, green, np.zeros_like(red)]))


def _channel(shifted: NDArray[np.float32], scale: np.float32) -> NDArray[np.uint8]:
    """From 0..2 `scale` to 0..255; works in place."""
    shifted *= np.float32(_LEVEL)
    shifted /= np.float32(2) * scale
    return shifted.astype(np.uint8)


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The brightness of an RGB image, H×W; a grey image as it is."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image, np.uint8)


def check_method(method: str) -> None:
    """Raise `NetcfgError` where this OpenCV has no such method, ValueError where nobody knows it."""
    _finder(method, 64, 64)


@dataclass(frozen=True, slots=True)
class FlowPictures:
    """From two frames to the picture of their flow, in one way: a method, an encoding, its limit.

    Raises `NetcfgError` where this OpenCV lacks the method.
    """

    method: str = "dis"
    encoding: str = "per_frame"
    limit: float = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        check_method(self.method)

    @property
    def key(self) -> str:
        """Which way it is, and by which OpenCV: equal keys make equal pictures of equal frames."""
        scale = f"fixed {self.limit:g}" if self.encoding == "fixed" else self.encoding
        return f"{self.method} {scale} OpenCV {cv2.__version__}"

    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Shapes: two H×W×3 RGB (or H×W grey) images -> H×W×3. Raises `NetcfgError` where their sizes differ."""
        if first.shape != second.shape:
            sizes = " and ".join(f"{frame.shape[0]}×{frame.shape[1]}" for frame in (first, second))
            raise NetcfgError(
                f"two frames of a clip have the sizes {sizes}; flow needs equal ones", code="NC508"
            )
        return encode_flow(dense_flow(first, second, self.method), self.encoding, self.limit)


# --- methods ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _finder(method: str, height: int, width: int) -> Any:
    """One object per image size: for small images OpenCV changes an object's pyramid, and it stays changed."""
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}; it must be one of {', '.join(METHODS)}")
    return METHODS[method]()


def _dis(preset: str) -> Any:
    return cv2.DISOpticalFlow_create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset}"))


def _farneback() -> Any:
    return cv2.FarnebackOpticalFlow_create(
        numLevels=4, pyrScale=0.5, winSize=15, numIters=3, polyN=5, polySigma=1.1
    )


def _contributed(method: str, maker: str) -> Any:
    """A method out of OpenCV's extra modules, which come in a wheel of their own."""
    make = getattr(getattr(cv2, "optflow", None), maker, None)
    if make is None:
        raise NetcfgError(
            f"this OpenCV ({cv2.__version__}) has no flow by `{method}`\nhelp: `dis` or `farneback`, or install "
            "opencv-contrib-python in the place of opencv-python",
            code="NC807",
        )
    return make()


METHODS: dict[str, Callable[[], Any]] = {
    **{name: partial(_dis, preset) for name, preset in _DIS_PRESETS.items()},
    "farneback": _farneback,
    "tvl1": partial(_contributed, "tvl1", "DualTVL1OpticalFlow_create"),
    "deepflow": partial(_contributed, "deepflow", "createOptFlow_DeepFlow"),
}
