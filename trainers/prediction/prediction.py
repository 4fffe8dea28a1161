"""Trained programs over the frames of a picture, a folder or a video, at constant memory.

Frames are read, and their flow computed, in a thread beside the networks; a few batches wait between the two.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.optical_flow import OpticalFlow
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.pictures.frames import Frame
from netcfg.datasets.pipeline import finish_fields, lowered, sample_fields, stack_field
from netcfg.program import Data, Program
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.prediction.answers import Answer, Values, answers_of, fitting, signals_of
from netcfg.trainers.runs.trained import Trained
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import Precision

Picture = NDArray[np.uint8]
T = TypeVar("T")

WAITING_BATCHES = 2


@dataclass(frozen=True, slots=True)
class Prediction:
    """A frame and what is answered of it; `file` is what its picture or video is called below all inputs."""

    frame: Frame
    answers: tuple[tuple[Answer, Values], ...]
    file: str = ""


class Predictor:
    """A trained program as a function of frames.

    `into_folder`: whether pictures among its answers can be told.
    Raises `ProgramError` where the program answers nothing, or its networks want what a picture does not give.
    """

    def __init__(self, trained: Trained, device: torch.device, into_folder: bool = False) -> None:
        program = trained.program
        self.name = trained.name
        self.answers = fitting(answers_of(program, trained.thresholds), trained.name, into_folder)
        self._signals = tuple(signals_of(self.answers))
        self._model = Model(program, trained.networks)
        self._predicted = 0
        self._fields = FrameFields(program, self._model, self._signals, device)
        self._precision = Precision(program.training.precision, device)
        assert program.data is not None
        self.reading = program.data.source.reading()
        set_training(program, trained.networks, False)

    @property
    def flow(self) -> FlowPictures | None:
        """How the flow is made that the networks read; None where they read none."""
        return self._fields.flow

    def prepare(self, frame: Frame, flow: Picture | None) -> dict[str, NDArray[Any]]:
        """A frame as the arrays that `predict` takes batches of."""
        return self._fields.prepare(frame.image, flow)

    @torch.inference_mode()
    def predict(self, samples: Sequence[Mapping[str, NDArray[Any]]]) -> list[Values]:
        """For each answer the values of N prepared frames, see `Answer.values`."""
        self._model.chance.evaluate(range(self._predicted, self._predicted + len(samples)))
        self._predicted += len(samples)
        with self._precision():
            signals = self._model.signals(self._fields.finish(samples), self._signals)
        return [answer.values(signals[answer.signal]) for answer in self.answers]


class FrameFields:
    """The fields that networks read, made of a frame as the program's data make them in evaluation."""

    def __init__(
        self, program: Program, model: Model, signals: tuple[str, ...], device: torch.device
    ) -> None:
        assert program.data is not None
        used = model.fields_of(signals)
        data = replace(program.data, used=used)
        self._device = device
        self._kinds = {name: data.fields[name].kind for name in used}
        self._pictures = _picture_specs(program, sample_fields(data))
        steps = lowered(data, training=False)
        self._steps = [step for per_sample, step in steps if per_sample]
        self._finishers = [step for per_sample, step in steps if not per_sample]
        self._random = np.random.default_rng(0)
        reads_flow = any(spec.kind == "flow" for spec in self._pictures.values())
        self.flow = _flow_pictures(data) if reads_flow else None

    def prepare(self, picture: Picture, flow: Picture | None) -> dict[str, NDArray[Any]]:
        """One sample; the frame is scaled to the size that the data have, the flow by its nearest pixels."""
        sample: dict[str, NDArray[Any]] = {}
        for name, spec in self._pictures.items():
            given = flow if spec.kind == "flow" else picture
            assert given is not None
            sample[name] = scaled(given, spec)
        for step in self._steps:
            sample = step(sample, self._random)
        return {name: sample[name] for name in self._kinds}

    def finish(self, samples: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, Tensor]:
        """The batch on the device, as numbers, normalised."""
        fields = {
            name: stack_field(kind, [sample[name] for sample in samples])
            for name, kind in self._kinds.items()
        }
        return finish_fields(fields, self._kinds, self._finishers, self._device)


def _picture_specs(program: Program, specs: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
    """The fields that samples must have, where a frame gives them all: pictures and flow."""
    for name, spec in specs.items():
        if spec.kind not in ("image", "flow") or len(spec.shape) != 3:
            message = (
                f"{program.name} reads `{name}` ({spec}), which a picture alone does not give: it can be "
                "evaluated, not used to predict"
            )
            raise ProgramError([Finding("NC501", message, help="`netcfg eval` takes labelled data")])
    return dict(specs)


def _flow_pictures(data: Data) -> FlowPictures:
    """How the data's flow is made: by [optical_flow], or by the source."""
    asked = next((transform for transform in data.transforms if isinstance(transform, OpticalFlow)), None)
    return data.source.flow_pictures() if asked is None else asked.pictures()


def scaled(picture: Picture, spec: FieldSpec) -> Picture:
    """A picture in the size a field has; as it is where that is symbolic. Flow keeps to values that are there."""
    from netcfg.datasets.pictures.opencv import cv2

    height, width = spec.shape[-2:]
    if not isinstance(height, int) or not isinstance(width, int) or picture.shape[:2] == (height, width):
        return picture
    shrinks = picture.shape[0] > height or picture.shape[1] > width
    smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    method = cv2.INTER_NEAREST if spec.kind == "flow" else smooth
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


# --- the stream -------------------------------------------------------------------------------------------


Flows = Mapping[FlowPictures, Picture]
Prepared = list[tuple[Frame, list[dict[str, NDArray[Any]]]]]


def predict_frames(
    predictors: Sequence[Predictor], frames: Iterable[Frame], batch_size: int
) -> Iterator[Prediction]:
    """What all `predictors` say of every frame, in order. At most a few batches of frames are in memory.

    Raises `NetcfgError` where a network wants flow, and there is but one frame.
    """
    yield from predict_clips(predictors, [frames], batch_size)


def predict_clips(
    predictors: Sequence[Predictor],
    clips: Iterable[Iterable[Frame]],
    batch_size: int,
    named: Callable[[Frame], str] = lambda frame: frame.path.name,
) -> Iterator[Prediction]:
    """The same of several clips, one after the other; a batch may hold frames of several. `named` gives `file`."""
    wanted = tuple({one.flow: None for one in predictors if one.flow is not None})
    prepared = (
        (frame, [one.prepare(frame, flows.get(one.flow) if one.flow else None) for one in predictors])
        for clip in clips
        for frame, flows in with_flow(clip, wanted)
    )
    for batch in ahead(batches(prepared, batch_size, _sizes), WAITING_BATCHES):
        for made in _predicted(predictors, batch):
            yield replace(made, file=named(made.frame))


def _sizes(item: tuple[Frame, list[dict[str, NDArray[Any]]]]) -> object:
    """What frames of one batch have in common: pictures that networks take at any size may differ in it."""
    return [[np.shape(array) for array in sample.values()] for sample in item[1]]


def _predicted(predictors: Sequence[Predictor], batch: Prepared) -> Iterator[Prediction]:
    columns: list[tuple[Answer, Values]] = []
    for place, one in enumerate(predictors):
        made = one.predict([samples[place] for _, samples in batch])
        columns += zip(one.answers, made, strict=True)
    for row, (frame, _) in enumerate(batch):
        yield Prediction(frame, tuple((answer, values[row]) for answer, values in columns))


def with_flow(frames: Iterable[Frame], wanted: Sequence[FlowPictures]) -> Iterator[tuple[Frame, Flows]]:
    """Each frame with the flow to the next one; the last has the flow of the one before it."""
    if not wanted:
        yield from ((frame, {}) for frame in frames)
        return
    before: Frame | None = None
    flows: Flows = {}
    try:
        for frame in frames:
            if before is not None:
                flows = {one: one(before.image, frame.image) for one in wanted}
                yield before, flows
            before = frame
    except NetcfgError:  # the frames break off
        if before is not None and flows:
            yield before, flows
        raise
    if before is not None and not flows:
        raise NetcfgError(
            f"{before.path} is one picture, and the network reads optical flow, which is between two\n"
            "help: give a folder of frames in their order, or a video",
            code="NC508",
        )
    if before is not None:
        yield before, flows


def batches(
    items: Iterable[T], size: int, alike: Callable[[T], object] = lambda item: None
) -> Iterator[list[T]]:
    """Lists of `size` items that are `alike`; shorter ones before one that is not, at the end, at an error."""
    batch: list[T] = []
    try:
        for item in items:
            if batch and alike(batch[0]) != alike(item):
                yield batch
                batch = []
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except NetcfgError:  # what came before is good, and nobody waits for the rest of it
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """The same items, made by a thread, which is at most `count` of them ahead of the reader."""
    none = object()

    def take() -> object:
        return next(items, none)

    with ThreadPoolExecutor(1, thread_name_prefix="frames") as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(take) for _ in range(count + 1))
        while waiting:
            item = waiting.popleft().result()
            if item is none:
                break
            waiting.append(pool.submit(take))
            yield item
