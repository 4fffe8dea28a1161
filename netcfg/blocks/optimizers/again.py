"""One more step of a phase, on losses of its own."""

from typing import Annotated, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import PositiveInt
from netcfg.blocks.optimizers.base import (
    EVERY,
    EVERY_OF,
    FROM_EPOCH,
    UNTIL_EPOCH,
    StepSection,
    window_mistakes,
)


class Again(StepSection, name="again"):
    """One more step of a phase: its networks and its optimizer's state, on losses and gradients of its own.

    What costs much is so done now and then: StyleGAN2 adds its penalty to every 16th batch alone, 16 times as strong.
    The step has the phase's learning rates, clipping and means; a phase that accumulates has none. It stands below that
    phase, and runs in file order.
    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020, section 3.1.
    Example::

        [again]
        of = critic
        minimise = 80 * r1
        every = 16
    """

    of: str = Option(description="the phase above that steps once more")
    minimise: str = Option(description="a sum of losses, as an optimizer has it")
    every: PositiveInt = Option(1, description=EVERY)
    every_of: Literal["epoch", "run"] = Option("epoch", description=EVERY_OF)
    from_epoch: PositiveInt = Option(1, description=FROM_EPOCH)
    until_epoch: Annotated[int, Option(gt=0)] | None = Option(None, description=UNTIL_EPOCH)

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """An end before the beginning."""
        return window_mistakes(self.from_epoch, self.until_epoch)
