"""Weights from and to files: safetensors for our own, PyTorch files (tensors only, nothing executed) for others'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from netcfg.builder.layouts import DEFAULT_LAYOUTS, LAYOUTS, Layout
from netcfg.files import write_beside
from netcfg.graph import Graph, WeightRequest
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError, did_you_mean

SHOWN_DIFFERENCES = 8


class WeightsError(NetcfgError):
    """A file of weights that cannot be used; `code` is the finding's."""

    def __init__(self, message: str, code: str = "NC603") -> None:
        super().__init__(message)
        self.code = code


def save_state(path: Path | str, module: nn.Module) -> None:
    """Write a module's state dict as safetensors, beside the target and renamed."""
    state = {key: value.detach().contiguous() for key, value in module.state_dict().items()}
    write_beside(Path(path), save(state))


def load_state(path: Path | str, module: nn.Module) -> None:
    """Load a file of this very network. Raises `NetcfgError` naming the parameters that differ."""
    state = read_state(Path(path))
    differences = compare_states(state, module.state_dict())
    if differences:
        shown = differences[:SHOWN_DIFFERENCES]
        more = len(differences) - len(shown)
        rows = [f"  {row}" for row in shown] + ([f"  … and {more} more"] if more else [])
        count = f"{len(differences)} parameter{'s' if len(differences) != 1 else ''}"
        raise WeightsError("\n".join([f"{path} belongs to another network: {count} differ", *rows]), "NC602")
    module.load_state_dict(state)


def compare_states(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """What differs between a file and a network, a sentence per parameter."""
    rows = []
    for key, value in wanted.items():
        if key not in found:
            rows.append(f"{key}: not in the file")
        elif found[key].shape != value.shape:
            rows.append(f"{key}: {_sizes(found[key])} in the file, {_sizes(value)} in the network")
    return rows + [f"{key}: only in the file" for key in found if key not in wanted]


def _sizes(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. Raises `NetcfgError` where it is missing, damaged or holds code."""
    if not path.is_file():
        raise WeightsError(f"there is no file of weights {path}", "NC601")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return _tensors(torch.load(path, map_location="cpu", weights_only=True), path)
    except NetcfgError:
        raise
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(f"{path} is damaged or no file of weights: {_first_line(error)}") from None
    except Exception as error:  # what the restricted unpickler raises
        message = (
            f"{path} is damaged, or holds more than tensors, and nothing else is read: {_first_line(error)}"
        )
        raise WeightsError(message) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _tensors(loaded: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a PyTorch file held, also one level down under `state_dict`."""
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise WeightsError(f"{path} holds no state dict (tensors by name)")
    return dict(loaded)


@dataclass
class Loaded:
    """What became of the weights that a file asked for, by parameter name."""

    source: str
    loaded: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.source}: {len(self.loaded)} parameters loaded, {len(self.adapted)} adapted, "
            f"{len(self.left_out)} left as they were, {len(self.left_over)} of the file not used"
        )


def load_pretrained(program: Program, networks: Mapping[str, nn.Module] | nn.ModuleDict) -> list[Loaded]:
    """Load everything that `weights = …` asks for. Raises `ProgramError` at the place that asks."""
    reports = []
    for name, graph in program.networks.items():
        for request in [*_block_defaults(graph), *graph.weights]:
            try:
                reports.append(_load_request(request, graph, networks[name]))
            except NetcfgError as error:
                raise ProgramError([_finding(error, request)]) from None
    return reports


def _block_defaults(graph: Graph) -> list[WeightRequest]:
    """Weights that a block type starts from by itself: ResNet-50's ImageNet, VGG-Face's file."""
    requests = []
    asked = {request.path for request in graph.weights}
    for node in graph.blocks:
        source = getattr(node.block, "state_dict_filepath", None)
        if source is not None and node.path not in asked:
            requests.append(WeightRequest(node.path, source, None, "strict", None, node.span))
    return requests


def _finding(error: NetcfgError, request: WeightRequest) -> Finding:
    code = error.code if isinstance(error, WeightsError) else "NC603"
    help = "`weights = None` starts from random ones" if code == "NC601" else None
    return Finding(code, str(error), request.span, help=help)


def _path(request: WeightRequest) -> Path:
    """The file: as seen from the working folder, else from the folder of the `.cfg` file."""
    path = Path(request.source)
    beside = Path(request.span.file.name).parent / path
    return beside if not path.is_file() and beside.is_file() else path


def _load_request(request: WeightRequest, graph: Graph, network: nn.Module) -> Loaded:
    layout = _layout(request, graph)
    state = _imagenet(layout) if request.source == "imagenet" else read_state(_path(request))
    module = _part(network, request.path)
    report = adapt(layout.renamed(state), module, request.adapt, request.output_row)
    report.source = request.source
    return report


def _part(network: nn.Module, path: str) -> nn.Module:
    try:
        return network.get_submodule(path)
    except AttributeError:
        raise NetcfgError(f"`{path}` has no parameters to load") from None


def _layout(request: WeightRequest, graph: Graph) -> Layout:
    name = request.layout
    if name is None:
        types = {node.path: node.type for node in graph.blocks}
        name = DEFAULT_LAYOUTS.get(
            types.get(request.path, ""), "vgg16" if request.source == "imagenet" else ""
        )
    if name and name not in LAYOUTS:
        help = did_you_mean(name, LAYOUTS)
        raise WeightsError(f"there is no layout `{name}`" + (f"; {help}" if help else ""), "NC105")
    return LAYOUTS[name] if name else Layout({})


def _imagenet(layout: Layout) -> dict[str, Tensor]:
    """Torchvision's ImageNet weights, from its hub or its cache."""
    import torchvision

    if layout.imagenet is None:
        raise WeightsError("there are no ImageNet weights of this layout", "NC601")
    weights = torchvision.models.get_model_weights(layout.imagenet).DEFAULT
    if layout.imagenet == "resnet50":
        weights = (
            torchvision.models.ResNet50_Weights.IMAGENET1K_V1
        )  # the ones the published systems started from
    try:
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"cannot fetch {weights.url}: {_first_line(error)}", "NC601") from None
    return state


def adapt(state: Mapping[str, Tensor], module: nn.Module, how: str, output_row: int | None = None) -> Loaded:
    """Copy a state dict into a module.

    `strict` takes equal shapes only; `tile` repeats a weight along its inputs (axis 1) where the module's is a
    whole number of times as wide; `skip` leaves unequal ones as they are. With `output_row`, a weight or bias with
    more rows than the module's gives its rows from that one on. Raises `NetcfgError` naming what does not fit.
    """
    report = Loaded("")
    wanted = module.state_dict()
    problems = []
    fitting: dict[str, Tensor] = {}
    for key, value in wanted.items():
        found = state.get(key)
        fitted = None if found is None else _fitted(found, value, how, output_row)
        if fitted is not None:
            fitting[key] = fitted
            (report.loaded if fitted is found else report.adapted).append(key)
        elif how == "skip" or key.endswith("num_batches_tracked"):
            report.left_out.append(key)
        elif found is None:
            problems.append(f"{key}: not in the file")
        else:
            problems.append(f"{key}: {_sizes(found)} in the file, {_sizes(value)} in the network")
    report.left_over = [key for key in state if key not in wanted]
    if problems:
        rows = [f"  {row}" for row in problems[:SHOWN_DIFFERENCES]]
        raise WeightsError(
            "\n".join([f"{len(problems)} parameters differ (`adapt = {how}`)", *rows]), "NC602"
        )
    with torch.no_grad():
        for key, tensor in fitting.items():
            wanted[key].copy_(tensor)
    return report


def _fitted(found: Tensor, wanted: Tensor, how: str, output_row: int | None) -> Tensor | None:
    """The file's tensor in the module's shape, or None where the rules do not lead there."""
    if found.shape == wanted.shape:
        return found
    if found.dim() != wanted.dim() or found.dim() == 0:
        return None
    if output_row is not None and found.shape[0] > wanted.shape[0]:
        found = found[output_row : output_row + wanted.shape[0]]
    if how == "tile" and found.dim() > 1 and wanted.shape[1] % found.shape[1] == 0:
        found = found.repeat(1, wanted.shape[1] // found.shape[1], *([1] * (found.dim() - 2)))
    return found if found.shape == wanted.shape else None
