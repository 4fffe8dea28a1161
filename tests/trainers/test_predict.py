"""`netcfg predict`: frames are judged as the data would be, at constant memory, into files that are always whole."""

import csv
import gc
import json
import re
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import netcfg
from netcfg.builder.weights import save_state
from netcfg.cli import predict
from netcfg.cli.main import main
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.pictures.frames import Frame, open_frames
from netcfg.datasets.pipeline import Pipeline
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.annotation import annotated
from netcfg.trainers.prediction.answers import Answer, answers_of
from netcfg.trainers.prediction.prediction import Prediction, ahead, predict_frames, with_flow
from netcfg.trainers.runs.trained import open_run
from netcfg.trainers.step.model import Model

cv2 = pytest.importorskip("cv2")

SIZE, LENGTH = 24, 5

TEXT = f"""
{{Data}}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = {LENGTH}
image_size = {SIZE}
action_units = $units
[normalise]
mean = 0.5

{{Net}}
[net]
[input]
name = image
channels = 3
height = {SIZE}
width = {SIZE}
[input]
name = flow
channels = 3
height = {SIZE}
width = {SIZE}
[combine_concat]
combine_layers = $inputs
[convolutional]
filters = 4
kernel_size = 3
stride = 2
batch_normalise = 1
activation = relu
[flatten]
[connected]
output_features = 2

{{Loss}}
[bce_with_logits]
name = detection
input = Net
target = labels
{{Optimizer}}
[adam]
networks = Net
minimise = detection
{{Metric}}
[f1]
input = Net
target = labels
threshold = 0.4
{{General}}
[variables]
units = 4, 12
inputs = image, flow
[training]
batch_size = 4
"""
ONLY_IMAGE = TEXT.replace("[input]\nname = flow\nchannels = 3\nheight = 24\nwidth = 24\n", "")


@pytest.fixture
def made(tmp_path):
    """`made(text)`: a program's file and its weights, as the start of a command line."""

    def make(text=TEXT, name="net", **variables):
        (tmp_path / f"{name}.cfg").write_text(text)
        program = netcfg.load(tmp_path / f"{name}.cfg", **variables)
        torch.manual_seed(1)
        networks = netcfg.build(program)
        save_state(tmp_path / f"{name}.safetensors", networks)
        return (
            program,
            networks,
            [str(tmp_path / f"{name}.cfg"), "--weights", str(tmp_path / f"{name}.safetensors")],
        )

    return make


@pytest.fixture
def clip(tmp_path, made):
    """A folder with the frames of the data's first test clip."""
    program, _, _ = made(name="source")
    samples = program.data.source.open("test", ("image",))
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(LENGTH):
        Image.fromarray(samples[index]["image"]).save(folder / f"frame{index + 8}.png")
    return folder


def predicted(file, weights, clip, output, *options):
    assert main(["predict", file, str(clip), *weights, "-o", str(output), *options]) == 0
    return output


@pytest.mark.parametrize(
    "block", ["", "[optical_flow]\nmethod = farneback\nencoding = fixed\nlimit = 4\n[normalise]"]
)
def test_frames_are_judged_as_the_data_would_be(made, clip, tmp_path, block):
    program, networks, (file, *weights) = made(TEXT.replace("[normalise]", block or "[normalise]"))
    networks.eval()
    pipeline = Pipeline(program.data, "test", 16)
    with torch.inference_mode():
        fields = pipeline.finish(next(iter(pipeline.epoch())))
        expected = Model(program, networks).signals(fields, ["Net"])["Net"][:LENGTH].sigmoid()
    rows = list(
        csv.DictReader(predicted(file, weights, clip, tmp_path / "out.csv", "--batch-size", "2").open())
    )
    found = [[float(row["AU04_p"]), float(row["AU12_p"])] for row in rows]
    assert np.allclose(found, expected.numpy(), atol=6e-5)
    assert [row["AU04_c"] for row in rows] == [str(int(value > 0.4)) for value in expected[:, 0].tolist()]
    assert [row["file"] for row in rows] == [f"frame{number}.png" for number in range(8, 13)]
    assert [row["frame"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert list(rows[0]) == [
        *("frame", "face_id", "timestamp", "confidence", "success"),
        *("AU04_c", "AU04_p", "AU12_c", "AU12_p", "file"),
    ]


def test_flow_is_found_as_the_data_find_it(made, clip, tmp_path):
    rough = TEXT.replace("[normalise]", "[optical_flow]\nmethod = farneback\ncache = None\n[normalise]")
    program, networks, (file, *weights) = made(rough)
    networks.eval()
    with torch.inference_mode():
        pipeline = Pipeline(program.data, "test", 16)
        fields = pipeline.finish(next(iter(pipeline.epoch())))
        expected = Model(program, networks).signals(fields, ["Net"])["Net"][:LENGTH].sigmoid()
    rows = list(csv.DictReader(predicted(file, weights, clip, tmp_path / "out.csv").open()))
    found = [[float(row["AU04_p"]), float(row["AU12_p"])] for row in rows]
    assert np.allclose(found, expected.numpy(), atol=6e-5)


def test_a_video_is_read_as_its_frames_are_and_json_says_the_same(made, clip, tmp_path):
    _, _, (file, *weights) = made(ONLY_IMAGE, inputs="image")
    options = ("--set", "inputs=image")
    video = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"FFV1"), 20.0, (SIZE, SIZE))
    for path in sorted(clip.iterdir(), key=lambda path: int(path.stem[5:])):
        video.write(cv2.imread(str(path)))
    video.release()
    of_frames = json.loads(predicted(file, weights, clip, tmp_path / "a.json", *options).read_text())
    of_video = json.loads(
        predicted(file, weights, tmp_path / "v.avi", tmp_path / "b.json", *options).read_text()
    )
    assert of_frames["answers"] == [
        {"signal": "Net", "kind": "labels", "names": ["AU4", "AU12"], "present_above": [0.4, 0.4]}
    ]
    for one, other in zip(of_frames["frames"], of_video["frames"], strict=True):
        assert one["AU12"]["confidence"] == pytest.approx(other["AU12"]["confidence"], abs=0.02)
    assert of_video["frames"][2]["timestamp"] == pytest.approx(2 / 20)
    assert of_frames["frames"][2]["timestamp"] is None


def test_one_picture_is_enough_without_flow_and_too_little_with_it(made, clip, tmp_path, capsys):
    picture = next(clip.iterdir())
    _, _, (file, *weights) = made(ONLY_IMAGE, "still", inputs="image")
    assert main(["predict", file, str(picture), *weights, "--set", "inputs=image"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    _, _, (file, *weights) = made()
    assert main(["predict", file, str(picture), *weights, "-o", str(tmp_path / "out.csv")]) == 1
    message = capsys.readouterr().err
    assert "is one picture, and the network reads optical flow, which is between two" in message
    assert not (tmp_path / "out.csv").exists()
    assert not list(tmp_path.glob(".out*"))


def test_what_came_before_a_damaged_frame_is_kept(made, clip, tmp_path, capsys):
    _, _, (file, *weights) = made(ONLY_IMAGE, inputs="image")
    (clip / "frame11.png").write_bytes(b"no picture")
    out = tmp_path / "out.csv"
    options = ("--set", "inputs=image", "--batch-size", "1")
    assert main(["predict", file, str(clip), *weights, "-o", str(out), *options]) == 1
    message = capsys.readouterr().err
    assert "frame11.png cannot be read" in message
    assert len(out.read_text().splitlines()) > 1
    assert f"what {len(out.read_text().splitlines()) - 1} frames before it gave is kept" in message


class Counter:
    """Says of each frame its number."""

    answers = (Answer("Net", "labels", "labels", ("AU1",)),)

    def __init__(self, flow):
        self.flow = flow

    def prepare(self, frame, flow):
        return {"number": frame.number}

    def predict(self, samples):
        return [np.array([[sample["number"]] for sample in samples])]


@pytest.mark.parametrize("flow", [None, FlowPictures("dis")])
@pytest.mark.parametrize("count", range(2, 14))
@pytest.mark.parametrize("size", [1, 4, 16])
def test_every_frame_before_a_break_is_predicted(flow, count, size):
    def frames():
        for number in range(1, count + 1):
            yield Frame(str(number), number, None, np.zeros((16, 16, 3), np.uint8), Path("clip"))
        raise NetcfgError("cut short")

    seen = []
    with pytest.raises(NetcfgError, match="cut short"):
        seen.extend(one.frame.number for one in predict_frames([Counter(flow)], frames(), size))
    assert seen == list(range(1, count + 1))


LONG_VIDEO = """
import sys
from pathlib import Path
import numpy as np
from netcfg.datasets.pictures.frames import Frame
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.annotation import AnnotatedVideo
from netcfg.trainers.prediction.prediction import Prediction
noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
video = AnnotatedVideo(Path(sys.argv[1]), 25.0)
for number in range(60):
    video.write(Prediction(Frame(str(number), number, None, noise, Path("clip")), ()))
try:
    video.close()
except NetcfgError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
@pytest.mark.parametrize("limit", ["unlimited", "40"])
def test_a_video_is_announced_when_all_its_frames_can_be_read_again(name, limit, tmp_path):
    """No file may grow beyond some blocks of 512 bytes: as on a full disk, of which video writers tell nobody."""
    (tmp_path / "write.py").write_text(LONG_VIDEO)
    command = f"ulimit -f {limit}; trap '' XFSZ; {sys.executable} write.py {name}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    if limit == "unlimited":
        assert done.stdout == ""
        assert len(list(open_frames(tmp_path / name))) == 60
    else:
        assert re.match(rf"cannot write {name}: of 60 frames \d+ can be read again\n", done.stdout)
        assert [path.name for path in tmp_path.iterdir()] == ["write.py"]


def test_memory_does_not_grow_with_the_clip():
    alive, most = 0, 0

    def gone():
        nonlocal alive
        alive -= 1

    def frames():
        nonlocal alive, most
        for number in range(1, 200):
            image = np.zeros((16, 16, 3), np.uint8)
            weakref.finalize(image, gone)
            alive += 1
            most = max(most, alive)
            yield Frame(str(number), number, None, image, Path("clip"))

    class Counter:
        answers = (Answer("Net", "labels", "labels", ("AU1",)),)
        flow = FlowPictures("dis")

        def prepare(self, frame, flow):
            assert flow is not None
            return {"number": frame.number}

        def predict(self, samples):
            return [np.array([[sample["number"]] for sample in samples])]

    seen = [int(one.answers[0][1][0]) for one in predict_frames([Counter()], frames(), 4)]
    assert seen == list(range(1, 200))
    gc.collect()
    assert most <= 4 * 6


def test_the_last_frame_has_the_flow_of_the_one_before():
    class Difference(FlowPictures):
        def __call__(self, first, second):
            return second - first

    wanted = Difference("dis")
    frames = [Frame(str(i), i, None, np.full((1, 1, 3), i * i, np.uint8), Path("clip")) for i in range(4)]
    assert [int(flows[wanted][0, 0, 0]) for _, flows in with_flow(frames, [wanted])] == [1, 3, 5, 5]


def test_a_reader_ahead_hands_on_what_went_wrong():
    def items():
        yield 1
        raise NetcfgError("gone")

    stream = ahead(items(), 2)
    assert next(stream) == 1
    with pytest.raises(NetcfgError, match="gone"):
        next(stream)


def test_frames_are_shown_with_their_confidences(made, clip, tmp_path):
    _, _, (file, *weights) = made()
    assert main(["predict", file, str(clip), *weights, "--annotate", str(tmp_path / "shown")]) == 0
    assert [path.name for path in sorted((tmp_path / "shown").iterdir())] == sorted(
        path.name for path in clip.iterdir()
    )
    assert main(["predict", file, str(clip), *weights, "--annotate", str(tmp_path / "v.avi")]) == 0
    video = cv2.VideoCapture(str(tmp_path / "v.avi"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == LENGTH


def test_a_video_that_is_read_is_not_written_over(made, clip, tmp_path, capsys):
    _, _, (file, *weights) = made()
    video = str(tmp_path / "v.avi")
    assert main(["predict", file, str(clip), *weights, "--annotate", video]) == 0
    before = Path(video).read_bytes()
    (tmp_path / "link.avi").symlink_to(video)
    for name in (video, str(tmp_path / "link.avi")):
        assert main(["predict", file, video, *weights, "--annotate", name]) == 1
        assert "is what is read, and would be lost\nhelp: another name" in capsys.readouterr().err
    assert Path(video).read_bytes() == before


def test_frames_of_another_size_stay_in_the_annotated_video(made, tmp_path):
    _, _, (file, *weights) = made(ONLY_IMAGE, "still", inputs="image")
    folder, video = tmp_path / "sizes", str(tmp_path / "v.avi")
    folder.mkdir()
    for number, size in enumerate([(300, 400), (401, 150), (150, 701), (300, 401)]):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((*size, 3), 60 * number, np.uint8))
    assert main(["predict", file, str(folder), *weights, "--set", "inputs=image", "--annotate", video]) == 0
    shown = cv2.VideoCapture(video)
    colours = [int(shown.read()[1][10, 10].mean()) for _ in range(4)]
    assert colours == pytest.approx([0, 60, 120, 180], abs=6)


def test_a_bar_is_as_long_as_its_confidence():
    answer = Answer("Net", "labels", "labels", ("AU1", "AU2"), (0.5, 0.5))
    frame = Frame("1", 1, None, np.zeros((300, 300, 3), np.uint8), Path("clip"))
    picture = annotated(Prediction(frame, ((answer, np.array([0.25, 0.75])),)))
    present, absent = (picture == (214, 96, 32)).all(2), (picture == (130, 160, 196)).all(2)
    assert present.any(0).sum() == pytest.approx(3 * absent.any(0).sum(), abs=3)


def test_two_runs_may_not_answer_the_same(made, clip, capsys, tmp_path):
    from netcfg.trainers.prediction.answers import expect_distinct

    program, _, _ = made()
    answer = answers_of(program)[0]
    with pytest.raises(NetcfgError, match="a and b both predict AU4"):
        expect_distinct([("a", answer), ("b", answer)])


def test_a_run_predicts_with_the_threshold_it_chose(make_trainer):
    from tiny import TEXT, tiny_program

    searched = TEXT.replace("[f1]\n", "[f1]\nthreshold = validation\n")
    trainer = make_trainer(program=tiny_program(searched, epochs=1))
    trainer.fit()
    trainer.run.write_json("run.json", {"program": "tiny.cfg"})
    trained = open_run(trainer.run.path, torch.device("cpu"))
    chosen = trainer.ledger.epochs[0].validation.thresholds["f1"]
    assert trained.thresholds == {"f1": chosen}
    above = answers_of(tiny_program(searched), trained.thresholds)[0].present_above
    assert all(least < threshold <= least + 1e-6 for least, threshold in zip(above, chosen, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{cfg}", "{clip}"], "which weights does {cfg} predict with?"),
        (["{clip}", "{clip}"], "is no run folder"),
        (["nowhere", "{clip}"], "nowhere does not exist"),
        (["{cfg}", "nowhere.mp4", *"--weights {w}".split()], "there is no nowhere.mp4"),
        (["{cfg}", "{clip}", *"--weights {w} -o a.txt".split()], "predictions are written as .csv or .json"),
        (["{cfg}", "{clip}", *"--weights {cfg}".split()], "is damaged"),
        (["{cfg}", "{clip}", *"--weights {w} --annotate {clip}".split()], "is not empty"),
    ],
)
def test_bad_input_gets_one_clear_line(made, clip, capsys, arguments, message):
    _, _, (file, _, weights) = made()
    names = {"cfg": file, "clip": str(clip), "w": weights}
    assert main(["predict", *(argument.format(**names) for argument in arguments)]) == 1
    error = capsys.readouterr().err
    assert message.format(**names) in error
    assert "Traceback" not in error


def test_a_batch_has_samples(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "run", "clip.mp4", "--batch-size", "0"])
    assert "--batch-size: must be a whole number from 1" in capsys.readouterr().err


def test_a_run_that_still_trains_is_read_whole(make_trainer, monkeypatch):
    """Its weights are replaced while they are read, and a line of its epochs is missing for a moment."""
    from tiny import TEXT, tiny_program

    from netcfg.trainers.runs import trained

    searched = TEXT.replace("[f1]\n", "[f1]\nthreshold = validation\n")
    trainer = make_trainer(program=tiny_program(searched, epochs=2))
    trainer.fit()
    trainer.run.write_json("run.json", {"program": "tiny.cfg"})
    lines = (trainer.run.path / "metrics.jsonl").read_text().splitlines(keepends=True)
    first, second = (json.loads(line)["validation"]["thresholds"] for line in lines)
    file = trainer.run.path / "metrics.jsonl"
    file.write_text(lines[0])
    epochs = iter([1, 1, 2, 2, 2, 2, 2])
    monkeypatch.setattr(type(trainer.run.checkpoints), "best_epoch", lambda self: next(epochs))
    monkeypatch.setattr(trained.time, "sleep", lambda seconds: file.write_text("".join(lines)))
    found = open_run(trainer.run.path, torch.device("cpu"))
    assert found.thresholds == {name: tuple(values) for name, values in second.items()}
    assert first.keys() == second.keys()


class Camera:
    """OpenCV's camera 0, which shows three pictures and is then unplugged."""

    opened = 0

    def __init__(self, number):
        self.number, self.left = number, 3
        Camera.opened += number == 0

    def isOpened(self):
        return self.number == 0

    def read(self):
        self.left -= 1
        return self.left >= 0, np.full((30, 40, 3), 60 * (self.left + 1), np.uint8)

    def release(self):
        pass


def test_a_camera_is_predicted_frame_by_frame_as_it_comes(made, clip, tmp_path, monkeypatch, capsys):
    _, _, (file, *weights) = made(ONLY_IMAGE, inputs="image")
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    assert (
        main(["predict", file, str(clip), "camera:0", *weights, "--set", "inputs=image", "--format", "csv"])
        == 0
    )
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["frame"] for row in rows[-3:]] == ["1", "2", "3"]
    assert len(rows) == LENGTH + 3
    assert all(row["file"].endswith("camera:0") for row in rows[-3:])
    assert float(rows[-1]["timestamp"]) >= 0
    assert main(["predict", file, "camera:1", *weights, "--set", "inputs=image"]) == 1
    assert "there is no camera 1 that OpenCV could open" in capsys.readouterr().err


def test_a_folder_of_many_videos_is_read_by_networks_that_are_made_once(made, tmp_path, monkeypatch):
    _, _, (file, *weights) = made(ONLY_IMAGE, inputs="image")
    (tmp_path / "videos").mkdir()
    for number in range(40):
        path = str(tmp_path / f"videos/{number}.avi")
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
        for level in (number, 200):
            writer.write(np.full((24, 32, 3), level, np.uint8))
        writer.release()
    loaded = []
    own = predict._trained
    monkeypatch.setattr(predict, "_trained", lambda *told: loaded.append(told) or own(*told))
    told = [
        file,
        str(tmp_path / "videos"),
        *weights,
        "--set",
        "inputs=image",
        "-o",
        str(tmp_path / "out.csv"),
    ]
    assert main(["predict", *told]) == 0
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert len(loaded) == 1
    assert [row["file"] for row in rows] == [f"{number}.avi" for number in range(40) for _ in range(2)]
