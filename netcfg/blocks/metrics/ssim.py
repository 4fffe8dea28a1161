"""How alike pictures are in structure."""

from typing import ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.figures import own_name
from netcfg.blocks.metrics.judgement import Case, Rows
from netcfg.blocks.metrics.pictured import Pictured
from netcfg.shapes import Shape, show


class Ssim(Pictured, name="ssim"):
    """Structural similarity, the mean over pictures, from -1 to 1.

    Compares means, variances and covariances in a window of 11×11 with Gaussian weights. A `mask` is one number a
    picture. Higher is better.
    Shapes: pictures C×H×W both, of at least 11×11.
    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004; torchmetrics'
    `structural_similarity_index_measure`, which computes it.
    Example::

        [ssim]
        input = Decoder
        target = image
    """

    least: ClassVar[int] = 11
    sigma: float = Option(1.5, gt=0.1, le=1.5, description="the width of the window's weights, in pixels")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Pictures that hold a window."""
        super().check(input, target)
        if any(isinstance(size, int) and size < self.least for size in input[1:]):
            raise ShapeError(
                f"looks through windows of 11×11, and `{self.input}` gives {show(input)}", code="NC402"
            )

    def rows(self, case: Case) -> Rows:
        """The figure of each picture."""
        import torch
        from torchmetrics.functional.image import structural_similarity_index_measure

        from netcfg.trainers.judging.scores import expect_numbers

        assert case.targets is not None
        expect_numbers(own_name(self), self.input, case.scores, finite=True)
        pictures = case.scores.float(), case.targets.float()
        figure = structural_similarity_index_measure(
            *pictures, sigma=self.sigma, data_range=self.span, reduction="none"
        )
        assert isinstance(figure, torch.Tensor)
        figure = figure.reshape(-1)
        shown = torch.ones_like(figure) if case.mask is None else case.mask.reshape(len(figure), -1)[:, 0]
        return {"figure": torch.where(shown > 0.5, figure, torch.nan)}
