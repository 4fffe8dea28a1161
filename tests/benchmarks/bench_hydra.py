"""Twelve action units of a picture: HydraNet's one pass against twelve separate networks, at full size.

    python tests/benchmarks/bench_hydra.py [--batch 8] [--rounds 5] [--busy]

Both have the same heads; they predict in turn, and the median of the rounds' ratios counts (`--busy`: see bench_step).
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from bench_step import clock
from torch import Tensor, nn

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.trainers.machine.devices import use_channels_last


def empty(name: str) -> nn.Module:
    """The network of a file, its parameters not there yet."""
    with torch.device("meta"):
        network: nn.Module = netcfg.build(netcfg.load(shipped_folder() / name))["AUNet"].eval()
    return network


def make_hydra() -> nn.Module:
    """The network of all heads; its numbers do not matter."""
    network = empty("aunet_hydra_multilabel.cfg").to_empty(device="cpu")
    for parameter in network.parameters():
        parameter.data.fill_(1e-3)
    use_channels_last(network)
    return network


def make_separate(hydra: nn.Module) -> list[nn.Module]:
    """A network for each head, with features of its own."""
    networks = []
    for head in [name for name, _ in hydra.named_children() if name.startswith("classifier")]:
        network = empty("aunet_of_none.cfg")
        state = {
            key: hydra.state_dict()[key].clone()
            if key.startswith("features")
            else hydra.state_dict()[key.replace("classifier", head)]
            for key in network.state_dict()
        }
        network.load_state_dict(state, assign=True)
        networks.append(network)
    return networks


def seconds(predict: Callable[[Tensor], object], pictures: Tensor) -> float:
    """How long one prediction takes."""
    start = clock()
    with torch.inference_mode():
        predict(pictures)
    return clock() - start


def main() -> None:
    """Print each round and the median ratio."""
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", default=8, type=int)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    if options.busy:
        torch.set_num_threads(1)
    hydra = make_hydra()
    networks = make_separate(hydra)
    pictures = torch.rand(options.batch, 3, 224, 224).to(memory_format=torch.channels_last)
    ways = (lambda x: [network(x) for network in networks], hydra)
    for way in ways:
        seconds(way, pictures)
    rows = [[seconds(way, pictures) for way in ways] for _ in range(options.rounds)]
    for twelve, one in rows:
        print(f"twelve networks {twelve:.2f} s   one pass {one:.2f} s   ratio {twelve / one:.1f}")
    print(f"median ratio {statistics.median(twelve / one for twelve, one in rows):.1f}")


if __name__ == "__main__":
    main()
