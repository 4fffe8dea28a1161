"""How far the statistics of made features lie from those of real ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.figures import both, expect_code, figures
from netcfg.blocks.metrics.judgement import Figures
from netcfg.shapes import Shape, show

if TYPE_CHECKING:
    from torch import Tensor


class FrechetDistance(Metric, name="frechet_distance"):
    """How far features of made samples lie from those of real ones, by their means and covariances.

    Both are taken for normal; the figure is the squared distance between the two, |m - n|² + tr(S + T - 2 (S T)^½),
    0 where means and covariances are equal. Lower is better. `means` is its first part. Over few samples it is too
    large, and it says nothing by itself: compare with that of other weights, on as many samples and with the same
    features, those of a network that stays as it is. With Inception's it is known as FID.
    Shapes: (C) or (C, 1, 1), both of one length.
    Source: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", 2017;
    Dowson, Landau, "The Fréchet distance between multivariate normal distributions", 1982.
    Example::

        [frechet_distance]
        input = seen_in_made
        target = seen_in_real
    """

    higher_is_better: ClassVar[bool] = False

    target: str = Option(description="features of real samples, a signal")

    def check(self, input: Shape, target: Shape | None) -> None:
        """Two vectors of one length."""
        expect_code(self.input, input)
        expect_code(self.target, target or (), argument=1)
        assert target is not None
        if input[0] != target[0]:
            raise ShapeError(
                f"compares features of one kind, and `{self.input}` gives {show(input)}, "
                f"`{self.target}` {show(target)}",
                argument=1,
                code="NC402",
                help="let one network see both",
            )

    def compute(self, scores: "Tensor", targets: "Tensor | None", names: Sequence[str]) -> Figures:
        """The distance, then the part of it that the means have."""
        from netcfg.trainers.judging.scores import frechet_distance

        scores, targets = both(self, scores, targets, least=2, finite=True)
        means, covariances = frechet_distance(scores, targets)
        return figures(self, means + covariances, {"means": means})
