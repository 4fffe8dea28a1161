"""Reading pickles without running them: containers, numbers, text and numpy arrays, and nothing else.

A pickle is a program that may call anything by its name. Here the names it may use are the few of `_SAFE`, each
replaced by a function of this file that checks what it is given; any other name is refused before anything is
called. Arrays are made by `numpy.frombuffer` from bytes that the file holds, so that none is larger than the
file; dtypes are read as text, never restored by numpy itself, whose own way trusts the file.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from netcfg.files import expect_regular
from netcfg.source import NetcfgError, shown_path

MAX_BYTES = 2 * 1024**3
"""The largest file that is read: ten times what the labels of the large face databases take."""

_NUMBERS = "?biufc"
_TEXTS = "SU"


class _Refused(Exception):
    """The pickle asks for something that is not plain data: the rest of "the file …"."""


class _Dtype:
    """A numpy dtype on its way: made from its text, its byte order may follow in a state."""

    def __init__(self, text: Any, *_: Any) -> None:
        text = _text(text)
        try:
            self.dtype: np.dtype[Any] = np.dtype(text)
        except (TypeError, ValueError):
            raise _Refused(f"holds an array of an unknown type, `{text[:40]}`") from None
        if self.dtype.kind not in _NUMBERS + _TEXTS or self.dtype.fields:
            raise _Refused(f"holds an array of `{text[:40]}`, not of numbers or text")

    def __setstate__(self, state: Any) -> None:
        order = _text(state[1])
        if order in ("<", ">") and self.dtype.kind not in "?bS":
            self.dtype = self.dtype.newbyteorder(order)  # type: ignore[arg-type]


class _Array:
    """A numpy array on its way: empty until its state comes."""

    value: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, by_columns, data = state
        self.value = _array(data, dtype, shape, "F" if by_columns else "C")


class _ArrayType:
    """Stands for the class `numpy.ndarray`, which pickles name but here cannot call."""


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if not isinstance(value, str):
        raise _Refused("is not plain data: a text is something else")
    return value


def _array(data: Any, dtype: Any, shape: Any, order: Any = "C") -> NDArray[Any]:
    """An array over bytes of the file. Raises `_Refused` where bytes, type and shape do not agree."""
    if isinstance(data, str):  # Python 2 wrote bytes as text
        data = data.encode("latin1")
    sizes = (shape,) if isinstance(shape, int) else shape
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
        raise _Refused("holds an array that is not of numbers or text")
    if not isinstance(sizes, tuple) or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise _Refused("holds an array without a shape")
    wanted = prod(sizes) * dtype.dtype.itemsize
    # Before anything is made: a shape alone could ask for all of the memory.
    if wanted != len(data):
        raise _Refused(f"holds an array of {wanted} bytes with {len(data)} bytes of values")
    if 0 in sizes:
        return np.zeros(sizes, dtype.dtype)
    if not wanted:
        raise _Refused("holds an array of text without a length")
    # `astype` also copies: what `frombuffer` gives lies in the file's bytes, which nobody may write to.
    values = np.frombuffer(data, dtype.dtype)
    return values.reshape(sizes, order="F" if order == "F" else "C").astype(dtype.dtype.newbyteorder("="))


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _scalar(dtype: Any, data: Any = None) -> Any:
    return _array(data, dtype, (1,))[0]


def _encode(text: Any, encoding: Any = "latin1", *_: Any) -> bytes:
    """How protocols 0 to 2 write bytes."""
    if _text(encoding).lower().replace("-", "") not in ("latin1", "utf8", "ascii"):
        raise _Refused(f"encodes text as {_text(encoding)[:40]}")
    return _text(text).encode(_text(encoding))


def _bytearray(value: Any = b"", encoding: Any = "latin1") -> bytearray:
    if isinstance(value, int):
        raise _Refused("asks for empty memory")
    return bytearray(value if isinstance(value, bytes) else _encode(value, encoding))


def _bytes(value: Any = b"", encoding: Any = "latin1") -> bytes:
    return bytes(_bytearray(value, encoding))


def _items(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    def made(items: Any = ()) -> Any:
        if not isinstance(items, list | tuple | set | frozenset | dict):
            raise _Refused("is not plain data: the items of a container are something else")
        return kind(items)

    return made


def _default_dict(*arguments: Any) -> dict[Any, Any]:
    return dict(*arguments[1:2])


def _complex(real: Any = 0.0, imaginary: Any = 0.0) -> complex:
    return complex(float(real), float(imaginary))


_SAFE: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _items(dict),
    ("collections", "defaultdict"): _default_dict,
}
for _core in ("numpy.core", "numpy._core"):
    _SAFE[f"{_core}.multiarray", "_reconstruct"] = _reconstruct
    _SAFE[f"{_core}.multiarray", "scalar"] = _scalar
    _SAFE[f"{_core}.numeric", "_frombuffer"] = _array
for _builtins in ("builtins", "__builtin__"):
    for _kind in (list, tuple, set, frozenset, dict):
        _SAFE[_builtins, _kind.__name__] = _items(_kind)
    _SAFE[_builtins, "bytearray"] = _bytearray
    _SAFE[_builtins, "bytes"] = _bytes
    _SAFE[_builtins, "complex"] = _complex


class _PlainUnpickler(pickle._Unpickler):
    """Python's own reader, written in Python: the one in C takes memory on the word of the file."""

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _SAFE[module, name]
        except KeyError:
            raise _Refused(f"would run `{module}.{name}`") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("refers to objects outside it")

    def load_build(self) -> None:
        """Give a state to the two kinds that take one: else a file could change the functions of this one."""
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _Array | _Dtype):
            raise _Refused("is not plain data: it sets attributes")
        self.stack[-1].__setstate__(state)

    def load_extension(self) -> None:
        raise _Refused("uses pickle's registry of extensions")

    dispatch: ClassVar[dict[int, Any]] = {
        **pickle._Unpickler.dispatch,
        pickle.BUILD[0]: load_build,
        **dict.fromkeys((pickle.EXT1[0], pickle.EXT2[0], pickle.EXT4[0]), load_extension),
    }


def read_pickle(path: Path) -> Any:
    """The plain data in a pickle of any protocol, Python 2's too (its texts read as Latin-1).

    Errors: `NetcfgError` for a file that is absent, too large, cut short, no pickle, or more than plain data.
    """
    shown = shown_path(path)
    try:
        expect_regular(path)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise NetcfgError(
                f"{shown} has {size:,} bytes, and pickles are read up to {MAX_BYTES:,}\n"
                "help: write the labels as .csv or .npz",
                code="NC505",
            )
        data = path.read_bytes()
    except OSError as error:
        raise NetcfgError(f"cannot read {shown}: {error.strerror}", code="NC804") from None
    return _plain(data, shown)


def _plain(data: bytes, shown: str) -> Any:
    try:
        return _Finished().value(_PlainUnpickler(io.BytesIO(data), encoding="latin1").load())
    except _Refused as refusal:
        raise NetcfgError(
            f"{shown} {refusal}: it is more than plain data, and nothing of it was run\n"
            "help: write the labels as a dict of numbers or numpy arrays, or as .csv",
            code="NC505",
        ) from None
    except (EOFError, pickle.UnpicklingError, MemoryError, RecursionError) as error:
        cut = isinstance(error, EOFError) or "truncated" in str(error) or "exhausted" in str(error)
        raise _unreadable(shown, "is cut short" if data and cut else "is empty" if not data else "") from None
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, OverflowError):
        raise _unreadable(shown, "") from None


def _unreadable(shown: str, reason: str) -> NetcfgError:
    return NetcfgError(
        f"{shown} {reason or 'is not a pickle, or a damaged one'}\nhelp: copy or make the file again",
        code="NC505",
    )


class _Finished:
    """Puts arrays in the places of what stood for them; each container is visited once, so loops end."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._kept: list[Any] = []  # else a new object could get the number of a dropped one

    def value(self, item: Any) -> Any:
        if isinstance(item, _Array):
            if item.value is None:
                raise _Refused("holds an array without values")
            return item.value
        if isinstance(item, _Dtype):
            return item.dtype
        if isinstance(item, type) or callable(item):
            raise _Refused("holds a function or a class")
        if isinstance(item, dict | list | tuple | set | frozenset):
            return self._container(item)
        return item

    def _container(self, item: Any) -> Any:
        if id(item) in self._done:
            return self._done[id(item)]
        # Noted before its items are looked at: one that holds itself would be visited for ever.
        self._done[id(item)] = item
        self._kept.append(item)
        if isinstance(item, dict):
            if any(isinstance(key, tuple | _Array) for key in item):
                raise _Refused("has keys that are neither text nor numbers")
            for key, value in item.items():
                item[key] = self.value(value)
        elif isinstance(item, list):
            item[:] = [self.value(value) for value in item]
        elif isinstance(item, tuple):
            self._done[id(item)] = tuple(self.value(value) for value in item)
        elif any(isinstance(value, tuple | _Array) for value in item):
            raise _Refused("has a set of something else than text and numbers")
        return self._done[id(item)]
