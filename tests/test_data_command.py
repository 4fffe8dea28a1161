"""`netcfg data`: writes folders from drawn faces and from the databases' own layouts, converts, and shows."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from netcfg.blocks.sources.audetnet_folder import AudetnetFolder
from netcfg.cli.main import main
from netcfg.datasets.pictures.face_crop import crop_face, face_square, levelling, read_landmarks
from netcfg.datasets.samples.label_files import read_labels
from netcfg.datasets.sources import make_folder
from netcfg.datasets.sources.synthetic_faces import BP4D_AUS, DISFA_AUS
from netcfg.files import write_beside
from netcfg.source import NetcfgError


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def face_points(count=66, turn=0.0, centre=(100.0, 80.0)):
    """Points of a face 60 wide and 60 high, its eyes on a line turned by `turn` (radians)."""
    points = np.zeros((count, 2))
    points[:36] = np.random.default_rng(0).uniform(-30, 30, (36, 2))
    points[0], points[1] = (-30, -30), (30, 30)
    points[36:42], points[42:48] = (-15, -10), (15, -10)
    cos, sin = np.cos(turn), np.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]]) + centre


def write_pts(path, points):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{x} {y}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


def matlab(points, packed):
    """A MATLAB 5 file with one matrix `pts`."""

    def element(kind, body):
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    values = points.astype("<f8").tobytes("F")
    body = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<ii", *points.shape))
    body += struct.pack("<HH4s", 1, 3, b"pts") + element(9, values)
    matrix = element(14, body)
    if packed:
        data = zlib.compress(matrix)
        matrix = struct.pack("<II", 15, len(data)) + data
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + matrix


def test_a_folder_of_drawn_faces_can_be_trained_on(capsys):
    assert main(["data", "make", "audetnet", "demo", "--image-size", "64"]) == 0
    assert "12 pictures of 3 subjects" in capsys.readouterr().out
    source = AudetnetFolder(path="demo", image_size=(64,))
    train, test = (source.open(split, ("image", "labels")) for split in ("train", "test"))
    assert (len(train), len(test)) == (8, 4)
    assert train[0]["image"].shape == (64, 64, 3)
    assert {name[:5] for name in train.table.ids}.isdisjoint(name[:5] for name in test.table.ids)


def test_the_same_seed_writes_the_same_folder(tmp_path):
    for name in ("a", "b"):
        main(
            ["data", "make", "audetnet", name, "--image-size", "32", "--seed", "4", "--labels", "intensities"]
        )
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 15
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)
    assert read_labels(tmp_path / "a/aus_dict.pkl").values.max() > 1


@pytest.mark.parametrize("after", [0, 1, 7, 11])
def test_a_folder_that_was_not_finished_is_gone_on_with(tmp_path, monkeypatch, capsys, after):
    command = ["data", "make", "audetnet", "demo", "--image-size", "32"]
    written = []

    def stopping(path, data):
        if len(written) == after + 1:  # after the record
            (path.parent / f".{path.name}.half").write_bytes(data[:20])
            raise KeyboardInterrupt
        written.append(path)
        write_beside(path, data)

    monkeypatch.setattr(make_folder, "write_beside", stopping)
    assert main(command) == 130
    assert "interrupted while writing demo; the same command goes on" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--seed", "5"]) == 1
    assert "begun with other options" in capsys.readouterr().err
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.jpg")}
    assert len(kept) == after
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert main([*command[:3], "whole", *command[4:]]) == 0
    files = {
        path.relative_to(tmp_path / "demo"): path for path in (tmp_path / "demo").rglob("*") if path.is_file()
    }
    assert len(files) == 15
    assert all((tmp_path / "whole" / file).read_bytes() == path.read_bytes() for file, path in files.items())
    assert main(command) == 1
    assert "is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["make", "audetnet", "."], "is not empty, and nothing in it is overwritten\nhelp: "),
        (["make", "audetnet", "new", "--overwrite"], "overwrites nothing"),
        (["make", "audetnet", "new", "--from", "disfa"], "where is disfa?"),
        (["make", "audetnet", "new", "--from", "disfa", "."], "has no folder `ActionUnit_Labels`"),
        (["make", "audetnet", "new", "--from", "ckplus", "."], "there is no such source"),
        (["make", "audetnet", "new", "--images", "2", "--subjects", "4"], "2 images cannot show 4 subjects"),
        (["make", "audetnet", "new", "--folds", "1"], "leave training or test without any"),
        (["convert", "taken.txt", "-o", "taken.npz"], "labels are read from .pkl"),
        (["convert", "labels.csv", "-o", "taken.txt"], "converted to .npz or .csv"),
        (["show", "."], "looks like the folder of no source\nhelp: a folder is known by"),
        (["show", ".", "--data", "."], "`--data`: for programs, and this is a folder"),
        (["show", "nothing.cfg"], "there is no such file"),
    ],
)
def test_refusals_are_one_clear_message(arguments, message, tmp_path, capsys):
    (tmp_path / "taken.txt").write_text("")
    assert main(["data", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


# --- DISFA and BP4D


def write_disfa(folder, subjects=("SN001", "SN002", "SN003"), frames=4):
    for subject in subjects:
        labels = folder / "ActionUnit_Labels" / subject
        labels.mkdir(parents=True)
        for place, unit in enumerate(DISFA_AUS):
            rows = [f"{frame},{(place + frame) % 6}" for frame in range(1, frames + 1)]
            (labels / f"{subject}_au{unit}.txt").write_text("\n".join(rows) + "\n")
        for frame in range(frames):
            points = folder / "Landmark_Points" / subject / "tmp_frame_lm" / f"{subject}_{frame:04d}_lm.pts"
            write_pts(points, face_points())
    return folder


def write_video(path, frames=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (200, 160))
    for frame in range(frames):
        video.write(np.full((160, 200, 3), 40 * (frame + 1), np.uint8))
    video.release()


def test_disfa_becomes_a_folder(tmp_path, capsys):
    root = write_disfa(tmp_path / "disfa")
    for subject in ("SN001", "SN002", "SN003"):
        write_video(root / "Videos_LeftCamera" / f"LeftVideo{subject}_comp.avi")
    assert main(["data", "make", "audetnet", "out", "--from", "disfa", str(root), "--image-size", "64"]) == 0
    assert "12 pictures of 3 subjects, 1 of them" in capsys.readouterr().out
    train = AudetnetFolder(path="out", intensities=True, image_size=(64,)).open(
        "train", ("image", "intensities")
    )
    assert train.table.ids[:2] == ("SN002_1", "SN002_2")
    assert train[1]["intensities"].tolist() == [(place + 2) % 6 for place in range(12)]
    assert abs(int(train[1]["image"].mean()) - 80) <= 3


def test_disfa_frames_may_be_pictures_and_fewer(tmp_path):
    root = write_disfa(tmp_path / "disfa")
    for subject in ("SN001", "SN002", "SN003"):
        folder = root / "Images_LeftCamera" / subject
        folder.mkdir(parents=True)
        for frame in range(1, 5):
            cv2.imwrite(str(folder / f"{frame:05d}.png"), np.zeros((160, 200, 3), np.uint8))
    command = ["data", "make", "audetnet", "out", "--from", "disfa", str(root), "--every", "2"]
    assert main([*command, "--labels", "occurrence"]) == 0
    labels = read_labels(tmp_path / "out/aus_dict.pkl")
    assert labels.ids[:2] == ("SN001_1", "SN001_3")
    assert set(labels.values.ravel().tolist()) == {0.0, 1.0}


def test_bp4d_becomes_a_folder_and_says_what_it_left_out(tmp_path, capsys):
    root = tmp_path / "bp4d"
    (root / "AUCoding").mkdir(parents=True)
    units = range(1, 28)
    for subject in ("F001", "M002", "M003"):
        rows = [",".join(map(str, [0, *units]))]
        for frame in (2440, 2441, 2442):
            seen = 9 if frame == 2442 else 0
            rows.append(",".join(map(str, [frame, *(1 if unit == 12 else seen for unit in units)])))
        (root / "AUCoding" / f"{subject}_T1.csv").write_text("\n".join(rows))
        pictures = root / "2D+3D" / subject / "T1"
        pictures.mkdir(parents=True)
        for frame in range(2439, 2443):
            cv2.imwrite(str(pictures / f"{frame}.jpg"), np.full((90, 60, 3), 99, np.uint8))
    assert main(["data", "make", "audetnet", "out", "--from", "bp4d", str(root), "--image-size", "32"]) == 0
    out = capsys.readouterr().out
    assert "left out for units that were not coded (9): 3 frames" in out
    assert "without landmarks: 6 frames" in out
    labels = read_labels(tmp_path / "out/aus_dict.pkl")
    assert labels.ids[0] == "F001_T1_2440"
    assert labels.values[0].tolist() == [float(unit == 12) for unit in BP4D_AUS]


@pytest.mark.parametrize("turn", [-0.4, 0.0, 0.7])
def test_eyes_are_levelled(turn):
    points = face_points(turn=turn)
    matrix = levelling(points)
    turned = points @ matrix[:, :2].T + matrix[:, 2]
    assert turned[36:42, 1].mean() == pytest.approx(turned[42:48, 1].mean())
    assert turned[36:48].mean(0) == pytest.approx(points[36:48].mean(0))


def test_eyes_in_one_place_turn_nothing():
    points = face_points(turn=0.0)
    points[36:48] = points[36]
    assert np.allclose(levelling(points), [[1, 0, 0], [0, 1, 0]])


def test_the_square_is_enlarged_and_kept_inside():
    box = np.array([[70.0, 50.0], [130.0, 110.0]])
    assert face_square(box, 200, 200) == (61, 41, 78)
    assert face_square(box - 60, 200, 200)[:2] == (1, 0)
    assert face_square(box, 200, 70) == (65, 0, 70)


def test_a_turned_face_is_cut_out_upright():
    picture = np.zeros((200, 240, 3), np.uint8)
    points = face_points(68, turn=0.5, centre=(120, 100))
    for eye, colour in ((36, (255, 0, 0)), (42, (0, 255, 0))):
        cv2.circle(picture, tuple(points[eye : eye + 6].mean(0).round().astype(int).tolist()), 5, colour, -1)
    face = crop_face(picture, points, 100).astype(int)
    red, green = (np.argwhere(face[:, :, channel] > 128).mean(0) for channel in (0, 1))
    assert abs(red[0] - green[0]) < 1.5
    assert red[1] < green[1]


@pytest.mark.parametrize("packed", [False, True])
def test_landmarks_are_read_from_matlab_files(packed, tmp_path):
    path = tmp_path / "l0000_lm.mat"
    path.write_bytes(matlab(face_points(), packed))
    np.testing.assert_array_equal(read_landmarks(path), face_points())


def test_landmarks_that_cannot_be_read_are_named(tmp_path):
    for name, data in (("a.mat", matlab(face_points(), True)[:300]), ("b.pts", b"version: 1\n{\n1 x\n}")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(NetcfgError, match=f"{name} holds no landmarks"):
            read_landmarks(tmp_path / name)


# --- convert, show


def test_labels_are_converted_once_and_for_all(tmp_path):
    main(["data", "make", "audetnet", "demo", "--image-size", "16"])
    before = (tmp_path / "demo/aus_dict.pkl").read_bytes()
    for output in ("labels.npz", "labels.csv"):
        arguments = ["demo/aus_dict.pkl", "-o", output, "--action-units", "disfa"]
        assert main(["data", "convert", *arguments]) == 0
    assert (tmp_path / "demo/aus_dict.pkl").read_bytes() == before
    pickled, npz, csv = map(
        read_labels, (tmp_path / "demo/aus_dict.pkl", tmp_path / "labels.npz", tmp_path / "labels.csv")
    )
    assert pickled.ids == npz.ids == csv.ids
    assert npz.units == csv.units == DISFA_AUS
    np.testing.assert_array_equal(pickled.values, csv.values)
    np.testing.assert_array_equal(pickled.values, npz.values)


def test_a_csv_needs_the_names_of_its_units(capsys):
    main(["data", "make", "audetnet", "demo", "--image-size", "16"])
    assert main(["data", "convert", "demo/aus_dict.pkl", "-o", "labels.csv"]) == 1
    assert "help: `--action-units disfa`" in capsys.readouterr().err


def test_show_counts_units_and_draws_a_sheet(tmp_path, capsys):
    main(["data", "make", "audetnet", "demo", "--image-size", "32"])
    capsys.readouterr()
    assert main(["data", "show", "demo", "-o", "sheet.png", "--count", "7"]) == 0
    out = capsys.readouterr().out
    assert "AU26" in out
    assert "7 of 8 train samples" in out
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape[1] > 6 * 160
    assert len(np.unique(sheet)) > 50


def test_show_reads_a_program(tmp_path, capsys):
    file = tmp_path / "net.cfg"
    file.write_text(
        "{Data}\n[audetnet_folder]\nimage_size = 32\n{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[identity]\n"
    )
    main(["data", "make", "audetnet", "demo", "--image-size", "32"])
    assert main(["data", "show", "net.cfg", "--data", "demo"]) == 0
    assert "3×32×32" in capsys.readouterr().out
    assert main(["data", "show", "net.cfg"]) == 1
    assert "--data DIR" in capsys.readouterr().err


def test_show_puts_the_flow_of_a_program_beside_its_pictures(tmp_path, capsys):
    (tmp_path / "net.cfg").write_text(
        "{Data}\n[synthetic_faces]\nimage_size = 32\nsubjects = 3\nclips = 1\n[optical_flow]\n[horizontal_flip]\n"
        "{N}\n[net]\n[input]\nname = flow\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n"
    )
    assert main(["data", "show", "net.cfg", "-o", "sheet.png", "--count", "1"]) == 0
    assert "flow" in capsys.readouterr().out
    sheet = cv2.cvtColor(cv2.imread(str(tmp_path / "sheet.png")), cv2.COLOR_BGR2RGB)
    shown = sheet[4:84, 4:164]  # a picture and its flow, side by side, in a square of 160 pixels
    assert shown[:, :78, 2].min() < 250
    assert shown[:, 82:, 2].max() < 40  # flow has no blue
    assert shown[:, 82:, 0].mean() > 60
