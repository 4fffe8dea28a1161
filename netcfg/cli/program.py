"""What the commands share: the arguments that choose a program, and loading it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from netcfg.compile import check
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError, render, sorted_findings


def add_program_arguments(parser: argparse.ArgumentParser) -> None:
    """`--preset`, `--set`, `--data` and `--allow-outside`."""
    parser.add_argument("--preset", metavar="NAME", help="use this preset of the file")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="set a variable; repeatable",
    )
    parser.add_argument(
        "--data", metavar="DIR", help="read the data from this folder, whatever the file says"
    )
    add_outside_argument(parser)


def add_outside_argument(parser: argparse.ArgumentParser) -> None:
    """`--allow-outside`."""
    parser.add_argument(
        "--allow-outside",
        action="store_true",
        help="let files include others from anywhere, not only from below their own folder or the current one",
    )


def refuse_program_arguments(options: argparse.Namespace, why: str, help: str, *but: str) -> None:
    """Raises `NetcfgError` where one of `add_program_arguments` is given (other than `but`), and nothing reads it."""
    given = {
        "preset": options.preset is not None,
        "set": bool(options.settings),
        "data": options.data is not None,
        "allow-outside": options.allow_outside,
    }
    refused = [f"`--{name}`" for name, is_given in given.items() if is_given and name not in but]
    if refused:
        raise NetcfgError(f"{', '.join(refused)}: {why}\nhelp: {help}", code="NC801")


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """The variables set on the command line. Raises `NetcfgError` for one without `=`."""
    return read_settings(options.settings)


def read_settings(texts: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE`s by name. Raises `NetcfgError` for one without `=`."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise NetcfgError(f"--set {text}: write it as NAME=VALUE, e.g. --set width=32", code="NC801")
        if not value.strip():
            help = "leave it out to have the file's, or write `None` where that is meant"
            raise NetcfgError(f"--set {text}: says no value\nhelp: {help}", code="NC801")
        settings[name.strip()] = value.strip()
    return settings


def load_program(file: str, options: argparse.Namespace) -> Program:
    """The program, after printing its warnings. Raises `ProgramError` with all findings."""
    program, findings = check_file(
        file, options.preset, settings_of(options), options.data, options.allow_outside
    )
    if program is None:
        raise ProgramError(findings)
    for finding in sorted_findings(findings):
        print(render(finding), file=sys.stderr)
    for note in program.notes:
        print(f"note: {note}", file=sys.stderr)
    return program


def say_changes(run: Path) -> bool:
    """Warn of Python files that have changed since a run has kept copies of them; whether there are any."""
    from netcfg.trainers.runs.extension_copies import changed_since

    findings = changed_since(run)
    for finding in findings:
        print(render(finding), file=sys.stderr)
    return bool(findings)


def check_file(
    file: str,
    preset: str | None,
    settings: Mapping[str, str],
    data: str | None = None,
    allow_outside: bool = False,
) -> tuple[Program | None, list[Finding]]:
    """Check a path (never a text), so that a strange file name is a missing file."""
    return check(Path(file), preset, settings, data, allow_outside)
