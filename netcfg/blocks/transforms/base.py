"""What a transform of samples or batches is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section, ShapeError
from netcfg.blocks.fields import FieldKind, FieldSpec, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from netcfg.blocks.samples import Samples


When = Literal["train", "evaluation", "always"]
PICTURES: tuple[FieldKind, ...] = ("image", "flow", "mask", "map")
"""The kinds of fields whose last two axes are height and width."""
WHEN = "in training only, outside of it only, or always"


Least: TypeAlias = "Callable[[tuple[int, int], Generator], tuple[float, float]]"


class DataStep(Section):
    """What may stand below a source in `{Data}`: a transform or a sampler."""

    group: ClassVar[Group] = "data"
    extends_source: ClassVar[bool] = False
    """Whether it makes other samples of those of the source, before any is changed; comes first."""
    follows_source: ClassVar[bool] = False
    """Whether nothing may stand between it and the source, not even what adds copies."""

    when: When = Option("always", description=WHEN)
    source: str | None = Option(None, description="of several sources the one whose samples it changes")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """The fields after it. Raises `ShapeError` where it cannot take one."""
        return dict(fields)

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The fields it must be given so that the `wanted` ones stand after it."""
        return tuple(wanted)

    def asked_fields(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that its options ask for by name, by option."""
        return {}

    def applies(self, training: bool) -> bool:
        """Whether it does anything in a split that is trained on, or in another."""
        return self.when == "always" or (self.when == "train") == training

    def fields_in(self, fields: Mapping[str, FieldSpec], training: bool) -> dict[str, FieldSpec]:
        """The fields after it in a split that is trained on, or in another; as `fields`."""
        return self.fields(fields) if self.applies(training) or self.stands_in(fields) else dict(fields)

    def spoils(self, fields: Mapping[str, FieldSpec]) -> Mapping[str, str]:
        """The fields that no longer belong to the pictures beside them after it, each with what there is instead."""
        return {}

    def stands_in(self, fields: Mapping[str, FieldSpec]) -> bool:
        """Whether something else makes the same fields where it does not apply itself."""
        return False


class Transform(DataStep):
    """A step that changes samples. `per_sample` ones run in the workers, the others on whole batches.

    `only` restricts it to some fields; by default it applies to every field of the kinds it can change. One that adds
    to the samples of a source what no single one tells, such as flow, says `extends_source` and wraps them (`extend`).
    """

    family: ClassVar[str] = "transform"
    per_sample: ClassVar[bool] = True
    draws_batch: ClassVar[bool] = False
    """Whether its callable of batches is given a generator, too, of numbers that hang on the batch alone."""

    only: tuple[str, ...] | None = Option(
        None, description="the fields it changes; all that it can by default"
    )

    def asked_fields(self) -> Mapping[str, tuple[str, ...]]:
        """Those of `only`."""
        return {"only": self.only or ()}

    def least(self) -> "Least | None":
        """To what pictures are brought down, where that is all of them that it looks at; None: all pixels matter.

        A callable of a picture's height and width, and of a generator as `lower`'s is given, from which as much is
        drawn; it gives height and width to which the whole picture may be brought before, and nothing is lost.
        """
        return None

    def is_still(self) -> bool:
        """Whether it neither looks at pixels nor draws: then what stands below it says how large pictures must be."""
        return False

    def bypass(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any] | None":
        """What stands in its place in the splits that `when` leaves alone; None for nothing."""
        return None

    def stands_in(self, fields: Mapping[str, FieldSpec]) -> bool:
        """Whether there is a bypass, or it is for whole samples of a source."""
        return self.extends_source or self.bypass(fields) is not None

    def in_split(self, split: Split) -> "Transform":
        """The transform as it is in one split."""
        return self

    def extend(self, samples: "Samples", wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> "Samples":
        """The samples with what it adds, of which `wanted` is needed; `fields` are those of the source."""
        raise NotImplementedError

    def look(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any] | None":
        """What a step on batches has a worker do with each sample before: look at it, and raise `SampleError`.

        A callable as those of samples. On the device one would have to wait for the answer in every step.
        """
        return None

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A picklable callable.

        Per sample: `(sample: Sample, random: np.random.Generator) -> Sample`. Per batch:
        `(batch: dict[str, Tensor]) -> dict`, images as N×C×H×W tensors on the training device; with `draws_batch`
        `(batch, random: np.random.Generator) -> dict`.
        """
        raise NotImplementedError


class Augmentation(Transform):
    """A transform that changes each sample by a draw: in training only, unless it is told otherwise.

    All fields of a sample are changed by one draw. Views of `[views]`, and with `each_field` all pictures, have draws
    of their own; see `callable_of`.
    """

    each_field: bool = Option(
        False,
        description="each picture field by a draw of its own; masks, flow and landmarks go with the first",
    )
    when: When = Option("train", description=WHEN)


@dataclass(frozen=True, eq=False, repr=False)
class InTurn:
    """Callables of samples, or of batches, one after another."""

    steps: tuple["Callable[..., Any]", ...]

    def __call__(self, given: Any, *random: Any) -> Any:
        """What the last one gives."""
        for step in self.steps:
            given = step(given, *random)
        return given


def callable_of(transform: Transform, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
    """What `lower` gives; where fields have draws of their own, one callable for all of them in turn."""
    groups = _drawn_together(transform, fields)
    if len(groups) < 2 or "only" in transform.unavailable:
        return transform.lower(fields)
    return InTurn(tuple(transform.model_copy(update={"only": names}).lower(fields) for names in groups))


def least_of(
    transforms: Iterable[DataStep], fields: Mapping[str, FieldSpec], training: bool
) -> "Least | None":
    """To what pictures may be brought before all else; None where that is not known, or they stay as they are."""
    for step in transforms:
        if not step.applies(training) or not isinstance(step, Transform):
            continue
        if step.extends_source:
            return None
        found = None if step.only else step.least()
        if found is not None:
            draws = len(_drawn_together(step, fields))
            return LargestOf(found, draws)
        if not step.is_still():
            return None
        fields = step.fields(fields)
    return None


@dataclass(frozen=True, eq=False, repr=False)
class LargestOf:
    """The largest that several draws in turn ask for."""

    least: "Least"
    draws: int

    def __call__(self, size: tuple[int, int], random: "Generator") -> tuple[float, float]:
        """Height and width."""
        heights, widths = zip(*(self.least(size, random) for _ in range(self.draws)), strict=True)
        return max(heights), max(widths)


def _drawn_together(transform: Transform, fields: Mapping[str, FieldSpec]) -> list[tuple[str, ...]]:
    """The fields that a transform may change, those of one draw together."""
    apart = isinstance(transform, Augmentation) and transform.each_field
    groups: dict[tuple[int, str | None], list[str]] = {}
    first: dict[int, str] = {}
    for name, spec in fields.items():
        if transform.only and name not in transform.only:
            continue
        own = None
        if apart and spec.kind == "image" and first.setdefault(spec.view, name) != name:
            own = name
        groups.setdefault((spec.view, own), []).append(name)
    return [tuple(names) for names in groups.values()]


def targets(
    transform: Transform, fields: Mapping[str, FieldSpec], kinds: Sequence[FieldKind]
) -> tuple[str, ...]:
    """The fields of these kinds that a transform changes. `only` limits them."""
    return tuple(
        name
        for name, spec in fields.items()
        if spec.kind in kinds and (not transform.only or name in transform.only)
    )


def misplaced(steps: Iterable[DataStep]) -> Transform | None:
    """The first transform of single samples that stands after one of whole batches, where it cannot run."""
    batched = False
    for step in steps:
        if isinstance(step, Transform):
            if batched and step.per_sample:
                return step
            batched = batched or not step.per_sample
    return None


def expect_pictures(transform: Transform, fields: Mapping[str, FieldSpec]) -> None:
    """Refuse, by a `ShapeError`, landmarks without any picture that tells where they lie."""
    points = targets(transform, fields, ("landmarks",))
    if points and not any(spec.kind in PICTURES for spec in fields.values()):
        raise ShapeError(
            f"moves the landmarks `{points[0]}` with a picture, and the data have none",
            help="take it out, or have a picture beside them",
        )


def picture_size(fields: Mapping[str, FieldSpec]) -> tuple[int, int]:
    """Height and width that landmarks refer to: those of the first picture; (0, 0) where nobody knows them."""
    for spec in fields.values():
        if spec.kind in PICTURES:
            height, width = spec.shape[-2:]
            if isinstance(height, int) and isinstance(width, int):
                return height, width
    return 0, 0
