"""The keys that every block has: their page, the line that points there, and what is meant by a word near one."""

from __future__ import annotations

import pytest

from netcfg.blocks.network.net import Input
from netcfg.blocks.network.resizing import Crop
from netcfg.cli.main import main
from netcfg.compile import check
from netcfg.keys import keys
from netcfg.passes.structure import STRUCTURE
from netcfg.reference import page_text, reference_markdown


def test_every_key_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(keys()) == STRUCTURE
    assert main(["blocks", "copies"]) == 0
    page = capsys.readouterr().out
    assert all(f"\n{key} " in page for key in STRUCTURE)
    assert all(f"| `{key}` |" in reference_markdown() for key in STRUCTURE)


def test_a_blocks_page_points_there() -> None:
    assert "`netcfg blocks copies`" in page_text(Crop)
    assert "`netcfg blocks copies`" not in page_text(Input)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("copy", "copies"), ("condition", "if"), ("iff", "if"), ("joins", "join"), ("row", "rows")],
)
def test_a_word_near_a_key_is_told(written: str, meant: str) -> None:
    template = "{Define t}\n[identity]\n"
    for block in ("[identity]", "[t]"):
        findings = check(template + f"{{N}}\n[net]\nchannels = 3\n{block}\n{written} = 2\n")[1]
        assert [finding.help for finding in findings] == [f"did you mean `{meant}`?"]
