"""Weights from and to files: safetensors for our own, PyTorch files (tensors only, nothing executed) for others'."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from netcfg.blocks.network.backbone import LIBRARY
from netcfg.builder.adaptation import (
    SHOWN_DIFFERENCES,
    Loaded,
    WeightsError,
    adapt,
    adaptation,
    compare_states,
    is_of_another_kind,
    lies_below,
    paragraph,
)
from netcfg.builder.archives import unfit, unfit_contents
from netcfg.builder.layout_kinds import AnyLayout, BlockLayout, Layout, NestedLayout, flattened
from netcfg.builder.layouts import DEFAULT_LAYOUTS, LAYOUTS, renamed
from netcfg.builder.recognition import sizes_told
from netcfg.files import write_beside
from netcfg.graph import Graph, Node, WeightRequest
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError, did_you_mean, nearest


def save_state(path: Path | str, module: nn.Module) -> None:
    """Write a module's state dict as safetensors, beside the target and renamed."""
    save_tensors(Path(path), module.state_dict())


def save_tensors(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors by name as safetensors, beside the target and renamed; those of one storage each for itself."""
    # Safetensors takes no tensors that share memory, nor any that are not contiguous, as channels-last ones.
    apart = {key: value.detach().clone(memory_format=torch.contiguous_format) for key, value in state.items()}
    write_beside(path, save(apart))


def load_state(path: Path | str, module: nn.Module, besides: Collection[str] = ()) -> None:
    """Load a file of this very network. Raises `NetcfgError` naming the parameters that differ.

    `besides`: what the file may hold besides, by the first part of its names.
    """
    state = {
        name: tensor
        for name, tensor in read_state(Path(path)).items()
        if name.partition(".")[0] not in besides
    }
    differences = compare_states(state, module.state_dict())
    if differences:
        raise WeightsError(paragraph(f"{path} belongs to another network", differences), "NC602")
    module.load_state_dict(state)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name. Raises `NetcfgError` where it is missing, damaged or holds code."""
    return _tensors(_load(path), path)


def read_layers(path: Path) -> dict[str, Tensor]:
    """The tensors of a list of state dicts, as `layers.<position>.<key>`. Raises as `read_state` does."""
    layers = _load(path)
    if not isinstance(layers, (list, tuple)) or not all(map(_is_state_dict, layers)):
        raise WeightsError(f"{path} holds no list of state dicts, one per block")
    state = {
        f"layers.{place}.{key}": value for place, layer in enumerate(layers) for key, value in layer.items()
    }
    _expect_finite(state, path)
    return state


def read_published(path: Path, layout: AnyLayout) -> dict[str, Tensor]:
    """The tensors of a file under the names that its layout gives them. Raises as `read_state` does."""
    if isinstance(layout, BlockLayout):
        return read_layers(path)
    return read_entries(path, layout) if isinstance(layout, NestedLayout) else read_state(path)


def read_entries(path: Path, layout: NestedLayout) -> dict[str, Tensor]:
    """The tensors of a file of several entries, as `<entry>.<key>`; those of a plain state dict by their own names.

    Raises as `read_state` does, and `WeightsError` (NC602) where the file has other entries.
    """
    loaded = _load(path)
    if _is_state_dict(loaded):
        state = dict(loaded)
        if layout.mark in state:  # what the only entry holds, as a file by itself
            (part,) = layout.parts.values()
            state = {part.prefix + key: value for key, value in state.items()}
    elif isinstance(loaded, Mapping):
        if not all(_is_state_dict(loaded.get(entry, 0)) for entry in layout.entries):
            raise _other_entries(path, loaded, layout)
        state = flattened(loaded, layout)
        if not state:
            raise WeightsError(f"{path} holds no tensors where this layout has them", "NC602")
    else:
        raise WeightsError(f"{path} holds no state dicts by name", "NC602")
    _expect_finite(state, path)
    if reason := layout.strange(state):
        raise WeightsError(f"{path} is of another kind: {reason}", "NC602")
    return state


def _other_entries(path: Path, loaded: Mapping[Any, Any], layout: NestedLayout) -> WeightsError:
    """What a file has in the place of a layout's entries, and whose that are."""
    names = {id(known): name for name, known in LAYOUTS.items()}
    lacking = ", ".join(f"`{entry}`" for entry in layout.entries if entry not in loaded)
    held = ", ".join(f"`{entry}`" for entry in list(loaded)[:SHOWN_DIFFERENCES])
    message = (
        f"{path} is no file of the layout `{names[id(layout)]}`: it has no {lacking}, but {held or 'nothing'}"
    )
    others = _nested_layouts(loaded)
    return WeightsError(message, "NC602", f"it is one of the layout `{others[0]}`" if others else None)


def _nested_layouts(loaded: Mapping[Any, Any]) -> list[str]:
    """The layouts whose entries a file has."""
    return [
        name
        for name, known in LAYOUTS.items()
        if isinstance(known, NestedLayout) and all(entry in loaded for entry in known.entries)
    ]


def _load(path: Path) -> Any:
    """What a file holds: of a PyTorch file tensors and plain containers only, nothing of it is executed."""
    if not path.is_file():
        raise WeightsError(f"there is no file of weights {path}", "NC601")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        _refuse(path, unfit(path))
        with warnings.catch_warnings(action="ignore"):  # about files that are refused anyway
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        _refuse(path, unfit_contents(loaded))
        return loaded
    except WeightsError:
        raise
    except SafetensorError:  # whose words are about bytes of a header
        raise WeightsError(
            f"{path} is damaged or no file of weights: it is cut short, or of another kind"
        ) from None
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(f"{path} is damaged or no file of weights: {_first_line(error)}") from None
    except Exception:  # what the restricted unpickler raises: its advice is to run what is in the file
        raise WeightsError(
            f"{path} is damaged, or holds more than tensors, and nothing else is read"
        ) from None


def _refuse(path: Path, reason: str | None) -> None:
    if reason is not None:
        raise WeightsError(f"{path} is not opened: {reason}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _tensors(loaded: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a PyTorch file held, also one level down under `state_dict`."""
    if isinstance(loaded, Mapping) and isinstance(loaded.get("state_dict"), Mapping):
        loaded = loaded["state_dict"]
    if not _is_state_dict(loaded):
        others = _nested_layouts(loaded) if isinstance(loaded, Mapping) else []
        help = f"it is one of the layout `{others[0]}`" if others else None
        raise WeightsError(f"{path} holds no state dict (tensors by name)", help=help)
    _expect_finite(loaded, path)
    return dict(loaded)


def _expect_finite(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that no training can go on from, and no figure come of."""
    for key, tensor in state.items():
        if tensor.is_floating_point() and tensor.numel() and not _is_finite(tensor):
            bad = int((~tensor.isfinite()).sum())
            raise WeightsError(
                f"{path} holds numbers that are NaN or infinite: {bad} of the {tensor.numel()} of `{key}`",
                "NC603",
                "the training that wrote it had diverged: take the weights of an earlier epoch",
            )


def _is_finite(tensor: Tensor) -> bool:
    """By its least and largest number, which needs no second tensor of its size; NaN is both."""
    # Numbers of 8 bits have no `aminmax`.
    if tensor.dtype.itemsize < 2:
        tensor = tensor.float()
    return all(bool(end.isfinite()) for end in tensor.aminmax())


def _is_state_dict(value: Any) -> bool:
    """Whether it is tensors by name, with their numbers laid out plainly."""
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(tensor, Tensor) and _is_plain(tensor)
        for key, tensor in value.items()
    )


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_meta or tensor.is_nested)


def load_pretrained(program: Program, networks: Mapping[str, nn.Module] | nn.ModuleDict) -> list[Loaded]:
    """Load everything that `weights = …` asks for. Raises `ProgramError` at the place that asks."""
    reports = []
    for name, graph in program.networks.items():
        for request in _requests(graph):
            try:
                reports.append(_load_request(request, graph, networks[name]))
            except NetcfgError as error:
                raise ProgramError([_finding(error, request, graph)]) from None
    return reports


def frozen_at_random(program: Program, reports: Iterable[Loaded]) -> Iterator[str]:
    """A sentence for each network some of whose frozen blocks no file of weights has reached."""
    taken = {
        (report.network, f"{report.path}.{key}".removeprefix("."))
        for report in reports
        for key in (*report.loaded, *report.adapted)
    }
    for name, graph in program.networks.items():
        reached = {key.rpartition(".")[0] for network, key in taken if network == name}
        frozen = [node for node in graph.blocks if node.freeze and node.parameters]
        random = [node for node in frozen if not any(lies_below(path, node.path) for path in reached)]
        if random:
            shown = ", ".join(
                f"`{head}`" for head in dict.fromkeys(node.path.partition(".")[0] for node in random)
            )
            yield f"{name}: {shown} stay as they start, from random weights: `weights` can give them others"


def _requests(graph: Graph) -> list[WeightRequest]:
    """What to load, in order: what a file asks for comes after, or instead of, what a block type starts from."""
    written = {node.path for node in graph.blocks if "weights" in node.block.model_fields_set}
    types = {node.path: node.type for node in graph.blocks}
    asked = [request for request in graph.weights if request.path in written or request.path not in types]
    defaults = [request for request in graph.weights if request not in asked] + _file_defaults(graph)
    whole = [request.path for request in asked if request.adapt != "skip"]  # these leave nothing out
    return [
        request for request in defaults if not any(lies_below(request.path, path) for path in whole)
    ] + asked


def _file_defaults(graph: Graph) -> list[WeightRequest]:
    """The files that blocks name by options of their own, unless `weights` (`None`, another file) is written there."""
    requests = []
    for node in graph.blocks:
        source = node.block.weights_file()
        if source is not None and "weights" not in node.block.model_fields_set:
            requests.append(WeightRequest(node.path, source, None, "strict", None, node.span))
    return requests


def _finding(error: NetcfgError, request: WeightRequest, graph: Graph) -> Finding:
    finding = error.finding(request.span) if isinstance(error, WeightsError) else None
    if finding is None:
        return Finding("NC603", str(error), request.span)
    if finding.help is None and finding.code == "NC601":
        return replace(finding, help=_remedy(request, graph))
    return finding


def _remedy(request: WeightRequest, graph: Graph) -> str:
    """What to do where a file is missing."""
    files = {node.path: node.block.weights_file() for node in graph.blocks}
    if request.source == "imagenet":
        return "`weights = PATH` takes a copy of that file, `weights = None` starts from random ones"
    if files.get(request.path) is not None:
        return (
            "`state_dict_filepath` is seen from the .cfg file, then from the working folder; "
            "`weights = None` starts from random ones"
        )
    return "`weights = None` starts from random ones"


def _path(request: WeightRequest) -> Path:
    """The file: as seen from the folder of the `.cfg` file, else from the working folder."""
    path = Path(request.source)
    beside = Path(request.span.file.name).parent / path
    return beside if beside.is_file() else path


def _load_request(request: WeightRequest, graph: Graph, network: nn.Module) -> Loaded:
    layout = _layout(request, graph)
    source = request.source
    if source == "imagenet":
        state = renamed(layout, _imagenet(layout), graph)
    elif source.startswith(LIBRARY):
        state = _of_library(source.removeprefix(LIBRARY), _part(network, request.path))
    else:
        _expect_suited(layout, request, graph)
        state = read_published(_path(request), layout)
        # A file of one's own run has our names, whatever layout the published one has.
        own = isinstance(layout, NestedLayout) and not layout.holds(state)
        state = renamed(Layout({}) if own else layout, state, graph)
    if (node := _tensor_of(request, graph)) is not None:
        return _load_tensor(request, node, graph, network, state)
    module = _part(network, request.path)
    plan = adaptation(graph, request)
    if request.path == "" and source != "imagenet":
        wanted = dict.fromkeys(plan.source_name(key) for key in module.state_dict())
        prefix = network_prefix(state, graph.name, [*module.state_dict(), *wanted], source)
        state = below(prefix, state)
        source = f"{source} ({prefix.removesuffix('.')})" if prefix else source
    elsewhere = [other.path for other in graph.weights if other.path and request.path == ""]
    try:
        report = adapt(state, module, request.adapt, request.output_row, plan, elsewhere)
    except WeightsError as error:
        theirs = {key: value.shape for key, value in state.items()}
        ours = {key: value.shape for key, value in module.state_dict().items()}
        raise WeightsError(
            error.message, error.code, error.help or sizes_told(theirs, ours, layout)
        ) from None
    report.source, report.network, report.path = source, graph.name, request.path
    return report


def _tensor_of(request: WeightRequest, graph: Graph) -> Node | None:
    """The block that asks, where it is one tensor."""
    return next(
        (node for node in graph.blocks if node.path == request.path and node.block.owns_tensor()), None
    )


def _load_tensor(
    request: WeightRequest, node: Node, graph: Graph, network: nn.Module, state: Mapping[str, Tensor]
) -> Loaded:
    """Copy the one tensor that a block is. Raises `WeightsError` where a file lacks it, or has it in another shape."""
    wanted = network.state_dict()[node.path]
    names = [node.source_path or node.path, f"{graph.name}.{node.path}", node.name]
    name = next((name for name in names if name in state), None)
    found = None if name is None else state[name]
    if found is None or found.shape != wanted.shape or is_of_another_kind(found, wanted):
        rows = compare_states({} if found is None else {node.path: found}, {node.path: wanted})
        raise WeightsError(paragraph("the file does not fit", rows), "NC602")
    with torch.no_grad():
        wanted.copy_(found)
    return Loaded(request.source, loaded=[""], network=graph.name, path=node.path)


def _of_library(source: str, module: nn.Module) -> dict[str, Tensor]:
    """What a library publishes of a network, as far as the module has it: it may end at a stage."""
    from netcfg.builder.libraries import published

    library, model, *stages = source.split("/")
    state = published(library, model, stages)
    return {key: value for key, value in state.items() if key in module.state_dict()}


def network_prefix(state: Mapping[str, Tensor], name: str, wanted: Collection[str], source: str) -> str:
    """What stands before the names of one network in a file: nothing, or its own name beside other networks'.

    The reading that meets more of the `wanted` names is taken; where neither meets any, the name of the only network
    in the file, if that does. Raises `WeightsError` where nothing does.
    """
    bare, below = (sum(prefix + key in state for key in wanted) for prefix in ("", f"{name}."))
    heads = list(dict.fromkeys(key.partition(".")[0] for key in state))
    if not bare and not below and len(heads) == 1 and any(f"{heads[0]}.{key}" in state for key in wanted):
        return f"{heads[0]}."
    if wanted and not bare and not below:
        held = ", ".join(f"`{head}.…`" for head in heads[:SHOWN_DIFFERENCES]) or "nothing"
        more = f" and {len(heads) - SHOWN_DIFFERENCES} more" if len(heads) > SHOWN_DIFFERENCES else ""
        message = f"{source} holds no parameters of `{name}`: it holds {held}{more}"
        raise WeightsError(message, "NC602", _nearest_network(name, heads))
    return f"{name}." if below > bare else ""


def below(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _nearest_network(name: str, heads: Sequence[str]) -> str | None:
    """Which of the names in a file may be meant."""
    match = nearest(name, heads)
    return f"give the network the name in the file, `{match}`" if match else None


def _expect_suited(layout: AnyLayout, request: WeightRequest, graph: Graph) -> None:
    """A layout of whole networks belongs on [net], and to networks it can describe."""
    reason = layout.unsuited(graph)
    if reason is None and request.path and isinstance(layout, BlockLayout):
        reason = f"the layout `{request.layout}` is one of whole networks"
    if reason is not None:
        raise WeightsError(reason, "NC602", "write `weights` and `layout` on [net]" if request.path else None)


def _part(network: nn.Module, path: str) -> nn.Module:
    try:
        return network.get_submodule(path)
    except AttributeError:
        raise NetcfgError(f"`{path}` has no parameters to load", code="NC602") from None


def _layout(request: WeightRequest, graph: Graph) -> AnyLayout:
    name = request.layout
    if name is None:
        types = {node.path: node.type for node in graph.blocks}
        name = DEFAULT_LAYOUTS.get(
            types.get(request.path, ""), "vgg16" if request.source == "imagenet" else ""
        )
    return layout_named(name) if name else Layout({})


def layout_named(name: str) -> AnyLayout:
    """A layout. Raises `WeightsError` that names the nearest."""
    if name in LAYOUTS:
        return LAYOUTS[name]
    from torchvision import models

    published = models.list_models(models)
    if name in published:
        return Layout({}, imagenet=name)
    listed = f"there are {', '.join(LAYOUTS)}, and torchvision's networks by name, e.g. `resnet18`"
    raise WeightsError(
        f"there is no layout `{name}`", "NC105", did_you_mean(name, [*LAYOUTS, *published]) or listed
    )


def _imagenet(layout: AnyLayout) -> dict[str, Tensor]:
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
