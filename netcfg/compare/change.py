"""One difference, and how sections differ in their options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from netcfg.blocks.base import Section
from netcfg.blocks.values import show_value

Value = str | int | None
Status = Literal["added", "removed", "changed", "follows"]
"""`follows`: written the same, but with another shape or cost because of what changed elsewhere."""


class Change(NamedTuple):
    """What something was and is; None where it was not there, or is not known."""

    what: str
    before: Value
    after: Value


def written_options(section: Section, without: Iterable[str] = ()) -> dict[str, str]:
    """The options that differ from their defaults, as they would be written."""
    left_out = {"name", *without}
    return {key: show_value(value) for key, value in section.options().items() if key not in left_out}


def option_changes(before: Section, after: Section, without: Iterable[str] = ()) -> list[Change]:
    """The options that differ; one that is not written has its default."""
    here, there = written_options(before, without), written_options(after, without)
    keys = [*here, *(key for key in there if key not in here)]
    return [
        Change(key, _value(before, key, here), _value(after, key, there))
        for key in keys
        if here.get(key) != there.get(key)
    ]


def _value(section: Section, key: str, written: Mapping[str, str]) -> str | None:
    """An option's value as text; None where the section has no such option."""
    if key in written:
        return written[key]
    for name, field in type(section).model_fields.items():
        if (field.alias or name) == key:
            return show_value(getattr(section, name))
    return None
