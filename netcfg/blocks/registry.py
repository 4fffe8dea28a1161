"""Which sections there are. The file of a section is read when that section is first asked for."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

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

_NAMED_CLASS = re.compile(r"^class \w+\([^)]*\bname=\"(?P<name>[^\"]+)\"", re.MULTILINE)

_REGISTERED: dict[Group, dict[str, type[Section]]] = {group: {} for group in GROUPS}


def sections(group: Group) -> Mapping[str, type[Section]]:
    """All sections of a group by name, as the folders have them and as extensions have added them."""
    for room in ROOMS[group]:
        _read(room)
    return _REGISTERED[group]


def find(group: Group, name: str) -> type[Section] | None:
    """The section of this name, or None. Of the shipped files only the one that defines it is read."""
    known = _REGISTERED[group].get(name)
    if known is None and (module := _index(group).get(name)) is not None:
        import_module(module)
        known = _REGISTERED[group].get(name)
    return known


def register(section: type[Section]) -> None:
    """Make a section type known by its name. A name used twice in one group is a TypeError naming both."""
    group = _REGISTERED[section.group]
    taken = group.get(section.type_name)
    if taken is not None and _origin(taken) != _origin(section):
        raise TypeError(f"[{section.type_name}] is defined by both {_origin(taken)} and {_origin(section)}")
    group[section.type_name] = section


def forget(module: str) -> None:
    """Take out what a module has registered: an extension that failed half way leaves nothing behind."""
    for group in _REGISTERED.values():
        for name in [name for name, section in group.items() if section.__module__ == module]:
            del group[name]


@cache
def _read(room: str) -> None:
    """Import all files of a folder, each of which registers what it defines."""
    package = import_module(f"netcfg.blocks.{room}")
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


@cache
def _index(group: Group) -> Mapping[str, str]:
    """The module of each shipped section by its name, seen from the text: importing them all takes 50 times as long."""
    found = {}
    for room in ROOMS[group]:
        folder = Path(__file__).with_name(room)
        for path in sorted(folder.glob("*.py")):
            for match in _NAMED_CLASS.finditer(path.read_text(encoding="utf-8")):
                found[match["name"]] = f"netcfg.blocks.{room}.{path.stem}"
    return found


def _origin(section: type[Section]) -> str:
    return f"{section.__module__}.{section.__qualname__}"
