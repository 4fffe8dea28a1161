"""What a check finds: something that a section says of itself, and that is not so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Breach:
    """One untruth of a section.

    `check` is what was compared, `variation` the options or shapes with which it showed ("" for the page's example),
    `write` the method or attribute in which the section says it.
    """

    section: str
    check: str
    variation: str
    declared: str
    found: str
    write: str

    def __str__(self) -> str:
        where = f" ({self.variation})" if self.variation else ""
        return (
            f"[{self.section}]{where} {self.check}: declared {self.declared}, found {self.found}: "
            f"write `{self.write}`"
        )


def what_was_raised(error: BaseException) -> str:
    """An exception in one line, for `found`."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
