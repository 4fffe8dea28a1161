"""A program's networks as files that need no netcfg: written beside the target, proven, then renamed."""

from __future__ import annotations

import copy
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from netcfg.builder.exports.onnx import OPSET, write_onnx
from netcfg.builder.exports.onnx import RUN as RUN_ONNX
from netcfg.builder.exports.optimised import fold_norms
from netcfg.builder.exports.ours import digest, expect_ours, files_of, report_of
from netcfg.builder.exports.preparing import Preparation, preparation_of, with_preparation
from netcfg.builder.exports.proof import (
    SEED,
    Difference,
    Trial,
    differences,
    expect_equal,
    run_apart,
    trials_of,
    write_trials,
)
from netcfg.builder.exports.python import python_of
from netcfg.builder.exports.traced import traceable, traced
from netcfg.builder.modules.modulated_convolution import ModulatedConv2d
from netcfg.builder.network import Network
from netcfg.builder.weights import save_tensors
from netcfg.program import Program
from netcfg.source import NetcfgError

PYTHON_LIMIT = 1e-6
LIMIT = 1e-5
_COMPUTE = """
for one in given["networks"]:
    network = networks[one["name"]]
    for number, file in enumerate(one["inputs"]):
        inputs = load_file(f"{one['folder']}/{file}")
        for precision in given["precisions"]:
            torch.manual_seed(given["seed"])
            half = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
            with torch.inference_mode(), half:
                made = network(*(inputs[name] for name in one["order"]))
            made = made if isinstance(made, dict) else {one["outputs"][0]: made}
            made = {key: value.float() if half._enabled else value for key, value in made.items()}
            made = {key: value.contiguous() for key, value in made.items()}
            stem = "outputs" if precision == "f32" else precision
            save_file(made, f"{one['folder']}/{stem}{number}.safetensors")
"""
_RUN_PYTHON = f"""
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
networks = {{one["name"]: loaded if one["alone"] else loaded[one["name"]] for one in given["networks"]}}
{_COMPUTE}"""
_RUN_TRACED = f"""
import json, sys
import torch
from safetensors.torch import load_file, save_file
given = json.loads(sys.argv[1])
loaded = torch.export.load(given["file"]).module()
assert not any(name == "netcfg" or name.startswith("netcfg.") for name in sys.modules), "it imports netcfg"
networks = {{one["name"]: loaded for one in given["networks"]}}
{_COMPUTE}"""


@dataclass(frozen=True)
class Asked:
    """What an export is to be beside its form. `told` are words about each network that its file carries."""

    bf16: bool = False
    preprocessing: bool = False
    """Whether the data's normalisation is in it."""
    optimise: bool = False
    """Whether batch norms are multiplied into the maps before them."""
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """What was written, and how far it is from the networks."""

    files: tuple[Path, ...]
    found: tuple[Difference, ...]
    report: Path


def export(
    form: str, program: Program, networks: nn.ModuleDict, names: Sequence[str], output: Path, asked: Asked
) -> Export:
    """Write some networks of a program in a form: `py`, `pt2` or `onnx`, of which the last two hold a single one.

    Raises `NetcfgError` where that cannot be, or the file computes other numbers, and then leaves no file.
    """
    networks.eval()
    for part in networks.modules():
        if isinstance(part, ModulatedConv2d):
            continue  # its weight lies so, here and there
        for tensor in (*part.parameters(recurse=False), *part.buffers(recurse=False)):
            tensor.data = tensor.data.contiguous()  # channels last, kernels sum in another order
    if form == "py":
        return _export_python(program, networks, names, output, asked)
    return _export_traced(form, program, networks, names[0], output, asked)


def _export_python(
    program: Program, networks: nn.ModuleDict, names: Sequence[str], output: Path, asked: Asked
) -> Export:
    """Write some networks of a program as `.py` and `.safetensors`; as `export`."""
    weights = output.with_suffix(".safetensors")
    expect_ours(output, files_of("py", output))

    def write(folder: Path) -> Written:
        before = {name: _prepared(program, name, asked) for name in names}
        leaving = nn.ModuleDict({name: _leaving(program, networks, name, asked) for name in names})
        text = python_of(program, leaving, names, weights.name, before)
        (folder / output.name).write_text(text, encoding="utf-8")
        chosen = leaving[names[0]] if len(names) == 1 else leaving
        save_tensors(folder / weights.name, chosen.state_dict())
        trials = {
            name: trials_of(program.networks[name], networks[name], prepared=before[name])  # type: ignore[arg-type]
            for name in names
        }
        limit = LIMIT if asked.optimise else PYTHON_LIMIT
        found = _prove(_RUN_PYTHON, program, trials, folder, folder / output.name, asked, limit)
        facts = [one.told() for one in before.values() if one is not None]
        return Written([output.name, weights.name], found, {"form": "py", **(facts[0] if facts else {})})

    return written(output, write)


def _export_traced(
    form: str, program: Program, networks: nn.ModuleDict, name: str, output: Path, asked: Asked
) -> Export:
    expect_ours(output, files_of(form, output))
    graph, network = program.networks[name], networks[name]
    assert isinstance(network, Network)
    told = {"program": program.name.rpartition("/")[2], "network": name, **asked.told.get(name, {})}

    def write(folder: Path) -> Written:
        before = _prepared(program, name, asked)
        trials = trials_of(graph, network, only_open=True, prepared=before)
        shown = "ONNX" if form == "onnx" else "a traced program"
        module: nn.Module = traceable(_leaving(program, networks, name, asked), form)
        if before is not None:
            module = with_preparation(module, list(graph.inputs), before)
        made = traced(graph, module, trials[-1].inputs, shown)
        file = folder / output.name
        if form == "onnx":
            files = write_onnx(graph, network, made, file, list(graph.inputs), told)
        else:
            torch.export.save(made, file, extra_files={"netcfg.json": json.dumps(told, ensure_ascii=False)})
            files = [file]
        script = RUN_ONNX if form == "onnx" else _RUN_TRACED
        found = _prove(script, program, {name: trials}, folder, file, asked, LIMIT)
        facts = {"form": form, "opset": OPSET} if form == "onnx" else {"form": form}
        return Written([one.name for one in files], found, facts | told | (before.told() if before else {}))

    return written(output, write)


def _prepared(program: Program, name: str, asked: Asked) -> Preparation | None:
    return preparation_of(program, name) if asked.preprocessing else None


def _leaving(program: Program, networks: nn.ModuleDict, name: str, asked: Asked) -> Network:
    """The network that is written: itself, or a copy without batch norms."""
    network = networks[name]
    assert isinstance(network, Network)
    if asked.optimise:
        network = copy.deepcopy(
            network
        )  # folding writes into weights, and the proof compares with the first ones
        fold_norms(program.networks[name], network)
    return network


def _prove(
    script: str,
    program: Program,
    trials: Mapping[str, list[Trial]],
    folder: Path,
    file: Path,
    asked: Asked,
    limit: float,
) -> list[Difference]:
    """Let the file compute in a process of its own. Raises `NetcfgError` (NC808) where it is further off than that."""
    given = []
    precisions = ["f32", *(["bf16"] if asked.bf16 else [])]
    for number, (name, tried) in enumerate(trials.items()):
        graph = program.networks[name]
        below = folder / f"trials{number}"
        below.mkdir()
        given.append(
            {
                "name": name,
                "alone": len(trials) == 1,
                "folder": str(below),
                "inputs": write_trials(below, tried),
                "order": list(graph.inputs),
                "outputs": [one or "output" for one in graph.outputs],
            }
        )
    run_apart(script, folder, {"file": str(file), "networks": given, "seed": SEED, "precisions": precisions})
    found = [
        one
        for number, (name, tried) in enumerate(trials.items())
        for precision in precisions
        for one in differences(name, folder / f"trials{number}", tried, precision)
    ]
    expect_equal(found, limit)
    return found


@dataclass(frozen=True)
class Written:
    """Files in a folder, by their names, how far they are from the networks, and what else the report says."""

    files: list[str]
    found: list[Difference]
    facts: Mapping[str, Any]


def written(output: Path, write: Callable[[Path], Written]) -> Export:
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
        made = write(folder)
        files = [output.with_name(name) for name in made.files]
        said = {
            "files": {file.name: digest(folder / file.name) for file in files},
            "differences": [asdict(one) for one in made.found],
            **made.facts,
        }
        text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
        (folder / report.name).write_text(text, encoding="utf-8")
        for file in (*files, report):
            os.replace(folder / file.name, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Export(tuple(files), tuple(made.found), report)
