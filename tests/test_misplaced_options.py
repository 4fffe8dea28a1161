"""An option that stands in the wrong section is sent to the right one; what is missing is said whole."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.source import Finding

TRAINING = "`{}` is an option of [training], in {{General}}"
OPTIMIZERS = "`{}` is an option of the blocks of {{Optimizer}}"
NET = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"


def found(text: str) -> list[Finding]:
    return netcfg.check(text)[1]


@pytest.mark.parametrize(
    ("section", "line", "help"),
    [
        ("", "batch_size = 8", TRAINING.format("batch_size")),
        ("", "batch = 8", TRAINING.format("batch_size")),
        ("", "epochs = 8", TRAINING.format("max_epochs")),
        ("", "weight_decay = 8", OPTIMIZERS.format("weight_decay")),
        ("[flatten]\n[connected]\noutput_features = 2\n", "monitor = f1", TRAINING.format("monitor")),
        # Near an option of its own, but an option of another section to the letter.
        ("{Optimizer}\n[adam]\n", "max_epochs = 3", TRAINING.format("max_epochs")),
        # What is its own, or nearly, or by another framework's word, stays so.
        ("[activation]\n", "alpha = 2", "did you mean `slope`?"),
        ("[flatten]\n[connected]\n", "learning_rate = 2", "did you mean `learning_rate_factor`?"),
        ("{Loss}\n[gradient_penalty]\n", "networks = Net", "did you mean `network`?"),
        ("[flatten]\n[connected]\n", "units = 2", "did you mean `output_features`?"),
    ],
)
def test_an_option_of_training_or_optimizers_is_sent_there(section: str, line: str, help: str) -> None:
    (finding,) = [one for one in found(f"{NET}{section}{line}\n") if one.code == "NC103"]
    assert finding.help == help


def test_an_option_is_not_sent_to_the_group_it_stands_in() -> None:
    findings = found(f"{NET}{{General}}\n[training]\nmomentums = 1\n[variables]\n")
    assert [one.help for one in findings if one.code == "NC103"] == [
        "`netcfg blocks training` lists its options"
    ]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("{Optimizer}\n[adam]\n", "write `networks = …` and `minimise = …`"),
        ("{Define pair}\n[parameters]\nfilters\nstride\n[flatten]\n{Net}\n[net]\nchannels = 3\n[pair]\n", ""),
    ],
)
def test_all_that_is_missing_is_said_at_once(text: str, help: str) -> None:
    findings = [one for one in found(text) if one.code == "NC104"]
    assert [one.help for one in findings] == [help or "write `filters = …` and `stride = …`"]


def test_a_block_outside_any_group_is_told_which_groups_there_are() -> None:
    (finding,) = [one for one in found("[training]\nbatch_size = 3\n") if one.code == "NC003"]
    assert "`{Name}`" in (finding.help or "")
    assert "`{General}`" in (finding.help or "")
