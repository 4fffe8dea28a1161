"""Lists as people have them: csv or tsv with a line of names, or bare lines of paths; read once, by their text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from netcfg.blocks.picture_files import PICTURES
from netcfg.files import expect_regular, visible
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

PATH_COLUMNS = (
    "image", "image_path", "imagepath", "path", "file", "filename", "file_name", "filepath", "file_path", "img",
    "img_path", "image_name", "image_id", "picture", "input", "subdirectory_filepath",
)  # fmt: skip
"""What the column of paths is called, in small letters; `input` is Py-Feat's."""
ENDINGS = (".csv", ".tsv")
PARTNERS = (("img_path", "label", "land"), ("_path", "_AUoccur", "_land"))
"""How files beside a list of paths are called, by what stands in its own name: ME-GraphAU's, JAA-Net's."""
_LOOKED_AT = 20
"""Rows that tell what a column holds."""
MAX_BYTES = 1 << 30


@dataclass(frozen=True, eq=False)
class ListFile:
    """A list: the names of its columns, and a text for each row and column. `first` is the line of the first row."""

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    first: int
    decimal_comma: bool = False

    def column(self, name: str) -> list[str]:
        """The texts of a column. Raises `NetcfgError` where there is none of that name."""
        if name not in self.columns:
            from netcfg.source import did_you_mean

            raise NetcfgError(
                f"{shown_path(self.path)} has no column `{name}`\nhelp: {did_you_mean(name, self.columns)}",
                code="NC505",
            )
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def place(self, row: int) -> str:
        """Where a row stands, in words."""
        return f"{shown_path(self.path)}, line {self.first + row}"


def read_list(path: Path) -> ListFile:
    """A list file. Raises `NetcfgError` where it cannot be read, or its rows are of several lengths."""
    try:
        state = path.stat()
    except OSError as error:
        raise NetcfgError(f"cannot read {shown_path(path)}: {error.strerror}", code="NC506") from None
    if not path.is_file():
        raise NetcfgError(f"{shown_path(path)} is no file", code="NC506")
    if state.st_size > MAX_BYTES:
        raise NetcfgError(f"{shown_path(path)} is larger than 1 GiB, and no list", code="NC505")
    return _read(str(path), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _read(name: str, changed: int, size: int) -> ListFile:
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets put a byte-order mark before it
    except UnicodeDecodeError as error:
        raise NetcfgError(
            f"{shown_path(path)} is not UTF-8 text (byte {error.start})\nhelp: save it as UTF-8", code="NC505"
        ) from None
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if _is_picture(first.strip().split()[0] if first.strip() else "") and not _splits(first):
        return ListFile(path, ("image",), [[line.strip()] for line in lines if line.strip()], 1)
    delimiter = _delimiter(first)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:  # a quote that is never closed would swallow all rows below it
        raise NetcfgError(
            f"{shown_path(path)}, line {reader.line_num}: {error}\n"
            'help: a quote in a cell is written twice, and the cell stands in quotes: `"a ""b"" c"`',
            code="NC505",
        ) from None
    if not rows:
        raise NetcfgError(f"{shown_path(path)} is empty", code="NC505")
    if any(map(_is_picture, rows[0])):  # no line of names
        names = tuple("image" if _is_picture(cell) else f"column{n}" for n, cell in enumerate(rows[0], 1))
        head, body, start = names, rows, 1
    else:
        head, body, start = tuple(rows[0]), rows[1:], 2
    if not body:
        raise NetcfgError(
            f"{shown_path(path)} has a line of names, and no row below it\nhelp: a row for each picture",
            code="NC505",
        )
    doubled = next((name for name in head if head.count(name) > 1), None)
    if doubled is not None:
        raise NetcfgError(f"{shown_path(path)} has two columns `{doubled}`", code="NC505")
    uneven = next((place for place, row in enumerate(body) if len(row) != len(head)), None)
    if uneven is not None:
        raise NetcfgError(
            f"{shown_path(path)}, line {start + uneven}: {counted(len(body[uneven]), 'cell')}, "
            f"and there are {counted(len(head), 'column')}\n"
            "help: cells that hold the sign between them stand in quotes",
            code="NC505",
        )
    return ListFile(path, head, body, start, delimiter == ";")


def _delimiter(line: str) -> str:
    return max("\t;,", key=line.count)


def _splits(line: str) -> bool:
    return any(sign in line for sign in "\t;,")


def _is_picture(text: str) -> bool:
    return text.lower().endswith(PICTURES)


def path_column(found: ListFile) -> str | None:
    """The column of the pictures' paths: by its name if its cells are paths, else the first whose cells are."""
    by_name = [name for name in found.columns if name.strip().lower() in PATH_COLUMNS]
    for name in (*by_name, *found.columns):
        texts = found.column(name)[:_LOOKED_AT]
        if texts and all(_is_picture(text) for text in texts):
            return name
    return None


def lists_in(folder: Path) -> list[Path]:
    """The lists of pictures right in a folder."""
    try:
        files = [path for path in visible(folder) if path.suffix.lower() in ENDINGS and path.is_file()]
    except OSError:
        return []
    return [path for path in files if has_paths(path)]


def partner(path: Path, kind: int) -> Path | None:
    """The file of labels (1) or of landmarks (2) beside a bare list of paths."""
    for names in PARTNERS:
        if names[0] in path.name:
            other = path.with_name(path.name.replace(names[0], names[kind]))
            if other != path and other.is_file():
                return other
    return None


def bare_lists(folder: Path) -> list[Path]:
    """Lists of paths in a folder, or in `list` there, that have labels beside them."""
    for place in (folder, folder / "list"):
        there = visible(place) if place.is_dir() else []
        found = [path for path in there if path.match("*_path*.txt") and partner(path, 1) is not None]
        if found:
            return found
    return []


def list_below(folder: Path, name: str) -> Path:
    """A list that an option names, below a folder or from where netcfg is started. Raises `NetcfgError` for none."""
    for place in (folder / name, Path(name).expanduser()):
        if place.is_file():
            return place
    raise NetcfgError(f"there is no list {shown_path(folder / name)}", code="NC506")


def has_lists(folder: Path) -> bool:
    """Whether lists in a folder say what its pictures are."""
    return bool(lists_in(folder) or bare_lists(folder))


def has_paths(path: Path) -> bool:
    """Whether a list is one of pictures; seen from its first lines."""
    try:
        expect_regular(path)
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            lines = [line for _, line in zip(range(_LOOKED_AT), stream, strict=False)]
    except OSError:
        return False
    if len(lines) < 2:  # a table of nothing is still one: that it is empty is said where it is read
        names = [cell.strip().lower() for cell in lines[0].split(_delimiter(lines[0]))] if lines else []
        return any(name in PATH_COLUMNS for name in names)
    rows = list(csv.reader(lines[1:], delimiter=_delimiter(lines[0])))
    return bool(rows) and any(all(map(_is_picture, map(str.strip, column))) for column in _columns(rows))


def _columns(rows: list[list[str]]) -> Iterable[tuple[str, ...]]:
    return zip(*rows, strict=False)


def split_of(text: str) -> str | None:
    """The split that a cell or a file's name tells: `train`, `validation` or `test`."""
    words = re.split(r"[^a-z]+", text.lower())
    for split, names in (
        ("train", ("train", "training")),
        ("validation", ("validation", "valid", "val", "dev", "publictest")),
        ("test", ("test", "testing", "eval", "privatetest")),
    ):
        if any(word in names for word in words):
            return split
    return None
