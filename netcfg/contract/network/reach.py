"""`reach`: which places of an input an output sees, found by moving one pixel at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netcfg.blocks.base import Reach
from netcfg.contract.breach import Breach
from netcfg.contract.network.case import Case, Computation
from netcfg.contract.seeds import seeded

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Line:
    """One axis of an image: `axis` 2 or 3 of N×C×H×W, how long it is before and after the block."""

    name: str
    axis: int
    before: int
    after: int


def reach(case: Case) -> Iterator[Breach]:
    """The window that it declares, at both edges and in the middle of the output."""
    declared = case.block.reach(*case.shapes)
    made = case.declared()
    if case.block.uses_statistics():  # they do not count
        return
    if declared is None or len(made) != 1 or any(len(shape) != 3 for shape in [*case.shapes, made[""]]):
        return
    if len(set(case.shapes)) != 1:  # which of them a place belongs to is not said
        return
    if not all(value.is_floating_point() for value in case.inputs(1)):  # a class cannot be moved a little
        return
    computation = case.computation().train(False)
    for name, axis in (("height", 2), ("width", 3)):
        line = _Line(name, axis, case.shapes[0][axis - 1], made[""][axis - 1])
        for place in sorted({0, line.after // 2, line.after - 1}):
            found = _mismatch(case, computation, declared, line, place)
            if found:
                yield case.breach("reach", _said(declared), found, "reach")
                return


def _mismatch(case: Case, computation: Computation, declared: Reach, line: _Line, place: int) -> str:
    """What is wrong about the window of one output place along one axis; "" where it is as declared."""
    start = place * declared.step - declared.pad
    slack = 0 if declared.step.denominator == 1 and declared.pad.denominator == 1 else 1
    first, last = math.ceil(start), math.ceil(start) + declared.size - 1
    first_seen, last_seen = max(first, 0), min(last, line.before - 1)
    if first_seen > last_seen:
        return ""
    if slack:  # between two places: an interpolation's window is not the same for every place
        inside: list[int] = []
    else:
        inside = [place for place in (first, last) if 0 <= place < line.before]
    outside = [place for place in (first - 1 - slack, last + 1 + slack) if 0 <= place < line.before]
    changed = _changes(case, computation, line, place, sorted({*inside, *outside}))
    for pixel in inside:
        if not changed[pixel]:
            return f"that output {place} does not see input {pixel} along the {line.name}"
    for pixel in outside if case.block.family != "normalisation" else ():  # statistics do not count
        if changed[pixel]:
            return f"that output {place} sees input {pixel} along the {line.name}"
    return ""


def _changes(
    case: Case, computation: Computation, line: _Line, place: int, pixels: list[int]
) -> dict[int, bool]:
    """For each input place along a line whether the output at `place` changes with it, in any way tried."""
    import torch

    if not pixels:
        return {}
    seen = dict.fromkeys(pixels, False)
    base = case.inputs(1)
    for value in (math.nan, 100.0, -100.0):  # a number that is not one gets through where a mask stops others
        for index in range(len(base)):
            with torch.no_grad(), seeded(2):
                before = computation(*base)[""]
                for pixel in pixels:
                    moved = [tensor.clone() for tensor in base]
                    moved[index].select(line.axis, pixel).fill_(value)
                    with seeded(2):
                        after = computation(*moved)[""]
                    seen[pixel] |= _differ(before, after, line.axis, place)
        if all(seen.values()):
            break
    return seen


def _differ(before: Tensor, after: Tensor, axis: int, place: int) -> bool:
    one, other = before.select(axis, place), after.select(axis, place)
    return not bool((one == other).all())


def _said(reach: Reach) -> str:
    return f"{reach.size} wide, in steps of {reach.step}, {reach.pad} before the input"
