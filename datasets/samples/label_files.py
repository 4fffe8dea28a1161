"""Action unit labels by frame id: AUDetNet's pickle, and two formats that need no care, .npz and .csv.

A .npz holds `ids` (text) and `labels` (ids × units), and, where they are known, `action_units` (numbers); a
.csv has a header `id,AU1,AU2,…` and a line per frame.
"""

from __future__ import annotations

import csv
import io
import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.samples.pickles import read_pickle
from netcfg.files import expect_regular, write_beside
from netcfg.source import NetcfgError, shown_path

SUFFIXES = (".pkl", ".pickle", ".npz", ".csv")


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of frames: `values` float32 ids × units, `rows` where a frame's stand; `units` where stated."""

    ids: tuple[str, ...]
    values: NDArray[np.float32]
    units: tuple[int, ...] | None
    rows: Mapping[str, int]

    @staticmethod
    def of(ids: Iterable[str], values: Any, units: tuple[int, ...] | None, shown: str) -> Labels:
        """Checked labels. Raises `NetcfgError` for ids that stand twice and for labels that are no numbers."""
        names = tuple(ids)
        rows = {name: row for row, name in enumerate(names)}
        array = np.ascontiguousarray(values, np.float32).reshape(len(names), -1)
        if len(rows) < len(names):
            twice = next(name for row, name in enumerate(names) if rows[name] != row)
            raise NetcfgError(
                f"{shown} has labels for `{twice}` twice\nhelp: take one of them out", code="NC505"
            )
        broken = np.flatnonzero(~np.isfinite(array).all(1))
        if len(broken):
            raise NetcfgError(
                f"{shown}: the labels of `{names[broken[0]]}` are not all numbers (NaN or infinite)"
                f"{_others(len(broken))}\nhelp: take such frames out of the file; ids without labels are dropped",
                code="NC505",
            )
        return Labels(names, array, units, rows)


def read_labels(path: Path) -> Labels:
    """The labels of a file, by its ending. Read once as long as the file does not change.

    Errors: `NetcfgError` for a file that cannot be read, and for labels of different lengths or with gaps.
    """
    if path.is_dir():
        raise NetcfgError(
            f"{shown_path(path)} is a folder\nhelp: name the file of labels in it ({', '.join(SUFFIXES)})",
            code="NC801",
        )
    if path.suffix.lower() not in SUFFIXES:
        raise NetcfgError(
            f"{shown_path(path)}: labels are read from {', '.join(SUFFIXES)} files, not `{path.suffix}`",
            code="NC801",
        )
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    # Time and size only tell whether what was read before still holds.
    return _read(path.resolve(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> Labels:
    readers = {".npz": _read_npz, ".csv": _read_csv}
    return readers.get(path.suffix.lower(), _read_pickle)(path)


def _read_pickle(path: Path) -> Labels:
    shown = shown_path(path)
    found = read_pickle(path)
    if not isinstance(found, dict) or not found:
        kind = "an empty dict" if isinstance(found, dict) else f"a {type(found).__name__}"
        raise NetcfgError(
            f"{shown} holds {kind}, where a dict of labels by frame id is wanted\n"
            "help: {'SN001_1': array([0., 1., …]), …}",
            code="NC505",
        )
    ids = [_id_text(key, shown) for key in found]
    rows = [_row(value, name, shown) for name, value in zip(ids, found.values(), strict=True)]
    widths = [row.size for row in rows]
    # What most have is right: one odd frame must not make all others wrong.
    usual = max(set(widths), key=widths.count)
    odd = [place for place, width in enumerate(widths) if width != usual]
    if odd:
        raise NetcfgError(
            f"{shown}: the labels of `{ids[odd[0]]}` are {widths[odd[0]]} numbers, and most others {usual}"
            f"{_others(len(odd))}\nhelp: every frame needs a number for each action unit, in the same order",
            code="NC505",
        )
    return Labels.of(ids, np.stack(rows), None, shown)


def _id_text(key: Any, shown: str) -> str:
    if isinstance(key, bytes):
        return key.decode("utf-8", "replace")
    if isinstance(key, str | int | np.integer) and not isinstance(key, bool):
        return str(key)
    raise NetcfgError(
        f"{shown}: `{str(key)[:40]}` is no frame id\nhelp: ids are text, such as SN001_1", code="NC505"
    )


def _row(value: Any, name: str, shown: str) -> NDArray[np.float32]:
    try:
        row = np.asarray(value, np.float32)
    except (TypeError, ValueError):
        row = np.zeros((0, 0, 0), np.float32)
    # All numbers along one axis: a row, or one that was kept as a column.
    if row.ndim > 2 or max(row.shape, default=1) != row.size or not row.size:
        raise NetcfgError(f"{shown}: the labels of `{name}` are not a row of numbers", code="NC505")
    return row.reshape(-1)


def _read_npz(path: Path) -> Labels:
    shown = shown_path(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ids, values = arrays["ids"], arrays["labels"]
            units = tuple(arrays["action_units"].astype(int).tolist()) if "action_units" in arrays else None
    except KeyError as error:
        help = "`netcfg data convert` writes such files"
        raise NetcfgError(f"{shown}: {str(error.args[0]).rstrip('.')}\nhelp: {help}", code="NC505") from None
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, NotImplementedError):
        raise NetcfgError(f"{shown} is no .npz file of numbers, or a damaged one", code="NC505") from None
    if ids.ndim != 1 or ids.dtype.kind not in "US" or values.ndim != 2 or len(ids) != len(values):
        raise NetcfgError(
            f"{shown}: `ids` is {ids.shape} and `labels` {values.shape}; wanted N and N×units", code="NC505"
        )
    if values.dtype.kind not in "biuf" or (units is not None and len(units) != values.shape[1]):
        raise NetcfgError(f"{shown}: `labels` has no number for each of `action_units`", code="NC505")
    return Labels.of([_id_text(key, shown) for key in ids.tolist()], values, units, shown)


def _read_csv(path: Path) -> Labels:
    shown = shown_path(path)
    rows = read_csv_rows(path)
    if len(rows) < 2:
        raise NetcfgError(
            f"{shown} has no labels\nhelp: a header `id,AU1,AU2,…`, then a line per frame", code="NC505"
        )
    (_, header), *lines = rows
    ids, values = [], []
    for number, row in lines:
        if len(row) != len(header):
            raise NetcfgError(
                f"{shown}:{number}: {len(row)} cells under a header of {len(header)}", code="NC505"
            )
        try:
            values.append([float(cell) for cell in row[1:]])
        except ValueError:
            raise NetcfgError(
                f"{shown}:{number}: the labels of `{row[0]}` are not all numbers", code="NC505"
            ) from None
        ids.append(row[0].strip())
    return Labels.of(ids, values, _units_of(header[1:], shown), shown)


def _units_of(names: list[str], shown: str) -> tuple[int, ...]:
    units = []
    for name in names:
        number = re.fullmatch(r"(?i)\s*(?:AU)?\s*0*(\d{1,3})\s*", name)
        if number is None:
            raise NetcfgError(
                f"{shown}:1: `{name}` names no action unit\nhelp: a header `id,AU1,AU2,…`", code="NC505"
            )
        units.append(int(number[1]))
    return tuple(units)


def _unreadable(path: Path, error: OSError) -> NetcfgError:
    if isinstance(error, FileNotFoundError):
        return NetcfgError(
            f"there is no file {shown_path(path)}\nhelp: paths in a file count from where netcfg is started",
            code="NC506",
        )
    return NetcfgError(f"cannot read {shown_path(path)}: {error.strerror}", code="NC804")


def read_csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a .csv file that hold something, with their numbers. Raises `NetcfgError`."""
    try:
        expect_regular(path)
        # Spreadsheets put a byte order mark before their tables.
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError:
        raise NetcfgError(f"{shown_path(path)} is not text in UTF-8", code="NC505") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NetcfgError(f"{shown_path(path)}:{reader.line_num}: {error}", code="NC505") from None


def of_units(labels: Labels, units: tuple[int, ...], shown: str) -> Labels:
    """Labels that are said to be of these units. Raises `NetcfgError` where they cannot be."""
    if len(units) != labels.values.shape[1]:
        raise NetcfgError(
            f"{shown} has {labels.values.shape[1]} labels for a frame, and `--action-units` names {len(units)}",
            code="NC801",
        )
    if labels.units not in (None, units):
        raise NetcfgError(
            f"{shown} names its action units itself\nhelp: leave out `--action-units`", code="NC801"
        )
    return replace(labels, units=units)


def write_labels(path: Path, labels: Labels) -> None:
    """Write labels in the format of the file's ending. Raises `NetcfgError`."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        write_beside(path, _csv_bytes(labels))
    elif suffix == ".npz":
        arrays: dict[str, Any] = {"ids": np.array(labels.ids), "labels": labels.values}
        if labels.units is not None:
            arrays["action_units"] = np.array(labels.units)
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)
        write_beside(path, stream.getvalue())
    elif suffix in (".pkl", ".pickle"):
        values = labels.values.astype(np.float64)
        write_beside(path, pickle.dumps(dict(zip(labels.ids, values, strict=True)), protocol=4))
    else:
        raise NetcfgError(
            f"labels are written to {', '.join(SUFFIXES)} files, not `{path.name}`", code="NC801"
        )


def _csv_bytes(labels: Labels) -> bytes:
    if labels.units is None:
        raise NetcfgError(
            "the header of a .csv file names the action units, and these labels do not say theirs\n"
            "help: `--action-units disfa` (or bp4d, disfa8, or numbers); or write a .npz",
            code="NC801",
        )
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["id", *(f"AU{unit}" for unit in labels.units)])
    for name, row in zip(labels.ids, labels.values.tolist(), strict=True):
        writer.writerow([name, *(f"{value:g}" for value in row)])
    return stream.getvalue().encode()


def _others(count: int) -> str:
    return f" (and those of {count - 1} more)" if count > 1 else ""
