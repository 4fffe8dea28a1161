"""What sources of pictures have in common that lists and patterns find by their names in a folder."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field as Option

from netcfg.blocks.fields import Split
from netcfg.blocks.sources.plain_pictures import PlainPictures

LISTS = ("train_list", "validation_list", "test_list")
"""The options that name a list of a split."""


class NamedPictures(PlainPictures):
    """Sources of pictures whose names below a folder say who belongs together, or stand in a list of each split."""

    group_by: str | None = Option(
        None,
        description="a regular expression that finds in a picture's name what it shares with others of one group, in "
        "brackets: `(patient\\d+)_`",
    )
    train_list: str | None = Option(
        None,
        description="a file that names the pictures to train on, one a line (or a csv), with or without their ending; "
        "below `path`",
    )
    validation_list: str | None = Option(
        None, description="the one of those to validate on; None: a share of the former"
    )
    test_list: str | None = Option(None, description="the one of those to test on")

    def conflict(self) -> str | None:
        """Lists of a training and a test."""
        if (self.train_list is None) != (self.test_list is None):
            return "says which list trains or which tests, and needs both: `train_list` and `test_list`"
        if self.validation_list is not None and self.train_list is None:
            return "has a `validation_list`, and needs `train_list` and `test_list` beside it"
        return super().conflict()

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """A pattern that is none."""
        wrong = None if self.group_by is None else _wrong_pattern(self.group_by)
        if wrong is None:
            return {}
        return {"group_by": ("NC105", f"`group_by` must be {wrong}", "`(patient\\d+)_`, for instance")}

    def lists(self) -> Mapping[Split, str]:
        """The lists that are written, by split."""
        written: Mapping[Split, str | None] = {
            "train": self.train_list,
            "validation": self.validation_list,
            "test": self.test_list,
        }
        return {split: name for split, name in written.items() if name is not None}


def _wrong_pattern(pattern: str) -> str | None:
    """What a pattern must be; None where it is."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"a regular expression: {error}"
    return None if compiled.groups else "a regular expression with brackets around what groups share"
