"""Pass: one cause, one finding. What only follows from a file that lacks is said with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from netcfg.source import Finding, Note

_LACKING = "NC502"
_UNKNOWN = "NC501"


def say_once(findings: list[Finding], lacking: Collection[str]) -> None:
    """Put what is said of `lacking` fields together with the finding (NC502) that says why they lack.

    That becomes the error, and points to where the fields are wanted.
    """
    cause = next((place for place, finding in enumerate(findings) if finding.code == _LACKING), None)
    if cause is None or not lacking:
        return
    followed = [(finding, name) for finding in findings if (name := _named(finding, lacking))]
    for finding, name in followed:
        spans = [finding.span, *(note.span for note in finding.notes)]
        notes = [Note(span, f"`{name}` is wanted here") for span in spans if span is not None]
        findings[cause] = replace(
            findings[cause], notes=(*findings[cause].notes, *notes), severity=finding.severity
        )
    gone = {id(finding) for finding, _ in followed}
    findings[:] = [finding for finding in findings if id(finding) not in gone]


def say_without_data(findings: list[Finding]) -> None:
    """Of a program without {Data}, put all that asks for a field of the data into one finding."""
    asking = [finding for finding in findings if finding.code == _UNKNOWN and finding.span is not None]
    if not asking:
        return
    first, *others = asking
    notes = [Note(other.span, "another is read here") for other in others if other.span is not None]
    message = first.message if not others else "fields of the data are read, and the program has no {Data}"
    said = replace(
        first, message=message, notes=(*first.notes, *notes), help="add a group {Data} with a source"
    )
    gone = {id(finding) for finding in others}
    findings[:] = [said if finding is first else finding for finding in findings if id(finding) not in gone]


def _named(finding: Finding, lacking: Collection[str]) -> str | None:
    """The lacking field that a finding is about, if it is."""
    if finding.code != _UNKNOWN:
        return None
    return next((name for name in lacking if f"`{name}`" in finding.message), None)
