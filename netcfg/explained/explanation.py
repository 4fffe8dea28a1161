"""What there is to say of one code."""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    """What to do about a code, and an example.

    `frame` is a file with a `@` where `wrong` and `right` differ; empty where `command` is all that can be shown.
    """

    remedy: str
    frame: str = ""
    wrong: str = ""
    right: str = ""
    command: str = ""

    @property
    def wrong_text(self) -> str:
        """The file that gives the code."""
        return self.frame.replace("@", self.wrong)

    @property
    def right_text(self) -> str:
        """The same file, put right."""
        return self.frame.replace("@", self.right)


def by_command(remedy: str, command: str) -> Explanation:
    """Of a code that no text alone gives."""
    return Explanation(remedy, command=command)
