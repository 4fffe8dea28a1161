"""Which sections there are. The file of a section is read when that section is first asked for."""

from __future__ import annotations

import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from netcfg.source import shown_path

if TYPE_CHECKING:
    from netcfg.blocks.base import Section

Group = Literal["network", "data", "loss", "optimizer", "metric", "general"]
GROUPS: tuple[Group, ...] = get_args(Group)

ROOMS: Mapping[Group, tuple[str, ...]] = {
    "network": ("network",),
    "data": ("sources", "transforms", "samplers"),
    "loss": ("losses",),
    "optimizer": ("optimizers",),
    "metric": ("metrics",),
    "general": ("general",),
}
"""The folders below `netcfg/blocks/` that hold the sections of a group."""

ROOMS_OF_OWN_FILES = frozenset({"sources", "samplers", "losses", "metrics"})
"""Where a section stands in a file of its own name, which is found without reading the others."""

_SHIPPED = "netcfg.blocks."
_NAME = re.compile(rb"\bname=\"([^\"]+)\"")

FILE_MODULE = "netcfg_extension_"
"""How the names of modules begin that an included Python file becomes."""

_REGISTERED: dict[Group, dict[str, type[Section]]] = {group: {} for group in GROUPS}
SCHEDULES: dict[str, type[Section]] = {}
"""The schedules of optimizers by name."""
_RECORDS: list[list[type[Section]]] = []


class Clash(TypeError):
    """Two sections of one group have the same name."""


def sections(group: Group) -> Mapping[str, type[Section]]:
    """All sections of a group by name, as the folders have them and as extensions have added them."""
    for room in ROOMS[group]:
        _read(room)
    return _REGISTERED[group]


def section_names(group: Group) -> Iterable[str]:
    """What all sections of a group are called; no file is read for it."""
    shipped = (name for room in ROOMS[group] for name in _index(room))
    return dict.fromkeys((*shipped, *_REGISTERED[group]))


def find(group: Group, name: str) -> type[Section] | None:
    """The section of this name, or None. Of the shipped files only the one that defines it is read."""
    known = _REGISTERED[group].get(name)
    if known is None and (module := _module(group, name)) is not None:
        import_module(f"{_SHIPPED}{module}")
        known = _REGISTERED[group].get(name)
    return known


def register(section: type[Section]) -> None:
    """Make a section type known by its name. Raises `Clash`, naming both, where another has it in that group."""
    group = _table_of(section)
    if group is not SCHEDULES and not section.__module__.startswith(_SHIPPED):
        find(section.group, section.type_name)  # else the clash would be found in ours, when that is read
    taken = group.setdefault(section.type_name, section)
    if taken is not section:
        raise Clash(f"[{section.type_name}] is defined by both {origin(taken)} and {origin(section)}")
    for record in _RECORDS:
        record.append(section)


def forget(brought: Iterable[type[Section]]) -> None:
    """Take sections out again."""
    for section in brought:
        table = _table_of(section)
        if table.get(section.type_name) is section:
            del table[section.type_name]


def _table_of(section: type[Section]) -> dict[str, type[Section]]:
    """Where a section is kept by its name; schedules are no sections of a file, and have a table of their own."""
    return SCHEDULES if section.family == "schedule" else _REGISTERED[section.group]


@contextmanager
def recorded() -> Iterator[list[type[Section]]]:
    """The sections that are registered inside. What fails half way leaves none behind."""
    brought: list[type[Section]] = []
    _RECORDS.append(brought)
    try:
        yield brought
    except BaseException:
        forget(brought)
        raise
    finally:
        _RECORDS.pop()


def origin(section: type[Section]) -> str:
    """Where a section comes from, for messages: its module, or the Python file that a program includes."""
    module = sys.modules.get(section.__module__)
    if section.__module__.startswith(FILE_MODULE) and module is not None and module.__file__ is not None:
        return f"{section.__qualname__} in {shown_path(module.__file__)}"
    return f"{section.__module__}.{section.__qualname__}"


@cache
def _read(room: str) -> None:
    """Import all files of a folder, each of which registers what it defines."""
    package = import_module(f"netcfg.blocks.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def _module(group: Group, name: str) -> str | None:
    """Where a shipped section of this name stands, if there is one."""
    for room in ROOMS[group]:
        if room in ROOMS_OF_OWN_FILES:
            file = name if f"{name}.py" in _files(room) else None
        else:
            file = _index(room).get(name)
        if file is not None:
            return f"{room}.{file}"
    return None


@cache
def _files(room: str) -> frozenset[str]:
    return frozenset(os.listdir(Path(__file__).with_name(room)))


@cache
def _index(room: str) -> Mapping[str, str]:
    """The file of each shipped section by its name, seen from the text: importing them all takes 50 times as long."""
    found = {}
    folder = Path(__file__).with_name(room)
    for file in sorted(name for name in _files(room) if name.endswith(".py")):
        with open(folder / file, "rb") as text:
            classes = text.read().split(b"\nclass ")[1:]
        for head in classes:
            if name := _NAME.search(head, 0, head.index(b":\n")):
                found[name[1].decode()] = file.removesuffix(".py")
    return found
