"""Which of the shipped programs a published checkpoint belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

import netcfg
from netcfg.builder.layout_kinds import AnyLayout, NestedLayout
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


def sizes_told(found: Shapes, wanted: Shapes, layout: AnyLayout) -> str | None:
    """How a file's network and ours differ as a whole, where both are known by their parameters; both by our names."""
    theirs, ours = _kind(found), _kind(wanted)
    if theirs is not None and ours is not None and theirs != ours:
        return f"the file has {theirs}, the network is {ours}"
    if isinstance(layout, NestedLayout):
        for part in layout.parts.values():
            lacking = [key for key in part.elsewhere if key in wanted and key not in found]
            if lacking:
                other = part.elsewhere[lacking[0]]
                return f"`{lacking[0]}` is in a file of the layout `{other}`: give that beside this one"
    return None


def _kind(shapes: Shapes) -> str | None:
    """What one of FG-Net's networks is, by its parameters' names."""

    def count(pattern: str) -> int:
        return len({match[1] for key in shapes if (match := re.match(pattern, key))})

    if "conv1.conv.modulation.weight" in shapes:
        size = 4 * 2 ** (count(r"convs\.(\d+)\.") // 2)
        codes = shapes["conv1.conv.modulation.weight"][1]
        return f"a generator of {size}×{size} by codes of {codes} numbers"
    if "styles.0.linear.weight" in shapes:
        styles, numbers = count(r"styles\.(\d+)\."), shapes["styles.0.linear.weight"][0]
        return f"an encoder of {styles} codes of {numbers} numbers"
    if "layer8.4.weight" in shapes:
        layers, maps = count(r"(layer\d+)\."), shapes["layer8.4.weight"][0]
        return f"an interpreter of {layers} feature maps that makes {maps} maps"
    return None
