"""The example of a section's page: a section to vary, and for blocks the shapes that its first line promises."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeVar

from netcfg.blocks.base import Block, Section
from netcfg.passes.schema import check_section
from netcfg.source import Finding, SourceFile
from netcfg.syntax import Group, parse

Kind = TypeVar("Kind", bound=Section)
_SHAPES = re.compile(r"#\s*(?P<inputs>[\dx, ]*?)\s*->\s*(?P<output>[\dx]+)")


class BadExample(Exception):
    """An example that cannot be read; the text says why."""


@dataclass(frozen=True)
class Promise:
    """The shapes in the first line of a block's example: `# 8x4x4, 8x4x4 -> 16x4x4`."""

    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]


def example_text(kind: type[Section]) -> str:
    """The example of a page, without its indentation."""
    _, _, body = kind.describe().partition("Example::\n")
    return "\n".join(line.removeprefix("    ") for line in body.strip("\n").splitlines()) + "\n"


def example_of(kind: type[Kind]) -> Kind:
    """The section that the example writes. Raises `BadExample`."""
    findings: list[Finding] = []
    tree = parse(SourceFile("example", "{G}\n" + example_text(kind)), findings)
    group = tree.items[0] if tree.items else None
    if not isinstance(group, Group) or not group.sections or group.sections[0].name != kind.type_name:
        raise BadExample(f"no [{kind.type_name}] below `Example::`")
    made = check_section(group.sections[0], kind, findings)
    gone = [finding.span for finding in findings if finding.code == "NC802"]
    if gone:  # the files that a page names are nobody's
        options = [option for option in group.sections[0].options if option.value_span not in gone]
        findings.clear()
        made = check_section(replace(group.sections[0], options=options), kind, findings)
    if made is None or findings:
        raise BadExample("; ".join(finding.message for finding in findings))
    return made


def promise_of(kind: type[Block]) -> Promise:
    """The shapes that a block's example promises. Raises `BadExample`."""
    found = _SHAPES.search(example_text(kind).partition("\n")[0])
    if found is None:
        raise BadExample("no shapes in the first line of the example")
    inputs = [text for text in found["inputs"].split(",") if text.strip()]
    return Promise(tuple(map(_shape, inputs)), _shape(found["output"]))


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.strip().split("x"))
