"""`netcfg data convert`: labels into a format that needs no care."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from netcfg.source import NetcfgError, shown_path


def add_parser(verbs: Any) -> None:
    """Its options."""
    convert = verbs.add_parser(
        "convert", help="labels into a safe format", description="Convert labels; the file stays as it is."
    )
    convert.add_argument("labels", metavar="LABELS", help=".pkl, .npz or .csv")
    convert.add_argument("-o", "--output", required=True, metavar="OUT", help=".npz or .csv")
    convert.add_argument("--action-units", metavar="UNITS", help="disfa, bp4d, disfa8, or numbers: 1,2,4")


def run(options: argparse.Namespace) -> None:
    """Write the converted file. Raises `NetcfgError` with a remedy."""
    from netcfg.datasets.samples.label_files import of_units, read_labels, write_labels

    output = Path(options.output)
    if output.suffix.lower() not in (".npz", ".csv"):
        raise NetcfgError(f"`-o {output}`: labels are converted to .npz or .csv", code="NC801")
    if output.exists():
        raise NetcfgError(
            f"{shown_path(output)} exists, and is not overwritten\nhelp: another name, or remove it",
            code="NC803",
        )
    labels = read_labels(Path(options.labels))
    if options.action_units is not None:
        labels = of_units(labels, written_units(options.action_units), options.labels)
    write_labels(output, labels)
    print(f"{shown_path(output)}: {len(labels.ids)} frames, {labels.values.shape[1]} action units")


def written_units(text: str) -> tuple[int, ...]:
    """The action units of `--action-units`: a name, or numbers. Raises `NetcfgError`."""
    from pydantic_core import PydanticCustomError

    from netcfg.blocks.action_units import AU_SETS, known_action_units

    try:
        written = known_action_units(tuple(item.strip().removeprefix("AU") for item in text.split(",")))
    except PydanticCustomError as error:
        raise NetcfgError(f"`--action-units {text}`: {error.message_template}", code="NC801") from None
    return AU_SETS.get(written[0]) or tuple(int(item) for item in written)
