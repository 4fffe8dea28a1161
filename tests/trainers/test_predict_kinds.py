"""`netcfg predict` answers in the kind of what a network was trained for: classes, masks, points and more."""

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli.main import main
from netcfg.datasets.pictures import notes
from netcfg.datasets.pictures.frames import Frame
from netcfg.datasets.pipeline import Pipeline
from netcfg.passes.read import shipped_folder
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer, answers_of
from netcfg.trainers.prediction.cells import areas, cells, columns, points_in_frame, sentence
from netcfg.trainers.prediction.drawn import class_map, laid_over, mask_png, seen_part
from netcfg.trainers.prediction.inputs import open_inputs
from netcfg.trainers.prediction.prediction import Prediction, Predictor
from netcfg.trainers.reporting.projection import projected
from netcfg.trainers.runs.trained import Trained
from netcfg.trainers.step.model import Model

SIZE, LENGTH = 24, 4

HEADS = {
    "class": ("[flatten]\n[connected]\noutput_features = 7", "cross_entropy", "emotion"),
    "number": ("[flatten]\n[connected]\noutput_features = 1", "mse", "intensity"),
    "embedding": ("[flatten]\n[connected]\noutput_features = 5", "triplet", "subject"),
    "points": (
        "[flatten]\n[connected]\noutput_features = 136\n[scale]\nfactors = 12\nshifts = 12\n"
        "[reshape]\nshape = 68, 2\naxes = objects, features",
        "l1",
        "landmarks",
    ),
    "mask": ("[convolutional]\nfilters = 8\nkernel_size = 1", "cross_entropy", "parts"),
    "picture": ("[convolutional]\nfilters = 3\nkernel_size = 1", "mse", "image"),
}
TEXT = f"""
{{Data}}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = {LENGTH}
image_size = {SIZE}
[normalise]
mean = 0.5
std = 0.25
{{Net}}
[net]
[input]
name = image
channels = 3
height = {SIZE}
width = {SIZE}
[convolutional]
filters = 4
kernel_size = 3
pad = 1
activation = tanh
HEAD
{{Loss}}
[LOSS]
name = error
input = Net
target = TARGET
{{Optimizer}}
[adam]
networks = Net
minimise = error
{{General}}
[training]
batch_size = 4
"""


@pytest.fixture
def made(tmp_path):
    """`made(kind)`: the start of a command line, and what the network gives of the data's first clip."""

    def make(kind):
        head, loss, target = HEADS[kind]
        text = TEXT.replace("HEAD", head).replace("LOSS", loss).replace("TARGET", target)
        file, weights = tmp_path / f"{kind}.cfg", tmp_path / f"{kind}.safetensors"
        file.write_text(text)
        program = netcfg.load(file)
        torch.manual_seed(3)
        networks = netcfg.build(program)
        save_state(weights, networks)
        networks.eval()
        pipeline = Pipeline(program.data, "test", LENGTH)
        with torch.inference_mode():
            fields = pipeline.finish(next(iter(pipeline.epoch())))
            signal = Model(program, networks).signals(fields, ["Net"])["Net"]
        return [str(file), "--weights", str(weights)], signal, program

    return make


@pytest.fixture
def clip(tmp_path):
    """A folder `faces/a` with the frames of the data's first test clip."""
    samples = netcfg.load(TEXT_OF_DATA).data.source.open("test", ("image",))
    folder = tmp_path / "faces" / "a"
    folder.mkdir(parents=True)
    for index in range(LENGTH):
        Image.fromarray(samples[index]["image"]).save(folder / f"f{index}.png")
    return folder.parent


TEXT_OF_DATA = TEXT.replace("HEAD", "[flatten]\n[connected]\noutput_features = 7").replace(
    "LOSS]\nname = error\ninput = Net\ntarget = TARGET",
    "cross_entropy]\nname = error\ninput = Net\ntarget = emotion",
)


def predicted(start, *arguments):
    file, *weights = start
    return main(["predict", file, *map(str, arguments), *weights])


def rows(path):
    return list(csv.DictReader(path.open()))


def test_a_mask_is_written_with_an_overlay_and_its_areas(made, clip, tmp_path):
    start, signal, program = made("mask")
    assert predicted(start, clip, "-o", tmp_path / "out") == 0
    for index, row in enumerate(rows(tmp_path / "out" / "predictions.csv")):
        expected = signal[index].argmax(0).numpy()
        written = np.asarray(Image.open(tmp_path / "out" / "parts" / "a" / f"f{index}.png"))
        assert np.array_equal(written, expected)
        names = program.data.fields["parts"].names
        shares = [float(row[f"parts_{name}_area"]) for name in names]
        assert shares == pytest.approx((np.bincount(expected.ravel(), minlength=8) / SIZE**2), abs=6e-5)
        overlay = cv2.imread(str(tmp_path / "out" / "parts_overlay" / "a" / f"f{index}.png"))
        picture = cv2.imread(str(clip / "a" / f"f{index}.png"))
        changed = (overlay != picture).any(2)
        assert not changed[expected == 0].any()
        assert row["file"] == f"a/f{index}.png"


def test_a_mask_has_the_size_of_the_picture(made, clip, tmp_path):
    start, signal, _ = made("mask")
    large = cv2.resize(cv2.imread(str(clip / "a" / "f0.png")), (4 * SIZE, 2 * SIZE))
    cv2.imwrite(str(tmp_path / "large.png"), large)
    assert predicted(start, tmp_path / "large.png", "-o", tmp_path / "out") == 0
    written = Image.open(tmp_path / "out" / "parts" / "large.png")
    assert written.size == (4 * SIZE, 2 * SIZE)
    assert written.mode == "P"


def test_class_maps_of_a_formula():
    shares = np.zeros((3, 2, 2), np.float32)
    shares[0], shares[2, 0, 0], shares[1, 1, 1] = 0.4, 0.6, 0.6
    assert class_map(shares, 2, 2).tolist() == [[2, 0], [0, 1]]
    assert class_map(shares, 8, 8)[0, 0] == 2
    assert areas(shares).tolist() == [0.5, 0.25, 0.25]
    picture = np.full((2, 2, 3), 100, np.uint8)
    over = laid_over(picture, class_map(shares, 2, 2))
    assert (over != picture).any(2).tolist() == [[True, False], [False, True]]
    many = np.array([[0, 300]], np.uint16)
    assert np.asarray(Image.open(io.BytesIO(mask_png(many)))).tolist() == [[0, 300]]


def test_points_lie_in_the_pixels_of_the_picture_that_was_given(made, clip, tmp_path):
    start, signal, _ = made("points")
    picture = cv2.imread(str(clip / "a" / "f0.png"))
    # Each pixel as four: seen at the network's size it is the same picture.
    cv2.imwrite(str(tmp_path / "two.png"), picture.repeat(2, 0).repeat(2, 1))
    assert predicted(start, tmp_path / "two.png", "-o", tmp_path / "out") == 0
    (row,) = rows(tmp_path / "out" / "predictions.csv")
    found = np.array([[float(row[f"{axis}_{place}"]) for axis in "xy"] for place in range(68)])
    assert found == pytest.approx((signal[0].numpy() + 0.5) * 2 - 0.5, abs=0.006)
    drawn = cv2.imread(str(tmp_path / "out" / "landmarks" / "two.png"))
    assert drawn.shape[0] >= 240
    assert (drawn == (60, 60, 235)).all(2).any()


def test_numbers_stand_in_the_table_as_the_network_gives_them(made, clip, tmp_path, capsys):
    start, signal, _ = made("number")
    assert predicted(start, clip, "-o", tmp_path / "out.csv") == 0
    found = [float(row["intensity"]) for row in rows(tmp_path / "out.csv")]
    assert found == pytest.approx(signal.flatten().tolist(), abs=1e-5)
    capsys.readouterr()
    assert predicted(start, clip, "--format", "text") == 0
    assert f"a/f0.png: intensity {signal.flatten()[0]:.4g}\n" in capsys.readouterr().out


def test_embeddings_are_kept_as_arrays_and_projected(made, clip, tmp_path):
    start, signal, _ = made("embedding")
    (clip / "b").mkdir()
    (clip / "a" / "f3.png").rename(clip / "b" / "f3.png")
    assert predicted(start, clip, "-o", tmp_path / "out") == 0
    kept = np.load(tmp_path / "out" / "Net.npz")
    assert np.allclose(kept["embedding"], signal.numpy(), atol=1e-5)
    assert kept["id"].tolist() == ["a/f0.png", "a/f1.png", "a/f2.png", "b/f3.png"]
    assert Image.open(tmp_path / "out" / "Net_projection.png").size[0] > 300
    row = rows(tmp_path / "out" / "predictions.csv")[3]
    assert [float(row[f"Net_{place}"]) for place in range(5)] == pytest.approx(signal[3].tolist(), abs=1e-5)


def test_a_projection_is_that_of_the_singular_vectors():
    values = np.random.default_rng(0).normal(size=(50, 6)) * [5, 1, 3, 0.1, 0.1, 0.1]
    plane, shares = projected(values)
    centred = values - values.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(np.abs(plane), np.abs(left[:, :2] * sizes[:2]))
    assert shares == pytest.approx(sizes[:2] ** 2 / (sizes**2).sum())
    flat, shares = projected(np.array([[1.0], [2.0], [4.0]]))
    assert flat[:, 0].tolist() == pytest.approx([-4 / 3, -1 / 3, 5 / 3])
    assert flat[:, 1].tolist() == [0, 0, 0]
    assert shares.tolist() == [1, 0]
    still, shares = projected(np.ones((4, 3)))
    assert not still.any()
    assert not shares.any()


def test_pictures_are_written_in_their_colours(made, clip, tmp_path, capsys):
    start, signal, _ = made("picture")
    assert predicted(start, clip, "-o", tmp_path / "out") == 0
    colours = (signal[1] * 0.25 + 0.5).clamp(0, 1).mul(255).round().permute(1, 2, 0).numpy()
    written = np.asarray(Image.open(tmp_path / "out" / "Net" / "a" / "f1.png"), np.float32)
    assert np.abs(written - colours).max() <= 1
    assert predicted(start, clip) == 1
    message = capsys.readouterr().err
    assert "answers with pictures, `Net`, which are nothing for a table\nhelp: `-o FOLDER`" in message


def test_a_line_names_the_five_likeliest_classes(made, clip, capsys):
    start, signal, program = made("class")
    assert predicted(start, clip / "a" / "f0.png", "--format", "text") == 0
    names = program.data.fields["emotion"].names
    order = signal[0].softmax(0).argsort(descending=True)[:5].tolist()
    shown = ", ".join(f"{names[i]} {signal[0].softmax(0)[i]:.2f}" for i in order)
    assert capsys.readouterr().out == f"f0.png: emotion {shown}\n"


def frame(height=10, width=20):
    return Frame("f", 1, None, np.zeros((height, width, 3), np.uint8), Path("f.png"))


def test_every_kind_says_the_same_in_cells_and_in_json(tmp_path, made, clip):
    for kind in HEADS.keys() - {"picture"}:
        start, *_ = made(kind)
        assert predicted(start, clip, "-o", tmp_path / f"{kind}.csv") == 0
        assert predicted(start, clip, "-o", tmp_path / f"{kind}.json") == 0
        row = rows(tmp_path / f"{kind}.csv")[0]
        said = json.loads((tmp_path / f"{kind}.json").read_text())["frames"][0]
        match kind:
            case "class":
                assert said["emotion"]["name"] == row["emotion"]
            case "number":
                assert said["intensity"] == pytest.approx(float(row["intensity"]), abs=1e-5)
            case "embedding":
                assert said["Net"] == [float(row[f"Net_{place}"]) for place in range(5)]
            case "points":
                assert said["landmarks"][3] == [float(row["x_3"]), float(row["y_3"])]
            case "mask":
                share = said["parts"]["areas"]["skin"]
                assert share == pytest.approx(float(row["parts_skin_area"]), abs=6e-5)


def test_answers_with_the_same_names_have_their_signals_before_them():
    both = [Answer("A", "x", "number", ("x",)), Answer("B", "x", "number", ("x",))]
    assert columns(both) == ["A_x", "B_x"]
    said = cells(Prediction(frame(), ((both[0], np.array([1.5])), (both[1], np.array([2.0])))))
    assert said == ["1.5", "2"]


def test_points_of_a_picture_of_unknown_size_stay():
    points = np.array([[1.0, 2.0]])
    assert points_in_frame(Answer("A", "p", "points"), points, Prediction(frame(), ())) is points
    moved = points_in_frame(Answer("A", "p", "points", size=(5, 5)), points, Prediction(frame(), ()))
    assert moved.tolist() == [[(1.5) * 4 - 0.5, (2.5) * 2 - 0.5]]


def test_labels_of_which_none_is_present_are_said_so():
    answer = Answer("A", "labels", "labels", ("AU1", "AU2"), (0.5, 0.5))
    assert sentence(answer, np.array([0.2, 0.5])) == "none of 2 labels"
    assert sentence(answer, np.array([0.2, 0.6])) == "AU2 0.60"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("face_parts", ["mask"]),
        ("face_points", ["points"]),
        ("expression_intensity", ["number"]),
        ("subject_embedding", ["embedding"]),
        ("expression_resnet18", ["class"]),
        ("vae", ["picture"]),
        ("vq_vae", ["picture"]),  # shown, and judged: one picture
        ("simclr", ["embedding"]),  # judged by two fields
        ("subject_arcface", ["embedding"]),
        ("face_many_tasks", ["class", "labels", "points"]),
        ("distillation", ["class", "class"]),
    ],
)
def test_shipped_programs_answer_as_what_they_are(name, kinds):
    program = netcfg.load(shipped_folder() / "zoo" / f"{name}.cfg")
    assert [answer.kind for answer in answers_of(program)] == kinds


# --- what is predicted


def test_files_folders_patterns_and_lists_are_taken(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (clip / "b").mkdir()
    cv2.imwrite(str(clip / "b" / "x.png"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "list.txt").write_text("# some\nfaces/a/f1.png\n\nfaces/b/x.png\n")

    def names(*inputs):
        found = open_inputs(inputs)
        return [found.named(frame) for one in found for frame in one]

    every = ["a/f0.png", "a/f1.png", "a/f2.png", "a/f3.png", "b/x.png"]
    assert names("faces") == every
    assert names("faces/**/*.png") == every
    assert names("faces/*/*.png", "faces/a/f1.png") == every
    assert names("faces/a") == [name[2:] for name in every[:4]]
    assert names("list.txt") == ["a/f1.png", "b/x.png"]
    assert names("faces/b/x.png") == ["x.png"]
    assert len(open_inputs(["faces/a/f0.png", "faces/a/f1.png"]).clips) == 1
    for wrong, message in (
        (["nothing*"], "nothing is called"),
        (["list2.txt"], "there is no list2.txt"),
        (["empty.txt"], "names no file"),
        (["lost.txt"], "lost.txt, line 1: there is no gone.png"),
        (["void"], "the folder void holds no pictures"),
    ):
        (tmp_path / "empty.txt").write_text("#\n")
        (tmp_path / "lost.txt").write_text("gone.png\n")
        (tmp_path / "void").mkdir(exist_ok=True)
        with pytest.raises(NetcfgError, match=message):
            open_inputs(wrong)


def test_pictures_of_one_name_do_not_replace_each_other(made, tmp_path):
    start, *_ = made("mask")
    (tmp_path / "in").mkdir()
    for ending in ("png", "jpg"):
        cv2.imwrite(str(tmp_path / "in" / f"x.{ending}"), np.zeros((SIZE, SIZE, 3), np.uint8))
    assert predicted(start, tmp_path / "in", "-o", tmp_path / "out") == 0
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 2


def test_nothing_is_overwritten_unasked(made, clip, tmp_path, capsys):
    start, *_ = made("class")
    out = tmp_path / "out.csv"
    out.write_text("mine")
    assert predicted(start, clip, "-o", out) == 1
    assert "out.csv is there already, and nothing is overwritten" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert predicted(start, clip, "-o", out, "--overwrite") == 0
    assert len(rows(out)) == LENGTH
    assert predicted(start, clip, "-o", clip) == 1
    assert "is not empty, and nothing is overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (2500, 2)])
def test_pictures_of_any_shape_are_predicted(made, tmp_path, size):
    cv2.imwrite(str(tmp_path / "odd.png"), np.full((*size, 3), 90, np.uint8))
    for kind in ("mask", "points"):
        start, *_ = made(kind)
        assert predicted(start, tmp_path / "odd.png", "-o", tmp_path / f"out_{kind}") == 0
        assert predicted(start, tmp_path / "odd.png", "--annotate", tmp_path / f"shown_{kind}") == 0
    assert Image.open(tmp_path / "out_mask" / "parts" / "odd.png").size == size[::-1]


def test_what_cannot_be_read_is_left_out_where_that_is_asked(made, clip, tmp_path, capsys):
    start, *_ = made("class")
    whole = (clip / "a" / "f1.png").read_bytes()
    (clip / "a" / "f1.png").write_bytes(whole[: len(whole) // 2])
    assert predicted(start, clip, "-o", tmp_path / "out.csv", "--on-error", "skip") == 0
    assert [row["file"] for row in rows(tmp_path / "out.csv")] == ["a/f0.png", "a/f2.png", "a/f3.png"]
    assert "left out:" in capsys.readouterr().err


def test_runs_stand_before_what_is_predicted(made, clip, capsys):
    file, *weights = made("class")[0]
    assert main(["predict", file, str(clip), file, *weights]) == 1
    assert "is a run, and stands after what is to be predicted" in capsys.readouterr().err
    assert main(["predict", file, file, str(clip), *weights]) == 1
    assert "is named twice" in capsys.readouterr().err


# --- what a network sees of a picture


CUT = """
{Data}
[image_folder]
path = folder
image_size = 24
fit = FIT
STEPS
[normalise]
mean = 0.5
{Net}
[net]
[input]
name = image
channels = 3
height = SIDE
width = SIDE
[flatten]
[connected]
output_features = 2
{Loss}
[cross_entropy]
input = Net
target = class
{Optimizer}
[adam]
networks = Net
minimise = cross_entropy
{Metric}
[accuracy]
input = Net
target = class
{General}
[training]
batch_size = 4
"""


@pytest.mark.parametrize(
    ("fit", "steps", "side", "box"),
    [
        ("stretch", "", 24, None),
        ("crop", "", 24, (10, 0, 50, 40)),
        ("pad", "", 24, (0, -10, 60, 50)),
        ("stretch", "[center_crop]\nsize = 12", 12, (15, 10, 45, 30)),
        ("crop", "[resize]\nsize = 32\n[center_crop]\nsize = 16", 16, (20, 10, 40, 30)),
    ],
)
def test_pictures_are_seen_as_the_source_and_the_transforms_show_them(
    tmp_path, monkeypatch, fit, steps, side, box
):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for number in range(12):
        place = tmp_path / "folder" / ("a", "b")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{number}.png"), random.integers(0, 255, (40, 60, 3), np.uint8))
    text = CUT.replace("FIT", fit).replace("STEPS", steps).replace("SIDE", str(side))
    (tmp_path / "net.cfg").write_text(text)
    program = netcfg.load(tmp_path / "net.cfg")
    torch.manual_seed(0)
    networks = netcfg.build(program).eval()
    save_state(tmp_path / "w.safetensors", networks)
    pipeline = Pipeline(program.data, "test", 8)
    with torch.inference_mode():
        fields = pipeline.finish(next(iter(pipeline.epoch())))
        expected = Model(program, networks).signals(fields, ["Net"])["Net"].softmax(1).tolist()
    assert predicted(["net.cfg", "--weights", "w.safetensors"], "folder", "-o", "out.csv") == 0
    found = {row["file"]: row for row in rows(tmp_path / "out.csv")}
    for name, shares in zip(pipeline.ids, expected, strict=True):
        assert [float(found[name][f"class_{kind}_p"]) for kind in "ab"] == pytest.approx(shares, abs=6e-5)
    one = Predictor(Trained("net", program, networks), torch.device("cpu"))
    seen = one.box(40, 60)
    assert seen == (None if box is None else pytest.approx(box, abs=0.02))


def test_masks_and_points_lie_in_the_part_that_was_seen():
    shares = np.zeros((2, 4, 4), np.float32)
    shares[1] = 1.0
    classes = class_map(shares, 10, 20, (5, 0, 15, 10))
    assert classes[:, 5:15].all()
    assert not classes[:, :5].any()
    assert not classes[:, 15:].any()
    shares = np.random.default_rng(0).random((3, 6, 6)).astype(np.float32)
    part = class_map(shares, 12, 12)
    assert np.array_equal(class_map(shares, 20, 30, (7, 3, 19, 15))[3:15, 7:19], part)
    assert np.array_equal(part, np.stack([cv2.resize(one, (12, 12)) for one in shares]).argmax(0))
    answer = Answer("A", "p", "points", size=(4, 4), box=(5.0, 0.0, 15.0, 10.0))
    seen = points_in_frame(answer, np.array([[-0.5, -0.5], [3.5, 3.5]]), Prediction(frame(10, 20), ()))
    assert seen.tolist() == [[4.5, -0.5], [14.5, 9.5]]


def test_the_part_that_was_seen_is_cut_out_of_a_frame():
    picture = np.arange(1, 49, dtype=np.uint8).reshape(4, 12, 1).repeat(3, 2)
    assert seen_part(picture, None) is picture
    assert np.array_equal(seen_part(picture, (3.0, 0.0, 7.0, 4.0)), picture[:, 3:7])
    padded = seen_part(picture, (0.0, -4.0, 12.0, 8.0))
    assert padded.shape == (12, 12, 3)
    assert np.array_equal(padded[4:8], picture)
    assert not padded[:4].any()


def test_of_animated_pictures_the_first_frame_is_taken_and_that_is_said(made, tmp_path, capsys):
    start, *_ = made("class")
    frames = [Image.fromarray(np.full((SIZE, SIZE, 3), 80 * number, np.uint8)) for number in range(3)]
    for name in ("still.webp", "moving.webp", "still.png", "moving.png"):
        more = frames[1:] if name.startswith("moving") else []
        frames[0].save(tmp_path / name, save_all=bool(more), append_images=more, lossless=True)
    assert predicted(start, tmp_path / "still.webp", tmp_path / "still.png") == 0
    assert "animated" not in capsys.readouterr().err
    assert predicted(start, *(tmp_path / name for name in ("still.png", "moving.webp", "moving.png"))) == 0
    captured = capsys.readouterr()
    assert "of animated pictures the first frame is taken: 2 pictures" in captured.err
    shares = {line.split(",")[6:-1][0] for line in captured.out.splitlines()[1:]}
    assert len(shares) == 1


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("feratt", {"class", "picture"}), ("feratt_rep", {"class", "picture", "embedding"})],
)
def test_a_program_of_several_answers_gives_them_all(name, kinds):
    program = netcfg.load(shipped_folder() / f"{name}.cfg", preset="demo")
    assert {answer.kind for answer in answers_of(program)} == kinds


def test_what_makes_pictures_out_of_more_is_not_done_to_pictures(tmp_path, monkeypatch, capsys):
    """FERAtt is trained on faces before backgrounds: a picture that is given is taken for such a one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notes, "_SAID", set())
    options = {"width": "4"}
    program = netcfg.load(shipped_folder() / "feratt_rep.cfg", preset="demo", **options)
    networks = netcfg.build(program)
    one = Predictor(Trained("feratt", program, networks), torch.device("cpu"), into_folder=True)
    assert "pictures are taken for what [align_face], [over_background] in {Data}" in capsys.readouterr().err
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    sample = one.prepare(Frame("f", 1, None, picture, Path("f.png")), None)
    assert np.array_equal(sample["image"], picture)
    values = one.predict([sample, sample])
    assert [array.shape[0] for array in values] == [2] * len(one.answers)
