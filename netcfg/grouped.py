"""A program from Python values: the text of a `.cfg` file that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from netcfg.source import NetcfgError

Value = str | int | float | bool | None | PurePath | Sequence["Value"]
Options = Mapping[str, Value]
Section = str | tuple[str, Options]
Groups = Mapping[str, Sequence[Section]]
"""By group its sections, each a name or a name with its options."""


def text_of(groups: Groups) -> str:
    """The file. Raises `NetcfgError` (NC801) where a name or a value has no place in one."""
    lines = []
    for group, sections in groups.items():
        lines.append(f"{{{_word(group, 'a group', '{}')}}}")
        if isinstance(sections, str) or not isinstance(sections, Sequence):
            raise NetcfgError(
                f"{{{group}}} holds a list of sections, and is given {sections!r}\nhelp: `[{sections!r}]` for one",
                code="NC801",
            )
        for section in sections:
            name, options = _section(section)
            lines.append(f"[{_word(name, 'a section', '[]')}]")
            lines += [
                f"{_word(key, 'an option', '=')} = {_written(key, value)}" for key, value in options.items()
            ]
    return "\n".join(lines) + "\n"


def _section(section: Section) -> tuple[str, Options]:
    if isinstance(section, str):
        return section, {}
    if isinstance(section, tuple) and len(section) == 2 and isinstance(section[1], Mapping):
        return section
    raise NetcfgError(
        f"{section!r} is no section\nhelp: give its name, or a pair of its name and a dictionary of options",
        code="NC801",
    )


def _word(name: object, what: str, marks: str) -> str:
    if not isinstance(name, str) or not name.strip() or any(mark in name for mark in (*marks, "\n", "#")):
        raise NetcfgError(
            f"{name!r} is no name of {what}\nhelp: give a word, as a .cfg file has it", code="NC801"
        )
    return name


def _written(key: str, value: Value) -> str:
    if isinstance(value, str | PurePath):
        text = str(value)
    elif value is None or isinstance(value, bool | int | float):
        text = repr(value)
    elif isinstance(value, Sequence):
        text = ", ".join(_written(key, one) for one in value)
    else:
        text = ""
    if not text.strip() or "\n" in text or " #" in text or text.startswith("#"):
        raise NetcfgError(
            f"`{key} = {value!r}` cannot stand in a .cfg file\n"
            "help: a number, a word, True, False, None, or a list of these",
            code="NC801",
        )
    return text


__all__ = ["Groups", "Section", "text_of"]
