"""Which files an export may write over: those of an earlier one of the same name that nobody has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from netcfg.source import NetcfgError, shown_path

BESIDE = {"py": "{stem}.safetensors", "onnx": "{name}.data"}
"""What may lie beside the file of a form."""


def files_of(form: str, output: Path) -> list[Path]:
    """All files that an export may write, but for its report."""
    beside = BESIDE.get(form)
    return [
        output,
        *([output.with_name(beside.format(stem=output.stem, name=output.name))] if beside else []),
    ]


def expect_ours(output: Path, files: Sequence[Path]) -> None:
    """Raises `NetcfgError` (NC803) where something else than an earlier export of the same name would be replaced."""
    report = report_of(output)
    known: Mapping[str, str] = {}
    if report.is_file():
        try:
            known = json.loads(report.read_text())["files"]
        except (ValueError, KeyError, TypeError, OSError):
            known = {}
        if not isinstance(known, dict) or not known:
            raise _not_ours(report, "is no report of an export")
    for file in files:
        if file.is_dir():
            raise NetcfgError(
                f"{shown_path(file)} is a folder\nhelp: name a file in it: `-o {shown_path(file / output.name)}`",
                code="NC803",
            )
        if file.exists() and known.get(file.name) != digest(file):
            raise _not_ours(file, "is no export of netcfg's, or has been changed since")


def _not_ours(file: Path, why: str) -> NetcfgError:
    return NetcfgError(
        f"{shown_path(file)} is there already, and {why}\nhelp: remove it, or write to another name",
        code="NC803",
    )


def report_of(output: Path) -> Path:
    """The file beside an export that says how it was proven."""
    return output.with_name(f"{output.name}.proof.json")


def digest(file: Path) -> str:
    """What a file holds, in a few characters."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
