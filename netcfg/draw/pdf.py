"""A scene as a PDF file of one page, as large as the picture: vectors, and text that can be searched and copied.

The same scene gives the same bytes: no date, no compression. Its fonts are in the file (`netcfg.draw.pdf_fonts`), and
every text is set to the length that was measured for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby

from netcfg.draw.pdf_fonts import (
    ASCENT,
    BOLD_LETTERS,
    CAPITALS,
    DESCENT,
    LETTERS,
    SYMBOLS,
    Glyph,
    embedded,
    glyph,
    glyph_name,
)
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
    part_way,
    shaft,
)

POINTS = 0.75
"""Points (1/72 inch) per scene unit, so that a picture is as large as on a screen of 96 pixels per inch."""
MAX_SIDE = 14_400.0
"""The longest side a page may have, in points; a larger picture is scaled down to it."""
FIRST_FONT = 5
"""The number of the object of the letters; those of the symbols, what is known of both, and the file follow."""
BOLD_LINE = 0.044
"""Width of the line around bold letters, in ems."""
_CAPITALS = str.maketrans("0123456789", "GHIJKLMNOP")
"""A subset of a font goes by six letters."""
_CIRCLE = 0.5523
"""How far the control points of a quarter circle stand out, in radii."""


def write_pdf(scene: Scene) -> bytes:
    """The whole document."""
    scale = min(POINTS, MAX_SIDE / max(scene.width, scene.height))
    page = f"0 0 {decimal(scene.width * scale)} {decimal(scene.height * scale)}"
    content = "\n".join(_content(scene, scale)).encode("latin-1")
    glyphs = [glyph(character, text.bold) for text in _texts(scene.shapes) for character in text.text]
    names = " ".join(
        f"/{key} {FIRST_FONT + place} 0 R" for key, place in ((LETTERS, 0), (BOLD_LETTERS, 0), (SYMBOLS, 1))
    )
    objects: list[str | bytes] = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{page}] /Resources << /Font << {names} >> >> /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        *_fonts(glyphs),
        f"<< /Title {_unicode(scene.title)} /Producer (netcfg) >>",
    ]
    return _file([body if isinstance(body, bytes) else body.encode("latin-1") for body in objects])


def _texts(shapes: Iterable[Shape]) -> Iterator[Text]:
    for shape in shapes:
        if isinstance(shape, Group):
            yield from _texts(shape.shapes)
        elif isinstance(shape, Text):
            yield shape


def _fonts(glyphs: Sequence[Glyph]) -> Iterator[str | bytes]:
    """The objects of the letters, which are also the bold ones, of the symbols, and of what both are drawn with."""
    font = embedded(one.shown for one in glyphs)
    name = f"{sha256(font).hexdigest()[:6].translate(_CAPITALS).upper()}+Aileron-Regular"
    head = f"<< /Type /Font /Subtype /TrueType /BaseFont /{name} /FontDescriptor {FIRST_FONT + 2} 0 R"
    for symbols in (False, True):
        own = {one.code: one for one in glyphs if (one.font == SYMBOLS) == symbols}
        widths = " ".join(str(own[code].advance if code in own else 0) for code in range(256))
        rows = " ".join(f"{code} /{glyph_name(own[code].shown)}" for code in sorted(own)) if symbols else ""
        base = "/BaseEncoding /WinAnsiEncoding"
        encoding = f"<< /Type /Encoding {base} /Differences [{rows}] >>" if rows else "/WinAnsiEncoding"
        yield f"{head} /FirstChar 0 /LastChar 255 /Widths [{widths}] /Encoding {encoding} >>"
    yield (
        f"<< /Type /FontDescriptor /FontName /{name} /Flags 32 /FontBBox [-200 {DESCENT} 1200 {ASCENT}] /ItalicAngle 0"
        f" /Ascent {ASCENT} /Descent {DESCENT} /CapHeight {CAPITALS} /StemV 80 /FontFile2 {FIRST_FONT + 3} 0 R >>"
    )
    yield b"<< /Length %d /Length1 %d >>\nstream\n%b\nendstream" % (len(font), len(font), font)


def _file(objects: Sequence[bytes]) -> bytes:
    """The objects, numbered from 1, and the table that says where each begins. The last one is the information."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % start for start in starts)
    trailer = b"<< /Size %d /Root 1 0 R /Info %d 0 R >>" % (len(objects) + 1, len(objects))
    return bytes(out + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, table))


def _content(scene: Scene, scale: float) -> Iterator[str]:
    """The page's operators, in scene units with y downwards."""
    yield f"{scale:.6f} 0 0 {-scale:.6f} 0 {decimal(scene.height * scale)} cm"
    yield f"{_colour(scene.background)} rg 0 0 {decimal(scene.width)} {decimal(scene.height)} re f"
    for shape in scene.shapes:
        yield from _operators(shape)


def _operators(shape: Shape) -> Iterator[str]:
    match shape:
        case Group():
            for part in shape.shapes:
                yield from _operators(part)
        case Rect():
            yield _rect(shape)
        case Path():
            yield from _path(shape)
        case Polygon():
            yield _polygon(shape)
        case Dot():
            yield _dot(shape)
        case Text() if shape.text:
            yield _text(shape)


def _rect(rect: Rect) -> str:
    paint = f"{_colour(rect.fill)} rg"
    if rect.stroke:
        paint += f" {_colour(rect.stroke)} RG {decimal(rect.stroke_width)} w"
    radius = min(rect.radius, rect.width / 2, rect.height / 2)
    lower = 0.0 if rect.top_only else radius
    box = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
    return f"{paint} {_outline(box, radius, lower)} h {'B' if rect.stroke else 'f'}"


def _outline(box: tuple[float, float, float, float], upper: float, lower: float) -> str:
    """A rectangle with round corners, clockwise from the left end of its upper edge."""
    left, top, right, bottom = box
    return " ".join(
        [
            f"{_pair((left + upper, top))} m {_pair((right - upper, top))} l",
            *_quarter((right - upper, top), (right, top), (right, top + upper)),
            f"{_pair((right, bottom - lower))} l",
            *_quarter((right, bottom - lower), (right, bottom), (right - lower, bottom)),
            f"{_pair((left + lower, bottom))} l",
            *_quarter((left + lower, bottom), (left, bottom), (left, bottom - lower)),
            f"{_pair((left, top + upper))} l",
            *_quarter((left, top + upper), (left, top), (left + upper, top)),
        ]
    )


def _quarter(begin: Point, at: Point, end: Point) -> Iterator[str]:
    """A quarter circle around the corner `at`; nothing where there is no rounding."""
    if begin != end:
        yield _curve(part_way(begin, at, _CIRCLE), part_way(end, at, _CIRCLE), end)


def _polygon(polygon: Polygon) -> str:
    paint = f"{_colour(polygon.fill)} rg"
    if polygon.stroke:
        paint += f" {_colour(polygon.stroke)} RG {decimal(polygon.stroke_width)} w 1 j"
    first, *others = map(_pair, polygon.points)
    way = " ".join(f"{point} l" for point in others)
    return f"{paint} {first} m {way} h {'B' if polygon.stroke else 'f'}"


def _path(path: Path) -> Iterator[str]:
    points = shaft(path)
    steps = [f"{_colour(path.stroke)} RG {decimal(path.stroke_width)} w {_pair(points[0])} m"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = corner(before, at, after, path.radius)
        steps.append(f"{_pair(begin)} l")
        steps.append(_curve(part_way(begin, at, 2 / 3), part_way(end, at, 2 / 3), end))
    yield " ".join([*steps, f"{_pair(points[-1])} l S"])
    if path.arrow:
        tip, one, other = map(_pair, arrow_head(path))
        yield f"{_colour(path.stroke)} rg {tip} m {one} l {other} l h f"


def _dot(dot: Dot) -> str:
    box = dot.x - dot.radius, dot.y - dot.radius, dot.x + dot.radius, dot.y + dot.radius
    return f"{_colour(dot.fill)} rg {_outline(box, dot.radius, dot.radius)} h f"


def _text(text: Text) -> str:
    """The text at its measured length. Where a character has to be replaced, copying still gives the right one."""
    glyphs = [glyph(character, text.bold) for character in text.text]
    natural = sum(one.advance for one in glyphs) * text.size / 1000
    stretch = 100 * text.width / natural if natural else 100.0
    place = f"BT {_colour(text.fill)} rg {decimal(stretch)} Tz 1 0 0 -1 {_pair((text.left, text.y))} Tm"
    # Bold letters are the others with a line around them, as in pictures of pixels.
    line = f"{_colour(text.fill)} RG {decimal(BOLD_LINE * text.size)} w 2 Tr " if text.bold else ""
    shown = f"{place} {line}{' '.join(_runs(glyphs, text.size))}{' 0 Tr' if line else ''} ET"
    if all(one.faithful for one in glyphs):
        return shown
    return f"/Span << /ActualText {_unicode(text.text)} >> BDC {shown} EMC"


def _runs(glyphs: Iterable[Glyph], size: float) -> Iterator[str]:
    for font, run in groupby(glyphs, key=lambda one: one.font):
        yield f"/{font} {decimal(size)} Tf {_string(bytes(one.code for one in run))} Tj"


# --- how things are written -----------------------------------------------------------------------------------


def _string(codes: bytes) -> str:
    """`(text)`; what is no plain ASCII as octal numbers."""
    return f"({''.join(map(_literal, codes))})"


def _literal(code: int) -> str:
    if code in b"()\\":
        return f"\\{chr(code)}"
    return chr(code) if 32 <= code < 127 else f"\\{code:03o}"


def _unicode(text: str) -> str:
    """A text outside the page, as UTF-16."""
    return f"<FEFF{text.encode('utf-16-be', 'replace').hex().upper()}>"


def _colour(colour: str) -> str:
    """Three numbers from 0 to 1."""
    return " ".join(f"{int(colour[place : place + 2], 16) / 255:.3g}" for place in (1, 3, 5))


def _curve(one: Point, other: Point, end: Point) -> str:
    return f"{_pair(one)} {_pair(other)} {_pair(end)} c"


def _pair(point: Point) -> str:
    return f"{decimal(point[0])} {decimal(point[1])}"
