"""What a trained program answers about a picture: which of its signals are confidences, and of what.

Its metrics say so, or where it has none its losses: what they compare with labels or with a class is an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.losses.comparing import Comparing
from netcfg.blocks.losses.within_batch import WithinBatch
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.embedded import Embedded
from netcfg.blocks.metrics.judgement import Cut
from netcfg.blocks.metrics.measured import Measured
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.runs.trained import Thresholds

Kind = Literal["labels", "class"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One signal and what its entries stand for.

    `labels` are independent of each other (`AU12`); of a `class` one entry is true. A label counts as present where
    its confidence exceeds its entry of `present_above`. `graded`: labels are intensities from 0 to 5, divided by 5.
    """

    signal: str
    target: str
    kind: Kind
    names: tuple[str, ...]
    present_above: tuple[float, ...] = ()
    graded: bool = False

    def confidences(self, scores: Tensor) -> NDArray[np.float64]:
        """Scores (N, A), or (N, A, 1, 1), as confidences from 0 to 1: (N, A)."""
        flat = scores.reshape(len(scores), -1).double()
        made = flat.sigmoid() if self.kind == "labels" else flat.softmax(1)
        return np.asarray(made.cpu().numpy())


def answers_of(program: Program, thresholds: Thresholds | None = None) -> list[Answer]:
    """All answers of a program, in file order.

    Raises `ProgramError` where nothing says what its signals mean, `NetcfgError` where they are no labels and no class.
    """
    found: dict[tuple[str, str], Answer] = {}
    judges: list[tuple[str, Metric | Loss]] = [*program.metrics.items(), *program.losses.items()]
    for name, judge in judges:
        if isinstance(judge, Embedded | WithinBatch):
            continue  # its numbers are a place among others, and no scores of the classes
        if _is_of_numbers(judge):
            continue  # the sigmoid of an intensity would be no confidence, though it looks like one
        chosen = (thresholds or {}).get(name)
        reads = judge.reads
        cut = judge.cut if isinstance(judge, Metric) else None
        answer = _answer(
            program, reads.get("input", ""), reads.get("target", ""), _present_above(cut, chosen)
        )
        if answer is not None:
            found.setdefault((answer.signal, answer.target), answer)
    others = [judge for _, judge in judges if _other_kind(program, judge)]
    if not found and others:
        kind, reads = _other_kind(program, others[0]), others[0].reads
        raise NetcfgError(
            f"`predict` tells labels and classes, and what {program.name} compares is {kind}: "
            f"`{reads['input']}` with `{reads['target']}`\n"
            "help: `netcfg eval` gives its figures; pictures, where it has any, are in `figures/` of its run",
            code="NC801",
        )
    if not found:
        message = f"no metric and no loss of {program.name} compares a signal with labels or a class"
        help = "add a metric, e.g. [f1] with `input` and `target`: it says what the signal means"
        raise ProgramError([Finding("NC403", message, help=help)])
    return list(found.values())


def _is_of_numbers(judge: Metric | Loss) -> bool:
    """Whether what it judges is the number itself, such as an intensity, and no logit."""
    return isinstance(judge, Measured) or (isinstance(judge, Comparing) and judge.of_numbers)


def _other_kind(program: Program, judge: Metric | Loss) -> str | None:
    """What a metric or a loss compares a signal with, in words, where that is a field without labels or a class."""
    reads = judge.reads
    spec = program.data.fields.get(reads.get("target", "")) if program.data else None
    if isinstance(judge, Embedded | WithinBatch):
        return "an embedding"
    if spec is None or reads.get("input") not in program.signals:
        return None
    words = {
        "mask": "a mask",
        "landmarks": "points",
        "image": "a picture",
        "flow": "optical flow",
        "map": "maps",
    }
    return words.get(spec.kind, "numbers")


def _present_above(cut: Cut | None, chosen: Sequence[float] | None) -> tuple[float, ...]:
    """Confidences above which labels count as present: one for each of them, or one for all."""
    if chosen is not None:
        return tuple(float(np.nextafter(np.float32(value), np.float32(0))) for value in chosen)  # at least it
    if cut is None or cut.threshold is None:
        return (0.5,)
    if cut.what == "logit":
        return (float(torch.tensor(cut.threshold, dtype=torch.float64).sigmoid()),)
    return (cut.threshold,)


def _answer(program: Program, signal: str, target: str, present_above: tuple[float, ...]) -> Answer | None:
    """None where the signal is no confidence: a picture compared with a picture, say."""
    spec = program.data.fields.get(target) if program.data else None
    if spec is None or signal not in program.signals:
        return None
    shape = program.signals[signal].shape
    entries = shape[0] if shape else 1
    if spec.kind == "vector" and entries == len(spec.names):
        is_graded = program.data is not None and program.data.source.active_above != 0.5
        above = present_above if len(present_above) == entries else present_above * len(spec.names)
        return Answer(signal, target, "labels", spec.names, above, is_graded)
    if spec.kind == "class" and isinstance(entries, int) and entries > 1:
        names = spec.names if len(spec.names) == entries else tuple(map(str, range(entries)))
        return Answer(signal, target, "class", names)
    return None


def expect_distinct(answers: Iterable[tuple[str, Answer]]) -> None:
    """Refuse two runs that answer the same. `answers` come with the run each is from."""
    seen: dict[tuple[str, str], str] = {}
    for run, answer in answers:
        for name in answer.names:
            key = (answer.kind, name)
            if key in seen:
                raise NetcfgError(
                    f"{seen[key]} and {run} both predict {name}\nhelp: name one run for each action unit",
                    code="NC801",
                )
            seen[key] = run
