"""A part of one picture in another."""

from typing import TYPE_CHECKING

from netcfg.blocks.transforms.mixing import Mixing

if TYPE_CHECKING:
    from netcfg.datasets.transforms.mixing import Mixture


class Cutmix(Mixing, name="cutmix"):
    """Put a drawn rectangle of another picture into each picture of a batch, and mix their labels by its area.

    The other one is the sample before it in the batch; all of a batch have one rectangle, in all frames of a clip. It
    works on whole batches, so that it stands below all that changes single samples. A loss compares with the mixed
    labels.
    Fields: `soft_class` (of `labels = class`), a probability for each class.
    Source: Yun et al., "CutMix", 2019, as torchvision's CutMix has it.
    Example::

        [cutmix]
        labels = emotion
    """

    def mixture(self) -> "Mixture":
        """A rectangle."""
        from netcfg.datasets.transforms.mixing import Cut

        return Cut()
