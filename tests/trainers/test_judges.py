"""Losses, metrics and schedules against numbers worked out by hand."""

import math

import pytest
import torch

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.bce_with_logits import BceWithLogits
from netcfg.blocks.losses.cross_entropy import CrossEntropy
from netcfg.blocks.losses.l1 import L1
from netcfg.blocks.losses.mse import Mse
from netcfg.blocks.metrics.accuracy import Accuracy
from netcfg.blocks.metrics.f1 import F1
from netcfg.blocks.optimizers.adaptive import Adam

PAIR = {"input": "Net", "target": "labels"}
PHASE = {"networks": ("Net",), "minimise": "detection"}


def tensor(*rows):
    return torch.tensor(rows)


def test_bce_is_the_mean_over_labels_and_batch():
    loss = BceWithLogits(**PAIR).lower()
    value = loss(tensor([0.0, math.log(3)]), tensor([1.0, 0.0]))
    assert value.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


@pytest.mark.parametrize("section", [BceWithLogits, Mse, L1])
def test_logits_of_one_pixel_are_logits(section):
    loss = section(**PAIR).lower()
    logits, labels = torch.randn(4, 3), torch.ones(4, 3)
    assert loss(logits[:, :, None, None], labels) == loss(logits, labels)


def test_cross_entropy_takes_classes():
    loss = CrossEntropy(input="Net", target="emotion").lower()
    value = loss(tensor([0.0, 0.0, 0.0, 0.0]), torch.tensor([2]))
    assert value.item() == pytest.approx(math.log(4))


def test_mse_and_l1():
    values, targets = tensor([1.0, 2.0]), tensor([0.0, 4.0])
    assert Mse(**PAIR).lower()(values, targets).item() == 2.5
    assert L1(**PAIR).lower()(values, targets).item() == 1.5


def test_unequal_shapes_are_told_with_both():
    with pytest.raises(ShapeError, match="1 logits with a target of 12") as caught:
        BceWithLogits(**PAIR).check((1,), (12,))
    assert caught.value.help == "let the last block give 12 features"
    BceWithLogits(**PAIR).check((12, 1, 1), (12,))


def test_as_many_logits_as_classes():
    with pytest.raises(ShapeError, match="gives 8 logits, but `labels` has 7 classes"):
        CrossEntropy(**PAIR).check((8,), (), classes=7)
    with pytest.raises(ShapeError, match="one logit per class"):
        CrossEntropy(**PAIR).check((8, 2, 2), ())
    with pytest.raises(ShapeError, match="needs a class"):
        CrossEntropy(**PAIR).check((8,), (12,))


def test_f1_by_hand():
    logits = tensor([2.0, -1.0], [1.0, -1.0], [-3.0, -1.0], [0.5, -1.0])
    labels = tensor([1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0])
    figures = F1(**PAIR).compute(logits, labels, ("AU6", "AU12"))
    assert figures["AU6"] == pytest.approx(2 / 3)  # 2 hits, 1 false alarm, 1 miss: 4 / 6
    assert figures["AU12"] is None  # nothing there that could be found
    assert figures["f1"] == pytest.approx(2 / 3)  # of the labels that have one
    as_published = F1(**PAIR, undefined="zero").compute(logits, labels, ("AU6", "AU12"))
    assert (as_published["AU12"], as_published["f1"]) == (0.0, pytest.approx(1 / 3))
    assert next(iter(figures)) == "f1"


def test_a_score_must_exceed_the_threshold():
    labels = tensor([1.0])
    assert F1(**PAIR).compute(tensor([0.0]), labels, ("AU12",))["f1"] == 0.0
    assert F1(**PAIR).compute(tensor([1e-3]), labels, ("AU12",))["f1"] == 1.0


def test_logits_between_zero_and_one_are_logits_too():
    logits, labels = tensor([0.4], [0.1], [0.9]), tensor([1.0], [1.0], [1.0])
    assert F1(**PAIR).compute(logits, labels, ())["f1"] == 1.0
    assert F1(**PAIR, threshold=0.6).compute(logits, labels, ())["f1"] == pytest.approx(0.5)


def test_f1_is_that_of_torchmetrics():
    from torchmetrics.functional.classification import multilabel_f1_score

    random = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 12, generator=random)
    labels = torch.randint(0, 2, (50, 12), generator=random)
    expected = multilabel_f1_score(logits.sigmoid(), labels, 12)
    assert F1(**PAIR).compute(logits, labels.float(), ())["f1"] == pytest.approx(expected.item())


def test_a_metric_answers_to_its_own_name():
    assert "faces" in F1(name="faces", **PAIR).compute(tensor([1.0]), tensor([1.0]), ())


def test_accuracy_of_classes_and_of_labels():
    classes = Accuracy(**PAIR).compute(tensor([1.0, 2.0], [3.0, 0.0]), torch.tensor([1, 1]), ("a", "b"))
    assert classes == {"accuracy": 0.5}
    labels = Accuracy(**PAIR).compute(
        tensor([1.0, 2.0], [3.0, 1.0]), tensor([1.0, 0.0], [1.0, 1.0]), ("AU1", "AU2")
    )
    assert labels == {"accuracy": 0.75, "AU1": 1.0, "AU2": 0.5}


def factors(max_epochs, **options):
    adam = Adam(**PHASE, **options)
    return [adam.rate_factor(finished, max_epochs) for finished in range(max_epochs)]


def test_the_rate_is_constant_by_default():
    assert factors(3) == [1.0, 1.0, 1.0]


def test_the_schedule_of_aunets():
    """After each of 12 epochs the rate falls by a thirteenth of its start."""
    expected = [1 - epoch / 13 for epoch in range(12)]
    assert factors(12, schedule="linear", decay_over_last_epochs=13) == pytest.approx(expected)


def test_the_schedule_of_audetnet():
    """After epoch n, from 1, where max_epochs - n < k, the rate falls by a k-th of its start."""
    rate, expected = 1.0, []
    for epoch in range(1, 13):
        expected.append(rate)
        if 12 - epoch < 10:
            rate -= 1 / 10
    assert factors(12, schedule="linear", decay_over_last_epochs=10) == pytest.approx(expected)
    assert expected[:4] == [1.0, 1.0, 1.0, 0.9]


def test_linear_alone_falls_over_all_epochs():
    assert factors(4, schedule="linear") == [1.0, 0.75, 0.5, 0.25]


def group(**options):
    adam = Adam(**PHASE, **options)
    parameter = torch.nn.Parameter(torch.ones(2))
    made = adam.lower([{"params": [parameter], "lr": 1e-4, "betas": (0.5, 0.9)}])
    return made.param_groups[0]


def test_a_network_says_its_rate_and_the_optimizer_may_say_otherwise():
    assert (group()["lr"], group()["betas"]) == (1e-4, (0.5, 0.9))
    other = group(learning_rate=0.1, beta2=0.99, amsgrad=True, weight_decay=0.01)
    assert (other["lr"], other["betas"], other["amsgrad"], other["weight_decay"]) == (
        0.1,
        (0.5, 0.99),
        True,
        0.01,
    )


def test_nobody_says_a_rate():
    parameter = torch.nn.Parameter(torch.ones(2))
    made = Adam(**PHASE).lower([{"params": [parameter]}]).param_groups[0]
    assert (made["lr"], made["betas"], made["fused"]) == (1e-3, (0.9, 0.999), True)
