import os
import signal

import numpy as np
import pytest
import torch

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.sources.base import Source
from netcfg.blocks.sources.synthetic_faces import SyntheticFaces
from netcfg.blocks.transforms.colour import Brightness
from netcfg.blocks.transforms.geometry import HorizontalFlip, Resize
from netcfg.blocks.transforms.normalise import Normalise
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.samples.memory import SampleMemory
from netcfg.datasets.transforms.geometry import MIRRORED_POINTS, FlipSample, flip_flow, flip_points
from netcfg.faults import told_of
from netcfg.program import Data
from netcfg.source import NetcfgError, ProgramError, SourceFile, Span

SPAN = Span(SourceFile("data.cfg", "{Data}"), 1)
FIELDS = {
    "image": FieldSpec((3, 12, 16), "image"),
    "flow": FieldSpec((3, 12, 16), "flow"),
    "frames": FieldSpec((2, 3, 12, 16), "image"),
    "labels": FieldSpec((2,), "vector", ("AU6", "AU12")),
    "emotion": FieldSpec((), "class"),
    "landmarks": FieldSpec((68, 2), "landmarks"),
}


class Numbers:
    """Fifteen samples of noise, each its own."""

    def __init__(self, fields, broken=False):
        self.fields = fields
        self.broken = broken

    def __len__(self):
        return 15

    def __getitem__(self, index):
        if self.broken and index == 7:
            raise NetcfgError("sample 7 cannot be read")
        random = np.random.default_rng(index)
        everything = {
            "image": random.integers(0, 256, (12, 16, 3), np.uint8),
            "flow": random.integers(0, 256, (12, 16, 3), np.uint8),
            "frames": random.integers(0, 256, (2, 12, 16, 3), np.uint8),
            "labels": np.array([index % 2, 1], np.float32),
            "emotion": np.asarray(index, np.int64),
            "landmarks": random.uniform(0, 12, (68, 2)).astype(np.float32),
        }
        return {name: everything[name] for name in self.fields}


class NumberSource(Source):
    broken: bool = False

    def fields(self):
        return FIELDS

    def open(self, split, fields):
        return Numbers(tuple(fields), self.broken)


def pipeline(*transforms, used=tuple(FIELDS), split="train", batch_size=4, source=None, **options):
    fields = FIELDS
    for transform in transforms:
        fields = transform.fields(fields)
    data = Data(source or NumberSource(), transforms, fields, tuple(used), SPAN)
    return Pipeline(
        data, split, batch_size, **{"shuffle": "epoch" if split == "train" else "never", **options}
    )


def epoch(pipeline, number=0, skip=0):
    return [batch.fields for batch in pipeline.epoch(number, skip)]


def same(first, second):
    return len(first) == len(second) and all(
        one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
        for one, other in zip(first, second, strict=True)
    )


# --- batches --------------------------------------------------------------------------------------


def test_pictures_travel_as_bytes_channels_first():
    batch = epoch(pipeline())[0]
    assert batch["image"].shape == (4, 3, 12, 16)
    assert batch["image"].dtype == torch.uint8
    assert batch["image"].is_contiguous(memory_format=torch.channels_last)
    assert batch["frames"].shape == (4, 2, 3, 12, 16)
    assert batch["labels"].dtype == torch.float32
    assert batch["emotion"].dtype == torch.int64


def test_only_used_fields_are_made():
    assert list(epoch(pipeline(used=("labels",)))[0]) == ["labels"]


def test_an_epoch_shows_every_sample_once():
    shown = torch.cat([batch["emotion"] for batch in epoch(pipeline())])
    assert sorted(shown.tolist()) == list(range(15))
    assert shown.tolist() != list(range(15))


def test_validation_keeps_the_order_of_the_data():
    shown = torch.cat([batch["emotion"] for batch in epoch(pipeline(split="validation"))])
    assert shown.tolist() == list(range(15))


@pytest.mark.parametrize(("options", "batches", "samples"), [
    ({}, 4, 15), ({"drop_last": True}, 3, 12), ({"limit_batches": 2}, 2, 8), ({"limit_batches": 9}, 4, 15),
])  # fmt: skip
def test_how_many_batches(options, batches, samples):
    made = pipeline(**options)
    assert (len(made), made.samples) == (batches, samples)
    assert len(epoch(made)) == batches


def test_batches_are_the_same_whatever_the_workers():
    flip = HorizontalFlip()
    alone = pipeline(flip)
    for workers in (1, 2):
        helped = pipeline(flip, workers=workers)
        list(helped.prepare(2))
        assert same(epoch(helped, 3), epoch(alone, 3))
        assert same(epoch(helped, 4), epoch(alone, 4))
        helped.close()


def test_batches_depend_on_seed_and_epoch():
    flip = HorizontalFlip()
    assert same(epoch(pipeline(flip), 1), epoch(pipeline(flip), 1))
    assert not same(epoch(pipeline(flip), 1), epoch(pipeline(flip), 2))
    assert not same(epoch(pipeline(flip), 1), epoch(pipeline(flip, seed=1), 1))


def test_one_order_can_serve_all_epochs():
    made = pipeline(shuffle="once")
    assert same(epoch(made, 1), epoch(made, 2))
    assert not same(epoch(made, 1), epoch(pipeline(shuffle="never"), 1))


def test_an_epoch_entered_in_its_middle_is_the_same_from_there():
    made = pipeline(HorizontalFlip())
    assert same(epoch(made, 2, skip=2), epoch(made, 2)[2:])
    assert epoch(made, 2, skip=4) == []


def test_samples_passed_over_are_not_made():
    made = pipeline(remember=False, split="validation", source=NumberSource(broken=True))
    assert len(epoch(made, skip=2)) == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_bad_data_are_told_without_a_traceback(workers):
    made = pipeline(source=NumberSource(broken=True), workers=workers)
    with pytest.raises(NetcfgError) as caught:
        epoch(made)
    made.close()
    assert str(caught.value) == "sample 7 cannot be read"


def test_a_worker_that_is_asked_to_end_goes_on_until_the_trainer_has_finished():
    made = pipeline(workers=1)
    batches = made.epoch()
    first = next(batches)
    os.kill(made._loader._iterator._workers[0].pid, signal.SIGTERM)
    assert first.size + sum(batch.size for batch in batches) == made.samples
    made.close()


def test_a_worker_that_was_killed_is_no_fault_of_the_section_at_work():
    with pytest.raises(RuntimeError, match="killed by signal"), told_of(Normalise(), "forward"):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")


def test_the_networks_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    made = pipeline(workers=1)
    list(made.prepare(1))
    epoch(made)
    made.close()
    assert torch.equal(torch.rand(3), expected)


def test_samples_are_made_beforehand_where_that_saves_time():
    made = pipeline(workers=1)
    made._samples.seconds_per_sample = 0.01
    assert list(made.prepare(1, step_seconds=0.02)) == []
    assert list(made.prepare(1, step_seconds=0.005)) == [15]


def test_a_memory_makes_each_sample_once():
    made = []

    class Counted(Numbers):
        def __getitem__(self, index):
            made.append(index)
            return super().__getitem__(index)

    samples = Counted(("image",))
    memory = SampleMemory(samples, Numbers(("image",))[0])
    for _ in range(2):
        for index in range(len(memory)):
            assert np.array_equal(memory[index]["image"], Numbers(("image",))[index]["image"])
    assert made == list(range(15))


# --- transforms -----------------------------------------------------------------------------------


def finished(made):
    return made.finish(next(iter(made.epoch())))


def test_pictures_reach_a_network_between_zero_and_one():
    made = pipeline()
    raw = epoch(made)[0]["image"]
    assert torch.equal(finished(made)["image"], raw.float() / 255)


def test_normalise_takes_the_mean_and_divides_by_std():
    made = pipeline(Normalise(mean=(0.5, 0.25, 0.0), std=(1.0, 2.0, 4.0)))
    raw = epoch(made)[0]
    expected = (raw["image"] / 255 - torch.tensor([0.5, 0.25, 0.0]).view(3, 1, 1)) / torch.tensor(
        [1.0, 2.0, 4.0]
    ).view(3, 1, 1)
    ready = finished(made)
    assert torch.allclose(ready["image"], expected, atol=1e-6)
    assert ready["frames"].dtype == torch.float32
    assert torch.equal(ready["labels"], raw["labels"])


def test_imagenets_numbers_have_a_name():
    named, written = (
        finished(pipeline(Normalise(mean=mean, std=std), seed=3))["image"]
        for mean, std in (("imagenet", "imagenet"), ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    )
    assert torch.equal(named, written)
    grey = FieldSpec((1, 8, 8), "image")
    with pytest.raises(ShapeError, match="3 numbers in `mean` for the 1 channels"):
        Normalise(mean="imagenet").fields({"image": grey})


def test_normalise_can_be_limited_to_a_field():
    ready = finished(pipeline(Normalise(mean=(2.0,), only=("image",))))
    assert ready["image"].max() < 0
    assert ready["flow"].min() >= 0


def test_a_sample_block_after_a_batch_block_is_refused():
    with pytest.raises(ProgramError, match="NC112.*resize"):
        pipeline(Normalise(), Resize(size=(8,)))


def test_resize_scales_pictures_clips_and_landmarks():
    made = pipeline(Resize(size=(6, 8)), remember=False)
    batch = epoch(made)[0]
    assert batch["image"].shape[-2:] == (6, 8)
    assert batch["frames"].shape == (4, 2, 3, 6, 8)
    corner = np.zeros((68, 2), np.float32)
    resize = Resize(size=(24, 32)).lower(FIELDS)
    assert resize({"landmarks": corner}, None)["landmarks"][0].tolist() == [0.5, 0.5]


def flip(**changes):
    options = {
        "pictures": ("image", "frames"),
        "flows": ("flow",),
        "points": ("landmarks",),
        "size": (12, 16),
    }
    return FlipSample(**{**options, "probability": 1.0, **changes})


def test_a_flip_takes_all_fields_of_a_sample_together():
    sample = Numbers(tuple(FIELDS))[0]
    mirrored = flip()(sample, np.random.default_rng(0))
    assert np.array_equal(mirrored["image"], sample["image"][:, ::-1])
    assert np.array_equal(mirrored["frames"], sample["frames"][:, :, ::-1])
    assert np.array_equal(mirrored["flow"][..., 1:], sample["flow"][:, ::-1, 1:])
    assert np.array_equal(
        mirrored["landmarks"][8], [15 - sample["landmarks"][8, 0], sample["landmarks"][8, 1]]
    )
    assert np.array_equal(mirrored["labels"], sample["labels"])


def test_a_flip_of_each_frame_takes_all_fields_of_a_frame_together():
    from netcfg.datasets.transforms.geometry import FlipSample

    random = np.random.default_rng(0)
    picture = random.integers(0, 255, (6, 4, 6, 3), np.uint8)
    sample = {
        "left": picture,
        "right": picture,
        "part": picture[..., 0],
        "points": random.random((6, 68, 2)).astype(np.float32),
        "still": picture[0],
    }
    flip = FlipSample(
        ("left", "right", "still"),
        (),
        ("points",),
        size=(4, 6),
        probability=0.5,
        each_frame=True,
        masks=("part",),
    )
    flipped = flip(sample, np.random.default_rng(3))
    whole = FlipSample(
        ("left", "right", "still"), (), ("points",), size=(0, 6), probability=1.0, masks=("part",)
    )
    mirrored = whole(sample, np.random.default_rng(0))
    turned = [bool((flipped["left"][frame] != picture[frame]).any()) for frame in range(6)]
    assert {True, False} == set(turned)
    for name in ("left", "right", "part", "points"):
        for frame, is_turned in enumerate(turned):
            np.testing.assert_array_equal(
                flipped[name][frame], (mirrored if is_turned else sample)[name][frame]
            )
    np.testing.assert_array_equal(flipped["still"], (mirrored if turned[0] else sample)["still"])


def test_half_of_the_samples_are_flipped_anew_in_every_epoch():
    made, plain = pipeline(HorizontalFlip(), batch_size=15), pipeline(batch_size=15)
    flips = []
    for number in range(20):
        pairs = zip(epoch(made, number)[0]["image"], epoch(plain, number)[0]["image"], strict=True)
        flips.append([not torch.equal(one, other) for one, other in pairs])
    assert 0.4 < np.mean(flips) < 0.6
    assert flips[0] != flips[1]


def test_training_transforms_leave_validation_alone():
    assert same(
        epoch(pipeline(HorizontalFlip(probability=1.0), split="validation")),
        epoch(pipeline(split="validation")),
    )


def test_flipped_flow_is_the_flow_of_flipped_pictures():
    from netcfg.datasets.flow.encoding import encode_flow

    motion = np.random.default_rng(0).normal(0, 2, (12, 16, 2)).astype(np.float32)
    motion[3:5] = 0.0
    mirrored = motion[:, ::-1] * np.array([-1.0, 1.0], np.float32)
    flipped = flip_flow(encode_flow(motion)).astype(int)
    assert (
        np.abs(flipped - encode_flow(mirrored)).max() <= 1
    )  # 1 only where a motion is as large as the scale
    assert (flipped[3:5, :, 0] == 127).all()
    assert np.array_equal(flipped[..., 1:], encode_flow(mirrored)[..., 1:])


def test_mirroring_points_twice_changes_nothing():
    points = np.random.default_rng(0).uniform(0, 16, (68, 2)).astype(np.float32)
    assert np.allclose(flip_points(flip_points(points, 16), 16), points, atol=1e-5)
    assert MIRRORED_POINTS[36] == 45  # outer corner of one eye, outer corner of the other
    assert MIRRORED_POINTS[48] == 54
    assert MIRRORED_POINTS[0] == 16
    assert sorted(MIRRORED_POINTS) == list(range(68))


def test_points_are_mirrored_as_the_faces_are_drawn():
    from netcfg.datasets.faces.geometry import MIRROR

    assert tuple(MIRRORED_POINTS) == MIRROR


def test_brightness_scales_pictures_but_not_flow():
    brighten = Brightness(amount=0.5).lower(FIELDS)
    sample = {"image": np.full((2, 2, 3), 100, np.uint8), "flow": np.full((2, 2, 3), 100, np.uint8)}
    changed = brighten(sample, np.random.default_rng(1))
    assert 50 <= changed["image"][0, 0, 0] <= 150
    assert changed["image"][0, 0, 0] != 100
    assert changed["flow"][0, 0, 0] == 100


# --- the section ----------------------------------------------------------------------------------


def test_the_section_and_the_data_set_agree():
    from netcfg.datasets.sources import synthetic_faces as data_set

    section = SyntheticFaces(
        subjects=4, clips=1, clip_length=4, image_size=16, action_units=("1", "12"), frames=2
    )
    made = section.open("train", tuple(section.fields()))[0]
    for name, spec in section.fields().items():
        shape = made[name].shape
        if spec.kind in ("image", "flow"):
            shape = (*shape[:-3], shape[-1], *shape[-3:-1])
        assert shape == spec.shape, name
    assert section.fields()["labels"].names == ("AU1", "AU12")
    assert set(section.fields()) == set(data_set.FIELDS)


def test_the_named_sets_are_those_of_the_data_set():
    from netcfg.blocks import action_units
    from netcfg.datasets.sources import synthetic_faces as data_set

    assert action_units.FACE_AUS == data_set.FACE_AUS
    assert action_units.EMOTIONS == data_set.EMOTIONS
    assert (action_units.AU_SETS["bp4d"], action_units.AU_SETS["disfa"], action_units.AU_SETS["disfa8"]) == (
        data_set.BP4D_AUS, data_set.DISFA_AUS, data_set.DISFA8_AUS
    )  # fmt: skip


@pytest.mark.parametrize(("options", "message"), [
    ({"fold": 3}, "folds 0 to 2"),
    ({"subjects": 3, "folds": 4, "fold": 3}, "too few"),
    ({"frames": 20}, "clips that have 16"),
    ({"fields": ("image", "flov")}, "no field `flov`"),
])  # fmt: skip
def test_options_that_do_not_fit_together_are_told(options, message):
    assert message in SyntheticFaces(**options).conflict()


def test_unknown_action_units_are_refused():
    with pytest.raises(ValueError, match="`disfa8`, or different numbers out of 1, 2, 4"):
        SyntheticFaces(action_units=("3",))
