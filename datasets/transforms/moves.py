"""How samples are moved: a way says for a picture's size where each pixel comes from, and all fields follow.

Legend: H height, W width, C channels, T frames. Coordinates are (x, y) in pixels, whole numbers at pixel centres, so
that a picture's edges lie at -0.5 and W - 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log, radians, tan
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Sample
from netcfg.source import NetcfgError

Size = tuple[int, int]
Window = tuple[int, int, int, int]
"""First row, first column, height, width."""
Matrix: TypeAlias = "NDArray[np.float64]"
Array: TypeAlias = "NDArray[Any]"

NO_MOTION = (127, 127, 0)
_ROUNDS = 30  # of finding where a pixel goes, of which only is known where it comes from


@dataclass(frozen=True, eq=False)
class Move:
    """Where the pixels of a picture of `size` come from; exactly one of the three says it.

    `window` is a part of the picture, also beyond its edges, scaled to the size; `back` a 3×3 matrix from new pixels to
    old ones; `shift` H×W×2 what is added to a new pixel's place to find its old one.
    """

    size: Size
    window: Window | None = None
    back: Matrix | None = None
    shift: NDArray[np.float32] | None = None


class Way(Protocol):
    """Draws how pictures of a size (height, width) move; None leaves them as they are."""

    def __call__(self, size: Size, random: np.random.Generator) -> Move | None: ...


@dataclass(frozen=True)
class MoveSample:
    """Move all fields of a sample by one draw; `size` is that of their pictures where it is known beforehand."""

    told: str
    way: Way
    pictures: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    size: Size = (0, 0)
    between: str = "auto"
    border: str = "constant"
    fill: int = 0
    mask_fills: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample, moved or as it was."""
        if not any(name in sample for name in self.names):
            return sample
        try:
            move = self.way(self.size_in(sample), random)
        except ValueError as error:
            raise NetcfgError(f"{self.told} {error}", code="NC502") from None
        if move is None:
            return sample
        changed: Sample = {}
        for names, moved in (
            (self.pictures, lambda array: self._picture(array, move)),
            (self.flows, lambda array: self._flow(array, move)),
            (self.maps, lambda array: self._map(array, move)),
            (self.points, lambda array: moved_points(array, move)),
        ):
            changed |= {name: moved(sample[name]) for name in names if name in sample}
        for name in self.masks:
            if name in sample:
                changed[name] = self._mask(sample[name], move, self.mask_fills.get(name, 0))
        return sample | changed

    @property
    def names(self) -> tuple[str, ...]:
        """All fields that it moves."""
        return (*self.pictures, *self.flows, *self.masks, *self.maps, *self.points)

    def size_in(self, sample: Sample) -> Size:
        """Height and width of a sample's pictures."""
        return size_in(sample, (*self.pictures, *self.flows), (*self.masks, *self.maps), self.size)

    def _map(self, maps: Array, move: Move) -> Array:
        """Numbers for each pixel, ...×C×H×W, 0 where they come in from outside."""
        if maps.ndim > 2:
            return np.stack([self._map(one, move) for one in maps])
        between = "linear" if self.between == "auto" and move.window is None else self.between
        return moved_picture(maps[..., None], move, between, self.border, (0,))[..., 0].astype(maps.dtype)

    def _picture(self, picture: Array, move: Move) -> Array:
        if picture.ndim == 4:
            return np.stack([self._picture(frame, move) for frame in picture])
        return moved_picture(picture, move, self.between, self.border, (self.fill,) * picture.shape[-1])

    def _mask(self, mask: Array, move: Move, fill: int) -> Array:
        if mask.ndim == 3:
            return np.stack([self._mask(frame, move, fill) for frame in mask])
        # OpenCV moves bytes and floats; a class is a whole number, and exact in either.
        values = mask if mask.dtype == np.uint8 else mask.astype(np.float64)
        found = moved_picture(values[..., None], move, "nearest", self.border, (fill,))
        return found[..., 0].astype(mask.dtype)

    def _flow(self, flow: Array, move: Move) -> Array:
        if flow.ndim == 4:
            return np.stack([self._flow(frame, move) for frame in flow])
        return turned_flow(moved_picture(flow, move, self.between, self.border, NO_MOTION), move)


def size_in(sample: Sample, pictures: tuple[str, ...], masks: tuple[str, ...], known: Size) -> Size:
    """Height and width of a sample's pictures (else of its masks or maps): as they are, else as they are known to be.

    Raises `NetcfgError` where only landmarks are there, of pictures of which only each tells its size.
    """
    for name in pictures:
        if name in sample:
            height, width = sample[name].shape[-3:-1]
            return height, width
    for name in masks:
        if name in sample:
            height, width = sample[name].shape[-2:]
            return height, width
    if 0 in known:
        raise NetcfgError(
            "landmarks cannot be moved in pictures whose sizes differ where nobody takes the pictures themselves\n"
            "help: bring them to one size with [resize] first",
            code="NC502",
        )
    return known


# --- fields ---------------------------------------------------------------------------------------------------


def moved_picture(
    picture: Array, move: Move, between: str, border: str, fill: tuple[int, ...]
) -> NDArray[Any]:
    """A picture H×W×C after a move."""
    if move.window is not None:
        cut = cut_window(picture, move.window, border, fill)
        return cut if cut.shape[:2] == move.size else resized(cut, move.size, between)
    from netcfg.datasets.pictures.opencv import cv2

    method = cv2.INTER_NEAREST if between == "nearest" else cv2.INTER_LINEAR
    picture = np.ascontiguousarray(picture)
    whole = {"borderMode": _borders(cv2)[border], "borderValue": fill}
    if move.shift is not None:
        places = _places(move.size) + move.shift
        found = cv2.remap(picture, places[..., 0], places[..., 1], method, **whole)
    else:
        assert move.back is not None
        flags = method | cv2.WARP_INVERSE_MAP
        if np.array_equal(move.back[2], [0, 0, 1]):
            found = cv2.warpAffine(picture, move.back[:2], move.size[::-1], flags=flags, **whole)
        else:
            found = cv2.warpPerspective(picture, move.back, move.size[::-1], flags=flags, **whole)
    return np.asarray(found).reshape(*move.size, picture.shape[-1])  # OpenCV drops a single channel


def cut_window(picture: Array, window: Window, border: str, fill: tuple[int, ...]) -> NDArray[Any]:
    """A part of a picture, with what comes in from outside where it reaches beyond."""
    top, left, height, width = window
    over = max(0, -top), max(0, top + height - picture.shape[0])
    beside = max(0, -left), max(0, left + width - picture.shape[1])
    if any((*over, *beside)):
        from netcfg.datasets.pictures.opencv import cv2

        padded = cv2.copyMakeBorder(
            np.ascontiguousarray(picture), *over, *beside, _borders(cv2)[border], value=fill
        )
        picture = np.asarray(padded).reshape(*padded.shape[:2], picture.shape[-1])
        top, left = top + over[0], left + beside[0]
    return picture[top : top + height, left : left + width]


def resized(picture: Array, size: Size, between: str) -> NDArray[Any]:
    """A picture at a size; `auto`: by area where it shrinks, linear where it grows."""
    from netcfg.datasets.pictures.opencv import cv2

    shrinks = picture.shape[0] > size[0] or picture.shape[1] > size[1]
    # OpenCV's plain nearest does not go by the centres of pixels, this one does.
    methods = {"nearest": cv2.INTER_NEAREST_EXACT, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}
    method = methods.get(between, cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    found = cv2.resize(np.ascontiguousarray(picture), size[::-1], interpolation=method)
    return np.asarray(found).reshape(*size, picture.shape[-1])


def moved_points(points: Array, move: Move) -> NDArray[np.float32]:
    """Landmarks …×2 where the pixels below them go, beyond the edges too."""
    if move.window is not None:
        top, left, height, width = move.window
        scale = np.array([move.size[1] / width, move.size[0] / height])
        moved = (points - np.array([left, top]) + 0.5) * scale - 0.5
    elif move.shift is not None:
        moved = _sought(points, move.shift)
    else:
        assert move.back is not None
        whole = np.concatenate([points, np.ones((*points.shape[:-1], 1))], -1) @ np.linalg.inv(move.back).T
        moved = whole[..., :2] / whole[..., 2:]
    found: NDArray[np.float32] = moved.astype(np.float32)
    return found


def _sought(points: Array, shift: NDArray[np.float32]) -> NDArray[np.float64]:
    """The places p with p + shift(p) = point, by going towards them; the evener shifts are, the quicker."""
    from netcfg.datasets.pictures.opencv import cv2

    flat = points.reshape(-1, 2).astype(np.float64)
    place = flat.copy()
    for _ in range(_ROUNDS):
        at = place.astype(np.float32)
        here = cv2.remap(
            shift, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).reshape(-1, 2)
        place = flat - here
    return place.reshape(points.shape)


def turned_flow(flow: Array, move: Move) -> NDArray[Any]:
    """Flow whose arrows turn and shear along; how long they are stays, as a picture that is scaled keeps its colours.

    Red grows to the right and green upwards, 127 is no motion.
    """
    if move.window is not None:
        return flow
    if move.back is not None and np.array_equal(move.back[2], [0, 0, 1]):
        back: Array = move.back[:2, :2]
    else:
        if move.shift is None:
            assert move.back is not None
            grid = _places(move.size).astype(np.float64)
            whole = np.concatenate([grid, np.ones((*move.size, 1))], -1) @ move.back.T
            places: Array = whole[..., :2] / whole[..., 2:]
        else:
            places = _places(move.size) + move.shift
        down, right = np.gradient(places, axis=(0, 1))
        back = np.stack([right, down], -1)
    arrows = flow[..., :2].astype(np.float64) - 127
    arrows[..., 1] *= -1
    turn = np.linalg.inv(back) * np.sqrt(np.abs(np.linalg.det(back)))[..., None, None]
    arrows = (turn @ arrows[..., None])[..., 0]
    arrows[..., 1] *= -1
    turned = flow.copy()
    turned[..., :2] = np.clip(np.rint(arrows) + 127, 0, 255).astype(np.uint8)
    return turned


def _places(size: Size) -> NDArray[np.float32]:
    """H×W×2, each pixel's own place."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return np.stack([columns, rows], -1)


def _borders(cv2: Any) -> dict[str, int]:
    return {
        "constant": cv2.BORDER_CONSTANT,
        "edge": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101,
        "symmetric": cv2.BORDER_REFLECT,
    }


# --- ways -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RandomCropWay:
    """A window of a size anywhere in the picture, of which `padding` pixels more are thought on each side."""

    size: Size
    padding: int
    pad_if_needed: bool

    def __call__(self, size: Size, random: np.random.Generator) -> Move:
        """Raises `ValueError` where the picture is too small."""
        starts = []
        for wanted, there in zip(self.size, size, strict=True):
            first, room = -self.padding, there + 2 * self.padding
            if room < wanted and self.pad_if_needed:
                first, room = first - (wanted - room), room + 2 * (wanted - room)
            if room < wanted:
                raise ValueError(too_small(self.size, size))
            starts.append(first + int(random.integers(0, room - wanted + 1)))
        return Move(self.size, window=(starts[0], starts[1], *self.size))


@dataclass(frozen=True)
class CenterCropWay:
    """The window of a size in the picture's middle."""

    size: Size
    pad_if_needed: bool

    def __call__(self, size: Size, random: np.random.Generator) -> Move:
        """Raises `ValueError` where the picture is too small."""
        if not self.pad_if_needed and (self.size[0] > size[0] or self.size[1] > size[1]):
            raise ValueError(too_small(self.size, size))
        # As torchvision rounds it, whose networks are judged on such windows.
        top, left = (round((there - wanted) / 2) for wanted, there in zip(self.size, size, strict=True))
        return Move(self.size, window=(top, left, *self.size))


def too_small(wanted: Size, there: Size) -> str:
    """A window that does not fit, in numbers, as the rest of "[block] …"."""
    return (
        f"takes {wanted[0]}×{wanted[1]} pixels out of a picture of {there[0]}×{there[1]}\n"
        "help: a smaller `size`, `pad_if_needed = True`, or [resize] first"
    )


@dataclass(frozen=True)
class ResizedCropWay:
    """A window of any size and shape within limits, scaled to one size."""

    size: Size
    scale: tuple[float, float]
    ratio: tuple[float, float]

    def __call__(self, size: Size, random: np.random.Generator) -> Move:
        """Ten tries, then the largest window in the middle of a shape within the limits."""
        return Move(self.size, window=drawn_window(size, self.scale, self.ratio, random))


def drawn_window(
    size: Size, scale: tuple[float, float], ratio: tuple[float, float], random: np.random.Generator
) -> Window:
    """A window of so much of the area, as wide as it is high times `ratio`, as torchvision draws it."""
    height, width = size
    for _ in range(10):
        area = height * width * random.uniform(*scale)
        shape = exp(random.uniform(log(ratio[0]), log(ratio[1])))
        wide, high = round((area * shape) ** 0.5), round((area / shape) ** 0.5)
        if 0 < wide <= width and 0 < high <= height:
            top, left = (
                int(random.integers(0, height - high + 1)),
                int(random.integers(0, width - wide + 1)),
            )
            return top, left, high, wide
    there = width / height
    wide = width if there <= ratio[1] else round(height * ratio[1])
    high = height if there >= ratio[0] else round(width / ratio[0])
    return (height - high) // 2, (width - wide) // 2, high, wide


@dataclass(frozen=True)
class LeastForWindow:
    """What a picture may be brought to of which a window will be scaled to a size: where the window has that size."""

    way: Way

    def __call__(self, size: Size, random: np.random.Generator) -> tuple[float, float]:
        """Height and width."""
        move = self.way(size, random)
        assert move is not None
        assert move.window is not None
        *_, height, width = move.window
        return size[0] * move.size[0] / height, size[1] * move.size[1] / width


@dataclass(frozen=True)
class AffineWay:
    """Turned, shifted, scaled and sheared about the middle, each within its range; degrees, and parts of a side."""

    probability: float
    degrees: tuple[float, float]
    translate: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    shear: tuple[float, float] = (0.0, 0.0)
    shear_y: tuple[float, float] = (0.0, 0.0)

    def __call__(self, size: Size, random: np.random.Generator) -> Move | None:
        """Or None, by chance."""
        if random.random() >= self.probability:
            return None
        angle = random.uniform(*self.degrees)
        reach = self.translate[1] * size[1], self.translate[0] * size[0]
        shift = random.uniform(-reach[0], reach[0]), random.uniform(-reach[1], reach[1])
        scale = random.uniform(*self.scale)
        shear = random.uniform(*self.shear), random.uniform(*self.shear_y)
        return Move(size, back=turned_back(affine_matrix(size, angle, shift, scale, shear)))


def turned_back(matrix: Matrix) -> Matrix:
    """The matrix of the other way."""
    return np.linalg.inv(matrix).astype(np.float64)


def affine_matrix(
    size: Size,
    angle: float,
    shift: tuple[float, float] = (0.0, 0.0),
    scale: float = 1.0,
    shear: tuple[float, float] = (0.0, 0.0),
    center: tuple[float, float] | None = None,
) -> Matrix:
    """3×3, from old pixels to new ones: sheared, turned clockwise, scaled about the middle, then shifted.

    Source: torchvision's `affine`; `shear` and `angle` are degrees.
    """
    turn, lean_x, lean_y = radians(angle), radians(shear[0]), radians(shear[1])
    x, y = center if center is not None else ((size[1] - 1) / 2, (size[0] - 1) / 2)
    along = np.array([np.cos(turn - lean_y), np.sin(turn - lean_y)]) / np.cos(lean_y)
    across = np.array([-np.sin(turn), np.cos(turn)]) - along * tan(lean_x)
    matrix = np.eye(3)
    matrix[:2, :2] = scale * np.stack([along, across], 1)
    matrix[:2, 2] = np.array([x, y]) + shift - matrix[:2, :2] @ np.array([x, y])
    return matrix


@dataclass(frozen=True)
class PerspectiveWay:
    """Each corner pulled inwards, by up to a part of half a side."""

    probability: float
    distortion: float

    def __call__(self, size: Size, random: np.random.Generator) -> Move | None:
        """Or None, by chance."""
        if random.random() >= self.probability:
            return None
        from netcfg.datasets.pictures.opencv import cv2

        height, width = size
        corners = np.array(
            [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], dtype=np.float32
        )
        pulled = random.random((4, 2)) * self.distortion * np.array([width // 2, height // 2])
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        after = (corners + inwards * pulled).astype(np.float32)
        return Move(size, back=cv2.getPerspectiveTransform(after, corners))


@dataclass(frozen=True)
class ElasticWay:
    """Every pixel from a little beside, neighbours from much the same: smoothed noise."""

    probability: float
    alpha: float
    sigma: float

    def __call__(self, size: Size, random: np.random.Generator) -> Move | None:
        """Or None, by chance."""
        if random.random() >= self.probability:
            return None
        from netcfg.datasets.pictures.opencv import cv2

        noise = random.uniform(-1, 1, (*size, 2)).astype(np.float32)
        # The middle of the window carries all but a thousandth of a percent of the weight.
        side = 2 * int(4 * self.sigma) + 1
        smooth = cv2.GaussianBlur(noise, (side, side), self.sigma, borderType=cv2.BORDER_REFLECT_101)
        return Move(size, shift=np.asarray(smooth, np.float32).reshape(*size, 2) * np.float32(self.alpha / 2))
