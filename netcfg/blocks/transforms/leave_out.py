"""Fields taken away."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.base import Transform
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable


class LeaveOut(Transform, name="leave_out"):
    """Take fields away, as though the data had none: of one of several sources, say, what it is not to be trained by.

    Joined with others, such a field is a gap there, which losses and metrics leave out.
    Fields: those that are left.
    Source: a `Dataset` of one's own that returns no label.
    Example::

        [leave_out]
        fields = labels
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only", "when"})

    dropped: tuple[str, ...] = Option(alias="fields", description="the fields to take away")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """All but these. Raises `ShapeError` for one that is not there, and where none would be left."""
        unknown = next((name for name in self.dropped if name not in fields), None)
        if unknown is not None:
            message = f"takes away `{unknown}`, which the data do not have"
            help = did_you_mean(unknown, fields)
            raise ShapeError(message, option="fields", code="NC501", help=help)
        kept = {name: spec for name, spec in fields.items() if name not in self.dropped}
        if not kept:
            raise ShapeError("takes all fields away", option="fields", help="leave one of them")
        return kept

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on samples."""
        from netcfg.datasets.transforms.leave_out import Without

        return Without(self.dropped)
