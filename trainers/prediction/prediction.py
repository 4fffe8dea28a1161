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
from netcfg.blocks.samples import Sample
from netcfg.blocks.transforms.base import Transform
from netcfg.blocks.transforms.optical_flow import OpticalFlow
from netcfg.builder.weights import read_state
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.pictures.frames import Frame, Frames
from netcfg.datasets.pictures.notes import say
from netcfg.datasets.pipeline import finish_fields, lowered, ragged_fields, sample_fields, stacked
from netcfg.datasets.samples.table_samples import Fit, placed, squared
from netcfg.program import Data, Program
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.prediction.answers import Answer, Values, answers_of, fitting, signals_of
from netcfg.trainers.prediction.attention import Attention, watched
from netcfg.trainers.prediction.combining import with_views
from netcfg.trainers.runs.trained import Trained
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import Precision

Picture = NDArray[np.uint8]
T = TypeVar("T")

Box = tuple[float, float, float, float]
_PROBE = "where the picture went"
"""A field of points that no program can name."""
WAITING_BATCHES = 2
MOST_PIXELS = 64_000_000
"""Of the frames of a batch, where their pictures are kept."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A frame and what is answered of it; `file` is what its picture or video is called below all inputs.

    Of a whole clip, `frame` is its first one, and `clip` says what was seen of it.
    """

    frame: Frame
    answers: tuple[tuple[Answer, Values], ...]
    file: str = ""
    clip: SeenClip | None = None


@dataclass(frozen=True, slots=True)
class SeenClip:
    """The frames of a clip that a network saw: their numbers from 1, seconds, and small pictures of them.

    `frames` is how many the clip has. `gates` are those of each frame attention, by its place in the program, a number
    for each frame that was seen; `weights` what part each frame has in the clip's features, None without attention.
    """

    frames: int
    numbers: tuple[int, ...]
    seconds: tuple[float | None, ...]
    pictures: tuple[Picture, ...]
    gates: Mapping[str, Values]
    weights: Values | None


class Answering:
    """A trained program as a function of samples; how these are made of what is given, a class below says.

    `into_folder`: whether pictures among its answers can be told. `ways`: how pictures are also seen, see `views`.
    Raises `ProgramError` where the program answers nothing.
    """

    def __init__(
        self,
        trained: Trained,
        device: torch.device,
        into_folder: bool = False,
        ways: Sequence[str] = (),
    ) -> None:
        program = trained.program
        self.name = trained.name
        self.answers = fitting(answers_of(program, trained.thresholds), trained.name, into_folder)
        self._signals = tuple(signals_of(self.answers))
        self._model = Model(program, trained.networks)
        if trained.weights is not None and self._model.states:
            self._model.take(read_state(trained.weights))
        self._predicted = 0
        self._used = self._model.fields_of(self._signals)
        self._networks = trained.networks
        self._seen = with_views(self._model, self.answers, ways, trained.name)
        self._precision = Precision(program.training.precision, device)
        assert program.data is not None
        self.reading = program.data.source.reading()
        set_training(program, trained.networks, False)

    def finished(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Prepared samples as the batch that networks read."""
        raise NotImplementedError

    @torch.inference_mode()
    def predict(self, samples: Sequence[Sample]) -> list[Values]:
        """For each answer the values of N prepared samples, see `Answer.values`."""
        self._model.chance.evaluate(range(self._predicted, self._predicted + len(samples)))
        self._predicted += len(samples)
        with self._precision():
            signals = self._seen.signals(self.finished(samples), self._signals)
        return [answer.values(signals[answer.signal]) for answer in self.answers]


class Predictor(Answering):
    """A trained program as a function of frames.

    Raises `ProgramError` also where its networks want what a picture does not give.
    """

    def __init__(
        self,
        trained: Trained,
        device: torch.device,
        into_folder: bool = False,
        ways: Sequence[str] = (),
    ) -> None:
        super().__init__(trained, device, into_folder, ways)
        self._fields = FrameFields(trained.program, self._used, device)

    @property
    def flow(self) -> FlowPictures | None:
        """How the flow is made that the networks read; None where they read none."""
        return self._fields.flow

    @property
    def length(self) -> int | None:
        """How many frames of a clip its networks see at once; 0 where they see all, None where they see single ones."""
        return self._fields.length

    @property
    def clip_size(self) -> tuple[object, ...]:
        """Height and width of the clips that its networks see."""
        return self._fields.clip_size

    def fitted(self, picture: Picture) -> Picture:
        """A frame of a clip at the size in which its networks see it."""
        return self._fields.fitted(picture)

    def prepare(self, frame: Frame, flow: Picture | None) -> Sample:
        """A frame as the arrays that `predict` takes batches of."""
        return self._fields.prepare(frame.image, flow)

    def box(self, height: int, width: int) -> Box | None:
        """What the networks see of a frame of a size, as `Answer.box` has it."""
        return self._fields.box(height, width)

    def predict_clip(self, pictures: Sequence[Picture]) -> tuple[list[Values], Attention]:
        """The values of one clip, all its frames at once, and how its frames were weighed."""
        with watched(self._networks) as attention:
            values = self.predict([self._fields.prepare(np.stack(pictures), None)])
        return [value[0] for value in values], attention

    def finished(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """Prepared frames on the device, as numbers, normalised."""
        return self._fields.finish(samples)


class FrameFields:
    """Fields of the data (those `used`), made of a frame as the program's data make them in evaluation."""

    def __init__(self, program: Program, used: tuple[str, ...], device: torch.device) -> None:
        assert program.data is not None
        data, self._called = of_one_source(program, used)
        used = data.used
        self._device = device
        self._kinds = {name: data.fields[name].kind for name in used}
        start, self._pictures = _given(program, data)
        self._fit: Fit = data.source.squares()
        probe = {_PROBE: FieldSpec((68, 2), "landmarks")}
        probed = lowered(data, training=False, also=probe, start=start)
        self._probed = [step for of_samples, step in probed if of_samples]
        self._boxes: dict[tuple[int, int], Box | None] = {}
        steps = lowered(data, training=False, start=start)
        self._steps = [step for per_sample, step in steps if per_sample]
        self._finishers = [step for per_sample, step in steps if not per_sample]
        self._random = np.random.default_rng(0)
        reads_flow = any(spec.kind == "flow" for spec in self._pictures.values())
        self.flow = _flow_pictures(data) if reads_flow else None
        self._ragged = ragged_fields({name: data.fields[name] for name in used})
        self.length = _length_of(self._pictures)

    def prepare(self, picture: Picture, flow: Picture | None) -> Sample:
        """One sample; the frame is scaled to the size that the data have, the flow by its nearest pixels."""
        sample: Sample = {}
        for name, spec in self._pictures.items():
            given = flow if spec.kind == "flow" else picture
            assert given is not None
            sample[name] = self._scaled(given, spec) if self.length is None else given
        for step in self._steps:
            sample = step(sample, self._random)
        return {name: sample[name] for name in self._kinds}

    @property
    def clip_size(self) -> tuple[object, ...]:
        """Height and width of its pictures."""
        return next(iter(self._pictures.values())).shape[-2:]

    def fitted(self, picture: Picture) -> Picture:
        """A frame at the size that the data's clips have, as its source makes it so."""
        return self._scaled(picture, next(iter(self._pictures.values())))

    def _scaled(self, picture: Picture, spec: FieldSpec) -> Picture:
        return scaled(squared(picture, self._squares(spec)), spec)

    def _squares(self, spec: FieldSpec) -> Fit:
        """How pictures of a field become square: flow, and what is not square, is stretched."""
        height, width = spec.shape[-2:]
        return (
            self._fit if spec.kind == "image" and height == width and isinstance(height, int) else "stretch"
        )

    def box(self, height: int, width: int) -> Box | None:
        """What is seen of a frame of a size, as `Answer.box` has it; None where that is all of it, or nobody knows.

        Found by points that go the way of the pictures: source and transforms are asked for no more than that.
        """
        if (height, width) not in self._boxes:
            self._boxes[height, width] = self._found_box(height, width)
        return self._boxes[height, width]

    def _found_box(self, height: int, width: int) -> Box | None:
        name, spec = next(iter(self._pictures.items()))
        corners: NDArray[Any] = np.array(
            [[x, y] for x in (0.0, width - 1.0) for y in (0.0, height - 1.0)], np.float32
        )
        frame = np.zeros((height, width, 3), np.uint8)
        sample = {one: self._scaled(frame, of) for one, of in self._pictures.items()}
        size, fits = spec.shape[-1], self._squares(spec)
        if isinstance(size, int) and fits != "stretch":
            points = placed(corners, height, width, size, fits)
        else:
            made = sample[name].shape
            points = (corners + 0.5) * np.array([made[1] / width, made[0] / height]) - 0.5
        sample[_PROBE] = np.repeat(points.astype(np.float32), 17, 0)  # as many as a face has
        random = np.random.default_rng(0)  # its own: what is drawn for frames hangs on frames alone
        for step in self._probed:
            sample = step(sample, random)
        moved, seen = sample[_PROBE][::17].astype(np.float64), sample[name].shape[:2]
        return _box_of(corners.astype(np.float64), moved, seen, (height, width))

    def finish(self, samples: Sequence[Sample]) -> dict[str, Tensor]:
        """The batch on the device, as numbers, normalised."""
        fields = stacked(self._kinds, samples, self._ragged)
        finished = finish_fields(fields, self._kinds, self._finishers, self._device)
        return finished | {called: finished[own] for called, own in self._called.items() if own in finished}


def of_one_source(program: Program, read: tuple[str, ...]) -> tuple[Data, dict[str, str]]:
    """The data as a frame stands for them: the source that has all these fields, and what they are called there."""
    whole = program.data
    assert whole is not None
    for part in whole.each:
        called = whole.called(part)
        if all(name in called for name in read):
            own = {name: called[name] for name in read}
            return part._replace(used=tuple(dict.fromkeys(own.values()))), own
    fields = ", ".join(f"`{name}`" for name in read)
    message = (
        f"{program.name} reads {fields}, which no one source gives together: it can be evaluated, not used to "
        "predict"
    )
    raise ProgramError([Finding("NC501", message, help="`netcfg eval` takes samples of all its sources")])


def _given(program: Program, data: Data) -> tuple[int, dict[str, FieldSpec]]:
    """The fields that a frame is given as, pictures and flow, and before which transform they stand.

    That is the first one from which on pictures are enough: what makes a picture out of more, such as a face and where
    its points lie, is not done to a frame, which is taken for what is made. Raises `ProgramError` where there is none.
    """
    first = next(
        (place for place, one in enumerate(data.transforms) if not one.extends_source), len(data.transforms)
    )
    fields: Mapping[str, FieldSpec] = data.source.fields()
    stages = [fields]
    for step in data.transforms:
        fields = step.fields_in(fields, False)
        stages.append(fields)
    for place in range(first, len(stages)):
        specs = {name: stages[place][name] for name in data.needed[place]}
        if specs and all(map(_is_picture, specs.values())):
            if place > first:
                made = [one for one in data.transforms[first:place] if isinstance(one, Transform)]
                left = ", ".join(f"[{one.type_name}]" for one in made)
                say(f"pictures are taken for what {left} in {{Data}} of {program.name} makes")
            return place, specs
    name, spec = next((name, spec) for name, spec in sample_fields(data).items() if not _is_picture(spec))
    message = (
        f"{program.name} reads `{name}` ({spec}), which a picture alone does not give: it can be evaluated, not used "
        "to predict"
    )
    help = "`netcfg eval` takes labelled data"
    if data.source.rows_of:
        help = f"`netcfg predict RUN FILE{data.source.rows_of[0]}` takes it from a file"
    raise ProgramError([Finding("NC501", message, help=help)])


def _is_picture(spec: FieldSpec) -> bool:
    """Whether it is a picture, a clip of pictures, or flow."""
    return (
        spec.kind in ("image", "flow")
        and len(spec.shape) == 3
        or spec.kind == "image"
        and len(spec.shape) == 4
    )


def _box_of(
    corners: NDArray[np.float64],
    moved: NDArray[np.float64],
    seen: tuple[int, ...],
    size: tuple[int, int],
) -> Box | None:
    """The edges of a picture of size `seen` in a frame, whose corners (left ones first) have `moved`.

    None where the frame was turned or bent, or where the picture is the whole frame.
    """
    edges: list[tuple[float, float]] = []
    for axis, (low, high) in enumerate(((0, 2), (0, 1))):
        other = 3
        distance = corners[high, axis] - corners[low, axis]
        if distance <= 0:
            return None
        scale = (moved[high, axis] - moved[low, axis]) / distance
        expected = moved[low, axis] + (corners[other, axis] - corners[low, axis]) * scale
        if scale <= 0 or abs(moved[other, axis] - expected) > 0.5:
            return None
        start = float(corners[low, axis] + 0.5 - (moved[low, axis] + 0.5) / scale)
        edges.append((start, start + float(seen[1 - axis] / scale)))
    (left, right), (top, bottom) = edges
    whole = np.allclose([left, top], 0, atol=0.01) and np.allclose([right, bottom], size[::-1], atol=0.01)
    return None if whole else (left, top, right, bottom)


def _length_of(pictures: Mapping[str, FieldSpec]) -> int | None:
    """How many frames a clip of them has; 0: as many as there are; None where they are single pictures."""
    clips = {name: spec for name, spec in pictures.items() if len(spec.shape) == 4}
    if not clips:
        return None
    lengths = {spec.shape[0] if isinstance(spec.shape[0], int) else 0 for spec in clips.values()}
    if len(clips) < len(pictures) or len(lengths) > 1:
        raise ProgramError(
            [
                Finding(
                    "NC501",
                    f"networks read {', '.join(f'`{name}` ({spec})' for name, spec in pictures.items())}: clips of one "
                    "length and nothing else can be predicted",
                    help="`netcfg eval` takes labelled data",
                )
            ]
        )
    return lengths.pop()


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
Prepared = list[tuple[Frame, list[Sample]]]


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
    keeps_pictures: bool = True,
) -> Iterator[Prediction]:
    """The same of several clips, one after the other; a batch may hold frames of several. `named` gives `file`.

    Without `keeps_pictures` the frames of predictions are as large, and black: nobody looks at them.
    """
    wanted = tuple({one.flow: None for one in predictors if one.flow is not None})
    prepared = (
        (
            frame if keeps_pictures else _black(frame),
            [one.prepare(frame, flows.get(one.flow) if one.flow else None) for one in predictors],
        )
        for clip in clips
        for frame, flows in _until_error(with_flow(clip, wanted), clip)
    )
    size = _pixels if keeps_pictures else lambda item: 0
    for batch in ahead(batches(prepared, batch_size, _sizes, size), WAITING_BATCHES):
        for made in _predicted(predictors, batch):
            yield replace(made, file=named(made.frame))


def _black(frame: Frame) -> Frame:
    """A frame of the same size that takes no memory."""
    return frame._replace(image=np.broadcast_to(np.uint8(0), frame.image.shape))


def _pixels(item: tuple[Frame, object]) -> int:
    return int(item[0].image.shape[0]) * int(item[0].image.shape[1])


def _until_error(
    items: Iterator[tuple[Frame, Flows]], clip: Iterable[Frame]
) -> Iterator[tuple[Frame, Flows]]:
    """The same; where they break off, and the clip's errors are only to be told, the next clip follows."""
    try:
        yield from items
    except NetcfgError as error:
        if not isinstance(clip, Frames) or clip.on_error is None:
            raise
        clip.on_error(error)


def _sizes(item: tuple[Frame, list[Sample]]) -> object:
    """What frames of one batch have in common: pictures that networks take at any size may differ in it."""
    return [[np.shape(array) for array in sample.values()] for sample in item[1]]


def _predicted(predictors: Sequence[Predictor], batch: Prepared) -> Iterator[Prediction]:
    columns: list[tuple[Predictor, Answer, Values]] = []
    for place, one in enumerate(predictors):
        made = one.predict([samples[place] for _, samples in batch])
        columns += [(one, answer, values) for answer, values in zip(one.answers, made, strict=True)]
    for row, (frame, _) in enumerate(batch):
        yield Prediction(
            frame, tuple((_in_frame(one, answer, frame), values[row]) for one, answer, values in columns)
        )


def _in_frame(one: Predictor, answer: Answer, frame: Frame) -> Answer:
    """An answer with what was seen of a frame, where it speaks of places."""
    if answer.kind not in ("mask", "map", "points"):
        return answer
    return replace(answer, box=one.box(*frame.image.shape[:2]))


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
    items: Iterable[T],
    size: int,
    alike: Callable[[T], object] = lambda item: None,
    pixels: Callable[[T], int] = lambda item: 0,
) -> Iterator[list[T]]:
    """Lists of `size` items that are `alike`; shorter ones before one that is not, at the end, at an error."""
    batch: list[T] = []
    held = 0
    try:
        for item in items:
            held += pixels(item)
            if batch and (held > MOST_PIXELS or alike(batch[0]) != alike(item)):
                yield batch
                batch, held = [], pixels(item)
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch, held = [], 0
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
