"""Maps of action units: FG-Net's values, its rule for labels, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_rules import golden, two_scale, uniform
from torch import Tensor, nn

import netcfg
from netcfg.blocks.action_units import AU_SETS
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.heatmaps import Heatmaps
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms.heatmaps import ExpectFace
from netcfg.source import NetcfgError
from netcfg.trainers.step.model import Model

GOLDEN = golden("fgnet_heatmaps")
POINTS = torch.tensor(GOLDEN["landmarks_xy"])
PICTURE = FieldSpec((3, 256, 256), "image")
SETS = {"BP4D": "bp4d", "DISFA": "disfa8"}


def fields_of(units: tuple[int, ...], points: int = 68, size: int = 256) -> dict[str, FieldSpec]:
    return {
        "image": FieldSpec((3, size, size), "image"),
        "landmarks": FieldSpec((points, 2), "landmarks"),
        "labels": FieldSpec((len(units),), "vector", tuple(f"AU{unit}" for unit in units)),
    }


def maps_of(case: Any) -> Tensor:
    transform = Heatmaps(size=case["dim"], sigma=case["sigma"])
    step = transform.lower(fields_of(AU_SETS[SETS[case["dataset"]]]))
    batch = {"landmarks": POINTS[None], "labels": torch.tensor([case["labels"]], dtype=torch.float32)}
    made: Tensor = step(batch)["heatmaps"][0]
    return made


@pytest.mark.parametrize("number", range(len(GOLDEN["cases"])))
def test_the_maps_are_those_of_the_original(number: int) -> None:
    case = GOLDEN["cases"][number]
    maps = maps_of(case)
    assert maps.shape == (len(case["channels"]), case["dim"], case["dim"])
    for made, expected in zip(maps, case["channels"], strict=True):
        flat = made.double().flatten()
        probe = float((flat.numpy() * uniform("probe", flat.numel())).mean())
        assert float(flat.sum()) == pytest.approx(expected["sum"], rel=1e-5)
        assert probe == pytest.approx(expected["probe"], abs=1e-6)
        assert (flat.max(), flat.min()) == pytest.approx((expected["max"], expected["min"]), abs=1e-6)
        assert int((flat != 0).sum()) == pytest.approx(expected["nonzero"], abs=2)
        assert int((flat.abs() == 1).sum()) == pytest.approx(expected["saturated"], abs=2)
        for place, value in expected["points"].items():
            row, column = map(int, place.split(","))
            assert float(made[row, column]) == pytest.approx(value, abs=1e-6)


PROGRAM = """{{General}}
[training]
batch_size = 4
max_epochs = 1

{{Data}}
[synthetic_faces]
subjects = 3
clips = 1
clip_length = 3
image_size = 32
action_units = {units}
{steps}

{{Net}}
[net]
channels = 3
height = 32
width = 32

[convolutional]
filters = 32
kernel_size = 3
stride = 2
pad = 1

{{Model}}
[Net]
name = maps

[formula]
name = means
value = mean(clip(maps, -1, 1), over = (height, width))

[select_subset]
name = scores
start_index = 0
end_index = $data.labels.features

{{Loss}}
[mse]
input = maps
target = heatmaps
channels = target

{{Optimizer}}
[adamw]
networks = Net
minimise = mse

{{Metric}}
[f1]
input = scores
target = labels
decision = logit
threshold = 0
"""
MAPS = "[heatmaps]\nsize = 16\nsigma = 2.5"


def program(tmp_path: Path, units: str = "bp4d", steps: str = MAPS) -> netcfg.Program:
    file = tmp_path / "maps.cfg"
    file.write_text(PROGRAM.format(units=units, steps=steps))
    return netcfg.load(file)


class Given(torch.nn.Module):
    """A network whose 32 maps are known: the first ones, and others of nobody's."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        others = torch.full((len(maps), 32 - maps.shape[1], 16, 16), 0.7)
        self.maps = torch.cat([maps, others], 1)

    def forward(self, image: Tensor) -> Tensor:
        return self.maps


def test_the_decision_and_the_loss_are_those_of_the_original(tmp_path: Path) -> None:
    """The decision is written as a formula; of 32 maps those beyond the data's are nobody's."""
    loaded = program(tmp_path)
    rule, training = GOLDEN["heatmap2au"], GOLDEN["training_loss"]
    network = Given(two_scale("heat.pred", (3, 12, 16, 16)))
    signals = Model(loaded, nn.ModuleDict({"Net": network})).signals(
        {"image": torch.zeros(3, 3, 32, 32)}, ["scores"]
    )
    labels = torch.tensor(rule["labels"], dtype=torch.float32)
    assert (signals["scores"] > 0).int().tolist() == rule["labels"]
    assert loaded.metrics["f1"].compute(signals["scores"], labels, ())["f1"] == 1.0

    maps = two_scale("heat.pred2", (2, 32, 16, 16))
    loss = loaded.losses["mse"].lower()(maps, two_scale("heat.gt2", (2, 12, 16, 16)))
    assert float(loss) == pytest.approx(training["value"], rel=1e-6)


def test_batches_hold_maps_of_the_faces_as_they_are_shown(tmp_path: Path) -> None:
    """Mirrored faces have mirrored maps, since points are mirrored before maps are made."""
    mirrored = program(tmp_path, steps=f"[horizontal_flip]\nprobability = 1\nwhen = always\n{MAPS}")
    made = []
    for loaded in (program(tmp_path), mirrored):
        pipeline = Pipeline(loaded.data, "train", 2)
        made.append(pipeline.finish(next(iter(pipeline.epoch()))))
    plain, flipped = made
    assert plain["heatmaps"].shape == (2, 12, 16, 16)
    assert plain["heatmaps"].abs().max() > 0.9
    # Corners of pixels and no middles: half a pixel of the map, after it is mirrored once.
    turned = plain["heatmaps"].flip(-1)
    assert float((flipped["heatmaps"] - turned).abs().max()) < 0.25
    assert torch.equal(flipped["image"], plain["image"].flip(-1))


@pytest.mark.parametrize(
    ("fields", "options", "message"),
    [
        (
            fields_of((1,), points=49),
            {},
            "places its maps by the 68 points of a face, and `landmarks` is 49×2",
        ),
        (
            fields_of((1,), points=66),
            {},
            "places its maps by the 68 points of a face, and `landmarks` is 66×2",
        ),
        (fields_of((1, 5)), {}, "knows no place on the face for `AU5` of `labels`"),
        (fields_of((1,)), {"points": "image"}, "reads points of a face from `image`, which holds no points"),
        (fields_of((1,)), {"labels": "units"}, "from `units`, which the data do not have"),
        (fields_of((1,)), {"field": "image"}, "would overwrite the field `image`"),
        (fields_of(()), {}, "takes action units from the names of `labels`, and its entries have none"),
    ],
)
def test_what_has_no_maps_is_refused(
    fields: dict[str, FieldSpec], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ShapeError) as error:
        Heatmaps(**options).fields(fields)
    assert message in str(error.value)
    assert error.value.help


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS.numpy() + 200, "(328.0, 350.9), outside the picture of 256 by 256 pixels"),
        (POINTS.numpy() / 256, "the eyes of its `landmarks` are 0.21 pixels apart"),
        (POINTS.numpy() * np.nan, "holds numbers that are none"),
    ],
)
def test_points_that_are_no_face_in_the_picture_are_refused(points: Any, message: str) -> None:
    with pytest.raises(NetcfgError) as error:
        ExpectFace("landmarks", (256, 256))({"landmarks": points}, np.random.default_rng(0))
    assert message in str(error.value)


def test_a_refused_sample_is_called_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from netcfg.datasets.sources.synthetic_faces import SyntheticFaces

    pipeline = Pipeline(program(tmp_path).data, "train", 2)
    drawn = SyntheticFaces._landmarks
    monkeypatch.setattr(SyntheticFaces, "_landmarks", lambda self, place: drawn(self, place) + 500)
    with pytest.raises(NetcfgError, match=r"^the sample \S.*: the middle of its `landmarks` is") as error:
        next(iter(pipeline.epoch()))
    assert error.value.code == "NC502"


def test_the_maps_stand_below_what_moves_pictures(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match=r"NC112.*\[resize\] changes single samples"):
        program(tmp_path, steps=f"{MAPS}\n[resize]\nsize = 32")
