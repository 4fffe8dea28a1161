"""A use of a template: which of its options are parameters, and what its inputs are called inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from netcfg.blocks.base import Block
from netcfg.blocks.network.net import CHECKPOINT
from netcfg.passes.collect import Template
from netcfg.passes.drafts import Context
from netcfg.passes.expressions import ExpressionError, Lookup
from netcfg.passes.variables import Variables, VariableScope
from netcfg.source import Finding, Note
from netcfg.syntax import Option, Section
from netcfg.vocabulary import help_for
from netcfg.words import to_write

COMMON_OPTIONS = (
    "name", "from", "repeat", "weights", "weights_from", "layout", "adapt", "freeze", "shared_with", "checkpoint",
)  # fmt: skip


KEYS = ("if", "rows", "flat", "copies", "join", "over", "statistics", "once")
"""Keys that say how a block stands there, and are none of its own; `netcfg.passes.structure` reads them."""


class TemplateUse(Block):
    """The options that every use of a template has."""

    input_count: ClassVar[int | None] = None

    checkpoint: bool = Field(False, description=CHECKPOINT)


def split_options(
    section: Section, template: Template, findings: list[Finding]
) -> tuple[Section, dict[str, str] | None]:
    """The options every block has, and the template's parameters that are written (None where one is missing or
    unknown).
    """
    common = [option for option in section.options if option.key in COMMON_OPTIONS]
    given = _parameters(section, template, findings)
    rest = section.with_options(common)
    if given is None:
        return rest, None
    missing = [key for key, default in template.parameters.items() if default is None and key not in given]
    if missing:
        names = " and ".join(f"`{key}`" for key in missing)
        message, help = f"`{template.name}` needs {names}", to_write(missing)
        findings.append(Finding("NC104", message, section.span, defined_at(template), help=help))
        return rest, None
    return rest, given


def _parameters(section: Section, template: Template, findings: list[Finding]) -> dict[str, str] | None:
    """The parameters that are written; None where one cannot be."""
    given: dict[str, Option] = {}
    before = len(findings)
    for option in section.options:
        if option.key in COMMON_OPTIONS:
            continue
        if option.key not in template.parameters:
            help = help_for(
                option.key, "option", {**template.parameters, **dict.fromkeys((*COMMON_OPTIONS, *KEYS))}
            )
            message = f"`{template.name}` has no parameter `{option.key}`"
            help = help or _parameters_in_words(template)
            findings.append(Finding("NC103", message, option.span, defined_at(template), help=help))
        elif option.key in given:
            notes = (Note(given[option.key].span, "first here"),)
            findings.append(Finding("NC106", f"`{option.key}` is written twice", option.span, notes))
        else:
            given[option.key] = option
    return {key: option.value for key, option in given.items()} if len(findings) == before else None


def _parameters_in_words(template: Template) -> str:
    """What it has, for whoever asks for something else."""
    names = [f"`{name}`" for name in template.parameters]
    return (
        f"it has {', '.join(names)}" if names else "it has none; `[parameters]` in the template declares them"
    )


def defined_at(template: Template) -> tuple[Note, ...]:
    return (Note(template.span, "the template is defined here"),)


def with_parameters(
    section: Section, given: Mapping[str, str], template: Template, variables: Variables, sizes: Lookup
) -> dict[str, str] | None:
    """All parameters of a use; a default may compute with what is given, with the sizes of what the use is fed, and
    with the program's variables.
    """
    parameters = dict(given)
    # The scope reads this very dict as it fills: a default may name a parameter above it.
    scope = VariableScope(variables, parameters, sizes=sizes)
    for key, default in template.parameters.items():
        if key not in parameters and default is not None:
            try:
                parameters[key] = scope.replaced(default)
            except ExpressionError as error:
                variables.report(error, section.span, f"the default of `{key}` ", parameters)
                return None
    return parameters


def declared_inputs(blocks: Sequence[Section]) -> list[str]:
    """What a template calls its inputs."""
    return [
        option.value for section in blocks if section.name == "input" and (option := section.option("name"))
    ]


def cycle(section: Section, template: Template, context: Context) -> Finding:
    """The finding of a template that is used in its own expansion."""
    chain = " → ".join([*context.templates[context.templates.index(template.name) :], template.name])
    notes = tuple(Note(scope.span, f"`{scope.template}` is used here") for scope in reversed(context.scopes))
    message = f"the template `{template.name}` is used in its own expansion: {chain}"
    return Finding("NC110", message, section.span, notes, help="break the cycle")
