"""Blocks that take the size of another signal, and blocks along one, two and three axes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.compile import check

ROW = "[input]\nname = x\ntokens = 9\nfeatures = 4\n"
IMAGE = "[input]\nname = x\nchannels = 4\nheight = 9\nwidth = 8\n"
CLIP = "[input]\nname = x\nframes = 5\nchannels = 4\nheight = 6\nwidth = 8\n"


def run(inputs: str, blocks: str, *values: Tensor) -> Tensor:
    network = netcfg.build(netcfg.load("{N}\n[net]\n" + inputs + blocks))["N"].eval()
    made = network(*values)
    assert isinstance(made, Tensor)
    return made


def codes(text: str) -> list[str]:
    return [finding.code for finding in check("{N}\n[net]\n" + text)[1]]


def turned(x: Tensor) -> Tensor:
    return x.transpose(1, 2)


def test_upsample_goes_along_one_two_and_three_axes() -> None:
    row, image, clip = torch.randn(2, 9, 4), torch.randn(2, 4, 9, 8), torch.randn(2, 5, 4, 6, 8)
    block = "[upsample]\nscale_factor = 2\nmode = linear\nalign_corners = True\n"
    expected = turned(F.interpolate(turned(row), scale_factor=2, mode="linear", align_corners=True))
    torch.testing.assert_close(run(ROW, block, row), expected)
    block = "[upsample]\nscale_factor = 2, 3\nmode = bilinear\n"
    torch.testing.assert_close(
        run(IMAGE, block, image), F.interpolate(image, scale_factor=(2, 3), mode="bilinear")
    )
    block = "[upsample]\noutput_sizes = 10, 7, 9\nmode = trilinear\n"
    expected = turned(F.interpolate(turned(clip), (10, 7, 9), mode="trilinear"))
    torch.testing.assert_close(run(CLIP, block, clip), expected)


@pytest.mark.parametrize(
    ("inputs", "block", "code"),
    [
        (ROW, "[upsample]\nscale_factor = 2\nmode = bilinear\n", "NC301"),
        (CLIP, "[upsample]\nscale_factor = 2\n", "NC301"),
        (CLIP, "[upsample]\noutput_sizes = 8, 8\n", "NC301"),
        (IMAGE, "[upsample]\nscale_factor = 1, 2, 2\n", "NC301"),
        (IMAGE, "[crop]\n", "NC105"),
        (IMAGE, "[pad]\nsizes = 1\nsize_of = x\n", "NC105"),
        (IMAGE, "[softmax]\ndim = features\n", "NC301"),
        (IMAGE, "[constant]\nlike = x\nshape = 3\n", "NC105"),
    ],
)
def test_what_does_not_fit(inputs: str, block: str, code: str) -> None:
    assert codes(inputs + block) == [code]


def test_crop_and_pad_take_the_size_of_another_signal() -> None:
    both = IMAGE + IMAGE.replace("= x", "= y").replace("9", "6").replace("8", "3")
    x, y = torch.randn(2, 4, 9, 8), torch.randn(2, 4, 6, 3)
    assert torch.equal(run(both, "[crop]\nfrom = x\nsize_of = y\n", x, y), x[:, :, 1:7, 2:5])
    assert torch.equal(run(both, "[pad]\nfrom = y\nsize_of = x\n", x, y), F.pad(y, (2, 3, 1, 2)))
    for block in ("[crop]\nfrom = y\nsize_of = x\n", "[pad]\nfrom = x\nsize_of = y\n"):
        findings = check("{N}\n[net]\n" + both + block)[1]
        assert [finding.code for finding in findings] == ["NC302"]
        assert len(findings[0].notes) == 2


def test_sizes_that_only_a_batch_tells_are_taken_from_the_other_signal() -> None:
    both = "[input]\nname = x\nchannels = 2\n[input]\nname = y\nchannels = 2\n"
    x, y = torch.randn(1, 2, 11, 12), torch.randn(1, 2, 8, 7)
    assert run(both, "[crop]\nfrom = x\nsize_of = y\n", x, y).shape == y.shape
    assert run(both, "[pad]\nfrom = y\nsize_of = x\n", x, y).shape == x.shape
    assert run(both, "[upsample]\nfrom = y\nsize_of = x\nmode = bilinear\n", x, y).shape == x.shape


def test_softmax_along_an_axis_by_name() -> None:
    row, image = torch.randn(2, 9, 4), torch.randn(2, 4, 9, 8)
    torch.testing.assert_close(run(ROW, "[softmax]\ndim = tokens\n", row), row.softmax(1))
    torch.testing.assert_close(run(ROW, "[softmax]\ndim = features\n", row), row.softmax(2))
    torch.testing.assert_close(run(IMAGE, "[softmax]\ndim = width\n", image), image.softmax(3))
    torch.testing.assert_close(run(IMAGE, "[softmax]\ndim = -1\n", image), image.softmax(3))


def test_local_response_norm_of_rows_and_clips() -> None:
    norm = nn.LocalResponseNorm(3)
    row, clip = torch.randn(2, 9, 4), torch.randn(2, 5, 4, 6, 8)
    block = "[local_response_norm]\nsize = 3\n"
    torch.testing.assert_close(run(ROW, block, row), turned(norm(turned(row))))
    torch.testing.assert_close(run(CLIP, block, clip), turned(norm(turned(clip))))


@pytest.mark.parametrize("block", ["constant", "parameter"])
def test_constants_and_parameters_like_another_signal(block: str) -> None:
    text = "{N}\n[net]\n" + ROW + f"[{block}]\nname = p\nlike = x\n[combine_add]\ncombine_layers = x, p\n"
    network = netcfg.build(netcfg.load(text))["N"]
    assert [(key, value.shape) for key, value in network.state_dict().items()] == [("p", (9, 4))]
    x = torch.randn(2, 9, 4)
    torch.testing.assert_close(network(x), x + network.state_dict()["p"])


def test_a_parameter_has_a_size_that_is_known() -> None:
    assert codes("[input]\nname = x\nchannels = 2\n[parameter]\nlike = x\n")[0] == "NC303"


@pytest.mark.parametrize(
    ("norm", "count"), [("instance_norm\naffine = True", 4), ("group_norm\ngroups = 2", 4), ("rms_norm", 4)]
)
def test_the_scale_of_a_norm_starts_where_it_is_told(norm: str, count: int) -> None:
    name, _, options = norm.partition("\n")
    text = "{N}\n[net]\n" + IMAGE + f"[{name}]\nname = norm\nstart = 0.5\n{options}\n"
    weight = netcfg.build(netcfg.load(text))["N"].state_dict()["norm.weight"]
    assert weight.tolist() == [0.5] * count
    if name == "group_norm":
        assert codes(IMAGE + f"[{name}]\nstart = 0.5\naffine = False\n{options}\n") == ["NC105"]
