"""What a source opens: samples, and the table of what is known of them before a picture is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

Sample: TypeAlias = "dict[str, NDArray[Any]]"
"""One sample: an array for each field. Pictures are uint8 H×W×3 RGB, vectors float32, classes int64."""


@dataclass(frozen=True, eq=False)
class SampleTable:
    """What is known of the samples of a split without opening a picture, in their order.

    Shapes: `ids` N names; `subjects`, `clips` and `frames` N whole numbers, None where samples have none. `labels` has
    what each field of labels holds, N×K of a vector, N of a class; `names` what the K entries or classes are called.
    A label counts as shown above `active_above`. `has_copies`: moved or mirrored copies are among the samples already.
    """

    ids: Sequence[str]
    subjects: "NDArray[np.int64] | None" = None
    clips: "NDArray[np.int64] | None" = None
    frames: "NDArray[np.int64] | None" = None
    labels: "Mapping[str, NDArray[Any]]" = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    active_above: float = 0.5
    has_copies: bool = False

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, chosen: Sequence[int]) -> "SampleTable":
        """The table of some of the samples, in this order; one may be chosen several times."""
        return replace(
            self,
            ids=tuple(self.ids[row] for row in chosen),
            subjects=None if self.subjects is None else self.subjects[list(chosen)],
            clips=None if self.clips is None else self.clips[list(chosen)],
            frames=None if self.frames is None else self.frames[list(chosen)],
            labels={name: values[list(chosen)] for name, values in self.labels.items()},
        )


@runtime_checkable
class Samples(Protocol):
    """A map-style data set of one split: what `Source.open` returns."""

    @property
    def table(self) -> SampleTable:
        """What is known of them without opening a picture."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def only(self, fields: Sequence[str]) -> "Samples":
        """The same samples with other fields of the source; whatever these need is opened."""
        ...


class FramePair(NamedTuple):
    """Two frames of a clip that follow each other: a sample's own and the next one.

    The last frame of a clip has none after it, and so has the pair of the frame before.

    `key` identifies their content: path, size and time of change of both files, or seed and place.
    `first`, `second` give the whole frames, uint8 H×W×3, RGB; they are called only where the motion is not known yet.
    `crop` is the box (first row, row after the last, first column, column after the last) that the sample shows of
    its frame; None for all of it.
    """

    key: str
    first: "Callable[[], NDArray[np.uint8]]"
    second: "Callable[[], NDArray[np.uint8]]"
    crop: tuple[int, int, int, int] | None = None


@runtime_checkable
class ClipSamples(Samples, Protocol):
    """Samples that are frames of clips, as those of a source with `has_clips` are."""

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample; `jitter` (0 to 5) moves the box that it shows."""
        ...

    def with_frames(self) -> "ClipSamples":
        """The same, able to give whole frames: where that takes a while (videos), it is done here."""
        ...

    def with_flow(self) -> Samples | None:
        """The same with the field `flow` out of files; None where there are no such files."""
        ...


@runtime_checkable
class MovableSamples(Samples, Protocol):
    """Samples that are cut out of larger frames, and so can be cut out anew a little beside."""

    def jittered(self, index: int, jitter: int | None) -> Sample:
        """A sample with its face box moved in one of six ways (0 to 5), or as it is (None)."""
        ...


@runtime_checkable
class RandomSamples(Samples, Protocol):
    """Samples that are others each time they are shown."""

    def at_random(self, index: int, random: "Generator") -> Sample:
        """A sample, made with these random numbers."""
        ...


@runtime_checkable
class ReducibleSamples(Samples, Protocol):
    """Samples whose pictures can be had smaller, where they will be brought down anyway."""

    def at_least(self, index: int, least: "Callable[[tuple[int, int]], tuple[float, float]]") -> Sample:
        """A sample; `least` says, of its picture's height and width, those to which it will be brought."""
        ...


@runtime_checkable
class FiledSamples(Samples, Protocol):
    """Samples that know their files."""

    def files(self) -> Sequence[str] | None:
        """The files of all samples, all that these are made of but for their labels; None where it is not so simple."""
        ...

    def made_by(self) -> str:
        """How a sample is made of its file, in words that are others where it is made otherwise."""
        ...


@runtime_checkable
class RaggedSamples(Samples, Protocol):
    """Samples that are rows of frames or tokens, each as long as it is."""

    def lengths(self) -> "NDArray[np.int64]":
        """How many each sample has."""
        ...


class Draw(NamedTuple):
    """What an epoch shows: a sample, how its face box is moved (0 to 5; None: as it is), whether it is mirrored."""

    sample: int
    jitter: int | None = None
    mirrored: bool = False
