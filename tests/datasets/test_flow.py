"""Optical flow: its direction, and its encoding against numbers of the AUNets system."""

import zlib

import numpy as np
import pytest

pytest.importorskip("cv2")

from netcfg.datasets.faces.flow import METHODS, dense_flow, encode_flow

# u = float32(3 * ruled("flow.u", 30)), v = float32(2 * ruled("flow.v", 30)), both (6, 5).
MAX_DISPLACEMENT = 2.9443479
RED = [[191, 239, 3, 105, 140], [128, 240, 113, 28, 248], [21, 117, 12, 192, 43],
       [45, 251, 236, 8, 190], [63, 0, 54, 15, 149], [138, 223, 219, 255, 113]]  # fmt: skip
GREEN = [[71, 104, 84, 57, 119], [133, 138, 154, 138, 124], [88, 86, 126, 99, 164],
         [170, 90, 59, 212, 49], [153, 61, 81, 73, 159], [89, 140, 83, 172, 114]]  # fmt: skip
SMALL_RED = [[146, 160, 91, 120, 131], [127, 160, 123, 98, 163], [96, 124, 93, 146, 102],
             [103, 163, 159, 92, 145], [108, 90, 105, 94, 134], [130, 155, 154, 165, 123]]  # fmt: skip
SMALL_GREEN = [[110, 120, 114, 106, 125], [129, 130, 135, 130, 126], [116, 115, 127, 119, 138],
               [140, 116, 107, 152, 104], [135, 108, 113, 111, 136], [116, 131, 114, 140, 123]]  # fmt: skip


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
    assert np.abs(flow).max() == pytest.approx(MAX_DISPLACEMENT, abs=1e-6)
    assert picture[..., 0].tolist() == RED
    assert picture[..., 1].tolist() == GREEN
    assert not picture[..., 2].any()


def test_small_flow_is_not_stretched() -> None:
    picture = encode_flow((0.1 * golden_flow()).astype(np.float32))
    assert picture[..., 0].tolist() == SMALL_RED
    assert picture[..., 1].tolist() == SMALL_GREEN


def test_no_motion_is_127() -> None:
    picture = encode_flow(np.zeros((4, 7, 2), np.float32))
    assert picture.shape == (4, 7, 3)
    assert picture.dtype == np.uint8
    assert (picture == [127, 127, 0]).all()


@pytest.mark.parametrize("method", METHODS)
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
