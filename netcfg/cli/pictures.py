"""How the pictures that a command is given are read: the options that a source of data has in its section."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from netcfg.cli.numbers import positive
from netcfg.cli.once import EitherWay
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.datasets.pictures.reading import Reading


def add_picture_arguments(parser: argparse.ArgumentParser, otherwise: str = "turned") -> None:
    """`--turn` or `--no-turn`, and `--max-pixels`; `otherwise` is what holds without the first."""
    parser.add_argument(
        "--turn",
        action=EitherWay,
        help=f"turn pictures and videos as they say (EXIF), or leave them as they are stored; default: {otherwise}",
    )
    parser.add_argument(
        "--max-pixels",
        type=positive,
        metavar="N",
        help="refuse pictures of more pixels (default: 179 million)",
    )


def reading_of(options: argparse.Namespace, default: Reading | None = None) -> Reading:
    """What these options ask for, and else the default."""
    from netcfg.datasets.pictures.reading import ORDINARY, Reading

    default = default or ORDINARY
    turns = default.turns if options.turn is None else options.turn
    return Reading(turns, options.max_pixels or default.max_pixels, is_asked=True)


def written_reading(options: argparse.Namespace) -> dict[str, str]:
    """The same as options of a source; what was not given is left out."""
    given = {"turn": options.turn, "max_pixels": options.max_pixels}
    return {key: str(value) for key, value in given.items() if value is not None}


def refuse_picture_arguments(options: argparse.Namespace, why: str, help: str) -> None:
    """Raises `NetcfgError` where one is given that nothing would read."""
    for key in written_reading(options):
        name = "--no-turn" if key == "turn" and not options.turn else f"--{key.replace('_', '-')}"
        raise NetcfgError(f"`{name}` {why}\nhelp: {help}", code="NC801")
