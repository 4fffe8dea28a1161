"""The one door to OpenCV, so that a machine without it reads one clear line."""

from typing import Any

try:
    import cv2 as _cv2
except ImportError as error:
    raise ImportError(
        f"OpenCV cannot be loaded ({error}); on a machine without OpenGL's library use "
        "`pip install opencv-python-headless`"
    ) from error

cv2: Any = _cv2  # its type stubs lack functions that exist, and know no element types
