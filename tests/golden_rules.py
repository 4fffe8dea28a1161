"""The rules by which golden values were made: a fixed pseudo-random number for every element of every tensor."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


CHUNK = 1 << 16  # numbers that are made at once: they stay in a core's cache


def uniform(name: str, count: int, indices: np.ndarray | None = None) -> np.ndarray:
    """U(name, i) for i = 0..count-1 (or the given indices): float64 in [-1, 1)."""
    if indices is not None:
        return _uniform(name, indices.astype(np.uint32))
    return np.concatenate([chunk for _, chunk in chunks(name, count)] or [np.zeros(0)])


def chunks(name: str, count: int) -> Iterator[tuple[slice, np.ndarray]]:
    """The same, a stretch at a time."""
    for start in range(0, count, CHUNK):
        stretch = slice(start, min(start + CHUNK, count))
        yield stretch, _uniform(name, np.arange(stretch.start, stretch.stop, dtype=np.uint32))


def _uniform(name: str, x: np.ndarray) -> np.ndarray:
    """U(name, i) for an array of indices, which is overwritten."""
    x *= np.uint32(0x9E3779B1)  # wraps modulo 2³², as the rule says
    x += np.uint32(zlib.crc32(name.encode()))
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


def img01(name: str, shape: tuple[int, int, int, int]) -> Tensor:
    """A picture from 0 to 1."""
    return ((two_scale(name, shape).double() + 1) / 2).float()


def filled(key: str, shape: Iterable[int], gain: float, has_running_mean: bool) -> Tensor | None:
    """The value of a tensor by its original name; None for counters."""
    sizes = tuple(shape)
    if key.endswith("num_batches_tracked"):
        return None
    value = np.empty(prod(sizes), dtype=np.float32)
    for stretch, u in chunks(key, value.size):
        value[stretch] = _value(key, sizes, u, gain, has_running_mean)
    return torch.from_numpy(value).reshape(sizes)


def _value(
    key: str, sizes: tuple[int, ...], u: np.ndarray, gain: float, has_running_mean: bool
) -> np.ndarray:
    if key.endswith("stn.fc_loc.2.weight"):
        return 0.1 * float(np.sqrt(3 / 32)) * u
    if key.endswith("stn.fc_loc.2.bias"):
        return np.array([1, 0, 0, 0, 1, 0]) + 0.1 * u
    if key.endswith("running_mean"):
        return 0.1 * u
    if key.endswith("running_var"):
        return 1 + 0.5 * u**2
    if key.endswith(".weight") and len(sizes) > 1:
        times = 8 if key.endswith("alpha.0.weight") else 2 if key.endswith("beta.0.weight") else 1
        return times * float(np.sqrt(3 * gain / prod(sizes[1:]))) * u
    if key.endswith(".weight"):
        return 1 + 0.1 * u if has_running_mean else 0.25 + 0.1 * u
    if key.endswith(".bias"):
        return 0.1 * u
    raise AssertionError(key)


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
    flat = found.detach().reshape(-1).numpy()
    absmax = record["absmax"]
    error = record.get("f32_err")
    tolerance = default_tolerance * absmax if error is None else max(10 * error, 1e-5 * absmax)
    mean = float(flat.mean(dtype=np.float64))
    probe = sum(float(flat[stretch] @ u) for stretch, u in chunks("probe", flat.size)) / flat.size
    assert abs(mean - record["mean"]) <= tolerance
    assert abs(probe - record["probe"]) <= tolerance
    np.testing.assert_allclose(flat[: len(record["first"])], record["first"], atol=tolerance, rtol=0)
    np.testing.assert_allclose(flat[-len(record["last"]) :], record["last"], atol=tolerance, rtol=0)
