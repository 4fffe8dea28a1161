"""The sum that an optimizer minimises: factors by loss, and nothing that would be left out silently."""

from __future__ import annotations

import pytest

import netcfg

PROGRAM = """{N}
[net]
channels = 3
height = 4
width = 4
[convolutional]
filters = 3
kernel_size = 1
{Loss}
[l1]
name = a
input = N
target = N
[mse]
name = b
input = N
target = N
{Optimizer}
[adam]
networks = N
"""


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("a", {"a": 1}),
        ("a + b", {"a": 1, "b": 1}),
        ("a + 10 * b", {"a": 1, "b": 10}),
        ("-(a - b) / 2", {"a": -0.5, "b": 0.5}),
        ("2 * (a + 3 * b) - a", {"a": 1, "b": 6}),
        ("a - b - b * 1_0 / 5", {"a": 1, "b": -3}),
        ("--a + -+-(b)", {"a": 1, "b": 1}),
        ("1e-1*a+.5*b", {"a": 0.1, "b": 0.5}),
        ("-" * 20_001 + "a", {"a": -1}),
        (" + ".join(["a"] * 20_000 + ["b"]), {"a": 20_000, "b": 1}),
        ("1 * " * 20_000 + "a", {"a": 1}),
        ("(" * 90 + "a" + ")" * 90, {"a": 1}),
    ],
)
def test_a_sum_of_losses_is_read(text: str, weights: dict[str, float]) -> None:
    assert netcfg.load(PROGRAM + f"minimise = {text}\n").phases[0].weights == weights


@pytest.mark.parametrize(
    "text",
    [
        "a + 1",
        "3",
        "0",
        "a * b",
        "a / b",
        "a / 0",
        "a ** 2",
        "max(a, b)",
        "a +",
        "9" * 400 + " * a",
        "1e300 * 1e300 * a",
        "(" * 20_000 + "a" + ")" * 20_000,
        "(a",
        "a)",
        "a b",
        "2 a",
        "* a",
        "a - ()",
        "a @ b",
        "True * a * b",
    ],
)
def test_anything_else_is_one_finding(text: str) -> None:
    findings = netcfg.check(PROGRAM + f"minimise = {text}\n")[1]
    assert [finding.code for finding in findings if finding.severity == "error"] == ["NC009"]
