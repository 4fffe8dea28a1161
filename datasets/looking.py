"""Looking at data: how many samples each split has, what they show, and a sheet of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.samples import Sample, SampleTable
from netcfg.blocks.sources.base import Source
from netcfg.blocks.transforms.optical_flow import OpticalFlow
from netcfg.datasets.examining import Examined, examine
from netcfg.datasets.samples.tables import described, is_label, opened
from netcfg.source import NetcfgError

LABELS, HAS = "labels", "has_"
MOST_MASKS = 200
"""So many masks tell the shares of their classes."""
DRAWN = ("image", "mask", "landmarks")
EMPTY: Mapping[str, FieldSpec] = {}
Step = Callable[[Sample, np.random.Generator], Sample]


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
                counts = [_counted(table, field_name, len(names)) for table in tables]
                for place, name in enumerate(names):
                    row = [(count[place], count[place] / max(1, sum(count))) for count in counts]
                    rows[name if len(classes) == 1 else f"{field_name}: {name}"] = row
        return rows | self._labels_shown(tables)

    def gaps(self) -> dict[str, list[int]]:
        """How many samples of each split lack a label, by field; fields without gaps are left out."""
        found = {}
        for name in self.label_fields:
            there = f"{HAS}{name}"
            if there in self.source.fields() and all(there in table.labels for table in self.tables.values()):
                lacking = [
                    int((table.labels[there].reshape(len(table), -1) == 0).any(axis=1).sum())
                    for table in self.tables.values()
                ]
                if any(lacking):
                    found[name] = lacking
        return found

    def numbers(self) -> dict[str, tuple[float, float, float]]:
        """By field of single numbers the least, the middle one and the largest over all splits, gaps left out."""
        found = {}
        for name, spec in self.source.fields().items():
            there = f"{HAS}{name}"
            if spec.kind != "vector" or spec.shape != (1,) or name.startswith(HAS):
                continue
            tables = [table for table in self.tables.values() if name in table.labels]
            values = [
                table.labels[name].reshape(-1)[table.labels.get(there, np.ones(len(table))).reshape(-1) > 0]
                for table in tables
            ]
            known = np.concatenate(values) if values else np.empty(0)
            if len(known):
                found[name] = (float(known.min()), float(np.median(known)), float(known.max()))
        return found

    def mask_shares(self) -> dict[str, tuple[int, list[tuple[str, float]]]]:
        """By field of masks how many were looked at, and the share of pixels of each class; what is no class last.

        Masks that cannot be read, or hold a number that is no class, are left out: `examine` names them.
        """
        found = {}
        split = next(iter(self.tables))
        for name, spec in self.source.fields().items():
            if spec.kind != "mask" or len(spec.shape) != 2 or not spec.names or self.source.has_clips:
                continue
            samples = opened(self.source, split, (name,))
            rows = np.unique(
                np.linspace(0, len(samples) - 1, min(MOST_MASKS, len(samples))).round().astype(int)
            )
            counts, read = np.zeros(len(spec.names) + 1), 0
            for row in rows.tolist():
                try:
                    mask = samples[row][name].astype(np.int64)
                except NetcfgError:
                    continue
                read += 1
                mask[mask == (-1 if spec.ignore is None else spec.ignore)] = len(spec.names)
                counts += np.bincount(mask.reshape(-1), minlength=len(counts))
            shares = list(zip((*spec.names, "no class"), counts / max(1.0, float(counts.sum())), strict=True))
            found[name] = read, [(one, float(share)) for one, share in shares]
        return found

    def examine(self, all_pictures: bool = False) -> Examined | None:
        """The pictures themselves; None where a source has none, or would unpack videos for them."""
        if "image" not in self.source.fields() or self.source.has_clips:
            return None
        read = tuple(name for name, spec in self.source.fields().items() if spec.kind in DRAWN)
        return examine({split: opened(self.source, split, read) for split in self.tables}, all_pictures)

    def _labels_shown(self, tables: Sequence[SampleTable]) -> dict[str, list[tuple[int, float]]]:
        if LABELS not in self.source.fields() or not all(LABELS in table.labels for table in tables):
            return {}
        active = [table.labels[LABELS] > np.float32(table.active_above) for table in tables]
        names = self.source.fields()[LABELS].names
        rows = {name: [_share(shown[:, place]) for shown in active] for place, name in enumerate(names)}
        return rows | {"none": [_share(np.asarray(~shown.any(axis=1))) for shown in active]}


def _is_named_class(spec: FieldSpec) -> bool:
    return spec.kind == "class" and bool(spec.names)


def _counted(table: SampleTable, name: str, count: int) -> list[int]:
    """How often each class is shown; what nobody knows counts nowhere."""
    values = table.labels[name]
    there = table.labels.get(f"{HAS}{name}")
    known = values if there is None else values[there.reshape(-1) > 0]
    return np.bincount(known, minlength=count).tolist()  # type: ignore[no-any-return]


def look_at(source: Source, flow: OpticalFlow | None = None, splits: Sequence[Split] | None = None) -> Look:
    """The splits of a source, or some of them; one that cannot be opened is a note.

    Raises `NetcfgError` where none can be.
    """
    wanted = tuple(name for name, spec in source.fields().items() if is_label(spec))
    wanted = wanted or tuple(source.fields())[:1]  # a source that tells nothing of its pictures
    tables: dict[Split, SampleTable] = {}
    refusals = []
    for split in splits or get_args(Split):
        try:
            tables[split] = described(opened(source, split, wanted).table, source)
        except NetcfgError as refusal:
            refusals.append(refusal)
    if not tables:
        raise refusals[0]
    return Look(source, flow, tables, [str(reason).partition("\n")[0] for reason in refusals])


def write_sheet(
    look: Look,
    path: Path,
    split: Split,
    count: int,
    steps: Sequence[Step] = (),
    after: Mapping[str, FieldSpec] = EMPTY,
    used: Sequence[str] | None = None,
) -> tuple[int, int]:
    """Write pictures of a split, evenly spread over it, with what they show; how many, and of how many.

    Masks and landmarks are drawn in, of a program those that are `used`. With `steps`, those of training, each sample
    also stands to the right of itself as these make it, with the fields `after` them.
    Raises `NetcfgError` for a path that is no .png.
    """
    from netcfg.datasets.pictures.contact_sheet import contact_sheet
    from netcfg.datasets.pictures.opencv import cv2
    from netcfg.files import write_beside

    if path.suffix.lower() != ".png":
        raise NetcfgError(f"`-o {path}`: the sheet is a .png", code="NC801")
    fields = look.source.fields()
    drawn = tuple(
        name
        for name, spec in fields.items()
        if spec.kind in DRAWN and (used is None or name == "image" or name in used)
    )
    samples = opened(look.source, split, (*drawn, *look.label_fields))
    table = described(samples.table, look.source)
    if look.flow is not None:
        samples = look.flow.extend(samples, (*drawn, "flow", *look.label_fields), fields)
    chosen = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int).tolist()
    pictures = []
    for index in chosen:
        sample = samples[index]
        row = _shown(sample, look.fields)
        if steps:
            random = np.random.default_rng((0, 0, index))
            for step in steps:
                sample = step(sample, random)
            row += _shown(sample, after)
        pictures.append(_beside(row))
    sheet = contact_sheet(pictures, [_caption(table, index) for index in chosen])
    write_beside(path, cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes())
    return len(chosen), len(samples)


def _shown(sample: Sample, fields: Mapping[str, FieldSpec]) -> list[NDArray[np.uint8]]:
    """The pictures of a sample; what is known of the first, drawn in."""
    from netcfg.datasets.pictures.drawn_labels import with_mask, with_points

    pictures = [
        sample[name] for name, spec in fields.items() if spec.kind in ("image", "flow") and name in sample
    ]
    pictures = [_coloured(picture[0] if picture.ndim == 4 else picture) for picture in pictures]
    first = pictures[0]
    for name, spec in fields.items():
        if name in sample and spec.kind == "mask" and sample[name].shape == first.shape[:2]:
            pictures.append(with_mask(first, sample[name], spec.ignore))
    for name, spec in fields.items():
        there = sample.get(f"{HAS}{name}")
        if name in sample and spec.kind == "landmarks" and (there is None or there.all()):
            points = sample[name]
            pictures[0] = with_points(pictures[0], points[0] if points.ndim == 3 else points)
    return pictures


def _coloured(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """H×W×C, bytes or numbers from 0 to 1, as H×W×3 bytes: grey as it is, of other channels the first three."""
    if picture.ndim == 2:  # OpenCV's way with a single channel
        picture = picture[..., None]
    if picture.dtype != np.uint8:
        picture = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
    channels = picture.shape[2]
    if channels == 1:
        return np.repeat(picture, 3, axis=2)
    return np.pad(picture[..., :3], ((0, 0), (0, 0), (0, max(0, 3 - channels))))


def _beside(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of one height, side by side."""
    from netcfg.datasets.pictures.opencv import cv2

    height = max(picture.shape[0] for picture in pictures)
    scaled = [
        picture
        if picture.shape[0] == height
        else cv2.resize(picture, (max(1, round(picture.shape[1] * height / picture.shape[0])), height))
        for picture in pictures
    ]
    return np.hstack(scaled)


def _caption(table: SampleTable, index: int) -> str:
    """The sample's name, and the class or the units it shows."""
    if LABELS not in table.labels or LABELS not in table.names:
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
