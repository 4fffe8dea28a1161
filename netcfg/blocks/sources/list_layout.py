"""What the columns of a list are: the paths, labels of several kinds, who is in which split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netcfg.blocks.picture_files import PICTURES
from netcfg.blocks.sources.list_files import ListFile, path_column, split_of
from netcfg.source import NetcfgError, did_you_mean, shown_path

SPLIT_COLUMNS = ("split", "set", "subset", "partition", "usage", "phase")
GROUP_COLUMNS = (
    "subject", "subject_id", "patient", "patient_id", "person", "person_id", "video", "video_id", "group",
    "clip",
)  # fmt: skip
CLASS_COLUMNS = (
    "class", "label", "category", "target", "emotion", "expression", "species", "class_name", "class_id",
    "gender", "sex",
)  # fmt: skip
OPENFACE = ("frame", "confidence", "success")
"""Columns of OpenFace's files, which name no picture: a row is the frame of its number."""
_UNIT = re.compile(r"au_?0*(?P<unit>\d+)(_c)?\Z", re.IGNORECASE)
_POINT = re.compile(r"(?P<axis>[xy])_?(?P<number>\d+)\Z")
_MEASURE = re.compile(r"(?P<name>.*?)\s*[\[(](?P<unit>[^\])]*)[\])]\Z")
_GAPS = frozenset(("", "nan", "na", "n/a", "none", "null", "?", "-"))
_MOST_CLASSES = 1_000
_POSE = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")  # Py-Feat's, beside its units


@dataclass(frozen=True)
class Layout:
    """The columns of a list, by what they are; `names` are the fields they become."""

    image: str | None
    frame: str | None = None
    classes: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    points: tuple[tuple[str, str], ...] = ()
    masks: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    split: str | None = None
    group: str | None = None


def layout_of(found: ListFile, asked: Mapping[str, Sequence[str] | str | None]) -> Layout:
    """The layout of a list: columns that are `asked` for by kind, and where none is, those that show what they are.

    Raises `NetcfgError` for a column that is not there, and a list that names no pictures.
    """
    for name in (
        one for value in asked.values() for one in ([value] if isinstance(value, str) else value or ())
    ):
        if name not in found.columns and "*" not in name:
            help = did_you_mean(name, found.columns) or f"it has {', '.join(found.columns[:8])}"
            raise NetcfgError(f"{shown_path(found.path)} has no column `{name}`\nhelp: {help}", code="NC505")
    image, frame = _one(asked, "image") or path_column(found), None
    if image is None:
        frame = next((name for name in found.columns if name == "frame"), None)
        if frame is None or not set(OPENFACE) <= set(found.columns):
            raise NetcfgError(
                f"{shown_path(found.path)} has no column of paths of pictures\n"
                "help: name it with `image_column`; its cells end in `.jpg` and the like",
                code="NC505",
            )
    points = _points(found, _one(asked, "landmarks"))
    rest = [
        name
        for name in found.columns
        if name not in (image, frame) and name not in {part for pair in points for part in pair}
    ]
    split = _one(asked, "split") or _named(rest, SPLIT_COLUMNS)
    if split is not None and _one(asked, "split") is None and not any(map(split_of, _known(found, split))):
        split = None  # named so, and of something else
    group = _one(asked, "group") or _named(rest, GROUP_COLUMNS)
    rest = [name for name in rest if name not in (split, group)]
    kinds = ("classes", "numbers", "labels", "masks", "pictures")
    written = {kind: tuple(asked.get(kind) or ()) for kind in kinds}
    if any(written.values()):
        found_kinds = written
    else:
        found_kinds = _guessed(found, rest, is_openface=frame is not None)
    return Layout(image, frame, points=points, split=split, group=group, **found_kinds)


def _one(asked: Mapping[str, Sequence[str] | str | None], key: str) -> str | None:
    value = asked.get(key)
    return value if isinstance(value, str) else None


def _named(columns: Sequence[str], names: Sequence[str]) -> str | None:
    by_name = {column.strip().lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), None)


def _points(found: ListFile, written: str | None) -> tuple[tuple[str, str], ...]:
    """Pairs of columns `x_0`, `y_0`, …, in the order of their numbers."""
    if written is not None and written.lower() in ("", "none"):
        return ()
    by_number: dict[int, dict[str, str]] = {}
    for name in found.columns:
        match = _POINT.match(name.strip())
        if match:
            by_number.setdefault(int(match["number"]), {})[match["axis"]] = name
    pairs = [(axes["x"], axes["y"]) for _, axes in sorted(by_number.items()) if len(axes) == 2]
    return tuple(pairs) if len(pairs) > 1 else ()


def _guessed(found: ListFile, columns: Sequence[str], is_openface: bool) -> dict[str, tuple[str, ...]]:
    """What columns are by their names and cells; others are left out."""
    units = [name for name in columns if _UNIT.match(name.strip())]
    kinds: dict[str, list[str]] = {key: [] for key in ("classes", "numbers", "masks", "pictures")}
    for name in columns:
        # What else OpenFace and Py-Feat measure is no label that anybody gave.
        if name in units or is_openface or set(_POSE) <= set(found.columns):
            continue
        cells = _known(found, name)
        if not cells:
            continue
        if all(cell.lower().endswith(PICTURES) for cell in cells):
            kinds["masks" if "mask" in name.lower() or "seg" in name.lower() else "pictures"].append(name)
        elif name.strip().lower() in CLASS_COLUMNS:
            kinds["classes"].append(name)
        elif all(map(_is_number, cells)):
            kinds["numbers"].append(name)
        elif len(set(cells)) <= min(_MOST_CLASSES, max(2, len(cells) // 2)):
            kinds["classes"].append(name)
    return {"labels": tuple(units), **{kind: tuple(names) for kind, names in kinds.items()}}


def _known(found: ListFile, name: str) -> list[str]:
    return [cell for cell in found.column(name) if not is_gap(cell)]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def is_gap(text: str) -> bool:
    """Whether a cell says nothing."""
    return text.lower() in _GAPS


def field_name(column: str) -> str:
    """What the field of a column is called: without its unit, and with `_` where a name cannot have a sign."""
    name = re.sub(r"\W+", "_", measure_of(column)[0].strip()).strip("_")
    return f"_{name}" if name[:1].isdigit() else name or "column"


def measure_of(column: str) -> tuple[str, str]:
    """What a column of numbers is called, and their unit: `height [cm]` is `height` in `cm`; "" without one."""
    match = _MEASURE.match(column)
    return (match["name"].strip() or column, match["unit"].strip()) if match else (column, "")


def label_name(column: str) -> str:
    """What an entry of the labels is called: `AU01_c` and `au1` are `AU1`."""
    match = _UNIT.match(column.strip())
    return f"AU{match['unit']}" if match else column
