"""Two pictures shown through each other."""

from typing import TYPE_CHECKING

from netcfg.blocks.transforms.mixing import Mixing

if TYPE_CHECKING:
    from netcfg.datasets.transforms.mixing import Mixture


class Mixup(Mixing, name="mixup"):
    """Show each picture of a batch through another one, both by parts that add up to 1, and mix their labels alike.

    Each sample is mixed with the one before it in the batch, all of a batch by one drawn part. It works on whole
    batches, so that it stands below all that changes single samples. A loss compares with the mixed labels.
    Fields: `soft_class` (of `labels = class`), a probability for each class.
    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, as torchvision's MixUp has it.
    Example::

        [mixup]
        labels = emotion
        alpha = 0.4
    """

    def mixture(self) -> "Mixture":
        """Through each other."""
        from netcfg.datasets.transforms.mixing import Blended

        return Blended()
