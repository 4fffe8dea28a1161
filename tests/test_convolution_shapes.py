"""The compiler's shapes are those of the modules, or both refuse."""

from __future__ import annotations

import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import netcfg

KERNELS = st.integers(1, 8)
STRIDES = st.integers(1, 5)
PADS = st.integers(0, 5)
SIZES = st.integers(1, 33)


def compiled(block: list[str], height: int, width: int) -> tuple[int, ...] | None:
    """The shape the compiler infers, None where it refuses."""
    lines = ["{N}", "[net]", "channels = 2", f"height = {height}", f"width = {width}", *block]
    program, _ = netcfg.check("\n".join(lines))
    return None if program is None else program.networks["N"].nodes[-1].output.shape  # type: ignore[return-value]


def built(block: list[str], height: int, width: int) -> tuple[int, ...] | None:
    """The shape of what the built block gives for a picture, None where it refuses."""
    lines = ["{N}", "[net]", "channels = 2", *block]
    program, findings = netcfg.check("\n".join(lines))
    assert program is not None, findings
    network = netcfg.build(program)["N"].to("meta")
    try:
        shape = tuple(network(torch.zeros(1, 2, height, width, device="meta")).shape[1:])
        return shape if all(shape) else None  # only the meta device makes empty pictures
    except (RuntimeError, ValueError):
        return None


def text(block: str, **options: object) -> list[str]:
    return [f"[{block}]", *(f"{key} = {value}" for key, value in options.items())]


def same(block: list[str], height: int, width: int) -> None:
    assert compiled(block, height, width) == built(block, height, width)


@settings(max_examples=150, deadline=None)
@given(KERNELS, STRIDES, PADS | st.booleans(), SIZES, SIZES)
def test_convolutions_have_the_inferred_shape(
    kernel: int, stride: int, pad: int | bool, height: int, width: int
) -> None:
    same(text("convolutional", filters=3, kernel_size=kernel, stride=stride, pad=pad), height, width)


@settings(max_examples=20, deadline=None)
@given(KERNELS.filter(lambda kernel: kernel % 2 == 1), SIZES, SIZES)
def test_padding_true_keeps_the_size_of_odd_kernels(kernel: int, height: int, width: int) -> None:
    assert compiled(text("convolutional", filters=3, kernel_size=kernel, pad=True), height, width) == (
        3,
        height,
        width,
    )


@settings(max_examples=100, deadline=None)
@given(KERNELS, STRIDES, SIZES, SIZES, st.data())
def test_maxpools_have_the_inferred_shape(
    pool: int, stride: int, height: int, width: int, data: st.DataObject
) -> None:
    pad = data.draw(st.integers(0, pool // 2))
    same(text("maxpool", pool_size=pool, stride=stride, pad=pad), height, width)


@settings(max_examples=40, deadline=None)
@given(KERNELS, PADS)
def test_a_pool_padded_by_more_than_half_is_refused(pool: int, pad: int) -> None:
    refused = compiled(text("maxpool", pool_size=pool, stride=1, pad=pad), 16, 16) is None
    assert refused == (pad > pool // 2)


@settings(max_examples=60, deadline=None)
@given(KERNELS, STRIDES, SIZES, SIZES)
def test_avgpools_have_the_inferred_shape(pool: int, stride: int, height: int, width: int) -> None:
    same(text("avgpool", pool_size=pool, stride=stride), height, width)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0.5, 1.5, 2, 2.5, 3]) | st.integers(10, 300).map(lambda percent: percent / 100),
    st.sampled_from(["nearest", "bilinear", "bicubic", "area"]),
    st.integers(1, 128),
    st.integers(1, 128),
)
@example(0.29, "nearest", 100, 100)  # 0.29 · 100 is 28.999… in floating point
@example(0.57, "area", 100, 100)
def test_upsampling_by_a_factor_has_the_inferred_shape(
    factor: float, mode: str, height: int, width: int
) -> None:
    same(text("upsample", scale_factor=factor, mode=mode), height, width)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20), st.integers(1, 20), st.sampled_from(["nearest", "bilinear", "bicubic", "area"]), SIZES
)
def test_upsampling_to_a_size_has_the_inferred_shape(height: int, width: int, mode: str, size: int) -> None:
    same(text("upsample", output_sizes=f"{height}, {width}", mode=mode), size, size)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(KERNELS, STRIDES, PADS), min_size=1, max_size=4), st.integers(8, 64))
def test_chains_inferred_without_a_size_hold_for_every_size(
    chain: list[tuple[int, int, int]], size: int
) -> None:
    block = [
        line
        for kernel, stride, pad in chain
        for line in text("convolutional", filters=2, kernel_size=kernel, stride=stride, pad=pad)
    ]
    same(block, size, size)
