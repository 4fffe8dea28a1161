"""The drawn faces: fields, splits, determinism, and what each action unit does to landmarks and picture."""

import multiprocessing
import operator
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2")

from netcfg.blocks.samples import ClipSamples
from netcfg.blocks.sources.synthetic_faces import FACE_PARTS
from netcfg.datasets import faces
from netcfg.datasets.faces.expression import activation_array
from netcfg.datasets.faces.geometry import Camera, move_points, neutral_points, relief_of
from netcfg.datasets.faces.identity import Identity, sample_identity
from netcfg.datasets.faces.parts import PARTS
from netcfg.datasets.faces.render import render_face
from netcfg.datasets.faces.scene import Pose, Scene
from netcfg.datasets.sources.synthetic_faces import (
    BP4D_AUS,
    DISFA8_AUS,
    DISFA_AUS,
    EMOTIONS,
    FACE_AUS,
    FIELDS,
    SyntheticFaces,
    drawing_version,
)

QUIET = Scene(noise=0.0)


def small(**changes: Any) -> SyntheticFaces:
    arguments: dict[str, Any] = {
        "split": "all",
        "fields": FIELDS,
        "subjects": 6,
        "clips": 2,
        "clip_length": 5,
    }
    return SyntheticFaces(**{**arguments, "image_size": 48, **changes})


def equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)


# Fields


@pytest.mark.parametrize(
    ("field", "shape", "kind"),
    [
        ("image", (48, 48, 3), np.uint8),
        ("frames", (3, 48, 48, 3), np.uint8),
        ("labels", (12,), np.float32),
        ("intensities", (12,), np.float32),
        ("emotion", (), np.int64),
        ("landmarks", (68, 2), np.float32),
        ("subject", (), np.int64),
        ("flow", (48, 48, 3), np.uint8),
        ("parts", (48, 48), np.uint8),
        ("intensity", (1,), np.float32),
    ],
)
def test_field_has_shape_and_type(field: str, shape: tuple[int, ...], kind: type) -> None:
    value = small(fields=(field,))[7]
    assert list(value) == [field]
    assert isinstance(value[field], np.ndarray)
    assert value[field].shape == shape
    assert value[field].dtype == kind


def test_unit_lists() -> None:
    assert BP4D_AUS == (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
    assert DISFA_AUS == (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
    assert DISFA8_AUS == (1, 2, 4, 6, 9, 12, 25, 26)
    assert len(FACE_AUS) == 17
    assert {*BP4D_AUS, *DISFA_AUS} == set(FACE_AUS)
    assert EMOTIONS[:7] == ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear")


def test_labels_are_intensities_over_the_threshold() -> None:
    data = small(fields=("labels", "intensities"), occurrence_threshold=3, subjects=12)
    samples = [data[index] for index in range(len(data))]
    intensities = np.stack([sample["intensities"] for sample in samples])
    labels = np.stack([sample["labels"] for sample in samples])
    assert np.array_equal(labels, intensities >= 3)
    assert set(np.unique(intensities)) == {0, 1, 2, 3, 4, 5}


def test_motion_is_what_its_labels_say_and_no_frame_tells_it() -> None:
    data = small(
        fields=("labels",), labels_are_motion=True, subjects=90, clips=4, clip_length=6, action_units=(2, 12)
    )
    labels = np.stack([data[index]["labels"] for index in range(len(data))]).reshape(-1, 6, 2)
    places = [data.clip_of(index) for index in range(0, len(data), 6)]
    levels = np.stack(
        [
            data._perform(*place[:2]).activations[:, [FACE_AUS.index(2), FACE_AUS.index(12)], 0]
            for place in places
        ]
    )
    steps = np.diff(levels, axis=1)
    assert np.array_equal(labels, np.repeat(steps[:, :1] > 0, 6, axis=1))
    assert (np.sign(steps) == np.sign(steps[:, :1])).all()
    assert np.abs(steps).min() > 0.09
    told = [np.corrcoef(levels[..., unit].ravel(), labels[..., unit].ravel())[0, 1] for unit in (0, 1)]
    assert np.abs(told).max() < 0.05


def test_chosen_units_keep_their_order() -> None:
    whole = small(fields=("intensities",), action_units=FACE_AUS)[12]["intensities"]
    chosen = small(fields=("intensities",), action_units=(25, 1, 12))[12]["intensities"]
    assert chosen.tolist() == [whole[FACE_AUS.index(unit)] for unit in (25, 1, 12)]


def test_every_unit_is_neither_rare_nor_usual() -> None:
    data = SyntheticFaces(
        split="all", fields=("labels",), subjects=40, clips=7, clip_length=8, action_units=FACE_AUS
    )
    share = np.mean([data[index]["labels"] for index in range(len(data))], axis=0)
    assert share.min() > 0.12
    assert share.max() < 0.5


@pytest.mark.parametrize("emotions", [7, 8])
def test_every_emotion_occurs_and_starts_from_neutral(emotions: int) -> None:
    data = small(fields=("emotion",), clips=8, emotions=emotions, clip_length=16)
    seen = {int(data[index]["emotion"]) for index in range(len(data))}
    assert seen == set(range(emotions))


def test_frames_are_spread_over_the_clip_ends_included() -> None:
    data = small(fields=("frames",), frames=3)
    images = small(fields=("image",))
    frames = data[6]["frames"]  # second clip: samples 5 to 9
    for frame, index in zip(frames, (5, 7, 9), strict=True):
        assert np.array_equal(frame, images[index]["image"])


def test_the_pair_of_a_sample_is_its_frame_and_the_next() -> None:
    data = small(fields=("image",))
    assert isinstance(data, ClipSamples)
    for index, (first, second) in ((6, (6, 7)), (9, (8, 9))):  # the second clip: samples 5 to 9
        pair = data.pair(index)
        assert np.array_equal(pair.first(), data[first]["image"])
        assert np.array_equal(pair.second(), data[second]["image"])
        assert pair.crop is None


def test_pairs_of_other_content_have_other_keys() -> None:
    data = small(fields=("image",))
    keys = [data.pair(index).key for index in range(10)]
    assert len(set(keys)) == 8  # the last frame of each of two clips has the pair of the one before
    for change in (
        {"seed": 1},
        {"image_size": 40},
        {"emotions": 8},
        {"clip_length": 6},
        {"labels_are_motion": True},
    ):
        assert small(fields=("image",), **change).pair(0).key not in keys


def test_flow_is_that_of_the_frame_to_its_successor() -> None:
    from netcfg.datasets.flow.encoding import dense_flow, encode_flow

    data = small(fields=("image", "flow"))
    expected = encode_flow(dense_flow(data[6]["image"], data[7]["image"], "dis"))
    assert np.array_equal(data[6]["flow"], expected)


def test_last_frame_has_the_flow_of_the_one_before() -> None:
    data = small(fields=("flow",))
    assert np.array_equal(data[9]["flow"], data[8]["flow"])
    assert not np.array_equal(data[8]["flow"], data[7]["flow"])


# Determinism


def test_samples_do_not_depend_on_the_order_of_calls() -> None:
    first, second = small(), small()
    order = [17, 3, 42, 0, 58, 29]
    samples = {index: first[index] for index in order}
    assert all(equal(second[index], samples[index]) for index in sorted(order))


def test_samples_are_the_same_in_another_process() -> None:
    data = small()
    here = data[13]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert equal(pool.apply(operator.getitem, (data, 13)), here)


def test_data_set_can_be_pickled_after_use() -> None:
    data = small()
    sample = data[4]
    assert len(pickle.dumps(data)) < 5000
    assert equal(pickle.loads(pickle.dumps(data))[4], sample)


def test_changing_a_sample_does_not_change_the_next() -> None:
    data = small(fields=("image", "landmarks"))
    sample = data[2]
    kept = {name: value.copy() for name, value in sample.items()}
    for value in sample.values():
        value[:] = 0
    assert equal(data[2], kept)


def test_seeds_differ() -> None:
    assert not np.array_equal(small(seed=1)[0]["image"], small(seed=2)[0]["image"])


def test_numpy_global_state_is_left_alone() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    small()[0]
    assert np.array_equal(np.random.get_state()[1], before)


# Splits


@pytest.mark.parametrize("subjects", [4, 7, 24])
@pytest.mark.parametrize("fold", [0, 1, 2])
def test_splits_share_no_subject(subjects: int, fold: int) -> None:
    splits = [
        small(split=s, subjects=subjects, fold=fold).subject_ids() for s in ("train", "validation", "test")
    ]
    assert all(splits)
    assert sorted(sum(splits, [])) == list(range(subjects))


def test_folds_cover_all_subjects_once() -> None:
    tested = [
        subject for fold in range(3) for subject in small(split="test", fold=fold, subjects=11).subject_ids()
    ]
    assert sorted(tested) == list(range(11))


def test_index_names_subject_clip_and_frame() -> None:
    data = small(split="train")
    first, second = data.subject_ids()[:2]
    assert len(data) == len(data.subject_ids()) * 10
    assert [data.clip_of(i) for i in (0, 4, 5, 10)] == [
        (first, 0, 0),
        (first, 0, 4),
        (first, 1, 0),
        (second, 0, 0),
    ]
    assert data.clip_of(-1) == data.clip_of(len(data) - 1)
    with pytest.raises(IndexError):
        data.clip_of(len(data))
    assert int(data[10]["subject"]) == second


# Arguments


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("split", "dev"), ("fields", ()), ("fields", ("picture",)), ("fields", "image"), ("subjects", 0),
        ("subjects", 2), ("clips", 0), ("clip_length", 1), ("image_size", -1), ("image_size", 64.0),
        ("action_units", (3,)), ("action_units", (1, 1)), ("occurrence_threshold", 6),
        ("emotions", 6), ("frames", 6), ("flow_method", "brox"), ("folds", 1),
        ("fold", 3), ("validation_share", 1.0), ("seed", -1),
    ],
)  # fmt: skip
def test_bad_argument_is_named(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"`{argument}`"):
        small(**{argument: value})


def test_unknown_unit_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="action unit 3 is not drawn"):
        activation_array({3: 1.0})


# Imports


def test_making_a_data_set_needs_neither_opencv_nor_torch() -> None:
    code = (
        "import sys; from netcfg.datasets.sources.synthetic_faces import SyntheticFaces as S;"
        "d = S(split='all', fields=('image', 'labels')); len(d), S(split='all', fields=('labels',))[0];"
        "assert not {'cv2', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_missing_opencv_gives_one_clear_line() -> None:
    code = (
        "import sys; sys.modules['cv2'] = None\n"
        "from netcfg.datasets.sources.synthetic_faces import SyntheticFaces as S\n"
        "try: S(split='all', fields=('image',))[0]\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("OpenCV cannot be loaded (")
    assert done.stdout.strip().endswith("use `pip install opencv-python-headless`")
    assert done.stdout.count("\n") == 1


# Action units: what the Facial Action Coding System says of the points


def moved(*units: int, subject: int | None = None) -> np.ndarray:
    """Displacement of the landmarks in face units, y down."""
    identity = Identity() if subject is None else sample_identity(0, subject)
    rest = neutral_points(identity)
    return move_points(rest, activation_array(dict.fromkeys(units, 1.0))) - rest


def heights(*units: int) -> dict[str, float]:
    """Openings and thicknesses of the right half of the face."""
    rest = neutral_points(Identity())
    y = (move_points(rest, activation_array(dict.fromkeys(units, 1.0))))[:, 1]
    return {
        "eye": y[47] - y[43],
        "upper lip": y[62] - y[51],
        "lower lip": y[57] - y[66],
        "mouth": y[66] - y[62],
    }


LEFT_RIGHT = {"inner brow": (21, 22), "outer brow": (17, 26), "outer third": (18, 25), "corner": (48, 54),
              "upper lid": (37, 44), "lower lid": (41, 46), "wing": (31, 35)}  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "place", "across", "down"),
    [
        (1, "inner brow", 0, -1), (2, "outer brow", 0, -1), (2, "outer third", 0, -1),
        (4, "inner brow", -1, 1),
        (5, "upper lid", 0, -1), (6, "lower lid", 0, -1), (7, "lower lid", 0, -1), (7, "upper lid", 0, 1),
        (9, "wing", 1, -1), (9, "inner brow", 0, 1), (10, "wing", 0, -1),
        (12, "corner", 1, -1), (14, "corner", -1, 0), (15, "corner", 0, 1),
        (20, "corner", 1, 0), (24, "corner", -1, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("subject", [0, 5])
def test_unit_moves_both_halves_outwards_and_down(
    unit: int, place: str, across: int, down: int, subject: int
) -> None:
    motion = moved(unit, subject=subject)
    left, right = LEFT_RIGHT[place]
    assert motion[right] == pytest.approx(motion[left] * [-1, 1], abs=1e-5)
    for value, sign in zip(motion[right], (across, down), strict=True):
        if sign:
            assert value * sign > 0.012


@pytest.mark.parametrize(
    ("unit", "point", "down"), [(10, 51, -1), (17, 57, -1), (17, 8, -1), (25, 66, 1), (26, 8, 1), (26, 57, 1)]
)
def test_unit_moves_the_middle(unit: int, point: int, down: int) -> None:
    motion = moved(unit)[point]
    assert motion[0] == pytest.approx(0, abs=1e-6)
    assert motion[1] * down > 0.03


def test_inner_brow_rises_more_than_outer_under_unit_1_and_less_under_unit_2() -> None:
    assert moved(1)[22, 1] < moved(1)[26, 1] - 0.05
    assert moved(2)[26, 1] < moved(2)[22, 1] - 0.05


@pytest.mark.parametrize("unit", [23, 24])
def test_lips_get_thin(unit: int) -> None:
    for lip in ("upper lip", "lower lip"):
        assert heights(unit)[lip] < 0.6 * heights()[lip]


def test_eye_opens_with_unit_5_and_narrows_with_unit_7() -> None:
    assert heights(7)["eye"] < 0.7 * heights()["eye"]
    assert heights(5)["eye"] > 1.3 * heights()["eye"]


@pytest.mark.parametrize("unit", [25, 26])
def test_mouth_opens(unit: int) -> None:
    assert heights(unit)["mouth"] > heights()["mouth"] + 0.06


def test_jaw_drop_lowers_the_chin_more_than_parted_lips() -> None:
    assert moved(26)[8, 1] > 5 * moved(25)[8, 1]


@pytest.mark.parametrize("unit", FACE_AUS)
def test_unit_changes_the_picture(unit: int) -> None:
    rest = render_face(Identity(), QUIET, {}, 96).image.astype(int)
    acting = render_face(Identity(), QUIET, {unit: 1.0}, 96).image.astype(int)
    changed = np.abs(acting - rest).max(axis=2) > 12
    assert changed.sum() > 60


def test_unit_is_drawn_where_its_points_are() -> None:
    """Smiling lips: the picture changes around the old and the new corner of the mouth, not at the brows."""
    rest, smile = (render_face(Identity(), QUIET, units, 160) for units in ({}, {12: 1.0}))
    change = np.abs(smile.image.astype(int) - rest.image).max(axis=2)
    for face, point, least in ((rest, 54, 25), (smile, 54, 25), (rest, 48, 25), (smile, 48, 25)):
        assert around(change, face.landmarks[point], 3).max() > least
    assert around(change, rest.landmarks[24], 4).max() < 8


def around(image: np.ndarray, place: np.ndarray, reach: int) -> np.ndarray:
    x, y = np.rint(place).astype(int)
    return image[y - reach : y + reach + 1, x - reach : x + reach + 1]


# Landmarks


@pytest.mark.parametrize(
    "pose", [Pose(), Pose(yaw=0.3, pitch=-0.15, roll=0.1), Pose(yaw=-0.3, x=0.45, scale=0.3)]
)
def test_landmarks_lie_on_what_is_drawn(pose: Pose) -> None:
    """Upper lids and the line between the lips are dark: darker than the picture beside them."""
    face = render_face(Identity(mouth_curve=0.0), Scene(pose=pose, noise=0.0), {}, 320)
    grey = face.image.astype(int).sum(axis=2)
    for point, beside in ((61, 14), (63, 14), (62, 14), (43, 9), (37, 9), (38, 9), (44, 9)):
        x, y = np.rint(face.landmarks[point]).astype(int)
        assert grey[y, x] < 0.75 * grey[y - beside, x]


def test_points_scale_with_the_image() -> None:
    small_face, large = (render_face(Identity(), QUIET, {12: 0.5}, size).landmarks for size in (64, 224))
    assert (small_face + 0.5) * 3.5 == pytest.approx(large + 0.5, abs=0.01)


def test_camera_sees_back_what_it_projects() -> None:
    camera = Camera(relief_of(Identity()), Pose(yaw=0.3, pitch=0.15, roll=-0.1), 100.0)
    x, y = camera.unproject_grid(20)
    inside = (np.abs(x) < 0.9) & (np.abs(y - 0.1) < 1.1)
    pixels = camera.project(np.stack([x[inside], y[inside]], -1))
    row, column = np.nonzero(inside)
    expected = (np.stack([column, row], -1) + 0.5) * 5.0 - 0.5
    assert np.abs(pixels - expected).max() < 1.0


def test_yaw_turns_the_nose_to_the_right() -> None:
    def nose_against_eyes(yaw: float) -> float:
        points = render_face(Identity(), Scene(pose=Pose(yaw=yaw), noise=0.0), {}, 96).landmarks
        return float(points[30, 0] - points[[36, 45], 0].mean())

    assert nose_against_eyes(0.3) > 3
    assert nose_against_eyes(-0.3) < -3


def test_clips_are_told_apart_and_stand_together():
    faces = SyntheticFaces(split="test", fields=("clip", "subject"), subjects=6, clips=2, clip_length=3)
    clips = [int(faces[index]["clip"]) for index in range(len(faces))]
    assert len(set(clips)) == 2 * 2
    assert all(clips[start : start + 3] == [clips[start]] * 3 for start in range(0, len(clips), 3))
    assert faces.table.ids[4] == f"{faces.subject_ids()[0]}_1_1"


def test_parts_lie_where_the_points_are() -> None:
    sample = small(fields=("parts", "landmarks"), image_size=96)[3]
    parts, points = sample["parts"], sample["landmarks"]
    assert set(np.unique(parts).tolist()) <= set(range(len(PARTS)))

    def at(*numbers: int) -> str:
        x, y = points[list(numbers)].mean(0).round().astype(int)
        return PARTS[parts[y, x]]

    assert at(37, 38, 40, 41) == "eyes"
    assert at(30) == "nose"
    assert at(57, 66) == "lips"
    assert at(8, 57) == "skin"
    assert PARTS[parts[0, 0]] in ("background", "hair")


def test_the_names_of_parts_are_those_that_are_drawn() -> None:
    assert FACE_PARTS == PARTS


def test_the_intensity_grows_with_the_expression() -> None:
    data = small(fields=("intensity", "intensities"), action_units=FACE_AUS)
    strong = [
        (float(one["intensity"][0]), float(np.sort(one["intensities"])[-3:].mean()))
        for one in (data[k] for k in range(40))
    ]
    assert all(abs(exact - rounded / 5) < 0.11 for exact, rounded in strong)
    assert max(exact for exact, _ in strong) > 0.3


def test_whole_clips_are_samples_with_their_tracks() -> None:
    options = {"subjects": 3, "clips": 2, "clip_length": 5, "image_size": 32, "frames": 3, "seed": 1}
    fields = ("frames", "tracks", "clip", "emotion", "landmarks")
    clips = SyntheticFaces(split="all", fields=fields, samples="clips", **options)  # type: ignore[arg-type]
    frames = SyntheticFaces(split="all", fields=fields, **options)  # type: ignore[arg-type]
    assert (len(clips), len(frames)) == (6, 30)
    assert len(set(clips.table.clips.tolist())) == len(clips)
    assert [clips.table.ids[index] for index in range(2)] == [frames.table.ids[index] for index in (2, 7)]
    for index in range(len(clips)):
        for name, value in clips[index].items():
            assert (value == frames[5 * index + 2][name]).all()
        tracks = clips[index]["tracks"]
        assert tracks.shape == (3, 68, 2)
        for place, moment in enumerate((0, 2, 4)):
            assert (tracks[place] == frames[5 * index + moment]["landmarks"]).all()


# A sample for each clip


def test_the_strongest_frame_of_each_clip_is_its_sample() -> None:
    every = small(fields=("intensity", "image"))
    one = small(fields=("intensity", "image"), samples="strongest")
    assert len(one) == len(every) // 5
    for clip in range(len(one)):
        strengths = [float(every[clip * 5 + frame]["intensity"][0]) for frame in range(5)]
        best = int(np.argmax(strengths))
        assert one.clip_of(clip) == every.clip_of(clip * 5 + best)
        assert equal(one[clip], every[clip * 5 + best])


def test_the_table_of_strongest_frames_is_of_these_frames() -> None:
    one = small(fields=("emotion",), samples="strongest")
    places = [one.clip_of(index) for index in range(len(one))]
    assert list(zip(one.table.subjects.tolist(), one.table.frames.tolist(), strict=True)) == [
        (subject, frame) for subject, _, frame in places
    ]
    assert one.table.labels["emotion"].tolist() == [int(one[index]["emotion"]) for index in range(len(one))]
    assert one.table.ids[3] == "_".join(map(str, places[3]))


def test_what_is_stored_by_the_drawing_changes_with_each_file_that_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = shutil.copytree(
        Path(faces.__path__[0]), tmp_path / "faces", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(faces, "__path__", [str(copies)])
    seen = set()
    for file in sorted(copies.glob("*.py")):
        file.write_text(file.read_text() + "\n")
        drawing_version.cache_clear()
        seen.add(drawing_version())
    drawing_version.cache_clear()
    assert len(seen) == len(list(copies.glob("*.py"))) > 5


def test_units_that_are_not_of_the_expression_join_as_often_as_asked() -> None:
    from netcfg.datasets.faces.expression import EMOTIONS, FACE_AUS, PROTOTYPES, perform

    def joined(others: float) -> int:
        found = 0
        for subject in range(40):
            act = perform(3, subject, 0, 5, 7, others)
            emotion = EMOTIONS[max(act.emotion)]
            units = {FACE_AUS[place] for place in np.flatnonzero(act.activations.any(axis=(0, 2)))}
            found += len(units - set(PROTOTYPES[emotion]))
        return found

    none, half, all_ = (joined(others) for others in (0.0, 0.5, 1.0))
    assert none == 0
    assert 0.3 * all_ < half < 0.8 * all_


def test_an_expression_that_does_not_last_shows_in_few_frames() -> None:
    from netcfg.datasets.faces.expression import perform

    counts, firsts = [], set()
    for subject in range(60):
        brief = perform(3, subject, 0, 8, 7, lasting=0.25)
        whole = perform(3, subject, 0, 8, 7)
        assert max(brief.emotion) == max(whole.emotion)
        if max(brief.emotion):
            shown = np.flatnonzero(brief.emotion)
            assert np.array_equal(shown, np.arange(shown[0], shown[-1] + 1))
            counts.append(len(shown))
            firsts.add(int(shown[0]))
    assert 1 <= min(counts) <= max(counts) <= 3
    assert len(firsts) >= 6, "anywhere in the clip"


def test_an_expression_of_less_than_two_frames_is_refused() -> None:
    from netcfg.blocks.sources.synthetic_faces import SyntheticFaces as Section

    section = Section.model_validate({"lasting": 0.2, "clip_length": 8})
    assert section.conflict() == (
        "shows an expression in 1.6 frames (`lasting` of `clip_length`), and it takes two to be seen"
    )


def test_nearer_faces_are_a_part_of_a_larger_picture() -> None:
    fields = ("image", "landmarks", "parts")
    near = small(fields=fields, image_size=40, zoom=1.5)[3]
    whole = small(fields=fields, image_size=60)[3]
    left, top = 10, 17
    np.testing.assert_array_equal(near["image"], whole["image"][top : top + 40, left : left + 40])
    np.testing.assert_array_equal(near["parts"], whole["parts"][top : top + 40, left : left + 40])
    np.testing.assert_allclose(near["landmarks"] + (left, top), whole["landmarks"], atol=1e-4)
