"""Batches of some classes, and some samples of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, PositiveInt
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.samplers.columns import expect_groups, groups_of
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netcfg.blocks.samples import Draw, SampleTable

AtLeastTwo = Annotated[int, Option(ge=2, le=65_536)]


class BatchesOf(Sampler, name="batches_of"):
    """Make each batch of P classes with K samples each, as losses need them that compare samples within a batch.

    Classes take turns in an order that is drawn anew, and so do the samples of each class: all are shown before one is
    shown again. `batch_size` of [training] is P·K, or some times that. A class with fewer than K samples is refused, or
    with `repeats` shows some of them twice.
    Source: Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification", 2017.
    Example::

        [batches_of]
        labels = emotion
        classes = 2
        samples = 40
        repeats = True        # of a class with fewer than 40
    """

    keeps_order: ClassVar[bool] = True

    labels: str = Option("class", description="the field of the classes; `subject` and `clip` count as such")
    classes: AtLeastTwo = Option(description="P, of a batch")
    samples: AtLeastTwo = Option(description="K, of each class")
    batches: PositiveInt | None = Option(
        None, description="of an epoch, of P·K each; None: as many as there are samples for"
    )
    repeats: bool = Option(False, description="show some samples of a class with fewer than K twice")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no such classes, or too few."""
        expect_groups(self.labels, "labels", "makes batches of classes", fields)
        names = fields[self.labels].names
        if names and len(names) < self.classes:
            raise ShapeError(
                f"puts {self.classes} classes into a batch, and `{self.labels}` has {len(names)}",
                option="classes",
            )
        return dict(fields)

    def batch_conflict(self, batch_size: int) -> str | None:
        """A batch is some times P·K."""
        whole = self.classes * self.samples
        if batch_size % whole == 0:
            return None
        return f"makes batches of {self.classes}·{self.samples} = {whole} samples, and `batch_size` is {batch_size}"

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        """Batch by batch. Raises `NetcfgError` for too few classes, or too few samples of one."""
        import numpy as np

        from netcfg.blocks.samples import Draw

        groups = groups_of(table, self.labels, self.type_name)
        numbers, counts = np.unique(groups, return_counts=True)
        self._expect_enough(table, numbers.tolist(), counts.tolist())
        random = np.random.default_rng((seed, epoch))
        batches = self.batches or max(1, len(table) // (self.classes * self.samples))
        # As many rounds of all classes, each in a new order, as fill the batches; no class twice in one.
        turns: list[int] = []
        while len(turns) < batches * self.classes:
            turns += _next_round(turns, len(numbers), self.classes, random).tolist()
        order = np.lexsort((random.random(len(groups)), groups))
        members = np.split(order, np.cumsum(counts)[:-1])
        shown: list[int] = []
        queues = [member.tolist() for member in members]
        for turn in turns[: batches * self.classes]:
            if len(queues[turn]) < self.samples:
                queues[turn] = _refilled(queues[turn], members[turn], self.samples, random)
            shown += queues[turn][: self.samples]
            del queues[turn][: self.samples]
        return [Draw(place) for place in shown]

    def _expect_enough(self, table: SampleTable, numbers: list[int], counts: list[int]) -> None:
        if len(numbers) < self.classes:
            raise NetcfgError(
                f"[batches_of] puts {self.classes} classes into a batch, and the split shows {len(numbers)} of "
                f"`{self.labels}`\nhelp: `classes = {len(numbers)}` or fewer",
                code="NC502",
            )
        names = table.names.get(self.labels, ())
        few = min(range(len(counts)), key=counts.__getitem__)
        if counts[few] < self.samples and not self.repeats:
            number = numbers[few]
            called = names[number] if 0 <= number < len(names) else str(number)
            raise NetcfgError(
                f"[batches_of] takes {self.samples} samples of a class, and `{called}` of `{self.labels}` has "
                f"{counts[few]} in this split\n"
                f"help: `samples = {counts[few]}`, or `repeats = True` to show some of them twice in a batch",
                code="NC502",
            )


def _next_round(
    turns: Sequence[int], count: int, classes: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """All classes in a new order, those last that the batch under way has already."""
    import numpy as np

    begun = turns[len(turns) - len(turns) % classes :]
    order = random.permutation(count)
    late = np.isin(order, begun)
    return np.concatenate([order[~late], order[late]])


def _refilled(
    left: list[int], members: NDArray[np.int64], samples: int, random: np.random.Generator
) -> list[int]:
    """What is left of a class, then all of it again in a new order, those last that are about to be shown anyway."""
    import numpy as np

    while len(left) < samples:
        order = random.permutation(members)
        late = np.isin(order, left)
        left = [*left, *order[~late].tolist(), *order[late].tolist()]
    return left
