"""Pictures larger than what a network sees, tile by tile: masks and made pictures at the picture's own size.

Tiles overlap, and what they answer is blended there: a tile counts less toward its border, where it sees less around.
Rows of tiles are finished one after the other, so that memory goes with a picture's width, not with its height.
Legend: K classes or channels, H height, W width of the picture, S side of a tile, M tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from netcfg.datasets.pictures.frames import Frame
from netcfg.datasets.pictures.opencv import cv2
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.prediction import Picture, Prediction, Predictor

DENSE = ("mask", "picture")


@dataclass(frozen=True)
class Tiling:
    """How pictures are cut: `side` pixels, `overlap` of them shared with the next tile; so many tiles at a time."""

    side: int
    overlap: int
    batch_size: int

    def expect_possible(self, predictors: Sequence[Predictor]) -> None:
        """Raise `NetcfgError` where tiles mean nothing to what is answered."""
        if self.overlap >= self.side:
            raise NetcfgError(
                f"tiles of {self.side} pixels cannot overlap by {self.overlap}\nhelp: `--overlap {self.side // 8}`",
                code="NC801",
            )
        for one in predictors:
            if not any(answer.kind in DENSE for answer in one.answers):
                kinds = ", ".join(dict.fromkeys(answer.kind for answer in one.answers))
                raise NetcfgError(
                    f"`--tiles` is for masks and pictures, and {one.name} answers with: {kinds}\nhelp: leave it out",
                    code="NC801",
                )
            if one.length is None and one.box(self.side, self.side) is not None:
                raise NetcfgError(
                    f"{one.name} sees a part of each picture only ({{Data}} cuts it), so that tiles would have gaps\n"
                    "help: leave `--tiles` out",
                    code="NC801",
                )
            if one.flow is not None or one.length is not None:
                raise NetcfgError(
                    f"`--tiles` is for single pictures, and {one.name} reads several at once\nhelp: leave it out",
                    code="NC801",
                )

    def starts(self, size: int) -> list[int]:
        """Where tiles begin along a side: evenly, the last one at the end."""
        if size <= self.side:
            return [0]
        return [*range(0, size - self.side, self.side - self.overlap), size - self.side]

    def window(self) -> NDArray[np.float32]:
        """How much each pixel of a tile counts, S×S: a ramp over the overlap on each side."""
        place = np.arange(self.side)
        ramp = np.minimum(np.minimum(place, place[::-1]) + 1, self.overlap + 1) / (self.overlap + 1)
        return np.outer(ramp, ramp).astype(np.float32)

    def cut(self, picture: Picture, top: int, left: int) -> Picture:
        """A tile; a picture that is narrower or lower is mirrored at its end."""
        tile = picture[top : top + self.side, left : left + self.side]
        down, right = self.side - tile.shape[0], self.side - tile.shape[1]
        if down or right:
            tile = cv2.copyMakeBorder(tile, 0, down, 0, right, cv2.BORDER_REFLECT)
        return np.ascontiguousarray(tile)


def tiled(tiling: Tiling, predictors: Sequence[Predictor], prediction: Prediction) -> Prediction:
    """A prediction whose masks and pictures are those of tiles, where its picture is larger than one.

    A mask is then the classes themselves, H×W, and a picture colours K×H×W from 0 to 255.
    """
    picture = prediction.frame.image
    if max(picture.shape[:2]) <= tiling.side:
        return prediction
    answers: list[tuple[Answer, Values]] = []
    whole = iter(prediction.answers)
    for one in predictors:
        own = [next(whole) for _ in one.answers]
        places = [place for place, (answer, _) in enumerate(own) if answer.kind in DENSE]
        made = (
            dict(zip(places, _blended(tiling, one, prediction.frame, places), strict=True)) if places else {}
        )
        answers += [(answer, made.get(place, values)) for place, (answer, values) in enumerate(own)]
    return replace(prediction, answers=tuple(answers))


def _blended(tiling: Tiling, one: Predictor, frame: Frame, places: Sequence[int]) -> list[Values]:
    """Of each of some answers what all tiles of a picture give together."""
    height, width = frame.image.shape[:2]
    tops, lefts = tiling.starts(height), tiling.starts(width)
    window = tiling.window()
    bands: list[_Band] = []
    for top, below in zip(tops, [*tops[1:], height], strict=True):
        for left, values in _row(tiling, one, frame, top, lefts, places):
            if not bands:
                bands = [
                    _Band(one.answers[place], len(of), (height, width), tiling.side)
                    for place, of in zip(places, values, strict=True)
                ]
            for band, of in zip(bands, values, strict=True):
                band.add(of, window, left)
        for band in bands:
            band.finish(top, below - top)
    return [band.made for band in bands]


class _Band:
    """One row of tiles of an answer, and what is finished above it."""

    def __init__(self, answer: Answer, channels: int, size: tuple[int, int], side: int) -> None:
        self._is_mask = answer.kind == "mask"
        self._sums = np.zeros((channels, side, size[1]), np.float32)
        self._weights = np.zeros((side, size[1]), np.float32)
        kind: type[np.generic] = np.uint16 if self._is_mask else np.uint8
        self.made = np.zeros(size if self._is_mask else (channels, *size), kind)

    def add(self, values: Values, window: NDArray[np.float32], left: int) -> None:
        """What one tile gave, K×S×S, cut off where the picture ends."""
        width = min(values.shape[2], self._sums.shape[2] - left)
        self._sums[:, :, left : left + width] += values[:, :, :width] * window[:, :width]
        self._weights[:, left : left + width] += window[:, :width]

    def finish(self, top: int, rows: int) -> None:
        """The first rows of the band get no more tiles: they are settled, and the band moves down by them."""
        means = self._sums[:, :rows] / self._weights[:rows]
        if self._is_mask:
            self.made[top : top + rows] = means.argmax(0)
        else:
            self.made[:, top : top + rows] = (means.clip(0, 1) * 255).round()
        for array in (self._sums, self._weights):
            kept = array[..., rows:, :].copy()
            array[:] = 0
            array[..., : kept.shape[-2], :] = kept


def _row(
    tiling: Tiling, one: Predictor, frame: Frame, top: int, lefts: Sequence[int], places: Sequence[int]
) -> Iterator[tuple[int, list[Values]]]:
    """The tiles of a row: where each begins, and its values K×S×S of some answers."""
    for start in range(0, len(lefts), tiling.batch_size):
        batch = lefts[start : start + tiling.batch_size]
        samples = [
            one.prepare(frame._replace(image=tiling.cut(frame.image, top, left)), None) for left in batch
        ]
        made = one.predict(samples)
        chosen = [_at_side(made[place], tiling.side) for place in places]
        for place, left in enumerate(batch):
            yield left, [values[place] for values in chosen]


def _at_side(values: Values, side: int) -> Values:
    """Maps (M, K, h, w) at the size of tiles."""
    if values.shape[2:] == (side, side):
        return values
    large = functional.interpolate(torch.from_numpy(values).float(), (side, side), mode="bilinear")
    return np.asarray(large)
