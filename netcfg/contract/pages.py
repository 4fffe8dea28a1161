"""A section's page: it begins with a sentence, explains every option, and its example is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

from netcfg.blocks.base import Block, Section
from netcfg.contract.breach import Breach
from netcfg.contract.examples import BadExample, example_of, network_text, promise_of
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
    try:
        example_of(kind)
        if issubclass(kind, Block) and kind.type_name not in ("net", "input", "output"):
            yield from _verify_network(kind)
    except BadExample as error:
        yield Breach(name, "example", "", "an example", str(error), "Example:: in its docstring")


def _verify_network(kind: type[Block]) -> Iterator[Breach]:
    """The example in a network: the shape that its first line promises."""
    from netcfg.compile import load
    from netcfg.source import ProgramError

    promised = promise_of(kind)
    try:
        graph = load(network_text(kind, promised.inputs)).networks["N"]
    except ProgramError as error:
        raise BadExample("; ".join(finding.message for finding in error.findings)) from None
    found = graph.nodes[-1].output.shape
    if found != promised.output:
        yield Breach(
            kind.type_name, "example", "", show(promised.output), show(found), "Example:: in its docstring"
        )
