"""A scene as PNG bytes, drawn with Pillow and the font that Pillow carries within itself."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from netcfg.draw.metrics import ADVANCES, BOLD, TIMES, X_HEIGHT, stand_in, text_width
from netcfg.draw.scene import (
    Dot,
    Group,
    Path,
    Point,
    Polygon,
    Rect,
    Scene,
    Shape,
    Text,
    arrow_head,
    corner,
    shaft,
)

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

OVERSAMPLING = 4
"""Pillow draws lines without antialiasing: each band is drawn this much larger, then averaged."""
BAND = 256
"""Height of a band in output pixels; bands keep the enlarged picture small in memory."""
MAX_SIDE = 30_000
"""A picture with a longer side is scaled down to it, in pixels."""
_CURVE_STEPS = 6


def pixel_scale(scene: Scene, scale: float) -> float:
    """Output pixels per scene unit: `scale`, or less where the picture would be too large to open."""
    return min(scale, MAX_SIDE / max(scene.width, scene.height))


def write_png(scene: Scene, scale: float = 2.0) -> bytes:
    """The picture at `scale` pixels per scene unit, as the bytes of a PNG file."""
    from PIL import Image

    scale = pixel_scale(scene, scale)
    width, height = round(scene.width * scale), round(scene.height * scale)
    picture = Image.new("RGB", (width, height), scene.background)
    shapes = [(*_reach(shape), shape) for shape in _flat(scene.shapes)]
    for top in range(0, height, BAND):
        rows = min(BAND, height - top)
        here = [shape for low, high, shape in shapes if high * scale >= top and low * scale <= top + rows]
        picture.paste(_band(here, width, rows, top, scale, scene.background), (0, top))
    target = BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def _band(shapes: list[Shape], width: int, rows: int, top: int, scale: float, background: str):  # type: ignore[no-untyped-def]  # an Image, which is not imported here
    from PIL import Image, ImageDraw

    band = Image.new("RGB", (width * OVERSAMPLING, rows * OVERSAMPLING), background)
    pen = _Pen(ImageDraw.Draw(band), scale * OVERSAMPLING, top * OVERSAMPLING)
    for shape in shapes:
        pen.draw(shape)
    return band.reduce(OVERSAMPLING)


def _flat(shapes: list[Shape] | tuple[Shape, ...]) -> Iterator[Shape]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _reach(shape: Shape) -> tuple[float, float]:
    """The lowest and highest y a shape may touch, with room for strokes and arrow heads."""
    match shape:
        case Rect():
            return shape.y - 2, shape.y + shape.height + 2
        case Path() | Polygon():
            heights = [y for _, y in shape.points]
            return min(heights) - 5, max(heights) + 5
        case Text():
            return shape.y - shape.size, shape.y + shape.size / 2
        case Dot():
            return shape.y - shape.radius - 1, shape.y + shape.radius + 1
        case Group():
            raise AssertionError("groups are taken apart before they are drawn")


class _Pen:
    """Draws shapes into one enlarged band. `scale` is in band pixels per unit, `top` the band's place."""

    def __init__(self, canvas: ImageDraw, scale: float, top: float) -> None:
        self.canvas = canvas
        self.scale = scale
        self.top = top
        self.fonts: dict[float, FreeTypeFont] = {}

    def draw(self, shape: Shape) -> None:
        match shape:
            case Rect():
                self.rect(shape)
            case Path():
                self.path(shape)
            case Polygon():
                self.polygon(shape)
            case Dot():
                self.dot(shape)
            case Text():
                self.text(shape)

    def at(self, x: float, y: float) -> Point:
        return x * self.scale, y * self.scale - self.top

    def rect(self, rect: Rect) -> None:
        width = rect.stroke_width if rect.stroke else 0.0
        box = [
            *self.at(rect.x - width / 2, rect.y - width / 2),
            *self.at(rect.x + rect.width + width / 2, rect.y + rect.height + width / 2),
        ]
        radius = (rect.radius + width / 2 if rect.radius else 0.0) * self.scale
        line = round(width * self.scale)
        lower = not rect.top_only
        self.canvas.rounded_rectangle(
            box, radius, rect.fill, rect.stroke, line, corners=(True, True, lower, lower)
        )

    def path(self, path: Path) -> None:
        line = max(1, round(path.stroke_width * self.scale))
        self.canvas.line(
            [self.at(*point) for point in _smooth(path)], fill=path.stroke, width=line, joint="curve"
        )
        if path.arrow:
            self.canvas.polygon([self.at(*point) for point in arrow_head(path)], fill=path.stroke)

    def polygon(self, polygon: Polygon) -> None:
        corners = [self.at(*point) for point in polygon.points]
        self.canvas.polygon(corners, fill=polygon.fill)
        if polygon.stroke:
            line = max(1, round(polygon.stroke_width * self.scale))
            self.canvas.line([*corners, *corners[:2]], fill=polygon.stroke, width=line, joint="curve")

    def dot(self, dot: Dot) -> None:
        low, high = (
            self.at(dot.x - dot.radius, dot.y - dot.radius),
            self.at(dot.x + dot.radius, dot.y + dot.radius),
        )
        self.canvas.ellipse([*low, *high], fill=dot.fill)

    def text(self, text: Text) -> None:
        x = text.left
        for run in _runs(text.text, text.bold):
            if run == "×":
                self.times(x, text)
            else:
                self.run(x, text, run)
            x += text_width(run, text.size, text.bold)

    def run(self, x: float, text: Text, run: str) -> None:
        shown = "".join(map(stand_in, run))
        stroke = round(0.022 * text.size * self.scale) if text.bold else 0
        self.canvas.text(
            self.at(x, text.y),
            shown,
            text.fill,
            self.font(text.size),
            "ls",
            stroke_width=stroke,
            stroke_fill=text.fill,
        )

    def times(self, x: float, text: Text) -> None:
        """The multiplication sign, which the font lacks: two strokes across the height of an x."""
        advance = TIMES * (BOLD if text.bold else 1)
        half = 0.19 * text.size
        middle_x, middle_y = x + advance / 2 * text.size, text.y - (X_HEIGHT + 0.04) / 2 * text.size
        line = round((0.12 if text.bold else 0.075) * text.size * self.scale)
        for slope in (1, -1):
            ends = [self.at(middle_x + sign * half, middle_y + sign * slope * half) for sign in (-1, 1)]
            self.canvas.line(ends, fill=text.fill, width=line)

    def font(self, size: float) -> FreeTypeFont:
        from PIL import ImageFont

        if size not in self.fonts:
            font = ImageFont.load_default(size=size * self.scale)
            if not isinstance(font, ImageFont.FreeTypeFont):
                raise RuntimeError("this Pillow was built without FreeType, which text in pictures needs")
            self.fonts[size] = font
        return self.fonts[size]


def _runs(text: str, bold: bool) -> Iterator[str]:
    """Stretches that can be drawn at once: bold text letter by letter, as it is set wider than its font."""
    run = ""
    for character in text:
        if bold or character == "×" or stand_in(character) not in ADVANCES:
            if run:
                yield run
            yield character
            run = ""
        else:
            run += character
    if run:
        yield run


def _smooth(path: Path) -> list[Point]:
    """The path with each corner replaced by short steps along its curve."""
    points = shaft(path)
    smooth = [points[0]]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = corner(before, at, after, path.radius)
        for step in range(_CURVE_STEPS + 1):
            t = step / _CURVE_STEPS
            smooth.append(tuple(_quadratic(a, b, c, t) for a, b, c in zip(begin, at, end, strict=True)))  # type: ignore[arg-type]
    return [*smooth, points[-1]]


def _quadratic(start: float, control: float, end: float, t: float) -> float:
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
