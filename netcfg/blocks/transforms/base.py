"""What a transform of samples or batches is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import FieldKind, FieldSpec, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from netcfg.blocks.samples import Samples


class DataStep(Section):
    """What may stand below a source in `{Data}`: a transform or a sampler."""

    group: ClassVar[Group] = "data"
    extends_source: ClassVar[bool] = False
    """Whether it makes other samples of those of the source, before any is changed; comes first."""
    follows_source: ClassVar[bool] = False
    """Whether nothing may stand between it and the source, not even what adds copies."""

    when: Literal["train", "always"] = Option("always", description="in training only, or always")

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
        return training or self.when == "always"


class Transform(DataStep):
    """A step that changes samples. `per_sample` ones run in the workers, the others on whole batches.

    `only` restricts it to some fields; by default it applies to every field of the kinds it can change. One that adds
    to the samples of a source what no single one tells, such as flow, says `extends_source` and wraps them (`extend`).
    """

    family: ClassVar[str] = "transform"
    per_sample: ClassVar[bool] = True

    only: tuple[str, ...] | None = Option(
        None, description="the fields it changes; all that it can by default"
    )

    def asked_fields(self) -> Mapping[str, tuple[str, ...]]:
        """Those of `only`."""
        return {"only": self.only or ()}

    def bypass(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any] | None":
        """What stands in its place in the splits that `when` leaves alone; None for nothing."""
        return None

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
        `(batch: dict[str, Tensor]) -> dict`, images as N×C×H×W tensors on the training device.
        """
        raise NotImplementedError


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


def picture_size(fields: Mapping[str, FieldSpec]) -> tuple[int, int]:
    """Height and width that landmarks refer to: those of the first picture; (0, 0) where there is none."""
    for spec in fields.values():
        if spec.kind in ("image", "flow"):
            height, width = spec.shape[-2:]
            if isinstance(height, int) and isinstance(width, int):
                return height, width
    return 0, 0
