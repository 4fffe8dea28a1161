"""What people write who come from YAML, Python, C or another framework leads to how it is written here."""

from __future__ import annotations

import pytest

import netcfg

NET = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
CONVOLUTION = NET + "[convolutional]\nfilters = 4\nkernel_size = 3\n"


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (NET + "[convolutional]\nfilters: 4\nkernel_size = 3\n", "write `filters = 4`"),
        (CONVOLUTION + "// a comment\n", "comments start with `#` or `;`"),
        (
            CONVOLUTION.replace("= 3\n", "= (3, 3)\n", 2).replace("channels = (3, 3)", "channels = 3"),
            "`kernel_size = 3, 3`",
        ),
        (CONVOLUTION + "stride = [2, 2]\n", "`stride = 2, 2`"),
        (CONVOLUTION.replace("filters = 4", "filters = '4'"), "`filters = 4`"),
        ("{Net}\n[net]\ninput_shape = 3, 8, 8\n[flatten]\n", "`channels`, `height` and `width`"),
        (CONVOLUTION + "batch_normalise = on\n", "write `batch_normalise = True`"),
        (CONVOLUTION.replace("filters = 4", "filters = 4  // four"), "write `filters = 4`"),
        (CONVOLUTION.replace("filters = 4", "filters = 4;"), "write `filters = 4`"),
        (CONVOLUTION.replace("filters = 4", "filters == 4"), "write `filters = 4`"),
        (CONVOLUTION.replace("height = 8", "height = 8 px"), "write `height = 8`"),
        (CONVOLUTION + "stride = 2 2\n", "write `stride = 2, 2`"),
        (CONVOLUTION.replace("4\nkernel", "4, kernel"), "`kernel_size = 3` on a line of its own"),
        (CONVOLUTION.replace("[convolutional]", "[[convolutional]]"), "write `[convolutional]`"),
        (CONVOLUTION.replace("[convolutional]", "[net.convolutional]"), "did you mean `convolutional`?"),
        (CONVOLUTION.replace("[net]\n", ""), "open a block before it: `[net]`"),
        ("{Data}\n[synthetic_faces]\naction_units = [6, 12]\n" + CONVOLUTION, "`action_units = 6, 12`"),
        (CONVOLUTION.replace("{Net}", "{Data}\n[synthetic_faces]"), "write `{Name}` above [net]"),
        (
            NET.replace("{Net}", "{Net}:")
            + "{Loss}\n[mean]\ninput = Net\n{Optimizer}\n[sgd]\nnetworks = Net\nminimise = mean\n",
            "write `{Net}`",
        ),
    ],
)
def test_a_line_of_another_language_says_how_it_is_written_here(text: str, help: str) -> None:
    findings = netcfg.check(text)[1]
    assert len(findings) == 1
    assert help in (findings[0].help or "")


def test_a_map_before_labels_is_one_mistake_of_loss_and_metric() -> None:
    data = "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = 6, 12\n"
    judged = "{Loss}\n[bce_with_logits]\ninput = Net\ntarget = labels\n{Metric}\n[f1]\ninput = Net\ntarget = labels\n"
    (finding,) = netcfg.check(data + NET.replace("8", "16") + "[connected]\noutput_features = 2\n" + judged)[
        1
    ]
    assert finding.code == "NC402"
    assert finding.help == "put a [flatten] before the last block, and let it give 2 features"


def test_a_long_run_of_blanks_in_a_value_is_gone_through_once() -> None:
    text = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[convolutional]\nkernel_size = 3\nfilters = "
    (finding,) = netcfg.check(f"{text}a{' ' * 300_000}b\n")[
        1
    ]  # once for each of its places would take an hour
    assert finding.code == "NC105"
