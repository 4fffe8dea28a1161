"""Which frames of a clip are shown."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.base import Transform
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class SampleFrames(Transform, name="sample_frames"):
    """Show some frames of a clip, one drawn from each of its parts, instead of all; in training only, by default.

    Clips with fewer frames than parts show frames twice. Evaluation sees whole clips.
    Source: Emotion-FAN, which trains on one frame of each third (`draw = once`, `repeats = frames`), of
    CK+ only of the first three fifths (`within = 0.6`).
    Example::

        [sample_frames]
        parts = 3
    """

    extends_source: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    parts: Annotated[int, Option(ge=1, le=1_000)] = Option(
        3, description="equal parts of a clip; one frame of each"
    )
    within: Annotated[float, Option(gt=0, le=1)] = Option(
        1.0, description="the first part of a clip that is drawn from"
    )
    draw: Literal["epoch", "once"] = Option(
        "epoch", description="anew in each epoch, or once for the whole training"
    )
    repeats: Literal["frames"] | None = Option(
        None, description="`frames`: as many samples of a clip as it has frames; None: one"
    )
    seed: Annotated[int, Option(ge=0, lt=2**32)] = Option(0, description="of what is drawn once")
    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged: a clip's length is known with the clip."""
        if not any(
            spec.axes.startswith("T") and not isinstance(spec.shape[0], int) for spec in fields.values()
        ):
            raise ShapeError("shows some frames of clips, and the data have no clips as long as they are")
        return dict(fields)

    def extend(self, samples: "Samples", wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> "Samples":
        """The samples with some of their frames."""
        from netcfg.datasets.samples.whole_clips import SampledClips, Sampling, WholeClips

        if not isinstance(samples, WholeClips):
            raise NetcfgError(
                "[sample_frames] stands right below a source of whole clips, such as [clip_folder]",
                code="NC112",
            )
        sampling = Sampling(self.parts, self.within)
        return SampledClips(
            samples.only(wanted), sampling, self.seed, self.draw == "once", self.repeats == "frames"
        )
