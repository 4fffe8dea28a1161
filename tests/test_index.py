"""The list of section types, by what they are and by what one wants, lacks none; every page has PyTorch's word."""

from __future__ import annotations

import re

import pytest

from netcfg.blocks.base import Section
from netcfg.blocks.registry import GROUPS, Group, forget, sections
from netcfg.counterparts import COUNTERPARTS
from netcfg.index import FAMILIES, I_WANT_TO, OTHERS, families, index_text
from netcfg.reference import find_section, page_markdown, page_text, reference_markdown, schedules
from netcfg.vocabulary import _TABLE, _folded, _of_classes, meant


def shipped(group: Group) -> dict[str, type[Section]]:
    return {name: kind for name, kind in sections(group).items() if kind.__module__.startswith("netcfg.")}


@pytest.mark.parametrize("group", GROUPS)
def test_every_section_stands_in_one_family_and_under_a_wish(group: Group) -> None:
    found = [
        section.type_name for title, members in families(group) if title != OTHERS for section in members
    ]
    assert sorted(found) == sorted(shipped(group)), "a row of `FAMILIES` is missing"
    wished = {name for task in I_WANT_TO[group] for name in task.names.split()}
    assert set(shipped(group)) <= wished, "a row of `I_WANT_TO` is missing"
    assert all(name in shipped(group) or find_section(name)[0] for name in wished)


def test_families_stand_in_the_order_of_the_table() -> None:
    for group, rows in FAMILIES.items():
        order = [title for title, _ in rows]
        assert [title for title, _ in families(group)] == [
            title for title in order if title in dict(families(group))
        ]
    text = index_text()
    assert (
        text.index("  Convolutions\n")
        < text.index("  Pooling, and an axis less\n")
        < text.index("I want to …")
    )


def test_what_a_file_of_ones_own_adds_stands_last() -> None:
    from netcfg.blocks.base import Block

    class Mine(Block, name="quite_my_own"):
        """Mine."""

    try:
        *_, (title, members) = families("network")
        assert (title, members) == (OTHERS, [Mine])
        assert "PyTorch" not in page_text(Mine)
    finally:
        forget([Mine])


@pytest.mark.parametrize("group", GROUPS)
def test_every_page_says_what_others_call_it(group: Group) -> None:
    for section in [*shipped(group).values(), *(schedules() if group == "optimizer" else ())]:
        said = COUNTERPARTS[group][section.type_name].sentence()
        assert re.match("PyTorch: |Keras: |Neither ", said)
        assert said in page_text(section)
        assert said in page_markdown(section)


def test_the_words_of_classes_are_looked_up_and_stand_in_one_table() -> None:
    known = set(sections("network"))
    assert meant("nn.ConvTranspose2d", "network", known) == "did you mean `deconvolutional`?"
    assert meant("keras.layers.Dense", "network", known) == "did you mean `connected`?"
    assert meant("F.interpolate", "network", known) == "did you mean `upsample`?"
    written = {(row.kind, _folded(word)) for row in _TABLE for word in row.words.split()}
    assert not written & set(_of_classes())


def test_the_reference_has_every_page_once_and_links_to_it() -> None:
    page = reference_markdown()
    for section in shipped("network"):
        assert page.count(f"\n### `[{section}]`\n") == 1
    assert "[`[connected]`](#connected)" in page
