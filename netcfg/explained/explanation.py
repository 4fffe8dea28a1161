"""What there is to say of one code."""

from __future__ import annotations

from typing import NamedTuple

CHECK = "netcfg check net.cfg"


class Explanation(NamedTuple):
    """What to do about a code, and an example.

    `frame` is a file with a `@` where `wrong` and `right` differ; without one, `command` has the `@`. `file` is what
    the file is called, `given` what there is beside it.
    """

    remedy: str
    frame: str = ""
    wrong: str = ""
    right: str = ""
    command: str = CHECK
    file: str = "net.cfg"
    given: str = ""

    @property
    def wrong_text(self) -> str:
        """The file that gives the code; empty where only a command does."""
        return self.frame.replace("@", self.wrong)

    @property
    def right_text(self) -> str:
        """The same file, put right."""
        return self.frame.replace("@", self.right)

    @property
    def wrong_command(self) -> str:
        """The command that gives the code."""
        return self.command.replace("@", self.wrong)

    @property
    def right_command(self) -> str:
        """The same command, put right."""
        return self.command.replace("@", self.right)


def by_command(remedy: str, command: str, wrong: str, right: str, given: str = "") -> Explanation:
    """Of a code that no text alone gives: `command` has a `@` where the wrong one and the right one differ."""
    return Explanation(remedy, "", wrong, right, command, given=given)
