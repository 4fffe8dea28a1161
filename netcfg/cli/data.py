"""`netcfg data`: write a data folder, convert its labels once and for all, look at samples."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from netcfg.cli.bars import shown
from netcfg.cli.program import add_program_arguments, load_program
from netcfg.passes.data_folder import AUDETNET, CLIP_LABELS, KNOWN_BY, Layout, find_layout
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.blocks.sources.base import Source
    from netcfg.blocks.transforms.optical_flow import OpticalFlow
    from netcfg.datasets.samples.clips import Frame

SOURCES = ("synthetic_faces", "disfa", "bp4d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's three verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="write a data folder", description="Write a data folder.")
    make.add_argument("layout", choices=("audetnet",), help="audetnet: pickle of labels, id lists, pictures")
    make.add_argument("folder", metavar="DIR", help="a new or empty folder")
    make.add_argument(
        "--from",
        nargs="+",
        dest="source",
        default=["synthetic_faces"],
        metavar=("SOURCE", "PATH"),
        help="synthetic_faces (default), or disfa PATH or bp4d PATH, the folder of the database",
    )
    make.add_argument("--images", type=_positive, metavar="N", help="drawn faces: how many (default: 12)")
    make.add_argument(
        "--subjects", type=_positive, metavar="N", help="drawn faces: of how many people (default: 3)"
    )
    make.add_argument("--seed", type=_not_negative, default=0, metavar="N", help="drawn faces: which ones")
    make.add_argument(
        "--image-size", type=_size, default=256, metavar="N", help="height and width (default: 256)"
    )
    make.add_argument(
        "--every", type=_positive, default=1, metavar="N", help="databases: each clip's every Nth frame"
    )
    make.add_argument(
        "--labels", choices=("intensities", "occurrence"), help="0 to 5, or 0 and 1; DISFA: intensities"
    )
    make.add_argument(
        "--folds", type=_positive, default=3, metavar="N", help="parts the subjects fall in (default: 3)"
    )
    make.add_argument(
        "--fold", type=_not_negative, default=0, metavar="N", help="the part to test on, from 0"
    )
    make.add_argument("--overwrite", action="store_true", help=argparse.SUPPRESS)

    convert = verbs.add_parser(
        "convert", help="labels into a safe format", description="Convert labels; the file stays as it is."
    )
    convert.add_argument("labels", metavar="LABELS", help=".pkl, .npz or .csv")
    convert.add_argument("-o", "--output", required=True, metavar="OUT", help=".npz or .csv")
    convert.add_argument("--action-units", metavar="UNITS", help="disfa, bp4d, disfa8, or numbers: 1,2,4")

    show = verbs.add_parser("show", help="samples, fields, balance", description="Look at data.")
    show.add_argument("place", metavar="FILE|DIR", help="a program, or a folder of data")
    show.add_argument("--split", choices=("train", "validation", "test"), default="train")
    show.add_argument(
        "--count", type=_positive, default=24, metavar="N", help="pictures on the sheet (default: 24)"
    )
    show.add_argument("--action-units", metavar="UNITS", help="of a folder's labels, where they do not say")
    show.add_argument("-o", "--output", metavar="PNG", help="write a sheet of pictures")
    add_program_arguments(show)


def run(options: argparse.Namespace) -> int:
    """Do what the verb says; 0. Raises `NetcfgError` with a remedy."""
    {"make": _make, "convert": _convert, "show": _show}[options.verb](options)
    return 0


# --- make -------------------------------------------------------------------------------------------------


def _make(options: argparse.Namespace) -> None:
    from netcfg.datasets.sources.make_folder import new_folder, write_folder
    from netcfg.words import counted

    if options.overwrite:
        raise NetcfgError(
            "`netcfg data make` overwrites nothing\nhelp: name a new folder, or empty the old one"
        )
    subjects, total, frames, notes = _frames(options)
    tested = _tested(subjects, options)
    folder = new_folder(Path(options.folder))
    steps = shown(write_folder(folder, frames, tested), total, f"writing {shown_path(folder)}", "pictures")
    done = list(steps)[-1]
    pictures, people = counted(done, "picture"), counted(len(subjects), "subject")
    for note in notes:
        print(f"note: {note}")
    print(f"{shown_path(folder)}: {pictures} of {people}, {len(tested)} of them for testing")
    print(f"look at them with: netcfg data show {shown_path(folder)} -o sheet.png")


def _frames(options: argparse.Namespace) -> tuple[list[str], int, Iterator[Frame], list[str]]:
    """Subjects, the number of frames, the frames, and notes, which are complete after the last frame."""
    from netcfg.datasets.sources import databases

    name, *paths = options.source
    if name not in SOURCES or len(paths) > (name != "synthetic_faces"):
        raise NetcfgError(
            f"`--from {' '.join(options.source)}`: there is no such source\n"
            "help: `--from synthetic_faces`, `--from disfa PATH` or `--from bp4d PATH`"
        )
    if name == "synthetic_faces":
        images, subjects = options.images or 12, options.subjects or min(3, options.images or 3)
        if images < subjects:
            raise NetcfgError(f"{images} images cannot show {subjects} subjects\nhelp: more `--images`")
        names, frames = databases.drawn_frames(
            images, subjects, options.image_size, options.seed, options.labels != "intensities"
        )
        return names, images, frames, []
    if not paths:
        raise NetcfgError(
            f"where is {name}?\nhelp: `--from {name} PATH`, with the folder as it is handed out"
        )
    for key in ("images", "subjects"):
        if getattr(options, key) is not None:
            raise NetcfgError(
                f"`--{key}` is for drawn faces\nhelp: `--every N` takes fewer frames of a database"
            )
    if name == "bp4d" and options.labels == "intensities":
        raise NetcfgError("BP4D codes for most units only whether they occur\nhelp: leave out `--labels`")
    path = Path(paths[0])
    database = (
        databases.bp4d(path) if name == "bp4d" else databases.disfa(path, options.labels == "occurrence")
    )
    total = database.count(options.every)
    return database.subjects, total, database.frames(options.image_size, options.every), database.notes


def _tested(subjects: list[str], options: argparse.Namespace) -> list[str]:
    """The subjects of the fold that is the test split."""
    if options.fold >= options.folds:
        raise NetcfgError(
            f"the {options.folds} folds are numbered 0 to {options.folds - 1}\nhelp: `--fold 0`"
        )
    tested = subjects[options.fold :: options.folds]
    if not tested or len(tested) == len(subjects):
        raise NetcfgError(
            f"{len(subjects)} subjects in {options.folds} folds leave training or test without any\n"
            "help: more subjects, or other `--folds`"
        )
    return tested


# --- convert ----------------------------------------------------------------------------------------------


def _convert(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from netcfg.datasets.samples.label_files import read_labels, write_labels

    output = Path(options.output)
    if output.suffix.lower() not in (".npz", ".csv"):
        raise NetcfgError(f"`-o {output}`: labels are converted to .npz or .csv")
    if output.exists():
        raise NetcfgError(
            f"{shown_path(output)} exists, and is not overwritten\nhelp: another name, or remove it"
        )
    labels = read_labels(Path(options.labels))
    if options.action_units is not None:
        units = _units(options.action_units)
        if len(units) != labels.values.shape[1]:
            raise NetcfgError(
                f"{options.labels} has {labels.values.shape[1]} labels for a frame, "
                f"and `--action-units` names {len(units)}"
            )
        if labels.units not in (None, units):
            raise NetcfgError(
                f"{options.labels} names its action units itself\nhelp: leave out `--action-units`"
            )
        labels = replace(labels, units=units)
    write_labels(output, labels)
    print(f"{shown_path(output)}: {len(labels.ids)} frames, {labels.values.shape[1]} action units")


def _units(text: str) -> tuple[int, ...]:
    from pydantic_core import PydanticCustomError

    from netcfg.blocks.action_units import AU_SETS, known_action_units

    try:
        written = known_action_units(tuple(item.strip().removeprefix("AU") for item in text.split(",")))
    except PydanticCustomError as error:
        raise NetcfgError(f"`--action-units {text}`: {error.message_template}") from None
    return AU_SETS.get(written[0]) or tuple(int(item) for item in written)


# --- show -------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace) -> None:
    import numpy as np

    source, flow = _source(options)
    fields = {name: spec for name, spec in source.fields().items() if spec.kind in ("vector", "class")}
    _print_tables(source, flow, fields, _open_splits(source, tuple(fields)))
    if options.output is None:
        return
    samples = source.open(options.split, ("image", *fields))
    if flow is not None:
        samples = flow.extend(samples, ("image", "flow", *fields), source.fields())
    chosen = np.linspace(0, len(samples) - 1, min(options.count, len(samples))).round().astype(int).tolist()
    pictures, captions = [], []
    for index in chosen:
        sample = samples[index]
        pictures.append(np.hstack([sample[name] for name in ("image", "flow") if name in sample]))
        captions.append(_caption(samples, index, sample, source, fields))
    _write_sheet(Path(options.output), pictures, captions)
    print(f"{options.output}: {len(chosen)} of {len(samples)} {options.split} samples")


def _source(options: argparse.Namespace) -> tuple[Source, OpticalFlow | None]:
    """The source, and the block that adds its flow where a program has one."""
    from netcfg.blocks.transforms.optical_flow import OpticalFlow

    place = Path(options.place)
    if place.is_dir():
        if options.data or options.preset or options.settings:
            raise NetcfgError("`--data`, `--preset` and `--set` are for programs, and this is a folder")
        layout = find_layout(place)
        if layout is None:
            raise NetcfgError(f"{shown_path(place)} looks like the folder of no source\nhelp: {KNOWN_BY}")
        return (_folder_source if layout.source == AUDETNET else _known_source)(place, layout, options), None
    if options.action_units is not None:
        raise NetcfgError("`--action-units` is for folders\nhelp: a program writes them in its {Data}")
    data = load_program(options.place, options).data
    if data is None:
        raise NetcfgError(f"{options.place} has no {{Data}}\nhelp: name a folder, or a program with data")
    flows = (transform for transform in data.transforms if isinstance(transform, OpticalFlow))
    return data.source, next(flows, None) if data.source.has_clips else None


def _known_source(folder: Path, layout: Layout, options: argparse.Namespace) -> Source:
    """The folder of a database or of clips as a source, with its defaults."""
    from netcfg.blocks.registry import sections
    from netcfg.passes.schema import check_section
    from netcfg.source import Finding, ProgramError, SourceFile
    from netcfg.syntax import Group, parse

    labels = folder / CLIP_LABELS
    units = None if options.action_units is None else _units(options.action_units)
    lines = [f"[{layout.source}]", f"{layout.path_option} = {folder}"]
    if layout.source == "clips" and labels.is_file():
        from netcfg.datasets.sources.own_clips import units_of

        lines.append(f"labels = {labels}")
        units = units or units_of(labels)
    if units is not None:
        lines.append(f"action_units = {', '.join(map(str, units))}")
    findings: list[Finding] = []
    group = parse(SourceFile(str(folder), "\n".join(["{Data}", *lines, ""])), findings).items[0]
    assert isinstance(group, Group)
    source = check_section(group.sections[0], sections("data")[layout.source], findings)
    if source is None or findings:
        raise ProgramError(findings)
    return cast("Source", source)


def _folder_source(folder: Path, _: Layout, options: argparse.Namespace) -> Source:
    """The folder as a source; its labels' file, units and kind as they are found there."""
    from netcfg.blocks.action_units import AU_SETS
    from netcfg.blocks.sources.audetnet_folder import AudetnetFolder
    from netcfg.datasets.samples.label_files import read_labels

    names = ("aus_dict.pkl", "labels.npz", "labels.csv")
    file = next((name for name in names if (folder / name).is_file()), names[0])
    labels = read_labels(folder / file)
    width = labels.values.shape[1]
    units = _units(options.action_units) if options.action_units else labels.units
    if units is None:
        units = AU_SETS["disfa" if width == 12 else "disfa8"] if width in (8, 12) else None
    if units is None:
        raise NetcfgError(
            f"{shown_path(folder / file)} has {width} labels for a frame, and does not say of which units\n"
            "help: `--action-units 1,2,4`, in the order of the labels"
        )
    if options.action_units is None and labels.units is None:
        print(f"note: {file} does not name its action units: taken as DISFA's (`--action-units` says others)")
    return AudetnetFolder(
        path=str(folder),
        labels=file,
        action_units=tuple(str(unit) for unit in units),
        intensities=bool(labels.values.max() > 1),
        missing="skip",
    )


def _open_splits(source: Source, fields: tuple[str, ...]) -> dict[str, Any]:
    """The samples of each split without their pictures; an empty split has none."""
    from netcfg.blocks.fields import Split

    splits, refusals = {}, []
    for split in get_args(Split):
        try:
            splits[split] = source.open(split, fields)
        except NetcfgError as refusal:
            refusals.append(refusal)
    if not splits:
        raise refusals[0]
    for reason in refusals:
        print(f"note: {str(reason).partition(chr(10))[0]}")
    return splits


def _print_tables(
    source: Source, flow: OpticalFlow | None, fields: dict[str, Any], splits: dict[str, Any]
) -> None:
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("field", "kind", "shape", title=f"[{source.type_name}]".replace("[", r"\["))
    given = source.fields()
    for name, spec in (given if flow is None else flow.fields(given)).items():
        table.add_row(name, spec.kind, str(spec))
    console.print(table)
    labels = {}
    counts = Table("split", "samples", "subjects")
    for split, samples in splits.items():
        rows = [samples[index] for index in range(len(samples))]
        people = str(len({int(row["subject"]) for row in rows})) if rows and "subject" in fields else "?"
        counts.add_row(split, f"{len(samples):,}", people)
        if rows and "labels" in fields:
            labels[split] = np.stack([row["labels"] for row in rows])
    console.print(counts)
    if labels:
        console.print(_balance(source, fields["labels"].names, labels))


def _balance(source: Source, names: tuple[str, ...], labels: dict[str, Any]) -> Any:
    """How many samples show each unit, and none."""
    import numpy as np
    from rich.table import Table

    above = np.float32(getattr(source, "active_above", 0.5))
    table = Table("shown", *labels)
    active = {split: values > above for split, values in labels.items()}
    for place, name in enumerate(names):
        table.add_row(name, *(_share(shown[:, place]) for shown in active.values()))
    table.add_row("none", *(_share(~shown.any(1)) for shown in active.values()))
    return table


def _share(shown: Any) -> str:
    return f"{int(shown.sum()):,} ({shown.mean():.0%})"


def _caption(samples: Any, index: int, sample: dict[str, Any], source: Source, fields: dict[str, Any]) -> str:
    """The sample's id or subject, and the units it shows."""
    ids = getattr(samples, "ids", None)
    title = ids[index] if ids else f"#{int(sample['subject'])}" if "subject" in sample else f"{index}"
    if "labels" not in fields:
        return title
    above = getattr(source, "active_above", 0.5)
    units = [
        name.removeprefix("AU")
        for name, value in zip(fields["labels"].names, sample["labels"], strict=True)
        if value > above
    ]
    return f"{title}: {' '.join(units) or '-'}"


def _write_sheet(path: Path, pictures: list[Any], captions: list[str]) -> None:
    from netcfg.datasets.pictures.contact_sheet import contact_sheet
    from netcfg.datasets.pictures.opencv import cv2
    from netcfg.files import write_beside

    if path.suffix.lower() != ".png":
        raise NetcfgError(f"`-o {path}`: the sheet is a .png")
    sheet = cv2.cvtColor(contact_sheet(pictures, captions), cv2.COLOR_RGB2BGR)
    write_beside(path, cv2.imencode(".png", sheet)[1].tobytes())


# --- arguments --------------------------------------------------------------------------------------------


def _positive(text: str) -> int:
    return _whole(text, 1, 10**9)


def _not_negative(text: str) -> int:
    return _whole(text, 0, 2**31 - 1)


def _size(text: str) -> int:
    return _whole(text, 16, 4_096)


def _whole(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, found `{text}`")
    return int(text)
