"""Tests see the installed netcfg, never the folders beside them, and leave the user's caches alone."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = str(Path(__file__).resolve().parent.parent)
sys.path[:] = [entry for entry in sys.path if entry not in ("", ROOT)]

_CACHE = tempfile.TemporaryDirectory(prefix="netcfg-tests-")
os.environ["NETCFG_CACHE"] = _CACHE.name  # read by child processes, too
