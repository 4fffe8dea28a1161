"""`[defaults]`: what the options of a type of block are, below it, where a block does not say."""

from __future__ import annotations

from collections.abc import Mapping

from netcfg.blocks.registry import find
from netcfg.passes.collect import DefaultsUse, Parts
from netcfg.passes.drafts import Context
from netcfg.passes.expansion import COMMON_OPTIONS
from netcfg.passes.schema import DefaultOption
from netcfg.passes.structure import STRUCTURE
from netcfg.source import Finding, Note
from netcfg.syntax import Option, Section
from netcfg.vocabulary import help_for

_NOT_BY_DEFAULT = frozenset({*COMMON_OPTIONS, *STRUCTURE}) - {"adapt", "freeze"}


def merged_defaults(
    section: Section, context: Context, types: Mapping[str, None], parts: Parts, findings: list[Finding]
) -> Mapping[str, Mapping[str, Option]]:
    """What holds below a `[defaults]`, whose variables are replaced: its own values before those around it.

    `types` are all that may stand in brackets there.
    """
    merged = {type: dict(options) for type, options in context.defaults.items()}
    written: dict[str, Option] = {}
    for option in section.options:
        if option.key in written:
            notes = (Note(written[option.key].span, "first here"),)
            findings.append(Finding("NC106", f"`{option.key}` is written twice", option.span, notes))
        elif _is_default(option, types, parts, findings):
            type, _, key = option.key.rpartition(".")
            merged.setdefault(type, {})[key] = renamed(option, key)
        written[option.key] = option
    return merged


def _is_default(option: Option, types: Mapping[str, None], parts: Parts, findings: list[Finding]) -> bool:
    """Whether this may be said of blocks of a type; says why not."""
    type, dot, key = option.key.rpartition(".")
    help: str | None
    if not dot:
        message = f"`{option.key}` says no block type"
        example = f"write `batch_norm.{option.key} = …`, for instance"
        findings.append(Finding("NC103", message, option.span, help=example))
        return False
    if type not in types:
        help = help_for(type, "network", types)
        findings.append(Finding("NC102", f"there is no block type `{type}`", option.span, help=help))
        return False
    template, kind = parts.templates.get(type), find("network", type)
    own: Mapping[str, object] = template.parameters if template else kind.readers() if kind else {}
    if key not in own or (key in _NOT_BY_DEFAULT and template is None):
        message = f"`{type}` has no option `{key}` that could have a default here"
        help = help_for(key, "option", {name: None for name in own if name not in _NOT_BY_DEFAULT})
        findings.append(Finding("NC103", message, option.span, help=help))
        return False
    if template is None and kind is not None:
        try:
            kind.readers()[key](option.value)
        except ValueError as error:
            findings.append(Finding("NC105", f"`{option.key}` must be {error}", option.value_span))
            return False
    return True


def renamed(option: Option, key: str) -> Option:
    """The same value at the same place under another key."""
    return DefaultOption(option.file, option.line, key, option.value)


def refused_everywhere(use: DefaultsUse, findings: list[Finding]) -> None:
    """Report the defaults that apply to no block below them; one that some blocks cannot take is left out there."""
    findings.extend(finding for place, finding in use.refused.items() if place not in use.taken)


def with_defaults(section: Section, context: Context) -> Section:
    """A block with what `[defaults]` say where it does not."""
    defaults = context.defaults.get(section.name)
    if not defaults:
        return section
    written = {option.key for option in section.options}
    added = [option for key, option in defaults.items() if key not in written]
    return section.with_options([*section.options, *added]) if added else section
