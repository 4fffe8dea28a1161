"""Pass: what an AUDetNet file holds and its own code passes over, as published files of other versions do.

The original asks for the keys that it knows and never looks at the rest. Here too the rest has no effect, and that is
said once for a file; but a key that is nearly one with an effect is a slip of the pen, and stays an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netcfg.blocks.base import Section as Checked
from netcfg.blocks.general.audetnet import POSITIONAL
from netcfg.blocks.network.activation import NO_ACTIVATION
from netcfg.blocks.network.net import Net
from netcfg.blocks.registry import find
from netcfg.passes.collect import Parts
from netcfg.passes.expressions import ExpressionError
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, nearest
from netcfg.syntax import Option, Section
from netcfg.vocabulary import name_here

_ACTIVATIONS = {
    "convolutional": ("relu", "leaky_relu", "tanh", "sigmoid"),
    "connected": ("relu", "leaky_relu", "sigmoid"),
}
OLDER_NAMES: Mapping[str, Mapping[str, str]] = {
    "gradient_loss_lambda": {
        "Discriminator": "gradient_loss_lambda_discr",
        "Image Discriminator": "gradient_loss_lambda_img_discr",
    },
}
"""Loss options of an older version, in which all critics had one weight, and what each critic's is called now."""

_LETTERS_OFF = 3


def pass_over(parts: Parts, findings: list[Finding]) -> None:
    """Take out what has no effect, and say so."""
    _ignore_activations(parts, findings)
    older = _take_older(parts)
    unread = [option for section, kind in _sections(parts) for option in _unread(section, kind)]
    unread += _spare_blocks(parts)
    if unread or older:
        findings.append(_told(unread, older))


def _sections(parts: Parts) -> Iterator[tuple[Section, type[Checked]]]:
    """The blocks whose options are known, and what they are."""
    yield from zip(parts.reserved.get("General", []), POSITIONAL, strict=False)
    for group in parts.networks.values():
        for section in group.sections:
            kind = Net if section.name == "net" else find("network", section.name)
            if kind is not None:
                yield section, kind


def _take_older(parts: Parts) -> list[tuple[Option, str]]:
    """Older names become those that came after them, where these are not written; each with what it became."""
    taken = []
    for section in parts.reserved.get("General", [])[2:3]:
        for option in list(section.options):
            for critic, later in OLDER_NAMES.get(option.key, {}).items():
                if critic in parts.networks and section.option(later) is None:
                    section.options.append(Option(option.file, option.line, later, option.value))
                    taken.append((option, later))
        section.options = [option for option in section.options if option not in [old for old, _ in taken]]
    return taken


def _unread(section: Section, kind: type[Checked]) -> list[Option]:
    """The options that nothing reads, taken out; what is nearly an option stays, and is an error."""
    known = kind.readers()
    unread = [
        option
        for option in section.options
        if option.key not in known and not _is_slip(option.key, section, known)
    ]
    section.options = [option for option in section.options if option not in unread]
    return unread


def _is_slip(key: str, section: Section, known: Mapping[str, object]) -> bool:
    """Whether a letter or two make it an option, or it is another framework's word for one that is not written.

    The beginning of a longer name is none: `learning_rate` among training options is no `learning_rate_scheduler`.
    """
    if key in OLDER_NAMES:
        return False
    meant = name_here(key, "option", known)
    if meant is not None and section.option(meant) is None:
        return True
    near = nearest(key, known)
    return near is not None and not (near.startswith(key) and len(near) - len(key) > _LETTERS_OFF)


def _spare_blocks(parts: Parts) -> list[Option]:
    """The blocks of options behind the three that have a meaning, taken out."""
    general = parts.reserved.get("General", [])
    spare = [section for section in general[len(POSITIONAL) :] if find("general", section.name) is None]
    parts.reserved["General"] = [section for section in general if section not in spare]
    return [Option(section.file, section.line, f"[{section.name}]", "") for section in spare]


def _told(unread: list[Option], older: list[tuple[Option, str]]) -> Finding:
    """One finding of all of them, with the lines of each."""
    every = sorted((*unread, *(option for option, _ in older)), key=lambda option: option.line)
    parts = [
        f"`{option.key}` (line {option.line}) is read as `{later}`, its newer name" for option, later in older
    ]
    lines: dict[str, list[str]] = {}
    for option in sorted(unread, key=lambda option: option.line):
        place = "" if option.file is every[0].file else f"{option.file.name}:"
        lines.setdefault(option.key, []).append(f"{place}{option.line}")
    named = [f"`{key}` (line{'s' * (len(at) > 1)} {', '.join(at)})" for key, at in lines.items()]
    parts += [f"AUDetNet passes over {_listed(named)}, and so it is here"] if named else []
    help = "nothing needs to be changed: the file trains as it does there"
    return Finding("NC115", "; ".join(parts), every[0].span, help=help, severity="warning")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ignore_activations(parts: Parts, findings: list[Finding]) -> None:
    """Write `None` for the activations that the original's blocks do not know, and take for none; each is warned of."""
    scope = VariableScope(parts.variables)
    for group in parts.networks.values():
        for section in group.sections:
            option = section.option("activation")
            if option is None or section.name not in _ACTIVATIONS:
                continue
            try:
                value = scope.replaced(option.value)
            except ExpressionError:  # reported where the section is read
                continue
            if value not in (*_ACTIVATIONS[section.name], *NO_ACTIVATION):
                section.options[section.options.index(option)] = option.with_value("None")
                message = f"AUDetNet's `{section.name}` knows no activation `{value}` and applies none"
                help = (
                    f"known there: {', '.join(f'`{name}`' for name in _ACTIVATIONS[section.name])}, or `None`"
                )
                findings.append(Finding("NC114", message, option.value_span, help=help, severity="warning"))
