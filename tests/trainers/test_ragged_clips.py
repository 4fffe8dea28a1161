"""Training and evaluation on clips of several lengths in one batch."""

import json
from dataclasses import replace
from math import isfinite

import numpy as np
import pytest
import torch

import netcfg
from netcfg.blocks.fields import LENGTHS, FieldSpec
from netcfg.blocks.sources.base import Source
from netcfg.datasets.pipeline import Pipeline, stacked
from netcfg.shapes import Symbolic

TEXT = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[normalise]
mean = 0.5
{Define stem}
[convolutional]
filters = 4
kernel_size = 3
stride = 2
pad = 1
batch_normalise = 1
activation = relu
[flatten]
{Net}
[net]
[input]
name = video
frames = T
channels = 3
height = 16
width = 16
[stem]
over = frames
statistics = each_frame
[output]
name = rows
from = -1
[gru]
hidden = 4
[frame_attention]
name = a
[connected]
from = a.value
output_features = 3
[output]
name = scores
{Frames}
[net]
[input]
name = rows
frames = T
features = 256
[connected]
output_features = 2
{Model}
[Net]
name = net
from = video
[Frames]
name = each
from = net.rows
{Loss}
[cross_entropy]
input = net.scores
target = emotion
[bce_with_logits]
name = units
input = each
target = unit_rows
{Optimizer}
[adam]
networks = Net, Frames
minimise = cross_entropy + units
{Metric}
[accuracy]
input = net.scores
target = emotion
{General}
[training]
batch_size = 4
max_epochs = 2
workers = 0
"""
LENGTHS_OF = [3, 5, 2, 7, 4, 6, 1, 3]


class Clips:
    def __init__(self, split, fields):
        self.split, self.fields = split, fields

    def __len__(self):
        return 10 if self.split == "train" else 6

    def __getitem__(self, index):
        random = np.random.default_rng((len(self.split), index))
        length, emotion = LENGTHS_OF[index % 8], index % 3
        video = (random.integers(0, 100, (length, 16, 16, 3)) + 50 * emotion).astype(np.uint8)
        rows = random.integers(0, 2, (length, 2)).astype(np.float32)
        everything = {"video": video, "unit_rows": rows, "emotion": np.int64(emotion)}
        return {name: everything[name] for name in self.fields}


class ClipSource(Source):
    """Not registered, so that no other test meets it."""

    def fields(self):
        frames = Symbolic.named("frames")
        return {
            "video": FieldSpec((frames, 3, 16, 16), "image"),
            "unit_rows": FieldSpec((frames, 2), "vector"),
            "emotion": FieldSpec((), "class", ("a", "b", "c")),
        }

    def open(self, split, fields):
        return Clips(split, tuple(fields))


@pytest.fixture
def program(monkeypatch):
    from netcfg.blocks.sources.synthetic_faces import SyntheticFaces

    monkeypatch.setattr(SyntheticFaces, "fields", ClipSource.fields)
    made = netcfg.load(TEXT)
    return replace(made, name="clips.cfg", data=made.data._replace(source=ClipSource()))


def test_batches_are_padded_and_say_how_long_clips_are(program):
    pipeline = Pipeline(program.data, "train", 4)
    batch = next(iter(pipeline.epoch()))
    assert batch.fields["video"].shape == (4, 7, 3, 16, 16)
    assert batch.fields["unit_rows"].shape == (4, 7, 2)
    assert batch.fields[LENGTHS + "frames"].tolist() == [3, 5, 2, 7]
    fields = pipeline.finish(batch)
    assert fields["video"].dtype == torch.float32


def test_the_model_makes_of_each_clip_what_it_makes_of_it_alone(program):
    from netcfg.trainers.step.model import Model

    networks = netcfg.build(program).eval()
    model = Model(program, networks)
    pipeline = Pipeline(program.data, "validation", 6)
    wanted = ["net.scores", "each", "unit_rows"]
    together = model.signals(pipeline.finish(next(iter(pipeline.epoch()))), wanted)
    alone = [model.signals(pipeline.finish(batch), wanted)
             for batch in Pipeline(program.data, "validation", 1).epoch()]  # fmt: skip
    for name in wanted:
        assert torch.allclose(together[name], torch.cat([one[name] for one in alone]), atol=1e-6), name
    assert len(together["each"]) == sum(LENGTHS_OF[:6])


def test_they_train_and_are_evaluated(program, make_trainer):
    trainer = make_trainer(program=program)
    assert trainer.fit() == "finished"
    figures = [json.loads(line) for line in (trainer.run.path / "metrics.jsonl").read_text().splitlines()]
    assert len(figures) == 2
    assert all(isfinite(record["train"]["units"]) for record in figures)
    assert all(isfinite(record["validation"]["losses"]["loss"]) for record in figures)


def test_what_is_no_number_is_found_in_clips_too(program, make_trainer):
    trainer = make_trainer(program=program)
    with torch.no_grad():
        trainer.networks["Frames"]["0"].weight.fill_(3e38)
    with pytest.raises(netcfg.ProgramError, match="first block that gives"):
        trainer.fit()


def test_a_loss_counts_no_padding(program):
    from netcfg.trainers.step.model import Model

    model = Model(program, netcfg.build(program))
    model.fill({LENGTHS + "frames": torch.tensor([1, 3])})
    signal = program.signals["each"]
    field = program.signals["unit_rows"]
    rows = torch.arange(12.0).view(2, 3, 2)
    ours, theirs = model.packed([signal, field], [rows, rows + 1])
    assert ours.tolist() == [[0, 1], [6, 7], [8, 9], [10, 11]]
    assert torch.equal(theirs, ours + 1)


def test_a_clip_without_frames_is_refused():
    with pytest.raises(netcfg.NetcfgError, match="no frame at all"):
        stacked(
            {"video": "vector"},
            [{"video": np.zeros((0, 3))}, {"video": np.zeros((2, 3))}],
            {"video": "frames"},
        )
    with pytest.raises(netcfg.NetcfgError, match="makes pictures of one size"):
        stacked(
            {"video": "vector"},
            [{"video": np.zeros((2, 3))}, {"video": np.zeros((2, 4))}],
            {"video": "frames"},
        )


def test_rows_and_single_values_are_not_compared(monkeypatch):
    from netcfg.blocks.sources.synthetic_faces import SyntheticFaces

    monkeypatch.setattr(SyntheticFaces, "fields", ClipSource.fields)
    _, findings = netcfg.compile.check(TEXT.replace("target = unit_rows", "target = emotion"))
    assert any("one is as long as its sample" in finding.message for finding in findings)


def test_batches_bounded_by_frames_give_the_figures_of_one_clip_at_a_time(tmp_path):
    from netcfg.datasets.sources.example_folders import write_clip_folder
    from netcfg.trainers.judging.evaluation import evaluate, gather
    from netcfg.trainers.step.model import Model
    from netcfg.trainers.step.step import Losses, Precision

    write_clip_folder(tmp_path, ("happy", "sad"))
    text = f"""
{{Data}}
[clip_folder]
path = {tmp_path}
image_size = 16
{{N}}
[net]
[input]
name = clip
frames = T
channels = 3
height = 16
width = 16
[flatten]
over = frames
[gru]
name = gru
hidden = 4
[output]
name = rows
from = gru
[connected]
from = gru.last
output_features = 2
[output]
name = scores
{{Loss}}
[cross_entropy]
input = N.scores
target = class
{{Metric}}
[accuracy]
input = N.scores
target = class
"""
    program = netcfg.load(text)
    assert program.data is not None
    networks = netcfg.build(program)
    model = Model(program, networks)
    losses = Losses(program, networks, Precision("f32", torch.device("cpu")))
    found, signals = [], []
    for most, frames in ((1, None), (12, 12), (16, None)):
        pipeline = Pipeline(program.data, "train", most, training=False, frames=frames)
        found.append((evaluate(model, losses, pipeline).losses["cross_entropy"], len(pipeline)))
        signals.append(gather(model, losses, pipeline, [], also=["N.scores", "class"])[1])
    for name in ("N.scores", "class"):
        torch.testing.assert_close(signals[1][name], signals[0][name], atol=1e-6, rtol=0)
    lengths = program.data.source.open("train", ("clip",)).lengths()
    assert (np.diff(lengths) < 0).any(), "shorter clips come first"
    assert found[1][0] == pytest.approx(found[0][0], abs=1e-6)
    assert found[2][0] == pytest.approx(found[0][0], abs=1e-6)
    assert found[1][1] < found[0][1]


def test_rows_of_samples_and_of_frames_come_back_in_the_order_of_samples():
    from netcfg.datasets.pipeline import FrameBound
    from netcfg.trainers.judging.evaluation import _by_number

    lengths = np.array([4, 1, 3, 2])
    bound = FrameBound(lengths, 100, by_length=True)
    assert bound.order.tolist() == [1, 3, 2, 0]
    assert _by_number(torch.tensor(bound.order), bound).tolist() == [0, 1, 2, 3]
    frames = torch.cat([torch.full((lengths[number],), number) for number in bound.order.tolist()])
    assert _by_number(frames, bound).tolist() == [0] * 4 + [1] + [2] * 3 + [3] * 2
    assert _by_number(frames, FrameBound(lengths, 100)) is frames
