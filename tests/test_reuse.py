"""What a network is fed by name, and networks that stand in {Model} more than once."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.compile import check
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_text
from netcfg.trainers.step.phases import Phases

DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = bp4d\n"
CONV = "[convolutional]\nfilters = {}\nkernel_size = 1\n"
TAPS = (
    "{Taps}\n[net]\ninputs = data\n"
    "[convolutional]\nname = a\nfilters = 8\nkernel_size = 1\n"
    "[maxpool]\nname = b\npool_size = 2\nstride = 2\n"
    "[output]\nname = tap0\nfrom = a\n[output]\nname = tap1\nfrom = b\n"
)
READER = "{Reader}\n[net]\ninputs = Taps\n[upsample]\nfrom = tap1\nsize_of = tap0\n"
READER += "[combine_add]\ncombine_layers = -1, tap0\n"


def test_inputs_by_the_beginning_of_their_names() -> None:
    """Of what a network gives, `Taps.tap*` takes all that are called so."""
    further = TAPS + "[output]\nname = image\nfrom = a\n"
    reader = READER.replace("inputs = Taps", "inputs = Taps.tap*")
    assert list(netcfg.load(DATA + further + reader).networks["Reader"].inputs) == ["tap0", "tap1"]
    assert codes(DATA + further + reader.replace("tap*", "tip*")) == ["NC204"]


def codes(text: str) -> list[str]:
    return [finding.code for finding in check(text)[1] if finding.severity == "error"]


def test_inputs_are_the_data_fields_and_the_ports_of_another_network() -> None:
    program = netcfg.load(DATA + READER + TAPS)  # in any order
    inputs = {
        name: {key: (signal.shape, signal.axes) for key, signal in graph.inputs.items()}
        for name, graph in program.networks.items()
    }
    assert inputs == {
        "Reader": {"tap0": ((8, 16, 16), "CHW"), "tap1": ((8, 8, 8), "CHW")},
        "Taps": {"image": ((3, 16, 16), "CHW")},
    }


def test_the_ports_of_one_block_feed_the_inputs_of_their_names() -> None:
    model = "{Model}\n[Taps]\n[Reader]\nfrom = Taps\n"
    for text in (model, model.replace("from = Taps\n", "")):
        graph = netcfg.load(DATA + TAPS + READER + text).model
        assert graph is not None
        assert [graph.reference(signal) for signal in graph.nodes[-1].inputs] == ["Taps.tap0", "Taps.tap1"]


def test_the_ports_of_a_template_feed_another_templates_inputs() -> None:
    head = "{Define taps}\n[convolutional]\nname = a\nfilters = 8\nkernel_size = 1\n[output]\nname = x\nfrom = a\n"
    head += "[output]\nname = y\nfrom = input\n{Define two}\n[input]\nname = y\n[input]\nname = x\n"
    head += "[combine_concat]\ncombine_layers = x, y\n{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
    graph = netcfg.load(head + "[taps]\nname = t\n[identity]\n[two]\nname = u\nfrom = t\n").networks["N"]
    assert [graph.reference(signal) for signal in graph.nodes[-1].inputs] == ["t.a", "input"]


def test_an_input_like_another_networks_output_or_a_field() -> None:
    text = "{Other}\n[net]\n[input]\nname = x\nlike = Taps.tap1\n[input]\nname = y\nlike = data.labels\n"
    text += "[global_avgpool]\nfrom = x\n[combine_concat]\ncombine_layers = -1, y\n"
    graph = netcfg.load(DATA + TAPS + text).networks["Other"]
    assert {name: signal.shape for name, signal in graph.inputs.items()} == {"x": (8, 8, 8), "y": (12,)}


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ("data.imag", "NC501"),
        ("Tap", "NC201"),
        ("image", "NC201"),
        ("Reader", "NC203"),
        ("Taps.tap", "NC204"),
        ("data.image, data.image", "NC107"),
        ("data\nchannels = 3", "NC105"),
    ],
)
def test_what_cannot_feed_a_network(inputs: str, code: str) -> None:
    assert codes(DATA + TAPS + f"{{Reader}}\n[net]\ninputs = {inputs}\n[identity]\n") == [code]


def test_two_networks_cannot_be_fed_by_each_other() -> None:
    one = "{One}\n[net]\ninputs = Two\n[identity]\n{Two}\n[net]\ninputs = One\n[identity]\n"
    findings = check(one)[1]
    assert [finding.code for finding in findings] == ["NC203"]
    assert "One → Two → One" in findings[0].message
    assert len(findings[0].notes) == 1


def test_bare_data_is_the_one_picture() -> None:
    text = "{N}\n[net]\ninputs = data\n[identity]\n"
    two = DATA + "[noise]\noutput = noisy\n" + text
    assert codes(two) == ["NC501"]
    assert codes(text) == ["NC501"]
    assert codes(DATA + text) == []


def test_one_signal_of_several_must_be_said() -> None:
    text = "{Other}\n[net]\n[input]\nname = x\nlike = Taps\n[identity]\n"
    findings = check(DATA + TAPS + text)[1]
    assert [(finding.code, finding.help) for finding in findings] == [
        ("NC204", "say which: `Taps.tap0` or `Taps.tap1`")
    ]


def test_what_is_the_same_for_all_samples_trains() -> None:
    """The first batch is compared with what blocks declare; a parameter is there once, not for each sample."""
    text = "{Refine}\n[net]\ninputs = data.image\n[parameter]\nname = p\nlike = image\n"
    text += "[formula]\nvalue = image * p * linspace(0, 1, 3, over = channels)\n"
    program = netcfg.load(DATA + text + TRAIN.replace("= fine", "= Refine"))
    networks = netcfg.build(program)
    before = networks["Refine"].state_dict()["p"].clone()
    Phases(program, networks, torch.device("cpu")).step({"image": torch.rand(2, 3, 16, 16)}, 0)
    assert not torch.equal(networks["Refine"].state_dict()["p"], before)


# --- networks that stand in {Model} more than once

REFINE = "{Refine}\n[net]\ninputs = data.image\n" + CONV.format(3)
TRAIN = "{Loss}\n[l1]\ninput = fine\ntarget = image\n{Optimizer}\n[sgd]\nnetworks = Refine\nminimise = l1\n"


def test_a_repeat_of_a_network_runs_it_again_with_the_same_parameters() -> None:
    model = "{Model}\n[Refine]\nname = fine\nrepeat = 3\nfrom = image\n"
    program = netcfg.load(DATA + REFINE + model + TRAIN)
    rows = [line.split("compute")[-1].strip() for line in plan_text(plan(program)).splitlines()]
    for row in ("fine.0 = Refine(image)", "fine.1 = Refine(fine.0)", "fine.2 = Refine(fine.1)"):
        assert row in rows
    assert program.networks["Refine"].parameters == 12
    assert program.signals["fine"] == program.signals["fine.2"]


def test_repeated_networks_compute_what_a_loop_does() -> None:
    from netcfg.trainers.step.model import Model

    model = "{Model}\n[Refine]\nname = fine\nrepeat = 3\nfrom = image\n"
    program = netcfg.load(DATA + REFINE + model + TRAIN)
    networks = netcfg.build(program).eval()
    image = torch.randn(2, 3, 16, 16)
    expected = image
    for _ in range(3):
        expected = networks["Refine"](expected)
    found = Model(program, networks).signals({"image": image}, ["fine"])["fine"]
    torch.testing.assert_close(found, expected)


def test_copies_of_a_network_read_a_signal_each_and_are_joined() -> None:
    model = (
        "{Model}\n[Refine]\nname = a0\nfrom = image\n[Refine]\nname = a1\nfrom = a0\n"
        "[Refine]\nname = fine\ncopies = 2\nfrom = a$copy\njoin = add\n"
    )
    program = netcfg.load(DATA + REFINE + model + TRAIN)
    graph = program.model
    assert graph is not None
    reads = {node.path: [graph.reference(signal) for signal in node.inputs] for node in graph.blocks}
    assert reads["fine.0"] == ["a0"]
    assert reads["fine.1"] == ["a1"]
    assert reads["fine.join"] == ["fine.0", "fine.1"]
    assert program.signals["fine"].producer == len(graph.nodes) - 1


def test_a_use_of_a_template_in_the_model_is_a_signal_by_its_name() -> None:
    template = "{Define halved}\n[formula]\nvalue = 0.5 * in\n[identity]\n"
    model = "{Model}\n[Refine]\n[halved]\nname = fine\n"
    program = netcfg.load(template + DATA + REFINE + model + TRAIN)
    assert program.signals["fine"] == program.signals["fine.1"]


def test_a_network_whose_output_does_not_fit_its_input_is_no_repeat() -> None:
    network = "{Refine}\n[net]\ninputs = data.image\n" + CONV.format(4)
    model = "{Model}\n[Refine]\nname = fine\nrepeat = 3\nfrom = image\n"
    assert "NC301" in codes(DATA + network + model)


def test_rows_of_one_name_are_told_what_tells_them_apart() -> None:
    table = "{Table s}\nfilters\n3\n4\n{N}\n[net]\nchannels = 3\n[convolutional]\nrows = s\nkernel_size = 1\n"
    for name in ("a", "a_$turn"):
        findings = check(f"{table}name = {name}\n")[1]
        assert [finding.code for finding in findings] == ["NC107"]
        assert "`$row`" in (findings[0].help or "")
    assert codes(f"{table}name = a_$row\n") == []
