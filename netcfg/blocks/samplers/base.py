"""What a sampler is: it says which samples an epoch of training shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.transforms.base import DataStep

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class Sampler(DataStep):
    """Which samples an epoch of training shows, and how often. A program has at most one.

    It sees what is known of the samples without their pictures, and gives a list, which is then shuffled as
    `[training]` says, unless `keeps_order`. Other splits are not touched, unless it is written `when = always`.
    """

    family: ClassVar[str] = "sampler"
    extends_source: ClassVar[bool] = False
    """Whether its list stands in the place of the source's samples, one list for all epochs: then it stands right
    below the source, or below its flow, and transforms see its moved and mirrored copies."""

    keeps_order: ClassVar[bool] = False
    """Whether its draws are shown in the order in which it gives them, as batches hang on it: nothing is shuffled."""

    when: Literal["train", "always"] = Option("train", description="in training only, or always")

    def batch_conflict(self, batch_size: int) -> str | None:
        """What is wrong with batches of so many samples, as the rest of "`[block]` …"; None where nothing is."""
        return None

    def epoch(self, table: "SampleTable", epoch: int, seed: int) -> "Sequence[Draw]":
        """The draws of an epoch (from 0), the same for the same arguments; every epoch has as many.

        Raises `NetcfgError` where the samples do not allow it.
        """
        raise NotImplementedError
