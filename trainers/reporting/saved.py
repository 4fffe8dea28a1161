"""Drawings and arrays as the content of files: the same content for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np


def saved(figure: Any, format: str) -> bytes:
    """A figure of matplotlib as `svg` or `png`, without a date or random ids."""
    from matplotlib import rc_context

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "netcfg"}):
        metadata = {"Date": None} if format == "svg" else None
        figure.savefig(stream, format=format, metadata=metadata)
    return stream.getvalue()


def arrays_file(columns: Mapping[str, Any]) -> bytes:
    """Arrays by name as a compressed .npz."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **columns)
    return stream.getvalue()
