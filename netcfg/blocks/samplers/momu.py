"""Frames chosen so that action units are balanced."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, PositiveInt
from netcfg.blocks.samplers.base import Sampler
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class Momu(Sampler, name="momu"):
    """Choose the frames of each training epoch so that every action unit is shown about equally often.

    Classes are the action units and neutral, frames that show none. An epoch draws `sampling_size` frames at a time
    of the class that it has shown least so far, out of those not drawn yet; a class with too few left gets all of
    its frames back. What is left carries over to the next epoch. The list is then shuffled as `[training]` says.
    Other splits are not touched, nor are fields.
    Source: AUDetNet's multi-label sampling (`balance_dataset_with_momu`).
    Example::

        [momu]
        epoch_size = 24000
        sampling_size = 12
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"when"})

    epoch_size: PositiveInt = Option(description="samples of an epoch")
    sampling_size: PositiveInt = Option(description="frames drawn of a class at a time; divides epoch_size")
    labels: str = Option("labels", description="the field of labels to balance")
    active_above: float | None = Option(
        None,
        description="the label above which a unit is shown; None: 0.5, or 2 of 5 where they are intensities",
    )

    def conflict(self) -> str | None:
        """An epoch is a whole number of draws."""
        rest = self.epoch_size % self.sampling_size
        if not rest:
            return None
        nearest = max(self.epoch_size - rest, self.sampling_size)
        return (
            f"draws {self.sampling_size} frames at a time, which does not divide the {self.epoch_size} of an epoch: "
            f"write for example `epoch_size = {nearest}`"
        )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such labels."""
        spec = fields.get(self.labels)
        if spec is None or spec.kind != "vector":
            vectors = [name for name, known in fields.items() if known.kind == "vector"]
            raise ShapeError(
                f"balances the labels `{self.labels}`, which the data do not have",
                option="labels",
                help=did_you_mean(self.labels, vectors),
            )
        return dict(fields)

    def epoch(self, table: "SampleTable", epoch: int, seed: int) -> "Sequence[Draw]":
        """The frames of an epoch, in the order they were drawn."""
        from netcfg.datasets.samplers.momu import chosen_frames

        active_above = table.active_above if self.active_above is None else self.active_above
        return chosen_frames(
            table, self.labels, self.epoch_size, self.sampling_size, active_above, epoch=epoch, seed=seed
        )
