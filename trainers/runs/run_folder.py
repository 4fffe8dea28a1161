"""The folder a run leaves behind.

resolved.cfg         the program as trained: includes in place, variables replaced
extensions/          a copy of each Python file that it includes, and where each was
run.json             how it was started
environment.json     how and when it was last started: command, git state, versions, device, threads
index.html           all of it as a page, at the end (`netcfg.pages`)
data.json            what the data were: names, sizes, times and counts (`netcfg.trainers.runs.fingerprint`)
metrics.jsonl        a line per epoch
result.json          the best epoch, its figures, those on the test split
curves.png           losses and metrics over epochs
pictures/            what `[pictures]` shows, after every epoch
gradient_flow/       how large gradients are, for each phase and epoch, where `[pictures]` asks for it
checkpoints/         see `netcfg.trainers.runs.checkpoints`
tensorboard/         the same figures as TensorBoard events, where it is installed
"""

from __future__ import annotations

import difflib
import json
import os
import platform
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import torch

from netcfg.opened import DAMAGED, NO_RUN, no_run
from netcfg.program import Program
from netcfg.results import Epoch
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path
from netcfg.trainers.machine.devices import describe_device
from netcfg.trainers.runs.checkpoints import CANNOT_RESUME, Checkpoints, write_synced
from netcfg.trainers.runs.extension_copies import keep_copies, names_of_copies
from netcfg.trainers.runs.git_state import git_state

_PACKAGES = ("netcfg", "torch", "torchvision", "numpy", "opencv-python", "safetensors")
_REQUIRED = ("run.json", "resolved.cfg")
_FILES = (*_REQUIRED, "environment.json", "metrics.jsonl", "result.json")
_SHOWN_DIFFERENCES = 4
_EDITED = (
    "leave the file out to continue with the run's own: `netcfg train --resume RUN`; a value that may change while a "
    "run trains, such as a learning rate, is a variable of the file, and is changed by `--set NAME=VALUE`"
)


class RunFolder:
    """A run's files. Made by `create` or `open`; nothing outside `path` is ever written."""

    def __init__(self, path: Path, to_resume: bool = False) -> None:
        self.path = path
        self._damage = CANNOT_RESUME if to_resume else DAMAGED
        self.checkpoints = Checkpoints(path / "checkpoints", self._damage)

    def __str__(self) -> str:
        return shown_path(self.path)

    @classmethod
    def create(cls, program: Program, path: Path | None = None) -> RunFolder:
        """A fresh folder: `path`, or the next free `runs/<program>-<n>`.

        Raises `NetcfgError` where it cannot be made, or already holds something.
        """
        try:
            run = cls(_claim(path) if path else _claim_next(Path("runs"), program.name))
            (run.path / "checkpoints").mkdir()
        except OSError as error:
            place = shown_path(path or Path("runs"))
            raise NetcfgError(
                f"cannot make the run folder {place}: {error.strerror}\n"
                "help: give one that may be written with `--run-dir`",
                code="NC804",
            ) from None
        run.write("resolved.cfg", program.resolved_with(keep_copies(run.path, program.extensions)))
        return run

    @classmethod
    def open(cls, path: Path, to_resume: bool = False) -> RunFolder:
        """The folder of an earlier run.

        Raises `ProgramError` where it is none (NC802) or damaged (NC809); with `to_resume`, for either, NC406.
        """
        run = cls(path, to_resume)
        known = [path / name for name in _FILES]
        if not any(file.is_file() for file in known):
            raise ProgramError([no_run(path, CANNOT_RESUME if to_resume else NO_RUN)])
        # Before anything reads them: a pipe in a file's place would be waited for.
        for file in (*known, *run.checkpoints.files()):
            if not file.is_file() and (os.path.lexists(file) or file.name in _REQUIRED):
                where = file.relative_to(path)
                what = "is in its place, and no file" if os.path.lexists(file) else "is missing"
                raise ProgramError(
                    [
                        Finding(
                            run._damage,
                            f"{run}/{where} {what}: the run was damaged, or copied in part",
                            help="put it back from where the run was copied",
                        )
                    ]
                )
        run._expect_whole_program()
        return run

    def _expect_whole_program(self) -> None:
        """Refuse a `resolved.cfg` whose end is gone: what is left may well be a program, though another."""
        with (self.path / "resolved.cfg").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            last = file.read()
        if last != b"\n":  # whoever writes one ends it with a line
            what = "ends within a line" if size else "is empty"
            raise self.damaged(
                f"{self}/resolved.cfg {what}: the run was damaged, or copied in part",
                "put it back from where the run was copied",
            )

    def differences(self, program: Program) -> list[str]:
        """In what a program differs from the one this run trained, in a reader's words."""
        theirs = program.resolved_with(names_of_copies(self.path))
        return _differences((self.path / "resolved.cfg").read_text("utf-8"), theirs)

    def expect_program(self, program: Program) -> None:
        """Refuse (NC406) a program that is not the one this run trained, naming what differs."""
        differences = self.differences(program)
        if differences:
            raise ProgramError(
                [
                    Finding(
                        "NC406",
                        f"{self} was trained from another program: {shortened(differences)}",
                        help=_EDITED,
                    )
                ]
            )

    def discard(self) -> None:
        """Remove the folder of a run that could not begin."""
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, text: str) -> None:
        """Replace a text file of the run."""
        target = self.path / name
        beside = target.with_name(target.name + ".new")
        write_synced(beside, lambda path: path.write_text(text, "utf-8"))
        os.replace(beside, target)

    def write_json(self, name: str, value: Any) -> None:
        """Replace a JSON file of the run."""
        self.write(name, json.dumps(value, indent=2) + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """An object of the run's JSON files. Raises `ProgramError` (NC809, or NC406) where it is damaged."""
        try:
            found = json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            help = (
                "put it back from where the run was copied; "
                f"`netcfg eval {self}/resolved.cfg --weights {self}/checkpoints/best.safetensors` judges its weights"
            )
            raise self.damaged(f"{self}/{name} is damaged, or no file of a run", help)
        return found

    def damaged(self, message: str, help: str) -> ProgramError:
        """What is said of a file of the run that cannot be used: NC809, or NC406 where the run is to go on."""
        return ProgramError([Finding(self._damage, message, help=help)])

    def append_record(self, record: Epoch) -> None:
        """Add an epoch to `metrics.jsonl`."""
        try:
            with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(record.to_json()) + "\n")
        except OSError as error:
            raise NetcfgError(f"cannot write {self}/metrics.jsonl: {error.strerror}", code="NC804") from None

    def records(self, epochs: int = sys.maxsize, rewrite: bool = False) -> list[Epoch]:
        """The epochs of `metrics.jsonl` up to number `epochs`; a line that is none, as a full disk leaves it, is not.

        With `rewrite`, others are dropped from the file: later epochs, which `last` knows nothing of.
        """
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return []
        kept: dict[int, tuple[Epoch, str]] = {}
        for line in path.read_text("utf-8", "replace").splitlines():
            record = _epoch(line)
            if record is not None and record.epoch <= epochs:
                kept[record.epoch] = record, line
        if rewrite:
            self.write("metrics.jsonl", "".join(f"{line}\n" for _, line in kept.values()))
        return [record for record, _ in kept.values()]


def _epoch(line: str) -> Epoch | None:
    try:
        return Epoch.from_json(json.loads(line))
    except (ValueError, TypeError):
        return None


def environment(device: torch.device, workers: int) -> dict[str, Any]:
    """What a result may depend on besides the program: the command, the code's state, versions, machine, threads."""
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "folder": os.getcwd(),
        "git": git_state(Path.cwd()),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": {name: _version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "device": describe_device(device),
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
        "workers": workers,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _claim(path: Path) -> Path:
    if (path / "run.json").exists():
        raise NetcfgError(
            f"{shown_path(path)} already holds a run\n"
            f"help: continue it with `--resume {shown_path(path)}`, or give another folder",
            code="NC803",
        )
    if path.is_dir() and any(path.iterdir()):
        raise NetcfgError(
            f"{shown_path(path)} is not empty\nhelp: give a new folder with `--run-dir`", code="NC803"
        )
    path.mkdir(parents=True, exist_ok=True)
    return path


def _claim_next(parent: Path, name: str) -> Path:
    """`parent/name-1`, or with the first free number; made here, so that two runs never share one."""
    parent.mkdir(parents=True, exist_ok=True)
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem).strip("-") or "run"
    number = 1
    while True:
        path = parent / f"{plain}-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        else:
            return path


def _differences(ours: str, theirs: str) -> list[str]:
    """What one program's text has become in another, a line for each setting: ``a` is now `b``."""
    old, new = _statements(ours), _statements(theirs)
    gone: list[_Statement] = []
    added: list[_Statement] = []
    matcher = difflib.SequenceMatcher(
        None, [one.text for one in old], [one.text for one in new], autojunk=False
    )
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind != "equal":
            gone += old[a:a_end]
            added += new[b:b_end]
    lines = []
    for one in gone:
        partner = next((other for other in added if other.subject == one.subject), None)
        if partner is None:
            lines.append(f"`{one.text}`{one.place} is gone")
        else:
            added.remove(partner)
            lines.append(f"`{one.text}`{one.place} is now `{partner.value}`")
    return [*lines, *(f"`{one.text}`{one.place} is new" for one in added)]


class _Statement(NamedTuple):
    """A line of a program, without its margins, and the section that it stands in."""

    text: str
    section: str

    @property
    def key(self) -> str:
        """Of an option; empty of all other lines."""
        key, equals, _ = self.text.partition("=")
        return key.strip() if equals else ""

    @property
    def subject(self) -> tuple[str, str]:
        """What stays the same where only the value becomes another; of what has no value, the line itself."""
        return self.section, self.key or self.text

    @property
    def value(self) -> str:
        """What stands behind the `=`."""
        return self.text.partition("=")[2].strip()

    @property
    def place(self) -> str:
        """Whose option it is, where that is no variable."""
        return f" of {self.section}" if self.key and self.section not in ("", "[variables]") else ""


def shortened(lines: Sequence[str]) -> str:
    """The first few of some lines in a row, and how many more there are."""
    more = len(lines) - _SHOWN_DIFFERENCES
    return "; ".join(
        [*lines[:_SHOWN_DIFFERENCES], *([f"and {more} more setting{'s' * (more > 1)}"] if more > 0 else [])]
    )


def _statements(text: str) -> list[_Statement]:
    found, section = [], ""
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        is_heading = line[0] in "[{"
        section = ("" if line[0] == "{" else line) if is_heading else section
        found.append(_Statement(line, "" if is_heading else section))
    return found
