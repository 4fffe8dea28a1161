"""Clips as samples: all of their frames, or some that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Sample, SampleTable
from netcfg.datasets.pictures.face_boxes import cut_out, middle_square
from netcfg.datasets.pictures.frames import Frames, open_frames
from netcfg.datasets.pictures.reading import ORDINARY, Reading, expect_picture
from netcfg.source import NetcfgError


@dataclass(frozen=True)
class WholeClips:
    """A data set of clips: `clip` T×S×S×3, the frames in order, `class` and `clip_id`; of these the `fields`.

    Frames in the files `without` are left out.
    """

    names: tuple[str, ...]
    places: tuple[Path, ...]
    classes: tuple[int, ...]
    class_names: tuple[str, ...]
    size: int
    fields: Sequence[str]
    reading: Reading = ORDINARY
    without: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sample:
        return self.shown(index, None)

    def only(self, fields: Sequence[str]) -> WholeClips:
        """The same clips with other fields."""
        return replace(self, fields=tuple(fields))

    @property
    def table(self) -> SampleTable:
        """Names, numbers and classes."""
        numbers = np.arange(len(self), dtype=np.int64)
        labels = {"class": np.array(self.classes, np.int64), "clip_id": numbers}
        return SampleTable(self.names, clips=numbers, labels=labels, names={"class": self.class_names})

    def count(self, index: int) -> int:
        """How many frames a clip has."""
        frames = self._frames(index)
        return len(frames) if frames.is_video else len(self._files(frames))

    def lengths(self) -> NDArray[np.int64]:
        """How many frames each clip has."""
        return np.array([self.count(index) for index in range(len(self))], np.int64)

    def shown(self, index: int, frames: Sequence[int] | None) -> Sample:
        """A clip with some of its frames, by number from 0, or with all."""
        values: dict[str, Callable[[], NDArray[Any]]] = {
            "clip": lambda: self._clip(index, frames),
            "class": lambda: np.array(self.classes[index]),
            "clip_id": lambda: np.array(index),
        }
        return {name: values[name]() for name in self.fields}

    def _clip(self, index: int, chosen: Sequence[int] | None) -> NDArray[np.uint8]:
        frames = self._frames(index)
        if frames.is_video:
            pictures = self._of_video(frames, chosen)
        else:
            files = self._files(frames)
            files = files if chosen is None else [files[number] for number in chosen]
            pictures = [self._square(expect_picture(file, self.reading)) for file in files]
        if not pictures:
            raise NetcfgError(f"the clip `{self.names[index]}` has no frames", code="NC506")
        return np.stack(pictures)

    def _frames(self, index: int) -> Frames:
        return _frames(self.places[index], self.reading)

    def _files(self, frames: Frames) -> Sequence[Path]:
        if not self.without:
            return frames.files
        return [file for file in frames.files if str(file) not in self.without]

    def _of_video(self, frames: Frames, chosen: Sequence[int] | None) -> list[NDArray[np.uint8]]:
        if chosen is None:
            return [self._square(frame.image) for frame in frames]
        wanted = set(chosen)
        kept: dict[int, NDArray[np.uint8]] = {}
        last = None
        for last in frames:
            if last.number - 1 in wanted:
                kept[last.number - 1] = self._square(last.image)
        if last is None:
            return []
        # A video may hold fewer frames than its header says: its last one then stands for those.
        end = self._square(last.image)
        return [kept.get(number, end) for number in chosen]

    def _square(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return cut_out(picture, middle_square(*picture.shape[:2]), self.size)


@lru_cache(maxsize=100_000)
def _frames(place: Path, reading: Reading) -> Frames:
    return open_frames(place, same_size=False, reading=reading)


class SingleFrames:
    """Each frame of clips by itself: `image` S×S×3, and `class` and `clip_id` of its clip."""

    def __init__(self, clips: WholeClips, fields: Sequence[str]) -> None:
        self.clips = clips
        self.fields = tuple(fields)
        self.places = [(clip, frame) for clip in range(len(clips)) for frame in range(clips.count(clip))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sample:
        clip, frame = self.places[index]
        shown = self.clips.only(["clip" if name == "image" else name for name in self.fields])
        sample = shown.shown(clip, [frame])
        return {name: sample["clip"][0] if name == "image" else sample[name] for name in self.fields}

    def only(self, fields: Sequence[str]) -> SingleFrames:
        """The same frames with other fields."""
        return SingleFrames(self.clips, fields)

    @property
    def table(self) -> SampleTable:
        """Names, clips, numbers of frames and classes."""
        rows = self.clips.table.rows([clip for clip, _ in self.places])
        names = [f"{name}/{frame + 1}" for name, (_, frame) in zip(rows.ids, self.places, strict=True)]
        frames = np.array([frame for _, frame in self.places], np.int64)
        return replace(rows, ids=names, frames=frames)


@dataclass(frozen=True)
class Sampling:
    """How frames are drawn: one of each of `parts` equal parts of the first `within` of a clip."""

    parts: int
    within: float

    def drawn(self, count: int, turn: int, draw: Callable[[int, int], int]) -> list[int]:
        """The frames of one sample of a clip with so many, the `turn`-th of the clip. `draw` gives a whole number from
        one to another, both included.

        A clip with too few for its parts gives its `turn`-th frame, and any others beside it.
        """
        # In whole numbers, as 0.6 is none of a processor's: a part of a clip of five is one frame.
        length = int(count * round(self.within * 10_000) // (10_000 * self.parts))
        if length < 1 or count * round(self.within * 10_000) <= 10_000 * self.parts:
            return [turn % count, *(draw(0, count - 1) for _ in range(self.parts - 1))]
        last = count - 1 if self.within == 1 else self.parts * length
        # Parts share the frame between them: Emotion-FAN draws from both ends included.
        ends = [length * (part + 1) for part in range(self.parts - 1)] + [last]
        return [draw(part * length, min(end, count - 1)) for part, end in enumerate(ends)]


class SampledClips:
    """Clips of which each sample shows some frames that are drawn: once, or anew whenever it is shown.

    `each_frame`: a sample for each frame of a clip, else one for the clip.
    """

    def __init__(
        self, clips: WholeClips, sampling: Sampling, seed: int, once: bool, each_frame: bool
    ) -> None:
        self.clips = clips
        self.sampling = sampling
        self.once = once
        self.settings = (seed, once, each_frame)
        counts = [clips.count(index) for index in range(len(clips))]
        self.turns = [
            (clip, turn)
            for clip, count in enumerate(counts)
            for turn in range(count if each_frame else min(1, count))
        ]
        random = Random(seed)  # the published code's own, so that its draws can be had
        self.fixed = [sampling.drawn(counts[clip], turn, random.randint) for clip, turn in self.turns]

    def __len__(self) -> int:
        return len(self.turns)

    def __getitem__(self, index: int) -> Sample:
        return self.clips.shown(self.turns[index][0], self.fixed[index])

    def at_random(self, index: int, random: np.random.Generator) -> Sample:
        """A sample, its frames drawn by `random` unless they are drawn once."""
        if self.once:
            return self[index]
        clip, turn = self.turns[index]
        count = self.clips.count(clip)
        frames = self.sampling.drawn(count, turn, lambda low, high: int(random.integers(low, high + 1)))
        return self.clips.shown(clip, frames)

    def only(self, fields: Sequence[str]) -> SampledClips:
        """The same samples with other fields."""
        return SampledClips(self.clips.only(fields), self.sampling, *self.settings)

    @property
    def table(self) -> SampleTable:
        """The clips' rows, each as often as it is shown."""
        return self.clips.table.rows([clip for clip, _ in self.turns])
