"""A section's page: it begins with a sentence, explains every option, and its example is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from netcfg.blocks.base import Block, Section, ShapeError
from netcfg.blocks.optimizers.schedules import Schedule
from netcfg.contract.breach import Breach
from netcfg.contract.examples import BadExample, example_of, promise_of
from netcfg.shapes import show


def verify_page(kind: type[Section]) -> Iterator[Breach]:
    """What is wrong with a page."""
    name = kind.type_name
    first = kind.describe().partition("\n")[0]
    if not re.fullmatch(r"[A-Z].{8,}\.", first):
        yield Breach(name, "page", "", f"`{first}`", "no sentence in its first line", "a docstring")
    for key, _, _, meaning in kind.option_rows():
        if not meaning.strip():
            yield Breach(name, "page", key, "nothing", "an option without a description", "description=…")
    if issubclass(kind, Schedule):  # its options are written in an optimizer's section
        return
    try:
        example_of(kind)
        if issubclass(kind, Block) and kind.type_name not in ("net", "input", "output"):
            yield from _verify_promise(kind)
    except BadExample as error:
        yield Breach(name, "example", "", "an example", str(error), "Example:: in its docstring")


def _verify_promise(kind: type[Block]) -> Iterator[Breach]:
    """The shape that the first line of the example promises."""
    promised, block = promise_of(kind), example_of(kind)
    try:
        made = block.shape(*promised.inputs)
    except ShapeError as error:
        raise BadExample(f"that it {error}") from None
    found = made if isinstance(made, tuple) else next(iter(made.values()))
    if found != promised.output:
        yield Breach(
            kind.type_name, "example", "", show(promised.output), show(found), "Example:: in its docstring"
        )
