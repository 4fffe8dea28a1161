"""The Python files that a run's program includes: a run keeps a copy of each, and goes on with it.

`extensions/` in the run folder holds them, and `origins.json`, which says where each was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from netcfg.source import Finding, NetcfgError, shown_path

FOLDER = "extensions"
_ORIGINS = "origins.json"


def keep_copies(run: Path, files: Iterable[Path]) -> dict[Path, str]:
    """Copy Python files into a run folder; their names there, as `resolved.cfg` includes them."""
    names: dict[Path, str] = {}
    for file in files:
        names[file] = f"{FOLDER}/{_free_name(file, names.values())}"
        (run / FOLDER).mkdir(exist_ok=True)
        try:
            shutil.copy2(file, run / names[file])
        except OSError as error:
            raise NetcfgError(
                f"cannot keep a copy of {shown_path(file)}: {error.strerror}", code="NC804"
            ) from None
    if names:
        origins = {Path(name).name: str(file) for file, name in names.items()}
        (run / FOLDER / _ORIGINS).write_text(json.dumps(origins, indent=2) + "\n", "utf-8")
    return names


def names_of_copies(run: Path) -> dict[Path, str]:
    """The names of a run's copies, by the files they were made of, and by their own paths."""
    return {
        path: f"{FOLDER}/{copy.name}" for origin, copy in _copies(run) for path in (origin, copy.resolve())
    }


def changed_since(run: Path) -> list[Finding]:
    """A warning (NC704) for each file that has changed since the run has kept its copy."""
    return [
        _changed(origin, copy)
        for origin, copy in _copies(run)
        if origin.is_file() and origin.read_bytes() != copy.read_bytes()
    ]


def _changed(origin: Path, copy: Path) -> Finding:
    when = datetime.fromtimestamp(origin.stat().st_mtime).strftime("%Y-%m-%d %H:%M:%S")
    message = f"{shown_path(origin)} has changed on {when}, since this run began; the run uses its copy"
    help = f"{shown_path(copy)} is that copy; to use the changed file, begin a new run"
    return Finding("NC704", message, help=help, severity="warning")


def _copies(run: Path) -> Iterator[tuple[Path, Path]]:
    """Each original and its copy; nothing for a run without."""
    listed = run / FOLDER / _ORIGINS
    if not listed.is_file():
        return
    for name, origin in json.loads(listed.read_text("utf-8")).items():
        if (run / FOLDER / name).is_file():
            yield Path(origin), run / FOLDER / name


def _free_name(file: Path, taken: Iterable[str]) -> str:
    """The file's own name, numbered where another file has it."""
    used = {Path(name).name for name in taken}
    name, number = file.name, 2
    while name in used:
        name, number = f"{file.stem}_{number}{file.suffix}", number + 1
    return name
