"""Single samples of a split with what networks say of them: right and wrong ones, masks laid over, points drawn in,
embeddings in a plane; each as a picture, and as a table of what it shows.

Legend: N samples, C channels, H height, W width.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.embedded import Embedded
from netcfg.datasets.pipeline import Batches
from netcfg.files import write_beside
from netcfg.program import Program
from netcfg.trainers.reporting.figures import csv_text, file_name
from netcfg.trainers.reporting.gallery import scale
from netcfg.trainers.reporting.heat import ABOVE, BELOW, with_heat
from netcfg.trainers.reporting.pictures import png
from netcfg.trainers.reporting.projection import projected, projection_figure
from netcfg.trainers.reporting.saved import saved
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import Precision

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 8
"""Of each row."""
_SIDE = 128
_GAP, _TEXT, _SWATCH = 4, 13, 9
_LINE = 16
"""From one line of a legend to the next."""
_ROWS = ("picture", "truth", "answer", "points", "right", "wrong")
_HEADS = {
    "map": ("map", "mean in truth", "mean in the answer"),
    "class": ("row", "answer", "truth", "confidence"),
    "mask": ("class", "truth", "answer", "both", "iou"),
    "points": ("point", "x", "y", "answer_x", "answer_y"),
}
_FEWEST = 3
"""Fewer embeddings are not drawn: they lie in a plane anyhow."""
_PAPER, _INK = (255, 255, 255), (30, 30, 30)
_TRUTH, _ANSWER = (60, 220, 90), (235, 60, 60)
_TABLEAU = (
    (0, 0, 0), (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75),
    (227, 119, 194), (127, 127, 127), (188, 189, 34), (23, 190, 207),
)  # fmt: skip


@dataclass
class _Shown:
    """What is kept for one pair of a signal and a field: by caption, pictures with the texts below them."""

    kind: str
    names: tuple[str, ...]
    rows: dict[str, list[tuple[float, int, Tensor, str]]] = field(default_factory=dict)
    places: frozenset[int] | None = None
    """Of masks and points, which samples are shown, counted as they pass; None: the first ones."""
    passed: int = 0
    records: dict[int, list[tuple[str, ...]]] = field(default_factory=dict)
    """By sample, what a table says of those that are shown, see `_HEADS`."""
    classes: set[int] = field(default_factory=set)
    """Whose colours are to be seen in the masks."""

    def due(self, row: str) -> bool:
        """Whether the sample that passes now is one to show."""
        self.passed += 1
        if self.places is not None and self.passed - 1 not in self.places:
            return False
        return len(self.rows.get(row, ())) < MOST

    def legend(self) -> list[tuple[tuple[int, int, int], str]]:
        """Colours, and what they mean."""
        if self.kind == "points":
            return [(_TRUTH, "truth"), (_ANSWER, "answer")]
        if self.kind == "map":
            return [(ABOVE, "above 0"), (BELOW, "below; left the truth, right the answer")]
        if self.kind != "mask":
            return []
        named = dict(enumerate(self.names))
        return [(class_colour(number), named.get(number, str(number))) for number in sorted(self.classes)]

    def add(self, row: str, sure: float, number: int, picture: Tensor, text: str) -> bool:
        """Keep it where it is surer than what is there; of equally sure ones the earlier sample. Whether it is kept."""
        kept = self.rows.setdefault(row, [])
        entry = (sure, -number, picture, text)
        if len(kept) < MOST:
            heapq.heappush(kept, entry)
            return True
        if entry[:2] <= kept[0][:2]:
            return False
        self.records.pop(-heapq.heapreplace(kept, entry)[1], None)
        return True

    @property
    def order(self) -> list[str]:
        """Its rows from top to bottom; of maps each has one."""
        return [row for row in dict.fromkeys((*_ROWS, *self.names)) if row in self.rows]

    def lines(self, ids: Sequence[str]) -> list[tuple[str, ...]]:
        """The table: a head, and of each sample that is shown its lines after its name, in the order of the picture."""
        numbers = dict.fromkeys(
            -number
            for row in self.order
            for _, number, _, _ in sorted(self.rows.get(row, ()), key=lambda entry: entry[:2], reverse=True)
        )
        return [
            ("sample", *_HEADS[self.kind]),
            *((ids[number], *line) for number in numbers for line in self.records.get(number, ())),
        ]


@dataclass
class _Placed:
    """The embeddings of a split, and the class of each."""

    names: tuple[str, ...]
    rows: list[Tensor] = field(default_factory=list)
    classes: list[Tensor] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Example:
    """A picture of samples: its name, a PNG, and what it shows as a csv."""

    name: str
    png: bytes
    csv: str


def write_examples(
    folder: Path, split: str, program: Program, model: Model, pipeline: Batches
) -> Iterator[tuple[str, bytes]]:
    """Write the `examples` of a split into a folder, each as .png and .csv; yield its name there and its PNG."""
    for example in examples(program, model, pipeline):
        folder.mkdir(exist_ok=True)
        path = folder / f"{split}_{file_name(example.name)}"
        write_beside(path.with_name(f"{path.name}.csv"), example.csv.encode())
        write_beside(path.with_name(f"{path.name}.png"), example.png)
        yield path.name, example.png


def examples(program: Program, model: Model, pipeline: Batches) -> Iterator[Example]:
    """Of each answer that a metric compares with a class, a mask or points of the data, and of each embedding.

    One more pass over the split. Samples are drawn where there are pictures among the fields that the program reads.
    """
    pictures = _picture_field(program)
    shown = _pairs(program) if pictures is not None else {}
    placed = _embeddings(program)
    if not (shown or placed) or not len(pipeline):
        return
    read = [] if pictures is None or not shown else [pictures]
    names = list(dict.fromkeys([*read, *(name for pair in (*shown, *placed) for name in pair)]))
    set_training(program, model.networks, False)
    # From the first to the last: neighbours are often frames of one clip.
    spread = frozenset(
        torch.linspace(0, pipeline.samples // pipeline.sampler.processes - 1, MOST).long().tolist()
    )
    for kept in shown.values():
        kept.places = spread
    precision = Precision(program.training.precision, next(model.networks.parameters()).device)
    assert program.data is not None
    mean, deviation = (
        torch.tensor(numbers).view(-1, 1, 1) for numbers in scale(program.data, pictures or "", [])
    )
    with torch.inference_mode():
        for batch in pipeline.epoch():
            model.chance.evaluate(batch.numbers)
            fields = pipeline.finish(batch)
            # Of joined sources a batch is of one, which may lack what others have.
            known = [name for name in names if model.reads((name,)) <= fields.keys()]
            with precision():
                signals = model.signals(fields, known)
            if pictures in signals and shown:
                colours = (signals[pictures].float().cpu() * deviation + mean).clamp(0, 1)
                for (input, target), kept in shown.items():
                    if input not in signals or target not in signals:
                        continue
                    _take(kept, batch.numbers, colours, signals[input].float().cpu(), signals[target].cpu())
            for (input, target), places in placed.items():
                if input not in signals or target not in signals:
                    continue
                places.rows.append(signals[input].float().cpu().reshape(batch.size, -1))
                places.classes.append(signals[target].cpu().reshape(batch.size).long())
                places.numbers += batch.numbers
    ids = pipeline.ids
    for (input, target), kept in shown.items():
        if kept.rows:
            yield Example(f"{input} {target} examples", png(_drawn(kept)), csv_text(kept.lines(ids)))
    for (input, target), places in placed.items():
        if len(places.numbers) >= _FEWEST and all(bool(rows.isfinite().all()) for rows in places.rows):
            yield _projection(f"{input} {target} projection", places, ids)


def _projection(name: str, places: _Placed, ids: Sequence[str]) -> Example:
    """Embeddings in the plane of their first two principal axes, coloured by class."""
    rows, classes = torch.cat(places.rows).numpy(), torch.cat(places.classes).numpy()
    known, numbers = np.unique(classes, return_inverse=True)
    called = dict(enumerate(places.names))
    names = [called.get(number, str(number)) for number in known.tolist()]
    figure = projection_figure(rows, numbers, names, name)
    plane, _ = projected(rows)
    lines = [
        (ids[sample], names[number], f"{x:.6g}", f"{y:.6g}")
        for sample, number, (x, y) in zip(places.numbers, numbers.tolist(), plane.tolist(), strict=True)
    ]
    return Example(name, saved(figure, "png"), csv_text([("sample", "class", "x", "y"), *lines]))


def _embeddings(program: Program) -> dict[tuple[str, str], _Placed]:
    """The signals that are judged by who lies near, and the fields that say who should."""
    fields: Mapping[str, FieldSpec] = program.data.fields if program.data else {}
    return {
        (metric.input, metric.target): _Placed(fields[metric.target].names)
        for metric in program.metrics.values()
        if isinstance(metric, Embedded) and metric.target in fields
    }


def _pairs(program: Program) -> dict[tuple[str, str], _Shown]:
    """Signals and the fields they are compared with, of which samples can be shown."""
    fields: Mapping[str, FieldSpec] = program.data.fields if program.data else {}
    found = {}
    for metric in program.metrics.values():
        spec = fields.get(metric.target or "")
        kind = None if spec is None else _kind(program, metric, spec)
        if kind is not None and spec is not None:
            found[(metric.input, str(metric.target))] = _Shown(kind, spec.names)
    for loss in program.losses.values():  # what no metric may judge, as a label is made of it first
        reads = loss.reads
        spec = fields.get(reads.get("target", ""))
        if spec is not None and spec.kind == "map" and spec.names and not spec.absent:
            found[(reads["input"], reads["target"])] = _Shown("map", spec.names)
    return found


def _kind(program: Program, metric: Metric, spec: FieldSpec) -> str | None:
    if spec.kind == "class" and spec.names and len(squeezed(program.signals[metric.input].shape)) == 1:
        return "class"
    if spec.kind == "mask" and len(spec.shape) == 2:
        return "mask"
    return "points" if spec.kind == "landmarks" and len(spec.shape) == 2 else None


def _picture_field(program: Program) -> str | None:
    """The first picture among the fields that are read anyway."""
    if program.data is None:
        return None
    fields = program.data.fields
    return next(
        (name for name in program.data.used if fields[name].kind == "image" and len(fields[name].shape) == 3),
        None,
    )


def _take(kept: _Shown, numbers: tuple[int, ...], pictures: Tensor, answers: Tensor, truths: Tensor) -> None:
    for place, number in enumerate(numbers):
        picture, answer, truth = pictures[place], answers[place], truths[place]
        if kept.kind == "class":
            if answer.numel() != len(kept.names) or not 0 <= int(truth) < len(kept.names):
                continue
            sure, said = answer.reshape(-1).softmax(0).max(0)
            called, true = kept.names[int(said)], kept.names[int(truth)]
            row = "right" if int(said) == int(truth) else "wrong"
            text = called + ("" if row == "right" else f", is {true}")
            if kept.add(row, float(sure), number, picture, f"{float(sure):.2f} {text}"):
                kept.records[number] = [(row, called, true, f"{float(sure):.4f}")]
        elif kept.kind == "mask":
            if not kept.due("truth"):
                continue
            if answer.ndim != 3 or answer.shape[1:] != truth.shape or picture.shape[1:] != truth.shape:
                continue
            # Numbers beyond the classes are those that are ignored: nobody knows what is there.
            known = torch.where((truth >= 0) & (truth < len(answer)), truth.long(), 0)
            said = answer.argmax(0)
            counts = torch.bincount(torch.cat([known, said]).flatten())
            kept.classes |= {number for number, count in enumerate(counts.tolist()) if number and count}
            kept.records[number] = list(_mask_lines(kept, known, said, len(answer)))
            for row, mask in (("picture", None), ("truth", known), ("answer", said)):
                drawn = picture if mask is None else laid_over(picture, mask)
                kept.add(row, -number, number, drawn, "")
        elif kept.kind == "map":
            if kept.due(kept.names[0]) and len(answer) >= len(truth):
                _take_maps(kept, number, picture, answer, truth)
        elif kept.due("points") and answer.numel() == truth.numel():
            both = {_TRUTH: truth.float(), _ANSWER: answer.reshape(truth.shape)}
            kept.add("points", -number, number, with_points(picture, both), "")
            ends = torch.cat([truth.float(), answer.reshape(truth.shape)], 1).tolist()
            kept.records[number] = [
                (str(point), *(f"{value:.2f}" for value in end)) for point, end in enumerate(ends)
            ]


def _take_maps(kept: _Shown, number: int, picture: Tensor, answers: Tensor, truths: Tensor) -> None:
    """A row for each map: over the picture the true one, and beside it the answer."""
    kept.records[number] = []
    for name, answer, truth in zip(kept.names, answers, truths, strict=False):
        answer = answer.clamp(-1, 1)
        drawn = torch.cat([with_heat(picture, truth), with_heat(picture, answer)], 2)
        kept.add(name, -number, number, drawn, "")
        kept.records[number].append((name, f"{float(truth.mean()):.4f}", f"{float(answer.mean()):.4f}"))


def _mask_lines(kept: _Shown, truth: Tensor, said: Tensor, classes: int) -> Iterator[tuple[str, ...]]:
    """Of each class that is there or was said: its pixels in truth, in the answer and in both, and its IoU."""
    pairs = torch.bincount((truth * classes + said).flatten(), minlength=classes**2).view(classes, classes)
    for number in range(classes):
        true, answered, both = (
            int(n) for n in (pairs[number].sum(), pairs[:, number].sum(), pairs[number, number])
        )
        either = true + answered - both
        if either:
            name = kept.names[number] if len(kept.names) == classes else str(number)
            yield name, str(true), str(answered), str(both), f"{both / either:.4f}"


def class_colour(number: int) -> tuple[int, int, int]:
    """Of a class; they come again after ten."""
    return _TABLEAU[0] if number <= 0 else _TABLEAU[1 + (number - 1) % (len(_TABLEAU) - 1)]


def laid_over(picture: Tensor, mask: Tensor, strength: float = 0.5) -> Tensor:
    """A picture with a colour for each class but the first laid over it. Shapes: (C, H, W), (H, W) -> (3, H, W)."""
    palette = torch.tensor([class_colour(number) for number in range(301)], dtype=torch.float32) / 255
    colours = palette[mask.long().clamp(0, len(palette) - 1)].movedim(-1, 0)
    share = strength * (mask > 0)
    return picture.expand(3, -1, -1) * (1 - share) + colours * share


def with_points(picture: Tensor, points: Mapping[tuple[int, int, int], Tensor]) -> Tensor:
    """A picture, enlarged where it is small, with points (N, 2) in its pixels drawn in by colour: (3, H, W)."""
    factor = max(1, _SIDE // max(picture.shape[1:]))
    large = picture.expand(3, -1, -1).repeat_interleave(factor, 1).repeat_interleave(factor, 2).clone()
    height, width = large.shape[1:]
    for colour, places in points.items():
        x, y = (((places[:, axis] + 0.5) * factor).round().nan_to_num(-9).long() for axis in (0, 1))
        for right in (-1, 0):
            for down in (-1, 0):
                inside = (x + right >= 0) & (x + right < width) & (y + down >= 0) & (y + down < height)
                large[:, (y + down)[inside], (x + right)[inside]] = torch.tensor(colour)[:, None] / 255
    return large


def _drawn(kept: _Shown) -> Image:
    """A row for each caption, surest first."""
    from PIL import Image, ImageDraw, ImageFont

    font: Any = ImageFont.load_default(11)
    order = kept.order
    cells = {row: sorted(kept.rows[row], key=lambda entry: entry[:2], reverse=True) for row in order}
    sizes = [entry[2].shape[1:] for row in order for entry in cells[row]]
    factor = max(1, _SIDE // max(max(size) for size in sizes))
    height, width = (max(size[axis] for size in sizes) * factor for axis in (0, 1))
    margin, below = 60, _TEXT if kept.kind == "class" else 0
    columns = max(len(entries) for entries in cells.values())
    across = margin + columns * (width + _GAP)
    bottom = len(order) * (height + below + _GAP)
    legend, down = _laid_out(kept.legend(), margin, across, font)
    sheet = Image.new("RGB", (across, bottom + down), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for line, row in enumerate(order):
        top = line * (height + below + _GAP)
        pen.text((_GAP, top + height // 2), row, _INK, font)
        for column, (_, _, picture, text) in enumerate(cells[row]):
            pixels = (picture.expand(3, -1, -1) * 255).round().to(torch.uint8).movedim(0, -1)
            pixels = pixels.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
            left = margin + column * (width + _GAP)
            sheet.paste(Image.fromarray(pixels.numpy()), (left, top))
            pen.text((left, top + height), text, _INK, font)
    for left, line, colour, text in legend:
        top = bottom + line * _LINE + _GAP
        pen.rectangle((left, top, left + _SWATCH, top + _SWATCH), colour)
        pen.text((left + _SWATCH + _GAP, top - 2), text, _INK, font)
    return sheet


def _laid_out(
    entries: list[tuple[tuple[int, int, int], str]], start: int, end: int, font: Any
) -> tuple[list[tuple[int, int, tuple[int, int, int], str]], int]:
    """Entries of a legend with their left edge and line, in as many lines as it takes; and the height of all."""
    placed = []
    left, line = start, 0
    for colour, text in entries:
        width = _SWATCH + _GAP + round(font.getlength(text))
        if left > start and left + width > end:
            left, line = start, line + 1
        placed.append((left, line, colour, text))
        left += width + 3 * _GAP
    return placed, (line + 1) * _LINE + _GAP if placed else 0
