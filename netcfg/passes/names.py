"""Names of blocks: which cannot be one (Python's own words, the attributes of PyTorch's modules), which are taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from netcfg.blocks.values import IDENTIFIER
from netcfg.passes.drafts import Context, Namespace, Wire
from netcfg.passes.expressions import ExpressionError
from netcfg.passes.table_rows import Table
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Note, Span
from netcfg.syntax import Option, Section

_PATH = re.compile(r"[A-Za-z_]\w*(-\w+)*(\.\w[\w-]*)*\Z", re.ASCII)
RESERVED_NAMES = frozenset(
    """
    F Tensor self source_code torch
    False None T_destination True _apply _backward_hooks _backward_pre_hooks _buffers _call_impl
    _compiled_call_impl _forward_hooks _forward_hooks_always_called _forward_hooks_with_kwargs
    _forward_pre_hooks _forward_pre_hooks_with_kwargs _get_backward_hooks _get_backward_pre_hooks
    _get_name _is_full_backward_hook _load_from_state_dict _load_state_dict_post_hooks
    _load_state_dict_pre_hooks _maybe_warn_non_full_backward_hook _modules _named_members
    _non_persistent_buffers_set _parameters _register_load_state_dict_pre_hook _register_state_dict_hook
    _replicate_for_data_parallel _save_to_state_dict _slow_forward _state_dict_hooks
    _state_dict_pre_hooks _version _wrapped_call_impl add_module and apply as assert async await bfloat16
    break buffers call_super_init children class clear compile continue cpu cuda def del double
    dump_patches elif else eval except extra_repr finally float for forward from get_buffer
    get_extra_state get_parameter get_submodule global half if import in ipu is items keys lambda
    load_state_dict modules mtia named_buffers named_children named_modules named_parameters nonlocal not
    or parameters pass pop raise register_backward_hook register_buffer register_forward_hook
    register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ return
    set_extra_state set_submodule share_memory state_dict to to_empty train training try type update
    values while with xpu yield zero_grad
    """.split()
)


def is_reserved(name: str) -> bool:
    """Whether Python or a PyTorch module uses the name itself."""
    return name in RESERVED_NAMES or name.startswith("__")


def declared_names(
    sections: Sequence[Section], scope: VariableScope, tables: Mapping[str, Table]
) -> tuple[dict[str, int], int]:
    """Name -> position of every named block of a body, also of those still to come, and how many blocks there are.

    Names that count turns or rows are known when their block is placed.
    """
    names: dict[str, int] = {}
    position = 0
    for section in sections:
        if section.name in ("input", "output", "defaults", "expect"):
            continue
        option = section.option("name")
        name = _text(option, scope) if option else None
        if name is not None and not name.endswith("."):
            names.setdefault(name, position)
        rows = section.option("rows")
        table = tables.get(_text(rows, scope) or "") if rows else None
        position += len(table.rows) if table else 1
    return names, position


def begun(
    sections: Sequence[Section], inputs: dict[str, Wire], context: Context, tables: Mapping[str, Table]
) -> Namespace:
    """A body before its first block; its names as far as they can be known so early."""
    declared, count = declared_names(sections, context.variables, tables)
    return Namespace(declared, inputs, count, body=sections)


def _text(option: Option, scope: VariableScope) -> str | None:
    if "$" not in option.value:
        return option.value
    try:
        return scope.replaced(option.value)
    except ExpressionError:
        return None


def check_name(
    option: Option | None, taken: Mapping[str, object], findings: list[Finding], may_be_path: bool = False
) -> bool:
    """Whether a block may be called so; says why not. `taken` may hold the sections that bear its names.

    `may_be_path`: its parts stand between dots.
    """
    if option is None:
        return True
    name = option.value
    if not (_PATH.match(name) if may_be_path else IDENTIFIER.match(name)):
        help = "letters, digits and underscores, a letter first"
        help += "; in a path also `-`, and dots between its parts" if may_be_path and "." in name else ""
        findings.append(Finding("NC111", f"`{name}` cannot be a block's name", option.value_span, help=help))
    # Each part of a path is an attribute of a module, and a variable of the forward that is written.
    elif word := next(filter(is_reserved, name.split(".")), None):
        message = f"`{word}` is a word that Python or PyTorch's modules use themselves"
        findings.append(Finding("NC111", message, option.value_span, help=f"`{word}_1`, or any other word"))
    elif name in taken:
        first = taken[name]
        # One line made both, a row or a copy each: that the name is taken would be no help.
        if isinstance(first, Section) and any(one.span == option.span for one in first.options):
            message = f"`{name}` is the name of another block here, which this line makes, too"
            help = "say which in the name: `$row`, `$turn`, `$number`, or end it with a dot"
            notes = (Note(first.span, "a block for each row"),)
            findings.append(Finding("NC107", message, option.value_span, notes, help=help))
            return False
        report_duplicate(option, first.span if isinstance(first, Section) else None, findings)
    else:
        return True
    return False


def report_duplicate(option: Option | None, first: Span | None, findings: list[Finding]) -> None:
    """A name is another block's, which stands `first`."""
    if option is not None:
        notes = (Note(first, "first here"),) if first else ()
        message = f"`{option.value}` is the name of another block here"
        findings.append(Finding("NC107", message, option.value_span, notes, help="give it a name of its own"))
