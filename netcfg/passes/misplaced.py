"""Where an option belongs that was written in a section of another group: most often how a program trains."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from netcfg.blocks.base import Section
from netcfg.blocks.registry import find, sections
from netcfg.vocabulary import name_here

ANY_OPTIMIZER = 3
"""An option that so many optimizers have is said to be theirs; of fewer, which are named."""


def place_of(key: str, kind: type[Section]) -> str | None:
    """The help line for a key that a section lacks, and training or the optimizers have."""
    found = next((owners[key] for owners in _others(kind) if key in owners), None)
    return f"`{key}` is an option of {found}" if found is not None else None


def place_of_foreign(word: str, kind: type[Section]) -> str | None:
    """The same for a word by which another framework calls such an option."""
    names = (name_here(word, "option", owners) for owners in _others(kind))
    name = next((name for name in names if name is not None), None)
    return place_of(name, kind) if name is not None else None


def _others(kind: type[Section]) -> list[Mapping[str, str]]:
    """The options of groups that a section is not of, with their owners in words."""
    groups = {"general": _training, "optimizer": _optimizers}
    return [options() for group, options in groups.items() if group != kind.group]


@cache
def _training() -> Mapping[str, str]:
    known = find("general", "training")
    assert known is not None
    return dict.fromkeys(known.readers(), "[training], in {General}")


@cache
def _optimizers() -> Mapping[str, str]:
    names: dict[str, list[str]] = {}
    for name, section in sections("optimizer").items():
        # A number that changes stands there too, and steps nothing.
        for key in section.readers() if section.family != "number" else ():
            names.setdefault(key, []).append(f"[{name}]")
    return {
        key: "the blocks of {Optimizer}"
        if len(of) >= ANY_OPTIMIZER
        else " and ".join(of) + ", in {Optimizer}"
        for key, of in names.items()
    }
