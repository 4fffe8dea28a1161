"""The parts of a head as strokes: neck, hair, ears, skin, eyes, brows, nose, mouth and glasses.

Shapes: `points` are the 68 landmarks in face units, after the action units have moved them; `lines` are the
smooth lines through them (see `geometry.trace`). Parts that do not move with the face are sketched once.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.geometry import Points, curve, mirrored, spline
from netcfg.datasets.faces.identity import Colour, Identity
from netcfg.datasets.faces.sketch import Sketch

_DARK: Colour = (44.0, 26.0, 24.0)
_TURN = np.linspace(0, 2 * np.pi, 17)[:-1]
_CIRCLE = np.stack([np.cos(_TURN), np.sin(_TURN)], -1).astype(np.float32)


def _row(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


_UNDER_NOSE = _row(0.0, 0.012)
_NOSTRIL = _row(0.0, -0.016)
_CHIN_SHADOW = (_row(0.80, 1.0), _row(0.0, 0.16))


def draw_body(sketch: Sketch, points: Points, identity: Identity) -> None:
    """Hair behind the head, neck, the chin's shadow on it, clothes and ears."""
    sketch.extend(_behind(identity))
    stretch, drop = _CHIN_SHADOW
    sketch.area(points[2:15] * stretch + drop, tone(identity.skin, 0.56), -0.40)
    sketch.extend(_shoulders(identity))


@lru_cache(maxsize=128)
def _behind(identity: Identity) -> Sketch:
    sketch = Sketch()
    if identity.hair_style in ("long", "fringe"):
        low = 1.75 if identity.hair_style == "long" else 1.0
        back = _both_sides(
            [(0.0, -1.4), (0.8, -1.2), (1.18, -0.6), (1.27, 0.2), (1.28, 0.7 * low), (1.12, low)]
        )
        sketch.area(back, tone(identity.hair, 0.62), -0.6)
    if identity.hair_style == "tied":
        sketch.area(_ellipse((0.0, -1.50), (0.34, 0.24)), tone(identity.hair, 0.8), -0.5)
    width = 0.62 * identity.jaw_width
    neck = _both_sides(
        [(0.0, 0.6), (width, 0.6), (width * 0.98, 1.45), (width * 1.25, 1.75), (width * 1.4, 2.2)]
    )
    sketch.area(neck, tone(identity.skin, 0.80), -0.45)
    return sketch


@lru_cache(maxsize=128)
def _shoulders(identity: Identity) -> Sketch:
    sketch = Sketch()
    width = 0.62 * identity.jaw_width
    collar = _both_sides(
        [(0.0, 1.95), (width * 0.9, 1.72), (width * 1.15, 1.55), (1.1, 1.68), (2.2, 1.95), (2.2, 3.0)]
    )
    sketch.area(collar, identity.clothes, -0.45)
    for sign in (-1.0, 1.0):
        centre = (sign * 1.01 * identity.face_width, 0.10)
        sketch.area(_ellipse(centre, (0.125, 0.25)), tone(identity.skin, 0.86), -0.20)
        sketch.line(_ellipse(centre, (0.065, 0.16)), tone(identity.skin, 0.64), 0.03, closed=True, lift=-0.20)
    return sketch


def draw_nose(sketch: Sketch, points: Points, lines: dict[str, Points], identity: Identity) -> None:
    """Nostrils and the lower edge of the nose."""
    sketch.line(lines["nose"] + _UNDER_NOSE, tone(identity.skin, 0.72), 0.022)
    for inner, wing in ((32, 31), (34, 35)):
        centre = 0.62 * points[inner] + 0.38 * points[wing] + _NOSTRIL
        sketch.area(_CIRCLE * _row(0.046, 0.021) + centre, tone(identity.skin, 0.34))


def draw_mouth(
    sketch: Sketch, points: Points, lines: dict[str, Points], rest: Points, identity: Identity
) -> None:
    """Lips, and between them teeth and tongue; the upper teeth stay where they are in the face at `rest`."""
    above, below = lines["mouth above"], lines["mouth below"]
    sketch.area(np.concatenate([lines["upper lip"], above[::-1]]), tone(identity.lips, 0.90))
    sketch.area(np.concatenate([lines["lower lip"], below[::-1]]), identity.lips)
    if points[66, 1] - points[62, 1] > 0.012:
        sketch.area(np.concatenate([above, below]), (58.0, 20.0, 22.0))
        if points[8, 1] - rest[8, 1] > 0.06:
            tongue = _CIRCLE * _row(0.20, 0.09) + points[66] + _row(0.0, 0.015)
            sketch.area(_between(tongue, above, below), (178.0, 84.0, 84.0))
        _draw_teeth(sketch, above, below, float(rest[62, 1]))
        sketch.line(below, tone(identity.lips, 0.66), 0.014)
    sketch.line(np.concatenate([points[48:49], above, points[54:55]]), tone(identity.lips, 0.40), 0.022)


def _draw_teeth(sketch: Sketch, above: Points, below: Points, bite: float) -> None:
    edge, top = _upper_teeth()
    place = _row(0.0, bite)
    teeth = _between(np.concatenate([edge, top]) + place, above, below)
    sketch.area(teeth, (232.0, 226.0, 214.0))
    bottom, gums = teeth[1:8], teeth[16:9:-1]
    sketch.lines(np.stack([bottom, gums + 0.25 * (bottom - gums)], 1), (196.0, 184.0, 172.0), 0.008)


@lru_cache(maxsize=1)
def _upper_teeth() -> tuple[Points, Points]:
    """Lower edge of the upper teeth from left to right and their gums back to the left, around the bite."""
    x = np.linspace(-0.27, 0.27, 9)
    edge = np.stack([x, 0.05 - 0.6 * x * x], -1).astype(np.float32)
    return edge, (edge[::-1] * _row(1.0, 0.0) + _row(0.0, -0.25)).astype(np.float32)


def _between(points: Points, above: Points, below: Points) -> Points:
    """Points moved up or down to lie between two lines, of which the first runs right and the second left."""
    x, y = points[:, 0], points[:, 1]
    highest = np.interp(x, above[:, 0], above[:, 1])
    lowest = np.interp(x, below[::-1, 0], below[::-1, 1])
    x = x.clip(above[0, 0], above[-1, 0])
    return np.stack([x, np.minimum(np.maximum(y, highest), lowest)], -1).astype(np.float32)


def draw_eyes(
    sketch: Sketch,
    points: Points,
    lines: dict[str, Points],
    identity: Identity,
    gaze: tuple[float, float],
    drop: float,
) -> None:
    """Eyeballs, lids and lashes; `drop` in -1..1 says how far the fold of the upper lid is lowered."""
    for side, outward, corners in (("left", -1.0, (36, 39)), ("right", 1.0, (42, 45))):
        above, below = lines[f"{side} eye above"], lines[f"{side} eye below"]
        middle = 0.5 * (points[corners[0]] + points[corners[1]])
        _draw_eyeball(sketch, above, below, middle, identity, gaze)
        fold = above + _ARCH * _row(0.02 * outward, 0.03 * drop - 0.062)
        sketch.line(fold.astype(np.float32), tone(identity.skin, 0.60), 0.018)
        sketch.line(below, tone(identity.skin, 0.66), 0.016)
        sketch.line(above, _DARK, 0.020 + 0.018 * identity.lashes)


# The lid's fold over the 10 points of the lid.
_ARCH = np.sin(np.linspace(0.15, 2.9, 10, dtype=np.float32))[:, None]


def _draw_eyeball(
    sketch: Sketch,
    above: Points,
    below: Points,
    middle: Points,
    identity: Identity,
    gaze: tuple[float, float],
) -> None:
    sketch.area(np.concatenate([above, below]), (234.0, 228.0, 224.0))
    centre = middle + _row(0.075 * gaze[0], 0.03 * gaze[1] - 0.005)
    discs = _between(_discs() * np.float32(identity.eye_size) + centre, above, below).reshape(4, -1, 2)
    sketch.area(discs[0], tone(identity.iris, 0.62))
    sketch.area(discs[1], identity.iris)
    sketch.area(discs[2], (12.0, 10.0, 10.0))
    sketch.line(above + _row(0.0, 0.014), (138.0, 114.0, 108.0), 0.026)
    sketch.area(discs[3], (250.0, 250.0, 250.0))


@lru_cache(maxsize=1)
def _discs() -> Points:
    """Rim, iris, pupil and the lamp's reflection around the eye's centre: (4 x 24, 2)."""
    turn = np.linspace(0, 2 * np.pi, 25)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    discs = [circle * radius for radius in (0.094, 0.077, 0.040)]
    return np.concatenate([*discs, circle * 0.02 + np.array([-0.03, -0.035])]).astype(np.float32)


def draw_brows(sketch: Sketch, lines: dict[str, Points], identity: Identity) -> None:
    """Brows as bands with single hairs."""
    half, first, last = _brow_thickness(identity)
    for side in ("left", "right"):
        upper, lower = lines[f"{side} brow"] - half, lines[f"{side} brow"] + half
        sketch.area(np.concatenate([upper, lower[::-1]]), blend(identity.skin, identity.brows, 0.80))
        sketch.lines(np.stack([lower[first], upper[last]], 1), tone(identity.brows, 0.9), 0.010)


@lru_cache(maxsize=128)
def _brow_thickness(identity: Identity) -> tuple[Points, NDArray[np.intp], NDArray[np.intp]]:
    """Half the thickness along the brow (13, 2), and where hairs start below and end above."""
    thickness = np.array([0.042, 0.050, 0.046, 0.034, 0.008]) * identity.brow_thickness
    half = spline(5, 3) @ np.stack([np.zeros(5), thickness], -1).astype(np.float32)
    first = np.arange(len(half) - 3)
    return half, first, first + 3


@lru_cache(maxsize=128)
def worn(identity: Identity) -> Sketch:
    """What does not move with the face: hair in front of the head, and glasses."""
    sketch = Sketch()
    if identity.hair_style != "bald":
        _draw_hair(sketch, identity)
    if identity.glasses != "none":
        _draw_glasses(sketch, identity)
    return sketch


@lru_cache(maxsize=128)
def hair_in_front(identity: Identity) -> Sketch:
    """The hair that lies before the head, without glasses."""
    sketch = Sketch()
    if identity.hair_style != "bald":
        _draw_hair(sketch, identity)
    return sketch


def brow_half(identity: Identity) -> Points:
    """Half the thickness of a brow along it."""
    return _brow_thickness(identity)[0]


def _draw_hair(sketch: Sketch, identity: Identity) -> None:
    inner, outer = _hair_edges(identity)
    sketch.area(np.concatenate([outer, inner[::-1]]), tone(identity.hair, 0.84), -0.05)
    rng = np.random.Generator(np.random.Philox(identity.texture_seed + 1))
    combed = identity.hair_style in ("long", "fringe")
    for brightness, count, nearest, farthest in (
        (0.66, 30, 0.45, 1.0),
        (0.84, 24, -0.05, 0.9),
        (1.02, 36, 0.1, 0.8),
    ):
        strands = [_strand(rng, inner, outer, nearest, farthest, combed) for _ in range(count)]
        sketch.lines(np.stack(strands), tone(identity.hair, brightness), 0.012, lift=-0.05)


def _strand(
    rng: np.random.Generator, inner: Points, outer: Points, nearest: float, farthest: float, combed: bool
) -> Points:
    """A line in the hair: combed along the hairline, or from near the hairline outwards; (4, 2)."""
    last = len(inner) - 1
    start, low = rng.uniform(0.0, last), rng.uniform(nearest, farthest - 0.35)
    turn, reach = rng.normal(0.0, 0.8), rng.uniform(0.3, 0.5)
    if combed:
        turn, low, reach = 9.0 * reach, rng.uniform(0.06, 0.94), rng.normal(0.0, 0.05)
    position = np.clip(np.linspace(start, start + turn, 4), 0, last)
    depth = np.linspace(low, low + reach, 4)[:, None]
    places = [np.stack([np.interp(position, np.arange(last + 1), line[:, i]) for i in (0, 1)], -1)
              for line in (inner, outer)]  # fmt: skip
    return np.asarray(places[0] + (places[1] - places[0]) * depth, np.float32)


def _hair_edges(identity: Identity) -> tuple[Points, Points]:
    """Hairline and outer edge of the hair, both from the left of the image to the right: (n, 2) each."""
    inner, outer = _INNER[identity.hair_style], _OUTER[identity.hair_style]
    edges = []
    for half in (inner, outer):
        right = np.array(half, np.float32) * _row(identity.face_width, 1.0)
        edges.append(curve(np.concatenate([mirrored(right)[:0:-1], right]), 4))
    inner_edge, outer_edge = edges
    above = np.clip(-inner_edge[:, 1] - 0.2, 0.0, 1.0)
    inner_edge[:, 1] += identity.hairline * above
    if identity.hair_style in ("long", "short", "fringe"):
        inner_edge[:, 1] -= 0.13 * np.exp(-(((inner_edge[:, 0] - identity.parting) / 0.22) ** 2)) * above
    if identity.hair_style == "curly":
        outer_edge *= (1.0 + 0.03 * np.sin(np.arange(len(outer_edge)) * 2.1))[:, None].astype(np.float32)
    return inner_edge, outer_edge


# Right halves of hairline and outer edge, from the middle of the forehead outwards.
_INNER: dict[str, list[tuple[float, float]]] = {
    "short": [
        (0.0, -0.86),
        (0.36, -0.92),
        (0.62, -0.86),
        (0.79, -0.64),
        (0.86, -0.46),
        (0.93, -0.25),
        (1.0, 0.0),
    ],
    "curly": [(0.0, -0.90), (0.35, -0.90), (0.66, -0.78), (0.84, -0.52), (0.94, -0.20), (1.02, 0.10)],
    "tied": [(0.0, -0.93), (0.40, -0.90), (0.72, -0.74), (0.88, -0.48), (0.95, -0.2), (1.02, -0.05)],
    "long": [(0.0, -0.96), (0.42, -0.84), (0.78, -0.50), (0.93, -0.05), (0.98, 0.6), (0.90, 1.7)],
    "fringe": [(0.0, -0.55), (0.40, -0.53), (0.72, -0.45), (0.90, -0.15), (0.97, 0.4), (0.92, 1.0)],
}
_OUTER: dict[str, list[tuple[float, float]]] = {
    "short": [
        (0.0, -1.50),
        (0.42, -1.44),
        (0.76, -1.22),
        (0.97, -0.92),
        (1.06, -0.60),
        (1.07, -0.30),
        (1.04, 0.0),
    ],
    "curly": [(0.0, -1.62), (0.55, -1.52), (0.95, -1.22), (1.20, -0.78), (1.24, -0.30), (1.12, 0.12)],
    "tied": [(0.0, -1.42), (0.43, -1.34), (0.77, -1.10), (0.99, -0.73), (1.05, -0.35), (1.03, -0.05)],
    "long": [(0.0, -1.52), (0.50, -1.44), (0.92, -1.12), (1.15, -0.60), (1.25, 0.4), (1.20, 1.7)],
    "fringe": [(0.0, -1.53), (0.50, -1.45), (0.90, -1.14), (1.12, -0.60), (1.22, 0.3), (1.14, 1.0)],
}


def _draw_glasses(sketch: Sketch, identity: Identity) -> None:
    """Frames in front of the eyes, with arms to the ears."""
    width = 0.018 if identity.glasses == "rimless" else 0.042
    eye = 0.43 + identity.eye_spacing
    lenses = np.stack([_lens(identity.glasses, sign * (eye + 0.02)) for sign in (-1.0, 1.0)])
    sketch.lines(lenses, identity.glasses_colour, width, closed=True, lift=0.10)
    bridge = curve(np.array([(-0.15, 0.0), (0.0, -0.045), (0.15, 0.0)], np.float32), 3)
    sketch.line(bridge, identity.glasses_colour, width, lift=0.10)
    arm = np.array([(eye + 0.31, -0.04), (1.02, -0.06)], np.float32)
    sketch.lines(np.stack([arm, mirrored(arm)]), identity.glasses_colour, width, lift=0.06)


def _lens(kind: str, centre: float) -> Points:
    if kind == "round":
        return _ellipse((centre, 0.02), (0.275, 0.255))
    square = np.sign(_CIRCLE) * np.abs(_CIRCLE) ** 0.45
    return np.asarray(square * _row(0.29, 0.205) + _row(centre, 0.025), np.float32)


def tone(colour: Colour, brightness: float) -> Colour:
    """A darker or lighter colour."""
    return tuple(min(255.0, channel * brightness) for channel in colour)  # type: ignore[return-value]


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def _ellipse(centre: tuple[float, float], axes: tuple[float, float]) -> Points:
    return np.asarray(_CIRCLE * np.array(axes, np.float32) + np.array(centre, np.float32), np.float32)


def _both_sides(half: list[tuple[float, float]]) -> Points:
    right = np.array(half, np.float32)
    return curve(np.concatenate([mirrored(right)[:0:-1], right]), 3)
