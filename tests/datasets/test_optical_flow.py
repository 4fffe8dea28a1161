"""Optical flow: its direction, and its encoding against numbers of the AUNets system."""

import json
import zlib
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from netcfg.blocks.flow_choices import FlowMethod
from netcfg.datasets.flow.encoding import METHODS, check_method, dense_flow, encode_flow, picture_of
from netcfg.source import NetcfgError

PLAIN = ("dis", "dis_fast", "dis_ultrafast", "farneback")
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "aunets_flow_encoding.json").read_text())


def ruled(name: str, count: int) -> np.ndarray:
    """Numbers in [-1, 1) that depend on a name only."""
    mask = 0xFFFFFFFF
    values = []
    for index in range(count):
        x = (index * 0x9E3779B1 + zlib.crc32(name.encode())) & mask
        x ^= x >> 16
        x = (x * 0x7FEB352D) & mask
        x ^= x >> 15
        x = (x * 0x846CA68B) & mask
        x ^= x >> 16
        values.append(x / 2**31 - 1)
    return np.array(values)


def golden_flow() -> np.ndarray:
    u = (3 * ruled("flow.u", 30)).astype(np.float32).reshape(6, 5)
    v = (2 * ruled("flow.v", 30)).astype(np.float32).reshape(6, 5)
    return np.stack([u, v], -1)


def test_ruled_numbers_are_the_published_ones() -> None:
    expected = [0.4620026806, 0.3378319056, 0.1224755337, 0.4730016533]
    np.testing.assert_allclose(ruled("probe", 4), expected, atol=1e-9)


def test_encoding_agrees_with_golden_values() -> None:
    flow = golden_flow()
    picture = encode_flow(flow)
    assert np.abs(flow).max() == pytest.approx(GOLDEN["max_displacement"], abs=1e-6)
    assert picture[..., 0].tolist() == GOLDEN["red_from_u"]
    assert picture[..., 1].tolist() == GOLDEN["green_from_minus_v"]
    assert not picture[..., 2].any()


def test_small_flow_is_not_stretched() -> None:
    picture = encode_flow((0.1 * golden_flow()).astype(np.float32))
    assert picture[..., 0].tolist() == GOLDEN["small_flow"]["red_from_u"]
    assert picture[..., 1].tolist() == GOLDEN["small_flow"]["green_from_minus_v"]


def test_no_motion_is_127() -> None:
    picture = encode_flow(np.zeros((4, 7, 2), np.float32))
    assert picture.shape == (4, 7, 3)
    assert picture.dtype == np.uint8
    assert (picture == [127, 127, 0]).all()


@pytest.mark.parametrize("method", PLAIN)
def test_flow_points_from_the_first_frame_to_the_second(method: str) -> None:
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 255, (24, 24, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    moved = np.roll(texture, (-2, 3), axis=(0, 1))  # 2 pixels up, 3 to the right
    flow = dense_flow(texture, moved, method)
    assert flow.shape == (96, 96, 2)
    assert flow.dtype == np.float32
    across, down = np.median(flow[16:-16, 16:-16], axis=(0, 1))
    assert across == pytest.approx(3, abs=0.4)
    assert down == pytest.approx(-2, abs=0.4)


def test_motion_right_and_up_is_bright_red_and_bright_green() -> None:
    flow = np.full((2, 2, 2), (3.0, -3.0), np.float32)
    assert (encode_flow(flow) == [255, 255, 0]).all()


def test_unknown_method_is_named() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match="`method` is 'brox'; it must be one of dis, dis_fast"):
        dense_flow(image, image, "brox")


def test_flow_does_not_depend_on_the_sizes_seen_before() -> None:
    rng = np.random.default_rng(0)
    large = [rng.integers(0, 255, (48, 48, 3), np.uint8) for _ in range(2)]
    small = [frame[:16, :16].copy() for frame in large]
    before = dense_flow(*large)
    dense_flow(*small)
    assert np.array_equal(dense_flow(*large), before)


def test_a_fixed_scale_gives_the_same_motion_the_same_colour() -> None:
    slow, fast = (np.full((2, 2, 2), pixels, np.float32) for pixels in (5.0, 100.0))
    assert (
        encode_flow(slow, "fixed", 20.0) == [159, 95, 0]
    ).all()  # trunc(255 * 25 / 40), trunc(255 * 15 / 40)
    assert (encode_flow(fast, "fixed", 20.0) == [255, 0, 0]).all()
    assert (encode_flow(0 * slow, "fixed", 20.0) == [127, 127, 0]).all()


def test_encoding_leaves_the_flow_as_it_was() -> None:
    flow = golden_flow()
    for encoding in ("per_frame", "fixed"):
        encode_flow(flow, encoding)
    assert np.array_equal(flow, golden_flow())


def test_a_picture_can_be_made_of_its_two_channels() -> None:
    picture = encode_flow(golden_flow())
    assert np.array_equal(picture_of(picture[..., 0], picture[..., 1]), picture)


def test_every_method_that_a_file_may_name_is_known() -> None:
    assert set(METHODS) == set(get_args(FlowMethod))


@pytest.mark.skipif(hasattr(cv2, "optflow"), reason="this OpenCV has its extra modules")
@pytest.mark.parametrize("method", sorted(set(METHODS) - set(PLAIN)))
def test_a_method_that_this_opencv_lacks_is_told_with_a_way_out(method: str) -> None:
    with pytest.raises(NetcfgError, match=rf"no flow by `{method}`\nhelp: .*opencv-contrib-python"):
        check_method(method)


def test_frames_too_low_for_dis_are_refused_and_not_read_beyond() -> None:
    low = np.zeros((16, 200, 3), np.uint8)
    with pytest.raises(NetcfgError, match=r"`dis_fast` in frames of 16×200 .*: it needs a height of 32"):
        dense_flow(low, low, "dis_fast")
    with pytest.raises(NetcfgError, match=r"`dis` in frames of 8×8 .*12"):
        dense_flow(low[:8, :8], low[:8, :8], "dis")
    assert dense_flow(low, low, "farneback").shape == (16, 200, 2)
    assert dense_flow(low[:, :16], low[:, :16], "dis_fast").shape == (16, 16, 2)
