"""How unlikely targets are under normal distributions."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import squeezed
from netcfg.blocks.losses.comparing import Comparing, Positive
from netcfg.shapes import Shape, differ, show

if TYPE_CHECKING:
    from torch import nn


class GaussianNll(Comparing, name="gaussian_nll"):
    """Minus the logarithm of the targets' likelihood under normal distributions: `input` are means, `variance` theirs.

    The network says how sure it is; a `[softplus]` or `[formula]` keeps a variance positive, and it counts as no
    less than `eps`.
    Shapes: equal ones.
    Source: Nix, Weigend, "Estimating the mean and variance of the target probability distribution", 1994; PyTorch's
    `gaussian_nll_loss`, except that the gradient by a variance below `eps` is 0 here.
    Example::

        [gaussian_nll]
        input = Regressor.mean
        variance = Regressor.variance
        target = intensities
    """

    named_options: ClassVar[tuple[str, ...]] = ("variance", *Comparing.named_options)

    variance: str = Option(description="the signal of the variances")
    full: bool = Option(False, description="with the constant ½ log 2π, which changes no gradient")
    eps: Positive = Option(1e-6, description="the least variance")

    def check_named(self, key: str, argument: int, given: dict[str, Shape], places: Shape) -> None:
        """There is a variance for each mean."""
        if key != "variance":
            super().check_named(key, argument, given, places)
            return
        mean, variance = squeezed(given["input"]), squeezed(given[key])
        if len(mean) != len(variance) or any(map(differ, mean, variance)):
            raise ShapeError(
                f"has means of {show(given['input'])} and variances of {show(given[key])}",
                argument=argument,
                code="NC402",
                option="variance",
                help="a variance for each mean",
            )

    def lower(self) -> "nn.Module":
        """The module `(means, targets, variance) -> scalar`."""
        from netcfg.builder.modules.losses.numbers import GaussianNll as Module

        return Module(self.full, self.eps, **self.shared())
