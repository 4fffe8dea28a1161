"""The files a picture can be written to, by their ending. Only the writer that is asked for is imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from netcfg.draw.figure import compose
from netcfg.draw.links import Links
from netcfg.draw.model import Diagram
from netcfg.draw.options import Look
from netcfg.draw.scene import Scene
from netcfg.draw.svg import write_svg
from netcfg.files import write_beside
from netcfg.source import NetcfgError, nearest


@dataclass
class Picture:
    """What there is to draw: boxes and wires, and, for writers that want it laid out, the scene they make."""

    title: str
    diagrams: Sequence[Diagram]
    scale: float = 2.0
    """Pixels per unit, where a format has pixels."""
    links: Links = Links()
    """Where its parts lead to, where a format has links."""
    look: Look = Look()

    @cached_property
    def scene(self) -> Scene:
        """Everything in its place."""
        return compose(self.diagrams, self.title, self.look)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as the file's ending says. Raises `NetcfgError` where that is unknown, or the file cannot be."""
        target = Path(path)
        write = writer_of(target)
        links = self.links
        self.links = replace(links, folder=str(target.parent))
        try:
            write_beside(target, write(self))
        finally:
            self.links = links

    def _repr_svg_(self) -> str:
        """What a notebook shows; without links, as they would start from the notebook's address."""
        return write_svg(self.scene)

    def page(self) -> str:
        """It as an HTML file: to fold, unless it is of volumes."""
        from netcfg.draw.page import write_page

        scene = self.scene if self.look.volumes else None
        return write_page(self.title, self.diagrams, self.links, self.look, scene)


def _svg(picture: Picture) -> bytes:
    return write_svg(picture.scene, picture.links).encode()


def _png(picture: Picture) -> bytes:
    from netcfg.draw.png import write_png

    return write_png(picture.scene, picture.scale)


def _pdf(picture: Picture) -> bytes:
    from netcfg.draw.pdf import write_pdf

    return write_pdf(picture.scene)


def _way(picture: Picture) -> str:
    """Where signals run, as Graphviz and Mermaid call it."""
    return "LR" if picture.look.is_sideways else "TB"


def _dot(picture: Picture) -> bytes:
    from netcfg.draw.dot import write_dot

    return write_dot(picture.diagrams, picture.title, _way(picture)).encode()


def _mermaid(picture: Picture) -> bytes:
    from netcfg.draw.mermaid import write_mermaid

    return write_mermaid(picture.diagrams, picture.title, _way(picture)).encode()


def _markdown(picture: Picture) -> bytes:
    from netcfg.draw.mermaid import write_markdown

    return write_markdown(picture.diagrams, picture.title, _way(picture)).encode()


def _tikz_document(picture: Picture) -> bytes:
    from netcfg.draw.tikz import write_tikz

    return write_tikz(picture.scene).encode()


def _tikz_picture(picture: Picture) -> bytes:
    from netcfg.draw.tikz import write_tikz

    return write_tikz(picture.scene, document=False).encode()


def _json(picture: Picture) -> bytes:
    from netcfg.draw.data import write_json

    return write_json(picture.title, picture.diagrams, picture.scene).encode()


def _page(picture: Picture) -> bytes:
    return picture.page().encode()


FORMATS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".pdf": _pdf,
    ".dot": _dot,
    ".gv": _dot,
    ".mmd": _mermaid,
    ".md": _markdown,
    ".tex": _tikz_document,
    ".tikz": _tikz_picture,
    ".json": _json,
    ".html": _page,
}
"""`.tex` is a document of its own, `.tikz` the bare `tikzpicture` to put into one; `.md` has Mermaid in a fence."""


WITH_PIXELS = (".png",)
"""Formats that `Picture.scale` is for."""
WITH_LINKS = (".svg", ".html")
"""Formats that `Picture.links` are for."""
PLACING_THEMSELVES = (".dot", ".gv", ".mmd", ".md")
"""Formats whose readers place boxes, so that nothing is folded into columns."""


def writer_of(path: Path) -> Callable[[Picture], bytes]:
    """How a file of that name is written. Raises `NetcfgError` for a type that netcfg does not draw."""
    write = FORMATS.get(path.suffix.lower())
    if write is not None:
        return write
    endings = list(FORMATS)
    found = f"`{path.suffix}`" if path.suffix else "one without an ending"
    near = nearest(path.suffix, endings)
    help = f"\nhelp: did you mean `{path.with_suffix(near)}`?" if near else ""
    kinds = f"{', '.join(endings[:-1])} and {endings[-1]}"
    raise NetcfgError(f"{path}: netcfg draws {kinds} files, not {found}{help}", code="NC801")
