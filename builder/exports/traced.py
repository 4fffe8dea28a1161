"""Networks as PyTorch traces them: with batches of any size, and every size that the file leaves open."""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from netcfg.builder.exports.pools import OnnxMeans
from netcfg.builder.exports.recurrence import TIME_FIRST, OnnxRecurrent
from netcfg.builder.exports.refusing import first_line, node_at_fault, refused, refused_whole
from netcfg.builder.exports.windows import OnnxWindows
from netcfg.builder.modules.attention import WindowAttention
from netcfg.builder.modules.recurrent import GRU, RNN, AutocastLSTM
from netcfg.builder.modules.reparametrised import Reparametrised
from netcfg.builder.network import Network
from netcfg.graph import Graph
from netcfg.passes.ragged import name_of
from netcfg.shapes import Symbolic

ONNX_FORMS: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    AutocastLSTM: OnnxRecurrent,
    GRU: OnnxRecurrent,
    RNN: OnnxRecurrent,
    nn.AdaptiveAvgPool2d: OnnxMeans.of,
    WindowAttention: OnnxWindows.of,
}
"""Modules that the exporter writes wrongly or at length, and what is traced in their place."""
_SEVERAL = re.compile(r"L\['[^']*'\]\.size\(\)\[0\] > 1")
"""What a traced program would refuse a batch of one sample by."""
ANY = 3
"""Of a batch that is traced: a size that no other number of a network is likely to be."""


def traceable(network: Network, form: str) -> Network:
    """A copy whose modules can be traced: weights as they are used, recurrence without a loop in ONNX."""
    made = copy.deepcopy(network).eval()
    for path, part in list(made.named_modules()):
        if isinstance(part, Reparametrised) and part.rule is not None:
            part.settle()
        if form == "onnx":
            write = next((one for kind, one in ONNX_FORMS.items() if isinstance(part, kind)), None)
            if write is not None:
                home, _, name = path.rpartition(".")
                made.get_submodule(home).add_module(name, write(part))
        elif type(part) in TIME_FIRST:
            part.__class__ = TIME_FIRST[type(part)]
    return made


def traced(graph: Graph, module: nn.Module, inputs: Mapping[str, Tensor], form: str) -> ExportedProgram:
    """A network's program for inputs like these. Raises `NetcfgError` (NC808) where it cannot be traced."""
    given = tuple(_repeated(x) for x in inputs.values())
    sizes = tuple(_open_axes(graph, name) for name in inputs)
    with quiet(), _any_batch():
        try:
            made: ExportedProgram = torch.export.export(module, given, dynamic_shapes=sizes, strict=False)
        except Exception as error:
            node = node_at_fault(error)
            if node is not None:
                raise refused(node, form, f"cannot be traced: {first_line(error)}") from None
            raise refused_whole(graph, form, _said(error)) from None
    # Asked of where ways part that differ in strides alone. The proof computes batches of one sample, too.
    made._guards_code = [guard for guard in made._guards_code if not _SEVERAL.fullmatch(guard)]
    return made


def open_names(graph: Graph, made: ExportedProgram, inputs: Sequence[str]) -> dict[str, str]:
    """What the symbols of a traced program's sizes are called: `batch`, and as the file calls them."""
    taken = {
        node.name: node.meta["val"].shape
        for node in made.graph.nodes
        if node.op == "placeholder" and "val" in node.meta
    }
    users = [spec.arg.name for spec in made.graph_signature.input_specs if spec.kind.name == "USER_INPUT"]
    names: dict[str, str] = {}
    for name, user in zip(inputs, users, strict=False):
        signal = graph.inputs[name]
        for axis, size in enumerate(taken.get(user, ())):
            if isinstance(size, torch.SymInt):
                declared = None if axis == 0 else name_of(signal.shape[axis - 1])
                names.setdefault(str(size), "batch" if axis == 0 else declared or f"{name}_{axis}")
    return names


def _repeated(x: Tensor) -> Tensor:
    """Some samples again, so that there are `ANY`."""
    return x[torch.arange(ANY) % x.shape[0]].contiguous()


def _open_axes(graph: Graph, name: str) -> dict[int, Any]:
    shape = graph.inputs[name].shape
    named = {axis + 1: Dim.DYNAMIC for axis, size in enumerate(shape) if isinstance(size, Symbolic)}
    return {0: Dim.DYNAMIC, **named}


@contextmanager
def _any_batch() -> Iterator[None]:
    """While active, sizes of 0 and 1 are traced as any other: a batch of one sample runs in what was traced."""
    from torch.fx.experimental import _config

    with _config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """Without what tracers say of their own insides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _said(error: BaseException) -> str:
    """Of an error of the tracer the line that says what it found."""
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip(" -")]
    found = next(
        (line for line in lines if "specialized it to be" in line or "satisfy the generated guard" in line),
        "",
    )
    return found or first_line(error)


__all__ = ["open_names", "quiet", "traceable", "traced"]
