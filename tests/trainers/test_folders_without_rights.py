"""What a folder that may not be written says: a sentence with the system's reason, and what still can be done."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from netcfg.source import NetcfgError
from netcfg.trainers.prediction import annotation
from netcfg.trainers.runs.lock import Lock


def refuse(*arguments: object, **options: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_run_that_may_not_be_written_is_not_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", refuse)  # the superuser, as who tests may run, is refused nothing
    with pytest.raises(NetcfgError, match="Permission denied") as caught, Lock(tmp_path):
        pass
    assert caught.value.code == "NC804"
    assert "`eval` and `predict`" in str(caught.value)


def test_a_video_that_may_not_be_written_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(NetcfgError, match="Permission denied"):
        annotation.AnnotatedVideo(tmp_path / "a.mp4", 25.0)
