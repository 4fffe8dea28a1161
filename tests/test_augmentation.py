"""Colour jitter and noise: equal in meaning to torchvision's and to the formula, and kept in pairs."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

import netcfg
from netcfg.blocks.sources.synthetic_faces import SyntheticFaces
from netcfg.blocks.transforms.colour import ColorJitter
from netcfg.blocks.transforms.geometry import HorizontalFlip
from netcfg.blocks.transforms.noise import Noise
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms.colour import JitterSample, jittered, noisy
from netcfg.program import Data
from netcfg.source import ProgramError, SourceFile, Span

SPAN = Span(SourceFile("data.cfg", "{Data}"), 1)
PICTURE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
ADJUST = (functional.adjust_brightness, functional.adjust_contrast, functional.adjust_saturation)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
@pytest.mark.parametrize("factors", [[0.6, 1.4, 0.0], [1.5, 0.5, 1.5], [1.0, 1.0, 1.0]])
def test_jitter_is_torchvisions_to_a_few_levels(factors, order):
    expected = torch.from_numpy(PICTURE).permute(2, 0, 1)
    for step in order:
        expected = ADJUST[step](expected, factors[step])
    found = jittered(PICTURE, factors, order).astype(int)
    # each step rounds where torchvision cuts off, and the next one enlarges the difference
    assert np.abs(found - expected.permute(1, 2, 0).numpy().astype(int)).max() <= 4


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize("factor", [0.0, 0.6, 1.5])
def test_each_step_is_torchvisions_to_one_level(step, factor):
    factors = [1.0, 1.0, 1.0]
    factors[step] = factor
    expected = ADJUST[step](torch.from_numpy(PICTURE).permute(2, 0, 1), factor).permute(1, 2, 0).numpy()
    assert np.abs(jittered(PICTURE, factors, [step]).astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("turn", [-0.5, -0.13, 0.0, 0.2, 0.5])
def test_hue_is_torchvisions_to_one_level(turn):
    expected = (
        functional.adjust_hue(torch.from_numpy(PICTURE).permute(2, 0, 1), turn).permute(1, 2, 0).numpy()
    )
    found = jittered(PICTURE, [1.0, 1.0, 1.0, turn], [3])
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1


def test_hue_is_drawn_within_its_range_and_nothing_else_hangs_on_whether_it_is_asked_for():
    red = {"image": np.full((4, 4, 3), (200, 20, 20), np.uint8)}
    same = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0)}
    turning = JitterSample(("image",), 1.0, **same, hue=(1 / 3, 1 / 3))
    np.testing.assert_array_equal(turning(red, np.random.default_rng(0))["image"][0, 0], (20, 200, 20))
    plain, still = (
        JitterSample(("image",), 1.0, (0.5, 1.5), (0.5, 1.5), (0.0, 1.5), **hue)
        for hue in ({}, {"hue": (0.0, 0.0)})
    )
    sample = {"image": PICTURE}
    np.testing.assert_array_equal(*(one(sample, np.random.default_rng(1))["image"] for one in (plain, still)))


def test_factors_of_one_change_nothing():
    np.testing.assert_array_equal(jittered(PICTURE, [1.0, 1.0, 1.0], [0, 1, 2]), PICTURE)


def test_a_clip_is_jittered_frame_by_frame():
    clip = np.stack([PICTURE, 255 - PICTURE])
    found = jittered(clip, [1.2, 0.7, 0.4], [0, 1, 2])
    np.testing.assert_array_equal(found[1], jittered(clip[1], [1.2, 0.7, 0.4], [0, 1, 2]))


@pytest.mark.parametrize("deviation", [0.002, 0.015, 0.3])
def test_noise_has_its_deviation(deviation):
    grey = np.full((256, 256, 3), 128, np.uint8)
    noise = noisy(grey, deviation, np.random.default_rng(0)).astype(float) - 128
    expected = np.rint(255 * deviation * np.random.default_rng(1).standard_normal(2_000_000)).clip(-128, 127)
    assert abs(noise.mean()) < 0.01 * (1 + expected.std())
    assert noise.std() == pytest.approx(expected.std(), rel=0.01)
    assert np.mean(noise == 0) == pytest.approx(np.mean(expected == 0), abs=0.005)


def test_noise_is_clipped_at_black_and_white():
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:32] = 255
    found = noisy(picture, 0.015, np.random.default_rng(0))
    assert found[:32].min() > 200
    assert found[32:].max() < 50


def test_noise_takes_mirrored_pictures_and_clips():
    mirrored = np.stack([PICTURE, PICTURE])[:, :, ::-1]
    found = noisy(mirrored, 0.004, np.random.default_rng(0))
    assert found.shape == mirrored.shape
    assert np.abs(found.astype(int) - mirrored).max() <= 5


def pipeline(*transforms, split="train", used=("image", "noisy_image")):
    source = SyntheticFaces(subjects=6, clips=2, clip_length=4, image_size=32)
    fields = source.fields()
    for transform in transforms:
        fields = transform.fields(fields)
    return Pipeline(Data(source, transforms, fields, used, SPAN), split, 8, seed=5)


ALL = (HorizontalFlip(), ColorJitter(), Noise(amount=0.01))


def test_a_pair_is_mirrored_and_jittered_together():
    batch = next(iter(pipeline(*ALL).epoch()))
    plain = next(iter(pipeline(Noise()).epoch())).fields["image"]
    difference = batch.fields["noisy_image"].int() - batch.fields["image"].int()
    assert not batch.fields["image"].equal(plain)
    assert 0 < difference.abs().max() <= 12
    assert difference.float().mean().abs() < 0.1


def test_without_training_the_copy_is_clean():
    batch = next(iter(pipeline(*ALL, split="validation").epoch()))
    assert batch.fields["noisy_image"].equal(batch.fields["image"])


def test_a_network_may_take_the_copy_alone():
    batch = next(iter(pipeline(*ALL, used=("noisy_image",)).epoch()))
    assert list(batch.fields) == ["noisy_image"]


def test_augmentation_depends_on_seed_epoch_and_sample():
    loader = pipeline(*ALL)
    first, again, later = (next(iter(loader.epoch(epoch))).fields["noisy_image"] for epoch in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(later)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ("[noise]\ninput = imagee", "copies the picture field `imagee`.*\n.*\n.*\n.*did you mean `image`"),
        ("[noise]\noutput = labels", "would overwrite the field `labels`"),
        ("[noise]\nonly = image", "no option `only`"),
        ("[color_jitter]\ncontrast = 1.5, 0.5", "the smallest and the largest factor as `contrast`"),
        ("[color_jitter]\nhue = 0.1", "the smallest and the largest turn as `hue`, and has 0.1"),
        ("[color_jitter]\nhue = -60, 60", "0.5"),
        ("[normalise]\n[noise]", "stands after one that changes whole batches"),
    ],
)
def test_what_cannot_work_is_found_by_check(sections, message):
    text = f"{{Data}}\n[synthetic_faces]\n{sections}\n{{N}}\n[net]\nchannels = 3\n[identity]\n"
    with pytest.raises(ProgramError, match=message):
        netcfg.load(text)
