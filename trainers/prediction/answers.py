"""What a trained program answers about a picture: what each of its signals is, by what it is compared with.

Its metrics say so, or where it has none its losses.
Legend: N pictures, A entries, K classes or points, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.losses.base import Loss, squeezed
from netcfg.blocks.losses.comparing import Comparing, OverClasses
from netcfg.blocks.losses.gaussian_mixture import GaussianMixture
from netcfg.blocks.losses.within_batch import WithinBatch
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.embedded import Embedded
from netcfg.blocks.metrics.judgement import Cut
from netcfg.blocks.metrics.measured import Measured
from netcfg.blocks.metrics.pictured import Pictured
from netcfg.blocks.transforms.base import picture_size
from netcfg.program import Program
from netcfg.shapes import Shape
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.reporting.gallery import scale
from netcfg.trainers.runs.trained import Thresholds

Kind = Literal["labels", "class", "number", "mask", "map", "picture", "embedding", "points"]
Values = NDArray[np.floating]
Judge = Metric | Loss

TABULAR: frozenset[Kind] = frozenset({"labels", "class", "number", "mask", "embedding", "points"})
"""The kinds that have something to say in a row of a table: pictures and maps have not."""
_SURER = ("labels", "class", "mask", "map", "points", "picture", "embedding", "number")
"""Which kind a signal is where its judges take it for several: the sigmoid of a logit before the logit as a number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One signal and what its entries stand for.

    `labels` are independent of each other (`AU12`); of a `class` one entry is true. A label counts as present where
    its confidence exceeds its entry of `present_above`. `graded`: labels are intensities from 0 to 5, divided by 5.
    A `number` has a name for each entry, a `map` for each channel. A `mask` has a share of each class at each pixel.
    `points` are x to the right and y down in pixels of a picture of `size` (height, width). A `picture`'s values are
    brought to 0..1 by `value * deviation + mean`, after a sigmoid where they are `logits`. `count` says how many points
    or numbers it has, `unit` what they count.
    `box` is what a network saw of one frame, where that is not all of it: left, top, right and bottom edge in the
    frame's pixels, of which the first reaches from 0 to 1.
    """

    signal: str
    target: str
    kind: Kind
    names: tuple[str, ...] = ()
    present_above: tuple[float, ...] = ()
    graded: bool = False
    size: tuple[int, int] = (0, 0)
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    logits: bool = False
    count: int = 0
    unit: str = ""
    box: tuple[float, float, float, float] | None = field(default=None, compare=False)

    def values(self, scores: Tensor) -> Values:
        """The signal of a batch in the form in which answers of several networks can be averaged.

        Labels and classes are confidences (N, A) from 0 to 1, numbers and embeddings (N, A), points (N, K, 2), masks
        shares of classes (N, K, H, W), maps (N, A, H, W) from -1 to 1, pictures colours (N, C, H, W) from 0 to 1.
        """
        if self.kind == "mask":
            return _shares(scores.float())
        if self.kind == "map":
            return _array(scores.float()[:, : len(self.names)].clamp(-1, 1))
        if self.kind == "picture":
            return self._colours(scores.float())
        if self.kind == "points":
            return _array(scores.double().reshape(len(scores), -1, 2))
        flat = scores.reshape(len(scores), -1).double()
        if self.kind == "labels":
            return _array(flat.sigmoid())
        return _array(flat.softmax(1) if self.kind == "class" else flat)

    def _colours(self, scores: Tensor) -> Values:
        if self.logits:
            return _array(scores.sigmoid())
        if max(len(self.mean), len(self.deviation)) in (1, scores.shape[1]):
            mean, deviation = (
                scores.new_tensor(numbers).view(-1, 1, 1) for numbers in (self.mean, self.deviation)
            )
            scores = scores * deviation + mean
        return _array(scores.clamp(0, 1))

    @property
    def topics(self) -> tuple[str, ...]:
        """What it speaks of: no two runs may speak of the same."""
        if self.kind in ("labels", "class", "number"):
            return self.names
        return (self.signal if self.kind == "embedding" else self.target,)


def _array(tensor: Tensor) -> Values:
    return np.asarray(tensor.cpu().numpy())


def _shares(scores: Tensor) -> Values:
    """Logits of a map as shares of its classes; a single channel is that of the second of two. N×K×H×W both."""
    if scores.shape[1] == 1:
        present = scores.sigmoid()
        return _array(torch.cat([1 - present, present], 1))
    return _array(scores.softmax(1))


# --- what a program answers


def answers_of(program: Program, thresholds: Thresholds | None = None) -> list[Answer]:
    """All answers of a program, in file order. Raises `ProgramError` where nothing says what its signals mean."""
    found: dict[tuple[str, str], Answer] = {}
    judges: list[tuple[str, Judge]] = [*program.metrics.items(), *program.losses.items()]
    for name, judge in judges:
        answer = _answer(program, judge, (thresholds or {}).get(name))
        if answer is None:
            continue
        # One signal is one embedding, whoever its neighbours are judged by.
        key = answer.signal, "" if answer.kind == "embedding" else answer.target
        is_placed = (answer.signal, "") in found
        if is_placed and answer.kind == "class" and isinstance(judge, Loss):
            continue  # a loss that makes places out of classes, such as by angles, gives no shares of them
        if key not in found or _SURER.index(answer.kind) < _SURER.index(found[key].kind):
            found[key] = answer
    made = {answer.signal for answer in found.values() if answer.kind == "picture"}
    for answer in _shown(program):
        if answer.signal not in made:
            found.setdefault((answer.signal, answer.target), answer)
    if not found:
        message = f"no metric and no loss of {program.name} compares a signal with a field of the data"
        help = "add a metric, e.g. [f1] with `input` and `target`: it says what the signal means"
        raise ProgramError([Finding("NC403", message, help=help)])
    return list(found.values())


def _shown(program: Program) -> Iterator[Answer]:
    """The pictures that `[pictures]` shows, and networks make of what the data hold."""
    if program.pictures is None or program.data is None or program.model is None:
        return
    for name in program.pictures.show:
        signal = program.signals.get(name)
        if signal is None or name in program.data.fields or not _reads_data(program, name):
            continue
        if len(signal.shape) == 3 and signal.shape[0] in (1, 3):
            mean, deviation = scale(program.data, name, program.pictures.show)
            yield Answer(name, name, "picture", mean=tuple(mean), deviation=tuple(deviation))


def _reads_data(program: Program, name: str) -> bool:
    """Whether a signal is made of a field of the data, and not of random numbers alone."""
    assert program.model is not None
    nodes, waiting = program.model.nodes, [program.signals[name].producer]
    seen: set[int] = set()
    while waiting:
        index = waiting.pop()
        if nodes[index].is_input:
            return True
        if index not in seen:
            seen.add(index)
            waiting += [signal.producer for signal in nodes[index].inputs]
    return False


def _answer(program: Program, judge: Judge, chosen: Sequence[float] | None) -> Answer | None:
    """What one metric or loss says of the signal it reads; None where that is nothing of a picture."""
    reads = judge.reads
    signal, target = reads.get("input", ""), reads.get("target", "")
    if program.data is None or signal not in program.signals or signal in program.data.fields:
        return None
    shape = squeezed(program.signals[signal].shape)
    if isinstance(judge, Embedded | WithinBatch | GaussianMixture):
        # Its numbers are a place among others, and no scores of the classes that it is judged by.
        return Answer(signal, target, "embedding", count=_count(shape))
    spec = program.data.fields.get(target)
    if spec is None:
        return None
    if spec.kind == "vector":
        return _of_vector(program, judge, signal, target, chosen)
    if spec.kind == "class":
        return None if _is_of_numbers(judge) else _of_class(shape, signal, target, spec)
    if spec.kind == "mask":
        return _of_mask(program, judge, signal, target, spec)
    if spec.kind == "map":
        fits = len(shape) == 3 and _count(shape[:1]) >= len(spec.names) > 0
        return Answer(signal, target, "map", spec.names) if fits else None
    if spec.kind == "landmarks":
        size = picture_size(program.data.fields)
        fits = len(shape) == 2 and shape == spec.shape and shape[1] == 2
        return Answer(signal, target, "points", size=size, count=_count(shape[:1])) if fits else None
    return _of_picture(program, judge, signal, target) if spec.kind in ("image", "flow") else None


def _count(shape: Shape) -> int:
    return shape[0] if shape and isinstance(shape[0], int) else 0


def _is_of_numbers(judge: Judge) -> bool:
    """Whether what it judges is the number itself, such as an intensity, and no logit."""
    return isinstance(judge, Measured | Pictured) or (isinstance(judge, Comparing) and judge.of_numbers)


def _of_vector(
    program: Program, judge: Judge, signal: str, target: str, chosen: Sequence[float] | None
) -> Answer | None:
    assert program.data is not None
    spec, shape = program.data.fields[target], program.signals[signal].shape
    entries = shape[0] if shape else 1
    if not isinstance(entries, int) or len(squeezed(shape)) > 1:
        return None
    if _is_of_numbers(judge):
        return Answer(signal, target, "number", _numbered(spec.names, target, entries), unit=spec.unit)
    if entries != len(spec.names):
        return None
    is_graded = program.data.source.active_above != 0.5
    above = _present_above(judge.cut if isinstance(judge, Metric) else None, chosen)
    above = above if len(above) == entries else above * entries
    return Answer(signal, target, "labels", spec.names, above, is_graded)


def _numbered(names: Sequence[str], target: str, entries: int) -> tuple[str, ...]:
    """A name for each number: the data's own, or the field's with a number where there are several."""
    if len(names) == entries:
        return tuple(names)
    return (target,) if entries == 1 else tuple(f"{target}_{place}" for place in range(entries))


def _of_class(shape: Shape, signal: str, target: str, spec: FieldSpec) -> Answer | None:
    entries = shape[0] if shape else 1
    if not isinstance(entries, int) or entries < 2 or len(shape) > 1:
        return None
    if spec.names and len(spec.names) != entries:
        return None  # whatever its numbers are, no shares of these classes
    names = spec.names or tuple(map(str, range(entries)))
    return Answer(signal, target, "class", names)


def _of_mask(program: Program, judge: Judge, signal: str, target: str, spec: FieldSpec) -> Answer | None:
    shape = program.signals[signal].shape
    if len(shape) != 3 or not isinstance(shape[0], int):
        return None
    if _is_of_numbers(judge):  # a map of attention, say, that is to be 1 where the mask is
        return Answer(signal, target, "picture") if shape[0] in (1, 3) else None
    classes = max(2, shape[0])
    names = spec.names if len(spec.names) == classes else tuple(map(str, range(classes)))
    return Answer(signal, target, "mask", names)


def _of_picture(program: Program, judge: Judge, signal: str, target: str) -> Answer | None:
    shape = program.signals[signal].shape
    if program.data is None or len(shape) != 3 or shape[0] not in (1, 3):
        return None
    if isinstance(judge, Comparing) and not judge.of_numbers:
        return None if isinstance(judge, OverClasses) else Answer(signal, target, "picture", logits=True)
    mean, deviation = scale(program.data, target, [target])
    return Answer(signal, target, "picture", mean=tuple(mean), deviation=tuple(deviation))


def _present_above(cut: Cut | None, chosen: Sequence[float] | None) -> tuple[float, ...]:
    """Confidences above which labels count as present: one for each of them, or one for all."""
    if chosen is not None:
        return tuple(float(np.nextafter(np.float32(value), np.float32(0))) for value in chosen)  # at least it
    if cut is None or cut.threshold is None:
        return (0.5,)
    if cut.what == "logit":
        return (float(torch.tensor(cut.threshold, dtype=torch.float64).sigmoid()),)
    return (cut.threshold,)


# --- what is asked of them


def fitting(answers: Sequence[Answer], name: str, into_folder: bool) -> list[Answer]:
    """The answers that can be told: pictures in a folder alone. Raises `NetcfgError` where none is left."""
    kept = [answer for answer in answers if into_folder or answer.kind in TABULAR]
    if not kept:
        made = " and ".join(f"`{answer.signal}`" for answer in answers)
        raise NetcfgError(
            f"{name} answers with pictures, {made}, which are nothing for a table\n"
            "help: `-o FOLDER` writes them into a new folder",
            code="NC801",
        )
    return kept


def expect_distinct(answers: Iterable[tuple[str, Answer]]) -> None:
    """Refuse two runs that answer the same. `answers` come with the run each is from."""
    seen: dict[tuple[str, str], str] = {}
    for run, answer in answers:
        for topic in answer.topics:
            first = seen.setdefault((answer.kind, topic), run)
            if first != run:
                raise NetcfgError(
                    f"{first} and {run} both predict {topic}\nhelp: name one run for each action unit",
                    code="NC801",
                )


def signals_of(answers: Iterable[Answer]) -> Iterator[str]:
    """Their signals, each once."""
    yield from dict.fromkeys(answer.signal for answer in answers)
