"""Whole clips with a class each, who is in which split, and the frames that are shown of them."""

import json
from math import isfinite

import cv2
import numpy as np
import pytest
from golden_rules import golden

import netcfg
from netcfg.blocks.fields import LENGTHS
from netcfg.blocks.sources.clip_folder import ClipFolder
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.samples.whole_clips import SampledClips, Sampling, WholeClips
from netcfg.datasets.sources.example_folders import write_clip_folder
from netcfg.datasets.transforms.geometry import FlipSample
from netcfg.source import NetcfgError

FIELDS = ("clip", "class", "clip_id")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two classes of ten clips, of two to five frames."""
    place = tmp_path_factory.mktemp("clips")
    write_clip_folder(place, ("happy", "sad"))
    return place


def source(folder, **options):
    return ClipFolder(path=str(folder), image_size=16, **options)


def test_clips_are_as_long_as_they_are(folder):
    samples = source(folder).open("train", FIELDS)
    assert samples.table.names["class"] == ("happy", "sad")
    assert [len(samples[index]["clip"]) for index in range(4)] == [samples.count(index) for index in range(4)]
    assert samples[0]["clip"].shape[1:] == (16, 16, 3)
    assert samples[0]["clip"].dtype == np.uint8


@pytest.mark.parametrize("fold", [0, 4])
def test_every_clip_is_in_one_split_and_every_class_in_each(folder, fold):
    opened = {
        split: source(folder, fold=fold).open(split, FIELDS) for split in ("train", "validation", "test")
    }
    names = [name for samples in opened.values() for name in samples.names]
    assert sorted(names) == sorted(
        f"{label}/clip_{number}" for label in ("happy", "sad") for number in range(10)
    )
    assert {split: len(samples) for split, samples in opened.items()} == {
        "train": 12,
        "validation": 4,
        "test": 4,
    }
    assert all(set(samples.classes) == {0, 1} for samples in opened.values())


def test_frames_may_be_samples_of_their_own(folder):
    section = source(folder, samples="frames")
    assert section.fields()["image"].shape == (3, 16, 16)
    frames = section.open("test", ("image", "class", "clip_id"))
    clips = source(folder).open("test", FIELDS)
    assert len(frames) == sum(clips.count(index) for index in range(len(clips)))
    assert frames.table.ids[:3] == ["happy/clip_0/1", "happy/clip_0/2", "happy/clip_5/1"]
    assert (frames[2]["image"] == clips[1]["clip"][0]).all()
    assert [int(frames[index]["clip_id"]) for index in range(3)] == [0, 0, 1]


def test_lists_say_who_trains_and_classes_their_order(folder, tmp_path):
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("sad/clip_3 sad\nhappy/clip_1 happy\n")
    test.write_text("happy/clip_9 happy\n")
    lists = {"train_list": str(train), "test_list": str(test), "validation_list": str(test)}
    section = source(folder, classes=("sad", "happy"), **lists)
    assert section.open("train", FIELDS).names == ("sad/clip_3", "happy/clip_1")
    assert section.open("train", FIELDS).classes == (0, 1)
    assert section.open("validation", FIELDS).names == section.open("test", FIELDS).names == ("happy/clip_9",)


def test_folds_out_of_one_file(folder, tmp_path):
    path = tmp_path / "folds.txt"
    path.write_text(
        "1-fold 2\nsad/clip_3 sad\nhappy/clip_1 happy\n2-fold 2\nsad/clip_4 sad\nhappy/clip_2 happy\n"
    )
    section = source(folder, classes=("happy", "sad"), fold_list=str(path), fold=1)
    assert section.open("test", FIELDS).names == ("sad/clip_4", "happy/clip_2")
    assert section.open("train", FIELDS).names == ("sad/clip_3", "happy/clip_1")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("happy/clip_1\n", "is not `clip class`"),
        ("happy/clip_77 happy\n", "there is no clip"),
        ("happy/clip_1 cross\n", "which is none of happy, sad"),
        ("happy/clip_1 happy\n", "no clip to train on is of the class `sad`"),
    ],
)
def test_lists_that_are_wrong_are_told(folder, tmp_path, text, part):
    path = tmp_path / "list.txt"
    path.write_text(text)
    section = source(folder, classes=("happy", "sad"), train_list=str(path), test_list=str(path))
    with pytest.raises(netcfg.NetcfgError, match=part):
        section.open("train", FIELDS)


def test_a_clip_without_frames_is_told(folder, tmp_path):
    (tmp_path / "happy" / "empty").mkdir(parents=True)
    path = tmp_path / "list.txt"
    path.write_text("happy/empty happy\n")
    section = ClipFolder(path=str(tmp_path), classes=("happy",), train_list=str(path), test_list=str(path))
    with pytest.raises(netcfg.NetcfgError, match="empty"):
        section.open("test", FIELDS)[0]


@pytest.mark.parametrize("case", golden("emotion_fan_sampling")["cases"], ids=lambda case: case["rule"])
def test_triplets_are_drawn_as_published(case):
    """Once for the whole training, as Python's random numbers of the seed have it."""

    class Counted:
        def __len__(self):
            return len(case["frames_per_video"])

        def count(self, index):
            return case["frames_per_video"][index]

    sampling = Sampling(3, {"afew": 1.0, "ckplus": 0.6}[case["rule"]])
    sampled = SampledClips(Counted(), sampling, seed=0, once=True, each_frame=True)
    assert sampled.fixed == [list(triplet) for video in case["triplets"] for triplet in video]


def test_parts_are_drawn_in_order_and_within():
    sampling = Sampling(4, 0.5)
    random = np.random.default_rng(0)
    for _ in range(50):
        drawn = sampling.drawn(40, 0, lambda low, high: int(random.integers(low, high + 1)))
        assert drawn == sorted(drawn)
        assert max(drawn) <= 20


TEXT = """
{{Data}}
[clip_folder]
path = {path}
image_size = 16
[sample_frames]
parts = 2
repeats = frames
[horizontal_flip]
each_frame = True
{{Define stem}}
[convolutional]
filters = 4
kernel_size = 3
stride = 2
pad = 1
batch_normalise = 1
activation = relu
[global_avgpool]
{{Net}}
[net]
[input]
name = clip
frames = T
channels = 3
height = 16
width = 16
[stem]
over = frames
statistics = each_frame
[frame_attention]
[connected]
output_features = $data.class.classes
{{Loss}}
[cross_entropy]
input = Net
target = class
{{Optimizer}}
[sgd]
networks = Net
minimise = cross_entropy
learning_rate = 0.01
{{Metric}}
[accuracy]
input = Net
target = class
{{General}}
[training]
batch_size = 8
max_epochs = 2
workers = {workers}
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_training_sees_drawn_frames_and_evaluation_whole_clips(folder, workers):
    program = netcfg.load(TEXT.format(path=folder, workers=workers))
    train = Pipeline(program.data, "train", 8, workers=workers)
    batches = [list(train.epoch(number)) for number in (0, 1, 0)]
    train.close()
    assert sum(batch.size for batch in batches[0]) == train.samples > 12  # as many as frames
    assert all(batch.fields["clip"].shape[1] == 2 for batch in batches[0])
    first, second, again = ([batch.fields["clip"] for batch in epoch] for epoch in batches)
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    assert any((one != other).any() for one, other in zip(first, second, strict=True))
    whole = next(iter(Pipeline(program.data, "test", 4).epoch()))
    assert whole.fields["clip"].shape[1] == int(whole.fields[LENGTHS + "frames"].max())
    assert len(set(whole.fields[LENGTHS + "frames"].tolist())) > 1


def test_a_run_trains_on_parts_and_is_judged_by_whole_clips(folder, tmp_path, capsys):
    from netcfg.cli.main import main

    path = tmp_path / "clips.cfg"
    path.write_text(TEXT.format(path=folder, workers=0))
    assert main(["train", str(path), "--run-dir", str(tmp_path / "run")]) == 0
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert all(isfinite(json.loads(line)["train"]["loss"]) for line in lines)


def write_clips(root, *names):
    """Clips of two small frames."""
    for name in names:
        (root / name).mkdir(parents=True)
        for frame in (1, 2):
            cv2.imwrite(str(root / name / f"{frame}.jpg"), np.full((20, 20, 3), 90 * frame, np.uint8))
    return root


@pytest.mark.parametrize(
    ("names", "source"),
    [
        (("wave/1", "wave/2", "jump/1", "jump/2"), "clip_folder"),
        (("wave/v_wave_g1_c1", "wave/v_wave_g1_c2", "jump/v_jump_g1_c1", "jump/v_jump_g2_c1"), "clip_folder"),
        (("wave/anna", "wave/ben", "jump/carl", "jump/dora"), "clip_folder"),
        (("S01/1", "S01/2", "S02/1", "S02/2"), "clips"),
        (("anna/smile", "anna/frown", "ben/smile", "ben/frown"), "clips"),
        (("anna/smile", "ben/smile"), "clips"),
    ],
)
def test_folders_of_clips_are_classes_unless_they_look_like_subjects(tmp_path, names, source):
    from netcfg.passes.data_folder import source_of

    assert source_of(write_clips(tmp_path, *names)).source.type_name == source
    assert source_of(tmp_path, ClipFolder).source is ClipFolder
    (tmp_path / "labels.csv").write_text("clip,frame,AU12\n")
    assert source_of(tmp_path).source.type_name == "clips"


def test_folders_of_splits_around_classes_of_clips_are_the_splits(tmp_path):
    from netcfg.passes.data_folder import source_of

    for split in ("train", "val"):
        write_clips(tmp_path / split, "wave/1", "wave/2", "wave/3", "jump/1", "jump/2", "jump/3")
    options = source_of(tmp_path).found.options
    opened = {
        split: ClipFolder(**options, image_size=16).open(split, FIELDS)
        for split in ("train", "validation", "test")
    }
    assert {split: len(samples) for split, samples in opened.items()} == {
        "train": 4,
        "validation": 2,
        "test": 6,
    }


ALONE = (
    "{Net}\n[net]\n[input]\nname = clip\nframes = T\nchannels = 3\nheight = 16\nwidth = 16\n"
    "[convolutional]\nover = frames\nfilters = 4\nkernel_size = 4\nstride = 4\nactivation = relu\n"
    "[flatten]\nover = frames\n[lstm]\nname = memory\nhidden = 8\n"
    "[connected]\nfrom = memory.last\noutput_features = $data.class.classes\n"
)


def test_a_network_of_clips_alone_is_given_what_trains_it_and_its_classes_by_name(folder, tmp_path):
    program, findings = netcfg.check(ALONE, data=str(folder))
    assert program is not None, findings
    assert program.notes[0].startswith("<text> says nothing of data: `Net` is trained on")
    assert "(2 classes) as parts/clip_classes.cfg says" in program.notes[0]
    assert program.data.source.image_size == 16
    assert program.networks["Net"].nodes[-1].output.shape == (2,)
    assert netcfg.check(program.resolved)[0].data.source.classes == ("happy", "sad")
    listed = tmp_path / "train.txt"
    listed.write_text("happy/clip_1 happy\nsad/clip_1 sad\n")
    assert source(folder, train_list=str(listed), test_list=str(listed)).names() == ("happy", "sad")


def test_of_a_video_only_the_frames_that_are_shown_are_kept(tmp_path):
    place = tmp_path / "wave"
    place.mkdir()
    writer = cv2.VideoWriter(str(place / "1.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for level in range(0, 200, 20):
        writer.write(np.full((24, 32, 3), level, np.uint8))
    writer.release()
    clips = WholeClips(("wave/1",), (place / "1.avi",), (0,), ("wave",), 16, ("clip",))
    shown = clips.shown(0, [7, 2, 7, 99])["clip"]
    assert np.abs(shown[:, 8, 8, 0].astype(int) - [140, 40, 140, 180]).max() <= 3
    assert len(clips[0]["clip"]) == 10


def test_frames_are_mirrored_each_by_itself():
    clip = np.arange(40 * 2 * 3 * 1, dtype=np.uint8).reshape(40, 2, 3, 1)
    flip = FlipSample(("clip",), (), (), 3, 0.5, each_frame=True)
    made = flip({"clip": clip}, np.random.default_rng(0))["clip"]
    mirrored = [(frame == before[:, ::-1]).all() for frame, before in zip(made, clip, strict=True)]
    kept = [(frame == before).all() for frame, before in zip(made, clip, strict=True)]
    assert all(one or other for one, other in zip(mirrored, kept, strict=True))
    assert 5 < sum(mirrored) < 35


def test_a_clip_of_one_frame_is_a_clip_and_one_of_none_is_told_before_an_epoch(tmp_path):
    write_clips(tmp_path, "wave/1", "wave/2", "jump/1", "jump/2")
    (tmp_path / "wave/1/2.jpg").unlink()
    options = {"folds": 2, "path": str(tmp_path), "image_size": 16}
    assert ClipFolder(**options).open("test", FIELDS).lengths().tolist() == [2, 1]
    (tmp_path / "wave/1/1.jpg").unlink()
    with pytest.raises(NetcfgError, match="without a frame: 1 clip of 2, `wave/1`"):
        ClipFolder(**options).open("test", FIELDS)


def test_a_broken_frame_is_told_with_the_option_that_goes_on_without(tmp_path):
    write_clips(tmp_path, "wave/1", "wave/2", "jump/1", "jump/2")
    (tmp_path / "wave/1/2.jpg").write_bytes(b"")
    samples = ClipFolder(folds=2, path=str(tmp_path), image_size=16).open("test", FIELDS)
    with pytest.raises(NetcfgError, match="2.jpg cannot be read: it is empty") as caught:
        samples[1]
    assert "`on_error = skip` goes on without" in str(caught.value)
    skipping = ClipFolder(folds=2, path=str(tmp_path), image_size=16, on_error="skip").open("test", FIELDS)
    assert len(skipping[1]["clip"]) == len(samples[0]["clip"]) - 1


def test_classes_of_clips_that_differ_by_case_alone_are_found_when_the_file_is_checked(tmp_path):
    write_clips(tmp_path, "wave/1", "wave/2", "Wave/1", "Wave/2")
    _, (finding,) = netcfg.check(ALONE, data=str(tmp_path))
    assert (
        "holds the class folder `Wave` and `wave`" in finding.message
        or "differ by case only" in finding.message
    )
