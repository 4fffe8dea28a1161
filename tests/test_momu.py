"""MOMU: the original's lists under its golden draw, and what they are for."""

import numpy as np
import pytest
from golden_rules import golden, uniform

import netcfg
from netcfg.blocks.samplers.momu import Momu as Sampling
from netcfg.blocks.sources.synthetic_faces import SyntheticFaces
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.samplers.momu import Momu
from netcfg.program import Data
from netcfg.source import NetcfgError, ProgramError, SourceFile, Span

SPAN = Span(SourceFile("data.cfg", "{Data}"), 1)
GOLDEN = golden("audetnet_momu")


def skewed_labels(frames=3000, seed=0):
    shares = np.array([0.3, 0.1, 0.02])
    return (np.random.default_rng(seed).random((frames, 3)) < shares).astype(np.float32)


def test_the_original_lists_come_back():
    u = uniform("momu.au", 120).reshape(40, 3)
    labels = np.where(u > np.array([0.1, 0.4, 0.55]), 3, np.where(u > 0, 1, 0)).astype(np.float32)
    momu = Momu(labels, 24, 4, active_above=2, draw=lambda left, wanted: left[:wanted])
    for number, epoch in enumerate(GOLDEN["epochs"]):
        assert [f"F{frame:02d}" for frame in momu.epoch(number)] == epoch["ids"]
        assert momu.classes == epoch["class_sequence"]
        assert momu.set_sizes == epoch["set_sizes_after"]


def test_an_epoch_can_be_entered_without_those_before_it():
    labels = skewed_labels()
    unbroken = Momu(labels, 600, 4, seed=3)
    epochs = [unbroken.epoch(number) for number in range(4)]
    np.testing.assert_array_equal(Momu(labels, 600, 4, seed=3).epoch(3), epochs[3])
    np.testing.assert_array_equal(unbroken.epoch(1), epochs[1])
    assert not np.array_equal(epochs[2], epochs[3])


def test_rare_units_are_shown_as_often_as_frequent_ones():
    labels = skewed_labels()
    shown = labels[Momu(labels, 1200, 4).epoch(0)].sum(0)
    assert labels.sum(0).max() / labels.sum(0).min() > 10
    assert shown.max() / shown.min() < 1.2


def test_no_frame_is_drawn_twice_while_its_class_has_others():
    labels = np.zeros((400, 1), np.float32)
    labels[:200] = 1
    frames = np.concatenate([Momu(labels, 200, 4).epoch(0)])
    assert len(set(frames.tolist())) == 200


def test_an_intensity_of_two_fifths_is_not_shown():
    labels = np.array([[2.0], [3.0], [0.0]], np.float32) / np.float32(5)
    assert Momu(labels, 1, 1, active_above=2 / 5).member[:, 0].tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.zeros(10), "no training frame shows AU4\nhelp: leave AU4 out"),
        (np.ones(10), "no training frame shows no action unit"),
        (np.eye(10)[0], "only 1 training frame shows AU4\nhelp: a `sampling_size` of at most 1"),
    ],
)
def test_a_class_without_enough_frames_is_named(column, message):
    with pytest.raises(NetcfgError, match=message):
        Momu(column[:, None].astype(np.float32), 4, 2, names=("AU4",))


def test_a_hundred_thousand_frames_are_no_burden():
    import time

    momu = Momu(skewed_labels(100_000), 20_000, 20)
    start = time.perf_counter()
    momu.epoch(0)
    assert time.perf_counter() - start < 5


def faces(**options):
    return SyntheticFaces(
        subjects=6, clips=2, clip_length=8, image_size=16, action_units=("6", "12"), **options
    )


def pipeline(*transforms, split="train", **options):
    source = faces()
    data = Data(source, transforms, source.fields(), ("labels", "subject"), SPAN)
    return Pipeline(data, split, 4, seed=1, shuffle="epoch", **options)


def test_training_shows_the_epoch_that_momu_chose_and_continues_exactly():
    sampling = Sampling(epoch_size=12, sampling_size=2)
    whole = pipeline(sampling)
    keys = {epoch: list(whole.epoch(epoch)) for epoch in (0, 1)}
    assert whole.samples == 12
    assert len(whole) == 3
    resumed = next(iter(pipeline(sampling).epoch(1, 1)))
    assert resumed.fields["labels"].equal(keys[1][1].fields["labels"])


def test_other_splits_are_whole():
    whole = pipeline(split="validation")
    assert pipeline(Sampling(epoch_size=4, sampling_size=2), split="validation").samples == whole.samples


def test_a_repeated_frame_is_augmented_anew():
    loader = pipeline(Sampling(epoch_size=200, sampling_size=2))
    keys = [key for batch in loader.sampler for key in batch]
    assert len(set(keys)) == 200
    assert len({draw.sample for _, draw, _ in keys}) < 200


def test_momu_stands_once():
    section = Sampling(epoch_size=4, sampling_size=2)
    with pytest.raises(ProgramError, match="written twice"):
        pipeline(section, section)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("epoch_size = 10\nsampling_size = 4", "does not divide the 10 of an epoch.*`epoch_size = 8`"),
        ("epoch_size = 8\nsampling_size = 4\nlabels = label", "balances the labels `label`"),
    ],
)
def test_what_cannot_work_is_found_by_check(options, message):
    text = f"{{Data}}\n[synthetic_faces]\n[momu]\n{options}\n{{N}}\n[net]\nchannels = 3\n[identity]\n"
    with pytest.raises(ProgramError, match=message):
        netcfg.load(text)
