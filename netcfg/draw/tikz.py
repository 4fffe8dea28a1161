"""A scene as TikZ: a document of its own, or the bare `tikzpicture` to put into one.

Coordinates are those of the scene. Needs the package `tikz` only; texts take the document's sans serif font, each
drawn to the width that was measured for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

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
from netcfg.source import NetcfgError

_HEAD: Final = r"""\documentclass[tikz]{standalone}
\usepackage{tikz}
\begin{document}
"""
_TAIL: Final = r"""\end{document}
"""
_MACROS: Final = r"""  % width, size, weight and text of a text; a character that pdfTeX has no letter for
  \def\netcfgtext#1#2#3#4{\resizebox{#1}{\height}{\fontsize{#2}{#2}\sffamily#3\selectfont#4}}
  \def\netcfgletter#1{\ifdefined\Umathchar#1\else?\fi}
"""
_FAMILIES: Final = {"serif": r"\rmfamily", "sans-serif": r"\sffamily", "monospace": r"\ttfamily"}
_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\^{}", "~": r"$\sim$", "<": "$<$", ">": "$>$", "|": "$|$", '"': r"{\char34}", "`": r"{\char96}",
    "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "–": "--", "—": "---", "…": r"\dots{}", "≤": r"$\leq$",
    "≥": r"$\geq$", "→": r"$\rightarrow$", "←": r"$\leftarrow$", "∇": r"$\nabla$", "∞": r"$\infty$", "≈": r"$\approx$",
    "±": r"$\pm$", "°": r"$^\circ$", "µ": r"$\mu$", "²": "$^2$", "³": "$^3$", "ß": r"{\ss}", "½": r"$\frac12$",
    "‘": "`", "’": "'", "“": "``", "”": "''", "\u00a0": "~", "-": "{-}", "'": "{'}", "?": "{?}", "!": "{!}",
}  # fmt: skip
# Hyphens, quotes, `?` and `!` stand in braces because TeX makes ligatures of them.
_GREEK: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "η": "eta", "θ": "theta", "κ": "kappa",
    "λ": "lambda", "μ": "mu", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi", "ω": "omega",
    "Δ": "Delta", "Σ": "Sigma",
}  # fmt: skip
_ACCENTS: Final = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0308": '"', "\u030a": "r",
    "\u030c": "v", "\u0327": "c",
}  # fmt: skip


def write_tikz(scene: Scene, document: bool = True) -> str:
    """The whole text; without `document` the bare `tikzpicture`."""
    colours: dict[str, str] = {}
    drawn = [f"  {line}" for line in _lines(scene, colours)]
    definitions = [f"  \\definecolor{{{name}}}{{HTML}}{{{code}}}" for code, name in colours.items()]
    begin = r"\begin{tikzpicture}[x=0.75bp, y=-0.75bp]"
    rows = [begin, _macros(scene.font), *definitions, *drawn, r"\end{tikzpicture}"]
    picture = "\n".join(rows) + "\n"
    return _HEAD + picture + _TAIL if document else picture


def _macros(font: str) -> str:
    """The macros, with the letters of the document that are asked for. Raises `NetcfgError` for a font by its name."""
    if font and font not in _FAMILIES:
        raise NetcfgError(
            f"--font: TeX has the document's own letters, {', '.join(_FAMILIES)}, and not `{font}`\n"
            "help: one of these, or .svg",
            code="NC801",
        )
    return _MACROS.rstrip("\n").replace(r"\sffamily", _FAMILIES[font or "sans-serif"])


def _lines(scene: Scene, colours: dict[str, str]) -> Iterator[str]:
    pen = _Pen(colours)
    yield f"\\fill[{pen.colour(scene.background)}] (0,0) rectangle {_pair((scene.width, scene.height))};"
    for shape in scene.shapes:
        yield from pen.draw(shape)


class _Pen:
    """Writes shapes, and collects the colours they need under short names."""

    def __init__(self, colours: dict[str, str]) -> None:
        self.colours = colours

    def colour(self, colour: str) -> str:
        return self.colours.setdefault(colour[1:].upper(), f"netcfg{len(self.colours)}")

    def draw(self, shape: Shape) -> Iterator[str]:
        match shape:
            case Group():
                for part in shape.shapes:
                    yield from self.draw(part)
            case Rect():
                yield self.rect(shape)
            case Path():
                yield from self.path(shape)
            case Polygon():
                yield self.polygon(shape)
            case Dot():
                yield self.dot(shape)
            case Text() if shape.text.strip():
                yield self.text(shape)

    def rect(self, rect: Rect) -> str:
        options = [f"fill={self.colour(rect.fill)}"]
        if rect.stroke:
            options += [f"draw={self.colour(rect.stroke)}", f"line width={_length(rect.stroke_width)}"]
        radius = min(rect.radius, rect.width / 2, rect.height / 2)
        return f"\\path[{', '.join(options)}] {_outline(rect, radius)};"

    def path(self, path: Path) -> Iterator[str]:
        options = f"{self.colour(path.stroke)}, line width={_length(path.stroke_width)}"
        yield f"\\draw[{options}] {''.join(_steps(path))};"
        if path.arrow:
            corners = " -- ".join(map(_pair, arrow_head(path)))
            yield f"\\fill[{self.colour(path.stroke)}] {corners} -- cycle;"

    def polygon(self, polygon: Polygon) -> str:
        options = [f"fill={self.colour(polygon.fill)}"]
        if polygon.stroke:
            width = _length(polygon.stroke_width)
            options += [f"draw={self.colour(polygon.stroke)}", f"line width={width}", "line join=round"]
        return f"\\path[{', '.join(options)}] {' -- '.join(map(_pair, polygon.points))} -- cycle;"

    def dot(self, dot: Dot) -> str:
        place = f"{_pair((dot.x, dot.y))} circle[radius={_length(dot.radius)}]"
        return f"\\fill[{self.colour(dot.fill)}] {place};"

    def text(self, text: Text) -> str:
        weight = r"\bfseries" if text.bold else ""
        shown = (
            f"\\netcfgtext{{{_length(text.width)}}}{{{_length(text.size)}}}{{{weight}}}{{{tex(text.text)}}}"
        )
        place = _pair((text.left, text.y))
        return f"\\node[anchor=base west, inner sep=0pt, {self.colour(text.fill)}] at {place} {{{shown}}};"


def _steps(path: Path) -> Iterator[str]:
    """A line with its rounded corners."""
    points = shaft(path)
    yield _pair(points[0])
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = corner(before, at, after, path.radius)
        one, other = part_way(begin, at, 2 / 3), part_way(end, at, 2 / 3)
        yield f" -- {_pair(begin)} .. controls {_pair(one)} and {_pair(other)} .. {_pair(end)}"
    yield f" -- {_pair(points[-1])}"


def _outline(rect: Rect, radius: float) -> str:
    """A rectangle; where only its upper corners are round, from the lower left one up and around."""
    left, top, right, bottom = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
    if rect.top_only:
        corners = [(left, bottom), (left, top), (right, top), (right, bottom)]
        first, *upper, last = map(_pair, corners)
        return f"{first} {{[rounded corners={_length(radius)}] -- {' -- '.join(upper)}}} -- {last} -- cycle"
    rounded = f"[rounded corners={_length(radius)}] " if radius else ""
    return f"{rounded}{_pair((left, top))} rectangle {_pair((right, bottom))}"


@lru_cache(4096)
def _letter(character: str) -> str:
    """One character of plain text, as TeX reads it in text mode."""
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character in _GREEK:
        return f"$\\{_GREEK[character]}$"
    if " " <= character <= "~":
        return character
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    if not character.isprintable():
        return "{?}"
    return f"\\netcfgletter{{{character}}}"


def tex(text: str) -> str:
    """A text as TeX reads it: special characters escaped, spaces kept."""
    return "".join(map(_letter, text)).replace("  ", r" \ ")


def _length(value: float) -> str:
    """A length of the scene in TeX's units."""
    return f"{decimal(value * 0.75)}bp"


def _pair(point: Point) -> str:
    return f"({decimal(point[0])},{decimal(point[1])})"
