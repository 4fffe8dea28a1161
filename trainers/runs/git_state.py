"""Which state of a git repository a run was started in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

_SECONDS = 10.0


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit, the branch, and how many followed files differ from it; None outside of a repository.

    Nothing is written into the repository, not even an index that was refreshed.
    """
    commit = _asked(folder, "rev-parse", "HEAD")
    changed = _asked(folder, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changed is None:
        return None
    branch = _asked(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return {
        "commit": commit,
        "branch": None if branch == "HEAD" else branch,
        "changed": len(changed.splitlines()),
    }


def _asked(folder: Path, *words: str) -> str | None:
    """What git says; None where it refuses, is not there, or takes too long."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=_SECONDS,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip("\n")
