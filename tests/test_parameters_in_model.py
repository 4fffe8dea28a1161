"""Blocks that learn in `{Model}`: trained by the phase whose losses reach them, like a network of that block alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import netcfg
from netcfg.passes.plan import plan
from netcfg.plan_text import plan_text
from netcfg.source import ProgramError
from netcfg.trainers.step.phases import Phases

PROGRAM = """{Net}
[net]
channels = 3
height = 4
width = 4
[flatten]
[connected]
output_features = 6
{Other}
[net]
channels = 3
height = 4
width = 4
[flatten]
[connected]
output_features = 6
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[resize]
size = 4
{Model}
[Net]
from = image
[connected]
name = head
output_features = 2
[parameter]
name = temperature
shape = 1
start = 2
[formula]
name = warm
value = head * temperature
[Other]
from = image
[formula]
name = apart
value = mean((Net - Other) ** 2)
{Loss}
[bce_with_logits]
name = detection
input = warm
target = labels
[mean]
name = distance
input = apart
{Optimizer}
[adam]
name = main
networks = Net
minimise = detection
rates = head: 0.5
[adam]
name = second
networks = Other
minimise = distance
"""


def batches(count: int) -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [
        {
            "image": torch.randn(5, 3, 4, 4, generator=generator),
            "labels": torch.randint(2, (5, 2), generator=generator).float(),
        }
        for _ in range(count)
    ]


def trained(phases: Phases, given: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    for batch in given:
        phases.step(batch, 0)
    return {name: value.detach().clone() for name, value in phases.model.networks.state_dict().items()}


def phases_of(text: str) -> Phases:
    program = netcfg.load(text)
    torch.manual_seed(0)
    return Phases(program, netcfg.build(program), torch.device("cpu"))


def test_they_step_as_in_a_loop_by_hand() -> None:
    phases = phases_of(PROGRAM)
    networks = netcfg.build(phases.program)
    networks.load_state_dict(phases.model.networks.state_dict())
    assert set(networks) == {"Net", "Other", "head", "temperature"}
    head, factor = networks["head"], networks["temperature"]
    groups: list[dict[str, Any]] = [
        {"params": [*networks["Net"].parameters(), *factor.parameters()]},
        {"params": list(head.parameters()), "lr": 0.5e-3},
    ]
    optimizer = torch.optim.Adam(groups)
    for batch in batches(6):
        made = head(networks["Net"](batch["image"])) * next(iter(factor.parameters()))
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(made, batch["labels"]).backward()
        optimizer.step()
    found = trained(phases, batches(6))
    for name in ("Net", "head", "temperature"):
        for key, value in networks[name].state_dict().items():
            torch.testing.assert_close(found[f"{name}.{key}"], value, rtol=0, atol=1e-6)


def test_a_resumed_run_goes_on_to_the_bit() -> None:
    whole = trained(phases_of(PROGRAM), batches(6))
    first, second = phases_of(PROGRAM), phases_of(PROGRAM)
    trained(first, batches(6)[:3])
    second.model.networks.load_state_dict(first.model.networks.state_dict())
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(trained(second, batches(6)[3:]), whole, rtol=0, atol=0)


def test_the_plan_says_who_trains_them() -> None:
    page = plan_text(plan(netcfg.load(PROGRAM)))
    assert "  main: trains Net, head, temperature\n" in page
    assert "head = connected(Net)" in page
    assert "main: rates of parts: head × 0.5" in page


def test_one_phase_of_two_may_name_what_both_reach() -> None:
    text = PROGRAM.replace("(Net - Other)", "(head - mean(Other))")
    with pytest.raises(ProgramError) as caught:
        netcfg.load(text)
    assert [finding.code for finding in caught.value.findings] == ["NC409"]
    assert "the losses of `main` and `second` reach the parameters of `head`" in str(caught.value)
    main, second = netcfg.load(
        text.replace("networks = Other", "networks = Other, head").replace("rates = head: 0.5\n", "")
    ).phases
    assert (main.optimizer.networks, second.optimizer.networks) == (("Net", "temperature"), ("Other", "head"))


def test_a_name_that_a_network_has_is_refused() -> None:
    text = (
        PROGRAM.replace("name = head\n", "name = Spare\n")
        .replace("head", "Spare")
        .replace("{Other}", "{Spare}")
    )
    with pytest.raises(ProgramError) as caught:
        netcfg.load(text.replace("[Other]", "[Spare]\nname = Other").replace("= Other\nmin", "= Spare\nmin"))
    assert [finding.code for finding in caught.value.findings] == ["NC107"]
    assert "has parameters under its name `Spare`, and a network is called so, too" in str(caught.value)


def test_what_nothing_trains_is_said() -> None:
    text = PROGRAM.replace(
        "[formula]\nname = warm", "[detach]\nname = fixed\nfrom = head\n[formula]\nname = warm"
    )
    text = text.replace("head * temperature", "(fixed + Net.mean) * temperature").replace(
        "rates = head: 0.5\n", ""
    )
    text = text.replace("(fixed + Net.mean)", "(fixed + mean(Net))")
    (finding,) = netcfg.load(text).findings
    assert (finding.code, finding.message) == (
        "NC410",
        "no optimizer trains `head`, which stays as it starts",
    )
    assert finding.help is not None
    assert finding.help.endswith("or write `freeze = True` there")
    frozen = text.replace("name = head\n", "name = head\nfreeze = True\n")
    assert not netcfg.load(frozen).findings
