"""Templates of `cfg/blocks/` that stand for a module of PyTorch's: its names, and what it computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

import netcfg
from netcfg.builder.weights import load_pretrained

TRANSFORMER = "{include blocks/transformer.cfg}\n"
ROWS = "{N}\n[net]\n[input]\nname = x\ntokens = 5\nfeatures = 12\n"
MEMORY = "[input]\nname = memory\ntokens = 7\nfeatures = 12\n"
BEFORE = nn.Transformer.generate_square_subsequent_mask(5)


def built(text: str) -> nn.Module:
    return netcfg.build(netcfg.load(text))["N"].eval()


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_a_transformer_layer_is_pytorchs(norm_first: bool, causal: bool) -> None:
    options = f"heads = 3\nhidden = 20\nnorm_first = {norm_first}\ncausal = {causal}\n"
    own = built(TRANSFORMER + ROWS + "[transformer_layer]\nflat = True\n" + options)
    theirs = nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, norm_first=norm_first).eval()
    theirs.load_state_dict(own.state_dict())
    x = torch.randn(2, 5, 12)
    expected = theirs(x, src_mask=BEFORE if causal else None, is_causal=causal)
    torch.testing.assert_close(own(x), expected)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder_layer_is_pytorchs(norm_first: bool) -> None:
    use = "[transformer_decoder_layer]\nflat = True\nfrom = x, memory\nheads = 3\nhidden = 20\nactivation = gelu\n"
    own = built(TRANSFORMER + ROWS + MEMORY + use + f"norm_first = {norm_first}\n")
    theirs = nn.TransformerDecoderLayer(
        12, 3, 20, activation="gelu", batch_first=True, norm_first=norm_first
    ).eval()
    theirs.load_state_dict(own.state_dict())
    x, memory = torch.randn(2, 5, 12), torch.randn(2, 7, 12)
    torch.testing.assert_close(own(x, memory), theirs(x, memory, tgt_mask=BEFORE, tgt_is_causal=True))


def test_dropout_stands_where_pytorch_has_it() -> None:
    program = netcfg.load(TRANSFORMER + ROWS + "[transformer_layer]\nheads = 3\n")
    types = [node.type for node in program.networks["N"].blocks]
    assert types.count("dropout") == 3
    assert program.networks["N"].nodes[1].block.dropout == 0.1  # of the weights of attention


@pytest.mark.parametrize(
    ("shape", "options", "paths"),
    [
        ("channels = 4\nheight = 8\nwidth = 8\n", "", ["conv1", "conv2"]),
        (
            "channels = 4\nheight = 8\nwidth = 8\n",
            "filters = 6\nstride = 2\n",
            ["conv1", "conv2", "shortcut"],
        ),
        (
            "frames = 4\nchannels = 4\nheight = 8\nwidth = 8\n",
            "filters = 6\nkernel_size = 3, 3, 3\nshortcut_kernel = 1, 1, 1\nnormalise = layer\n",
            ["conv1", "conv2", "shortcut"],
        ),
    ],
)
def test_a_residual_block_adds_to_what_it_is_given(shape: str, options: str, paths: list[str]) -> None:
    text = "{include blocks/residual.cfg}\n{N}\n[net]\n[input]\nname = x\n" + shape
    program = netcfg.load(text + "[residual]\nflat = True\n" + options)
    found = [node.path for node in program.networks["N"].blocks if node.type == "convolutional"]
    assert found == paths


def test_a_template_of_a_shipped_file_says_which_file_to_include() -> None:
    (found,) = netcfg.check(ROWS + "[encoder_layer]\nheads = 2\nhidden = 3\n")[1]
    assert found.help == "`{include blocks/transformer.cfg}` has it"
    (found,) = netcfg.check(ROWS + "[TransformerEncoderLayer]\nheads = 2\n")[1]
    assert "`{include blocks/transformer.cfg}`" in (found.help or "")


@pytest.mark.parametrize("name", ["resnet18", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_the_stages_of_a_resnet_are_torchvisions_and_start_from_its_weights(
    name: str, tmp_path: Path
) -> None:
    theirs = getattr(torchvision.models, name)().eval()
    torch.save(theirs.state_dict(), tmp_path / "whole.pth")
    text = "{include blocks/resnets.cfg}\n{N}\n[net]\nchannels = 3\nheight = 64\nwidth = 64\n"
    text += f"[{name}_body]\nname = encoder\nweights = whole.pth\n[output]\nname = deep\n"
    (tmp_path / "own.cfg").write_text(text + "[output]\nname = early\nfrom = encoder.layer2\n")
    program = netcfg.load(tmp_path / "own.cfg")
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        made = networks["N"].eval()(x)
        wanted = theirs(x)
        # Sums in other orders, which kernels of processors take, differ by a share of the largest number.
        apart = (theirs.fc(made["deep"].mean((2, 3))) - wanted).abs().max()
        assert apart <= 1e-5 * wanted.abs().max(), (float(apart), float(wanted.abs().max()))
    assert made["early"].shape[1:] == (theirs.layer3[0].conv1.in_channels, 8, 8)
