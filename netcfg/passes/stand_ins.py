"""What stands in a picture of a broken file where a section cannot be read, and what that seems to read."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from netcfg.blocks.base import Block
from netcfg.blocks.registry import find
from netcfg.blocks.values import read_reference, split_list
from netcfg.passes.drafts import Namespace, StandIn, Wire
from netcfg.passes.references import References
from netcfg.syntax import Section


class StandIns(NamedTuple):
    """Makes them by `make`; for a program that is checked there are none."""

    make: StandIn
    in_model: bool = False

    def block(self, section: Section) -> Block:
        """In the place of a block."""
        return self.make(section)

    def input(self, section: Section, name: str) -> Block:
        """In the place of an input, also where that is written in [net]."""
        return self.make(replace(section, name="input")).model_copy(update={"name": name})

    def wires(self, section: Section, previous: Wire, names: Namespace) -> list[Wire]:
        """What a section's references lead to, without a word on those that lead nowhere."""
        silent = References([], self.in_model)
        kind = find("network", section.name)
        keys = ("from", kind.reference_option) if kind and issubclass(kind, Block) else ("from",)
        option = next(filter(None, map(section.option, keys)), None)
        if option is None:
            return [previous]
        try:
            return [
                silent.resolve(read_reference(item), option, item, section, names)
                for item in split_list(option.value)
            ]
        except ValueError:  # it is no reference
            return [previous]
