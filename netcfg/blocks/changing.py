"""Numbers that change while a program trains: what names them, and sums of losses that they weigh."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Scheduled(NamedTuple):
    """An option that may change, and names the `[schedule]` that says how."""

    name: str

    def __str__(self) -> str:
        return self.name


def read_scheduled(text: str) -> Scheduled:
    """`beta`."""
    if not _NAME.match(text) or text.lower() in ("nan", "inf", "infinity"):
        raise ValueError(f"the name of a [schedule], found `{text}`")
    return Scheduled(text)


def number_text(value: float | Scheduled) -> str:
    """An option for people: `0.1`, or the schedule's name."""
    return str(value) if isinstance(value, Scheduled) else f"{value:g}"


def plain(value: float | Scheduled) -> float:
    """An option's number, where numbers stand in the place of schedules."""
    assert not isinstance(value, Scheduled), f"{value} is no number yet"
    return value


def scheduled_in(section: BaseModel) -> Iterator[tuple[str, str]]:
    """The options of a section that name a schedule: key, and what they name."""
    for key in _may_change(type(section)):
        value = getattr(section, key)
        if isinstance(value, Scheduled):
            yield key, value.name


@cache
def _may_change(kind: type[BaseModel]) -> tuple[str, ...]:
    """The options of a kind of section that a schedule may set: asked of every block there is, and few have one."""
    return tuple(key for key, option in kind.model_fields.items() if _takes_schedule(option.annotation))


def _takes_schedule(annotation: object) -> bool:
    return annotation in (Scheduled, Any) or any(map(_takes_schedule, get_args(annotation)))


class Changing(NamedTuple):
    """The factor of a loss that hangs on schedules: a sum of numbers, each times schedules by name."""

    terms: tuple[tuple[float, tuple[str, ...]], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The schedules in it, each once."""
        return tuple(dict.fromkeys(name for _, names in self.terms for name in names))

    def at(self, numbers: Mapping[str, float]) -> float:
        """What it is where schedules are at these numbers."""
        total = 0.0
        for factor, names in self.terms:
            for name in names:
                factor *= numbers[name]
            total += factor
        return total

    @property
    def is_negative(self) -> bool:
        """Whether it is written with a minus in front: of one term, whose number is below 0."""
        return len(self.terms) == 1 and self.terms[0][0] < 0

    def __str__(self) -> str:
        """As it would be written before a loss, without the sign of a single term: `0.1 * beta`, `(1 - beta)`."""
        text = ""
        for factor, names in sorted(self.terms, key=lambda term: (len(term[1]), term[0] < 0)):
            size = [f"{abs(factor):g}"] if abs(factor) != 1 or not names else []
            term = " * ".join([*size, *names])
            text += f" {'-' if factor < 0 else '+'} {term}" if text else f"-{term}" if factor < 0 else term
        return f"({text})" if len(self.terms) > 1 else text.removeprefix("-")


Weight = float | Changing
"""The factor of a loss in a sum that is minimised."""


def weight_now(weight: Weight, numbers: Mapping[str, float]) -> float:
    """A factor where schedules are at these numbers."""
    return weight.at(numbers) if isinstance(weight, Changing) else weight


def times_text(weight: Weight) -> tuple[bool, str]:
    """Whether a factor is below 0 as written, and its size before a loss: `10`, `beta`, "" for 1."""
    if isinstance(weight, Changing):
        return weight.is_negative, str(weight)
    return weight < 0, "" if abs(weight) == 1 else f"{abs(weight):g}"
