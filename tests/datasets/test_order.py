"""In what order samples are shown: by weights, in batches of classes, group by group; clips bounded by their frames."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import netcfg
from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.registry import find
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.samples import SampleTable
from netcfg.datasets.pipeline import EpochSampler, FrameBound, Pipeline
from netcfg.source import NetcfgError, ProgramError

COUNTS = (9, 30, 12, 5)
CLASSES = np.repeat(np.arange(4), COUNTS)
TABLE = SampleTable(
    ids=tuple(map(str, range(len(CLASSES)))),
    subjects=np.arange(len(CLASSES)) % 7,
    clips=np.arange(len(CLASSES)) // 8,
    labels={"class": CLASSES, "weight": np.linspace(0, 1, len(CLASSES), dtype=np.float32)[:, None]},
    names={"class": ("a", "b", "c", "d")},
)
FIELDS = {
    "class": FieldSpec((), "class", ("a", "b", "c", "d")),
    "weight": FieldSpec((1,), "vector"),
    "clip": FieldSpec((), "class"),
}


def made(name: str, **options: object) -> Sampler:
    kind = find("data", name)
    assert kind is not None
    section = kind.model_validate(options)
    assert isinstance(section, Sampler)
    return section


def drawn(sampler: Sampler, epoch: int = 0, seed: int = 0) -> list[int]:
    return [draw.sample for draw in sampler.epoch(TABLE, epoch, seed)]


def test_weights_of_classes_say_how_often_they_are_shown() -> None:
    sampler = made("weighted", weights=(0, 1, 3, 0.5), samples=20_000)
    found = Counter(CLASSES[drawn(sampler)].tolist())
    expected = np.array([0, 30, 36, 2.5])
    for number, part in enumerate(expected / expected.sum()):
        assert found[number] / 20_000 == pytest.approx(part, abs=0.01)


def test_weights_may_be_a_number_of_the_data() -> None:
    found = Counter(drawn(made("weighted", labels="weight", samples=20_000)))
    assert found[0] == 0
    assert found[55] / found[28] == pytest.approx(55 / 28, rel=0.2)


@pytest.mark.parametrize("epoch", range(4))
def test_a_batch_holds_so_many_classes_with_so_many_samples(epoch: int) -> None:
    sampler = made("batches_of", classes=3, samples=4)
    places = np.array(drawn(sampler, epoch)).reshape(-1, 3, 4)
    assert len(places) == len(CLASSES) // 12
    for batch in places:
        classes = CLASSES[batch]
        assert (classes == classes[:, :1]).all()
        assert len(set(classes[:, 0].tolist())) == 3
        assert len(set(batch.ravel().tolist())) == 12


def test_all_samples_of_a_class_are_shown_before_one_is_shown_again() -> None:
    sampler = made("batches_of", classes=2, samples=4, batches=40)
    places = drawn(sampler)
    shown = Counter(places)
    for number in range(4):
        times = [shown[place] for place in np.flatnonzero(number == CLASSES).tolist()]
        assert max(times) - min(times) <= 1
    turns = Counter(CLASSES[places].tolist())
    assert max(turns.values()) - min(turns.values()) <= 4
    assert drawn(sampler) == places != drawn(sampler, epoch=1)


def test_a_class_of_fewer_samples_is_told_or_shown_twice() -> None:
    with pytest.raises(
        NetcfgError,
        match=r"takes 6 samples of a class, and `d` of `class` has 5 in this split\nhelp: `samples = 5`",
    ):
        drawn(made("batches_of", classes=4, samples=6))
    places = np.array(drawn(made("batches_of", classes=4, samples=6, repeats=True))).reshape(-1, 4, 6)
    for batch in places:
        for members in batch:
            assert len(set(members.tolist())) == min(6, COUNTS[CLASSES[members[0]]])


def test_groups_come_in_a_row_and_their_samples_in_a_new_order() -> None:
    sampler = made("shuffle_within")
    places = drawn(sampler)
    assert sorted(places) == list(range(len(CLASSES)))
    clips = [place // 8 for place in places]
    assert len([1 for one, other in zip(clips, clips[1:], strict=False) if one != other]) == 6
    assert drawn(sampler, 1) != places
    kept = [place // 8 for place in drawn(made("shuffle_within", groups=False))]
    assert kept == sorted(kept)


def test_the_order_of_such_samplers_is_kept() -> None:
    data = netcfg.load(program("[batches_of]\nlabels = emotion\nclasses = 2\nsamples = 3", 6)).data
    assert data is not None
    pipeline = Pipeline(data, "train", 6, shuffle="epoch")
    for batch in pipeline.epoch(1):
        counts = Counter(batch.fields["emotion"].tolist())
        assert set(counts.values()) == {3}
        assert len(counts) == 2


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_several_processes_have_batches_of_classes_each(processes: int) -> None:
    sampler = made("batches_of", classes=2, samples=4, batches=6)
    shares = []
    for rank in range(processes):
        share = (rank, processes)
        one = EpochSampler(
            len(CLASSES),
            8,
            0,
            "never",
            False,
            None,
            lambda epoch: sampler.epoch(TABLE, epoch, 0),
            share,
            True,
        )
        shares.append([[key[1].sample for key in batch] for batch in one])
    for share in shares:
        for batch in share:
            assert sorted(Counter(CLASSES[batch].tolist()).values()) == [4, 4]
    together = [place for batch in zip(*shares, strict=True) for part in batch for place in part]
    assert together == drawn(sampler)


@pytest.mark.parametrize("processes", [1, 2])
def test_batches_of_clips_are_bounded_by_their_frames(processes: int) -> None:
    lengths = np.random.default_rng(0).integers(3, 301, 57)
    bound = FrameBound(lengths, 400)
    samplers = [
        EpochSampler(57, 400, 0, "never", False, None, None, (rank, processes), False, bound)
        for rank in range(processes)
    ]
    parts = [[[key[1].sample for key in batch] for batch in sampler] for sampler in samplers]
    for rank, part in enumerate(parts):
        assert [len(batch) for batch in part] == samplers[0].sizes()[rank]
        for batch in part:
            assert len(batch) == 1 or len(batch) * lengths[batch].max() <= 400
    assert sorted(place for part in parts for batch in part for place in batch) == list(range(57))
    assert sum(len(batch) for part in parts for batch in part) == samplers[0].samples_per_epoch
    assert len(parts[0]) < 57 / processes, "several clips in a batch"


def test_a_clip_longer_than_the_bound_has_a_batch_of_its_own() -> None:
    sampler = EpochSampler(
        4, 9, 0, "never", False, None, None, bound=FrameBound(np.array([3, 900, 3, 3]), 10)
    )
    assert [[key[1].sample for key in batch] for batch in sampler] == [[0], [1], [2, 3]]


def program(section: str, batch_size: int = 8, training: str = "") -> str:
    return (
        f"{{General}}\n[training]\nbatch_size = {batch_size}\n{training}\n"
        f"{{Data}}\n[synthetic_faces]\nsubjects = 6\nimage_size = 32\n{section}\n"
        "{N}\n[net]\ninputs = data.image\n[flatten]\n[connected]\noutput_features = 7\n"
        "{Loss}\n[cross_entropy]\ninput = N\ntarget = emotion\n{Optimizer}\n[adam]\nnetworks = N\n"
        "minimise = cross_entropy\n"
    )


@pytest.mark.parametrize(
    ("section", "training", "message"),
    [
        ("[batches_of]\nlabels = emotion\nclasses = 2\nsamples = 3", "",
         r"makes batches of 2·3 = 6 samples, and `batch_size` is 8"),
        ("[batches_of]\nlabels = emotion\nclasses = 9\nsamples = 2", "", "puts 9 classes into a batch"),
        ("[batches_of]\nlabels = labels\nclasses = 2\nsamples = 4", "", "by the field `labels`, which is vector, 12"),
        ("[weighted]\nlabels = emotion", "", "`weights = …`, one for each class"),
        ("[weighted]\nlabels = emotion\nweights = 1, 2", "", "has 2 weights for the 7 classes"),
        ("[weighted]\nlabels = emotion\nweights = 0, 0, 0, 0, 0, 0, 0", "", "every class the weight 0"),
        ("[shuffle_within]\nlabels = clp", "", "did you mean `clip`"),
        ("", "eval_frames = 100", "bounds batches of clips, each as long as it is, and the data have none"),
    ],
)  # fmt: skip
def test_what_cannot_be_ordered_is_found_by_check(section: str, training: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        netcfg.load(program(section, training=training))


def test_weights_of_another_kind_are_refused() -> None:
    with pytest.raises(ShapeError, match="weighs the classes `weight`, which is vector"):
        made("weighted", labels="weight", weights=(1, 2)).fields(FIELDS)
    bad = SampleTable(ids=("a", "b"), labels={"weight": np.array([[1.0], [-1.0]])})
    with pytest.raises(NetcfgError, match="holds weights below 0"):
        made("weighted", labels="weight").epoch(bad, 0, 0)
