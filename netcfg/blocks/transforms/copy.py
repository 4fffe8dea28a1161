"""A field twice."""

from collections.abc import Mapping

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.copying import Copying


class Copy(Copying, name="copy"):
    """Have a field twice: transforms below may change one alone (`only`), or each by a draw of its own (`each_field`).

    Without these they change both alike. For contrastive training see [views].
    Fields: `to`, like `of`.
    Source: copies in the callables of one's own, as a program by hand has them.
    Example::

        [copy]
        of = image
        to = target
    """

    of: str = Option("image", description="the field to copy")
    to: str = Option("copy", description="what the copy is called")

    def copies(self) -> tuple[str, ...]:
        """One."""
        return (self.to,)

    def view_of(self, place: int, fields: Mapping[str, FieldSpec]) -> int:
        """The same."""
        return fields[self.of].view
