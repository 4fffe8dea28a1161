"""The lists of a source, by split: found in a folder or named, with the files of labels that stand beside bare ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netcfg.blocks.fields import Split
from netcfg.blocks.sources.list_files import (
    ENDINGS,
    ListFile,
    bare_lists,
    list_below,
    lists_in,
    partner,
    path_column,
    read_list,
    split_of,
)
from netcfg.blocks.sources.list_layout import Layout, field_name, is_gap, layout_of
from netcfg.source import NetcfgError, shown_path
from netcfg.words import named


@dataclass(frozen=True)
class Listing:
    """Lists by split, "" for one that is dealt; the columns that all have; files of labels and landmarks by list."""

    lists: Mapping[Split | str, ListFile]
    layout: Layout
    labels: Mapping[Path, Path] = field(default_factory=dict)
    landmarks: Mapping[Path, Path] = field(default_factory=dict)
    label_count: int = 0
    points: int = 0


def find_listing(
    place: Path, written: Mapping[str, str | None], asked: Mapping[str, Sequence[str] | str | None]
) -> Listing:
    """The lists at a place. Raises `NetcfgError` where there are none, or several that nobody tells apart."""
    files = _files(place, written)
    lists = {split: read_list(path) for split, path in files.items()}
    first = next(iter(lists.values()))
    layout = layout_of(first, asked)
    for other in lists.values():
        if path_column(first) != path_column(other):
            raise NetcfgError(
                f"{shown_path(first.path)} and {shown_path(other.path)} have other columns\n"
                "help: lists of one source have the same",
                code="NC505",
            )
        _expect_labels(first, other, layout)
    is_bare = first.columns == ("image",)
    labels = {found.path: partner(found.path, 1) for found in lists.values()} if is_bare else {}
    points = {found.path: partner(found.path, 2) for found in lists.values()} if is_bare else {}
    labels = {path: other for path, other in labels.items() if other is not None}
    points = {path: other for path, other in points.items() if other is not None}
    if labels and len(labels) < len(lists):
        without = next(found.path for found in lists.values() if found.path not in labels)
        raise NetcfgError(f"{shown_path(without)} has no file of labels beside it", code="NC506")
    return Listing(
        lists,
        layout,
        {path: other for path, other in labels.items() if other},
        {path: other for path, other in points.items() if other} if len(points) == len(lists) else {},
        _width(labels.get(first.path)),
        len(layout.points) or _width(points.get(first.path)) // 2,
    )


def _expect_labels(first: ListFile, other: ListFile, layout: Layout) -> None:
    """Refuse a list that labels only a part of what another does; one without any labels is told when it is opened."""
    missing = [name for name in layout.labels if name not in other.columns]
    if missing and len(missing) < len(layout.labels):
        raise NetcfgError(
            f"{shown_path(other.path)} has no column {named(missing)}, which {shown_path(first.path)} has\n"
            "help: `label_columns` names those that both have",
            code="NC505",
        )


def _files(place: Path, written: Mapping[str, str | None]) -> dict[str, Path]:
    """The lists by split; one alone under ""."""
    if any(written.values()):
        folder = place if place.is_dir() else place.parent
        return {split: list_below(folder, name) for split, name in written.items() if name}
    if place.is_file():
        return {"": place}
    if not place.is_dir():
        raise NetcfgError(
            f"there is no list and no folder {shown_path(place)}\nhelp: paths count from where netcfg is started",
            code="NC802",
        )
    found = lists_in(place) or bare_lists(place)
    if len(found) == 1:
        return {"": found[0]}
    by_split: dict[str, list[Path]] = {}
    for path in found:
        by_split.setdefault(split_of(path.stem) or "", []).append(path)
    if (
        found
        and "" not in by_split
        and all(len(paths) == 1 for paths in by_split.values())
        and "train" in by_split
    ):
        return {split: by_split[split][0] for split in ("train", "validation", "test") if split in by_split}
    names = [path.name for path in found]
    raise NetcfgError(
        f"{shown_path(place)} holds {'the lists ' + named(names) if found else 'no list of pictures'}\n"
        + (
            "help: `train_list` and `test_list` say which are meant, or `path` one of them"
            if found
            else f"help: a {' or '.join(ENDINGS)} file with a column of paths"
        ),
        code="NC506",
    )


def _width(path: Path | None) -> int:
    """How many numbers a line of a file holds."""
    if path is None:
        return 0
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        return len(stream.readline().replace(",", " ").split())


def classes_of(
    listing: Listing, column: str, written: tuple[str, ...] | None, gaps: Sequence[str] = ()
) -> tuple[str, ...]:
    """The classes of a column: those written, or all that its lists hold, numbers by size and words by letters."""
    if written is not None:
        if len(listing.layout.classes) == 1:
            return written
        before = f"{field_name(column)}."
        own = tuple(name.removeprefix(before) for name in written if name.startswith(before))
        if own:
            return own
    found = {cell for one in listing.lists.values() for cell in one.column(column)}
    names = [name for name in found if not is_gap(name) and name not in gaps]
    if all(name.lstrip("-").isdigit() for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))
