"""What `netcfg graph` may be told of a picture for a paper."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.draw.options import PALETTES
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.draw.paper import Paper

_PAPERS = ("ieee-column", "ieee-page", "a4")
PLAIN_OF_LOOK = {"frame": "no-frame", "renames": "rename", "insets": "inset", "legend": "legend off"}
"""What the fields of `Look` are called on the command line, where that is another word."""


def add_paper_arguments(parser: argparse.ArgumentParser) -> None:
    """Title, frame, legend, names, colours, letters and width."""
    group = parser.add_argument_group("for papers")
    titles = group.add_mutually_exclusive_group()
    titles.add_argument("--title", metavar="TEXT", help="the heading, instead of the file's name")
    titles.add_argument("--no-title", action="store_true", help="no heading")
    group.add_argument(
        "--no-frame", action="store_true", help="no edge around networks, and no name where there is one"
    )
    group.add_argument(
        "--legend", choices=("on", "off"), default="on", help="what colours mean (default: on)"
    )
    group.add_argument(
        "--rename",
        metavar="NAME=TEXT",
        action="append",
        default=[],
        help="what a block, a use of a template or a network is called in the picture; repeatable",
    )
    group.add_argument(
        "--palette",
        choices=PALETTES,
        help="other colours: greys, colours that everybody tells apart, lines on white, or stronger ones",
    )
    group.add_argument(
        "--font",
        metavar="NAME",
        help="of .svg, .html and .tex: serif, sans-serif, monospace, or a font's name",
    )
    group.add_argument(
        "--inset",
        metavar="TEMPLATE",
        action="append",
        default=[],
        help="draw the inside of a template beside the networks, in which its uses are one box each; repeatable",
    )
    sizes = group.add_mutually_exclusive_group()
    sizes.add_argument(
        "--width",
        metavar="LENGTH",
        help="fold and scale the picture to this width (88mm, 3.5in), with no text under 6 pt",
    )
    sizes.add_argument("--paper", choices=_PAPERS, help="the same, for a known width and height")


def renames_of(options: argparse.Namespace) -> dict[str, str]:
    """The names that parts are to have. Raises `NetcfgError` for what is no pair."""
    found: dict[str, str] = {}
    for text in options.rename:
        name, equals, shown = text.partition("=")
        if not equals or not name.strip() or not shown.strip():
            raise NetcfgError(
                f"--rename {text}: write it as NAME=TEXT, e.g. --rename stem='7×7'", code="NC801"
            )
        if name.strip() in found:
            raise NetcfgError(f"--rename names `{name.strip()}` twice", code="NC801")
        found[name.strip()] = shown.strip()
    return found


def paper_of(options: argparse.Namespace, output: Path) -> Paper | None:
    """The width that the picture is to have. Raises `NetcfgError` for a format that has none."""
    from netcfg.draw.formats import OF_A_SIZE, WITH_FONTS
    from netcfg.draw.paper import read_paper, read_width

    ending = output.suffix.lower()
    if options.font is not None and ending not in WITH_FONTS:
        raise NetcfgError(
            f"--font goes with {', '.join(WITH_FONTS)}: {output.name} carries letters of its own\n"
            f"help: leave it out, or `-o {output.with_suffix('.svg')}`",
            code="NC801",
        )
    if options.width is None and options.paper is None:
        return None
    name = "--width" if options.width is not None else "--paper"
    if ending not in OF_A_SIZE:
        raise NetcfgError(
            f"{name} goes with {', '.join(OF_A_SIZE)}: {output.name} has no size on paper", code="NC801"
        )
    if options.scale is not None:
        raise NetcfgError(
            f"{name} says how large the picture is, and --scale as well\nhelp: leave one of them out",
            code="NC801",
        )
    return read_width(options.width) if options.width is not None else read_paper(options.paper)
