"""The runs of a sweep end when their sweep is gone, and keep what they have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_training import MEAN_COLOURS, small_training

TRAINING = small_training(MEAN_COLOURS, subjects=3, max_epochs=1_000_000, monitor="bce_with_logits")


def until(holds, seconds: float = 90.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def is_alive(process: int) -> bool:
    """Whether it runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_runs_end_when_their_sweep_is_killed(tmp_path):
    (tmp_path / "net.cfg").write_text(TRAINING)
    options = ("--over", "seed=1,2", "--jobs", "2", "--device", "cpu", "--workers", "0", "--run-dir", "sweep")
    sweep = subprocess.Popen(
        [sys.executable, "-m", "netcfg", "sweep", "net.cfg", *options],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    logs = [tmp_path / "sweep" / f"seed={seed}" / "metrics.jsonl" for seed in (1, 2)]
    try:
        assert until(lambda: all(log.exists() for log in logs))
        children = Path(f"/proc/{sweep.pid}/task/{sweep.pid}/children").read_text().split()
        runs = [int(child) for child in children]
    finally:
        sweep.kill()
        sweep.wait()
    assert len(runs) == 2
    try:
        assert until(lambda: not any(map(is_alive, runs)))
        assert [(log.parent / "checkpoints" / "last.state").exists() for log in logs] == [True, True]
    finally:
        for run in filter(is_alive, runs):
            os.kill(run, signal.SIGKILL)


def test_a_process_without_a_parent_that_holds_it_goes_on(monkeypatch):
    from netcfg.trainers.machine.parent import end_with_parent

    monkeypatch.delenv("NETCFG_PARENT_PIPE", raising=False)
    before = len(os.listdir("/proc/self/task")) if Path("/proc/self/task").exists() else 0
    end_with_parent()
    after = len(os.listdir("/proc/self/task")) if before else 0
    assert before == after
