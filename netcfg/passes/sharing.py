"""Blocks that use the parameters of another (`shared_with`): which those are, and whether they can."""

from __future__ import annotations

from netcfg.blocks.base import Block
from netcfg.passes.drafts import Namespace, Result
from netcfg.source import Finding, Span, did_you_mean
from netcfg.syntax import Section

_OWN_OPTIONS = (
    "name",
    "from",
    "repeat",
    "weights",
    "weights_from",
    "layout",
    "adapt",
    "freeze",
    "shared_with",
)
"""What two blocks of the same parameters may differ in, besides the blocks they read."""
_OF_PARAMETERS = ("weights", "weights_from", "layout", "adapt", "freeze")
"""What is written where the parameters are."""


def shared_block(block: Block, section: Section, names: Namespace) -> Result:
    """The result of the block above in the same body that `shared_with` names. Raises `SharingError` where it cannot
    be.
    """
    reference = block.shared_with
    assert reference is not None
    target = reference.target
    if isinstance(target, str):
        found = names.find(reference)
        other, reference = found or (None, reference)
    else:
        among = names.results if target < 0 else names.numbered
        other = among[target] if -len(among) <= target < len(among) else None
    if other is None:
        help = did_you_mean(str(target), names.declared)
        raise SharingError(section, f"there is no block `{target}` above", "NC201", help)
    if reference.port or other.turns:
        name = reference.target
        message = f"`{reference}` is a part of `{name}`" if reference.port else f"`{name}` is repeated"
        raise SharingError(section, message, help="share with a whole block that stands there once")
    if other.type != section.name:
        raise SharingError(section, f"`{reference}` is [{other.type}], and this is [{section.name}]")
    written = next((key for key in _OF_PARAMETERS if section.option(key) is not None), None)
    if written is not None:
        message = f"`{written}` is of parameters, and this block has those of `{reference}`"
        raise SharingError(section, message, help=f"write `{written}` there")
    return other


class SharingError(Exception):
    """Why a block cannot use another's parameters."""

    def __init__(self, section: Section, message: str, code: str = "NC213", help: str | None = None) -> None:
        super().__init__(message)
        option = section.option("shared_with")
        self.finding = Finding(code, message, option.value_span if option else section.span, help=help)


def difference(block: Block, other: Block | None) -> str | None:
    """In which option two blocks of the same parameters differ, as a sentence; None where they do not."""
    if other is None or type(other) is not type(block):
        return f"has no such [{block.type_name}]"
    for key, field in type(block).model_fields.items():
        name = field.alias or key
        here, there = getattr(block, key), getattr(other, key)
        if here != there and name not in (*_OWN_OPTIONS, block.reference_option, *block.roles):
            return f"has `{name} = {there}`, and this `{name} = {here}`"
    return None


def differs(use: Span, path: str, holder: str, what: str) -> Finding:
    """The finding of a block (at `path`, in the expansion of `use`) whose twin is another."""
    message = f"`{path}` cannot use the parameters of `{holder}`, which {what}"
    return Finding("NC213", message, use, help="the same options, or parameters of its own")
