"""Losses and metrics that read arithmetic: a [formula] of the model, by the loss's name."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.compile import check
from netcfg.trainers.step.model import Model

TEXT = (
    "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = bp4d\n"
    "{A}\n[net]\ninputs = data.image\n[convolutional]\nfilters = 3\nkernel_size = 1\n"
    "{Loss}\n[mean]\nname = d\ninput = INPUT\n"
    "{Optimizer}\n[sgd]\nnetworks = A\nminimise = d\n"
)


def found(input: str) -> list[tuple[str, str]]:
    findings = check(TEXT.replace("INPUT", input))[1]
    return [(finding.code, finding.help or "") for finding in findings if finding.severity == "error"]


def test_a_loss_computes_with_signals() -> None:
    program = netcfg.load(TEXT.replace("INPUT", "softplus(-A) * mean(image, over = channels)"))
    networks = netcfg.build(program).eval()
    image = torch.randn(2, 3, 16, 16)
    made = Model(program, networks).signals({"image": image}, ["d.input"])["d.input"]
    expected = torch.nn.functional.softplus(-networks["A"](image)) * image.mean(1, keepdim=True)
    torch.testing.assert_close(made, expected)
    assert netcfg.load(program.resolved).signals.keys() == program.signals.keys()


def test_targets_and_metrics_compute_too() -> None:
    losses = "[mse]\ninput = 2 * A - 1\ntarget = 0.5 * image\n{Optimizer}"
    text = TEXT.replace("INPUT", "A").replace("{Optimizer}", losses)
    text += (
        "{Metric}\n[f1]\ninput = -mean(A, over = (channels, height, width)) + 0 * labels\ntarget = labels\n"
    )
    program = netcfg.load(text)
    assert {"mse.input", "mse.target", "f1.input"} <= program.signals.keys()
    assert program.signals["mse.target"].shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("input", "code", "help"),
    [
        ("(A - imag) ** 2", "NC401", "did you mean `image`?"),
        ("A + in", "NC401", "name the signal"),
        ("A +", "NC105", "such as"),
        ("open('x')", "NC105", "there are abs"),
        ("A < image < A", "NC105", "(a < b) * (b < c)"),
        ("A[image]", "NC301", "is the same for all samples"),
        ("A - landmarks", "NC301", ""),
    ],
)
def test_what_cannot_be_computed(input: str, code: str, help: str) -> None:
    ((said, remedy),) = found(input)
    assert said == code
    assert help in remedy
