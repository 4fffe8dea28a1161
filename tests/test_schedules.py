"""Schedules against those of PyTorch, and what is said of options that do not go together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from netcfg.blocks.optimizers.adaptive import Adam
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.rmsprop import RmsProp
from netcfg.blocks.optimizers.schedules import Plateau, Schedule, schedule_readers
from netcfg.blocks.optimizers.sgd import Sgd
from netcfg.blocks.registry import Clash, forget, sections
from netcfg.blocks.values import show_value
from netcfg.passes.schema import check_section
from netcfg.reference import find_section, page_text, reference_markdown
from netcfg.source import Finding, SourceFile
from netcfg.syntax import parse

PHASE = {"networks": ("Net",), "minimise": "detection"}
EPOCHS = 12


def torch_rates(make: Callable[[Any], Any], count: int) -> list[float]:
    """The learning rates of a PyTorch scheduler, from 1, before each of its steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = make(optimizer)
    rates = []
    for _ in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(
    ("options", "make"),
    [
        ({"schedule": "step", "step_epochs": 3}, lambda o: lr_scheduler.StepLR(o, 3)),
        (
            {"schedule": "multistep", "milestones": (7, 2), "gamma": 0.5},
            lambda o: lr_scheduler.MultiStepLR(o, [2, 7], 0.5),
        ),
        ({"schedule": "exponential", "gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
        (
            {"schedule": "cosine", "final_factor": 0.05},
            lambda o: lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.05),
        ),
        (
            {"schedule": "linear"},
            lambda o: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=EPOCHS),
        ),
    ],
)
def test_a_schedule_is_that_of_torch(options: dict[str, Any], make: Callable[[Any], Any]) -> None:
    section = Adam(**PHASE, **options)
    factors = [section.rate_factor(finished, EPOCHS) for finished in range(EPOCHS)]
    assert factors == pytest.approx(torch_rates(make, EPOCHS), abs=1e-12)


UPDATES = 7


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize(
    ("options", "make"),
    [
        ({"schedule": "one_cycle"}, lambda o, n: lr_scheduler.OneCycleLR(o, 1.0, total_steps=n)),
        (
            {
                "schedule": "one_cycle",
                "rise": 0.4,
                "anneal": "linear",
                "first_factor": 0.1,
                "final_factor": 0.01,
            },
            lambda o, n: lr_scheduler.OneCycleLR(
                o,
                1.0,
                total_steps=n,
                pct_start=0.4,
                anneal_strategy="linear",
                div_factor=10,
                final_div_factor=10,
            ),
        ),
        (
            {"schedule": "cosine", "by": "step", "final_factor": 0.1},
            lambda o, n: lr_scheduler.CosineAnnealingLR(o, n, 0.1),
        ),
        (
            {"schedule": "linear", "by": "step"},
            lambda o, n: lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=n),
        ),
        (
            {"schedule": "polynomial", "by": "step", "power": 2.0},
            lambda o, n: lr_scheduler.PolynomialLR(o, n, power=2.0),
        ),
        (
            {"schedule": "exponential", "by": "step", "gamma": 0.9},
            lambda o, n: lr_scheduler.ExponentialLR(o, 0.9 ** (1 / UPDATES)),
        ),
        (
            {
                "schedule": "cosine_restarts",
                "by": "step",
                "first_epochs": 1,
                "longer": 2,
                "final_factor": 0.2,
            },
            lambda o, n: lr_scheduler.CosineAnnealingWarmRestarts(o, UPDATES, 2, 0.2),
        ),
    ],
)
def test_a_schedule_by_step_is_that_of_torch_with_a_step_an_update(
    options: dict[str, Any], make: Callable[[Any, int], Any], accumulate: int
) -> None:
    """Also where the last update of an epoch takes fewer batches."""
    section = Adam(**PHASE, accumulate=accumulate, **options)
    batches = UPDATES * accumulate - (accumulate > 1)
    made = [
        section.rate_factor(finished, EPOCHS, batch, batches)
        for finished in range(EPOCHS)
        for batch in range(batches)
        if batch % accumulate == accumulate - 1 or batch == batches - 1
    ]
    expected = torch_rates(lambda o: make(o, EPOCHS * UPDATES), EPOCHS * UPDATES)
    assert made == pytest.approx(expected, abs=1e-9)
    within = {section.rate_factor(0, EPOCHS, batch, batches) for batch in range(accumulate)}
    assert len(within) == 1


def test_restarts_by_epoch_are_those_of_torch() -> None:
    section = Adam(**PHASE, schedule="cosine_restarts", first_epochs=2, longer=2)
    factors = [section.rate_factor(finished, EPOCHS) for finished in range(EPOCHS)]
    expected = torch_rates(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2), EPOCHS)
    assert factors == pytest.approx(expected, abs=1e-12)


def test_with_a_warm_up_as_long_the_inverse_square_root_is_the_transformers() -> None:
    section = Adam(**PHASE, schedule="inverse_square_root", flat_epochs=2, warm_up_epochs=2)
    warm_up = 2 * UPDATES
    for step in range(5 * UPDATES):
        made = section.rate_factor(step // UPDATES, 5, step % UPDATES, UPDATES)
        expected = min((step + 1) / warm_up, math.sqrt(warm_up / max(step, warm_up)))
        assert made == pytest.approx(expected)


def test_a_phase_that_runs_now_and_then_counts_its_own_updates() -> None:
    section = Adam(**PHASE, schedule="linear", by="step", every=5)
    factors = [section.rate_factor(finished, 2, batch, 10) for finished in range(2) for batch in (4, 9)]
    assert factors == pytest.approx([1, 0.75, 0.5, 0.25])


def test_warm_up_is_torchs_linear_rise() -> None:
    section = Adam(**PHASE, warm_up_batches=8)
    factors = [section.rate_factor(step // 5, 3, step % 5, 5) for step in range(15)]
    expected = torch_rates(lambda o: lr_scheduler.LinearLR(o, 1 / 8, total_iters=7), 15)
    assert factors == pytest.approx(expected)


def test_warm_up_in_epochs_is_warm_up_in_their_batches() -> None:
    by_epochs, by_batches = Adam(**PHASE, warm_up_epochs=2), Adam(**PHASE, warm_up_batches=10)
    for step in range(15):
        place = (step // 5, 3, step % 5, 5)
        assert by_epochs.rate_factor(*place) == by_batches.rate_factor(*place)


def test_warm_up_and_schedule_multiply() -> None:
    section = Adam(**PHASE, schedule="linear", warm_up_epochs=4)
    assert section.rate_factor(1, 4, batch=1, batches_per_epoch=2) == 0.75 * 4 / 8


@pytest.mark.parametrize(("mode", "higher_is_better"), [("min", False), ("max", True)])
def test_plateau_is_that_of_torch(mode: Any, higher_is_better: bool) -> None:
    figures = [3, 2, 2.5, 2, 2, 1.9999, 1, math.nan, 4, 5, 5.0001, 5, 4, 3, 2, 6, 6, 6, 6]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, mode, factor=0.5, patience=1, threshold=1e-3)
    plateau = Plateau(patience=1, factor=0.5, threshold=1e-3)
    for figure in figures:
        scheduler.step(figure)
        plateau.observe(figure, higher_is_better)
        assert plateau.rate_factor == pytest.approx(optimizer.param_groups[0]["lr"])
    assert plateau.reductions > 2


def test_a_plateau_goes_on_where_it_was() -> None:
    first, second = Plateau(1, 0.5, 0.0), Plateau(1, 0.5, 0.0)
    for figure in (1.0, 2.0):
        first.observe(figure, higher_is_better=False)
    second.load_state_dict(first.state_dict())
    second.observe(2.0, higher_is_better=False)
    assert second.rate_factor == 0.5


def test_negative_figures_improve_upwards_too() -> None:
    plateau = Plateau(patience=0, factor=0.5, threshold=0.1)
    for figure in (-1.0, -0.8):
        plateau.observe(figure, higher_is_better=True)
    assert plateau.rate_factor == 1.0


def conflict(text: str) -> list[str]:
    """The findings of an optimizer's section."""
    kinds = {"adam": Adam, "sgd": Sgd, "rmsprop": RmsProp}
    findings: list[Finding] = []
    lines = "networks = Net\nminimise = detection\n"
    tree = parse(SourceFile("x.cfg", f"{{Optimizer}}\n{text.replace('; ', chr(10))}\n{lines}"), findings)
    section = tree.items[0].sections[0]  # type: ignore[union-attr]
    check_section(section, kinds[section.name], findings)
    return [f"{finding.code} {finding.message}" for finding in findings]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[adam]; decay_over_last_epochs = 10",
            "`adam` has `decay_over_last_epochs`, which belongs to `schedule = linear`, and its schedule is "
            "`constant`",
        ),
        (
            "[sgd]; schedule = cosine; gamma = 0.1",
            "`sgd` has `gamma`, which belongs to `schedule = step` or `schedule = multistep` or "
            "`schedule = exponential`, and its schedule is `cosine`",
        ),
        (
            "[adam]; schedule = step; step_epochs = 2; plateau_patience = 10",
            "`adam` has `plateau_patience`, which belongs to `schedule = plateau`, and its schedule is `step`",
        ),
        ("[adam]; schedule = step", "`adam` has `schedule = step`, which needs `step_epochs`"),
        ("[adam]; schedule = exponential", "`adam` has `schedule = exponential`, which needs `gamma`"),
        (
            "[rmsprop]; warm_up_epochs = 1; warm_up_batches = 10",
            "`rmsprop` takes one of `warm_up_epochs` and `warm_up_batches`, and has both",
        ),
        ("[sgd]; nesterov = 1", "`sgd` has `nesterov`, which needs a `momentum` above 0 and no `dampening`"),
        ("[sgd]; dampening = 0.1", "`sgd` has `dampening`, which needs a `momentum` above 0"),
    ],
)
def test_options_that_do_not_go_together_are_one_finding(text: str, message: str) -> None:
    assert conflict(text) == [f"NC105 {message}"]


def test_none_is_as_good_as_not_written() -> None:
    assert conflict("[adam]; decay_over_last_epochs = None; milestones = None") == []


def test_a_milestone_is_a_number_of_epochs() -> None:
    assert conflict("[adam]; schedule = multistep; milestones = 3, 0") == [
        "NC105 `milestones` must be greater than 0, found `3, 0`"
    ]


def test_a_page_of_an_optimizer_leaves_the_options_of_schedules_to_theirs() -> None:
    keys = [key for key, *_ in Adam.option_rows()]
    assert "schedule" in keys
    assert not {"gamma", "milestones", "final_factor", "plateau_patience"} & set(keys)
    (cosine,), _ = find_section("cosine")
    assert "final_factor" in page_text(cosine)
    assert "##### `schedule = cosine`" in reference_markdown()


def test_the_options_of_a_schedule_are_among_those_of_its_optimizer() -> None:
    section = Adam(**PHASE, schedule="cosine", final_factor=0.25)
    assert {key: show_value(value) for key, value in section.options().items() if key not in PHASE} == {
        "schedule": "cosine",
        "final_factor": "0.25",
    }
    assert section == Adam(**PHASE, schedule="cosine", final_factor=0.25)
    assert section != Adam(**PHASE, schedule="cosine")


def test_a_schedule_of_ones_own_is_one_class() -> None:
    class Halving(Schedule, schedule="halving"):
        """Half as much after every epoch."""

        floor: float = 0.0

        def factor(self, finished: int, max_epochs: int) -> float:
            return max(self.floor, 0.5**finished)

    try:
        assert conflict("[sgd]; schedule = halving; floor = 0.25") == []
        section = Sgd(**PHASE, schedule="halving", floor=0.25)
        assert [section.rate_factor(finished, 4) for finished in range(4)] == [1, 0.5, 0.25, 0.25]
        assert conflict("[sgd]; schedule = cosine; floor = 0.25") == [
            "NC105 `sgd` has `floor`, which belongs to `schedule = halving`, and its schedule is `cosine`"
        ]
        with pytest.raises(Clash, match="defined by both"):
            type("Other", (Schedule,), {"__module__": "elsewhere"}, schedule="halving")
    finally:
        forget([Halving])
    assert conflict("[sgd]; schedule = halving")[0].startswith("NC105 `schedule` must be one of `constant`, ")


def test_what_an_optimizer_remembers_is_what_torch_keeps() -> None:
    """`state_size` is the only word on it, and the estimate of memory goes by it."""
    weight = torch.nn.Parameter(torch.ones(3))
    for section in (
        Adam(**PHASE),
        Adam(**PHASE, amsgrad=True),
        Sgd(**PHASE),
        Sgd(**PHASE, momentum=0.9),
        RmsProp(**PHASE, momentum=0.5, centered=True),
    ):
        optimizer = section.lower([{"params": [weight], "network": "Net"}])
        weight.grad = torch.ones(3)
        optimizer.step()
        kept = [value for value in optimizer.state[weight].values() if torch.is_tensor(value) and value.ndim]
        assert len(kept) == section.state_size()


def test_no_option_of_a_schedule_is_called_like_one_of_an_optimizer() -> None:
    """They stand in one section: such an option would be taken for the schedule's."""
    kinds = [kind for kind in sections("optimizer").values() if issubclass(kind, Optimizer)]
    own = {key for kind in kinds for key in kind.model_fields}
    assert not own & set(schedule_readers()) - {"name"}
