"""`[bp4d]`: by AUNets' lists and as handed out; pictures, flow and labels stay together."""

import face_trees as trees
import numpy as np
import pytest

from netcfg.blocks.samples import ClipSamples
from netcfg.blocks.sources.bp4d import Bp4d
from netcfg.datasets.pictures import notes
from netcfg.datasets.samples.subject_folds import BP4D_FOLDS, DISFA_FOLDS, subjects_of_split
from netcfg.source import NetcfgError

TRAIN, VALIDATION, TEST = ("F003", "F005"), ("F004",), ("F001", "F002")
FIELDS = ("image", "flow", "labels", "subject", "clip")


@pytest.fixture
def lists(tmp_path):
    """Crops, flow, and lists of AU12 and AU6."""
    notes._SAID.clear()
    trees.write_crops(tmp_path)
    parts = {"train": TRAIN, "val": VALIDATION, "test": TEST}
    trees.write_lists(tmp_path, {name: trees.crop_lines(people) for name, people in parts.items()})
    ones = {name: trees.crop_lines(people, label=1) for name, people in parts.items()}
    trees.write_lists(tmp_path, ones, unit=6)
    return tmp_path


@pytest.fixture
def database(tmp_path):
    notes._SAID.clear()
    trees.write_bp4d(tmp_path)
    return tmp_path


def listed(root, split="train", fields=FIELDS, **options):
    source = Bp4d(lists=str(root), **{"action_units": ("12",), "image_size": 64, **options})
    return source.open(split, fields)


def whole(root, split="train", fields=("image", "labels", "subject", "clip"), **options):
    source = Bp4d(path=str(root), **{"action_units": ("12",), "image_size": 64, **options})
    return source.open(split, fields)


def test_a_listed_picture_has_its_flow_its_label_and_its_subject(lists):
    samples = listed(lists)
    assert len(samples) == 8
    for index, (subject, frame) in enumerate((subject, frame) for subject in TRAIN for frame in range(4)):
        sample = samples[index]
        level = trees.shade(subject, frame)
        assert sample["image"][10, 10].tolist() == [level] * 3
        assert sample["flow"][10, 10].tolist() == [127 + level % 40, level, 0]
        assert sample["labels"].tolist() == [frame % 2]
        assert samples.table.ids[index] == f"{subject}_T1_{2440 + frame}"


def test_lists_of_several_units_are_read_together(lists):
    samples = listed(lists, action_units=("6", "12"))
    assert [samples[index]["labels"].tolist() for index in (0, 1)] == [[1, 0], [1, 1]]


def test_a_list_of_all_units_gives_the_wanted_columns(lists):
    for name, people in (("train", TRAIN), ("val", VALIDATION), ("test", TEST)):
        lines = [f"Faces/{subject}/T1/2440.png 0 0 0 1 0 0 1 0 0 0 9 0" for subject in people]
        (lists / "normal/fold_0" / f"{name}.txt").write_text("\n".join(lines))
    assert listed(lists, action_units=("12", "1", "6"))[0]["labels"].tolist() == [1, 0, 1]
    with pytest.raises(NetcfgError, match="lists no picture"):
        listed(lists, action_units=("12", "23"))  # 23 is not coded anywhere


def test_evaluation_is_clip_by_clip_in_the_order_of_time(lists):
    path = lists / "normal/fold_0/AU12/test.txt"
    path.write_text("\n".join(reversed(path.read_text().split("\n"))))
    samples = listed(lists, "test")
    clips, frames = samples.table.clips.tolist(), samples.table.frames.tolist()
    assert frames == [2440, 2441, 2442, 2443] * 2
    assert clips == [1] * 4 + [0] * 4  # the list comes to F002 first
    assert [int(samples[index]["clip"]) for index in range(len(samples))] == clips


def test_a_mirrored_copy_that_is_not_there_is_made(lists):
    lines = [line.replace("Faces/", "Faces_flip/") for line in trees.crop_lines(TRAIN)]
    trees.write_lists(lists, {"train": trees.crop_lines(TRAIN) + lines})
    samples = listed(lists)
    plain, mirrored = samples[1], samples[9]
    np.testing.assert_array_equal(mirrored["image"], plain["image"][:, ::-1])
    assert (plain["image"] != mirrored["image"]).any()
    np.testing.assert_array_equal(mirrored["flow"][..., 0], 254 - plain["flow"][:, ::-1, 0])


def test_lines_that_are_not_coded_are_left_out(lists, capsys):
    path = lists / "normal/fold_0/AU12/train.txt"
    path.write_text(path.read_text().replace("2440.png 0", "2440.png 9").replace("2441.png 1", "2441.png -1"))
    assert len(listed(lists)) == 4
    assert "left out for a label of 9 or -1 (not coded): 4 lines" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "damage", "message"),
    [
        ({}, lambda r: (r / "normal/fold_0/AU12/val.txt").unlink(), r"there is no list .*val.txt"),
        ({}, lambda r: (r / "normal/fold_0/AU12/val.txt").write_text(" \n"), "val.txt lists no picture"),
        ({}, lambda r: (r / "normal/fold_0/AU12/test.txt").write_text("a 1\nb two\n"), r"test.txt:2: `two`"),
        ({}, lambda r: (r / "normal/fold_0/AU12/test.txt").write_text("a\n"), r"test.txt:1: .*a path and a label"),
        ({}, lambda r: (r / "normal/fold_0/AU12/test.txt").write_text("a 3\n"), r"test.txt:1: `3` .*0 or 1; 9"),
        ({}, lambda r: trees.write_lists(r, {"val": trees.crop_lines(TRAIN)}), "2 subjects in both train and valid"),
        ({"action_units": ("24",)}, lambda r: None, "no lists of AU24: there are lists of AU06, AU12\nhelp: "),
        ({"fold": 2}, lambda r: None, r"no lists of fold 2 .*it has `fold_0`"),
        ({"mode": "aligned"}, lambda r: None, r"`aligned/fold_0`"),
        ({}, lambda r: (r / "Faces/F003/T1/2441.png").unlink(), r"a picture: 1 of 8 lines.*`/home.*2441.png`\nhelp: "),
        ({}, lambda r: (r / "Faces_Flow/F003/T1/2441.png").unlink(), r"a flow picture: 1 of 8.*Faces_Flow/F003"),
        ({}, lambda r: (r / "Faces/F003/T1/2440.png").write_bytes(b"no"), "2440.png cannot be read.*\n.*on_error"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_lists_is_one_clear_error(lists, options, damage, message):
    damage(lists)
    with pytest.raises(NetcfgError, match=message):
        listed(lists, **options)[0]


def test_missing_pictures_can_be_black_or_left_out_and_nothing_is_written(lists):
    (lists / "Faces/F003/T1/2441.png").unlink()
    before = sorted(lists.rglob("*"))
    black = listed(lists, missing="black")
    assert len(black) == 8
    assert not black[1]["image"].any()
    assert black[1]["flow"].any()
    assert [name[-4:] for name in listed(lists, missing="skip").table.ids[:2]] == ["2440", "2442"]
    assert sorted(lists.rglob("*")) == before


def test_broken_pictures_can_be_left_out(lists):
    (lists / "Faces_Flow/F003/T1/2440.png").write_bytes(b"no")
    assert listed(lists, on_error="skip").table.ids[0] == "F003_T1_2441"


def test_flow_that_nobody_asks_for_may_be_missing(lists):
    (lists / "Faces_Flow/F003/T1/2441.png").unlink()
    assert len(listed(lists, fields=("image", "labels"))) == 8


def test_pictures_may_lie_beside_the_lists(lists):
    samples = Bp4d(lists=str(lists / "normal"), action_units=("12",)).open("train", ("image",))
    assert samples[0]["image"].shape == (256, 256, 3)


def test_lists_leave_nothing_to_cut():
    assert Bp4d(lists="x", boxes=None).conflict() is None
    assert "for which `boxes` says nothing" in str(Bp4d(lists="x", boxes="y").conflict())


# --- as handed out


def test_subjects_of_the_folds_are_exclusive():
    for folds, count in ((BP4D_FOLDS, 41), (DISFA_FOLDS, 27)):
        everybody = [name for fold in folds for name in fold]
        assert len(everybody) == len(set(everybody)) == count


def test_the_validation_subject_is_at_place_fold_plus_two():
    everybody = [name for fold in BP4D_FOLDS for name in fold]
    for fold, wanted in enumerate(("F005", "F006", "F008")):
        tested = BP4D_FOLDS[fold]
        assert subjects_of_split(everybody, "validation", tested, fold, 1) == [wanted]
        train = subjects_of_split(everybody, "train", tested, fold, 1)
        assert len(train) == 41 - len(tested) - 1
        assert not {wanted, *tested} & set(train)


def test_bp4d_as_handed_out_is_cut_by_its_boxes(database):
    samples = whole(database, boxes=str(database / "boxes"))
    assert isinstance(samples, ClipSamples)
    # fold 0: F001 and F002 are tested; of F003 F004 F005 F006 M003 the one at place 2 is for validation
    assert {name[:4] for name in samples.table.ids} == {"F003", "F004", "F006", "M003"}
    sample = samples[1]
    assert np.unique(sample["image"]).tolist() == [trees.shade("F003", 1)]
    assert sample["labels"].tolist() == [1]
    assert samples[2]["labels"].tolist() == [0]


def test_boxes_are_found_where_they_usually_lie(database):
    (database / "boxes").rename(database / "Face_Boxes")
    assert np.unique(whole(database)[1]["image"]).tolist() == [trees.shade("F003", 1)]


def test_without_boxes_or_landmarks_the_middle_is_taken_and_said(database, capsys):
    face = whole(database)[0]["image"]
    assert 0.1 < (face > 0).mean() < 0.3
    assert "face box or landmarks are known of no frame" in capsys.readouterr().err


def test_only_wanted_units_must_be_coded(database):
    path = database / "AUCoding/F003_T1.csv"
    header, *rows = path.read_text().strip().split("\n")
    path.write_text("\n".join([header, *(row[:-1] + "9" for row in rows)]))  # AU24
    assert whole(database).table.ids[0] == "F003_T1_2440"
    assert whole(database, action_units=("12", "24")).table.ids[0] == "F004_T1_2440"


def test_motion_is_that_to_the_next_frame_and_the_last_frame_has_the_pair_before(database):
    samples = whole(database, boxes=str(database / "boxes"))
    first, last = samples.pair(0), samples.pair(3)
    assert first.crop == (20, 60, 40, 80)
    levels = [trees.shade("F003", frame) for frame in range(4)]
    assert [frame().max() for frame in (first.first, first.second)] == levels[:2]
    assert [frame().max() for frame in (last.first, last.second)] == levels[2:]
    assert last.key == samples.pair(2).key != first.key
    table = samples.table
    assert [int(column[3]) for column in (table.subjects, table.clips, table.frames)] == [2, 2, 2443]


def test_a_frame_that_is_missing_or_alone_has_no_motion(database):
    for frame in (2440, 2441, 2442):
        (database / f"2D+3D/F003/T1/{frame}.png").unlink()
    samples = whole(database, missing="black")
    for index in (0, 3):
        pair = samples.pair(index)
        np.testing.assert_array_equal(pair.first(), pair.second())


def test_flow_on_disk_is_cut_by_the_same_box_and_the_last_frame_repeats(database):
    for subject in trees.SUBJECTS:
        for frame in range(3):
            flow = np.zeros((96, 128, 3), np.uint8)
            flow[20:60, 40:80] = trees.flow_picture(trees.shade(subject, frame), (40, 40))
            trees.write(database / "flow" / subject / "T1" / f"{2440 + frame}.png", flow)
    samples = whole(
        database, fields=("image", "flow"), boxes=str(database / "boxes"), flow=str(database / "flow")
    )
    for index in range(4):
        frame = min(index, 2)
        level = trees.shade("F003", frame)
        assert np.unique(samples[index]["flow"][..., 1]).tolist() == [level]


def test_turned_faces_do_not_fit_flow_that_is_not():
    assert "the pictures in `flow` are not turned" in str(Bp4d(crop="levelled", flow="x").conflict())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20\n60\n40\n", "is no face box\nhelp: four lines"),
        ("60\n60\n40\n80\n", "holds an empty box: rows 60 to 60"),
        ("200\n260\n40\n80\n", r"frame 2440 lies outside its frame of 96×128"),
    ],
)
def test_boxes_that_are_none(database, text, message):
    (database / "boxes/F003/T1/2440.txt").write_text(text)
    with pytest.raises(NetcfgError, match=message):
        whole(database, boxes=str(database / "boxes"))[0]


def test_a_fold_without_subjects_is_named(tmp_path):
    trees.write_bp4d(tmp_path, ("F001", "F003"))
    with pytest.raises(NetcfgError, match="fold 0 leaves the train split without a subject: of the 2"):
        whole(tmp_path)


def test_a_folder_that_is_none_is_said():
    with pytest.raises(NetcfgError, match="there is no folder nowhere"):
        Bp4d(path="nowhere").open("train", ("image",))
    with pytest.raises(NetcfgError, match="does not say where its folder is\nhelp: .*--data DIR"):
        Bp4d().open("train", ("image",))


def test_labels_other_than_coded_ones_are_named_with_their_line(database):
    path = database / "AUCoding/F003_T1.csv"
    path.write_text(path.read_text().replace("2441,0", "2441,7"))
    with pytest.raises(NetcfgError, match=r"F003_T1.csv:3: no coding of BP4D"):
        whole(database, action_units=("bp4d",))


def test_units_that_are_not_coded_are_named(database):
    with pytest.raises(NetcfgError, match=r"F001_T1.csv:1: AU26 is not coded; there are AU1, AU2, AU4"):
        whole(database, action_units=("12", "26"))
