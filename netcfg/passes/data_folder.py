"""Pass: the folder of `--data` takes the place of a program's source of data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from netcfg.passes.collect import Parts
from netcfg.source import Finding, SourceFile, shown_path
from netcfg.syntax import Group, Option, Section, parse

AUDETNET = "audetnet_folder"
CLIP_LABELS = "labels.csv"


class Layout(NamedTuple):
    """What a source's folder looks like.

    `path_option` is the option that names it. `found` says whether a folder is one; `looks` says it to a person.
    """

    source: str
    path_option: str
    found: Callable[[Path], bool]
    looks: str


def _has(*names: str) -> Callable[[Path], bool]:
    return lambda folder: any((folder / name).exists() for name in names)


def _has_lists(folder: Path) -> bool:
    return any(next(folder.glob(f"{part}fold_*/"), None) is not None for part in ("", "normal/", "aligned/"))


def _has_clips(folder: Path) -> bool:
    """Videos, or pictures in folders; only the first levels are looked at, as a folder may be large."""
    endings = {
        ".avi",
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".mpg",
        ".mpeg",
        ".wmv",
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
    }
    return any(
        path.suffix.lower() in endings for pattern in ("*", "*/*", "*/*/*") for path in folder.glob(pattern)
    )


LAYOUTS = (
    Layout(AUDETNET, "path", _has("aus_dict.pkl", "train_ids.csv", "imgs"), "`train_ids.csv` and `imgs`"),
    Layout("disfa", "path", _has("ActionUnit_Labels"), "`ActionUnit_Labels`"),
    Layout("bp4d", "path", _has("AUCoding", "AU_OCC"), "`AUCoding`"),
    Layout("bp4d", "lists", _has_lists, "`normal/fold_0`"),
    Layout("clips", "path", _has_clips, "videos or folders of pictures"),
)  # fmt: skip

KNOWN_BY = "a folder is known by what lies in it: " + "; ".join(
    f"[{layout.source}] {layout.looks}" for layout in LAYOUTS
)

# What an option of one source is called in another, where it means the same; others keep their names.
_INTENSITIES = ("labels_are_intensities", "intensities")
_CARRIED: Mapping[str, tuple[str, ...]] = {
    AUDETNET: ("action_units", "intensities"),
    "disfa": ("action_units", "intensities", "occurrence_threshold", "image_size", "fold"),
    "bp4d": ("action_units", "image_size", "fold"),
    "clips": ("intensities", "image_size", "folds", "fold", "validation_share"),
}


def read_from_folder(parts: Parts, folder: str, findings: list[Finding]) -> None:
    """Put a folder in the place of the source: of a source of such folders only the path changes, others are replaced.

    The kind of source is seen from the folder. What the labels are, folds and sizes carry over where the new source
    has such options.
    """
    sections = parts.reserved.get("Data", [])
    if not sections:
        help = "add a group {Data} with a source"
        findings.append(
            Finding("NC403", f"{parts.name} reads no data that `--data` could replace", help=help)
        )
        return
    source = sections[0]
    layout = _layout_of(Path(folder).expanduser(), source.name, findings)
    if layout is None:
        return
    if source.name == layout.source:
        options = _kept(source, layout)
    else:
        options = _carried(source, layout, is_resized=any(section.name == "resize" for section in sections))
        options += _own_labels(source, layout, folder, findings)
    lines = [f"[{layout.source}]", f"{layout.path_option} = {folder}", *options]
    text = "\n".join(["{Data}", *lines, ""])
    group = parse(SourceFile(f"--data {folder}", text), findings).items[0]
    assert isinstance(group, Group)
    parts.reserved["Data"] = [*group.sections, *sections[1:]]


def _layout_of(folder: Path, source: str, findings: list[Finding]) -> Layout | None:
    """Whose folder it is, by what lies in it, or else by the source that reads one already."""
    if not folder.is_dir():
        message = f"`--data {folder}`: there is no such folder"
        findings.append(Finding("NC502", message, help="paths count from where netcfg is started"))
        return None
    own = next((layout for layout in LAYOUTS if layout.source == source), None)
    found = find_layout(folder, source) or own
    if found is None:
        message = f"`--data {folder}`: {shown_path(folder)} looks like the folder of no source"
        findings.append(Finding("NC502", message, help=KNOWN_BY))
    return found


def find_layout(folder: Path, source: str = "") -> Layout | None:
    """Whose folder it is; of `source`, where it may be of several. Looks no farther than it must."""
    likely_first = sorted(LAYOUTS, key=lambda layout: layout.source != source)
    return next((layout for layout in likely_first if layout.found(folder)), None)


def _kept(source: Section, layout: Layout) -> list[str]:
    """The options of a source that stays, but for where its data lie."""
    places = {"path", "lists"} if layout.source == "bp4d" else {"path"}
    return [_line(option, option.key) for option in source.options if option.key not in places]


def _carried(source: Section, layout: Layout, is_resized: bool) -> list[str]:
    """The options of another source that mean the same in the new one; no size where [resize] says it anyway."""
    lines = []
    for option in source.options:
        key = "intensities" if option.key in _INTENSITIES else option.key
        if key in _CARRIED[layout.source] and not (key == "image_size" and is_resized):
            lines.append(_line(option, key))
    return lines


def _own_labels(source: Section, layout: Layout, folder: str, findings: list[Finding]) -> list[str]:
    """The labels that lie beside one's own clips, for the action units of the source before."""
    if layout.source != "clips":
        return []
    labels = Path(folder) / CLIP_LABELS
    if not labels.expanduser().is_file():
        message = (
            f"`--data {folder}`: these clips have no `{CLIP_LABELS}` beside them, and so no field `labels`"
        )
        help = "write one, with the header `clip,frame,AU1,AU2,…` and a line per frame"
        findings.append(Finding("NC502", message, help=help, severity="warning"))
        return []
    written = source.option("action_units")
    units = written.value if written else "bp4d" if source.name == "synthetic_faces" else "disfa"
    return [f"labels = {labels}", f"action_units = {units}"]


def _line(option: Option, key: str) -> str:
    return f"{key} = {option.value}"
