"""A section with one option set to another value: each choice and boolean to all others, each number to one other."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from netcfg.blocks.base import Section
from netcfg.blocks.values import Reference, show_value

Kind = TypeVar("Kind", bound=Section)
Accept = Callable[[Kind], str | None]
"""What a section's class refuses about it, beyond its schema (shapes that it cannot take); None for nothing."""


@dataclass(frozen=True)
class Variation(Generic[Kind]):
    """A section with `option` at another value; `section` is None where all values that were tried are refused."""

    option: str
    text: str
    section: Kind | None


def variations(
    example: Kind, fixed: frozenset[str], accept: Accept[Kind] = lambda section: None
) -> Iterator[Variation[Kind]]:
    """The example with each of its own options set to other values; those in `fixed` stay."""
    for name, field in type(example).model_fields.items():
        key = field.alias or name
        if name in fixed or key in fixed or name in type(example).unavailable:
            continue
        for group in _values(field.annotation, getattr(example, name), _words(type(example))):
            yield _first_accepted(example, key, group, accept)


def idle_options(
    example: Kind, varied: Sequence[Variation[Kind]], has_effect: Callable[[Kind, str], bool]
) -> Iterator[Variation[Kind]]:
    """Of options with which nothing changes, whatever the choices beside them, the first variation that was tried."""
    for option in dict.fromkeys(one.option for one in varied):
        bases = [
            example,
            *(one.section for one in varied if one.section is not None and one.option != option),
        ]
        if not any(has_effect(base, option) for base in bases):
            yield next(one for one in varied if one.option == option)


def with_what_it_needs(kind: type[Kind]) -> Kind | None:
    """A section with a value for each option that must be written; None where none is found that it takes."""
    needed = {key: field for key, field in kind.model_fields.items() if field.is_required()}
    groups = [
        [(field.alias or key, value) for group in _values(field.annotation, None, ()) for value in group]
        for key, field in needed.items()
    ]
    for chosen in product(*groups):
        try:
            made = kind.model_validate(dict(chosen))
        except ValidationError:
            continue
        if made.conflict() is None and not made.mistakes():
            return made
    return None


def _first_accepted(example: Kind, key: str, values: list[Any], accept: Accept[Kind]) -> Variation[Kind]:
    refused = f"{key} = {show_value(values[0])}"
    for value in values:
        for made, also in _made(example, key, value):
            if made.conflict() is None and not made.mistakes() and accept(made) is None:
                return Variation(key, f"{key} = {show_value(value)}{also}", made)
    return Variation(key, refused, None)


def _made(example: Kind, key: str, value: Any) -> Iterator[tuple[Kind, str]]:
    """The section with that value; then, where another option excludes it, also without that one."""
    kind = type(example)
    keys = {name: field.alias or name for name, field in kind.model_fields.items()}
    written = {keys[name]: getattr(example, name) for name in example.model_fields_set} | {key: value}
    changes: list[tuple[str, dict[str, Any]]] = [("", written)]
    for other in written:
        if other != key and other not in kind.required_options():
            changes.append((f", without {other}", {k: v for k, v in written.items() if k != other}))
    for also, values in changes:
        try:
            yield kind.model_validate(values), also
        except ValidationError:
            continue


def _values(annotation: Any, value: Any, words: tuple[str, ...]) -> list[list[Any]]:
    """Groups of other values for an option: of each group the first that is accepted stands for it."""
    groups: list[list[Any]] = []
    for member in _members(annotation):
        if member is type(None):
            groups += [[None]] if value is not None else []
        elif member is bool:
            groups += [[choice] for choice in (False, True) if value is not choice]
        elif get_origin(member) is Literal:
            groups += [[choice] for choice in get_args(member) if choice != value]
        elif member in (int, float):
            groups.append(_numbers(member, value))
        elif member is str:
            groups += [[word] for word in words if word != value] if value in words else []
        elif get_origin(member) is tuple:
            groups += _tuples(get_args(member)[0], value)
    return groups


def _numbers(kind: Any, value: Any) -> list[Any]:
    """Other numbers, near ones first."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return [2, 1, 3, 5, 8] if kind is int else [0.5, 2.0, 0.1]
    if kind is int:
        near = [value + 1, value + 2, value * 2, value - 1, value // 2, 0]
    else:  # what only keeps a division from zero shows where it is no longer small
        near = [
            *([value * 1000] if 0 < value < 1e-3 else []),
            value / 2,
            value * 2,
            value + 0.25,
            value - 0.25,
        ]
    return [number for number in near if number != value]


def _tuples(item: Any, value: Any) -> list[list[Any]]:
    """Each item of a list at another value, or lists of one and two numbers where there was none."""
    members = _members(item)
    if Reference in members or not {int, float} & set(members):
        return []
    number = int if int in members else float
    if not value:
        choices = _numbers(number, None)
        return [[(one,) for one in choices], [(one, one + 1) for one in choices]]
    return [
        [(*value[:place], other, *value[place + 1 :]) for other in _numbers(number, value[place])]
        for place in range(len(value))
        if isinstance(value[place], int | float)
    ]


def _members(annotation: Any) -> list[Any]:
    """The types of a union, without their limits."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [member for part in get_args(annotation) for member in _members(part)]
    return [annotation]


def _words(kind: type[Section]) -> tuple[str, ...]:
    """The words that a page names, for options that are free text: `relu`, `linear`."""
    return tuple(dict.fromkeys(re.findall(r"`([A-Za-z_]\w*)`", kind.describe())))
