"""The sections of `{Data}`: where samples come from, and what is done to them on the way to a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option
from pydantic import field_validator
from pydantic_core import PydanticCustomError

from netcfg.blocks.base import ShapeError
from netcfg.blocks.flow_choices import FlowMethod
from netcfg.blocks.kinds import FieldKind, FieldSpec, PositiveInt, Source, Split, Transform
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from collections.abc import Callable

FACE_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)
AU_SETS = {
    "bp4d": (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24),
    "disfa": (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26),
    "disfa8": (1, 2, 4, 6, 9, 12, 25, 26),
}
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

ImageSize = Annotated[int, Option(ge=16, le=4_096)]
Probability = Annotated[float, Option(ge=0, le=1)]


def unit_numbers(written: tuple[str, ...]) -> tuple[int, ...]:
    """Action units by number: those of a named set, or the numbers as written."""
    return AU_SETS.get(written[0]) or tuple(int(item) for item in written)


def active_label(is_intensity: bool) -> float:
    """Above which label a unit counts as shown: half, or of intensities divided by 5 that of 2."""
    return 2 / 5 if is_intensity else 0.5


def known_action_units(written: tuple[str, ...]) -> tuple[str, ...]:
    """The name of a set, or different numbers of units that are known; raises what pydantic reports."""
    if len(written) == 1 and written[0].lower() in AU_SETS:
        return (written[0].lower(),)
    known = [str(unit) for unit in FACE_AUS]
    if len(set(written)) < len(written) or not set(written) <= set(known):
        sets = ", ".join(f"`{name}`" for name in AU_SETS)
        raise PydanticCustomError("unknown_unit", f"{sets}, or different numbers out of {', '.join(known)}")
    return written


class SyntheticFaces(Source, name="synthetic_faces"):
    """Drawn faces that move their action units; made on the spot, nothing to download.

    Each subject plays some clips: action units rise and fall, an emotion shows. Labels and the 68 points are
    exact by construction. Splits are by subject: each of `folds` folds leaves other subjects to the test,
    and `validation_share` of the rest to validation.

    Fields: `image` and `flow` 3×S×S, `frames` T×3×S×S, `labels` and `intensities` one per action unit,
    `emotion`, `subject` and `clip` a class, `landmarks` 68×2 in pixels (x, y).
    Source: netcfg's own; the action units of BP4D, of DISFA, and the eight of DISFA that are mostly reported.
    Example::

        [synthetic_faces]
        subjects = 24
        image_size = 64
        action_units = 6, 12
    """

    has_clips: ClassVar[bool] = True

    subjects: Annotated[int, Option(ge=3, le=100_000)] = Option(24, description="how many people")
    clips: PositiveInt = Option(4, description="clips of each subject")
    clip_length: Annotated[int, Option(ge=2, le=100_000)] = Option(16, description="frames of a clip")
    image_size: ImageSize = Option(224, description="height and width of the pictures, in pixels")
    action_units: tuple[str, ...] = Option(
        ("bp4d",), description="`bp4d`, `disfa`, `disfa8`, or the numbers of action units"
    )
    occurrence_threshold: Annotated[int, Option(ge=1, le=5)] = Option(
        2, description="the intensity (0 to 5) from which an action unit counts as present"
    )
    labels_are_intensities: bool = Option(
        False, description="labels are the intensities divided by 5, from 0 to 1, not 0 or 1"
    )
    labels_are_motion: bool = Option(
        False,
        description="each unit grows over a clip or fades, the one as the other played backwards, and its label says "
        "which: a single frame tells nothing of it",
    )
    emotions: Annotated[int, Option(ge=7, le=8)] = Option(7, description="with contempt (8) or without (7)")
    frames: PositiveInt = Option(3, description="how many of a clip the field `frames` shows")
    flow_method: FlowMethod = Option("dis", description="how optical flow is found")
    folds: Annotated[int, Option(ge=2, le=1_000)] = Option(
        3, description="in how many parts the subjects fall"
    )
    fold: Annotated[int, Option(ge=0)] = Option(0, description="the part that is the test split, from 0")
    validation_share: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.25, description="the part of the other subjects that is the validation split"
    )
    seed: Annotated[int, Option(ge=0, lt=2**31)] = Option(0, description="of the subjects and what they do")
    wanted: tuple[str, ...] | None = Option(
        None, alias="fields", description="the fields to make; those that are used by default"
    )

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return known_action_units(written)

    def conflict(self) -> str | None:
        """Every split needs a subject; a clip has no more frames than it has; fields must exist."""
        unknown = [name for name in self.wanted or () if name not in self._all_fields()]
        if unknown:
            return (
                f"has no field `{unknown[0]}`; it has {', '.join(f'`{name}`' for name in self._all_fields())}"
            )
        if self.labels_are_intensities and self.labels_are_motion:
            return "takes one of `labels_are_intensities` and `labels_are_motion`, and has both"
        if self.fold >= self.folds:
            return f"has the folds 0 to {self.folds - 1}, and `fold` is {self.fold}"
        tested = len(range(self.fold, self.subjects, self.folds))
        if tested < 1 or self.subjects - tested < 2:
            return (
                f"has {self.subjects} subjects in {self.folds} folds, too few for training, validation "
                "and test to have one each"
            )
        if self.frames > self.clip_length:
            return f"is to give {self.frames} frames of clips that have {self.clip_length}"
        return None

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels."""
        return unit_numbers(self.action_units)

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown: half, or an intensity of 2 (of 5)."""
        return active_label(self.labels_are_intensities)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give, or the ones listed in `fields`."""
        made = self._all_fields()
        return made if self.wanted is None else {name: made[name] for name in self.wanted}

    def _all_fields(self) -> dict[str, FieldSpec]:
        size = self.image_size
        names = tuple(f"AU{unit}" for unit in self.units)
        return {
            "image": FieldSpec((3, size, size), "image"),
            "flow": FieldSpec((3, size, size), "flow"),
            "frames": FieldSpec((self.frames, 3, size, size), "image"),
            "labels": FieldSpec((len(names),), "vector", names),
            "intensities": FieldSpec((len(names),), "vector", names),
            "emotion": FieldSpec((), "class", EMOTIONS[: self.emotions]),
            "landmarks": FieldSpec((68, 2), "landmarks"),
            "subject": FieldSpec((), "class"),
            "clip": FieldSpec((), "class"),
        }

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """The data set of one split; drawn when asked for."""
        from netcfg.datasets.synthetic_faces import SyntheticFaces as Faces

        try:
            return Faces(
                split=split,
                fields=tuple(fields),
                subjects=self.subjects,
                clips=self.clips,
                clip_length=self.clip_length,
                image_size=self.image_size,
                action_units=self.units,
                occurrence_threshold=self.occurrence_threshold,
                labels_are_intensities=self.labels_are_intensities,
                labels_are_motion=self.labels_are_motion,
                emotions=self.emotions,
                frames=self.frames,
                flow_method=self.flow_method,
                folds=self.folds,
                fold=self.fold,
                validation_share=self.validation_share,
                seed=self.seed,
            )
        except ValueError as error:
            raise NetcfgError(f"[synthetic_faces] {error}") from None


class Resize(Transform, name="resize"):
    """Scale pictures to a fixed size, whatever their proportions; landmarks move along.

    Shapes: (3, H, W) -> (3, size, size); clips frame by frame.
    `lanczos` is Pillow's: three lobes, stretched over as many pixels as there are to one where it shrinks.
    Source: AUNets resizes its face crops to 224×224 in this way, with `lanczos`, flow like any picture.
    Example::

        [resize]
        size = 224
    """

    size: tuple[Annotated[int, Option(ge=1, le=4_096)], ...] = Option(
        description="the new side in pixels, or height, width"
    )
    interpolation: Literal["auto", "nearest", "linear", "area", "lanczos"] = Option(
        "auto", description="between pixels; auto: by area where it shrinks, linear where it grows"
    )

    def conflict(self) -> str | None:
        """One side, or two."""
        return (
            None
            if len(self.size) in (1, 2)
            else f"has {len(self.size)} numbers in `size` for height and width"
        )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Pictures take the new height and width."""
        height, width = self.size[0], self.size[-1]
        changed = targets(self, fields, ("image", "flow"))
        return {
            name: replace(spec, shape=(*spec.shape[:-2], height, width)) if name in changed else spec
            for name, spec in fields.items()
        }

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms import ResizeSample

        return ResizeSample(
            pictures=targets(self, fields, ("image", "flow")),
            points=targets(self, fields, ("landmarks",)),
            source=_picture_size(fields),
            size=(self.size[0], self.size[-1]),
            interpolation=self.interpolation,
        )


class HorizontalFlip(Transform, name="horizontal_flip"):
    """Mirror a sample, all its fields by one draw.

    Pictures are mirrored; in flow the horizontal motion also changes its sign (red, where 127 is no motion);
    landmarks change places with their counterparts of the 68-point scheme. Action units and emotions stay.
    Source: AUNets doubles its training list with mirrored copies (`_flip` folders).
    Example::

        [horizontal_flip]
        probability = 0.5
    """

    probability: Probability = Option(0.5, description="how likely a sample is mirrored")
    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms import FlipSample

        return FlipSample(
            pictures=targets(self, fields, ("image",)),
            flows=targets(self, fields, ("flow",)),
            points=targets(self, fields, ("landmarks",)),
            width=_picture_size(fields)[1],
            probability=self.probability,
        )


class Brightness(Transform, name="brightness"):
    """Make pictures brighter or darker by a random factor, one for all pictures of a sample; flow stays.

    Source: the usual photometric augmentation, e.g. torchvision's ColorJitter.
    Example::

        [brightness]
        amount = 0.2          # factors from 0.8 to 1.2
    """

    amount: Annotated[float, Option(gt=0, le=1)] = Option(
        0.2, description="the farthest a factor may lie from 1"
    )
    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms import BrightenSample

        return BrightenSample(pictures=targets(self, fields, ("image",)), amount=self.amount)


class Normalise(Transform, name="normalise"):
    """Pictures from [0, 1] to (value - mean) / std, per channel, flow like any picture. Stands last.

    Without it, pictures reach a network as numbers from 0 to 1.
    Source: AUNets, which subtracts ImageNet's mean, and divides by its std only when it starts from ImageNet; then its
    validation while training still divides by nothing (`validation_std = 1`).
    Example::

        [normalise]
        mean = 0.485, 0.456, 0.406
        std = 0.229, 0.224, 0.225
    """

    per_sample: ClassVar[bool] = False

    mean: tuple[float, ...] = Option((0.0,), description="subtracted; one number, or one per channel")
    std: tuple[Annotated[float, Option(gt=0)], ...] = Option((1.0,), description="divided by, after that")
    validation_std: tuple[Annotated[float, Option(gt=0)], ...] | None = Option(
        None, description="divided by in the validation split; None: `std`, as in the others"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged shapes. Raises `ShapeError` where the numbers do not fit the channels."""
        for name in targets(self, fields, ("image", "flow")):
            channels = fields[name].shape[-3]
            given = {"mean": self.mean, "std": self.std, "validation_std": self.validation_std or (1.0,)}
            for key, values in given.items():
                if len(values) not in (1, channels):
                    raise ShapeError(
                        f"has {len(values)} numbers in `{key}` for the {channels} channels of `{name}`"
                    )
        return dict(fields)

    def in_split(self, split: Split) -> Normalise:
        """In validation with its own std, where that is written."""
        if split != "validation" or self.validation_std is None:
            return self
        return self.model_copy(update={"std": self.validation_std})

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on batches of float tensors on the training device."""
        from netcfg.datasets.transforms import NormaliseBatch

        return NormaliseBatch(targets(self, fields, ("image", "flow")), self.mean, self.std)


def targets(
    transform: Transform, fields: Mapping[str, FieldSpec], kinds: Sequence[FieldKind]
) -> tuple[str, ...]:
    """The fields of these kinds that a transform changes. `only` limits them."""
    return tuple(
        name
        for name, spec in fields.items()
        if spec.kind in kinds and (not transform.only or name in transform.only)
    )


def misplaced(transforms: Iterable[Transform]) -> Transform | None:
    """The first transform of single samples that stands after one of whole batches, where it cannot run."""
    batched = False
    for transform in transforms:
        if batched and transform.per_sample:
            return transform
        batched = batched or not transform.per_sample
    return None


def _picture_size(fields: Mapping[str, FieldSpec]) -> tuple[int, int]:
    """Height and width that landmarks refer to: those of the first picture; (0, 0) where there is none."""
    for spec in fields.values():
        if spec.kind in ("image", "flow"):
            height, width = spec.shape[-2:]
            if isinstance(height, int) and isinstance(width, int):
                return height, width
    return 0, 0
