"""Blocks with further named inputs: how these are written, wired, called, compared and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

import netcfg
from netcfg.blocks.base import Block, Reference, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.registry import forget, recorded
from netcfg.compare.programs import compare
from netcfg.draw.model import diagram
from netcfg.shapes import Shape, show
from netcfg.source import Finding
from netcfg.trainers.step.model import call_of


class Gated(nn.Module):
    def forward(self, x: Tensor, gate: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        x = x if gate is None else x * gate
        return x if shift is None else x + 10 * shift


@pytest.fixture(autouse=True)
def blocks() -> Iterator[None]:
    """Two blocks of one kind, one by a module and one by a line of Python; nobody else sees them."""
    with recorded() as brought:

        class _Base(Block):
            roles: ClassVar[tuple[str, ...]] = ("gate", "shift")
            by_sample: ClassVar[bool] = True
            gate: Reference | None = Field(None, description="a factor")
            shift: Reference | None = Field(None, description="added ten times")

            def shape(self, *inputs: Shape) -> Shape:
                gate = self.of_role("gate", inputs)
                if gate is not None and gate != inputs[0]:
                    raise ShapeError(f"is gated by {show(gate)}", argument=len(self.main(inputs)))
                return inputs[0]

        class GatedBlock(_Base, name="gated"):
            """By a module."""

            def lower(self, *inputs: Shape) -> Made:
                return made(Gated)

        class GatedInline(_Base, name="gated_inline"):
            """By a line."""

            def inline(self, *names: str) -> str:
                gate, shift = self.of_role("gate", names), self.of_role("shift", names)
                return f"{names[0]}{f' * {gate}' if gate else ''}{f' + 10 * {shift}' if shift else ''}"

    yield
    forget(brought)


def text(body: str) -> str:
    inputs = "".join(f"[input]\nname = {name}\nfeatures = 3\n" for name in ("x", "g", "s"))
    return f"{{N}}\n[net]\n{inputs}{body}"


def error_of(body: str) -> Finding:
    errors = [finding for finding in netcfg.check(text(body))[1] if finding.severity == "error"]
    assert len(errors) == 1, errors
    return errors[0]


X, G, S = torch.randn(3, 2, 3)
WRITTEN: list[tuple[str, Any]] = [
    ("", X),
    ("gate = g\n", X * G),
    ("shift = s\n", X + 10 * S),
    ("gate = g\nshift = s\n", X * G + 10 * S),
    ("shift = s\ngate = g\n", X * G + 10 * S),
]


@pytest.mark.parametrize("name", ["gated", "gated_inline"])
@pytest.mark.parametrize(("roles", "expected"), WRITTEN)
def test_each_role_is_given_what_it_names_and_none_that_is_not_written(
    name: str, roles: str, expected: Tensor
) -> None:
    program = netcfg.load(text(f"[{name}]\nfrom = x\n{roles}"))
    assert torch.equal(netcfg.build(program)["N"](X, G, S), expected)
    node = program.networks["N"].nodes[-1]
    arguments = [{"x": X, "g": G, "s": S}[program.networks["N"].reference(signal)] for signal in node.inputs]
    assert torch.equal(call_of(node)(*arguments), expected)  # as {Model} computes it


@pytest.mark.parametrize("name", ["gated", "gated_inline"])
def test_every_turn_of_a_repeat_reads_the_same_roles(name: str) -> None:
    body = f"[{name}]\nfrom = x\ngate = g\nshift = s\nrepeat = 2\n"
    expected = (X * G + 10 * S) * G + 10 * S
    assert torch.allclose(netcfg.build(netcfg.load(text(body)))["N"](X, G, S), expected)


def test_a_role_leads_where_from_could_lead() -> None:
    body = "[identity]\nname = first\nfrom = g\n[gated]\nfrom = x\ngate = -1\nshift = first\n"
    assert torch.equal(netcfg.build(netcfg.load(text(body)))["N"](X, G, S), X * G + 10 * G)


@pytest.mark.parametrize(
    ("role", "code", "message"),
    [
        ("gate = nobody", "NC201", "there is no block `nobody` here"),
        ("gate = 0", "NC203", "`0` is this block itself"),
        ("gate = g.port", "NC204", "the input `g` has no ports"),
        ("gate = g h", "NC105", "`gate` must be a block's name, position or offset or `None`, found `g h`"),
    ],
)
def test_a_role_that_leads_nowhere_is_found_at_its_option(role: str, code: str, message: str) -> None:
    error = error_of(f"[gated]\nfrom = x\n{role}\n")
    assert (error.code, error.message) == (code, message)
    assert error.span is not None
    assert error.span.line == 14


def test_a_role_of_a_wrong_shape_is_blamed_by_its_producer() -> None:
    error = error_of(
        "[connected]\nname = wide\nfrom = g\noutput_features = 4\n[gated]\nfrom = x\ngate = wide\n"
    )
    assert error.message == "[gated] is gated by 4"
    assert error.notes[0].message == "`wide` gives 4 here"


def test_roles_are_wires_of_the_picture_and_rows_of_the_summary() -> None:
    program = netcfg.load(
        text(
            "[gated]\nname = y\nfrom = x\ngate = g\n[output]\nname = out\n[output]\nname = s_out\nfrom = s\n"
        )
    )
    drawn = {(wire.source.path, wire.target.path) for wire in diagram(program.networks["N"]).wires}
    assert {("x", "y"), ("g", "y")} <= drawn
    assert ("s", "y") not in drawn


def test_a_signal_in_another_role_is_a_change_of_what_is_read() -> None:
    before, after = (
        netcfg.load(text(f"[gated]\nname = y\nfrom = x\n{role} = g\n")) for role in ("gate", "shift")
    )
    (network,) = compare(before, after).networks
    assert [change.what for block in network.blocks for change in block.changes] == ["from"]


def test_blocks_that_share_parameters_may_have_roles_of_their_own() -> None:
    body = "[gated]\nname = a\nfrom = x\ngate = g\n[gated]\nfrom = a\ngate = s\nshared_with = a\n"
    assert torch.equal(netcfg.build(netcfg.load(text(body)))["N"](X, G, S), X * G * S)
