"""What makes one batch of the samples of several sources."""

from typing import ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section

SOURCE_FIELD = "source"
"""The field that says which source a sample comes from."""


class Joined(Section, name="joined"):
    """Have one batch of the samples of several sources, one below the other, instead of a sample of each side by side.

    What a source lacks is a gap, which losses and metrics leave out; what one of them has under a name, the others
    have in the same shape or not at all. An epoch is as long as the first source; the others go on in their own order,
    and begin again where they end. Other splits show all samples of each source, once.
    Fields: those of all, and `source`, a class by the names of the sources.
    Source: batches of labelled and unlabelled samples, as FixMatch and domain-adversarial training have them.
    Example::

        [joined]
        rows = labelled: 8, unlabelled: 24
    """

    group: ClassVar[Group] = "data"
    family: ClassVar[str] = "joining"

    rows: tuple[str, ...] | None = Option(
        None, description="how many samples of each source a batch has; as many of each by default"
    )

    def counts(self) -> dict[str, int] | None:
        """How many samples of each source, by its name. Raises `ValueError`, the rest of a sentence."""
        if self.rows is None:
            return None
        found: dict[str, int] = {}
        for item in self.rows:
            name, colon, count = (part.strip() for part in item.partition(":"))
            if not colon or not count.isdecimal() or not int(count) or not name:
                raise ValueError(
                    f"is a name, a colon and a number of samples for each source, found `{item}`"
                )
            if name in found:
                raise ValueError(f"names `{name}` twice")
            found[name] = int(count)
        return found

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """What `rows` says must be readable."""
        try:
            self.counts()
        except ValueError as error:
            return {"rows": ("NC105", f"`rows` {error}", "`rows = labelled: 8, unlabelled: 24`")}
        return {}
