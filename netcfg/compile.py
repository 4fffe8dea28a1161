"""From text to a checked program: the passes, in order."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from netcfg.extensions import brings_more, read_packages
from netcfg.faults import blamed
from netcfg.passes.alike import fill_in
from netcfg.passes.bind import bind
from netcfg.passes.causes import say_once, say_without_data
from netcfg.passes.collect import Parts, collect, is_audetnet
from netcfg.passes.elaborate import elaborate_all
from netcfg.passes.feed import fields_of
from netcfg.passes.read import Reading, read_program
from netcfg.program import Program
from netcfg.source import Finding, ProgramError, has_errors

if TYPE_CHECKING:
    from netcfg.passes.understand import Understood

UNKNOWN = "NC102"
"""The code of a section that nobody knows: an installed package may."""


def load(
    path_or_text: str | os.PathLike[str],
    preset: str | None = None,
    *,
    allow_outside: bool = False,
    **variables: object,
) -> Program:
    """The checked program of a `.cfg` file, or of a text.

    A string with a line break or a brace in it is a text, anything else a path. `preset` and `variables` set
    variables of the program, the latter last. Raises `ProgramError` with all findings where there is an error, also
    where it includes a file that lies neither below its own folder nor below the current one, nor is shipped, unless
    `allow_outside`.
    """
    program, findings = check(path_or_text, preset, variables, allow_outside=allow_outside)
    if program is None:
        raise ProgramError(findings)
    return program


def check(
    path_or_text: str | os.PathLike[str],
    preset: str | None = None,
    variables: Mapping[str, object] | None = None,
    data: str | None = None,
    allow_outside: bool = False,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Program | None, list[Finding]]:
    """The program (None where it has errors) and everything found on the way.

    `data` is a folder that takes the place of the program's source of data, whose `labels`, by field the names that the
    networks were trained on, are matched with its own; for `allow_outside` see `load`.
    """
    enabled = gc.isenabled()
    gc.disable()  # the tree and the graph only grow; walking them again and again would double the time
    try:
        program, findings = _compile(path_or_text, preset, variables or {}, data, allow_outside, labels)
        if any(finding.code == UNKNOWN for finding in findings):
            if brings_more():
                program, findings = _compile(
                    path_or_text, preset, variables or {}, data, allow_outside, labels
                )
            findings += [broken.finding for broken in read_packages()]
        return program, findings
    finally:
        if enabled:
            gc.enable()


def understand(
    path_or_text: str | os.PathLike[str],
    preset: str | None = None,
    variables: Mapping[str, object] | None = None,
    data: str | None = None,
    allow_outside: bool = False,
) -> tuple[list[Understood], list[Finding]]:
    """A program's networks as far as they can be understood, errors and all; and everything that `check` finds."""
    from netcfg.passes.understand import understand_networks

    _, findings = check(path_or_text, preset, variables, data, allow_outside)
    unheard: list[Finding] = []
    reading = read_program(path_or_text, unheard, allow_outside)
    if data is not None:
        _add_training(reading, data)
    parts = _parts(reading, preset, variables or {}, unheard)
    return understand_networks(reading, parts, findings), findings


def _compile(
    path_or_text: str | os.PathLike[str],
    preset: str | None,
    variables: Mapping[str, object],
    data: str | None,
    allow_outside: bool,
    labels: Mapping[str, Sequence[str]] | None,
) -> tuple[Program | None, list[Finding]]:
    findings: list[Finding] = []
    try:
        return _passes(path_or_text, preset, variables, data, findings, allow_outside, labels), findings
    except Exception as error:  # of a section's own code, else of ours
        finding = blamed(error)
        if finding is None:
            raise
        return None, [*findings, finding]


def _passes(
    path_or_text: str | os.PathLike[str],
    preset: str | None,
    variables: Mapping[str, object],
    data: str | None,
    findings: list[Finding],
    allow_outside: bool,
    labels: Mapping[str, Sequence[str]] | None,
) -> Program | None:
    reading = read_program(path_or_text, findings, allow_outside)
    note = None if data is None else _add_training(reading, data)
    parts = _parts(reading, preset, variables, findings)
    audetnet = is_audetnet(parts)
    asks_own = note is None
    lacking = () if data is None or audetnet else _read_from_folder(parts, data, findings, labels, asks_own)
    fields = fields_of(parts)
    graphs = elaborate_all(parts, findings, fields)
    if audetnet:
        from netcfg.passes.audetnet import translate  # read for its files alone: most are none

        translate(parts, graphs, findings)
        lacking = () if data is None else _read_from_folder(parts, data, findings, labels)
    program = bind(parts, reading, graphs, preset, findings)
    say_once(findings, lacking)
    if "Data" not in parts.spans:
        say_without_data(findings)
    _report_nothing(parts, findings)
    if program is None or has_errors(findings):
        return None
    return program if note is None else replace(program, notes=(note,))


def _add_training(reading: Reading, folder: str) -> str | None:
    from netcfg.passes.training_part import add_training  # most programs have data of their own

    return add_training(reading, folder)


def _read_from_folder(
    parts: Parts,
    folder: str,
    findings: list[Finding],
    labels: Mapping[str, Sequence[str]] | None,
    asks_own: bool = True,
) -> tuple[str, ...]:
    from netcfg.passes.data_folder import read_from_folder  # most programs are checked with their own data

    return read_from_folder(parts, folder, findings, labels, asks_own)


def _parts(
    reading: Reading, preset: str | None, variables: Mapping[str, object], findings: list[Finding]
) -> Parts:
    parts = collect(reading, preset, variables, findings)
    fill_in(parts, findings)
    if is_audetnet(parts):
        from netcfg.passes.audetnet_unread import pass_over

        pass_over(parts, findings)
    return parts


def _report_nothing(parts: Parts, findings: list[Finding]) -> None:
    """A file of templates and data alone is fine to include, but no program."""
    if not parts.networks and not has_errors(findings):
        message = f"{parts.name} declares no network"
        findings.append(Finding("NC208", message, help="open one: `{Name}`, then `[net]`"))
