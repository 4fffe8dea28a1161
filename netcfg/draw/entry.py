"""What a part of a diagram stands for: the sections of a file, and what can be said of them.

A picture shows little of it; the page's side panel, the data file and links into the source read the rest.
Whoever makes a diagram fills `Box.entries` and `Frame.entries`; a part without any is drawn all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import Section
from netcfg.passes.read import shipped_folder
from netcfg.shapes import to_json
from netcfg.source import Note, SourceFile, Span

if TYPE_CHECKING:
    from netcfg.graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Entry:
    """One section: its checked form, its place, and the notes that lead from there to the use a reader wrote.

    `facts` are further things to tell, by what a reader calls them, as JSON values; `None` is "unknown".
    """

    title: str
    span: Span | None = None
    section: Section | None = None
    chain: tuple[Note, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Its place, then the uses and includes that lead there, the outermost last."""
        return (self.span, *(note.span for note in self.chain), *_includes(self.span)) if self.span else ()


def _includes(span: Span) -> Iterator[Span]:
    place = span.file.included_at
    while place is not None:
        yield place
        place = place.file.included_at


def entry_of(graph: Graph, node: Node) -> Entry:
    """A network's block: shapes by port, parameters, cost, what is frozen or shared and where its weights start."""
    facts: dict[str, Any] = {
        "shape": {port: to_json(signal.shape) for port, signal in node.outputs.items()},
        "parameters": node.parameters,
        "trainable": node.trainable,
        "macs": node.macs,
    }
    if node.parameters and not node.trainable:
        facts["frozen"] = True
    if node.shared and any(other.path == node.shared and other.parameters for other in graph.nodes):
        facts["shares"] = node.shared
    start = start_of(graph, node)
    if start:
        facts["weights"] = start
    block: object = node.block
    section = block if isinstance(block, Section) else None
    return Entry(f"[{node.type}] {node.path}", node.span, section, node.chain(), facts)


def start_of(graph: Graph, node: Node) -> str:
    """The file of weights (or `imagenet`) that a block with parameters starts from: the innermost request."""
    over = [
        request
        for request in graph.weights
        if node.parameters and f"{node.path}.".startswith(f"{request.path}." if request.path else "")
    ]
    return max(over, key=lambda request: len(request.path)).source if over else ""


# --- files by names that are the same on every machine --------------------------------------------------------


@lru_cache
def file_name(file: SourceFile) -> str:
    """The file's name as a picture shows it: the same on every machine, whatever the working folder.

    It starts from the folder of the file a person named. A shipped file that lies elsewhere is called as an
    `{include …}` calls it.
    """
    root = root_of(file)
    if is_shipped(file) and not is_shipped(root):
        start = os.path.realpath(shipped_folder())
    else:
        start = os.path.dirname(os.path.realpath(root.name))  # includes are found from there, too
    name = os.path.relpath(os.path.realpath(file.name), start)
    return name.replace(os.sep, "/")


@lru_cache
def is_shipped(file: SourceFile) -> bool:
    """Whether it is one of the files that come with netcfg."""
    folder = os.path.join(os.path.realpath(shipped_folder()), "")
    return os.path.realpath(file.name).startswith(folder)


def root_of(file: SourceFile) -> SourceFile:
    """The file a person named, which includes this one or is it."""
    while file.included_at is not None:
        file = file.included_at.file
    return file


def place_text(span: Span) -> str:
    """`file:line`, as a picture shows it; of a text that netcfg made, what it was made from."""
    while span.file.included_at is not None and not os.path.isfile(span.file.name):
        span = span.file.included_at
    return f"{file_name(span.file)}:{span.line}"
