"""`[expect]`: what must be so where a network or a template is used, in the words of whoever wrote it."""

from __future__ import annotations

from netcfg.blocks.values import read_condition
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.syntax import Option, Section

THAT, MESSAGE = "that", "message"


def unmet(section: Section, scope: VariableScope, use: Span | None, findings: list[Finding]) -> bool:
    """Whether what a section expects is not so; that, and whatever is wrong with the section, is reported.

    `use` is the use of a template that the section stands in, as its reader wrote it.
    """
    options = _options(section, findings)
    if options is None:
        return True
    that, message = (scope.text(option) for option in options)
    if that is None or message is None:
        return True
    try:
        if read_condition(that):
            return False
    except ValueError as error:
        help = "a condition: `that = ${size > 4}`"
        findings.append(Finding("NC105", f"`{THAT}` must be {error}", options[0].value_span, help=help))
        return True
    notes = (Note(section.span, "it is expected here"),) if use else ()
    findings.append(Finding("NC117", message, use or section.span, notes))
    return True


def _options(section: Section, findings: list[Finding]) -> tuple[Option, Option] | None:
    """The condition and what is said where it does not hold."""
    found: dict[str, Option] = {}
    before = len(findings)
    for option in section.options:
        if option.key in found:
            notes = (Note(found[option.key].span, "first here"),)
            findings.append(Finding("NC106", f"`{option.key}` is written twice", option.span, notes))
        elif option.key not in (THAT, MESSAGE):
            help = did_you_mean(option.key, (THAT, MESSAGE))
            message = f"[{section.name}] has no option `{option.key}`"
            findings.append(Finding("NC103", message, option.span, help=help))
        found[option.key] = option
    for key in (THAT, MESSAGE):
        if key not in found and len(findings) == before:
            message = f"[{section.name}] needs `{key}`"
            findings.append(Finding("NC104", message, section.span, help=f"write `{key} = …`"))
    return (found[THAT], found[MESSAGE]) if len(findings) == before else None
