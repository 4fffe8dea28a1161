"""Broken files are drawn: what was understood, and what is wrong where."""

from pathlib import Path

import pytest

from netcfg.cli.main import main
from netcfg.compile import check, understand
from netcfg.draw import write_svg
from netcfg.draw.mistakes import broken_picture
from netcfg.draw.model import Box
from netcfg.shapes import UNKNOWN

FILES = sorted((Path(__file__).parents[1] / "check").glob("*.cfg"))
HUGE = {"too_many_blocks.cfg"}
"""Drawn by hand only: to see that it is too large takes seconds."""

NET = "{Net}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
CONV = "[convolutional]\nfilters = 8\nkernel_size = 3\n"


def drawn(text):
    """The boxes of a text's picture by name or first words, and its wires."""
    networks, _ = understand(text)
    (diagram,) = broken_picture(networks).diagrams
    boxes = [part for part in diagram.frame.parts if isinstance(part, Box)]
    return {box.name or box.pieces[0]: box for box in boxes}, diagram.wires


def marked(text):
    return {name: box.message for name, box in drawn(text)[0].items() if box.mark == "error"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_broken_file_is_drawn(path):
    if path.name in HUGE:
        pytest.skip("takes seconds")
    _, expected = check(path)
    networks, findings = understand(path)
    assert [str(one.span) for one in findings] == [str(one.span) for one in expected]
    if path.name == "darknet_file.cfg":
        assert networks == []
    else:
        assert "<svg" in write_svg(broken_picture(networks).scene)


def test_a_shape_that_cannot_be_marks_the_block_and_the_wire_to_blame():
    text = (
        NET + CONV.replace("]\n", "]\nname = narrow\n", 1) + "[combine_add]\ncombine_layers = narrow, input\n"
    )
    boxes, wires = drawn(text)
    message = (
        "NC301: [combine_add] adds 8×30×30 and 3×32×32: 8 ≠ 3 (channels), 30 ≠ 32 (height), 30 ≠ 32 (width)"
    )
    assert boxes["combine add"].message == message
    assert [(wire.source.name, wire.target.pieces) for wire in wires if wire.mark] == [
        ("input", ["combine add"])
    ]
    assert [wire.label for wire in wires if wire.source is boxes["combine add"]] == ["?"]


def test_what_only_follows_is_unmarked():
    text = NET + "[convolutionl]\nname = a\nfilters = 8\n" + CONV + "[flatten]\n"
    assert marked(text) == {"a": "NC102: there is no block type `convolutionl`"}


def test_a_block_that_cannot_be_read_reads_what_it_asks_for():
    text = NET + CONV.replace("]\n", "]\nname = a\n", 1) + CONV + "[combine_ad]\nfrom = -1, a\n"
    boxes, wires = drawn(text)
    assert sorted(wire.source.name for wire in wires if wire.target is boxes["combine ad"]) == ["", "a"]


def test_an_unknown_reference_leaves_its_wire_out():
    boxes, wires = drawn(NET + CONV + "[combine_add]\ncombine_layers = -1, nowhere\n")
    assert boxes["combine add"].mark == "error"
    assert len([wire for wire in wires if wire.target is boxes["combine add"]]) == 1


def test_a_port_that_is_not_there_marks_its_reader_and_the_wire():
    boxes, wires = drawn(NET + CONV + "[flatten]\nfrom = -1.side\n")
    assert [name for name, box in boxes.items() if box.mark] == ["flatten"]
    assert [(wire.label, wire.target) for wire in wires if wire.mark] == [("side ?", boxes["flatten"])]


def test_an_input_that_cannot_be_read_is_drawn():
    assert list(marked(NET.replace("= 3", "= three") + CONV)) == ["input"]


def test_errors_inside_a_template_mark_its_blocks():
    template = "{Define pair}\n[convolutional]\nfilters = 8\n[activation]\nactivation = relu\n"
    networks, _ = understand(template + NET + "[pair]\n[pair]\n")
    (network,) = networks
    assert {network.graph.nodes[index].path for index in network.mistakes} == {"0.0", "1.0"}


def test_one_turn_of_a_repeat_can_be_wrong():
    template = "{Define half}\n[maxpool]\npool_size = 2\nstride = 2\n[activation]\nactivation = relu\n"
    networks, _ = understand(template + NET + "[half]\nname = halves\nrepeat = 7\n")
    assert [networks[0].graph.nodes[index].path for index in networks[0].mistakes] == ["halves.5.0"]
    assert networks[0].graph.nodes[-1].output.shape == UNKNOWN
    assert "halves.5.0" in write_svg(broken_picture(networks).scene)


def test_a_mistake_of_the_whole_network_marks_its_frame():
    networks, _ = understand(NET + CONV + NET + CONV)
    diagrams = broken_picture(networks).diagrams
    assert [diagram.frame.mark for diagram in diagrams] == ["", "error"]
    assert diagrams[1].frame.note.startswith("NC109")


def test_a_mistake_in_the_wiring_of_networks_is_drawn():
    *networks, model = understand(FILES[0].parent / "model_width_that_does_not_fit.cfg")[0]
    assert not any(network.mistakes for network in networks)
    assert model.graph.name == "Model"
    assert [model.graph.nodes[index].path for index in model.mistakes] == ["action_units"]
    assert [model.graph.nodes[producer].path for producer, _, _ in model.edges] == ["z1"]


def test_a_network_without_net_is_drawn():
    assert list(marked("{Net}\n" + CONV)) == ["convolutional 3×3"]


def test_a_line_that_cannot_be_read_marks_its_block():
    assert list(marked(NET + CONV + "filters 3\n[flatten]\n")) == ["convolutional"]


def test_a_network_that_has_no_blocks_gives_nothing_to_the_one_that_uses_it():
    text = "{Data}\n[synthetic_faces]\n{A}\n[net]\nchannels = 3\n{Model}\n[A]\n[B]$\n"
    networks, _ = understand(text)
    assert "<svg" in write_svg(broken_picture(networks).scene)


def test_mistakes_outside_of_networks_mark_nothing():
    text = NET + CONV + "{Loss}\n[mse]\ninpt = Net\ntarget = labels\n"
    networks, findings = understand(text)
    assert findings
    assert [network.mistakes for network in networks] == [{}]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.cfg").write_text(NET + CONV.replace("filters", "filtres"))
    (tmp_path / "none.cfg").write_text("{Loss}\n[mse]\n")

    def command(*arguments):
        return main(["graph", *arguments]), *capsys.readouterr()

    return command


def test_the_command_draws_prints_the_findings_and_exits_with_1(run, tmp_path):
    code, out, err = run("bad.cfg", "-o", "out.svg")
    assert (code, out) == (1, "out.svg\n")
    assert "bad.cfg:7:1: error[NC103 unknown-option]" in err
    assert "NC103" in (tmp_path / "out.svg").read_text()


def test_what_cannot_be_drawn_is_said(run, tmp_path):
    code, out, err = run("none.cfg", "-o", "out.svg")
    assert (code, out) == (1, "")
    assert "no network" in err
    assert run("bad.cfg", "-o", "out.svg", "--training")[0] == 1
    assert run("bad.cfg", "-o", "out.svg", "--network", "Nett")[0] == 1
    assert not (tmp_path / "out.svg").exists()
