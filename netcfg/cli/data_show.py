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
    from collections.abc import Mapping

    from netcfg.blocks.fields import FieldSpec, Split
    from netcfg.blocks.sources.base import Source
    from netcfg.blocks.transforms.optical_flow import OpticalFlow
    from netcfg.datasets.examining import Examined, Twins
    from netcfg.datasets.looking import Look
    from netcfg.program import Data


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
    show.add_argument(
        "--augmented",
        action="store_true",
        help="on the sheet of a program, each sample also as its transforms make it in training",
    )
    show.add_argument(
        "--all", action="store_true", help="look into every picture, not into some, evenly spread"
    )
    add_picture_arguments(show)
    add_program_arguments(show)


def run(options: argparse.Namespace) -> None:
    """Print the tables, and write the sheet where one is asked for. Raises `NetcfgError` with a remedy."""
    sheet = (("split", options.split), ("count", options.count), ("augmented", options.augmented or None))
    for name, given in sheet:
        if given is not None and options.output is None:
            raise NetcfgError(
                f"`--{name}` is for the sheet of pictures\nhelp: `-o sheet.png` writes one", code="NC801"
            )
    split: Split = options.split or "train"
    source, data = _data(options)
    if data is None or not data.parts:
        _show(source, data, options, split, options.output)
        return
    for place, part in enumerate(data.parts):
        print("\n" * bool(place) + f"source `{part.name}`")
        output = None
        if options.output is not None:
            path = Path(options.output)
            output = str(path.with_stem(f"{path.stem}_{part.name}"))
        _show(part.source, part, options, split, output)


def _show(
    source: Source, data: Data | None, options: argparse.Namespace, split: Split, output: str | None
) -> None:
    """Those of one source."""
    from netcfg.datasets.looking import look_at, write_sheet

    look = look_at(source, _flow(data), source.splits)
    for note in look.notes:
        print(f"note: {note}")
    _print_tables(look)
    _print_masks(look)
    examined = look.examine(options.all)
    if examined is not None:
        _print_pictures(look, examined)
    elif options.all:
        raise NetcfgError(
            "`--all` is for pictures, and these are frames of clips\nhelp: leave it out", code="NC801"
        )
    if output is not None:
        steps, after = _augmentation(data, split) if options.augmented else ([], {})
        used = None if data is None else data.needed[0]
        count = options.count or DEFAULT_COUNT
        shown, of = write_sheet(look, Path(output), split, count, steps, after, used)
        beside = ", each before and after augmentation" if steps else ""
        print(f"{output}: {shown} of {of} {split} samples{beside}")


def _flow(data: Data | None) -> OpticalFlow | None:
    """The block that adds the flow of clips, where a program has one."""
    from netcfg.blocks.transforms.optical_flow import OpticalFlow

    if data is None or not data.source.has_clips:
        return None
    return next((transform for transform in data.transforms if isinstance(transform, OpticalFlow)), None)


def _augmentation(data: Data | None, split: Split) -> tuple[list[Any], Mapping[str, FieldSpec]]:
    """What a program does to single samples in training, and the fields after it. Raises `NetcfgError` for nothing."""
    from netcfg.datasets.pipeline import lowered

    steps = [step for per_sample, step in lowered(data, True, split) if per_sample] if data else []
    if data is None or not steps:
        raise NetcfgError(
            "`--augmented` shows what the transforms of a program do, and here is none that changes single samples\n"
            "help: leave it out, or give a program and its folder: `netcfg data show FILE --data DIR`",
            code="NC801",
        )
    return steps, data.fields


def _data(options: argparse.Namespace) -> tuple[Source, Data | None]:
    """The source, and the data of the program that it stands in."""
    place = Path(options.place)
    if place.is_dir():
        refuse_program_arguments(options, "for programs, and this is a folder", "leave it out")
        return _folder_source(place, options), None
    if place.is_file() and place.suffix.lower() != ".cfg" and _is_data(place):
        refuse_program_arguments(options, "for programs, and this is data", "leave it out")
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
    return data.source, data


def _is_data(file: Path) -> bool:
    """Whether a source reads a file by itself."""
    from netcfg.passes.data_folder import sources

    return any(kind.takes_files and kind.recognise(file) for kind in sources())


def _folder_source(folder: Path, options: argparse.Namespace) -> Source:
    """The source that reads a folder; what its labels hold is taken from them."""
    from netcfg.blocks.registry import find
    from netcfg.blocks.sources.base import Source
    from netcfg.datasets.sources.folder_labels import described_by_labels
    from netcfg.passes.data_folder import checked_source, source_of, sources
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
    source = checked_source(recognised, written, shown_path(folder), findings)
    if source is None or findings:
        raise ProgramError(findings)
    return source


def _print_tables(look: Look) -> None:
    from rich.console import Console

    from netcfg.trainers.reporting.fitting import FittingTable

    console = Console()
    table = FittingTable("field", "kind", "shape", title=f"[{look.source.type_name}]".replace("[", r"\["))
    for name, spec in look.fields.items():
        table.add_row(name, spec.kind, f"{spec} ({spec.unit})" if spec.unit else str(spec))
    console.print(table)
    subjects = {split: look.subjects(split) for split in look.tables}
    are_known = any(count is not None for count in subjects.values())
    counts = FittingTable("split", "samples", *(("subjects",) if are_known else ()))
    for split, samples in look.tables.items():
        shown = ("?" if subjects[split] is None else str(subjects[split]),) if are_known else ()
        counts.add_row(split, f"{len(samples):,}", *shown)
    console.print(counts)
    for name, lacking in look.gaps().items():
        splits = ", ".join(f"{count:,} in {split}" for split, count in zip(look.tables, lacking, strict=True))
        print(f"`{name}` is not known of {splits}")
    for name, (low, middle, high) in look.numbers().items():
        unit = look.fields[name].unit
        print(f"`{name}`: {low:.4g} to {high:.4g}{f' {unit}' if unit else ''}, the middle one {middle:.4g}")
    balance = look.balance()
    if balance:
        table = FittingTable("shown", *look.tables)
        for name, shares in balance.items():
            table.add_row(name, *(f"{count:,} ({share:.0%})" for count, share in shares))
        console.print(table)


def _print_masks(look: Look) -> None:
    """How much of the pictures each class of a mask takes."""
    for name, (count, by_class) in look.mask_shares().items():
        told = ", ".join(f"{one} {share:.1%}" for one, share in by_class if share or one != "no class")
        print(f"pixels of `{name}`: {told} (of {count:,} masks to train on)")


def _print_pictures(look: Look, examined: Examined) -> None:
    """Sizes, mean and deviation, and what stands in several splits."""
    import numpy as np

    if not examined.opened:
        print("no picture can be read")
    else:
        areas = examined.sizes.prod(axis=1).argsort()
        low, middle, high = (examined.sizes[areas[place]] for place in (0, len(areas) // 2, -1))
        looked_at = examined.opened + len(examined.unreadable)
        some = "" if looked_at == examined.of else f" of {looked_at:,} of them (`--all`)"
        same = bool((examined.sizes == low).all())
        sizes = f"{low[0]}×{low[1]}"
        if not same:
            sizes += f" to {high[0]}×{high[1]}, the middle one {middle[0]}×{middle[1]}"
        print(f"{examined.of:,} pictures{some}: {sizes} (height×width)")
        for name, numbers in (("mean", examined.mean), ("std", examined.std)):
            print(f"{name} = {', '.join(f'{value:.3f}' for value in np.asarray(numbers))}")
    for place, why in examined.unreadable[:3]:
        print(f"note: {look.tables[place[0]].ids[place[1]]} of {place[0]}: {why}")
    if len(examined.unreadable) > 3:
        print(f"note: {len(examined.unreadable):,} of the pictures looked at cannot be read")
    if examined.equal is not None:
        _print_twins(look, examined.equal, "the same, byte for byte, in two splits")
    _print_twins(look, examined.near, "nearly the same in two splits")


def _print_twins(look: Look, twins: Twins, what: str) -> None:
    if not twins.count:
        return
    pairs = "; ".join(
        f"{look.tables[one[0]].ids[one[1]]} ({one[0]}) and {look.tables[other[0]].ids[other[1]]} ({other[0]})"
        for one, other in twins.pairs[:3]
    )
    more = f"; and {twins.count - 3:,} more" if twins.count > 3 else ""
    print(f"note: {twins.count:,} pair{'s' if twins.count > 1 else ''} of pictures {what}: {pairs}{more}")
