"""Mixed batches: as torchvision mixes them, labels by the same parts, by chance that hangs on the batch alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import netcfg
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms.mixing import Blended, Cut, MixBatch, SoftLabels
from netcfg.program import Data
from netcfg.source import ProgramError

PROGRAM = """
{Data}
[synthetic_faces]
subjects = 6
clips = 2
clip_length = 4
image_size = 32
[mixup]
labels = emotion
probability = 0.5
[cutmix]
labels = emotion
{N}
[net]
inputs = data.image
[flatten]
[connected]
output_features = 7
{Loss}
[cross_entropy]
input = N
target = soft_emotion
soft_labels = True
{Optimizer}
[adam]
networks = N
minimise = cross_entropy
{Metric}
[accuracy]
input = N
target = emotion
"""


def batch(count: int = 5) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {
        "image": torch.rand(count, 3, 12, 16, generator=random),
        "class": torch.arange(count) % 4,
    }


def mixed(kind: type, seed: int) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    step = MixBatch(("image",), SoftLabels("class", "soft_class", 4), 1.0, 1.0, kind())
    before = batch()
    return before, step(dict(before), np.random.default_rng(seed))


def test_mixup_is_the_formula() -> None:
    before, after = mixed(Blended, 3)
    random = np.random.default_rng(3)
    random.random()
    part = random.beta(1.0, 1.0)
    image, labels = before["image"], torch.nn.functional.one_hot(before["class"], 4).float()
    torch.testing.assert_close(
        after["image"], part * image + (1 - part) * image.roll(1, 0), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        after["soft_class"], (part * labels + (1 - part) * labels.roll(1, 0)).float(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("seed", range(12))
def test_cutmix_mixes_labels_by_the_area_that_stays(seed: int) -> None:
    before, after = mixed(Cut, seed)
    own = (after["image"] == before["image"]).all(1)
    other = (after["image"] == before["image"].roll(1, 0)).all(1)
    assert (own | other).all()
    part = own.float().mean((1, 2))
    labels = torch.nn.functional.one_hot(before["class"], 4).float()
    expected = part[:, None] * labels + (1 - part[:, None]) * labels.roll(1, 0)
    torch.testing.assert_close(after["soft_class"], expected)
    rows, columns = other[0].any(1), other[0].any(0)
    assert int(other[0].sum()) == int(rows.sum()) * int(columns.sum()), "one rectangle"


def test_cutmix_cuts_about_the_part_that_was_drawn() -> None:
    stays = [float(mixed(Cut, seed)[1]["soft_class"][1, 1]) for seed in range(300)]
    assert 0.5 < np.mean(stays) < 0.75  # a half on average, more where a rectangle lies beyond the edge


def pipeline(split: str = "train", workers: int = 0) -> Pipeline:
    data = netcfg.load(PROGRAM).data
    assert isinstance(data, Data)
    return Pipeline(data, split, 4, seed=3, shuffle="epoch", workers=workers)  # type: ignore[arg-type]


def test_a_run_mixes_the_same_whoever_makes_the_batch_and_wherever_it_begins() -> None:
    alone = pipeline()
    whole = [alone.finish(one) for one in alone.epoch(2)]
    rest = [alone.finish(one) for one in alone.epoch(2, skip=2)]
    again = alone.finish(next(iter(alone.epoch(2))))
    torch.testing.assert_close(again["image"], whole[0]["image"])
    for one, other in zip(whole[2:], rest, strict=True):
        torch.testing.assert_close(one, other)
    helped = pipeline(workers=2)
    torch.testing.assert_close([helped.finish(one) for one in helped.epoch(2)], whole)
    helped.close()
    later = alone.finish(next(iter(alone.epoch(3))))
    assert not torch.equal(later["soft_emotion"], whole[0]["soft_emotion"])
    assert any(((one["soft_emotion"] > 0) & (one["soft_emotion"] < 1)).any() for one in whole)


def test_outside_of_training_labels_are_parts_of_one() -> None:
    judged = pipeline("validation")
    found = judged.finish(next(iter(judged.epoch())))
    assert torch.equal(found["soft_emotion"].argmax(1), found["emotion"])
    assert set(found["soft_emotion"].unique().tolist()) == {0.0, 1.0}


def test_labels_of_several_parts_are_mixed_as_they_are() -> None:
    text = PROGRAM.replace("labels = emotion", "labels = labels").replace(
        "output_features = 7", "output_features = 12"
    )
    text = text.replace("[cross_entropy]", "[bce_with_logits]").replace("soft_labels = True\n", "")
    text = text.replace("soft_emotion", "soft_labels").replace(
        "minimise = cross_entropy", "minimise = bce_with_logits"
    )
    program = netcfg.load(text.partition("{Metric}")[0])
    assert program.data is not None
    assert program.data.fields["soft_labels"].shape == (12,)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("target = soft_emotion\nsoft_labels = True", "target = emotion",
         r"\[cross_entropy\] reads `emotion`, which is of one sample, and \[mixup\] mixes two(.|\n)*`soft_emotion`"),
        ("[cross_entropy]\ninput = N\ntarget = soft_emotion\nsoft_labels = True",
         "[focal]\nname = cross_entropy\ninput = N\ntarget = soft_emotion", r"\[focal\] needs a class"),
        ("labels = emotion\nprobability", "labels = emotoin\nprobability", "did you mean `emotion`"),
        ("labels = emotion\nprobability", "labels = image\nprobability", "`image`, which is 3×32×32, image"),
        ("labels = emotion\nprobability", "labels = emotion\nto = labels\nprobability",
         "would overwrite the field `labels`"),
        ("probability = 0.5", "when = always", "no option `when`"),
        ("probability = 0.5", "[horizontal_flip]", "stands after one that changes whole batches"),
    ],
)  # fmt: skip
def test_what_cannot_be_mixed_is_told(before: str, after: str, message: str) -> None:
    assert before in PROGRAM
    with pytest.raises(ProgramError, match=message):
        netcfg.load(PROGRAM.replace(before, after, 1))
