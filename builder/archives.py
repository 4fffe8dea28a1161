"""What a PyTorch file may be, looked at before it is opened: its directory says how large its contents become.

`torch.save` packs nothing, so that what is in a file is about as large as the file. One that says otherwise was made
to fill the memory of whoever opens it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MOST_ENTRIES = 100_000
MOST_NESTING = 64
_GROWTH = 2  # of a small file written by somebody's own zip
_ALLOWANCE = 1 << 20


def unfit(path: Path) -> str | None:
    """Why a file is not opened, by its directory; None where nothing speaks against it, or it is no archive."""
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "its directory is damaged"
    if len(entries) > MOST_ENTRIES:
        return f"it holds {len(entries):,} entries, and at most {MOST_ENTRIES:,} are read"
    size, unpacked = path.stat().st_size, sum(entry.file_size for entry in entries)
    if unpacked > _GROWTH * size + _ALLOWANCE:
        return f"its {size:,} bytes would unpack to {unpacked:,}, which no file of weights does"
    return None


def unfit_contents(value: Any) -> str | None:
    """Why what a file held is not taken: containers in each other too deep, tensors larger than their numbers."""
    # Level by level: a recursion is what a file nested deep enough would break.
    level, waiting = 0, [value]
    while waiting:
        level += 1
        if level > MOST_NESTING:
            return f"its containers lie in each other more than {MOST_NESTING} deep"
        large = next((one for one in waiting if isinstance(one, Tensor) and _repeats(one)), None)
        if large is not None:
            return f"a tensor of {large.numel():,} numbers has but {_stored(large):,} of them in the file"
        waiting = [inner for outer in waiting for inner in _inner(outer)]
    return None


def _inner(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _repeats(tensor: Tensor) -> bool:
    """Whether it says to have more numbers than it brings."""
    return tensor.layout == torch.strided and not tensor.is_meta and tensor.numel() > _stored(tensor)


def _stored(tensor: Tensor) -> int:
    return tensor.untyped_storage().nbytes() // max(1, tensor.element_size())
