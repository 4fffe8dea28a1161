"""Which of the shipped programs a published checkpoint belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

import netcfg
from netcfg.builder.layouts import AnyLayout
from netcfg.builder.network import build_network
from netcfg.graph import Graph
from netcfg.passes.read import shipped_folder

Shapes = Mapping[str, torch.Size]


def parameters_of(graph: Graph) -> dict[str, Tensor]:
    """The parameters of a network, without their numbers."""
    with torch.device("meta"):
        return dict(build_network(graph).state_dict())


def owner_of(parts: Sequence[Shapes], layout: AnyLayout) -> str | None:
    """What to do where a checkpoint is another shipped program's; None where it is none's.

    `parts` are the shapes of each network's tensors, under our names.
    """
    if len(parts) != 1:
        return None
    names = [name for name in layout.programs if _is_of(parts[0], name)]
    return f"it is a checkpoint of {' or of '.join(names)}: give that as `--cfg`" if names else None


def _is_of(shapes: Shapes, name: str) -> bool:
    """Whether these are the parameters of the network of a shipped file."""
    networks = netcfg.load(shipped_folder() / name).networks
    return any(
        shapes == {key: value.shape for key, value in parameters_of(graph).items()}
        for graph in networks.values()
    )
