"""Checkpoints of FERAtt's published code: every name, of what is stored twice and never read too."""

from __future__ import annotations

import torch
from golden_rules import golden

import netcfg
from netcfg.builder.layout_kinds import Layout
from netcfg.builder.layouts import LAYOUTS, renamed
from netcfg.builder.recognition import parameters_of
from netcfg.passes.read import shipped_folder


def state_of_original() -> dict[str, torch.Tensor]:
    rows = golden("feratt_keys")["keys"]
    return {key: torch.empty(shape, device="meta") for key, shape, *_ in rows}


def test_the_original_is_read_and_written_name_for_name() -> None:
    graph = netcfg.load(shipped_folder() / "feratt_rep_stn.cfg").networks["FERAtt"]
    layout = LAYOUTS["feratt"]
    assert isinstance(layout, Layout)
    original = state_of_original()
    ours = renamed(layout, original, graph)
    wanted = parameters_of(graph)
    assert {key: value.shape for key, value in ours.items()} == {
        key: value.shape for key, value in wanted.items()
    }
    written = {layout.theirs(key, graph): value for key, value in ours.items()}
    written |= layout.further(written)
    assert {key: value.shape for key, value in written.items()} == {
        key: value.shape for key, value in original.items()
    }


def test_the_baseline_has_the_names_of_its_back_end() -> None:
    graph = netcfg.load(shipped_folder() / "feratt_baseline.cfg").networks["FERAtt"]
    layout = LAYOUTS["feratt_baseline"]
    assert layout.ours("layer1.0.conv1.weight", graph) == "netclass.layer1.0.conv1.weight"
    assert layout.theirs("netclass.linear.bias", graph) == "linear.bias"
