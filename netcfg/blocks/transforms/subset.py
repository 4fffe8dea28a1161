"""A part of the training samples."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import Transform

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class Subset(Transform, name="subset"):
    """Train on so many of the training samples alone, drawn once, to learn how much data a network needs.

    Of one seed, those of a smaller number are among those of a larger one. It stands right below the source, or below
    what adds to its samples, such as flow.
    Source: FG-Net, which is trained on 100, 1,000, 5,000 and 10,000 frames.
    Example::

        [subset]
        samples = 100
    """

    extends_source: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    samples: Annotated[int, Option(ge=1)] | None = Option(description="how many; None: all of them")
    seed: Annotated[int, Option(ge=0, lt=2**32)] = Option(0, description="of which ones")
    when: Literal["train", "always"] = Option("train", description="in training only, or in all splits")

    def extend(self, samples: "Samples", wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> "Samples":
        """The samples that are drawn. Raises `NetcfgError` where there are fewer."""
        from netcfg.datasets.samples.subset import drawn_from

        return samples if self.samples is None else drawn_from(samples, self.samples, self.seed)
