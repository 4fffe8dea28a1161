"""`[oversample]`: the list of copies is AUNets', and pictures, flow and labels of a copy stay together."""

import cv2
import face_trees as trees
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import netcfg
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.samplers.oversample import Oversample
from netcfg.blocks.samples import Draw as Copy
from netcfg.blocks.sources.bp4d import Bp4d
from netcfg.blocks.transforms.geometry import Resize
from netcfg.blocks.transforms.normalise import Normalise
from netcfg.datasets.pictures import notes
from netcfg.datasets.pictures.face_boxes import clipped_box, jittered_box
from netcfg.datasets.pipeline import Pipeline, open_samples
from netcfg.datasets.samplers.drawn import drawn
from netcfg.datasets.samplers.oversample import balanced, doubled
from netcfg.datasets.samples.tables import described

NETWORK = (
    "{N}\n[net]\n[input]\nname = image\nchannels = 3\nheight = 32\nwidth = 32\n"
    "[input]\nname = flow\nchannels = 3\nheight = 32\nwidth = 32\n[combine_concat]\ncombine_layers = image, flow\n"
    "[flatten]\n[connected]\noutput_features = 1\n{Metric}\n[f1]\ninput = N\ntarget = labels\n"
)


def lines_of(count, shown):
    return balanced(np.arange(count) < shown)


def test_the_rarer_class_walks_the_ways_of_moving_until_both_are_equal():
    copies = lines_of(7, 2)[7:]
    assert copies == [Copy(0, 0), Copy(1, 0), Copy(0, 1)]
    assert lines_of(6, 4)[6:] == [Copy(4, 0), Copy(5, 0)]  # here those without the unit are rarer


def test_the_ways_of_moving_run_out():
    copies = lines_of(20, 1)[20:]
    assert copies == [Copy(0, jitter) for jitter in range(6)]


@given(st.lists(st.booleans(), max_size=60))
def test_a_balanced_list_keeps_every_sample_and_adds_to_the_rarer_class_only(shown):
    is_shown = np.array(shown, bool)
    lines = balanced(is_shown)
    assert lines[: len(shown)] == [Copy(index) for index in range(len(shown))]
    counts = [sum(is_shown[line.sample] == value for line in lines) for value in (True, False)]
    before = [int(is_shown.sum()), int((~is_shown).sum())]
    assert max(counts) == max(before, default=0)
    assert min(counts) == min(max(before), 7 * min(before))
    assert len(set(lines)) == len(lines)


def test_every_line_is_followed_by_its_mirrored_copy():
    assert doubled([Copy(3), Copy(1, 4)]) == [Copy(3), Copy(3, None, True), Copy(1, 4), Copy(1, 4, True)]


def test_a_box_moves_by_an_eighth_and_is_clipped():
    box = (20, 60, 40, 80)
    moved = [jittered_box(box, jitter) for jitter in range(6)]
    assert moved == [
        (20, 60, 45, 85), (20, 60, 35, 75), (25, 65, 40, 80), (15, 55, 40, 80), (25, 65, 45, 85), (15, 55, 45, 85),
    ]  # fmt: skip
    assert clipped_box((-5, 35, 100, 140), 96, 128) == (0, 35, 100, 128)
    assert clipped_box((100, 140, 0, 40), 96, 128) is None


@pytest.fixture
def database(tmp_path):
    notes._SAID.clear()
    trees.write_bp4d(tmp_path, frames=4, shown=1)
    return tmp_path


def in_a_list(sampler, source, samples):
    draws = sampler.epoch(described(samples.table, source), 0, 0)
    kinds = {name: spec.kind for name, spec in source.fields().items()}
    return drawn(samples, draws, kinds, sampler)


def sources(root, **options):
    source = Bp4d(path=str(root), boxes=str(root / "boxes"), action_units=("12",), image_size=64)
    fields = ("image", "labels", "subject", "clip")
    samples = source.open("train", fields)
    return in_a_list(Oversample(**options), source, samples)


def test_copies_are_cut_out_of_whole_frames(database):
    samples = sources(database, balance="jitter")
    assert len(samples) == 24  # four subjects with one frame that shows the unit and three that do not
    labels = [float(samples[index]["labels"][0]) for index in range(24)]
    assert labels.count(1) == labels.count(0) == 12
    right, left = samples[16]["image"], samples[20]["image"]
    assert not right[:, -7:].any()  # the frame is black around the face
    assert right[:, :55].all()
    assert not left[:, :7].any()
    assert samples.table.ids[16] == "F003_T1_2440 moved 0"


def test_mirrored_copies_are_mirrored(database):
    samples = sources(database, balance="jitter", mirror=True)
    assert len(samples) == 48
    plain, mirrored = samples[32], samples[33]
    np.testing.assert_array_equal(mirrored["image"], plain["image"][:, ::-1])
    assert mirrored["labels"] == plain["labels"]
    assert mirrored["image"][:, -55:].all()


def test_lists_that_hold_copies_stay_as_they_are(tmp_path, capsys):
    notes._SAID.clear()
    trees.write_crops(tmp_path)
    lines = trees.crop_lines(("F003",))
    copies = [line.replace("Faces/", "Faces_flip/") for line in lines]
    people = {
        "train": lines + copies,
        "val": trees.crop_lines(("F004",)),
        "test": trees.crop_lines(("F001",)),
    }
    trees.write_lists(tmp_path, people)
    source = Bp4d(lists=str(tmp_path), action_units=("12",))
    samples = source.open("train", ("image", "labels"))
    oversample = Oversample(balance="jitter", mirror=True)
    assert in_a_list(oversample, source, samples) is samples
    assert "has moved or mirrored copies already" in capsys.readouterr().err


def program_text(root, extra=""):
    return (
        f"{{Data}}\n[bp4d]\nlists = {root}\naction_units = 12\nimage_size = 64\n[oversample]\nmirror = True\n{extra}"
        f"[resize]\nsize = 32\ninterpolation = nearest\n{NETWORK}"
    )


def test_frames_and_flow_stay_paired_under_every_augmentation_and_shuffle(tmp_path):
    """A crop's black side and the sign of its flow tell whether each was mirrored, the levels which frame it is."""
    trees.write_crops(tmp_path)
    people = {"train": ("F003", "F005", "M003"), "val": ("F004",), "test": ("F001",)}
    trees.write_lists(tmp_path, {name: trees.crop_lines(subjects) for name, subjects in people.items()})
    program = netcfg.load(program_text(tmp_path, "[horizontal_flip]\nprobability = 0.5\n"))
    pipeline = Pipeline(program.data, "train", 5, seed=3, shuffle="epoch")
    orders = []
    for epoch in range(2):
        batches = [batch.fields for batch in pipeline.epoch(epoch)]
        orders.append([])
        for batch in batches:
            for image, flow, label in zip(batch["image"], batch["flow"], batch["labels"], strict=True):
                level = int(image[0, 5, 15])
                mirrored = int(image[0, 5, 0]) == 0
                red, green = int(flow[0, 5, 15]), int(flow[1, 5, 15])
                assert green == level
                assert red == (127 - level % 40 if mirrored else 127 + level % 40)
                frame = (level - 20) % 30 // 4
                assert float(label[0]) == frame % 2
                orders[-1].append((level, mirrored))
    assert len(orders[0]) == len(orders[1]) == 24
    assert orders[0] != orders[1]
    assert {mirrored for _, mirrored in orders[0]} == {True, False}


def test_only_training_is_enlarged(tmp_path):
    trees.write_crops(tmp_path)
    people = {"train": ("F003",), "val": ("F004",), "test": ("F001",)}
    trees.write_lists(tmp_path, {name: trees.crop_lines(subjects) for name, subjects in people.items()})
    data = netcfg.load(program_text(tmp_path)).data
    assert [Pipeline(data, split, 4).samples for split in ("train", "validation", "test")] == [8, 4, 4]


def test_flow_in_files_is_taken_from_there(tmp_path):
    trees.write_crops(tmp_path)
    people = {"train": ("F003",), "val": ("F004",), "test": ("F001",)}
    trees.write_lists(tmp_path, {name: trees.crop_lines(subjects) for name, subjects in people.items()})
    text = program_text(tmp_path).replace("[oversample]", "[optical_flow]\ncache = None\n[oversample]")
    samples = open_samples(netcfg.load(text).data, "train")
    for index in range(8):
        level = trees.shade("F003", index // 2)
        red = 127 - level % 40 if index % 2 else 127 + level % 40
        assert samples[index]["flow"][10, 20].tolist() == [red, level, 0]


def test_flow_is_found_in_the_moved_box(tmp_path):
    """Only the left half of the face moves: the box that moves to the right shows less of it, on the same side."""
    trees.write_bp4d(tmp_path, shown=1)
    random = np.random.default_rng(0)
    texture = cv2.resize(random.integers(0, 256, (24, 32, 3), np.uint8), (128, 96))
    for subject in trees.SUBJECTS:
        for frame in range(4):
            whole = texture.copy()
            whole[:, :60] = np.roll(texture, 2 * frame, axis=1)[:, :60]
            trees.write(tmp_path / "2D+3D" / subject / "T1" / f"{2440 + frame}.png", whole)
    text = (
        program_text(tmp_path)
        .replace("lists", "path")
        .replace("mirror = True", "mirror = True\nbalance = jitter")
    )
    boxes = f"[bp4d]\nboxes = {tmp_path / 'boxes'}\n"
    text = text.replace("[bp4d]\n", boxes).replace(
        "[oversample]", "[optical_flow]\ncache = None\n[oversample]"
    )
    samples = open_samples(netcfg.load(text).data, "train")
    plain, right, mirrored, left = (moving_columns(samples[index]["flow"]) for index in (0, 32, 33, 40))
    assert plain[:20].all()
    assert not plain[-20:].any()
    assert right[:20].all()
    assert not right[-20:].any()
    assert mirrored[-20:].all()
    assert not mirrored[:20].any()
    assert right.sum() < plain.sum() < left.sum()
    assert samples.table.ids[33] == "F003_T1_2440 moved 0 mirrored"


def moving_columns(flow):
    """Which columns of a flow picture show motion along x."""
    return abs(flow[..., 0].astype(int) - 127).mean(0) > 40


def findings_of(data):
    _, findings = netcfg.check(f"{{Data}}\n{data}{NETWORK}")
    return [(finding.code, finding.message) for finding in findings]


def test_mistakes_are_found_before_training():
    source = "[bp4d]\nlists = x\nimage_size = 32\naction_units = 12\n"
    several = source.replace("12", "6, 12")
    ((code, message),) = findings_of(f"{several}[oversample]\nbalance = jitter\n")
    assert (code, "balances one action unit" in message) == ("NC502", True)
    ((code, message),) = findings_of(f"{source}[horizontal_flip]\n[oversample]\nmirror = True\n")
    assert (code, message) == (
        "NC112",
        "[oversample] works on the frames of the source, and stands after [horizontal_flip]",
    )
    ((code, message),) = findings_of(f"{source}[oversample]\n[momu]\nepoch_size = 4\nsampling_size = 2\n")
    assert (code, "both say which samples" in message) == ("NC112", True)


# --- resize, normalise


@pytest.mark.parametrize(("size", "wanted"), [((256, 256), (224, 224)), ((40, 60), (96, 31))])
def test_lanczos_is_pillows(size, wanted):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    step = Resize(size=wanted, interpolation="lanczos").lower({"image": FieldSpec((3, *size), "image")})
    made = step({"image": picture}, None)["image"]
    pillows = np.asarray(Image.fromarray(picture).resize(wanted[::-1], Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(made, pillows)


def test_validation_may_be_divided_by_another_std():
    data = "[synthetic_faces]\nsubjects = 6\nclips = 1\nclip_length = 3\naction_units = 12\nimage_size = 32\n"
    normalise = "[normalise]\nmean = 0.5\nstd = 0.25\nvalidation_std = 1\n"
    program = netcfg.load(f"{{Data}}\n{data}{normalise}{NETWORK}")
    largest = {}
    for split in ("train", "validation", "test"):
        pipeline = Pipeline(program.data, split, 2)
        ready = pipeline.finish(next(pipeline.epoch()))
        largest[split] = float(ready["flow"][:, 2].abs().max())  # blue is 0 everywhere
    assert largest == {"train": 2, "validation": 0.5, "test": 2}
    assert Normalise(std=(0.25,)).in_split("validation").std == (0.25,)
