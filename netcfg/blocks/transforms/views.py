"""A picture several times, each changed in its own way."""

from collections.abc import Mapping

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.copying import Copying


class Views(Copying, name="views"):
    """Have a picture several times, each changed by its own draws in all transforms below: views of one thing.

    This is what contrastive training compares: two views of a sample belong together, those of others do not. Outside
    of training nothing is drawn, so that views are equal there.
    Fields: those of `to`, like `of`.
    Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (SimCLR), 2020.
    Example::

        [views]
        of = image
        to = other
    """

    of: str = Option("image", description="the field to see again; itself the first view")
    to: tuple[str, ...] = Option(("view",), description="what the further views are called")

    def conflict(self) -> str | None:
        """A name each."""
        return "names a view twice" if len(set(self.to)) < len(self.to) else None

    def copies(self) -> tuple[str, ...]:
        """As many as there are names."""
        return self.to

    def view_of(self, place: int, fields: Mapping[str, FieldSpec]) -> int:
        """Each a new one."""
        return max(spec.view for spec in fields.values()) + 1 + place
