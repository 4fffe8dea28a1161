"""Whole clips, one answer each: all frames of a clip at once, or some of them, evenly spaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from netcfg.datasets.pictures.frames import Frame, Frames
from netcfg.datasets.pictures.opencv import cv2
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.prediction import Picture, Prediction, Predictor, SeenClip, ahead

MOST_FRAMES = 300
"""Of a clip, at once: what they take is in memory."""
THUMB = 96
"""The longer side of the small pictures of frames."""


@dataclass(frozen=True)
class _Read:
    """A clip as far as it was read: of each predictor the frames as it sees them."""

    path: Frames
    first: Frame
    count: int
    numbers: tuple[int, ...]
    seconds: tuple[float | None, ...]
    thumbs: tuple[Picture, ...]
    seen: list[list[Picture]]


def predict_whole_clips(
    predictors: Sequence[Predictor],
    clips: Iterable[Frames],
    named: Callable[[Frames], str],
    most: int = MOST_FRAMES,
    thinned: Callable[[str, int], None] = lambda file, frames: None,
) -> Iterator[Prediction]:
    """What all `predictors` say of every clip, in order. One clip is computed while the next is read.

    Of a clip with more than `most` frames so many are seen, evenly spaced, which `thinned` is told. A network of clips
    of a fixed length sees as many, evenly spaced, some twice where a clip is shorter.
    """
    for read in ahead(_readings(predictors, clips, most), 1):
        file = named(read.path)
        if read.count > len(read.numbers):
            thinned(file, read.count)
        yield _predicted(predictors, read, file)


def _predicted(predictors: Sequence[Predictor], read: _Read, file: str) -> Prediction:
    answers: list[tuple[Answer, Values]] = []
    gates: dict[str, Values] = {}
    weights: Values | None = None
    for one, pictures in zip(predictors, read.seen, strict=True):
        values, attention = one.predict_clip(_at_length(pictures, one.length or len(pictures)))
        answers += zip(one.answers, values, strict=True)
        if not one.length:
            gates |= attention.gates
            weights = attention.weights if weights is None else weights
    seen = SeenClip(read.count, read.numbers, read.seconds, read.thumbs, gates, weights)
    return Prediction(read.first, tuple(answers), file, seen)


def _at_length(pictures: Sequence[Picture], length: int) -> list[Picture]:
    """So many of them, evenly spaced from the first to the last."""
    if len(pictures) == length:
        return list(pictures)
    return [pictures[place] for place in evenly(len(pictures), length)]


def evenly(count: int, wanted: int) -> list[int]:
    """Places among `count`, the first and the last with them; some come twice where there are fewer than wanted."""
    if wanted == 1:
        return [(count - 1) // 2]
    places: list[int] = np.linspace(0, count - 1, wanted).round().astype(int).tolist()
    return places


def _readings(predictors: Sequence[Predictor], clips: Iterable[Frames], most: int) -> Iterator[_Read]:
    for clip in clips:
        try:
            read = _read(predictors, clip, most)
        except NetcfgError as error:
            if clip.on_error is None:
                raise
            clip.on_error(error)
            continue
        yield read


def _read(predictors: Sequence[Predictor], clip: Frames, most: int) -> _Read:
    """The frames to be seen, of each at most what is seen of it: whatever the length of a video, memory is bounded."""
    announced = len(clip)
    wanted = set(evenly(announced, most)) if announced > most else None
    first: Frame | None = None
    kept: list[tuple[int, float | None, Picture, list[Picture]]] = []
    step, count = 1, 0
    for place, frame in enumerate(clip):
        first, count = first or frame, place + 1
        if (place not in wanted) if wanted is not None else place % step:
            continue
        kept.append(
            (
                frame.number,
                frame.seconds,
                _small(frame.image),
                [one.fitted(frame.image) for one in predictors],
            )
        )
        if len(kept) >= 2 * most:  # a video whose header does not say how long it is
            kept, step = kept[::2], 2 * step
    if first is None:
        raise NetcfgError(f"{shown_path(clip.path)} has no frames", code="NC504")
    if len(kept) > most:
        kept = [kept[place] for place in evenly(len(kept), most)]
    numbers, seconds, thumbs, seen = zip(*kept, strict=True)
    return _Read(clip, first, count, numbers, seconds, thumbs, [list(of) for of in zip(*seen, strict=True)])


def _small(picture: Picture) -> Picture:
    scale = THUMB / max(picture.shape[:2])
    if scale >= 1:
        return picture
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
