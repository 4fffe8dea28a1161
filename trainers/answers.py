"""What a trained program answers about a picture: which of its signals are confidences, and of what.

Its metrics say so, or where it has none its losses: what they compare with labels or with a class is an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.kinds import FieldSpec
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError

Kind = Literal["labels", "class"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One signal and what its entries stand for.

    `labels` are independent of each other (`AU12`); of a `class` one entry is true. `decision` and `threshold` say
    from which score a label counts as present, `graded` that labels are intensities from 0 to 5, divided by 5.
    """

    signal: str
    target: str
    kind: Kind
    names: tuple[str, ...]
    decision: Literal["probability", "logit"] = "probability"
    threshold: float = 0.5
    graded: bool = False

    def confidences(self, scores: Tensor) -> NDArray[np.float64]:
        """Scores (N, A), or (N, A, 1, 1), as confidences from 0 to 1: (N, A)."""
        flat = scores.reshape(len(scores), -1).double()
        made = flat.sigmoid() if self.kind == "labels" else flat.softmax(1)
        return np.asarray(made.cpu().numpy())

    def present_above(self) -> float:
        """The confidence above which a label counts as present."""
        if self.decision == "probability":
            return self.threshold
        return float(torch.tensor(self.threshold, dtype=torch.float64).sigmoid())


def answers_of(program: Program) -> list[Answer]:
    """All answers of a program, in file order. Raises `ProgramError` where nothing says what its signals mean."""
    fields = program.data.fields if program.data else {}
    found: dict[tuple[str, str], Answer] = {}
    for signal, target, section in _comparisons(program):
        spec = fields.get(target)
        if spec is not None and (signal, target) not in found and signal in program.signals:
            answer = _answer(program, signal, target, spec, section)
            if answer is not None:
                found[signal, target] = answer
    if not found:
        message = f"no metric and no loss of {program.name} compares a signal with labels or a class"
        help = "add a metric, e.g. [f1] with `input` and `target`: it says what the signal means"
        raise ProgramError([Finding("NC403", message, help=help)])
    return list(found.values())


def _comparisons(program: Program) -> Iterator[tuple[str, str, object]]:
    for section in (*program.metrics.values(), *program.losses.values()):
        signal, target = getattr(section, "input", None), getattr(section, "target", None)
        if isinstance(signal, str) and isinstance(target, str):
            yield signal, target, section


def _answer(program: Program, signal: str, target: str, spec: FieldSpec, section: object) -> Answer | None:
    """None where the signal is no confidence: a picture compared with a picture, say."""
    entries = program.signals[signal].shape[0] if program.signals[signal].shape else 1
    source = program.data.source if program.data else None
    if spec.kind == "vector" and len(spec.names) == entries:
        threshold = getattr(section, "threshold", 0.5)
        return Answer(
            signal,
            target,
            "labels",
            spec.names,
            getattr(section, "decision", "probability"),
            threshold if isinstance(threshold, (int, float)) else 0.5,
            getattr(source, "active_above", 0.5) != 0.5,
        )
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
                    f"{seen[key]} and {run} both predict {name}\nhelp: name one run for each action unit"
                )
            seen[key] = run
