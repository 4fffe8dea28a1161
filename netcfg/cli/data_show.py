"""`netcfg data show`: the fields, splits and balance of data, and a sheet of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.data_convert import written_units
from netcfg.cli.numbers import positive
from netcfg.cli.pictures import add_picture_arguments, refuse_picture_arguments, written_reading
from netcfg.cli.program import add_program_arguments, load_program, refuse_program_arguments
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path

if TYPE_CHECKING:
    from netcfg.blocks.fields import Split
    from netcfg.blocks.sources.base import Source
    from netcfg.datasets.looking import Look


DEFAULT_COUNT = 24


def add_parser(verbs: Any) -> None:
    """Its options."""
    show = verbs.add_parser("show", help="samples, fields, balance", description="Look at data.")
    show.add_argument("place", metavar="FILE|DIR", help="a program, or a folder of data")
    show.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        help="of the pictures on the sheet (default: train)",
    )
    show.add_argument(
        "--count", type=positive, metavar="N", help=f"pictures on the sheet (default: {DEFAULT_COUNT})"
    )
    show.add_argument("--source", metavar="NAME", help="of a folder, the source that reads it")
    show.add_argument("--action-units", metavar="UNITS", help="of a folder's labels, where they do not say")
    show.add_argument("-o", "--output", metavar="PNG", help="write a sheet of pictures")
    add_picture_arguments(show)
    add_program_arguments(show)


def run(options: argparse.Namespace) -> None:
    """Print the tables, and write the sheet where one is asked for. Raises `NetcfgError` with a remedy."""
    from netcfg.datasets.looking import look_at, write_sheet

    for name, given in (("split", options.split), ("count", options.count)):
        if given is not None and options.output is None:
            raise NetcfgError(
                f"`--{name}` is for the sheet of pictures\nhelp: `-o sheet.png` writes one", code="NC801"
            )
    split: Split = options.split or "train"
    look = look_at(*_data(options))
    for note in look.notes:
        print(f"note: {note}")
    _print_tables(look)
    if options.output is not None:
        shown, of = write_sheet(look, Path(options.output), split, options.count or DEFAULT_COUNT)
        print(f"{options.output}: {shown} of {of} {split} samples")


def _data(options: argparse.Namespace) -> tuple[Source, Any]:
    """The source, and the block that adds its flow where a program has one."""
    from netcfg.blocks.transforms.optical_flow import OpticalFlow

    place = Path(options.place)
    if place.is_dir():
        refuse_program_arguments(options, "for programs, and this is a folder", "leave it out")
        return _folder_source(place, options), None
    for key, given in (("action-units", options.action_units), ("source", options.source)):
        if given is not None:
            raise NetcfgError(
                f"`--{key}` is for folders\nhelp: a program writes it in its {{Data}}", code="NC801"
            )
    refuse_picture_arguments(options, "is for folders", "a program writes it in its {Data}")
    data = load_program(options.place, options).data
    if data is None:
        raise NetcfgError(
            f"{options.place} has no {{Data}}\nhelp: name a folder, or a program with data", code="NC801"
        )
    flows = (transform for transform in data.transforms if isinstance(transform, OpticalFlow))
    return data.source, next(flows, None) if data.source.has_clips else None


def _folder_source(folder: Path, options: argparse.Namespace) -> Source:
    """The source that reads a folder; what its labels hold is taken from them."""
    from netcfg.blocks.registry import find
    from netcfg.blocks.sources.base import Source
    from netcfg.datasets.sources.folder_labels import described_by_labels
    from netcfg.passes.data_folder import data_sections, source_of, sources
    from netcfg.passes.schema import check_section
    from netcfg.source import did_you_mean

    own = find("data", options.source) if options.source else None
    if options.source and (own is None or not issubclass(own, Source)):
        known = [kind.type_name for kind in sources()]
        raise NetcfgError(
            f"`--source {options.source}`: there is no such source\nhelp: {did_you_mean(options.source, known)}",
            code="NC802",
        )
    recognised = source_of(folder, own)  # type: ignore[arg-type]  # a kind of source, as was just seen
    units = None if options.action_units is None else written_units(options.action_units)
    described = described_by_labels(recognised.source.type_name, folder, recognised.found.options, units)
    if described.note:
        print(f"note: {described.note}")
    findings: list[Finding] = []
    asked = written_reading(options)
    if "turn" not in recognised.source.model_fields:
        name = recognised.source.type_name
        refuse_picture_arguments(options, f"says nothing to [{name}]", "leave it out")
    written = [f"{key} = {value}" for key, value in {**described.options, **asked}.items()]
    (section,) = data_sections(recognised, written, shown_path(folder), findings)
    source = check_section(section, recognised.source, findings)
    if source is None or findings:
        raise ProgramError(findings)
    return source


def _print_tables(look: Look) -> None:
    from rich.console import Console

    from netcfg.trainers.reporting.fitting import FittingTable

    console = Console()
    table = FittingTable("field", "kind", "shape", title=f"[{look.source.type_name}]".replace("[", r"\["))
    for name, spec in look.fields.items():
        table.add_row(name, spec.kind, str(spec))
    console.print(table)
    counts = FittingTable("split", "samples", "subjects")
    for split, samples in look.tables.items():
        subjects = look.subjects(split)
        counts.add_row(split, f"{len(samples):,}", "?" if subjects is None else str(subjects))
    console.print(counts)
    balance = look.balance()
    if balance:
        shown = FittingTable("shown", *look.tables)
        for name, shares in balance.items():
            shown.add_row(name, *(f"{count:,} ({share:.0%})" for count, share in shares))
        console.print(shown)
