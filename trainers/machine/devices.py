"""Where to compute, and what this machine offers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

import torch
from torch import nn

from netcfg.builder.modules.convolution import Convolution
from netcfg.datasets.samples.memory import free_memory
from netcfg.graph import Graph
from netcfg.source import NetcfgError

_KNOWN = re.compile(r"(auto|cpu|cuda(:\d+)?)\Z")


def choose_device(name: str) -> torch.device:
    """The device of this name; `auto` is the first GPU, or else the processor. Errors list what exists."""
    existing = existing_devices()
    if name == "auto":
        return torch.device(existing[-1] if len(existing) == 1 else existing[1])
    wanted = "cuda:0" if name == "cuda" else name
    if not _KNOWN.match(name) or wanted not in existing:
        shown = ", ".join(f"`{device}`" for device in existing)
        raise NetcfgError(
            f"there is no device `{name}`\nhelp: this machine has {shown}; `auto` picks one", code="NC807"
        )
    return torch.device(wanted)


def own_device(name: str, local_rank: int) -> torch.device:
    """The device of one of several processes on this machine: a GPU each, or all on the processor."""
    if name not in ("auto", "cpu", "cuda"):
        raise NetcfgError(
            f"`{name}` cannot be the device of several processes\nhelp: `cuda` gives each its own",
            code="NC801",
        )
    gpus = len(existing_devices()) - 1
    if name == "cpu" or (name == "auto" and not gpus):
        return torch.device("cpu")
    if local_rank >= gpus:
        have = f"{gpus} GPU{'s' if gpus != 1 else ''}"
        raise NetcfgError(
            f"this machine has {have}, too few for a process each\n"
            f"help: `torchrun --nproc-per-node={max(1, gpus)}`, or `--device cpu`",
            code="NC807",
        )
    return torch.device("cuda", local_rank)


def existing_devices() -> list[str]:
    """The names of all devices: `cpu`, then the GPUs."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(f"cuda:{index}" for index in range(count))]


def describe_device(device: torch.device) -> str:
    """A device in a few words: `cpu, 2 threads`, `cuda:0, NVIDIA A100`."""
    if device.type == "cuda":
        return f"{device}, {torch.cuda.get_device_name(device)}"
    return f"{device}, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() > 1 else ''}"


def default_workers() -> int:
    """Processes for the data: one less than the cores that may be used, at least one, at most eight."""
    return max(1, min(8, usable_cores() - 1))


def usable_cores() -> int:
    """The processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_memory(device: torch.device) -> int | None:
    """Bytes that could still be used on a device; None where this cannot be known."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return free_memory()


def peak_memory(device: torch.device) -> int | None:
    """The most bytes that this process has held: on a GPU of its memory, else of the machine's; None: unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts it in kilobytes, macOS in bytes.
    return peak if sys.platform == "darwin" else peak * 1024


def lay_out(graphs: Mapping[str, Graph], networks: nn.ModuleDict) -> None:
    """Lay out the weights of the networks that see pictures as these arrive."""
    for name, graph in graphs.items():
        if any(signal.has_places for signal in graph.inputs.values()):
            use_channels_last(networks[name])


def use_channels_last(network: nn.Module) -> None:
    """Lay out convolution weights channels-last, in place: the layout in which pictures arrive.

    Only four-dimensional parameters change; `Module.to(memory_format=...)` refuses modules with 5-D buffers.
    """
    # Flattened for a product, channels-last weights would be copied at every step.
    contiguous = {
        id(module.weight)
        for module in network.modules()
        if isinstance(module, Convolution) and module.as_product
    }
    for parameter in network.parameters():
        if parameter.ndim == 4 and id(parameter) not in contiguous:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def use_deterministic() -> None:
    """Let PyTorch use only operations that give the same bits each time."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first product is computed
    torch.use_deterministic_algorithms(True)
    # Else cuDNN takes whichever kernel was quickest this time, and kernels add up in other orders.
    torch.backends.cudnn.benchmark = False
