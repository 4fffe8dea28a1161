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
    ],
)
def test_a_line_of_another_language_says_how_it_is_written_here(text: str, help: str) -> None:
    assert help in (netcfg.check(text)[1][0].help or "")
