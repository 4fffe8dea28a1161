"""The rules by which golden values were made: a fixed pseudo-random number for every element of every tensor."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def uniform(name: str, count: int, indices: np.ndarray | None = None) -> np.ndarray:
    """U(name, i) for i = 0..count-1 (or the given indices): float64 in [-1, 1)."""
    index = np.arange(count, dtype=np.uint32) if indices is None else indices.astype(np.uint32)
    x = index * np.uint32(0x9E3779B1) + np.uint32(
        zlib.crc32(name.encode())
    )  # wraps modulo 2³², as the rule says
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def two_scale(name: str, shape: tuple[int, int, int, int]) -> Tensor:
    """A picture with detail and large areas, N×C×H×W."""
    n, c, h, w = shape
    fine = uniform(name, prod(shape)).reshape(shape)
    plane = np.arange(n * c).reshape(n, c, 1, 1) * 4
    row = (4 * np.arange(h) // h).reshape(1, 1, h, 1)
    column = (4 * np.arange(w) // w).reshape(1, 1, 1, w)
    coarse_index = (plane + row) * 4 + column
    coarse = uniform(name + "/coarse", 0, coarse_index.reshape(-1)).reshape(shape)
    return torch.from_numpy((0.5 * fine + 0.5 * coarse).astype(np.float32))


def filled(key: str, shape: Iterable[int], gain: float, has_running_mean: bool) -> Tensor | None:
    """The value of a tensor by its original name; None for counters."""
    sizes = tuple(shape)
    if key.endswith("num_batches_tracked"):
        return None
    u = uniform(key, prod(sizes)).reshape(sizes)
    if key.endswith("running_mean"):
        value = 0.1 * u
    elif key.endswith("running_var"):
        value = 1 + 0.5 * u**2
    elif key.endswith(".weight") and len(sizes) > 1:
        value = np.sqrt(3 * gain / prod(sizes[1:])) * u
    elif key.endswith(".weight"):
        value = 1 + 0.1 * u if has_running_mean else 0.25 + 0.1 * u
    elif key.endswith(".bias"):
        value = 0.1 * u
    else:
        raise AssertionError(key)
    return torch.from_numpy(value.astype(np.float32))


def fill(state: dict[str, Tensor], original_name: Callable[[str], str], gain: float) -> None:
    """Fill a state dict in place, by the original name of each key."""
    names = {key: original_name(key) for key in state}
    known = set(names.values())
    for key, tensor in state.items():
        prefix = names[key].rpartition(".")[0]
        value = filled(names[key], tensor.shape, gain, f"{prefix}.running_mean" in known)
        if value is not None:
            tensor.copy_(value)


def assert_record(found: Tensor, record: dict[str, Any], default_tolerance: float = 1e-4) -> None:
    """Compare a tensor with its record: shape, mean, weighted mean, first and last values."""
    assert list(found.shape) == record["shape"]
    flat = found.detach().reshape(-1).double().numpy()
    absmax = record["absmax"]
    error = record.get("f32_err")
    tolerance = default_tolerance * absmax if error is None else max(10 * error, 1e-5 * absmax)
    probe = float(np.mean(flat * uniform("probe", flat.size)))
    assert abs(flat.mean() - record["mean"]) <= tolerance
    assert abs(probe - record["probe"]) <= tolerance
    np.testing.assert_allclose(flat[: len(record["first"])], record["first"], atol=tolerance, rtol=0)
    np.testing.assert_allclose(flat[-len(record["last"]) :], record["last"], atol=tolerance, rtol=0)
