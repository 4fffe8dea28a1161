"""The nearest name: what a writer meant, never what only looks alike, and as cheap among many names as among few."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

import netcfg
from netcfg.blocks.registry import sections
from netcfg.spelling import Index, did_you_mean, distance, nearest

BLOCKS = sections("network")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("convolutoinal", "convolutional"),
        ("Convolutional", "convolutional"),
        ("conv", "convolutional"),
        ("batchnorm", "batch_norm"),
        ("batch-norm", "batch_norm"),
        ("norm_batch", "batch_norm"),
        ("max_pool", "maxpool"),
        ("conected", "connected"),
        ("flaten", "flatten"),
        ("combine_ad", "combine_add"),
    ],
)
def test_a_slip_leads_to_what_was_meant(word: str, meant: str) -> None:
    assert nearest(word, BLOCKS) == meant


@pytest.mark.parametrize(
    "word", ["deconvolutional", "unflatten", "dilation", "attention", "x", "zz", "q1", ""]
)
def test_what_only_looks_alike_or_like_nothing_leads_nowhere(word: str) -> None:
    assert nearest(word, ["activation", "convolutional", "flatten", "a", "b", "kernel_size"]) is None


def test_the_closest_of_several_is_taken() -> None:
    assert nearest("rleu", ["elu", "gelu", "relu", "silu"]) == "relu"
    assert nearest("hight", ["weight", "height", "light_source"]) == "height"


def test_a_beginning_of_two_names_is_no_answer() -> None:
    assert nearest("combine_", ["combine_addition", "combine_multiply"]) is None


def test_few_names_are_listed_where_none_is_near() -> None:
    assert did_you_mean("nothing_like_it", ["b", "a"]) == "known here: `a`, `b`"
    assert did_you_mean("nothing_like_it", map(str, range(100))) is None


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xbc", 1), ("kitten", "sitting", 3),
     ("blokc_1", "block_1", 1), ("ab", "xy", 2), ("abcdef", "fedcba", 4)],
)  # fmt: skip
def test_letters_apart(one: str, other: str, apart: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == min(apart, 4)


def test_among_many_names_the_same_is_found() -> None:
    index = Index(f"block_{number:05}" for number in range(8_000))
    assert index.nearest("blokc_07123") == "block_07123"
    assert index.nearest("block_7123") == "block_07123"
    assert index.nearest("blck_00001") == "block_00001"
    assert index.nearest("something_else") is None


def program(count: int, wrong: str) -> str:
    rows = ["{N}", "[net]", "channels = 3", "[identity]", "name = block_00000"]
    for number in range(1, count):
        rows += ["[identity]", f"name = block_{number:05}", f"from = {wrong.format(number)}"]
    return "\n".join(rows) + "\n"


def seconds(text: str) -> float:
    started = time.process_time()
    netcfg.check(text)
    return time.process_time() - started


@pytest.mark.parametrize("wrong", ["blokc_{:05}", "nothing_{:05}"])
def test_wrong_names_cost_as_much_as_right_ones(wrong: str) -> None:
    right = min(seconds(program(4_000, "block_00000")) for _ in range(2))
    assert (
        min(seconds(program(4_000, wrong)) for _ in range(2)) < 6 * right
    )  # at most 3, and room for a busy machine


def kept(mapping: Mapping[str, object]) -> str | None:
    return nearest("firts", mapping)


def test_a_mapping_that_has_grown_is_looked_at_again() -> None:
    names = {"second": 1}
    assert kept(names) is None
    names["first"] = 2
    assert kept(names) == "first"
