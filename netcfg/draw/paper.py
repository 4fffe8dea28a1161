"""Pictures of a given width: folded and scaled so that no text is too small to read, or refused with a way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from netcfg.draw.options import Look
from netcfg.draw.scene import Dot, Group, Path, Point, Polygon, Rect, Scene, Shape, Text
from netcfg.draw.style import PAGE_PAD
from netcfg.source import NetcfgError, did_you_mean

UNITS_PER_MM: Final = 96 / 25.4
"""A scene's units are those of a screen with 96 to the inch."""
POINTS_PER_UNIT: Final = 0.75
LEAST_POINTS: Final = 6.0
"""No text on paper is smaller."""
MOST_COLUMNS: Final = 4
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(mm|cm|in|pt)")
_MM: Final = {"mm": 1.0, "cm": 10.0, "in": 25.4, "pt": 25.4 / 72.27}
_REMEDIES: Final = 3
_MARGIN: Final = 1.0
"""Around all that is drawn, so that no edge is cut."""


@dataclass(frozen=True, slots=True)
class Paper:
    """The room for a picture, in millimetres; `asked` is how it was asked for. Without a height it may be any."""

    asked: str
    width: float
    height: float | None = None


PAPERS: Final[Mapping[str, Paper]] = {
    name: Paper(f"--paper {name}", *size)
    for name, size in (("ieee-column", (88.9, 235.0)), ("ieee-page", (181.9, 235.0)), ("a4", (170.0, 257.0)))
}
"""A column and both columns of an IEEE journal; A4 within margins of 20 mm."""


def read_width(text: str) -> Paper:
    """`88mm`, `8.8cm`, `3.5in` or `252pt`. Raises `NetcfgError` where it is no width, or none to draw in."""
    found = _LENGTH.fullmatch(text.strip())
    if found is None:
        raise NetcfgError(
            f"--width is a number with mm, cm, in or pt behind it, as 88mm, not `{text}`", code="NC801"
        )
    width = float(found[1]) * _MM[found[2]]
    if not 10 <= width <= 2000:
        raise NetcfgError(f"--width must be from 10 mm to 2 m, found {text}", code="NC801")
    return Paper(f"--width {text}", width)


def read_paper(name: str) -> Paper:
    """One of `PAPERS`. Raises `NetcfgError` for another one."""
    if name not in PAPERS:
        help = did_you_mean(name, PAPERS) or "or a width: `--width 88mm`"
        raise NetcfgError(f"--paper is {', '.join(PAPERS)}, not `{name}`\nhelp: {help}", code="NC801")
    return PAPERS[name]


Make = Callable[[Look], Scene]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A scene, and by how much it has to be scaled to be as wide as the paper."""

    scene: Scene
    paper: Paper
    smallest: float

    @property
    def scale(self) -> float:
        return min(1.0, self.paper.width * UNITS_PER_MM / self.scene.width)

    @property
    def least(self) -> float:
        """The least scale at which its text can be read."""
        return min(1.0, LEAST_POINTS / POINTS_PER_UNIT / self.smallest)

    def fits(self) -> bool:
        height = self.scene.height * self.scale / UNITS_PER_MM
        is_low = self.paper.height is None or height <= self.paper.height + 1e-6
        return is_low and self.scale >= self.least - 1e-6

    def size_at_least(self) -> tuple[float, float]:
        """Width and height in millimetres with its smallest text as small as it may be."""
        return (
            self.scene.width * self.least / UNITS_PER_MM,
            self.scene.height * self.least / UNITS_PER_MM,
        )


def on_paper(make: Make, look: Look, paper: Paper, others: Mapping[str, Look] | None = None) -> Scene:
    """The scene that `make` draws of `look`, as wide as the paper, folded into as many columns as makes it largest.

    Where boxes of the usual width do not fit, they are narrow.

    `others` are looks that may fit where this one does not, by the options that ask for them: the error names those
    that do. Raises `NetcfgError` where nothing fits.
    """
    trials = list(_trials(make, look, paper))
    if not any(trial.fits() for trial in trials):
        trials = list(_trials(make, replace(look, narrow=True), paper))
    fitting = [trial for trial in trials if trial.fits()]
    if fitting:
        best = max(fitting, key=lambda trial: (round(trial.scale, 6), -trial.scene.height))
        return _centred(scaled(best.scene, best.scale), paper.width * UNITS_PER_MM)
    nearest = min(trials, key=lambda trial: _excess(trial))
    raise NetcfgError(_refusal(nearest, make, others or {}), code="NC801")


def _trials(make: Make, look: Look, paper: Paper) -> Iterator[_Trial]:
    folds: Sequence[int | None] = (
        [None, *range(1, MOST_COLUMNS + 1)] if look.columns is None else [look.columns]
    )
    for columns in folds:
        scene = _trimmed(make(replace(look, columns=columns)))
        yield _Trial(scene, paper, min((text.size for text in texts(scene.shapes)), default=LEAST_POINTS))


def _excess(trial: _Trial) -> float:
    """By what factor it is too large, the worse of both ways."""
    width, height = trial.size_at_least()
    return max(width / trial.paper.width, height / (trial.paper.height or height))


def _refusal(nearest: _Trial, make: Make, others: Mapping[str, Look]) -> str:
    paper = nearest.paper
    width, height = nearest.size_at_least()
    room = f"{paper.width:.4g} mm" + (f" by {paper.height:.4g} mm" if paper.height else "")
    message = (
        f"{paper.asked}: with text of {LEAST_POINTS:g} pt the picture is {width:.0f} mm wide and {height:.0f} mm high, "
        f"and there is room for {room}"
    )
    helping: list[str] = []
    for option, look in others.items():
        if any(known.strip("`") in option for known in helping):
            continue  # what is enough by itself needs nothing beside it
        if any(trial.fits() for trial in _trials(make, replace(look, narrow=True), paper)):
            helping.append(f"`{option}`")
        if len(helping) == _REMEDIES:
            break
    if helping:
        return f"{message}\nhelp: it fits with {' or with '.join(helping)}"
    tried = ", ".join(f"`{option}`" for option in others)
    more = f"; {tried} alone {'are' if len(others) > 1 else 'is'} not enough" if tried else ""
    return f"{message}\nhelp: give it that width, or draw less of it, as one of several networks (`--network`){more}"


# --- scenes of another size


def texts(shapes: Sequence[Shape]) -> Iterator[Text]:
    """All texts that are seen."""
    for shape in shapes:
        if isinstance(shape, Group):
            yield from texts(shape.shapes)
        elif isinstance(shape, Text) and shape.text.strip():
            yield shape


def scaled(scene: Scene, scale: float) -> Scene:
    """The scene, with everything in it so much as large."""
    if scale == 1:
        return scene
    shapes = [_changed(shape, scale, (0.0, 0.0)) for shape in scene.shapes]
    return replace(scene, width=scene.width * scale, height=scene.height * scale, shapes=shapes)


def _trimmed(scene: Scene) -> Scene:
    """The scene without the room at its edges, which a paper has itself."""
    spare = PAGE_PAD - _MARGIN
    shapes = [_changed(shape, 1.0, (-spare, -spare)) for shape in scene.shapes]
    return replace(scene, width=scene.width - 2 * spare, height=scene.height - 2 * spare, shapes=shapes)


def _centred(scene: Scene, width: float) -> Scene:
    """The scene in the middle of a page of that width."""
    spare = width - scene.width
    if spare <= 0:
        return replace(scene, width=width)
    return replace(
        scene, width=width, shapes=[_changed(shape, 1.0, (spare / 2, 0.0)) for shape in scene.shapes]
    )


def _changed(shape: Shape, scale: float, by: Point) -> Shape:
    """A shape scaled around the origin, and moved."""

    def at(point: Point) -> Point:
        return point[0] * scale + by[0], point[1] * scale + by[1]

    match shape:
        case Group():
            place = shape.place
            if place is not None:
                left, top, width, height = place
                place = (*at((left, top)), width * scale, height * scale)
            return replace(
                shape, shapes=tuple(_changed(inner, scale, by) for inner in shape.shapes), place=place
            )
        case Rect():
            x, y = at((shape.x, shape.y))
            return replace(
                shape,
                x=x,
                y=y,
                width=shape.width * scale,
                height=shape.height * scale,
                radius=shape.radius * scale,
                stroke_width=shape.stroke_width * scale,
            )
        case Path():
            points = tuple(map(at, shape.points))
            return replace(
                shape,
                points=points,
                stroke_width=shape.stroke_width * scale,
                radius=shape.radius * scale,
                head=shape.head * scale,
            )
        case Polygon():
            return replace(
                shape, points=tuple(map(at, shape.points)), stroke_width=shape.stroke_width * scale
            )
        case Dot():
            x, y = at((shape.x, shape.y))
            return replace(shape, x=x, y=y, radius=shape.radius * scale)
        case Text():
            x, y = at((shape.x, shape.y))
            return replace(shape, x=x, y=y, size=shape.size * scale, width=shape.width * scale)


__all__ = ["LEAST_POINTS", "PAPERS", "Paper", "on_paper", "read_paper", "read_width", "scaled", "texts"]
