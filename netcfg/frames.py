"""Rows of figures as tables of pandas, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from netcfg.source import NetcfgError


def frame_of(rows: Sequence[Mapping[str, Any]], index: str | None = None) -> Any:
    """Rows as a pandas `DataFrame`. Raises `NetcfgError` (NC807) where pandas is not installed."""
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise NetcfgError(
            "pandas is not installed, and `to_frame` makes one of its tables\n"
            "help: `pip install pandas`; `to_rows` gives the same as a list of dictionaries",
            code="NC807",
        ) from None
    frame = pandas.DataFrame(list(rows))
    return frame.set_index(index) if index and len(frame) else frame


__all__ = ["frame_of"]
