"""The memory that a summary promises is what torch takes."""

import math
from typing import Any

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

import netcfg
from netcfg.passes.held import forward_peak, training_kept
from netcfg.summary.memory import memory_of

BATCH = 2
SMALL = 40
"""Bytes: what is smaller is a statistic or a scalar, no signal."""

NET = "{N}\n[net]\nchannels = 4\nheight = 16\nwidth = 16\n"
CONV = "[convolutional]\nfilters = 8\nkernel_size = 3\npad = True\n"
RELU = "[activation]\nactivation = relu\n"
SUM = "[combine_add]\ncombine_layers = -1, {}\n"

PROGRAMS = {
    "chain": CONV + CONV + CONV,
    "conv, relu": CONV + RELU + CONV + RELU,
    "own activation": CONV + "activation = leaky_relu\n" + CONV + "activation = tanh\n",
    "own normalisation": CONV + "batch_normalise = 1\nactivation = relu\n" + CONV + "batch_normalise = 1\n",
    "normalisation": CONV + "[batch_norm]\n" + RELU + CONV,
    "residual": CONV + CONV + RELU + CONV + SUM.format("0") + RELU + CONV,
    "twice read": CONV + CONV + CONV + SUM.format("0") + SUM.format("1"),
    "pools": CONV + "[maxpool]\npool_size = 2\nstride = 2\n" + CONV + "[avgpool]\npool_size = 2\nstride = 2\n" + CONV,
    "concat": CONV + CONV + "[combine_concat]\ncombine_layers = -1, 0, input\n" + CONV,
    "product": CONV + CONV + "[combine_multiply]\ncombine_layers = -1, 0\n" + CONV,
    "up": CONV + "[upsample]\nscale_factor = 2\n" + CONV + "[upsample]\nscale_factor = 2\nmode = bilinear\n",
    "views": CONV + "[select_subset]\norigin_layer = -1\nstart_index = 2\nend_index = 6\n" + CONV,
    "head": CONV + RELU + "[flatten]\n[connected]\noutput_features = 64\nactivation = relu\n"
    "[connected]\noutput_features = 32\n",
    "means": CONV + "[global_avgpool]\n[connected]\noutput_features = 64\n[softmax]\ndim = 1\n",
    "routes": CONV + CONV + "[route]\nbranch_at_layer = 0\n" + CONV + "[identity]\n" + CONV,
    "functions": CONV + "".join(f"[activation]\nactivation = {name}\n" for name in ("tanh", "sigmoid", "elu", "gelu")),
    "two outputs": CONV + "[output]\nname = a\n" + CONV + CONV + "[output]\nname = b\n",
    "dropout": CONV + "[dropout]\n" + CONV + RELU + "[dropout]\n",
    "unused": CONV + CONV + "[route]\nbranch_at_layer = 0\n" + CONV,
}  # fmt: skip


class Held(TorchDispatchMode):
    """Adds up the memory of what operations make, while it lives."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.parameters = {StorageWeakRef(value.untyped_storage()) for value in network.parameters()}
        self.made: dict[StorageWeakRef, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        results = function(*arguments, **(options or {}))
        for result in results if isinstance(results, tuple | list) else (results,):
            if isinstance(result, torch.Tensor):
                storage = result.untyped_storage()
                if StorageWeakRef(storage) not in self.parameters:
                    self.made.setdefault(StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, self.now())
        return results

    def now(self) -> int:
        return sum(size for storage, size in self.made.items() if size > SMALL and not storage.expired())


def built(name, net=NET):
    program = netcfg.load(net + PROGRAMS[name])
    graph = program.networks["N"]
    inputs = [torch.randn(BATCH, *signal.shape) for signal in graph.inputs.values()]
    given = 4 * BATCH * sum(math.prod(signal.shape) for signal in graph.inputs.values())
    return graph, netcfg.build(program)["N"], inputs, given


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_forward_pass_holds_what_is_said(name):
    graph, network, inputs, given = built(name)
    held = Held(network)
    with torch.no_grad(), held:
        network.eval()(*inputs)
    assert 4 * BATCH * forward_peak(graph) == held.peak + given


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_training_step_keeps_what_is_said(name):
    graph, network, inputs, given = built(name)
    held = Held(network)
    with held:
        result = network.train()(*inputs)
    assert 4 * BATCH * training_kept(graph) == held.now() + given
    del result


RESNET50 = "[resnet50]\nend_at_layer = 6\nn_out_filters = 512\nweights = None\n"
BACKBONES = {
    "vgg-face": "[vgg-face]\nstate_dict_filepath = a.pth\n",
    "vgg-face, frozen": "[vgg-face]\nstate_dict_filepath = a.pth\nfreeze_first_n_layers = 17\n",
    "resnet50": RESNET50,
    "resnet50, frozen": RESNET50 + "freeze_first_n_layers = 5\n",
}


@pytest.mark.parametrize("name", BACKBONES)
def test_backbones_take_about_what_is_said(name, monkeypatch):
    monkeypatch.setitem(PROGRAMS, name, BACKBONES[name])
    graph, network, inputs, given = built(
        name, NET.replace("channels = 4", "channels = 3").replace("16", "64")
    )
    held = Held(network)
    with held:
        result = network.train()(*inputs)
    assert 4 * BATCH * training_kept(graph) == pytest.approx(held.now() + given, rel=0.06)
    del result
    held = Held(network)
    with torch.no_grad(), held:
        network.eval()(*inputs)
    assert held.peak + given <= 4 * BATCH * forward_peak(graph) <= 1.35 * (held.peak + given)


def test_batches_and_precision_scale_signals_alone():
    program = netcfg.load(NET + CONV)
    graph = program.networks["N"]
    one, many = memory_of(program, graph), memory_of(program, graph, 8, "bf16")
    assert (many.peak, many.kept, many.parameters) == (4 * one.peak, 4 * one.kept, one.parameters)


def test_an_unknown_size_makes_signals_unknown():
    program = netcfg.load("{N}\n[net]\nchannels = 3\n" + CONV)
    memory = memory_of(program, program.networks["N"])
    assert (memory.peak, memory.kept) == (None, None)
    assert memory.parameters == 4 * (27 + 1) * 8
