"""Matching two lists: `netcfg.compare.align` and the edits below it."""

from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netcfg.compare import align as alignment
from netcfg.compare.align import Item, align
from netcfg.compare.edits import common

LETTERS = st.lists(st.integers(0, 3), max_size=12)


def items(text):
    """An item for each letter; `x!` has the name x."""
    return [Item(word[1:], word[0], frozenset()) for word in text.split()]


def longest(first, second):
    """The length of the longest common part, by the textbook."""
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for row, here in enumerate(first):
        for column, there in enumerate(second):
            table[row + 1][column + 1] = (
                table[row][column] + 1
                if here == there
                else max(table[row][column + 1], table[row + 1][column])
            )
    return table[-1][-1]


@given(LETTERS, LETTERS)
def test_as_much_as_can_stay_stays(first, second):
    kept = common(first, second)
    assert len(kept) == longest(first, second)
    assert all(first[here] == second[there] for here, there in kept)
    assert all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(kept))


def test_too_many_edits_are_not_tried():
    assert common(list(range(500)), list(range(500, 1000))) is None


@given(LETTERS, LETTERS)
def test_the_same_pairs_whichever_list_comes_first(first, second):
    one, other = ([Item("", letter, frozenset()) for letter in letters] for letters in (first, second))
    assert align(one, other) == sorted((here, there) for there, here in align(other, one))


@given(LETTERS, LETTERS)
@example([0, 1, 1, 1, 1], [1, 1, 1, 1, 0])
def test_long_stretches_are_matched_no_worse_than_by_order(first, second):
    one, other = ([Item("", letter, frozenset()) for letter in letters] for letters in (first, second))
    before, alignment.LARGEST_TABLE = alignment.LARGEST_TABLE, 0
    try:
        pairs = align(one, other)
    finally:
        alignment.LARGEST_TABLE = before
    matched = sum(
        block.size for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    )
    assert all(first[here] == second[there] for here, there in pairs)
    assert len(pairs) >= matched


@pytest.mark.parametrize("largest_table", [0, alignment.LARGEST_TABLE])
def test_one_that_has_moved_does_not_hold_up_those_it_has_passed(monkeypatch, largest_table):
    monkeypatch.setattr(alignment, "LARGEST_TABLE", largest_table)
    pairs = align(items("p c c c c"), items("c c c c p"))
    assert pairs == [(0, 4), (1, 0), (2, 1), (3, 2), (4, 3)]


def test_names_come_before_places():
    assert align(items("ax by az"), items("az ax by")) == [(0, 1), (1, 2), (2, 0)]


def test_different_names_need_the_same_traits():
    one = [Item("a", "conv", frozenset({1}))]
    assert align(one, [Item("b", "conv", frozenset({1}))]) == [(0, 0)]
    assert align(one, [Item("b", "conv", frozenset({2}))]) == []


def test_of_several_alike_the_one_in_the_same_surroundings_is_meant():
    first = [Item("", "conv", frozenset(), size) for size in (56, 28, 14)]
    second = [Item("", "conv", frozenset(), size) for size in (28, 14)]
    assert align(first, second) == [(1, 0), (2, 1)]


def test_what_shares_most_traits_is_matched():
    first = [Item("", "conv", frozenset({1, 2, 3}))]
    second = [Item("", "conv", frozenset({7, 8, 9})), Item("", "conv", frozenset({1, 2, 9}))]
    assert align(first, second) == [(0, 1)]


def test_where_weights_come_from_says_which_it_was_before_names_and_likeness():
    first = [
        Item("", "conv", frozenset({1}), origin="body.0"),
        Item("", "conv", frozenset({2}), origin="body.1"),
    ]
    second = [
        Item("stem", "conv", frozenset({2}), origin="body.0", asked=True),
        Item("", "conv", frozenset({1}), origin="1"),
    ]
    assert (0, 0) in align(first, second)
    assert (0, 0) in align(second, first)


def test_an_origin_that_nobody_wrote_down_says_nothing():
    first = [Item("", "conv", frozenset({1}), origin="0"), Item("", "relu", frozenset(), origin="1")]
    second = [Item("", "relu", frozenset(), origin="0"), Item("", "conv", frozenset({1}), origin="1")]
    assert (0, 0) not in align(first, second)
