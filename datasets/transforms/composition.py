"""A face cut out, moved and lit anew, before a background: what the transforms of FERAtt's synthesis do.

Pictures are uint8 H×W×3, RGB; what is inside a face is a boolean H×W. Matrices are 3×3 and take pixels (x, y, 1) of a
picture to where they go.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Sample
from netcfg.datasets.pictures.clutter import room
from netcfg.datasets.pictures.opencv import cv2
from netcfg.datasets.pictures.reading import expect_picture

Picture = NDArray[np.uint8]
Inside = NDArray[np.bool_]
Matrix = NDArray[np.float64]

BACKGROUND_SIDES = (640, 1024)
"""Height and width to which background pictures are brought before a window is cut out of them."""
WINDOW_GROWTH = 50
PUBLISHED_SIDE = 148
DARKEST, BRIGHTEST = 10.0, 90.0
THINGS = 12


@dataclass(frozen=True)
class Motion:
    """How a face is moved: degrees, pixels, and by how many pixels three corners of the picture are pulled."""

    angle: float
    shift: tuple[float, float]
    corners: NDArray[np.float64]

    def matrices(self, side: int) -> tuple[Matrix, Matrix, Matrix]:
        """Turned about the middle, then shifted, then warped."""
        cosine, sine = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        middle = side / 2
        turned = np.array(
            [
                [cosine, -sine, middle * (1 - cosine) + middle * sine],
                [sine, cosine, middle * (1 - cosine) - middle * sine],
                [0, 0, 1],
            ]
        )
        shifted = np.array([[1, 0, self.shift[0]], [0, 1, self.shift[1]], [0, 0, 1.0]])
        start = np.array([[0, 0], [0, side], [side, 0]], dtype=np.float64)
        # Three corners and where they are pulled to determine one affine map.
        homogeneous = np.column_stack([start, np.ones(3)])
        warped = np.vstack([np.linalg.solve(homogeneous, start + self.corners).T, [0, 0, 1]])
        return turned, shifted, warped


def sampling_matrix(motion: Motion, side: int) -> NDArray[np.float32]:
    """The six numbers, row by row, that undo a motion where `[spatial_transformer]` reads the moved picture."""
    turned, shifted, warped = motion.matrices(side)
    # From pixels to the -1 to 1 of a sampling grid. Not inverted: a grid asks of each place of the result
    # where it comes from, which is where the motion took it.
    scale = np.array([[2 / side, 0, -1], [0, 2 / side, -1], [0, 0, 1]])
    matrix = scale @ warped @ shifted @ turned @ np.linalg.inv(scale)
    return matrix[:2].reshape(6).astype(np.float32)


def stretched(picture: Picture, inside: Inside, by: str) -> NDArray[np.float64]:
    """Each channel's numbers in the face from 0: (x - smallest) / `range`, or / `maximum`, which leaves it darker."""
    numbers = picture.astype(np.float64)
    if not inside.any():
        return numbers / 255
    face = numbers[inside]
    lowest, highest = face.min(0), face.max(0)
    span = highest - lowest if by == "range" else highest
    result: NDArray[np.float64] = (numbers - lowest) / np.where(span > 0, span, 1)
    return result


def as_bytes(numbers: NDArray[np.float64], by: str) -> Picture:
    """0 to 1 as bytes; outside the face what is negative wraps with `maximum`, and is 0 with `range`."""
    if by == "maximum":
        # By way of whole numbers: what a negative float becomes as a byte is not defined, a whole number
        # wraps.
        return (numbers * 255).astype(np.int64).astype(np.uint8)
    return np.clip(np.round(numbers * 255), 0, 255).astype(np.uint8)


def lit_as(face: Picture, background: Picture, inside: Inside) -> Picture:
    """The face as light as the background behind it: between half and one and a half times its own lightness."""
    if not inside.any():
        return face
    lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    behind = cv2.cvtColor(background.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0][inside].mean()
    own = max(float(lab[..., 0][inside].mean()), 1e-6)
    lab[..., 0] = np.clip(lab[..., 0] * np.clip(behind / own, 0.5, 1.5), DARKEST, BRIGHTEST)
    relit: Picture = np.clip(np.round(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * 255), 0, 255).astype(np.uint8)
    return relit


def cleaned(inside: Inside) -> Inside:
    """Closed, a little smaller, without holes."""
    # 7 pixels of FERAtt's 148; of a small picture as many would take the brows off.
    wide = max(1, 2 * round(3 * inside.shape[0] / PUBLISHED_SIDE) + 1)
    square = np.ones((wide, wide), np.uint8)
    mask = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, square)
    mask = cv2.erode(mask, square)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(mask, outlines, -1, 1, cv2.FILLED), np.uint8) > 0


def hull(points: NDArray[Any], sides: tuple[int, int], margin: float = 0.0) -> NDArray[np.uint8]:
    """Where the convex hull of landmarks is, and `margin` of the height about it, in a picture of these sides."""
    mask = np.zeros(sides, np.uint8)
    outline = cv2.convexHull(np.round(points).astype(np.int32))
    mask = np.asarray(cv2.fillConvexPoly(mask, outline, 1), np.uint8)
    wide = 2 * round(margin * sides[0]) + 1
    about = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (wide, wide))
    return mask if wide == 1 else np.asarray(cv2.dilate(mask, about), np.uint8)


def grey(picture: Picture) -> Picture:
    """The same without colour, in three channels."""
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def scaled(picture: NDArray[Any], factor: float, method: int) -> NDArray[Any]:
    """Larger or smaller, on as many pixels: the middle of it, or it in the middle of black."""
    side = picture.shape[0]
    new = max(1, round(side * factor))
    sized = np.asarray(cv2.resize(picture, (new, new), interpolation=method))
    start = abs(new - side) // 2
    if new >= side:
        return sized[start : start + side, start : start + side]
    result = np.zeros_like(picture)
    result[start : start + new, start : start + new] = sized
    return result


def moved(picture: NDArray[Any], motion: Motion, method: int) -> NDArray[Any]:
    """Turned, shifted and warped in three steps, black where nothing comes from."""
    side = picture.shape[0]
    # Three times, not once by the product: the original interpolates after each step.
    for matrix in motion.matrices(side):
        picture = np.asarray(cv2.warpAffine(picture, matrix[:2], (side, side), flags=method))
    return picture


@dataclass(frozen=True)
class OverBackground:
    """A face before a background, as the schema says; `plain` composes nothing and only adds the fields."""

    input: str
    inside: str | None
    margin: float
    target: str
    mask: str
    transform: str
    files: tuple[Path, ...]
    size: int
    border: int
    empty: int
    stretch: str
    scale: float
    flip: float
    rotation: float
    shift: float
    warp: float
    relight: bool
    colour: bool
    plain: bool = False

    @property
    def side(self) -> int:
        """Of the pictures it makes."""
        return self.size + 2 * self.border

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """The sample with a composed picture, the face on black, where it is, and the matrix that undoes its motion."""
        if self.input not in sample:
            return sample
        motion = Motion(0.0, (0.0, 0.0), np.zeros((3, 2)))
        if self.plain:
            face, inside = self._face(sample, (self.side, self.side), 0)
            return sample | self._fields(face, face * inside[..., None], inside, motion)
        # Before the face's own draws: the order of draws is part of what a seed means.
        background = self._background(random)
        face, inside = self._face(sample, (self.size, self.size), self.border)
        if self.stretch != "none":
            face = as_bytes(stretched(face, inside, self.stretch), self.stretch)
            whole = np.ones(background.shape[:2], bool)
            background = as_bytes(stretched(background, whole, self.stretch), self.stretch)
        factor = 1 + self.scale * random.uniform(-1, 1)
        face = scaled(face, factor, cv2.INTER_LINEAR)
        mask = scaled(inside.astype(np.uint8), factor, cv2.INTER_NEAREST)
        if random.random() < self.flip:
            face, mask = np.ascontiguousarray(face[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
        motion = Motion(
            self.rotation * random.uniform(-1, 1),
            tuple(self.shift * self.side * random.uniform(-1, 1, 2)),
            (self.warp * self.side * random.uniform(-1, 1, (2, 3))).T,
        )
        face, mask = moved(face, motion, cv2.INTER_LINEAR), moved(mask, motion, cv2.INTER_NEAREST)
        lit = lit_as(face, background, mask > 0) if self.relight else face
        inside = cleaned(mask > 0)
        # The light is part of the picture and not of the target: the network has to take it back.
        composed = np.where(inside[..., None], lit, background)
        return sample | self._fields(composed, face * inside[..., None], inside, motion)

    def _fields(self, image: Picture, target: Picture, inside: Inside, motion: Motion) -> Sample:
        pictures = {self.input: image, self.target: target}
        made = {name: picture if self.colour else grey(picture) for name, picture in pictures.items()}
        made[self.mask] = (inside * np.uint8(255))[..., None]
        return made | {self.transform: sampling_matrix(motion, self.side)}

    def _face(self, sample: Sample, sides: tuple[int, int], border: int) -> tuple[Picture, Inside]:
        """The face at its size within a black border, and where it is."""
        face = _sized(sample[self.input], sides)
        face = np.pad(face, ((border, border), (border, border), (0, 0)))
        if self.inside is None:
            return face, face[..., 0] >= self.empty
        mask = sample[self.inside]
        if mask.ndim == 2 and mask.shape[1] == 2:
            mask = hull(mask, sample[self.input].shape[:2], self.margin)
        mask = mask[..., 0] if mask.ndim == 3 else mask
        mask = np.asarray(
            cv2.resize((mask > 0).astype(np.uint8), sides[::-1], interpolation=cv2.INTER_NEAREST)
        )
        return face, np.pad(mask, border) > 0

    def _background(self, random: np.random.Generator) -> Picture:
        """A window of a background picture; drawn things where there are no files."""
        if not self.files:
            return np.asarray(cv2.resize(room(random, THINGS), (self.side, self.side)), np.uint8)
        picture = _cropped(
            expect_picture(self.files[int(random.integers(len(self.files)))]), BACKGROUND_SIDES
        )
        # FERAtt's draw reaches beyond the picture; a window that hangs over is smaller, and stretched below.
        window = self.side
        growth = WINDOW_GROWTH * random.random()
        x = int(random.random() * ((BACKGROUND_SIDES[1] + growth) - window))
        y = int(random.random() * ((BACKGROUND_SIDES[0] + growth) - window))
        return _sized(picture[y : y + window, x : x + window], (self.side, self.side))


def _sized(picture: Picture, sides: tuple[int, int]) -> Picture:
    if picture.shape[:2] == sides:
        return picture
    shrinks = picture.shape[0] > sides[0] or picture.shape[1] > sides[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(picture), sides[::-1], interpolation=method), np.uint8)


def _cropped(picture: Picture, sides: tuple[int, int]) -> Picture:
    """Brought to these sides, what is too long cut off evenly."""
    height, width = picture.shape[:2]
    factor = max(sides[0] / height, sides[1] / width)
    sized = _sized(picture, (max(sides[0], round(height * factor)), max(sides[1], round(width * factor))))
    y, x = (sized.shape[0] - sides[0]) // 2, (sized.shape[1] - sides[1]) // 2
    return sized[y : y + sides[0], x : x + sides[1]]


@dataclass(frozen=True)
class PoorPicture:
    """Pictures as a poor camera gives them: few pixels, evened contrast, noise, blur; clips frame by frame."""

    pictures: tuple[str, ...]
    size: int
    equalise: float
    noise: float
    deviation: float

    def __call__(self, sample: Sample, random: np.random.Generator) -> Sample:
        """All pictures of the sample by the same draws, but for the noise itself."""
        evened, noisy = random.random() < self.equalise, random.random() < self.noise
        window = int(random.choice((3, 5, 7)))
        changed = {}
        for name in self.pictures:
            if name in sample:
                changed[name] = self._picture(sample[name], evened, window if noisy else 0, random)
        return sample | changed

    def _picture(self, picture: Picture, evened: bool, window: int, random: np.random.Generator) -> Picture:
        if picture.ndim == 4:
            return np.stack([self._picture(frame, evened, window, random) for frame in picture])
        sides = (picture.shape[0], picture.shape[1])
        small = _sized(picture, (min(self.size, sides[0]), min(self.size, sides[1])))
        if evened:
            parts = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
            parts[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(np.ascontiguousarray(parts[..., 0]))
            small = np.asarray(cv2.cvtColor(parts, cv2.COLOR_YCrCb2RGB), np.uint8)
        if window:
            lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
            # Lightness goes from 0 to 100, the option is a share of it.
            lab[..., 0] += 100 * self.deviation * random.standard_normal(small.shape[:2]).astype(np.float32)
            noised = cv2.cvtColor(
                np.clip(lab, (0, -127, -127), (100, 127, 127)).astype(np.float32), cv2.COLOR_LAB2RGB
            )
            small = np.clip(np.round(noised * 255), 0, 255).astype(np.uint8)
            small = np.asarray(cv2.GaussianBlur(small, (window, window), 0), np.uint8)
        return _sized(small, sides)
