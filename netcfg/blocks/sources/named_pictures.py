"""What sources of pictures have in common that lists and patterns find by their names in a folder."""

from __future__ import annotations

import re

from pydantic import Field as Option

from netcfg.blocks.sources.plain_pictures import PlainPictures, SplitLists

LISTS = ("train_list", "validation_list", "test_list")
"""The options that name a list of a split."""


class NamedPictures(PlainPictures, SplitLists):
    """Sources of pictures whose names below a folder say who belongs together, or stand in a list of each split."""

    group_by: str | None = Option(
        None,
        description="a regular expression that finds in a picture's name what it shares with others of one group, in "
        "brackets: `(patient\\d+)_`",
    )

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """A pattern that is none."""
        wrong = None if self.group_by is None else _wrong_pattern(self.group_by)
        if wrong is None:
            return {}
        return {"group_by": ("NC105", f"`group_by` must be {wrong}", "`(patient\\d+)_`, for instance")}


def _wrong_pattern(pattern: str) -> str | None:
    """What a pattern must be; None where it is."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"a regular expression: {error}"
    return None if compiled.groups else "a regular expression with brackets around what groups share"
