"""A longer training list: moved and mirrored copies."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.samplers.base import Sampler

if TYPE_CHECKING:
    from netcfg.blocks.samples import Draw, SampleTable


class Oversample(Sampler, name="oversample"):
    """Make the training list longer: moved copies of the rarer class, and a mirrored copy of every sample.

    With `balance = jitter` the class with fewer samples (those that show the action unit, or those that do not) is
    topped up with copies whose face box is moved by an eighth of its width or height: to the right, left, down, up,
    right and down, right and up. The class is walked once for each of these ways, until both are equal or the ways
    run out. A moved box is clipped at the edge of the frame; a source whose frames show nothing but the face clips it
    at the edge of the picture. Then, with `mirror`, each line is followed by its mirrored copy, in which
    horizontal flow changes its sign.

    It stands right below the source, or below its flow. A source that lists such copies already stays as it is.
    Source: AUNets, which writes these copies (`Jitter_0` to `Jitter_5`, `_flip`) and lists to disk, per unit and fold.
    Example::

        [oversample]
        balance = jitter
        mirror = True
    """

    extends_source: ClassVar[bool] = True

    balance: Literal["jitter", "none"] = Option(
        "none", description="`jitter`: top up the rarer class with moved copies; of a single action unit"
    )
    mirror: bool = Option(False, description="add a mirrored copy of every sample")
    labels: str = Option("labels", description="the field of labels to balance")
    active_above: float = Option(0.5, description="`jitter`: the label above which the unit is shown")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` where there are no labels of one unit, or landmarks would stay behind."""
        spec = fields.get(self.labels)
        if self.balance == "jitter" and (spec is None or spec.shape != (1,)):
            found = "which the data do not have" if spec is None else f"and they have {spec}"
            raise ShapeError(
                f"balances one action unit, by the labels `{self.labels}` with one number, {found}",
                option="balance",
                help="one number as `action_units`, or `balance = none`",
            )
        return dict(fields)

    def epoch(self, table: "SampleTable", epoch: int, seed: int) -> "Sequence[Draw]":
        """The longer list, the same in every epoch."""
        from netcfg.datasets.samplers.oversample import oversampled

        balanced_by = self.labels if self.balance == "jitter" else None
        return oversampled(table, balanced_by, self.active_above, self.mirror)
