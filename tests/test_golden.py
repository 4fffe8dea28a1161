"""Numeric parity with the published systems, by the rules in `golden_rules`."""

from __future__ import annotations

import pytest
import torch
from golden_rules import assert_record, fill, golden, two_scale, uniform

import netcfg
from netcfg.passes.read import shipped_folder


def test_the_generator_meets_its_test_vectors() -> None:
    assert uniform("probe", 4) == pytest.approx(
        [0.4620026806, 0.3378319056, 0.1224755337, 0.4730016533], abs=1e-10
    )
    picture = two_scale("input.rgb", (1, 3, 224, 224))
    assert picture.flatten()[:3].tolist() == pytest.approx([0.1701144, 0.0038547532, 0.2187259], abs=1e-7)
    assert picture.double().mean().item() == pytest.approx(0.028404663, abs=1e-9)


# --- AUDetNet

BLOCKS = golden("audetnet_blocks")
OVERWRITES = "multiply_overwrites_first_operand"  # the original's bug; the README's rule is tested below
IGNORES = {  # only in files of the original's format, below: a unit, a line of such a file and what takes its place
    "connected_tanh_is_ignored": ("activation = linear", "activation = tanh"),
    "conv_unknown_activation": ("activation = leaky_relu", "activation = not_implemented"),
}


def audetnet_network(lines: list[str], channels: int) -> str:
    return "\n".join(["{N}", "[net]", f"channels = {channels}", "learning_rate = 0.001", *lines])


def original_audetnet_name(key: str) -> str:
    """Our key under AUDetNet's numbering: a convolution is item 0 of its layer, its normalisation item 1."""
    index, _, rest = key.partition(".")
    if rest.startswith("batch_norm."):
        return f"layers.{index}.1.{rest.removeprefix('batch_norm.')}"
    return f"layers.{index}.0.{rest}"


@pytest.mark.parametrize("unit", [unit for unit in BLOCKS["units"] if unit not in (OVERWRITES, *IGNORES)])
def test_audetnet_blocks_reproduce_the_original(unit: str) -> None:
    expected = BLOCKS["units"][unit]
    # What the original does not know acts as none; only its own files may say so, as the next test does.
    cfg = [line.replace("not_implemented", "None") for line in expected["cfg"]]
    network = netcfg.build(netcfg.load(audetnet_network(cfg, 6)))["N"].eval()
    keys = {key for key, _ in expected["keys"]}
    state = network.state_dict()
    bare = {key: key for key in keys if key.count(".") == 2}

    def original(key: str) -> str:
        plain = f"layers.{key}"
        return plain if plain in bare else original_audetnet_name(key)

    assert {original(key) for key in state} == keys
    with torch.no_grad():
        fill(state, original, BLOCKS["gain"])
        assert_record(network(two_scale("input.block", (2, 6, 8, 8))), expected["record"])


@pytest.mark.parametrize("unit", IGNORES)
def test_a_file_of_the_original_applies_no_activation_that_the_original_does_not_know(unit: str) -> None:
    known, unknown = IGNORES[unit]
    text = (shipped_folder() / "audetnet.cfg").read_text().replace(known, unknown, 1)
    program, findings = netcfg.check(text)
    assert [(finding.code, finding.severity) for finding in findings] == [("NC114", "warning")]
    assert program is not None
    applied = [node.block.options().get("activation") for node in program.networks["Encoder"].blocks]
    assert unknown.rpartition(" ")[2] not in applied
    expected = BLOCKS["units"][unit]
    cfg = ["activation = None" if line.startswith("activation") else line for line in expected["cfg"]]
    network = netcfg.build(netcfg.load(audetnet_network(cfg, 6)))["N"].eval()
    fill(network.state_dict(), original_audetnet_name, BLOCKS["gain"])
    with torch.no_grad():
        assert_record(network(two_scale("input.block", (2, 6, 8, 8))), expected["record"])


def test_a_product_leaves_its_factors_as_they_are() -> None:
    """The unit routes back to the first factor, which the original has overwritten with the product by then."""
    lines = BLOCKS["units"][OVERWRITES]["cfg"]
    first_block = lines[: lines.index("[convolutional]", 1)]
    picture = two_scale("input.block", (2, 6, 8, 8))
    results = []
    for cfg in (lines, first_block):
        network = netcfg.build(netcfg.load(audetnet_network(cfg, 6)))["N"].eval()
        fill(network.state_dict(), original_audetnet_name, BLOCKS["gain"])
        results.append(network(picture))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    with pytest.raises(AssertionError):
        assert_record(results[0], BLOCKS["units"][OVERWRITES]["record"])


STEMS = golden("audetnet_stems")
STEM_TAPS = {
    "resnet50": {"layers.0.0": "0", "layers.0.4": "4", "layers.0.5": "5"},
    "vgg_face": {"layers.0.pool1": "pool1", "layers.0.pool5": "pool5"},
}


@pytest.mark.parametrize("stem", ["resnet50", "vgg_face"])
def test_audetnet_stems_reproduce_the_original(stem: str) -> None:
    expected = STEMS[stem]
    program = netcfg.load(audetnet_network(expected["cfg"], 3))
    network = netcfg.build(program)["N"].eval()

    def original(key: str) -> str:
        return f"layers.{key}" if key.startswith("0.") else original_audetnet_name(key)

    taps = {}
    for name, inner in STEM_TAPS[stem].items():
        module = network.get_submodule(f"0.{inner}")
        module.register_forward_hook(lambda _m, _i, out, name=name: taps.update({name: out.clone()}))
    with torch.no_grad():
        fill(network.state_dict(), original, expected["gain"])
        taps["output"] = network(two_scale("input.norm64", (1, 3, 64, 64)))
    for name, record in expected["records"].items():
        assert_record(taps[name], record)
    frozen = {original(key) for key, value in network.named_parameters() if not value.requires_grad}
    assert frozen == set(expected["frozen"])
    counted = sum(value.numel() for value in network.parameters() if value.requires_grad)
    assert program.networks["N"].trainable == counted


def test_resnet50_has_the_published_parameters() -> None:
    published = golden("audetnet_resnet50_block_end8")
    cfg = ["[resnet50]", "end_at_layer = 8", "n_out_filters = 2048"]
    program = netcfg.load(audetnet_network(cfg, 3))
    with torch.device("meta"):
        state = netcfg.build(program)["N"].state_dict()
    assert [[f"layers.{key}", list(value.shape)] for key, value in state.items()] == [
        row[:2] for row in published["keys"]
    ]
    assert program.networks["N"].parameters == published["n_params"]
