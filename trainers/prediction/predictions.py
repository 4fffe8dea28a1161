"""The predictions behind the figures, sample by sample, as a table (.csv) or as arrays (.npz)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.embedded import Embedded
from netcfg.blocks.metrics.judgement import CLIP
from netcfg.files import write_beside
from netcfg.program import Program
from netcfg.source import NetcfgError
from netcfg.trainers.judging.evaluation import Signals
from netcfg.trainers.judging.examination import Examined, numbers_clips
from netcfg.trainers.reporting.saved import arrays_file

KINDS = (".csv", ".npz")


def expect_kind(path: Path) -> None:
    """Refuse a file that is neither a table nor arrays."""
    if path.suffix not in KINDS:
        raise NetcfgError(
            f"predictions are written as {' or '.join(KINDS)}, not as `{path.name}`", code="NC801"
        )


def write_predictions(path: Path, program: Program, examined: Examined) -> None:
    """Write `id`, `clip` where it is known, and of every pair that a metric compares scores and labels.

    A .csv has a row per sample and the columns `AU12_score`, `AU12_label`; where several signals are judged, their
    names stand before. A .npz has the arrays `id`, `clip`, `names`, `scores`, `labels` of the same. A score is
    the sigmoid of a logit, where a metric judges it so, and of a class its share, the softmax of logits. Of masks there
    are for each class `skin_iou`, and its pixels in the answer and in the truth; an IoU of nothing is empty.
    """
    expect_kind(path)
    pairs = list(_pairs(program, examined))
    maps = dict(_maps(program, examined))
    columns: dict[str, Any] = {"id": np.array(examined.ids)}
    if CLIP in examined.signals and program.data is not None and numbers_clips(program.data):
        columns[CLIP] = examined.signals[CLIP].numpy()
    several = len(pairs) + len(maps) > 1
    for name, names, scores, labels in pairs:
        prefix = f"{name}_" if several else ""
        arrays = {"names": np.array(names), "scores": scores.numpy(), "labels": labels.numpy()}
        if path.suffix == ".npz":
            columns |= {f"{prefix}{key}": array for key, array in arrays.items()}
        else:
            columns |= _split(prefix, names, arrays["scores"], arrays["labels"])
    for name, (names, counts) in maps.items():
        prefix = f"{name}_" if several else ""
        columns |= _of_maps(prefix, names, counts, path.suffix == ".npz")
    write_beside(path, arrays_file(columns) if path.suffix == ".npz" else _table(columns))


def _pairs(program: Program, examined: Examined) -> Iterator[tuple[str, list[str], Tensor, Tensor]]:
    """Of each signal that is compared with a data field: its name, and the field's names, scores and labels."""
    assert program.data is not None
    judged: dict[tuple[str, str], list[Metric]] = {}
    for metric in program.metrics.values():
        kept = all(name in examined.signals for name in (metric.input, metric.target))
        if kept and metric.target in program.data.fields and not _is_map(program, metric):
            judged.setdefault((metric.input, str(metric.target)), []).append(metric)
    for (name, target), metrics in judged.items():
        scores, labels = (_rows(examined.signals[signal]) for signal in (name, target))
        is_class = program.data.fields[target].kind == "class" and scores.shape[1] > 1
        if is_class and not any(isinstance(metric, Embedded) for metric in metrics):
            scores = scores.softmax(1)
        elif any(metric.cut is not None and metric.cut.what == "probability" for metric in metrics):
            scores = scores.sigmoid()
        yield (
            name,
            _names(program.data.fields[target].names, scores),
            scores,
            _known(program, target, labels, examined),
        )


def _known(program: Program, target: str, labels: Tensor, examined: Examined) -> Tensor:
    """Labels, and NaN where a sample is of a source that has none."""
    signals, data = examined.signals, program.data
    if data is None or not isinstance(signals, Signals) or signals.sources is None:
        return labels
    known = torch.isin(signals.sources, torch.tensor(sorted(data.givers(target))))
    return labels if bool(known.all()) else labels.double().masked_fill(~known[:, None], torch.nan)


def _is_map(program: Program, metric: Metric) -> bool:
    """Whether it judges a class for each pixel."""
    return program.data is not None and program.data.fields[str(metric.target)].kind == "mask"


def _maps(program: Program, examined: Examined) -> Iterator[tuple[str, tuple[list[str], Tensor]]]:
    """Of each signal that is compared with a mask: its name, the classes, and their pixels in each sample, (N, K, 4).

    They are what was right, said, there, and counted, which metrics of masks keep.
    """
    assert program.data is not None
    rows = examined.signals.rows if isinstance(examined.signals, Signals) else {}
    for key, metric in program.metrics.items():
        counts = rows.get(key, {}).get("counts")
        if counts is not None and metric.target in program.data.fields and _is_map(program, metric):
            names = program.data.fields[str(metric.target)].names
            yield metric.input, (_names(names, counts), counts)


def _of_maps(prefix: str, names: Sequence[str], counts: Tensor, whole: bool) -> dict[str, Any]:
    """Of each class its pixels in the answer and in the truth, and their IoU, NaN where it is in neither."""
    right, said, actual = (part.double().numpy() for part in counts.unbind(2)[:3])
    either = said + actual - right
    iou = np.divide(right, either, out=np.full_like(right, np.nan), where=either > 0)
    parts = {"iou": iou, "answer": said.astype(np.int64), "truth": actual.astype(np.int64)}
    if whole:
        return {f"{prefix}names": np.array(names)} | {f"{prefix}{key}": part for key, part in parts.items()}
    return {
        f"{prefix}{name}_{key}": part[:, place]
        for place, name in enumerate(names)
        for key, part in parts.items()
    }


def _rows(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1)


def _names(names: Sequence[str], scores: Tensor) -> list[str]:
    """A name for every score."""
    width = scores.shape[1]
    return list(names) if len(names) == width else [str(place) for place in range(width)]


def _split(prefix: str, names: Sequence[str], scores: Any, labels: Any) -> dict[str, Any]:
    """A column for each score and label; a class has one label for all scores."""
    columns = {f"{prefix}{name}_score": scores[:, place] for place, name in enumerate(names)}
    if labels.shape[1] != len(names):
        return columns | {f"{prefix}label": labels[:, 0]}
    return columns | {f"{prefix}{name}_label": labels[:, place] for place, name in enumerate(names)}


def _table(columns: dict[str, Any]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(_texts(column) for column in columns.values()), strict=True))
    return stream.getvalue().encode()


def _texts(column: Any) -> list[str]:
    """Numbers so that they read back the same; whole ones without a point."""
    if column.dtype.kind == "f":
        return ["" if np.isnan(value) else np.format_float_positional(value, trim="-") for value in column]
    return [str(value) for value in column.tolist()]
