"""The field `flow` of [optical_flow]: which frames it is of, and that it stays with its picture."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_clip import MovingClip
from numpy.typing import NDArray

import netcfg
from netcfg.blocks.samples import MovableSamples
from netcfg.datasets.flow.encoding import FlowPictures
from netcfg.datasets.flow.samples import FlowSamples, fitted
from netcfg.datasets.pipeline import Pipeline, open_samples
from netcfg.datasets.transforms.geometry import flip_flow
from netcfg.program import Data
from netcfg.source import NetcfgError

SIZE = 32
FACES = f"[synthetic_faces]\nsubjects = 3\nclips = 1\nclip_length = 5\nimage_size = {SIZE}\n"


def data_of(
    blocks: str, size: int = SIZE, faces: str = FACES, inputs: tuple[str, ...] = ("image", "flow")
) -> Data:
    """The data of a program whose network takes these fields."""
    ports = "".join(
        f"[input]\nname = {name}\nchannels = 3\nheight = {size}\nwidth = {size}\n" for name in inputs
    )
    joined = f"[combine_concat]\ncombine_layers = {', '.join(inputs)}\n" if len(inputs) > 1 else ""
    program = netcfg.load(f"{{Data}}\n{faces}{blocks}{{Net}}\n[net]\n{ports}{joined}[flatten]\n")
    assert program.data is not None
    return Data(program.data.source, program.data.transforms, program.data.fields, inputs, program.data.span)


def batches(data: Data, **options: Any) -> list[dict[str, NDArray[Any]]]:
    """All samples of an epoch of training, pictures as they lie in memory."""
    pipeline = Pipeline(data, "train", 4, **options)
    try:
        found = [batch.fields for batch in pipeline.epoch(options.get("seed", 0))]
    finally:
        pipeline.close()
    return [
        {name: field[row].movedim(0, -1).numpy() for name, field in batch.items()}
        for batch in found
        for row in range(len(batch["flow"]))
    ]


@lru_cache(maxsize=1)
def unchanged() -> list[dict[str, NDArray[Any]]]:
    samples = open_samples(data_of("[optical_flow]\ncache = None\n"), "train")
    return [samples[index] for index in range(len(samples))]


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_flow_is_that_which_drawn_faces_give_themselves(method: str) -> None:
    added = open_samples(data_of(f"[optical_flow]\nmethod = {method}\ncache = None\n"), "train")
    own = open_samples(data_of("", faces=f"{FACES}flow_method = {method}\n"), "train")
    assert len(added) == len(own) == 5
    for index in range(len(own)):
        assert np.array_equal(added[index]["flow"], own[index]["flow"])
        assert np.array_equal(added[index]["image"], own[index]["image"])
    assert not np.array_equal(added[0]["flow"], added[1]["flow"])
    assert np.array_equal(added[4]["flow"], added[3]["flow"])  # the last frame has its predecessor's


def test_what_is_asked_for_decides_how_flow_is_drawn() -> None:
    def first(options: str) -> NDArray[Any]:
        samples = open_samples(data_of(f"[optical_flow]\ncache = None\n{options}"), "train")
        return np.asarray(samples[0]["flow"], np.int64)

    fixed = first("encoding = fixed\nlimit = 100\n")
    assert np.abs(fixed[..., :2] - 127).max() < np.abs(first("")[..., :2] - 127).max()
    assert np.abs(fixed[..., :2] - 127).max() < 10


def test_flow_that_nobody_takes_is_not_made() -> None:
    data = data_of("[optical_flow]\n", inputs=("image",))
    assert not isinstance(open_samples(data, "train"), FlowSamples)


def test_flow_may_be_all_that_is_taken() -> None:
    samples = open_samples(data_of("[optical_flow]\ncache = None\n", inputs=("flow",)), "train")
    assert np.array_equal(samples[2]["flow"], unchanged()[2]["flow"])


@settings(max_examples=12, deadline=None)
@given(
    flips=st.booleans(),
    size=st.sampled_from([SIZE, 16, 48]),
    shuffle=st.sampled_from(["epoch", "once", "never"]),
    seed=st.integers(0, 1000),
    workers=st.just(0),
)
def test_flow_stays_with_its_picture(flips: bool, size: int, shuffle: Any, seed: int, workers: int) -> None:
    """However samples are shuffled, mirrored and scaled: pictures alike go with flows alike."""
    blocks = f"[optical_flow]\ncache = None\n[resize]\nsize = {size}\ninterpolation = nearest\n"
    blocks += "[horizontal_flip]\nprobability = 0.5\n" if flips else ""
    found = batches(data_of(blocks, size), shuffle=shuffle, seed=seed, workers=workers)
    assert len(found) == len(unchanged())
    known = {}
    for sample in unchanged():
        image, flow = (fitted(sample[name], None, (size, size)) for name in ("image", "flow"))
        known[image.tobytes()] = flow
        if flips:
            known[np.ascontiguousarray(image[:, ::-1]).tobytes()] = flip_flow(flow)
    for sample in found:
        assert np.array_equal(sample["flow"], known[np.ascontiguousarray(sample["image"]).tobytes()])


def test_workers_find_the_same_flow(tmp_path: Path) -> None:
    data = data_of(f"[optical_flow]\ncache = {tmp_path}\n")
    alone, together = batches(data, workers=0), batches(data, workers=2)
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one["flow"], other["flow"])


def test_flow_is_found_between_whole_frames_and_then_cut_out() -> None:
    pictures = FlowPictures()
    crop = (8, 32, 10, 34)
    whole, part = (
        FlowSamples(MovingClip(), pictures, None, None),
        FlowSamples(MovingClip(crop), pictures, (24, 24), None),
    )
    assert np.array_equal(part[0]["flow"], whole[0]["flow"][8:32, 10:34])
    halved = FlowSamples(MovingClip(crop), pictures, (12, 12), None)[0]["flow"]
    assert np.array_equal(halved, part[0]["flow"][::2, ::2])  # nearest neighbours: no mixed pixels


def test_a_box_that_reaches_beyond_its_frame_is_clipped_and_one_outside_refused() -> None:
    pictures = FlowPictures()
    clipped = FlowSamples(MovingClip((-8, 24, 80, 120)), pictures, None, None)[0]["flow"]
    assert clipped.shape == (24, 16, 3)
    with pytest.raises(NetcfgError, match="rows 60 to 80 .* outside of its frame of 48×96"):
        FlowSamples(MovingClip((60, 80, 0, 10)), pictures, None, None)[0]


def test_frames_of_unequal_size_are_refused() -> None:
    clip = MovingClip()
    clip.frames[1] = clip.frames[1][:40]
    with pytest.raises(NetcfgError, match="two frames of a clip have the sizes 48×96 and 40×96"):
        FlowSamples(clip, FlowPictures(), None, None)[0]


def test_what_the_source_can_tell_is_still_told() -> None:
    samples = FlowSamples(MovingClip(), FlowPictures(), None, None)
    assert samples.table.frames.tolist() == [0, 1, 2]
    assert samples.pair(2).key == "clip 1"
    assert samples.table.ids == ("a", "b", "c")
    assert not isinstance(samples, MovableSamples)
