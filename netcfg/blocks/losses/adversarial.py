"""What critics and generators make small."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.losses.base import Loss

if TYPE_CHECKING:
    from torch import nn


class Adversarial(Loss, name="adversarial"):
    """What one side of a game of two networks makes small, from a critic's scores of real and of made samples.

    `vanilla` is cross-entropy of logits, for the generator that of taking made samples for real; `least_squares` draws
    scores to 1 (real) and 0 (made); `hinge` wants them above 1 and below -1; `wasserstein` far apart, beside a
    [gradient_penalty]. The critic's side is the sum over both kinds; the generator's reads made samples alone.
    Shapes: any; a map of scores (PatchGAN) counts place by place.
    Source: Goodfellow et al. 2014; Mao et al., "Least Squares GAN", 2017; Lim, Ye, "Geometric GAN", 2017; Arjovsky
    et al. 2017.
    Example::

        [adversarial]
        side = critic
        real = real_score
        fake = fake_score
    """

    signal_options: ClassVar[tuple[str, ...]] = ("real", "fake")

    side: Literal["critic", "generator"] = Option(description="whose loss it is")
    mode: Literal["hinge", "least_squares", "vanilla", "wasserstein"] = Option(
        "hinge", description="which game"
    )
    real: str | None = Option(None, description="of the critic's side: what it says of real samples")
    fake: str = Option(description="what it says of made samples")

    def conflict(self) -> str | None:
        """The critic tells two kinds apart, the generator makes one."""
        if self.side == "critic" and self.real is None:
            return "is of the critic's side, and has no `real` scores to tell made ones from"
        if self.side == "generator" and self.real is not None:
            return "is of the generator's side, which has no part in `real` scores: take them out"
        return None

    def lower(self) -> "nn.Module":
        """The module `(real scores, made scores) -> scalar`, of the generator's side `made scores -> scalar`."""
        from netcfg.builder.modules.losses.agreement import Adversarial as Module

        return Module(self.mode, self.side)
