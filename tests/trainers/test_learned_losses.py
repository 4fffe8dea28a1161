"""Losses with parameters, and losses that read losses: against formulas, and at work."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import netcfg
from netcfg.blocks.losses.arcface import ArcFace
from netcfg.blocks.losses.center import Center
from netcfg.blocks.losses.uncertainty import Uncertainty
from netcfg.builder.modules.losses.classes import OutsideClass
from netcfg.builder.modules.losses.counted import Counted
from netcfg.draw.training.picture import training_picture
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.trainers.step.phases import Phases

VECTORS = torch.randn(6, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
CLASSES = torch.tensor([0, 2, 1, 2, 3, 0])


def built(section: Any, classes: int = 4, features: int = 5) -> nn.Module:
    torch.manual_seed(2)
    return section.build({"input": (features,), "target": ()}, classes).double()


def mean(made: Tensor | Counted) -> Tensor:
    return made.mean() if isinstance(made, Counted) else made


def arcface(vectors: Tensor, weight: Tensor, classes: Tensor, margin: float, scale: float, of: str) -> Tensor:
    """By angles, each sample; a line beyond π, as in the published code."""
    cosines = functional.normalize(vectors) @ functional.normalize(weight).T
    losses = []
    for row, right in zip(cosines, classes, strict=True):
        logits = []
        for place, cosine in enumerate(row):
            if place == right and of == "cosine":
                cosine = cosine - margin
            elif place == right:
                angle = torch.arccos(cosine)
                cosine = (
                    torch.cos(angle + margin)
                    if angle + margin < math.pi
                    else cosine - margin * math.sin(margin)
                )
            logits.append(scale * cosine)
        losses.append(torch.logsumexp(torch.stack(logits), 0) - logits[right])
    return torch.stack(losses)


def center(vectors: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    return torch.stack(
        [((vector - weight[one]) ** 2).sum() / 2 for vector, one in zip(vectors, classes, strict=True)]
    )


@pytest.mark.parametrize("samples", [6, 1])
@pytest.mark.parametrize(
    ("section", "formula"),
    [
        (
            ArcFace(input="N", target="t", margin=0.4, scale=8.0),
            lambda x, w, y: arcface(x, w, y, 0.4, 8.0, "angle"),
        ),
        (
            ArcFace(input="N", target="t", margin=1.5, scale=3.0),
            lambda x, w, y: arcface(x, w, y, 1.5, 3.0, "angle"),
        ),
        (
            ArcFace(input="N", target="t", margin=0.3, scale=8.0, margin_of="cosine"),
            lambda x, w, y: arcface(x, w, y, 0.3, 8.0, "cosine"),
        ),
        (Center(input="N", target="t"), center),
    ],
)
def test_values_and_gradients_are_those_of_the_formula(section: Any, formula: Any, samples: int) -> None:
    module = built(section)
    found, expected = [], []
    for made in (found, expected):
        vectors = VECTORS[:samples].clone().requires_grad_()
        (weight,) = module.parameters()
        value = (
            mean(module(vectors, CLASSES[:samples]))
            if made is found
            else formula(vectors, weight, CLASSES[:samples]).mean()
        )
        made += [value, *torch.autograd.grad(value, [vectors, weight])]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("kind", [ArcFace, Center])
def test_masks_weights_and_ignored_classes_neither_count_nor_divide(kind: Any) -> None:
    module = built(kind(input="N", target="t", ignore=3))
    (weight,) = module.parameters()
    mask, factor = torch.tensor([1, 0, 1, 1, 1, 1.0]), torch.tensor([2, 1, 0.5, 1, 9, 1.0])
    made = module(VECTORS, CLASSES, mask=mask, weight=factor)
    kept = torch.tensor([2, 0, 0.5, 1, 0, 1.0])
    each = (
        arcface(VECTORS, weight, CLASSES, 0.5, 64.0, "angle")
        if kind is ArcFace
        else center(VECTORS, weight, CLASSES)
    )
    assert isinstance(made, Counted)
    torch.testing.assert_close(made.mean(), (each * kept).sum() / kept.sum())
    empty = module(VECTORS, CLASSES, mask=torch.zeros(6))
    assert float(mean(empty).detach()) == 0
    (gradient,) = torch.autograd.grad(mean(empty), weight)
    assert not gradient.any()


@pytest.mark.parametrize("kind", [ArcFace, Center])
def test_a_class_outside_is_told_with_its_sample(kind: Any) -> None:
    with pytest.raises(OutsideClass) as told:
        built(kind(input="N", target="t"))(VECTORS, CLASSES + 1)
    assert (told.value.sample, told.value.number, told.value.classes) == (4, 4, 4)


def test_vectors_on_their_direction_have_a_finite_gradient() -> None:
    module = built(ArcFace(input="N", target="t"))
    (weight,) = module.parameters()
    vectors = (3 * weight[CLASSES]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(module(vectors, CLASSES), vectors)
    assert gradient.isfinite().all()


def test_uncertainty_is_its_formula_and_waits_where_nothing_counts() -> None:
    module = Uncertainty(of=("a", "b", "c"), start=0.5).lower()
    s = module.log_variance
    with torch.no_grad():
        s += torch.tensor([0.0, 1.0, -1.0])
    values = torch.tensor([2.0, 3.0, 0.0], requires_grad=True)
    made = module(values, torch.tensor([4.0, 1.0, 0.0]))
    torch.testing.assert_close(made, 2 * (-s[0]).exp() + s[0] + 3 * (-s[1]).exp() + s[1] + s[2])
    of_values, of_s = torch.autograd.grad(made, [values, s])
    torch.testing.assert_close(of_values, (-s).exp())
    torch.testing.assert_close(of_s, torch.stack([1 - 2 * (-s[0]).exp(), 1 - 3 * (-s[1]).exp(), 0 * s[2]]))


PROGRAM = """{Net}
[net]
channels = 3
height = 8
width = 8
[flatten]
[connected]
name = body
output_features = 5
activation = tanh
[connected]
name = units
output_features = 2
[output]
name = code
from = body
[output]
name = units
from = units
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
subjects = 8
clips = 1
[resize]
size = 8
{Loss}
[bce_with_logits]
name = a
input = Net.units
target = labels
ignore = -1
[arcface]
input = Net.code
target = emotion
scale = 4
[center]
name = near
input = Net.code
target = emotion
{General}
[training]
max_epochs = 2
batch_size = 5
monitor = a
"""
SUM = """{Optimizer}
[sgd]
networks = Net
minimise = a + arcface + 0.1 * near
learning_rate = 0.05
rates = near: 3
momentum = 0.5
weight_decay = 0.01
no_decay = near
"""
WEIGHED = """{Loss}
[uncertainty]
name = all
of = a, arcface
{Optimizer}
[sgd]
networks = Net
minimise = all + 0.1 * near
learning_rate = 0.2
accumulate = 2
"""


def batches(count: int) -> list[dict[str, Tensor]]:
    """Labels with gaps: one batch has none at all."""
    generator = torch.Generator().manual_seed(5)
    made = []
    for number in range(count):
        labels = torch.randint(-1, 2, (5, 2), generator=generator).float()
        made.append(
            {
                "image": torch.randn(5, 3, 8, 8, generator=generator),
                "labels": torch.full((5, 2), -1.0) if number == 4 else labels,
                "emotion": torch.randint(7, (5,), generator=generator),
            }
        )
    return made


def phases_of(text: str) -> Phases:
    program = netcfg.load(text)
    torch.manual_seed(0)
    return Phases(program, netcfg.build(program), torch.device("cpu"))


def weights_of(phases: Phases) -> dict[str, Tensor]:
    whole = {**phases.model.networks.state_dict(), **phases.losses.learned.state_dict()}
    return {name: value.detach().clone() for name, value in whole.items()}


def train(phases: Phases, first: int = 0, last: int = 10) -> dict[str, Tensor]:
    for number in range(first, last):
        epoch, batch = divmod(number, 5)
        phases.set_rates(epoch, batch, 5)
        phases.step(batches(10)[number], batch)
        if batch == 4:
            phases.flush()
    return weights_of(phases)


def plain_losses(
    network: nn.Module, batch: dict[str, Tensor], learned: dict[str, Tensor]
) -> list[tuple[Tensor, int]]:
    """Sums over what counts, and how much that is."""
    made = network(batch["image"])
    known = batch["labels"] != -1
    each = functional.binary_cross_entropy_with_logits(
        made["units"], batch["labels"].clamp(min=0), reduction="none"
    )
    angles = arcface(made["code"], learned["arcface"], batch["emotion"], 0.5, 4.0, "angle")
    near = center(made["code"], learned["near"], batch["emotion"])
    return [((each * known).sum(), int(known.sum())), (angles.sum(), 5), (near.sum(), 5)]


def test_losses_that_learn_are_a_plain_loop_of_torch() -> None:
    phases = phases_of(PROGRAM + SUM)
    network = netcfg.build(phases.program)["Net"]
    network.load_state_dict(phases.model.networks["Net"].state_dict())
    learned = {
        name: phases.losses.learned[name].weight.detach().clone().requires_grad_()
        for name in ("arcface", "near")
    }
    optimizer = torch.optim.SGD(
        [
            {"params": [*network.parameters(), learned["arcface"]]},
            {"params": [learned["near"]], "lr": 0.15, "weight_decay": 0.0},
        ],
        0.05,
        momentum=0.5,
        weight_decay=0.01,
    )
    for batch in batches(10):
        optimizer.zero_grad()
        (a, of_a), (angles, five), (near, _) = plain_losses(network, batch, learned)
        (a / max(1, of_a) + angles / five + 0.1 * near / five).backward()
        optimizer.step()
    expected = {f"Net.{name}": value.detach() for name, value in network.state_dict().items()}
    expected |= {f"{name}.weight": value.detach() for name, value in learned.items()}
    torch.testing.assert_close(train(phases), expected, rtol=0, atol=1e-6)


def test_learned_weights_of_tasks_with_accumulation_and_gaps_are_a_plain_loop_of_torch() -> None:
    """A loss weighs by what counts in it, over two batches; what uncertainty adds of its own, once a batch."""
    phases = phases_of(PROGRAM + WEIGHED)
    network = netcfg.build(phases.program)["Net"]
    network.load_state_dict(phases.model.networks["Net"].state_dict())
    learned = {
        name: phases.losses.learned[name].weight.detach().clone().requires_grad_()
        for name in ("arcface", "near")
    }
    s = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.SGD([*network.parameters(), *learned.values(), s], 0.2)
    given = batches(10)
    for first, last in ((0, 2), (2, 4), (4, 5), (5, 7), (7, 9), (9, 10)):
        optimizer.zero_grad()
        made = [plain_losses(network, batch, learned) for batch in given[first:last]]
        a, angles, near = (
            sum(one[place][0] for one in made) / max(1, sum(one[place][1] for one in made))
            for place in range(3)
        )
        rest = s[1]
        of_a = sum(1 for one in made if one[0][1]) / len(made)
        rest = rest + s[0] * of_a
        ((-s[0]).exp() * a + (-s[1]).exp() * angles + rest + 0.1 * near).backward()
        optimizer.step()
    expected = {f"Net.{name}": value.detach() for name, value in network.state_dict().items()}
    expected |= {f"{name}.weight": value.detach() for name, value in learned.items()}
    expected["all.log_variance"] = s.detach()
    torch.testing.assert_close(train(phases), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("text", [SUM, WEIGHED])
def test_a_resumed_run_goes_on_to_the_bit(text: str) -> None:
    whole = train(phases_of(PROGRAM + text))
    first, second = phases_of(PROGRAM + text), phases_of(PROGRAM + text)
    train(first, 0, 3)
    second.model.networks.load_state_dict(first.model.networks.state_dict())
    second.losses.learned.load_state_dict(first.losses.learned.state_dict())
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(train(second, 3), whole, rtol=0, atol=0)


def test_a_run_keeps_them_and_eval_takes_them_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netcfg.cli.main import main

    file = tmp_path / "a.cfg"
    file.write_text(
        PROGRAM
        + WEIGHED
        + "{Metric}\n[accuracy]\ninput = Net.code\ntarget = emotion\n".replace(
            "input = Net.code\ntarget = emotion", "input = Net.units\ntarget = labels"
        )
    )
    run = tmp_path / "run"
    assert main(["train", str(file), "--run-dir", str(run), "--workers", "0"]) == 0
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    assert set(last["numbers"]) == {"all.a", "all.arcface"}
    assert {"a", "arcface", "near", "all", "loss"} <= set(last["validation"]["losses"])
    from safetensors.torch import load_file

    kept = load_file(run / "checkpoints" / "best.safetensors")
    assert {"all.log_variance", "arcface.weight", "near.weight", "Net.units.weight"} <= set(kept)
    tested = json.loads((run / "result.json").read_text())["test"]["losses"]
    capsys.readouterr()
    assert main(["eval", str(run), "--format", "json", "--workers", "0"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert json.dumps(again).count("arcface") >= 1
    assert again["losses"] == pytest.approx(tested)
    # The networks alone are a start for others, and the losses are not theirs.
    other = tmp_path / "b.cfg"
    other.write_text(
        (PROGRAM + SUM).replace("[net]\n", f"[net]\nweights = {run}/checkpoints/best.safetensors\n")
    )
    assert (
        main(["train", str(other), "--run-dir", str(tmp_path / "other"), "--epochs", "1", "--workers", "0"])
        == 0
    )


def test_the_plan_and_the_diagram_say_who_trains_them() -> None:
    program = netcfg.load(PROGRAM + WEIGHED)
    made = plan(program)
    text = plan_text(made)
    assert "  sgd: trains Net, arcface (loss), all (loss), near (loss)\n" in text
    assert "    minimise  all + 0.1 * near\n              all of a, arcface" in text
    data = plan_data(made)
    step = data["patterns"][0]["phases"][0]
    assert [one["name"] for one in step["losses"]] == ["a", "arcface", "all", "near"]
    assert {one["name"]: one["parameters"] for one in step["losses"]} == {
        "a": 0,
        "arcface": 35,
        "all": 2,
        "near": 35,
    }
    assert set(step["updates"]) == {"Net", "arcface", "near", "all"}
    drawing = training_picture(program)._repr_svg_()
    assert "uncertainty of a, arcface" in drawing
    assert "35 parameters" in drawing
    assert "updated by sgd" in drawing


def findings(text: str) -> list[tuple[str, str, str]]:
    return [
        (one.code, one.message, one.span.file.line(one.span.line)[one.span.column - 1 :][: one.span.length])
        for one in netcfg.check(text)[1]
        if one.span is not None and one.severity == "error"
    ]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            PROGRAM + SUM + "[adam]\nnetworks = Net\nminimise = arcface\n",
            (
                "NC409",
                "the parameters of `arcface` are trained by two optimizers, and each would move what the other has "
                "just set",
                "arcface",
            ),
        ),
        (
            PROGRAM + WEIGHED.replace("of = a, arcface", "of = a, arc"),
            ("NC401", "there is no loss `arc`", "arc"),
        ),
        (PROGRAM + WEIGHED.replace("of = a, arcface", "of = a, a"), ("NC106", "`all` names `a` twice", "a")),
        (
            PROGRAM + WEIGHED.replace("{Optimizer}", "[uncertainty]\nname = more\nof = all\n{Optimizer}"),
            ("NC401", "`more` reads `all`, which reads losses itself", "all"),
        ),
        (
            PROGRAM.replace("scale = 4\n", "classes = 3\n") + SUM,
            ("NC402", "[arcface] learns 3 vectors, and `emotion` has 7 classes", "3"),
        ),
        (
            PROGRAM.replace("[arcface]\n", "[arcface]\nname = Net\n") + SUM.replace("arcface", "Net"),
            ("NC107", "the loss `Net` has parameters, and a network is called so, too", "[arcface]"),
        ),
        (
            PROGRAM.replace("input = Net.code", "input = image") + SUM,
            ("NC402", "[arcface] compares vectors of a known size, and `image` gives 3×8×8", "[arcface]"),
        ),
        (
            PROGRAM + SUM.replace("near: 3", "far: 3"),
            ("NC401", "`far` names nothing of `Net` that has parameters", "far"),
        ),
    ],
)
def test_a_mistake_is_told_at_its_place(text: str, finding: tuple[str, str, str]) -> None:
    assert finding in findings(text)


@pytest.mark.parametrize("precision", ["bf16"])
def test_in_half_precision_they_compare_in_single(precision: str) -> None:
    phases = phases_of(PROGRAM.replace("monitor = a", f"monitor = a\nprecision = {precision}") + WEIGHED)
    train(phases, 0, 2)
    assert all(
        weight.dtype == torch.float32 and weight.isfinite().all()
        for weight in phases.losses.learned.parameters()
    )
    assert set(phases.steppers["sgd"].rates()) == {"Net", "arcface", "all", "near"}
