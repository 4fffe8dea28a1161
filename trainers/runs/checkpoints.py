"""Checkpoints: `last`, from which training continues exactly, and `best`, the weights to use.

Files of a run's `checkpoints` folder:

    last.safetensors   weights and buffers, by parameter name
    last.state         optimizer, position, random state (a torch file of plain tensors and numbers)
    best.safetensors   weights of the epoch with the best monitored figure

Everything is written beside its target (`….new`), synced, and renamed. `last` is one unit: both files carry
the same mark, the new pair is complete before the first rename, and a reader that finds the marks differ,
because the writer died between the two renames, finishes the job.
"""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from netcfg.files import expect_regular
from netcfg.passes.wire import MODEL
from netcfg.source import Finding, NetcfgError, ProgramError, shown_path

STATE_VERSION = 2
CANNOT_RESUME = "NC406"
STATE_REMEDY = (
    "the run cannot go on from here; `netcfg eval RUN` judges its best weights, and a new run can start from them: "
    "`weights = RUN/checkpoints/best.safetensors` in [net]"
)
_WRITE_ERRORS = (OSError, RuntimeError, SafetensorError)


class Checkpoints:
    """The checkpoints of one run. `State` is a dict of plain values and tensors."""

    def __init__(self, folder: Path, damage: str = CANNOT_RESUME) -> None:
        self.folder = folder
        self._damage = damage
        """The code of what is said of files that are gone or damaged."""

    @property
    def last(self) -> Path:
        """The weights training continues from."""
        return self.folder / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights of the best epoch."""
        return self.folder / "best.safetensors"

    @property
    def _state(self) -> Path:
        return self.folder / "last.state"

    def files(self) -> tuple[Path, ...]:
        """Those that a run may have."""
        return self.last, self.best, self._state

    def save_last(self, networks: nn.Module, state: dict[str, Any]) -> None:
        """Replace `last`. Raises `NetcfgError` where it cannot be written; the old one then stays."""
        mark = uuid.uuid4().hex
        marked = {"version": STATE_VERSION, "mark": mark, **state}
        write_synced(_beside(self.last), lambda path: _write_weights(path, networks, {"mark": mark}))
        try:
            write_synced(_beside(self._state), lambda path: _write_state(path, marked))
        except BaseException:
            _beside(self.last).unlink(missing_ok=True)
            raise
        try:
            os.replace(_beside(self.last), self.last)
            os.replace(_beside(self._state), self._state)
            _sync_folder(self.folder)
        except OSError as error:
            raise _cannot_write(self.last, error) from None

    def save_best(self, networks: nn.Module, figures: dict[str, str]) -> None:
        """Replace `best`; `figures` travel as the file's metadata."""
        beside = _beside(self.best)
        write_synced(beside, lambda path: _write_weights(path, networks, figures))
        os.replace(beside, self.best)
        _sync_folder(self.folder)

    def load_last(self, networks: nn.Module) -> dict[str, Any]:
        """Put the weights of `last` into the networks; the state that belongs to them.

        Raises `ProgramError` (NC406) where there is none, or it is damaged.
        """
        if not self.last.exists():
            raise cannot_resume(
                f"{shown_path(self.folder)} holds no checkpoint: the run stopped before its first",
                "start it anew with another --run-dir",
            )
        state = self._matching_state(_mark(self.last))
        load_weights(self.last, networks)
        return state

    def load_best(self, networks: nn.Module) -> None:
        """Put the best weights into the networks."""
        load_weights(self.best, networks, [MODEL])

    def best_epoch(self) -> int | None:
        """The number of the epoch that `best` is of, as the file says; None where it does not.

        Raises `ProgramError` where it is gone or damaged.
        """
        if not self.best.is_file():
            raise cannot_resume(
                f"{shown_path(self.best)} is gone, with which the run would end",
                f"put it back; the weights that training would continue from are in {self.last.name}",
                self._damage,
            )
        number = _metadata(self.best, self._damage).get("epoch", "")
        return int(number) if number.isdecimal() else None

    def _matching_state(self, mark: str) -> dict[str, Any]:
        """The state with the weights' mark; it may still stand beside its target, where a writer died."""
        beside = _beside(self._state)
        if self._state.exists():
            state = _read_state(self._state)
            if state["mark"] == mark:
                return state
        if beside.exists():
            state = _read_state(beside)
            if state["mark"] == mark:
                os.replace(beside, self._state)
                return state
        raise cannot_resume(
            f"{shown_path(self._state)} does not belong to {self.last.name} beside it",
            f"put back both files of one checkpoint; the best weights are in {self.best.name}",
        )


def load_weights(path: Path, networks: nn.Module, besides: Collection[str] = ()) -> None:
    """Fill networks from a file. Raises `NetcfgError` where it is damaged or holds other parameters.

    `besides`: what the file may hold besides, by the first part of its names.
    """
    from netcfg.builder.weights import load_state

    load_state(path, networks, besides)


def metadata_of(path: Path) -> dict[str, str]:
    """What a file of weights says of itself; nothing where it is no such file: reading it says why."""
    try:
        expect_regular(path)
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError):
        return {}


def write_synced(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file and sync it to the disk. Where that fails, it is removed, and `NetcfgError` tells."""
    try:
        write(path)
        with open(path, "rb") as file:
            os.fsync(file.fileno())
    except _WRITE_ERRORS as error:
        path.unlink(missing_ok=True)
        raise _cannot_write(path, error) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _write_weights(path: Path, networks: nn.Module, metadata: dict[str, str]) -> None:
    tensors = {name: tensor.detach().contiguous() for name, tensor in networks.state_dict().items()}
    path.touch()
    mode = path.stat().st_mode
    save_file(tensors, path, metadata=metadata)
    path.chmod(mode)  # safetensors writes a file of its own that only its owner may read


def _write_state(path: Path, state: dict[str, Any]) -> None:
    """Through Python's own file, whose errors name the reason (`No space left on device`)."""
    with open(path, "wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _read_state(path: Path) -> dict[str, Any]:
    from netcfg.builder.archives import unfit, unfit_contents

    reason = unfit(path)
    state: Any = None
    if reason is None:
        try:
            with warnings.catch_warnings(action="ignore"):  # torch's, about files that are refused anyway
                state = torch.load(path, map_location="cpu", weights_only=True)
            reason = unfit_contents(state)
        except (
            Exception
        ):  # whatever its zip and pickle readers raise: their advice is to run what is in the file
            reason = "it is cut short, another kind of file, or holds more than tensors and numbers"
    if reason is not None:
        raise cannot_resume(f"{shown_path(path)} is damaged: {reason}", STATE_REMEDY)
    if not isinstance(state, dict) or state.get("version") != STATE_VERSION or "mark" not in state:
        raise cannot_resume(
            f"{shown_path(path)} was written by another version of netcfg, or by something else", STATE_REMEDY
        )
    return state


def _mark(path: Path) -> str:
    return _metadata(path).get("mark", "")


def _metadata(path: Path, damage: str = CANNOT_RESUME) -> dict[str, str]:
    """What a file of weights says of itself."""
    try:
        expect_regular(path)
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError):  # whose words are about bytes of a header
        message = f"{shown_path(path)} is damaged: it is cut short, or another kind of file"
        raise cannot_resume(message, STATE_REMEDY, damage) from None


def cannot_resume(message: str, remedy: str, code: str = CANNOT_RESUME) -> ProgramError:
    return ProgramError([Finding(code, message, help=remedy)])


def _cannot_write(path: Path, error: Exception) -> NetcfgError:
    target = shown_path(path.with_suffix("") if path.suffix == ".new" else path)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
    return NetcfgError(
        f"cannot write {target}: {reason}\n"
        "help: make room, or give another folder with `--run-dir`; what was there before is untouched",
        code="NC804",
    )


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _sync_folder(folder: Path) -> None:
    """Make renames last through a power cut, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
