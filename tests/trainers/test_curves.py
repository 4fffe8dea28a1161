"""The picture of losses and metrics: what shares a panel."""

from math import isnan, nan
from pathlib import Path

import pytest

import netcfg
from netcfg.results import Epoch, Evaluation, Table
from netcfg.trainers.reporting.curves import draw_curves, loss_groups, loss_panels, metric_panels

AUDETNET = Path(__file__).parents[2] / "cfg" / "audetnet.cfg"
CRITIC = {"critic": {"critic.loss": "critic.loss", "critic.fake": "fake", "penalty": "penalty"}}


def record(epoch=1, train=(), validation=(), **metrics):
    tables = {name: Table(name, figure) for name, figure in metrics.items()}
    return Epoch(epoch, train=dict(train), validation=Evaluation(dict(validation), tables))


def names(panels):
    return [list(panel.curves) for panel in panels]


def test_losses_are_grouped_by_the_phase_that_minimises_them():
    groups = loss_groups(netcfg.load(AUDETNET))
    assert list(groups) == ["image_critic", "pair_critic", "main"]
    assert groups["image_critic"] == {
        "image_critic.loss": "image_critic.loss",
        "image_critic.image_fake": "image_fake",
        "image_real": "image_real",
        "image_penalty": "image_penalty",
    }


def test_a_panel_has_few_lines_of_like_size():
    train = {"critic.loss": 90.0, "critic.fake": -80.0, "penalty": 1.0, "other": 0.1}
    panels = loss_panels([record(train=train, validation={"fake": 70.0})], CRITIC)
    assert names(panels) == [["critic.loss", "critic.fake"], ["penalty"], ["other"]]
    assert panels[0].curves["critic.fake"] == {"train": [-80.0], "validation": [70.0]}
    many = {name: dict.fromkeys("abcdefg", "") and {name: name for name in "abcdefg"} for name in ("phase",)}
    assert [
        len(panel.curves) for panel in loss_panels([record(train=dict.fromkeys("abcdefg", 1.0))], many)
    ] == [
        3,
        3,
        1,
    ]


def test_a_sum_of_one_loss_stands_for_it():
    panels = loss_panels(
        [record(train={"loss": 1.0, "detection": 1.0})], {"adam": {"loss": "", "detection": ""}}
    )
    assert names(panels) == [["loss"]]
    assert panels[0].title == "losses"


def test_metrics_of_other_sizes_have_their_own_panels():
    records = [record(f1=0.0, xcov=0.01, variance=80.0, emd=60.0)]
    records[0].validation.tables.update(
        {name: Table(name, 0.6, {"AU1": 0.5, "AU2": 0.7}) for name in ("f1", "auc")}
    )
    assert names(metric_panels(records)) == [["f1", "auc"], ["xcov"], ["variance", "emd"]]


def test_what_an_epoch_lacks_is_a_gap():
    records = [record(1, {"loss": 1.0}), record(2, {}, f1=0.5), record(3, {"loss": nan}, f1=None)]
    (losses,), (metrics,) = loss_panels(records, {}), metric_panels(records)
    assert losses.curves["loss"]["train"][0] == 1.0
    assert isnan(losses.curves["loss"]["train"][1])
    assert [isnan(value) for value in metrics.curves["f1"][""]] == [True, False, True]


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize(
    "records", [[], [record(1, {"loss": nan}), record(2, {}, f1=0.5)]], ids=["none", "gaps"]
)
def test_curves_are_drawn(tmp_path, records):
    draw_curves(records, tmp_path / "curves.png", {})
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
