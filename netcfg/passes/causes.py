"""Pass: one cause, one finding. What is missing is said once, with all the places that name it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from netcfg.source import Finding, Note

_MERGED = frozenset({"NC401", "NC501"})
_LACKING = "NC502"


def say_once(findings: list[Finding], lacking: Collection[str]) -> None:
    """Put findings of the same cause together: those of one missing name, and those of a file that lacks.

    `lacking` are the fields for want of which a finding (NC502) is there already: it becomes the error, and points to
    where the fields are wanted.
    """
    first: dict[tuple[str, str], int] = {}
    kept: list[Finding] = []
    for finding in findings:
        key = (finding.code, finding.message)
        wanted = next(
            (name for name in lacking if finding.code in _MERGED and f"`{name}`" in finding.message), None
        )
        place = _place(kept, _LACKING) if wanted is not None else first.get(key)
        if place is not None and finding.code in _MERGED and finding.span is not None:
            notes = (
                *kept[place].notes,
                Note(finding.span, f"`{wanted}` is wanted here" if wanted else "and here"),
            )
            kept[place] = replace(kept[place], notes=notes, severity=finding.severity)
            continue
        first.setdefault(key, len(kept))
        kept.append(finding)
    findings[:] = kept


def _place(findings: list[Finding], code: str) -> int | None:
    return next((place for place, finding in enumerate(findings) if finding.code == code), None)
