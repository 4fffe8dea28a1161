"""Which files are pictures and videos, by their endings, and how large a picture may be."""

from __future__ import annotations

PICTURES = (
    ".jpg", ".jpeg", ".png", ".bmp", ".jfif", ".jpe", ".tif", ".tiff", ".webp", ".ppm", ".pgm",
)  # fmt: skip
"""Where two pictures have the same name otherwise, that of the earlier ending is taken."""

UNREAD_PICTURES = (".heic", ".heif", ".avif", ".gif", ".jp2", ".exr", ".hdr", ".dng", ".cr2", ".nef", ".psd")
"""Pictures by their ending, which nothing here reads: they are said to be left out."""

VIDEOS = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")

MAX_PIXELS = 178_956_970
"""More than any camera has; Pillow refuses larger pictures, too."""
