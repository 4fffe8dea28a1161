"""A program's networks as files that need no netcfg: written beside the target, proven, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from netcfg.builder.exports.proof import (
    SEED,
    Difference,
    differences,
    expect_equal,
    run_apart,
    trials_of,
    write_trials,
)
from netcfg.builder.exports.python import python_of
from netcfg.builder.weights import save_tensors
from netcfg.program import Program
from netcfg.source import NetcfgError, shown_path

PYTHON_LIMIT = 1e-6
LIMIT = 1e-5
_RUN_PYTHON = """
import importlib.util, json, sys
import torch
from safetensors.torch import load_file, save_file
given = json.loads(sys.argv[1])
spec = importlib.util.spec_from_file_location("exported", given["file"])
module = importlib.util.module_from_spec(spec)
sys.modules["exported"] = module
spec.loader.exec_module(module)
loaded = module.load()
assert not any(name == "netcfg" or name.startswith("netcfg.") for name in sys.modules), "it imports netcfg"
for one in given["networks"]:
    network = loaded if one["alone"] else loaded[one["name"]]
    for number, file in enumerate(one["inputs"]):
        inputs = load_file(f"{one['folder']}/{file}")
        torch.manual_seed(given["seed"])
        with torch.inference_mode():
            made = network(*(inputs[name] for name in one["order"]))
        made = made if isinstance(made, dict) else {one["outputs"][0]: made}
        made = {key: value.contiguous() for key, value in made.items()}
        save_file(made, f"{one['folder']}/outputs{number}.safetensors")
"""


@dataclass(frozen=True)
class Export:
    """What was written, and how far it is from the networks."""

    files: tuple[Path, ...]
    found: tuple[Difference, ...]
    report: Path


def expect_ours(output: Path, files: Sequence[Path]) -> None:
    """Raises `NetcfgError` (NC803) where something else than an earlier export of the same name would be replaced."""
    report = report_of(output)
    known: Mapping[str, str] = {}
    if report.is_file():
        try:
            known = json.loads(report.read_text())["files"]
        except (ValueError, KeyError, TypeError, OSError):
            known = {}
        if not isinstance(known, dict) or not known:
            raise _not_ours(report, "is no report of an export")
    for file in files:
        if file.is_dir():
            raise NetcfgError(
                f"{shown_path(file)} is a folder\nhelp: name a file in it: `-o {shown_path(file / output.name)}`",
                code="NC803",
            )
        if file.exists() and known.get(file.name) != _digest(file):
            raise _not_ours(file, "is no export of netcfg's, or has been changed since")


def _not_ours(file: Path, why: str) -> NetcfgError:
    return NetcfgError(
        f"{shown_path(file)} is there already, and {why}\nhelp: remove it, or write to another name",
        code="NC803",
    )


def report_of(output: Path) -> Path:
    """The file beside an export that says how it was proven."""
    return output.with_name(f"{output.name}.proof.json")


def export_python(program: Program, networks: nn.ModuleDict, names: Sequence[str], output: Path) -> Export:
    """Write some networks of a program as `.py` and `.safetensors`. Raises `NetcfgError`, and then leaves no file."""
    weights = output.with_suffix(".safetensors")
    expect_ours(output, [output, weights])
    networks.eval()
    for tensor in (*networks.parameters(), *networks.buffers()):
        tensor.data = tensor.data.contiguous()  # channels last, kernels sum in another order

    def write(folder: Path) -> list[Difference]:
        text = python_of(program, networks, names, weights.name)
        (folder / output.name).write_text(text, encoding="utf-8")
        chosen = (
            networks[names[0]] if len(names) == 1 else nn.ModuleDict({one: networks[one] for one in names})
        )
        save_tensors(folder / weights.name, chosen.state_dict())
        return _prove_python(program, networks, names, folder, folder / output.name)

    return written(output, [output, weights], write)


def _prove_python(
    program: Program, networks: nn.ModuleDict, names: Sequence[str], folder: Path, file: Path
) -> list[Difference]:
    given, trials = [], {}
    for number, name in enumerate(names):
        graph = program.networks[name]
        below = folder / f"trials{number}"
        below.mkdir()
        trials[name] = trials_of(graph, networks[name])  # type: ignore[arg-type]
        outputs = [one or "output" for one in graph.outputs]
        given.append(
            {
                "name": name,
                "alone": len(names) == 1,
                "folder": str(below),
                "inputs": write_trials(below, trials[name]),
                "order": list(graph.inputs),
                "outputs": outputs,
            }
        )
    run_apart(_RUN_PYTHON, folder, {"file": str(file), "networks": given, "seed": SEED})
    found = [
        one
        for number, name in enumerate(names)
        for one in differences(name, folder / f"trials{number}", trials[name])
    ]
    expect_equal(found, PYTHON_LIMIT)
    return found


def written(output: Path, files: Sequence[Path], write: Callable[[Path], list[Difference]]) -> Export:
    """Let files be made and proven in a folder beside the target, then put them in their places."""
    try:
        # Absolute: the other process works in that folder.
        folder = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}.")).resolve()
    except OSError as error:
        reason = (
            f"there is no folder {output.parent}" if isinstance(error, FileNotFoundError) else error.strerror
        )
        raise NetcfgError(f"cannot write {output}: {reason}", code="NC804") from None
    report = report_of(output)
    try:
        found = write(folder)
        said = {
            "files": {file.name: _digest(folder / file.name) for file in files},
            "differences": [asdict(one) for one in found],
        }
        (folder / report.name).write_text(json.dumps(said, indent=2) + "\n")
        for file in (*files, report):
            os.replace(folder / file.name, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(tuple(files), tuple(found), report)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
