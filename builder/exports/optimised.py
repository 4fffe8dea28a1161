"""Batch norms multiplied into the maps before them: fewer operations, the same numbers but for rounding."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from netcfg.builder.modules.connected import Connected
from netcfg.builder.modules.convolution import _Deconvolving, _Filters
from netcfg.builder.modules.reparametrised import Reparametrised
from netcfg.builder.network import Network
from netcfg.graph import Graph, Node


def fold_norms(graph: Graph, network: Network) -> int:
    """Fold those that follow a linear map and nothing else reads it; gives how many. Changes the network, which is
    only good for evaluation then.
    """
    folded = 0
    for part in network.modules():
        if isinstance(part, _Filters) and part.norm is not None:
            norm = part.get_submodule(part.norm)
            if _is_foldable(norm):
                _fold(part, norm)
                del part._modules[part.norm]
                part.norm = None
                folded += 1
    holders = [node.holder for node in graph.blocks]
    for node in graph.blocks:
        before = _only_reader(graph, node)
        if before is None or {holders.count(node.holder), holders.count(before.holder)} != {1}:
            continue
        norm, layer = network.get_submodule(node.holder), network.get_submodule(before.holder)
        is_linear = isinstance(layer, _Filters | Connected) and layer._activate is None
        if not (is_linear and _is_foldable(norm)) or (isinstance(layer, _Filters) and layer.norm is not None):
            continue
        _fold(layer, norm)
        home, _, name = node.holder.rpartition(".")
        network.get_submodule(home)._modules[name] = nn.Identity()
        folded += 1
    return folded


def _only_reader(graph: Graph, node: Node) -> Node | None:
    """The block before a batch norm, where nothing else reads what that gives, and both are over the same axes."""
    if node.type != "batch_norm":
        return None
    signal = node.inputs[0]
    key = (signal.producer, signal.port)
    before = graph.nodes[signal.producer]
    is_given = any((one.producer, one.port) == key for one in graph.outputs.values())
    alone = graph.consumers[key] == (graph.nodes.index(node),) and not is_given
    return before if alone and before.over == node.over and not before.is_input else None


def _is_foldable(norm: nn.Module) -> bool:
    return isinstance(norm, _BatchNorm) and norm.running_var is not None


@torch.no_grad()
def _fold(layer: nn.Module, norm: nn.Module) -> None:
    assert isinstance(norm, _BatchNorm)
    assert isinstance(norm.running_mean, torch.Tensor)
    assert isinstance(norm.running_var, torch.Tensor)
    assert isinstance(layer, Reparametrised)
    layer.settle()
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, torch.Tensor)
    # In double precision, so that it is rounded once.
    factor = torch.rsqrt(norm.running_var.double() + norm.eps)
    factor = factor if norm.weight is None else factor * norm.weight.double()
    shift = -norm.running_mean.double() * factor
    shift = shift if norm.bias is None else shift + norm.bias.double()
    if isinstance(bias, torch.Tensor):
        shift = shift + bias.double() * factor
    if isinstance(layer, _Deconvolving):
        groups = int(layer.groups)  # type: ignore[arg-type]
        # Inputs × outputs of a group: of each group's inputs that group's factors.
        by_group = weight.double().view(groups, -1, *weight.shape[1:])
        scaled = by_group * factor.view(groups, 1, -1, *(1,) * (weight.ndim - 2))
        scaled = scaled.reshape(weight.shape)
    else:
        scaled = weight.double() * factor.view(-1, *(1,) * (weight.ndim - 1))
    layer.register_parameter("weight", nn.Parameter(scaled.to(weight.dtype)))
    layer._parameters.pop("bias", None)
    layer.register_parameter("bias", nn.Parameter(shift.to(weight.dtype)))


__all__ = ["fold_norms"]
