"""The files a picture can be written to, by their ending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from netcfg.draw.data import write_json
from netcfg.draw.figure import compose
from netcfg.draw.links import Links
from netcfg.draw.model import Diagram
from netcfg.draw.png import write_png
from netcfg.draw.scene import Scene
from netcfg.draw.svg import write_svg


@dataclass
class Picture:
    """What there is to draw: boxes and wires, and, for writers that want it laid out, the scene they make."""

    title: str
    diagrams: Sequence[Diagram]
    scale: float = 2.0
    """Pixels per unit, where a format has pixels."""
    links: Links = Links()
    """Where its parts lead to, where a format has links."""

    @cached_property
    def scene(self) -> Scene:
        """Everything in its place."""
        return compose(self.diagrams, self.title)


def _svg(picture: Picture) -> bytes:
    return write_svg(picture.scene, picture.links).encode()


def _png(picture: Picture) -> bytes:
    return write_png(picture.scene, picture.scale)


def _json(picture: Picture) -> bytes:
    return write_json(picture.title, picture.diagrams, picture.scene).encode()


FORMATS: dict[str, Callable[[Picture], bytes]] = {
    ".svg": _svg,
    ".png": _png,
    ".json": _json,
}
