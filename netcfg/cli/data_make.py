"""`netcfg data make`: write a data folder, of drawn faces or of a database."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.bars import shown
from netcfg.cli.numbers import not_negative, positive, side
from netcfg.cli.pictures import add_picture_arguments, reading_of, refuse_picture_arguments
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

if TYPE_CHECKING:
    from netcfg.datasets.sources.databases import FramesToWrite

SOURCES = ("synthetic_faces", "disfa", "bp4d")
_RECIPE = (
    "source", "images", "subjects", "seed", "image_size", "every", "first_frame", "labels", "folds", "fold",
    "turn", "max_pixels",
)  # fmt: skip
"""The options that what is written depends on: the same ones go on with a folder that was not finished."""


def add_parser(verbs: Any) -> None:
    """Its options."""
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
    make.add_argument("--images", type=positive, metavar="N", help="drawn faces: how many (default: 12)")
    make.add_argument(
        "--subjects", type=positive, metavar="N", help="drawn faces: of how many people (default: 3)"
    )
    make.add_argument("--seed", type=not_negative, metavar="N", help="drawn faces: which ones (default: 0)")
    make.add_argument(
        "--image-size", type=side, default=256, metavar="N", help="height and width (default: 256)"
    )
    make.add_argument(
        "--every", type=positive, metavar="N", help="databases: each clip's every Nth frame (default: 1)"
    )
    make.add_argument(
        "--first-frame", type=not_negative, metavar="N", help="databases: the number that pictures count from, labels "
        "counting from 1"
    )  # fmt: skip
    make.add_argument(
        "--labels", choices=("intensities", "occurrence"), help="0 to 5, or 0 and 1; DISFA: intensities"
    )
    make.add_argument(
        "--folds", type=positive, default=3, metavar="N", help="parts the subjects fall in (default: 3)"
    )
    make.add_argument("--fold", type=not_negative, default=0, metavar="N", help="the part to test on, from 0")
    add_picture_arguments(make)
    add_saying_arguments(make, "print notes only", "a line for every picture")
    make.add_argument("--overwrite", action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> None:
    """Write the folder. Raises `NetcfgError` with a remedy."""
    from netcfg.datasets.sources.make_folder import new_folder, tested_subjects, write_folder

    if options.overwrite:
        raise NetcfgError(
            "`netcfg data make` overwrites nothing\nhelp: name a new folder, or empty the old one",
            code="NC803",
        )
    made, said = _frames(options), saying(options)
    tested = tested_subjects(made.subjects, options.folds, options.fold)
    folder = new_folder(Path(options.folder), {key: getattr(options, key) for key in _RECIPE})
    steps = write_folder(folder, made.frames, tested)
    try:
        done = list(shown(steps, made.total, f"writing {shown_path(folder)}", "pictures", said))[-1]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"while writing {shown_path(folder)}; the same command goes on") from None
    for note in made.notes:
        print(f"note: {note}")
    if said is Saying.QUIET:
        return
    pictures, people = counted(done, "picture"), counted(len(made.subjects), "subject")
    print(f"{shown_path(folder)}: {pictures} of {people}, {len(tested)} of them for testing")
    print(f"look at them with: netcfg data show {shown_path(folder)} -o sheet.png")


def _frames(options: argparse.Namespace) -> FramesToWrite:
    """The frames that `--from` names; options that it does not have are refused."""
    name, *paths = options.source
    if name not in SOURCES or len(paths) > (name != "synthetic_faces"):
        raise NetcfgError(
            f"`--from {' '.join(options.source)}`: there is no such source\n"
            "help: `--from synthetic_faces`, `--from disfa PATH` or `--from bp4d PATH`",
            code="NC802",
        )
    return _drawn(options) if name == "synthetic_faces" else _of_database(name, paths, options)


def _drawn(options: argparse.Namespace) -> FramesToWrite:
    from netcfg.datasets.sources.databases import drawn_frames

    for key, given in (("first-frame", options.first_frame), ("every", options.every)):
        if given is not None:
            raise NetcfgError(
                f"`--{key}` is for databases\nhelp: leave it out: drawn frames have their labels, and `--images` is "
                "how many there are",
                code="NC801",
            )
    refuse_picture_arguments(options, "is for databases", "leave it out: drawn frames come from no files")
    images, subjects = options.images or 12, options.subjects or min(3, options.images or 3)
    if images < subjects:
        raise NetcfgError(
            f"{images} images cannot show {subjects} subjects\nhelp: more `--images`", code="NC801"
        )
    return drawn_frames(
        images, subjects, options.image_size, options.seed or 0, options.labels != "intensities"
    )


def _of_database(name: str, paths: list[str], options: argparse.Namespace) -> FramesToWrite:
    from netcfg.datasets.sources.databases import database_frames

    if not paths:
        raise NetcfgError(
            f"where is {name}?\nhelp: `--from {name} PATH`, with the folder as it is handed out", code="NC801"
        )
    for key, given in (("images", options.images), ("subjects", options.subjects), ("seed", options.seed)):
        if given is not None:
            raise NetcfgError(
                f"`--{key}` is for drawn faces\nhelp: `--every N` takes fewer frames of a database",
                code="NC801",
            )
    if name == "bp4d" and options.labels == "intensities":
        raise NetcfgError(
            "BP4D codes for most units only whether they occur\nhelp: leave out `--labels`", code="NC506"
        )
    return database_frames(
        name,
        Path(paths[0]),
        occurrence=options.labels == "occurrence",
        size=options.image_size,
        every=options.every or 1,
        reading=reading_of(options),
        first_frame=options.first_frame,
    )
