"""What transforms have in common that copy a field."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import Transform
from netcfg.source import did_you_mean


class Copying(Transform):
    """A transform that copies the field `of`, in all splits."""

    unavailable: ClassVar[frozenset[str]] = frozenset({"only", "when"})

    of: str

    def copies(self) -> tuple[str, ...]:
        """What the copies are called."""
        raise NotImplementedError

    def view_of(self, place: int, fields: Mapping[str, FieldSpec]) -> int:
        """The view that a copy belongs to, the first one being 0."""
        raise NotImplementedError

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the copies. Raises `ShapeError` where there is no such field, or a new name is taken."""
        if self.of not in fields:
            raise ShapeError(
                f"copies the field `{self.of}`, which the data do not have",
                option="of",
                help=did_you_mean(self.of, fields) or f"one of {', '.join(fields)}",
            )
        taken = next((name for name in self.copies() if name in fields), None)
        if taken is not None:
            raise ShapeError(f"would overwrite the field `{taken}`", option="to", help="give it another name")
        spec = fields[self.of]
        copies = {
            name: spec._replace(view=self.view_of(place, fields)) for place, name in enumerate(self.copies())
        }
        return {**fields, **copies}

    def is_still(self) -> bool:
        """It only hands on."""
        return True

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The field itself, in place of its copies."""
        copies = self.copies()
        return tuple(dict.fromkeys(self.of if name in copies else name for name in wanted))

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples."""
        from netcfg.datasets.transforms.copies import CopySample

        return CopySample(self.of, self.copies())
