"""A scene as SVG text. The same scene gives the same bytes, everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from netcfg.draw.scene import (
    Dot,
    Group,
    Path,
    Point,
    Rect,
    Scene,
    Shape,
    Text,
    arrow_head,
    corner,
    decimal,
    shaft,
)

FONT = "Aileron, Helvetica, Arial, sans-serif"


def write_svg(scene: Scene) -> str:
    """The whole document, one shape a line, ended by a newline."""
    width, height = decimal(scene.width), decimal(scene.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}" fill="none">'
    )
    rows = [head]
    if scene.title:
        rows.append(f"<title>{_escape(scene.title)}</title>")
    rows.append(f'<rect width="{width}" height="{height}" fill="{scene.background}"/>')
    for shape in scene.shapes:
        rows.extend(_rows(shape))
    return "\n".join([*rows, "</svg>", ""])


def _rows(shape: Shape) -> Iterator[str]:
    match shape:
        case Group():
            yield f'<g class="{_escape(shape.kind)}">'
            if shape.title:
                yield f"<title>{_escape(shape.title)}</title>"
            for part in shape.shapes:
                yield from _rows(part)
            yield "</g>"
        case Rect():
            yield _rect(shape)
        case Path():
            yield from _path(shape)
        case Dot():
            centre = f'cx="{decimal(shape.x)}" cy="{decimal(shape.y)}"'
            yield f'<circle {centre} r="{decimal(shape.radius)}" fill="{shape.fill}"/>'
        case Text():
            yield _text(shape)


def _rect(rect: Rect) -> str:
    if rect.top_only:
        shape = f'<path d="{_header(rect)}"'
    else:
        place = f'x="{decimal(rect.x)}" y="{decimal(rect.y)}"'
        shape = f'<rect {place} width="{decimal(rect.width)}" height="{decimal(rect.height)}"'
        shape += f' rx="{decimal(rect.radius)}"' if rect.radius else ""
    stroke = f' stroke="{rect.stroke}" stroke-width="{decimal(rect.stroke_width)}"' if rect.stroke else ""
    return f'{shape} fill="{rect.fill}"{stroke}/>'


def _header(rect: Rect) -> str:
    """The outline of a rectangle whose upper corners are round."""
    left, right, top, bottom = rect.x, rect.x + rect.width, rect.y, rect.y + rect.height
    radius = rect.radius
    corners = f"A{_pair((radius, radius))} 0 0 1 "
    return (
        f"M{_pair((left, bottom))}L{_pair((left, top + radius))}{corners}{_pair((left + radius, top))}"
        f"L{_pair((right - radius, top))}{corners}{_pair((right, top + radius))}L{_pair((right, bottom))}Z"
    )


def _path(path: Path) -> Iterator[str]:
    width = decimal(path.stroke_width)
    yield f'<path d="{_outline(path)}" stroke="{path.stroke}" stroke-width="{width}"/>'
    if path.arrow:
        corners = " ".join(map(_pair, arrow_head(path)))
        yield f'<polygon points="{corners}" fill="{path.stroke}"/>'


def _outline(path: Path) -> str:
    points = shaft(path)
    steps = [f"M{_pair(points[0])}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = corner(before, at, after, path.radius)
        steps.append(f"L{_pair(begin)}Q{_pair(at)} {_pair(end)}")
    steps.append(f"L{_pair(points[-1])}")
    return "".join(steps)


def _text(text: Text) -> str:
    parts = [f'<text x="{decimal(text.x)}" y="{decimal(text.y)}" font-size="{decimal(text.size)}"']
    if text.bold:
        parts.append('font-weight="bold"')
    if text.anchor != "start":
        parts.append(f'text-anchor="{text.anchor}"')
    # A viewer without Aileron takes another font; the measured length keeps the text inside its box.
    parts.append(f'textLength="{decimal(text.width)}" lengthAdjust="spacingAndGlyphs" fill="{text.fill}"')
    return " ".join(parts) + f">{_escape(text.text)}</text>"


def _pair(point: Point) -> str:
    return f"{decimal(point[0])},{decimal(point[1])}"


def _escape(text: str) -> str:
    # XML 1.0 has no place for control characters, escaped or not.
    return escape("".join(character if _allowed(character) else "\ufffd" for character in text))


def _allowed(character: str) -> bool:
    code = ord(character)
    return code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF
