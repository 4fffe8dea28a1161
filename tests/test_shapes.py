"""Arithmetic with unknown sizes: it agrees with numbers, and never claims what a number refutes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netcfg.shapes import Quotient, Shape, Size, Symbolic, differ, is_beyond, known, show, to_json, volume

HEIGHT, WIDTH = Symbolic.named("height"), Symbolic.named("width")
NAMES = ("height", "width", "frames")

Expression = Callable[[Mapping[str, Size]], Size]
"""A size as a function of its names: applied to symbols it gives a symbol, to numbers a number."""


def expressions() -> st.SearchStrategy[Expression]:
    constants = st.integers(-9, 9).map(lambda number: lambda names: number)
    named = st.sampled_from(NAMES).map(lambda name: lambda names: names[name])
    return st.recursive(constants | named, _combined, max_leaves=8)


def _combined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def sum_of(one: Expression, other: Expression) -> Expression:
        return lambda names: one(names) + other(names)

    def difference_of(one: Expression, other: Expression) -> Expression:
        return lambda names: one(names) - other(names)

    def product_of(one: Expression, other: Expression) -> Expression:
        return lambda names: one(names) * other(names)

    def quotient_of(one: Expression, divisor: int) -> Expression:
        return lambda names: one(names) // divisor

    return (
        st.builds(sum_of, inner, inner)
        | st.builds(difference_of, inner, inner)
        | st.builds(product_of, inner, inner)
        | st.builds(quotient_of, inner, st.integers(1, 5))
    )


SYMBOLS: dict[str, Size] = {name: Symbolic.named(name) for name in NAMES}
NUMBERS = st.fixed_dictionaries({name: st.integers(1, 60) for name in NAMES})


def value(size: Size, numbers: Mapping[str, int]) -> int:
    """What a symbolic size is for given numbers, worked out from its terms."""
    if isinstance(size, int):
        return size
    total = 0
    for monomial, factor in size.terms:
        for atom in monomial:
            factor *= (
                value(atom.numerator, numbers) // atom.divisor
                if isinstance(atom, Quotient)
                else numbers[atom]
            )
        total += factor
    return total


@settings(max_examples=300, deadline=None)
@given(expressions(), NUMBERS)
def test_symbolic_arithmetic_agrees_with_numbers(expression: Expression, numbers: dict[str, int]) -> None:
    assert value(expression(SYMBOLS), numbers) == expression(numbers)


@settings(max_examples=200, deadline=None)
@given(expressions(), expressions(), NUMBERS)
def test_a_claimed_difference_holds_for_all_numbers(
    one: Expression, other: Expression, numbers: dict[str, int]
) -> None:
    if differ(one(SYMBOLS), other(SYMBOLS)):
        assert one(numbers) != other(numbers)


@settings(max_examples=200, deadline=None)
@given(expressions(), st.integers(-9, 9).filter(bool))
def test_sizes_a_constant_apart_differ(expression: Expression, constant: int) -> None:
    size = expression(SYMBOLS)
    assert differ(size, size + constant)


@settings(max_examples=200, deadline=None)
@given(expressions(), expressions())
def test_sums_and_products_do_not_depend_on_order(one: Expression, other: Expression) -> None:
    first, second = one(SYMBOLS), other(SYMBOLS)
    assert (first + second, first * second) == (second + first, second * first)
    assert hash(first + second) == hash(second + first)


@settings(max_examples=200, deadline=None)
@given(expressions(), NUMBERS)
def test_the_text_of_a_size_computes_it(expression: Expression, numbers: dict[str, int]) -> None:
    text = str(expression(SYMBOLS))
    assert eval(text, {"__builtins__": {}}, dict(numbers)) == expression(numbers)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(0, 3)), max_size=5),
    st.integers(1, 400),
)
def test_a_chain_of_windows_agrees_with_numbers(chain: list[tuple[int, int, int]], height: int) -> None:
    def chained(size: Size) -> Size:
        for kernel, stride, pad in chain:
            size = (size + 2 * pad - kernel) // stride + 1
        return size

    assert value(chained(HEIGHT), {"height": height}) == chained(height)


def test_halving_what_was_doubled_gives_it_back() -> None:
    assert (HEIGHT * 2) // 2 == HEIGHT
    assert (HEIGHT * 2 + 1) // 2 == HEIGHT


def test_doubling_what_was_halved_may_lose_a_pixel() -> None:
    assert HEIGHT // 2 * 2 != HEIGHT
    assert not differ(HEIGHT // 2 * 2, HEIGHT)


def test_a_difference_that_some_height_mends_is_not_claimed() -> None:
    assert not differ(HEIGHT, 2 * HEIGHT - 8)
    assert not differ(HEIGHT, WIDTH)
    assert not differ(HEIGHT, 7)


def test_unknowns_that_cancel_become_a_number() -> None:
    assert HEIGHT - HEIGHT == 0
    assert isinstance(HEIGHT * 3 - HEIGHT * 2 - HEIGHT + 4, int)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (HEIGHT, "height"),
        (HEIGHT + 1, "height + 1"),
        (HEIGHT - 1, "height - 1"),
        (-HEIGHT, "-height"),
        (2 * HEIGHT, "2*height"),
        ((HEIGHT + 1) // 2, "(height + 1)//2"),
        (WIDTH * HEIGHT, "height*width"),
        (((HEIGHT + 1) // 2 + 1) // 2, "(height + 3)//4"),
        ((2 * (HEIGHT // 3) + 1) // 5, "(2*((height)//3) + 1)//5"),
        (3 * (HEIGHT // 2), "3*((height)//2)"),
    ],
)
def test_a_size_reads_as_a_person_would_write_it(size: Size, text: str) -> None:
    assert str(size) == text


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ((3, 8, 8), "3×8×8"),
        ((512,), "512"),
        ((3, HEIGHT, WIDTH), "3×height×width"),
        ((3, HEIGHT + 1, 4), "3×(height + 1)×4"),
    ],
)
def test_a_shape_reads_as_a_product(shape: Shape, text: str) -> None:
    assert show(shape) == text


def test_volume_is_the_product_of_all_sizes() -> None:
    assert volume((3, 4, 5)) == 60
    assert volume((3, HEIGHT, HEIGHT)) == 3 * HEIGHT * HEIGHT


def test_only_numbers_are_known() -> None:
    assert known((3, 8, 8))
    assert not known((3, HEIGHT, 8))


def test_a_shape_as_data_holds_numbers_and_text() -> None:
    assert to_json((3, HEIGHT // 2, 8)) == [3, "(height)//2", 8]


def deep(layers: int) -> Size:
    """A height after so many layers that halve it, and so many that cannot be joined with the one before."""
    size: Size = HEIGHT
    for _ in range(layers):
        size = (2 * ((size - 1) // 2 + 1) + 1) // 3
    return size


@pytest.mark.slow
def test_a_size_of_many_layers_is_compared_hashed_and_shown_without_walking_them() -> None:
    assert deep(5_000) == deep(5_000)
    assert hash(deep(5_000)) == hash(deep(5_000))
    assert deep(5_000) != deep(4_999)
    assert differ(deep(5_000), deep(5_000) + 1)
    assert len(str(deep(5_000))) < 1_000


def test_halvings_in_a_row_are_one_quotient() -> None:
    size: Size = HEIGHT
    for _ in range(40):
        size = (size - 1) // 2 + 1
    assert str(size) == f"(height + {2**40 - 1})//{2**40}"


def test_a_copied_size_is_the_same_size() -> None:
    assert pickle.loads(pickle.dumps(HEIGHT // 2)) is HEIGHT // 2
    assert copy.deepcopy(HEIGHT // 2) is HEIGHT // 2


@pytest.mark.parametrize(
    ("shape", "beyond"),
    [
        ((3, 100, 100), False),
        ((3, 101, 100), True),
        ((3, HEIGHT, WIDTH), False),
        ((3, 30_001 * HEIGHT, WIDTH), True),
        ((sum((Symbolic.named(f"h{i}") for i in range(1_001)), 0),), True),
    ],
    ids=["few", "many", "unknown", "a factor", "a long sum"],
)
def test_a_shape_is_beyond_a_limit(shape: Shape, beyond: bool) -> None:
    assert is_beyond(shape, 30_000) == beyond
