"""The receptive field that a summary promises is what a built network sees."""

from fractions import Fraction

import pytest
import torch

import netcfg
from netcfg.summary.receptive import receptive_fields

SIDE = 64
NET = "{{N}}\n[net]\nchannels = {}\nheight = 64\nwidth = 64\n"


def conv(kernel, stride=1, pad=0):
    return f"[convolutional]\nfilters = 2\nkernel_size = {kernel}\nstride = {stride}\npad = {pad}\n"


PROGRAMS = {
    "one": conv(3),
    "stack": conv(3) + conv(3, 2) + conv(5),
    "stem": conv(7, 2, 3) + "[maxpool]\npool_size = 3\nstride = 2\npad = 1\n" + conv(3, 1, 1),
    "even": conv(4, 2, 1) + conv(4, 2, 1),
    "mean": conv(3, 1, 1) + "[avgpool]\npool_size = 2\nstride = 2\n" + conv(1),
    "pointwise": conv(3, 1, 1) + "[batch_norm]\n[activation]\nactivation = tanh\n[dropout]\n" + conv(3),
    "residual": conv(3, 2, 1) + conv(3, 1, 1) + conv(3, 1, 1) + "[combine_add]\ncombine_layers = -1, 0\n",
    "unequal branches": conv(1) + conv(5, 1, 2) + "[combine_concat]\ncombine_layers = -1, 0\n" + conv(3),
    "nearest": conv(3, 2, 1) + "[upsample]\nscale_factor = 2\n" + conv(3, 1, 1),
    "backbone": "[resnet50]\nend_at_layer = 5\nn_out_filters = 256\nweights = None\n",
}


def seen_by_the_middle(network, channels):
    """The first and last column of the input that a place in the middle of the output depends on, and that place."""
    image = torch.rand(1, channels, SIDE, SIDE)
    with torch.no_grad():
        place = network(image).shape[-1] // 2
        found = []
        for column in range(SIDE):
            spoilt = image.clone()
            spoilt[..., column] = float("nan")
            if network(spoilt)[0, :, place, place].isnan().any():
                found.append(column)
    return min(found), max(found), place


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_place_sees_what_is_said(name):
    channels = 3 if name == "backbone" else 1
    program = netcfg.load(NET.format(channels) + PROGRAMS[name])
    network = netcfg.build(program)["N"].eval()
    first, last, place = seen_by_the_middle(network, channels)
    seen = receptive_fields(program.networks["N"])[-1]
    start = seen.start + place * seen.stride
    if name == "nearest":  # there, squares differ by a pixel, and the largest is stated
        assert abs(start - first) <= 1
        assert last - first + 1 in (seen.size - 1, seen.size)
    else:
        assert (first, last) == (start, start + seen.size - 1)


def fields(text):
    return receptive_fields(netcfg.load(text).networks["N"])


def test_resnet50_sees_427_pixels():
    # 11 after the pool, and 2·stride for each 3×3: 3 of 4; 1 of 4, 3 of 8; 1 of 8, 5 of 16; 1 of 16, 2 of 32.
    (_, seen) = fields(NET.format(3) + "[resnet50]\nend_at_layer = 8\nn_out_filters = 2048\nweights = None\n")
    assert (seen.size, seen.stride) == (427, 32)


def test_vgg16_sees_212_pixels():
    (_, seen) = fields(NET.format(3) + "[vgg-face]\nstate_dict_filepath = a.pth\n")
    assert (seen.size, seen.stride) == (212, 32)


def test_upsampling_halves_the_step():
    *_, seen = fields(NET.format(1) + conv(3, 2, 1) + "[upsample]\nscale_factor = 4\n")
    assert seen.stride == Fraction(1, 2)


@pytest.mark.parametrize(
    "block",
    [
        "[flatten]\n",
        "[global_avgpool]\n",
        "[upsample]\nscale_factor = 1.5\n",
        "[select_subset]\norigin_layer = -1\ndimension = 2\nstart_index = 0\nend_index = 9\n",
    ],
)
def test_where_places_do_not_correspond_nothing_is_said(block):
    assert fields(NET.format(1) + conv(3) + block)[-1] is None


def test_images_side_by_side_are_seen_as_one():
    net = "{N}\n[net]\n" + "".join(
        f"[input]\nname = {n}\nchannels = 1\nheight = 8\nwidth = 8\n" for n in "ab"
    )
    *_, seen = fields(net + "[flow_fusion]\ncombine_layers = a, b\nmode = horizontal\n" + conv(3))
    assert (seen.size, seen.stride) == (3, 1)
