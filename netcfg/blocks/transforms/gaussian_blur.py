"""Pictures out of focus."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field as Option

from netcfg.blocks.fields import Probability
from netcfg.blocks.transforms.moving import two_numbers
from netcfg.blocks.transforms.toning import Toning

if TYPE_CHECKING:
    from netcfg.datasets.transforms.tones import Drawer


class GaussianBlur(Toning, name="gaussian_blur"):
    """Blur pictures by a drawn deviation, the same for all pictures of a sample; flow stays.

    Source: torchvision's GaussianBlur; SimCLR blurs half of its pictures, over a tenth of their side.
    Example::

        [gaussian_blur]
        kernel_size = 9
        sigma = 0.1, 2
    """

    probability: Probability = Option(1.0, description="how likely a sample is changed")
    kernel_size: Annotated[int, Option(ge=1, le=255)] = Option(
        9, description="pixels that are mixed, along each side; an odd number"
    )
    sigma: tuple[Annotated[float, Option(gt=0, le=100)], ...] = Option(
        (0.1, 2.0), description="the deviation in pixels, from, to"
    )

    def conflict(self) -> str | None:
        """A window with a middle."""
        if self.kernel_size % 2 == 0:
            return f"has `kernel_size = {self.kernel_size}`, and a window with a middle pixel has an odd side"
        return two_numbers("sigma", self.sigma)

    def drawer(self) -> "Drawer":
        """A blur."""
        from netcfg.datasets.transforms.tones import Blur

        return Blur(self.kernel_size, (self.sigma[0], self.sigma[1]))
