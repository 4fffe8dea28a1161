"""Outputs that nothing reads cost nothing, where a program trains: not computed, not kept, and said so."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

import netcfg
from netcfg.builder.network import Network
from netcfg.passes.plan import plan
from netcfg.passes.unread import unread_outputs
from netcfg.plan_text import plan_data, plan_text
from netcfg.program import Program
from netcfg.summary import summary_data, summary_text
from netcfg.trainers.step.model import Model

DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = 6, 12\n"
MAKER = (
    "{Maker}\n[net]\ninputs = data.image\n"
    "[convolutional]\nname = shared\nfilters = 4\nkernel_size = 3\npad = True\n"
    "[convolutional]\nname = picture\nfilters = 3\nkernel_size = 1\n%s[output]\nname = picture\n"
    "[global_avgpool]\nname = seen\nfrom = shared\n[output]\nname = seen\n"
)
READER = "{Reader}\n[net]\n[input]\nname = seen\nlike = Maker.seen\n[connected]\noutput_features = 2\n"
TRAINING = (
    "{Model}\n[Maker]\nfrom = image\n[Reader]\nfrom = Maker.seen\n"
    "{Loss}\n[bce_with_logits]\nname = bce\ninput = Reader\ntarget = labels\n"
    "{Optimizer}\n[adam]\nnetworks = Maker, Reader\nminimise = bce%s\n"
)


def program(inside: str = "", further: str = "", loss: str = "") -> Program:
    return netcfg.load(DATA + MAKER % inside + READER + TRAINING % loss + further)


def runs(model: Model, names: tuple[str, ...]) -> int:
    """How often the block that makes the picture has run."""
    called: list[nn.Module] = []
    module = model.networks["Maker"]["picture"]
    handle = module.register_forward_hook(lambda part, *_: called.append(part))
    for _ in range(2):  # the first one is compared with what blocks declare
        model.signals({"image": torch.rand(2, 3, 16, 16)}, names)
    handle.remove()
    return len(called)


def test_what_nothing_reads_is_not_computed_until_it_is_asked_for() -> None:
    loaded = program()
    assert unread_outputs(loaded) == {"Maker": ("picture",)}
    networks = netcfg.build(loaded)
    model = Model(loaded, networks)
    assert runs(model, ("Reader",)) == 0
    assert set(networks["Maker"](torch.rand(1, 3, 16, 16))) == {"picture", "seen"}
    assert runs(model, ("Maker.picture",)) == 2


def test_its_parameters_get_no_gradient() -> None:
    loaded = program()
    networks = netcfg.build(loaded)
    logits = Model(loaded, networks).signals({"image": torch.rand(2, 3, 16, 16)}, ["Reader"])["Reader"]
    logits.sum().backward()
    with_gradient = {name for name, parameter in networks.named_parameters() if parameter.grad is not None}
    assert not any("picture" in name for name in with_gradient)
    assert any("shared" in name for name in with_gradient)


def test_the_plan_and_the_summary_say_so() -> None:
    loaded = program()
    assert "without picture, which nothing reads" in plan_text(plan(loaded))
    (pattern,) = plan_data(plan(loaded))["patterns"]
    assert pattern["phases"][0]["computes"][0]["without"] == ["picture"]
    text = summary_text(loaded)
    assert "nothing in the program reads `picture`: it does not compute picture, 3.07 k MACs less" in text
    maker = json.loads(json.dumps(summary_data(loaded)))["networks"][0]
    assert (maker["unread"], maker["left_out"]) == (["picture"], ["picture"])
    alone = netcfg.load(DATA + MAKER % "")  # trains nothing: all that it gives is wanted
    whole = summary_data(alone)["networks"][0]["memory"]
    assert maker["memory"]["peak"] < whole["peak"]
    assert maker["memory"]["parameters"] == whole["parameters"]


@pytest.mark.parametrize(
    ("inside", "further", "loss"),
    [
        ("", "{General}\n[pictures]\nshow = image, Maker.picture\n", ""),
        ("", "{Loss}\n[l1]\nname = l1\ninput = Maker.picture\ntarget = image\n", " + l1"),
        ("[batch_norm]\n", "", ""),  # it counts batches: left out, it would be another network afterwards
    ],
)
def test_what_somebody_reads_or_what_counts_batches_is_computed(inside: str, further: str, loss: str) -> None:
    loaded = program(inside, further, loss)
    assert unread_outputs(loaded) == {}
    assert "without" not in plan_text(plan(loaded))


def test_an_only_output_is_read_whatever_it_is_called() -> None:
    text = DATA + MAKER % "" + READER.replace("Maker.seen", "Maker") + TRAINING % ""
    text = text.replace("[output]\nname = picture\n", "").replace("from = Maker.seen", "from = Maker")
    assert not unread_outputs(netcfg.load(text))


def test_fg_nets_image_costs_nothing() -> None:
    from netcfg.passes.read import shipped_folder

    loaded = netcfg.load(shipped_folder() / "fgnet.cfg")
    assert unread_outputs(loaded) == {"Generator": ("image",)}
    assert "it does not compute to_rgb1, to_rgbs, 211 M MACs less" in summary_text(loaded)


def test_ports_of_a_template_that_nothing_reads_cost_nothing_either() -> None:
    """Nor are they a mistake: everyone reads those that he needs."""
    text = (
        "{include blocks/stylegan2.cfg}\n{G}\n[net]\n[input]\nname = codes\ntokens = 8\nfeatures = 4\n"
        "[stylegan2]\nname = g\nsize = 32\nstyle = 4\nwidest = 4\n[output]\nname = middle\nfrom = g.feature4\n"
    )
    loaded, findings = netcfg.check(text)
    assert loaded is not None
    assert not findings
    built = netcfg.build(loaded)["G"]
    assert isinstance(built, Network)
    assert "to_rgb" not in built.source_code
    assert '["convs"]["3"]' not in built.source_code
    left = "not computed, as no output needs it: g.convs.3, g.convs.4, g.convs.5, g.to_rgb1, g.to_rgbs, "
    assert left in summary_text(loaded)
