"""Transforms that make more of few pictures, and the sampling that chooses which an epoch shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.data import Probability, targets
from netcfg.blocks.kinds import FieldSpec, PositiveInt, Transform
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

Factor = Annotated[float, Option(ge=0, le=10)]


class ColorJitter(Transform, name="color_jitter"):
    """Change brightness, contrast and saturation by random factors, the same for all pictures of a sample.

    Brightness scales from black, contrast from the mean grey, saturation from each pixel's grey; every step is
    clipped and rounded to 8 bits. Their order is drawn for each sample, as in torchvision. Flow stays.
    Source: AUDetNet's augmentation; torchvision's ColorJitter, without hue.
    Example::

        [color_jitter]
        probability = 0.9
        saturation = 0, 1.5
    """

    probability: Probability = Option(0.9, description="how likely a sample is changed")
    brightness: tuple[Factor, ...] = Option((0.5, 1.5), description="factors from, to; 1 changes nothing")
    contrast: tuple[Factor, ...] = Option((0.5, 1.5), description="factors from, to; 0 is all grey")
    saturation: tuple[Factor, ...] = Option((0.0, 1.5), description="factors from, to; 0 is without colour")
    order: Literal["random", "fixed"] = Option(
        "random", description="of the three; fixed: brightness, contrast, saturation"
    )
    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def conflict(self) -> str | None:
        """Two factors each, the smaller one first."""
        for key in ("brightness", "contrast", "saturation"):
            factors = getattr(self, key)
            if len(factors) != 2 or factors[0] > factors[1]:
                written = ", ".join(f"{factor:g}" for factor in factors)
                return f"needs the smallest and the largest factor as `{key}`, and has {written}"
        return None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for pictures that have no three colours."""
        for name in targets(self, fields, ("image",)):
            if fields[name].shape[-3] != 3:
                raise ShapeError(f"needs pictures of 3 channels, and `{name}` has {fields[name].shape[-3]}")
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.augmentation import JitterSample

        return JitterSample(
            pictures=targets(self, fields, ("image",)),
            probability=self.probability,
            brightness=(self.brightness[0], self.brightness[1]),
            contrast=(self.contrast[0], self.contrast[1]),
            saturation=(self.saturation[0], self.saturation[1]),
            any_order=self.order == "random",
        )


class Noise(Transform, name="noise"):
    """Copy a picture field to a new one, with noise: what a network is to see and undo.

    The new picture is round(x + 255 · factor · N(0, 1)), clipped to 8 bits, with one factor per sample, drawn from
    0 to `amount`. In the splits without noise the new field is a plain copy. What changes both alike,
    such as a flip, stands before it.

    Fields: `output`, of the shape of `input`.
    Source: AUDetNet, whose encoder sees noisy pictures and whose decoder gives clean ones.
    Example::

        [noise]
        input = image
        output = noisy_image
        amount = 0.015
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    input: str = Option("image", description="the picture field to copy")
    output: str = Option("noisy_image", description="the name of the copy; `input` itself: no copy is kept")
    amount: Annotated[float, Option(gt=0, le=1)] = Option(
        0.015, description="the largest deviation of the noise, where the pictures' range is 1"
    )
    when: Literal["train", "always"] = Option("train", description="noise in training only, or always")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the copy. Raises `ShapeError` where there is no such picture, or the new name is taken."""
        spec = fields.get(self.input)
        if spec is None or spec.kind != "image":
            pictures = [name for name, known in fields.items() if known.kind == "image"]
            raise ShapeError(
                f"copies the picture field `{self.input}`, which the data do not have",
                option="input",
                help=did_you_mean(self.input, pictures),
            )
        if self.output in fields and self.output != self.input:
            raise ShapeError(
                f"would overwrite the field `{self.output}`", option="output", help="give it another name"
            )
        return {**fields, self.output: spec}

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The picture it copies, in place of the copy."""
        return tuple(dict.fromkeys(self.input if name == self.output else name for name in wanted))

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.augmentation import NoiseSample

        return NoiseSample(self.input, self.output, self.amount)

    def bypass(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """The copy without noise."""
        from netcfg.datasets.augmentation import NoiseSample

        return NoiseSample(self.input, self.output, 0.0)


class Momu(Transform, name="momu"):
    """Choose the frames of each training epoch so that every action unit is shown about equally often.

    Classes are the action units and neutral, frames that show none. An epoch draws `sampling_size` frames at a time
    of the class that it has shown least so far, out of those not drawn yet; a class with too few left gets all of
    its frames back. What is left carries over to the next epoch. The list is then shuffled as `[training]` says.
    Other splits are not touched, nor are fields.
    Source: AUDetNet's multi-label sampling (`balance_dataset_with_momu`).
    Example::

        [momu]
        epoch_size = 24000
        sampling_size = 12
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only", "when"})

    epoch_size: PositiveInt = Option(description="samples of an epoch")
    sampling_size: PositiveInt = Option(description="frames drawn of a class at a time; divides epoch_size")
    labels: str = Option("labels", description="the field of labels to balance")
    active_above: float | None = Option(
        None,
        description="the label above which a unit is shown; None: 0.5, or 2 of 5 where they are intensities",
    )

    def conflict(self) -> str | None:
        """An epoch is a whole number of draws."""
        rest = self.epoch_size % self.sampling_size
        if not rest:
            return None
        nearest = max(self.epoch_size - rest, self.sampling_size)
        return (
            f"draws {self.sampling_size} frames at a time, which does not divide the {self.epoch_size} of an epoch: "
            f"write for example `epoch_size = {nearest}`"
        )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such labels."""
        spec = fields.get(self.labels)
        if spec is None or spec.kind != "vector":
            vectors = [name for name, known in fields.items() if known.kind == "vector"]
            raise ShapeError(
                f"balances the labels `{self.labels}`, which the data do not have",
                option="labels",
                help=did_you_mean(self.labels, vectors),
            )
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """Leaves samples as they are: it is the pipeline that asks it for an epoch's list."""
        return _unchanged


class Oversample(Transform, name="oversample"):
    """Make the training list longer: moved copies of the rarer class, and a mirrored copy of every sample.

    With `balance = jitter` the class with fewer samples (those that show the action unit, or those that do not) is
    topped up with copies whose face box is moved by an eighth of its width or height: to the right, left, down, up,
    right and down, right and up. The class is walked once for each of these ways, until both are equal or the ways
    run out. A moved box is clipped at the edge of the frame; a source whose frames show nothing but the face clips it
    at the edge of the picture. Then, with `mirror`, each line is followed by its mirrored copy, in which
    horizontal flow changes its sign.

    It stands right below the source, or below its flow. A source that lists such copies already stays as it is.
    Source: AUNets, which writes these copies (`Jitter_0` to `Jitter_5`, `_flip`) and lists to disk, per unit and fold.
    Example::

        [oversample]
        balance = jitter
        mirror = True
    """

    extends_source: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    balance: Literal["jitter", "none"] = Option(
        "none", description="`jitter`: top up the rarer class with moved copies; of a single action unit"
    )
    mirror: bool = Option(False, description="add a mirrored copy of every sample")
    labels: str = Option("labels", description="the field of labels to balance")
    active_above: float = Option(0.5, description="`jitter`: the label above which the unit is shown")
    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no labels of one unit, or landmarks would stay behind."""
        spec = fields.get(self.labels)
        if self.balance == "jitter" and (spec is None or spec.shape != (1,)):
            found = "which the data do not have" if spec is None else f"and they have {spec}"
            raise ShapeError(
                f"balances one action unit, by the labels `{self.labels}` with one number, {found}",
                option="balance",
                help="one number as `action_units`, or `balance = none`",
            )
        return dict(fields)

    def extend(self, samples: Any, wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> Any:
        """The longer list."""
        from netcfg.datasets.oversample import oversampled

        return oversampled(
            samples,
            kinds={name: fields[name].kind for name in wanted},
            balanced_by=self.labels if self.balance == "jitter" else None,
            active_above=self.active_above,
            mirror=self.mirror,
        )


def _unchanged(sample: Any, random: Any) -> Any:
    return sample
