"""Words of other frameworks lead to what means the same here, or to a sentence; never to what only looks alike."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.blocks.network.activation import WORDS
from netcfg.blocks.registry import GROUPS, sections
from netcfg.passes.structure import STRUCTURE
from netcfg.source import Finding
from netcfg.vocabulary import _TABLE, meant

NETWORK = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"


def only(text: str) -> Finding:
    (finding,) = netcfg.check(text)[1]
    return finding


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("conv2d", "did you mean `convolutional`?"),
        ("Conv2d", "did you mean `convolutional`?"),
        ("nn.Linear", "did you mean `connected`?"),
        ("dense", "did you mean `connected`?"),
        ("bn", "did you mean `batch_norm`?"),
        ("gap", "did you mean `global_avgpool`?"),
        ("upsampling2d", "did you mean `upsample`?"),
        ("concat", "did you mean `combine_concat`?"),
        ("swish", "write `[activation]` with `activation = silu`"),
        ("vgg16", "VGG-16 is two templates: `{include blocks/vgg16.cfg}`"),
    ],
)
def test_a_block_of_another_framework_is_known(word: str, help: str) -> None:
    finding = only(NETWORK + f"[{word}]\n")
    assert finding.code == "NC102"
    assert (finding.help or "").startswith(help)


@pytest.mark.parametrize(
    ("block", "option", "help"),
    [
        ("convolutional", "out_channels", "did you mean `filters`?"),
        ("convolutional", "padding", "did you mean `pad`?"),
        ("convolutional", "in_channels", "leave it out"),
        ("connected", "units", "did you mean `output_features`?"),
        ("upsample", "stride", "did you mean `scale_factor`?"),
        ("dropout", "p", "did you mean `probability`?"),
    ],
)
def test_an_option_of_another_framework_is_known(block: str, option: str, help: str) -> None:
    (finding, *_) = [
        found for found in netcfg.check(NETWORK + f"[{block}]\n{option} = 1\n")[1] if found.code == "NC103"
    ]
    assert (finding.help or "").startswith(help)


@pytest.mark.parametrize(
    ("group", "option", "help"),
    [
        ("{General}\n[training]\n", "early_stopping", "did you mean `patience`?"),
        ("{General}\n[training]\n", "random_state", "did you mean `seed`?"),
        ("{General}\n[training]\n", "amp", "did you mean `precision`?"),
        ("{General}\n[training]\n", "device", "the machine is said when one trains"),
        ("{General}\n[training]\n", "log_every_n_steps", "said when one trains"),
        ("{Data}\n[synthetic_faces]\n", "img_size", "did you mean `image_size`?"),
        ("{Data}\n[image_folder]\n", "val_split", "did you mean `validation_share`?"),
        ("{Data}\n[image_folder]\n", "data_dir", "did you mean `path`?"),
        ("{Optimizer}\n[adam]\nnetworks = N\n", "gradient_clip_val", "did you mean `clip_grad_norm`?"),
    ],
)
def test_what_a_loop_of_another_framework_is_told_is_known(group: str, option: str, help: str) -> None:
    text = f"{group}{option} = 1\n{NETWORK}[relu]\n"
    finding = next(
        found for found in netcfg.check(text)[1] if found.code == "NC103" and f"`{option}`" in found.message
    )
    assert (finding.help or "").startswith(help)


def test_what_only_looks_alike_is_not_suggested() -> None:
    block = "[convolutional]\nfilters = 1\nkernel_size = 1\n"
    assert only(NETWORK + block + "activation = prelu\n").help == "put a [prelu] after the block"
    assert "`linear`" not in (only(NETWORK + "[linear]\n").help or "")


def test_where_nothing_fits_it_says_how_to_write_ones_own() -> None:
    help = only(NETWORK + "[quaternion_mixer]\n").help or ""
    assert 'class Mine(Block, name="mine")' in help
    assert "{include mine.py}" in help


@pytest.mark.parametrize(
    "block", ["convolutional\nfilters = 2\nkernel_size = 1", "connected\noutput_features = 2"]
)
@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("rleu", "did you mean `relu`?"),
        ("hswish", "did you mean `hard_swish`?"),
        ("softmax", "put a [softmax]"),
    ],
)
def test_an_unknown_activation_is_an_error_at_its_value(block: str, word: str, help: str) -> None:
    name, _, options = block.partition("\n")
    finding = only(NETWORK + f"[{name}]\n{options}\nactivation = {word}\n")
    assert (finding.code, finding.severity) == ("NC114", "error")
    assert (finding.help or "").startswith(help)
    assert finding.span is not None
    assert finding.span.column == len("activation = ") + 1


@pytest.mark.parametrize("row", _TABLE, ids=lambda row: row.words.split()[0])
def test_a_row_leads_to_something_that_exists_or_says_what_to_do(row: object) -> None:
    kind, words, here, otherwise = row  # type: ignore[misc]
    if kind == "option":
        known = {key for group in GROUPS for section in sections(group).values() for key in section.readers()}
        known |= STRUCTURE
    else:
        known = {*WORDS, "linear"} if kind == "activation" else set(sections(kind))
    assert otherwise or set(here) & known
    for word in words.split():
        assert word in known or meant(word, kind, known)


def test_an_option_that_stands_elsewhere_is_said_where() -> None:
    (finding,) = netcfg.check("{Net}\n[net]\nframes = 4\nchannels = 3\n")[1]
    assert finding.code == "NC103"
    assert finding.help == (
        "an [input] block below [net] says it, with all other sizes of that input; [net] then has no `channels`"
    )


def test_an_option_like_no_other_is_told_where_all_stand() -> None:
    (finding,) = netcfg.check("{Net}\n[net]\nqzqzqz = 4\nchannels = 3\n")[1]
    assert finding.help == "`netcfg blocks net` lists its options"
