"""`[pictures]` in a run: what is drawn, when, and that it changes nothing else."""

import errno
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny import SAMPLES, TEXT, tiny_program

import netcfg
from netcfg.passes.plan import plan
from netcfg.source import NetcfgError
from netcfg.trainers.reporting import gallery
from netcfg.trainers.reporting.gallery import last_batches, scale

PICTURES = f"{TEXT}\n[pictures]\nshow = image\nsamples = 3\ngradient_flow = True\n"


@pytest.fixture(autouse=True)
def no_curves(monkeypatch):
    monkeypatch.setattr("netcfg.trainers.fit.trainer.draw_curves", lambda *_: None)


@pytest.fixture
def no_plots(monkeypatch):
    """Plots take longest."""
    monkeypatch.setattr(gallery, "draw_gradient_flow", lambda *_: None)


def with_pictures(**variables):
    return tiny_program(PICTURES, epochs=2, **variables)


def test_pictures_and_plots_of_every_epoch_lie_in_the_run_folder(make_trainer):
    trainer = make_trainer(program=with_pictures())
    trainer.fit()
    names = [path.name for path in sorted(trainer.run.path.glob("*/*_*.png"))]
    assert names == ["adam_epoch_0001.png", "adam_epoch_0002.png", "epoch_0001.png", "epoch_0002.png"]


@pytest.mark.usefixtures("no_plots")
def test_a_run_with_pictures_has_the_same_bits_as_one_without(make_trainer):
    states = []
    for name, program in (("plain", tiny_program(epochs=2)), ("shown", with_pictures())):
        trainer = make_trainer(name, program=program)
        trainer.fit()
        weights = load_file(trainer.run.path / "checkpoints" / "last.safetensors")
        states.append([torch.get_rng_state(), *(weights[name] for name in sorted(weights))])
    assert all(torch.equal(first, second) for first, second in zip(*states, strict=True))
    assert list((trainer.run.path / "pictures").iterdir())


@pytest.mark.usefixtures("no_plots")
def test_every_epoch_shows_the_same_samples_in_their_own_colours(make_trainer):
    trainer = make_trainer(program=with_pictures())
    trainer.fit()
    first, second = (Image.open(path) for path in sorted((trainer.run.path / "pictures").iterdir()))
    assert np.array_equal(first, second)
    samples = trainer.validation_data._samples
    drawn = {tuple(colour) for colour in np.asarray(first).reshape(-1, 3).tolist()}
    seen = [
        {tuple(colour) for colour in samples[index]["image"].reshape(-1, 3).tolist()} <= drawn
        for index in range(SAMPLES["validation"])
    ]
    assert sum(seen) == 3


@pytest.mark.usefixtures("no_plots")
def test_without_validation_training_samples_are_shown(make_trainer, monkeypatch):
    monkeypatch.setitem(SAMPLES, "validation", 0)
    trainer = make_trainer(program=with_pictures())
    trainer.fit()
    assert len(list((trainer.run.path / "pictures").iterdir())) == 2


@pytest.mark.usefixtures("no_plots")
def test_many_samples_are_shown_below_each_other(make_trainer, monkeypatch):
    sheets = []
    monkeypatch.setattr(gallery, "draw_rows", lambda rows: sheets.append(rows) or Image.new("RGB", (1, 1)))
    monkeypatch.setitem(SAMPLES, "validation", 40)
    make_trainer(program=tiny_program(PICTURES.replace("samples = 3", "samples = 40"), epochs=1)).fit()
    assert [(name, len(pictures)) for name, pictures in sheets[0]] == [
        ("image", 16),
        ("image", 16),
        ("image", 8),
    ]


@pytest.mark.usefixtures("no_plots")
def test_a_picture_that_cannot_be_drawn_is_told_and_training_goes_on(make_trainer, console, monkeypatch):
    def fails(rows):
        raise ValueError("no paint left")

    monkeypatch.setattr(gallery, "draw_rows", fails)
    trainer = make_trainer(program=with_pictures())
    assert trainer.fit() == "finished"
    assert "no pictures of epoch 2: no paint left" in console.file.getvalue()


@pytest.mark.usefixtures("no_plots")
def test_a_full_disk_ends_the_run(make_trainer, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer = make_trainer(program=with_pictures())
    monkeypatch.setattr("netcfg.files.os.replace", full)
    with pytest.raises(NetcfgError, match=r"cannot write .*: No space left on device"):
        trainer.gallery.end_epoch(1)


def test_only_the_last_batch_of_a_phase_is_looked_at(make_trainer):
    trainer = make_trainer(program=with_pictures())
    watched = []
    for batch in range(5):
        trainer.gallery.watch(batch, 5)
        watched.append(trainer.phases.step.on_gradients is not None)
    assert watched == [False] * 4 + [True]
    program = netcfg.load(PICTURES.replace("schedule = linear", "every = 3"))
    assert last_batches(plan(program), 8) == {"adam": 5}


def test_gradients_are_shown_without_the_scale_of_half_precision(make_trainer):
    trainer = make_trainer(program=with_pictures())
    trainer.phases.steppers["adam"].scaler = SimpleNamespace(get_scale=lambda: 8.0)
    for weight in trainer.networks.parameters():
        weight.grad = torch.full_like(weight, -4.0)
    trainer.gallery.watch(4, 5)
    trainer.gallery._look("adam")
    names, means, largest = zip(*trainer.gallery._flow["adam"], strict=True)
    assert names == tuple(name for name, _ in trainer.networks.named_parameters())
    assert set(means) == set(largest) == {0.5}


def test_a_signal_of_a_network_has_the_colours_of_the_first_field():
    text = PICTURES.replace(
        "mean = 0.5\n", "mean = 0.5, 0.4, 0.3\nstd = 0.2\n[normalise]\nmean = 0.1\nstd = 2\n"
    )
    data = netcfg.load(text).data
    assert scale(data, "image", ("image",)) == (pytest.approx([0.52, 0.42, 0.32]), [0.4])
    assert scale(data, "reconstruction", ("image", "reconstruction")) == scale(data, "image", ())
    assert scale(data, "reconstruction", ("reconstruction",)) == scale(data, "image", ())


def test_events_hold_pictures_and_gradients(make_trainer):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    trainer = make_trainer(program=tiny_program(PICTURES, epochs=1))
    trainer.fit()
    events = event_accumulator.EventAccumulator(str(trainer.run.path / "tensorboard"))
    events.Reload()
    assert events.Tags()["images"] == ["pictures"]
    assert "gradient_mean/Net.0.weight" in events.Tags()["scalars"]
