"""A scene as SVG text. The same scene gives the same bytes, everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from netcfg.draw.links import Links
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
    decimal,
    shaft,
)

FONT = "Helvetica, Arial, sans-serif"
"""First one that every renderer has or has a likeness of: some know no other, and take one with serifs where the
first is missing. Its letters are nearly as wide as those that pictures are measured with.
"""


def write_svg(scene: Scene, links: Links | None = None) -> str:
    """The whole document, one shape a line, ended by a newline; with `links`, parts lead to their source."""
    width, height = decimal(scene.width), decimal(scene.height)
    about = f' aria-label="{_escape(scene.title)}"' if scene.title else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{_escape(family(scene.font))}" fill="none" '
        f'role="graphics-document document"{about}>'
    )
    rows = [head]
    if scene.title:
        rows.append(f"<title>{_escape(scene.title)}</title>")
    rows.append(f'<rect width="{width}" height="{height}" fill="{scene.background}"/>')
    for shape in scene.shapes:
        rows.extend(rows_of(shape, links))
    return "\n".join([*rows, "</svg>", ""])


GENERIC = ("serif", "sans-serif", "monospace")
"""Fonts that every viewer has one of."""


def family(font: str) -> str:
    """The letters that are asked for, before those that there are everywhere."""
    if not font:
        return FONT
    plain = font.replace('"', "").replace(";", "")
    return plain if plain in GENERIC else f"'{plain}', {FONT}"


def rows_of(shape: Shape, links: Links | None = None) -> Iterator[str]:
    """A shape as elements, one a line."""
    match shape:
        case Group():
            href = links.href(shape.spans) if links else ""
            if href:
                yield f'<a href="{_escape(href)}">'
            yield _group_start(shape)
            if shape.title:
                yield f"<title>{_escape(shape.title)}</title>"
            for part in shape.shapes:
                yield from rows_of(part, links)
            yield "</g>"
            if href:
                yield "</a>"
        case Rect():
            yield _rect(shape)
        case Path():
            yield from _path(shape)
        case Polygon():
            yield _polygon(shape)
        case Dot():
            centre = f'cx="{decimal(shape.x)}" cy="{decimal(shape.y)}"'
            yield f'<circle {centre} r="{decimal(shape.radius)}" fill="{shape.fill}"/>'
        case Text():
            yield _text(shape)


def _group_start(group: Group) -> str:
    """The opening tag of a part, with what it is called for style sheets, scripts and screen readers."""
    attributes = [f'class="{_escape(group.kind)}"']
    if group.id:
        attributes.append(f'id="{_name(group.id)}" data-node="{_escape(group.id)}"')
        label = _escape(", ".join(group.title.split("\n")))
        role = "img" if group.kind.startswith("box") else "group"
        attributes.append(f'role="{role}" aria-label="{label}"')
    return f"<g {' '.join(attributes)}>"


def _name(text: str) -> str:
    """A text as an XML name."""
    name = "".join(character if character.isalnum() or character in "._-:" else "_" for character in text)
    return name if name[:1].isalpha() else f"_{name}"


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


def _polygon(polygon: Polygon) -> str:
    corners = " ".join(map(_pair, polygon.points))
    width = decimal(polygon.stroke_width)
    line = f' stroke="{polygon.stroke}" stroke-width="{width}" stroke-linejoin="round"'
    return f'<polygon points="{corners}" fill="{polygon.fill}"{line if polygon.stroke else ""}/>'


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
    # Whatever font a viewer takes, the measured length keeps the text inside its box.
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
