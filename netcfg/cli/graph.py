"""`netcfg graph FILE -o OUT`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.once import OnceOrNone
from netcfg.cli.paper import PLAIN_OF_LOOK, add_paper_arguments, paper_of, renames_of
from netcfg.cli.program import add_program_arguments, check_file, settings_of
from netcfg.draw.links import DEFAULT as DEFAULT_LINK
from netcfg.draw.links import Links, check_template
from netcfg.draw.options import HEATS, LABELS, Look
from netcfg.program import Program
from netcfg.source import NetcfgError, did_you_mean, render, shown_path, sorted_findings

if TYPE_CHECKING:
    from netcfg.draw import Picture

DEFAULT_SCALE = 2.0
PRINTED_SCALE = 300 / 96
"""Pixels per unit of a picture that is as large as on paper: 300 to the inch."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a program; several are drawn side by side")
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help=".svg, .png, .pdf, .html, .json, .dot, .mmd or .md (Mermaid), .tex or .tikz; FILE's .svg by default",
    )
    parser.add_argument("--network", metavar="NAME", action="append", help="only this network; repeatable")
    parser.add_argument(
        "--training",
        action="store_true",
        help="draw the training step instead: data, networks, losses, optimizers, and where gradients flow",
    )
    parser.add_argument(
        "--phase",
        metavar="NAME",
        action="append",
        help="with --training: only this optimizer's phase and what it needs; repeatable",
    )
    parser.add_argument(
        "--expand", action="store_true", help="draw every turn of a repeat and the inside of every template"
    )
    parser.add_argument(
        "--depth",
        type=int,
        metavar="N",
        help="open templates, and folders of names, that many levels deep, 0 for none (as deep as a page has room for)",
    )
    parser.add_argument(
        "--labels",
        metavar="NAME,…",
        default="shape",
        help=f"what stands at boxes and lines: {', '.join(LABELS)}, or none (default %(default)s)",
    )
    parser.add_argument(
        "--style",
        default="flow",
        metavar="NAME",
        help="flow (boxes and lines, the default) or volumes (feature maps in perspective)",
    )
    parser.add_argument(
        "--direction", metavar="WAY", help="top-down (the default of flow) or left-right (of volumes)"
    )
    parser.add_argument(
        "--columns",
        type=int,
        metavar="N",
        help="fold each network into N columns, or rows (as many as a page needs)",
    )
    parser.add_argument(
        "--heat",
        metavar="COST",
        help=f"colour boxes by what they cost, not by family: {', '.join(HEATS)} (of activations)",
    )
    add_scale_argument(parser)
    add_paper_arguments(parser)
    parser.add_argument(
        "--link",
        action=OnceOrNone,
        metavar="TEMPLATE",
        help="where the parts of an svg or html lead to, with {file} (relative), {path} (absolute), {line} and "
        f"{{column}} in it, e.g. vscode://file/{{path}}:{{line}}; '' for no links (default {DEFAULT_LINK})",
    )
    add_program_arguments(parser)


def add_scale_argument(parser: argparse.ArgumentParser) -> None:
    """`--scale`, of a picture in pixels."""
    parser.add_argument("--scale", type=float, help=f"pixels per unit of a png (default {DEFAULT_SCALE:g})")


def run(options: argparse.Namespace) -> int:
    """Draw the networks, or the training step, and say where the picture is."""
    look = _look(options)
    output = Path(options.output or f"{Path(options.files[0]).stem}.svg")
    check_picture(output, options.scale, *options.files)
    paper = paper_of(options, output)
    link = DEFAULT_LINK if options.link is None else options.link
    check_template(link)
    _check_combination(options, look)
    _check_format(options, output)
    programs = [_checked(file, options) for file in options.files]
    known = [program for program in programs if program is not None]
    if len(known) == len(programs):
        drawn = _training(known[0], options) if options.training else _networks(known, options, look)
    elif (part := _broken(options, look)) is not None:
        drawn = part
    else:
        what = "no network can be drawn"
        if options.training or len(options.files) > 1:
            what = "a file with errors is drawn alone, and its networks only"
        print(f"note: no picture is written: {what}", file=sys.stderr)
        return 1
    drawn.links, drawn.font = Links(link), options.font or ""
    if paper is not None:
        drawn.paper, drawn.scale = paper, PRINTED_SCALE
    drawn.save(output)
    print(shown_path(output))
    return int(len(known) < len(programs))


def _checked(file: str, options: argparse.Namespace) -> Program | None:
    """A file's program, after what is to be said of it; None where it has errors."""
    program, findings = check_file(
        file, options.preset, settings_of(options), options.data, options.allow_outside
    )
    for finding in sorted_findings(findings):
        print(render(finding), end="\n\n", file=sys.stderr)
    return program


def _broken(options: argparse.Namespace, look: Look) -> Picture | None:
    """What can be understood of a file with errors; None where that is nothing."""
    from netcfg.compile import understand
    from netcfg.draw.mistakes import broken_picture

    if len(options.files) > 1 or options.training:
        return None
    networks, _ = understand(
        Path(options.files[0]), options.preset, settings_of(options), options.data, options.allow_outside
    )
    names = [network.graph.name for network in networks]
    if not names:
        return None
    _check_names(options, names)
    chosen = [network for network in networks if network.graph.name in (options.network or names)]
    return broken_picture(chosen, _title(options), _scale(options), look)


def _check_combination(options: argparse.Namespace, look: Look) -> None:
    """Raises `NetcfgError` for options of the one kind of picture that are given for the other."""
    plain = Look()
    foreign = [
        PLAIN_OF_LOOK.get(field.name, field.name)
        for field in fields(Look)
        if getattr(look, field.name) != getattr(plain, field.name)
    ]
    foreign += ["network"] if options.network else []
    if options.training and foreign:
        raise NetcfgError(f"--{foreign[0]} goes with pictures of networks, not with --training", code="NC801")
    if options.training and len(options.files) > 1:
        raise NetcfgError("--training draws one file\nhelp: name one", code="NC801")
    if options.expand and options.depth is not None:
        raise NetcfgError(
            "--expand opens everything, and --depth only some levels\nhelp: leave one of them out",
            code="NC801",
        )
    if options.phase and not options.training:
        raise NetcfgError("--phase goes with --training", code="NC801")


def _check_format(options: argparse.Namespace, output: Path) -> None:
    """Raises `NetcfgError` for choices that the picture's format has no room for."""
    from netcfg.draw.formats import PLACING_THEMSELVES, WITH_LINKS

    ending = output.suffix.lower()
    if options.link is not None and ending not in WITH_LINKS:
        raise NetcfgError(
            f"--link goes with {' and '.join(WITH_LINKS)}: {output.name} holds no links", code="NC801"
        )
    if options.columns is not None and ending in PLACING_THEMSELVES:
        raise NetcfgError(f"--columns: what reads {output.name} places boxes as it likes", code="NC801")


def _networks(programs: Sequence[Program], options: argparse.Namespace, look: Look) -> Picture:
    from netcfg.draw import picture_of_files

    _check_names(options, [graph.name for program in programs for graph in program.graphs])
    files = []
    for file, program in zip(options.files, programs, strict=True):
        wanted = options.network or [graph.name for graph in program.graphs]
        caption = "" if options.no_title else Path(file).name
        files.append((caption, [graph for graph in program.graphs if graph.name in wanted]))
    return picture_of_files(files, title=_title(options), scale=_scale(options), look=look)


def _title(options: argparse.Namespace) -> str:
    """The heading: of several files, each is named above its own networks."""
    if options.title is not None:
        return str(options.title)
    return "" if options.no_title or len(options.files) > 1 else Path(options.files[0]).name


def _check_names(options: argparse.Namespace, names: Iterable[str]) -> None:
    """Raises `NetcfgError` for a network that is asked for and not there."""
    for name in options.network or ():
        if name not in names:
            help = did_you_mean(name, names)
            raise NetcfgError(
                f"{', '.join(options.files)} has no network `{name}`" + (f"\nhelp: {help}" if help else ""),
                code="NC802",
            )


def _training(program: Program, options: argparse.Namespace) -> Picture:
    from netcfg.draw.training.picture import training_picture

    drawn = training_picture(program, options.phase or (), _scale(options))
    drawn.title = _title(options)
    return drawn


def _scale(options: argparse.Namespace) -> float:
    return DEFAULT_SCALE if options.scale is None else float(options.scale)


def _look(options: argparse.Namespace) -> Look:
    """The choices of the command line. Raises `NetcfgError` for what there is no such choice."""
    labels = [label.strip() for label in options.labels.split(",") if label.strip() not in ("", "none")]
    try:
        return Look(
            options.expand,
            options.depth,
            tuple(labels),
            options.style,
            options.direction,
            options.columns,
            options.heat,
            not options.no_frame,
            options.legend == "on",
            options.palette,
            renames_of(options),
            tuple(options.inset),
        )
    except NetcfgError as error:
        said = str(error)
        raise NetcfgError(said if said.startswith("--") else f"--{said}", error.code) from None


def check_picture(output: Path, scale: float | None, *drawn: str) -> None:
    """Raises `NetcfgError` for a picture that cannot be: of an unknown type, of no size, in place of a file drawn."""
    from netcfg.draw.formats import WITH_PIXELS, writer_of

    writer_of(output)
    if scale is not None and output.suffix.lower() not in WITH_PIXELS:
        raise NetcfgError(
            f"--scale goes with {' and '.join(WITH_PIXELS)}: {output.name} has no pixels", code="NC801"
        )
    if scale is not None and not 0 < scale <= 16:
        raise NetcfgError(f"--scale must be above 0 and at most 16, found {scale:g}", code="NC801")
    if any(_is_same_file(output, Path(file)) for file in drawn):
        raise NetcfgError(
            f"{output}: the picture would take the place of what it shows\nhelp: give -o another name",
            code="NC803",
        )


def _is_same_file(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
