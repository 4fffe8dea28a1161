"""A scene without colours: every one becomes the grey that is as light."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final

from netcfg.draw.page.night import luminance
from netcfg.draw.scene import Dot, Group, Path, Polygon, Rect, Scene, Shape, Text

GREY: Final = "grey"
"""The palette of that name."""


def greyed(scene: Scene) -> Scene:
    """The scene in greys."""
    return replace(scene, shapes=[_greyed(shape) for shape in scene.shapes])


def _greyed(shape: Shape) -> Shape:
    match shape:
        case Group():
            return replace(shape, shapes=tuple(map(_greyed, shape.shapes)))
        case Rect() | Polygon():
            stroke = None if shape.stroke is None else grey(shape.stroke)
            return replace(shape, fill=grey(shape.fill), stroke=stroke)
        case Path():
            return replace(shape, stroke=grey(shape.stroke))
        case Dot() | Text():
            return replace(shape, fill=grey(shape.fill))


@lru_cache(256)
def grey(colour: str) -> str:
    """The grey of the same relative luminance."""
    light = luminance(colour)
    level = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return "#" + 3 * f"{round(255 * level):02x}"
