"""Tests see the installed netcfg, never the folders beside them, and leave the user's caches alone."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = str(Path(__file__).resolve().parent.parent)
sys.path[:] = [entry for entry in sys.path if entry not in ("", ROOT)]

_CACHE = tempfile.TemporaryDirectory(prefix="netcfg-tests-")
os.environ["NETCFG_CACHE"] = _CACHE.name  # read by child processes, too

# Some shells, and the tests' own processes beside each other, say how wide a terminal is where there is none.
os.environ.pop("COLUMNS", None)

# Processes beside each other that each take all cores wait for one another; torch reads this when it loads.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell that starts the tests in the background, or `nohup`, leaves these ignored; what the tests start would
# inherit that.
for _signal in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, signal.default_int_handler if _signal is signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _the_same_draws_in_any_order() -> None:
    """What a test draws must not hang on the tests before it in its process."""
    random.seed(0)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(0)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(0)
        _start_autograd(torch)


_STARTED: list[bool] = []


def _start_autograd(torch: ModuleType) -> None:
    """Let it count devices before a test traces a network, which adds one: it would start a thread for that one, and
    then no copy of this process, as some tests make, could go backward.
    """
    if not _STARTED:
        _STARTED.append(True)
        # a module's fixture may hold gradients off around the first test of this process
        with torch.inference_mode(False), torch.enable_grad():
            torch.ones(1, requires_grad=True).sum().backward()
