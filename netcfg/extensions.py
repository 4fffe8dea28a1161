"""A user's own blocks: Python files that a `.cfg` file includes.

`{include my_blocks.py}` runs the file, and the `Block` subclasses in it become block types. Only include files
you would run yourself.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from netcfg.blocks.registry import GROUPS, forget, sections
from netcfg.source import Finding, Span

_loaded: dict[Path, int] = {}


def load_extension(path: Path, asked_at: Span, findings: list[Finding]) -> None:
    """Run a Python file once (again when it has changed), so that its blocks are known."""
    changed = path.stat().st_mtime_ns
    if _loaded.get(path) == changed:
        return
    name = f"netcfg_extension_{path.stem}_{abs(hash(path)) % 10**8}"
    _forget(name)
    for group in GROUPS:
        sections(
            group
        )  # so that a name used twice is found in the user's file, not in ours when that is read
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises is the user's to read
        _forget(name)
        findings.append(_failed(path, error, asked_at))
        return
    _loaded[path] = changed


def _failed(path: Path, error: Exception, asked_at: Span) -> Finding:
    line = error.lineno if isinstance(error, SyntaxError) else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f"{path.name}, line {line}" if line else path.name
    return Finding(
        "NC012", f"{where}: {type(error).__name__}: {error}", asked_at, help="mend the Python file"
    )


def _forget(module_name: str) -> None:
    sys.modules.pop(module_name, None)
    forget(module_name)
