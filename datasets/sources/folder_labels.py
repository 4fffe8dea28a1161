"""What the labels of a folder say of themselves, for those who look at a folder without a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from netcfg.blocks.action_units import AU_SETS
from netcfg.blocks.sources.audetnet_folder import USUAL_LABELS, label_files
from netcfg.datasets.samples.label_files import read_labels
from netcfg.datasets.sources.own_clips import units_of
from netcfg.source import NetcfgError, shown_path

Units = tuple[int, ...]


@dataclass(frozen=True)
class Described:
    """Options that a folder's labels settle, as they would be written, and what a person should know of it."""

    options: Mapping[str, str]
    note: str = ""


def described_by_labels(
    source: str, folder: Path, found: Mapping[str, str], units: Units | None
) -> Described:
    """The options of a source that its labels settle beside those `found`; `units` are those that a person named."""
    if source == "audetnet_folder":
        return _audetnet(folder, units)
    if units is None and source == "clips" and "labels" in found:
        units = units_of(Path(found["labels"]))
    return Described({} if units is None else {"action_units": ", ".join(map(str, units))})


def _audetnet(folder: Path, units: Units | None) -> Described:
    """Labels of AUDetNet's folders say how many units they are of, and in a .npz or .csv of which."""
    files = label_files(folder)
    file = USUAL_LABELS if USUAL_LABELS in files or not files else files[0]
    labels = read_labels(folder / file)
    width = labels.values.shape[1]
    known = units or labels.units
    guessed = AU_SETS["disfa" if width == 12 else "disfa8"] if width in (8, 12) else None
    if known is None and guessed is None:
        raise NetcfgError(
            f"{shown_path(folder / file)} has {width} labels for a frame, and does not say of which units\n"
            "help: `--action-units 1,2,4`, in the order of the labels",
            code="NC505",
        )
    note = f"{file} does not name its action units: taken as DISFA's (`--action-units` says others)"
    options = {
        "labels": file,
        "action_units": ", ".join(map(str, known or guessed or ())),
        "intensities": str(bool(labels.values.max() > 1)),
        "missing": "skip",
    }
    return Described(options, "" if known else note)
