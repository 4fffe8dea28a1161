"""Memory of a block: what its gradient keeps, what it needs to work, and whose memory its output is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from netcfg.blocks.base import Block
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.network.case import Case, close
from netcfg.contract.network.probes import kept, peak, per_sample, storages
from netcfg.contract.seeds import seeded
from netcfg.shapes import at

if TYPE_CHECKING:
    from torch import Tensor

ROUNDING = 0.02
"""By what part of it a count may miss: what a convolution of a few numbers aligns."""


def gradients(case: Case) -> Iterator[Breach]:
    """`kept` and `gradient_needs`, against what backward keeps."""
    block = case.block
    if case.is_renamed:
        return
    device = "meta" if case.is_heavy else "cpu"
    two, four = kept(case, 2, device), kept(case, 4, device)
    found, declared = per_sample(two.beside, four.beside), block.kept(*case.shapes)
    if not _alike(declared, found) and not case.has_fused_kernels:
        yield case.breach("kept for the gradient", _numbers(declared), _numbers(found), "kept")
    needs = block.gradient_needs()
    for name, is_kept in (("input", four.inputs), ("output", four.outputs)):
        if is_kept and name not in needs:
            yield case.breach("gradient_needs", _set(needs), f"backward keeps its {name}", "gradient_needs")


def unneeded(block: Block, cases: list[Case]) -> Iterator[Breach]:
    """What `gradient_needs` names in its own words, and backward keeps in no variation."""
    if type(block).gradient_needs is Block.gradient_needs:
        return
    found = [(case.block.gradient_needs(), kept(case, 2, "cpu")) for case in cases if not case.is_heavy]
    for name in ("input", "output"):
        said = any(name in needs for needs, _ in found)
        if said and not any(one.inputs if name == "input" else one.outputs for _, one in found):
            yield cases[0].breach("gradient_needs", name, "that backward never keeps it", "gradient_needs")


def scratch(case: Case) -> Iterator[Breach]:
    """`scratch`, against what is seen to live at most at once in evaluation: no more than it says."""
    device = "meta" if case.is_heavy else "cpu"
    found = per_sample(peak(case, 2, device), peak(case, 4, device))
    declared = at(case.block.scratch(*case.shapes), {})
    if found > declared * (1 + ROUNDING) + 1 and not case.has_fused_kernels:
        yield case.breach("memory to work", _numbers(declared), _numbers(found), "scratch")


def views(case: Case) -> Iterator[Breach]:
    """`is_view`: whether its output is its input's memory, and `only_trains`: its input itself, in evaluation."""
    import torch

    if case.is_renamed:
        return
    inputs, block = case.inputs(), case.block
    found = {}
    for training in (True, False):
        with torch.no_grad(), seeded(2):
            given = case.computation().train(training)(*inputs)
        found[training] = bool(storages(given.values()) & storages(inputs))
    if found[True] != block.is_view and (block.is_view or not case.variation):
        # With options of which nothing changes it may be one by the way, which is less than it says.
        word = "its input's memory" if found[True] else "memory of its own"
        yield case.breach("is_view", block.is_view, f"{word} in training", "is_view")
    elif not block.is_view and not found[True] and found[False] != block.only_trains:
        word = "its input itself" if found[False] else "memory of its own"
        yield case.breach("only_trains", block.only_trains, f"{word} in evaluation", "only_trains")


def overwriting(case: Case) -> Iterator[Breach]:
    """`overwritable`, behind a successor that works in place; and `overwriting`, against the block itself."""
    import torch

    if case.block.overwritable():
        found = _overwritten(case)
        if found:
            yield case.breach("overwritable", True, found, "overwritable")
    source = case.block.overwriting("x0") if len(case.shapes) == 1 else None
    if source is None:
        return
    inputs = [value.clone() for value in case.inputs()]
    wanted = case.computation()(*case.inputs())[""]
    given: Tensor = case.evaluated(source)(*inputs)
    if not close(given, wanted):
        yield case.breach("overwriting", source, "other numbers than those of the block", "overwriting")
    elif not storages([given]) & storages(inputs):
        yield case.breach("overwriting", source, "that its input is not overwritten", "overwriting")
    else:
        leaf, other = case.inputs(grad=True)[0], case.inputs(grad=True)[0]
        one = torch.autograd.grad(case.evaluated(source)(leaf * 1).square().sum(), leaf)
        two = torch.autograd.grad(case.computation()(other * 1)[""].square().sum(), other)
        if not close(one[0], two[0]):
            yield case.breach("overwriting", source, "other gradients than those of the block", "overwriting")


def _overwritten(case: Case) -> str:
    """What goes wrong where the next block overwrites the output; "" for nothing."""
    try:
        plain, changed = _gradients_behind(case, False), _gradients_behind(case, True)
    except RuntimeError as error:
        return what_was_raised(error)
    if len(plain) != len(changed) or not all(map(close, plain, changed)):
        return "other gradients, numbers or state behind a block that overwrites its output"
    return ""


def _gradients_behind(case: Case, in_place: bool) -> list[Tensor]:
    """Gradients of inputs and parameters, the inputs, and the state, after a step with a successor."""
    import torch

    computation = case.computation().train(True)
    leaves = case.inputs(grad=True)
    fed = [leaf * 1 for leaf in leaves]  # a leaf itself may not be overwritten, what a block makes may
    with seeded(2):
        given = [value for value in computation(*fed).values() if value.is_floating_point()]
    following = [value.mul_(-3.0) if in_place else value * -3.0 for value in given]
    wanted = [*(leaf for leaf in leaves if leaf.requires_grad), *computation.trained()]
    total = torch.stack([(value * value).sum() for value in following]).sum()
    found = torch.autograd.grad(total, wanted, allow_unused=True) if total.requires_grad else ()
    return [value for value in found if value is not None] + fed + list(computation.state().values())


def _alike(declared: object, found: float) -> bool:
    return isinstance(declared, int) and abs(declared - found) <= ROUNDING * max(declared, found) + 0.5


def _numbers(count: object) -> str:
    return f"{count:g} numbers for each sample" if isinstance(count, int | float) else str(count)


def _set(needs: frozenset[str]) -> str:
    return " and ".join(sorted(needs)) or "nothing"
