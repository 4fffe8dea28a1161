"""Traced programs as ONNX files. onnx, onnxscript and onnxruntime are extras."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch._ops import OpOverload
from torch.export import ExportedProgram

from netcfg.builder.exports.refusing import first_line, refused, refused_whole
from netcfg.builder.exports.traced import open_names, quiet
from netcfg.builder.network import Network
from netcfg.faults import NODES
from netcfg.graph import Graph, Node
from netcfg.source import NetcfgError

OPSET = 23
"""The latest that PyTorch's exporter writes and onnxruntime runs in full."""
DRAWS = {
    f"{name}{ending}"
    for name in ("rand", "randn", "randint", "randperm", "bernoulli", "normal", "uniform", "multinomial")
    for ending in ("", "_", "_like")
}
"""What draws in evaluation, too. PyTorch's own mark of draws stands at dropout and attention as well."""
LARGEST = 1_900_000_000
"""Bytes of weights that one file holds; those of a larger network lie beside it."""
RUN = """
import json, sys
import onnxruntime
from safetensors.numpy import load_file, save_file
given = json.loads(sys.argv[1])
session = onnxruntime.InferenceSession(given["file"], providers=["CPUExecutionProvider"])
names = [one.name for one in session.get_outputs()]
for one in given["networks"]:
    assert [put.name for put in session.get_inputs()] == one["order"], "its inputs are called otherwise"
    assert names == one["outputs"], "its outputs are called otherwise"
    for number, file in enumerate(one["inputs"]):
        made = session.run(names, load_file(f"{one['folder']}/{file}"))
        save_file(dict(zip(names, made)), f"{one['folder']}/outputs{number}.safetensors")
assert "torch" not in sys.modules
"""
"""What runs a file in a process of its own, where there is no torch."""


def write_onnx(
    graph: Graph,
    network: Network,
    made: ExportedProgram,
    file: Path,
    names: Sequence[str],
    told: Mapping[str, Any],
) -> list[Path]:
    """Write a traced network with names for inputs, outputs and open sizes; `told` becomes its metadata. Gives the
    files. Raises `NetcfgError` (NC808) where an operator has no form in ONNX.
    """
    outputs = [name or "output" for name in graph.outputs]
    _expect_no_draws(graph, network, made)
    with quiet(), _silent():
        try:
            model: Any = torch.onnx.export(
                made,
                (),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(names),
                output_names=outputs,
                verbose=False,
            )
        except Exception as error:
            raise _refusal(graph, network, made, error) from None
    _name_sizes(model.model.graph, open_names(graph, made, names))
    model.model.producer_name = "netcfg"
    model.model.graph.name = graph.name
    model.model.metadata_props.update({key: _text(value) for key, value in told.items()})
    size = sum(tensor.numel() * tensor.element_size() for tensor in made.state_dict.values())
    model.save(file, external_data=size > LARGEST)
    beside = file.with_name(f"{file.name}.data")
    return [file, *([beside] if beside.is_file() else [])]


def _expect_no_draws(graph: Graph, network: Network, made: ExportedProgram) -> None:
    """ONNX has draws, but no seed that gives PyTorch's: a file that draws could not be compared with its network."""
    for one in made.graph.nodes:
        # Written as `aten.randn.default`.
        if isinstance(one.target, OpOverload) and str(one.target).split(".")[1] in DRAWS:
            node = _blamed(network, made, [one.name])
            why = "draws at random, by which no file can be compared: give it what is drawn as an input"
            raise refused(node, "ONNX", why) if node else refused_whole(graph, "ONNX", why)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _name_sizes(graph: Any, names: Mapping[str, str]) -> None:
    """Call open sizes by their names wherever they stand, in expressions too."""
    values = [*graph.inputs, *graph.outputs, *(value for node in graph for value in node.outputs)]
    pattern = re.compile("|".join(rf"\b{re.escape(symbol)}\b" for symbol in names) or r"(?!)")
    for value in values:
        if value.shape is not None:
            for axis, size in enumerate(value.shape):
                if not isinstance(size, int) and size.value is not None:
                    value.shape[axis] = pattern.sub(lambda found: names[found.group()], size.value)


def _refusal(graph: Graph, network: Network, made: ExportedProgram, error: BaseException) -> NetcfgError:
    """One line: the operator that has no form, and the block that asks for it."""
    said = str(error)
    operator = re.search(r"\b(?:aten|torchvision|prims|higher_order)[.:]+(\w+)", said)
    named = [*re.findall(r"%(\w+)", said), *([operator.group(1)] if operator else [])]
    node = _blamed(network, made, named)
    if operator is None:
        return refused_whole(graph, "ONNX", f"its exporter says {first_line(error)}")
    what = f"`{operator.group()}`, which has no form there"
    return (
        refused(node, "ONNX", f"needs {what}") if node else refused_whole(graph, "ONNX", f"it needs {what}")
    )


def _blamed(network: Network, made: ExportedProgram, named: Sequence[str]) -> Node | None:
    """The block in whose line of the written `forward` an operator arose; of the first name that one has."""
    nodes: Mapping[int, Node] = type(network).forward.__globals__[NODES]
    for name in named:
        for one in made.graph.nodes:
            line = re.search(r'File "<network [^"]*", line (\d+)', one.meta.get("stack_trace") or "")
            # The exporter takes operators apart, and names what it makes after them.
            if line and name in one.name:
                return nodes.get(int(line.group(1)))
    return None


@contextmanager
def _silent() -> Iterator[None]:
    """While active, exporters keep to themselves what they are doing."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.disable(before)


__all__ = ["OPSET", "RUN", "write_onnx"]
