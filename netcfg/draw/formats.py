"""The files a picture can be written to, by their ending. Only the writer that is asked for is imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from netcfg.draw.figure import Beside, compose
from netcfg.draw.greys import GREY, greyed
from netcfg.draw.links import Links
from netcfg.draw.model import Diagram, Frame
from netcfg.draw.options import DIRECTIONS, Look
from netcfg.draw.paper import Paper, on_paper
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
    groups: Sequence[Beside] = ()
    """Which of its diagrams stand beside each other; without, as suits a page."""
    paper: Paper | None = None
    """What it has to fit on, by being folded and scaled."""
    font: str = ""
    make: Callable[[Look], Picture] | None = None
    """The same picture of another look."""

    @cached_property
    def scene(self) -> Scene:
        """Everything in its place. Raises `NetcfgError` where it does not fit on its paper."""
        if self.paper is None:
            return replace(self.composed(), font=self.font)
        others = other_looks(self) if self.make is not None else {}
        return replace(on_paper(_Remade(self).scene, self.look, self.paper, others), font=self.font)

    def composed(self) -> Scene:
        """The same, at its own size."""
        scene = compose(self.diagrams, self.title, self.look, self.groups)
        return greyed(scene) if self.look.palette == GREY else scene

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
        return write_page(self.title, self.diagrams, self.links, self.look, scene, self.font)


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


class _Remade:
    """Scenes of a picture of other looks. What differs in nothing but its folds is the same boxes and wires."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._made: list[tuple[Look, Picture]] = [(replace(picture.look, columns=None), picture)]

    def scene(self, look: Look) -> Scene:
        """Everything in its place."""
        plain = replace(look, columns=None)
        made = next((picture for known, picture in self._made if known == plain), None)
        if made is None:
            made = self._picture if self._picture.make is None else self._picture.make(plain)
            self._made.append((plain, made))
        return replace(made, look=look).composed()


def other_looks(picture: Picture) -> dict[str, Look]:
    """Looks of the same picture that need less room, by the options that ask for them."""
    look = picture.look
    found: dict[str, Look] = {}
    if look.frame:
        found["--no-frame"] = replace(look, frame=False)
    if look.labels:
        found["--labels none"] = replace(look, labels=())
    deepest = deepest_open(picture.diagrams)
    for depth in range(min(deepest, _DEPTHS) - 1, -1, -1):
        found[f"--depth {depth}"] = replace(look, depth=depth, expand=False)
    way = DIRECTIONS[not look.is_sideways]
    found[f"--direction {way}"] = replace(look, direction=way)
    if look.volumes:
        found["--style flow"] = replace(look, style="flow", direction=None)
    if deepest and look.frame:
        small = replace(look, frame=False, depth=0, expand=False)
        found["--no-frame --depth 0"] = small
        found["--no-frame --labels none --depth 0"] = replace(small, labels=())
    return found


def deepest_open(diagrams: Sequence[Diagram]) -> int:
    """How many levels of templates are open in a picture."""
    return max((_levels(diagram.frame) for diagram in diagrams), default=0)


def _levels(frame: Frame) -> int:
    return max((1 + _levels(part) for part in frame.parts if isinstance(part, Frame)), default=0)


_DEPTHS = 4
"""So many levels at most are tried to be closed."""


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
OF_A_SIZE = (".svg", ".png", ".pdf", ".tex", ".tikz")
"""Formats that `Picture.paper` is for."""
WITH_FONTS = (".svg", ".html", ".tex", ".tikz")
"""Formats that `Picture.font` is for: others carry letters of their own."""
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
