"""Looking at data: how many samples each split has, what they show, and a sheet of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.samples import Sample, SampleTable
from netcfg.blocks.sources.base import Source
from netcfg.blocks.transforms.optical_flow import OpticalFlow
from netcfg.datasets.samples.tables import described, is_label, opened
from netcfg.source import NetcfgError

LABELS = "labels"


@dataclass(frozen=True)
class Look:
    """Data seen without their pictures: the fields that they give, the tables of their splits, and notes."""

    source: Source
    flow: OpticalFlow | None
    tables: Mapping[Split, SampleTable]
    notes: list[str] = field(default_factory=list)

    @property
    def fields(self) -> Mapping[str, FieldSpec]:
        """All fields, that of the flow among them."""
        given = self.source.fields()
        return given if self.flow is None else self.flow.fields(given)

    @property
    def label_fields(self) -> tuple[str, ...]:
        """The fields that are known without a picture."""
        return tuple(name for name, spec in self.source.fields().items() if is_label(spec))

    def subjects(self, split: Split) -> int | None:
        """How many people a split shows; None where that is not known."""
        numbers = self.tables[split].subjects
        return None if numbers is None else len(set(numbers.tolist()))

    def balance(self) -> dict[str, list[tuple[int, float]]]:
        """How many samples of each split show each label, and none, and what share that is; empty without labels."""
        tables = list(self.tables.values())
        classes = {name: spec.names for name, spec in self.source.fields().items() if _is_named_class(spec)}
        rows: dict[str, list[tuple[int, float]]] = {}
        for field_name, names in classes.items():
            if all(field_name in table.labels for table in tables):
                counts = [
                    np.bincount(table.labels[field_name], minlength=len(names)).tolist() for table in tables
                ]
                for place, name in enumerate(names):
                    row = [(count[place], count[place] / max(1, sum(count))) for count in counts]
                    rows[name if len(classes) == 1 else f"{field_name}: {name}"] = row
        return rows | self._labels_shown(tables)

    def _labels_shown(self, tables: Sequence[SampleTable]) -> dict[str, list[tuple[int, float]]]:
        if LABELS not in self.source.fields() or not all(LABELS in table.labels for table in tables):
            return {}
        active = [table.labels[LABELS] > np.float32(table.active_above) for table in tables]
        names = self.source.fields()[LABELS].names
        rows = {name: [_share(shown[:, place]) for shown in active] for place, name in enumerate(names)}
        return rows | {"none": [_share(np.asarray(~shown.any(axis=1))) for shown in active]}


def _is_named_class(spec: FieldSpec) -> bool:
    return spec.kind == "class" and bool(spec.names)


def look_at(source: Source, flow: OpticalFlow | None = None) -> Look:
    """The splits of a source; one that cannot be opened is a note. Raises `NetcfgError` where none can be."""
    wanted = tuple(name for name, spec in source.fields().items() if is_label(spec))
    tables: dict[Split, SampleTable] = {}
    refusals = []
    for split in get_args(Split):
        try:
            tables[split] = described(opened(source, split, wanted).table, source)
        except NetcfgError as refusal:
            refusals.append(refusal)
    if not tables:
        raise refusals[0]
    return Look(source, flow, tables, [str(reason).partition("\n")[0] for reason in refusals])


def write_sheet(look: Look, path: Path, split: Split, count: int) -> tuple[int, int]:
    """Write pictures of a split, evenly spread over it, with what they show; how many, and of how many.

    Raises `NetcfgError` for a path that is no .png.
    """
    from netcfg.datasets.pictures.contact_sheet import contact_sheet
    from netcfg.datasets.pictures.opencv import cv2
    from netcfg.files import write_beside

    if path.suffix.lower() != ".png":
        raise NetcfgError(f"`-o {path}`: the sheet is a .png", code="NC801")
    samples = opened(look.source, split, ("image", *look.label_fields))
    table = described(samples.table, look.source)
    if look.flow is not None:
        samples = look.flow.extend(samples, ("image", "flow", *look.label_fields), look.source.fields())
    chosen = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int).tolist()
    pictures = [_beside(samples[index]) for index in chosen]
    sheet = contact_sheet(pictures, [_caption(table, index) for index in chosen])
    write_beside(path, cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes())
    return len(chosen), len(samples)


def _beside(sample: Sample) -> NDArray[Any]:
    return np.hstack([sample[name] for name in ("image", "flow") if name in sample])


def _caption(table: SampleTable, index: int) -> str:
    """The sample's name, and the class or the units it shows."""
    if LABELS not in table.labels:
        classes = [
            names[int(table.labels[field][index])]
            for field, names in table.names.items()
            if names and field in table.labels and table.labels[field].ndim == 1
        ]
        named = [name for name in classes if not table.ids[index].startswith(f"{name}/")]
        return ": ".join([table.ids[index], *([" ".join(named)] if named else [])])
    names: Sequence[str] = table.names.get(LABELS, ())
    shown = table.labels[LABELS][index] > np.float32(table.active_above)
    units = [name.removeprefix("AU") for name, is_shown in zip(names, shown, strict=True) if is_shown]
    return f"{table.ids[index]}: {' '.join(units) or '-'}"


def _share(shown: NDArray[np.bool_]) -> tuple[int, float]:
    return int(shown.sum()), float(shown.mean())
