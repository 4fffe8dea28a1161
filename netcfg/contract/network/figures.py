"""Shapes and counts of a block: what is compared without looking at a single number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from netcfg.axes import AXES
from netcfg.blocks.base import Block, ShapeError
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.network.case import Case, Shapes, shown
from netcfg.contract.seeds import seeded
from netcfg.contract.sizes import shape_at, symbolic
from netcfg.shapes import UNKNOWN, Shape, at, show

if TYPE_CHECKING:
    from torch import Tensor, nn


_AXES = {1: "F", 2: "LF", 3: "CHW", 4: "TCHW"}
"""What signals of so many sizes are, where a block takes any."""
_RANKS = ((), (5,), (5, 6), (3, 5, 6), (2, 3, 5, 6))
QUESTIONS = ("parameters", "frozen_parameters", "macs", "scratch", "kept", "reach")
"""What a block answers for the shapes that it takes."""


def answers(case: Case) -> Iterator[Breach]:
    """That it answers every question about the shapes that it takes."""
    for name in QUESTIONS:
        try:
            getattr(case.block, name)(*case.shapes)
        except Exception as error:  # whatever the author's method raises is for the author to read
            yield case.breach(name, "an answer", what_was_raised(error), name)


def refusals(case: Case) -> Iterator[Breach]:
    """That it refuses what it does not take by a `ShapeError`: whoever writes a file is told so, with the place.

    Given signals of every rank, in one place or in all. What it takes of these it answers for, and computes.
    """
    for given in _odd(case.shapes):
        odd = replace(case, shapes=given, variation=f"input {shown(given)}")
        try:
            case.block.shape(*given)
            for question in QUESTIONS:
                getattr(case.block, question)(*given)
            untrue = [] if odd.is_heavy else list(shapes(odd))
        except ShapeError:
            continue
        except Exception as error:  # whatever the author's methods raise is for the author to read
            yield odd.breach("refusals", "an answer, or a ShapeError", what_was_raised(error), "shape")
            return
        if untrue:
            yield from untrue
            return


def _odd(shapes: Shapes) -> Iterator[Shapes]:
    for odd in _RANKS:
        yield tuple(odd for _ in shapes)
        if len(shapes) > 1:
            yield from ((*shapes[:place], odd, *shapes[place + 1 :]) for place in range(len(shapes)))


def shapes(case: Case) -> Iterator[Breach]:
    """The shapes of what it gives, for batches of one and two."""
    import torch

    declared = case.declared()
    device = "meta" if case.is_heavy else "cpu"
    computation = case.computation(device)
    for batch in (1, 2):
        with torch.no_grad(), seeded(2):
            given = computation.train(batch > 1)(*case.inputs(batch, device=device))
        found = {port: tuple(value.shape) for port, value in given.items()}
        wanted = {port: (1 if case.is_shared else batch, *shape) for port, shape in declared.items()}
        if found != wanted:
            yield case.breach(
                "shape", _ports(declared), _ports({k: v[1:] for k, v in found.items()}), "shape"
            )
            return


def inputs_kept(case: Case) -> Iterator[Breach]:
    """That it leaves what it is given as it is: other blocks read the same signal."""
    import torch

    if case.is_heavy:
        return
    for training in (False, True):
        inputs = case.inputs()
        before = [value.clone() for value in inputs]
        with torch.no_grad(), seeded(2):
            case.computation().train(training)(*inputs)
        for number, (value, old) in enumerate(zip(inputs, before, strict=True)):
            if not torch.equal(value, old):
                found = f"that it writes into input {number}" if len(inputs) > 1 else "that it writes into it"
                yield case.breach("input", "left as it is", found, "lower")
                return


def axes(case: Case) -> Iterator[Breach]:
    """That it names as many axes as it gives sizes, each once, by letters that there are."""
    block, given = case.block, tuple(_AXES.get(len(shape), "") for shape in case.shapes)
    if type(block).axes is Block.axes or not all(given):
        return
    given = tuple(
        next((one for one in block.takes if len(one) == len(axes)), axes) if not block.roles else axes
        for axes in given
    )
    try:
        placed = block.placed(*given)
        made, named = placed.shape(*case.shapes), placed.axes(*given)
    except ShapeError:  # it takes others
        return
    sizes = made if isinstance(made, dict) else {"": made}
    letters = named if isinstance(named, dict) else dict.fromkeys(sizes, named)
    for port, text in letters.items():
        if text and (len(text) != len(sizes[port]) or len(set(text)) < len(text) or set(text) - set(AXES)):
            found = f"{len(sizes[port])} sizes, {show(sizes[port])}"
            yield case.breach("axes", text, found, "axes")
            return


def symbolic_shapes(case: Case) -> Iterator[Breach]:
    """Shapes and costs of unknown heights and widths, against those of known ones."""
    unknown, known = symbolic(case.shapes)
    if not known:
        return
    try:
        made = case.block.shape(*unknown)
    except ShapeError:  # it needs to know them, and says so
        return
    wanted, given = case.declared(), made if isinstance(made, dict) else {"": made}
    found = {port: shape_at(shape, known) for port, shape in given.items()}
    if found != wanted:
        yield case.breach("symbolic shape", _ports(found), _ports(wanted), "shape")
    for name in ("macs", "kept", "scratch"):
        count = getattr(case.block, name)
        if (said := count(*unknown)) == UNKNOWN[0]:  # it says that it does not know
            continue
        symbolically, numerically = at(said, known), count(*case.shapes)
        # `scratch` is an "at most" of several signals, of which another one may be the largest at small sizes.
        fits = symbolically >= 0.9 * numerically if name == "scratch" else symbolically == numerically
        if not fits:
            yield case.breach(f"symbolic {name}", symbolically, numerically, name)


def parameters(case: Case) -> Iterator[Breach]:
    """How many numbers it learns, how many of them it freezes, and what they are called."""
    block = case.block
    module = case.computation("meta" if case.is_heavy else "cpu").module
    values = list(module.parameters()) if module is not None else []
    declared = block.parameters(*case.shapes)
    found = sum(value.numel() for value in values)
    if declared != found:
        yield case.breach("parameters", declared, found, "parameters")
        return
    frozen = sum(value.numel() for value in values if not value.requires_grad)
    if block.frozen_parameters(*case.shapes) != frozen:
        said = block.frozen_parameters(*case.shapes)
        yield case.breach("frozen parameters", said, frozen, "frozen_parameters")
    if module is not None and not block.owns_tensor():  # its one tensor bears the block's own name
        yield from _names(case, module)
    if not case.is_heavy:
        yield from _hidden(case)


def _names(case: Case, module: nn.Module) -> Iterator[Breach]:
    """The names that files of weights hold, against those of the page."""
    named = [name for name, _ in [*module.named_parameters(), *module.named_buffers()]]
    named = [name for name in named if name.rpartition(".")[2] != "num_batches_tracked"]
    page = case.block.describe().partition("Parameters:")[2].partition("Source:")[0].partition("Example::")[0]
    if not named or "…" in page or "as in" in page:
        return
    listed = _listed(page)
    missing = [name for name in named if _numberless(name) not in set(map(_numberless, listed))]
    if missing:
        said = ", ".join(sorted(listed)) or "none"
        yield case.breach("names of parameters", said, ", ".join(missing), "Parameters: in its page")


def _numberless(name: str) -> str:
    """A name without its number: a page names the first of several layers."""
    return re.sub(r"\d+", "0", name).removesuffix("_reverse")


def _listed(page: str) -> set[str]:
    """Names in backticks; `batch_norm.{weight,bias}` is two."""
    names: set[str] = set()
    for text in re.findall(r"`([^`]+)`", page):
        head, brace, rest = text.partition("{")
        choices, _, tail = rest.partition("}")
        names |= {head + choice.strip() + tail for choice in choices.split(",")} if brace else {text}
    return names


def _hidden(case: Case) -> Iterator[Breach]:
    """Tensors that learn and that no module knows, so that no optimizer steps them and no file keeps them."""
    computation = case.computation().train(True)
    inputs = case.inputs(grad=True)
    with seeded(2):
        given = computation(*inputs)
    module = computation.module
    known = {id(value) for value in [*inputs, *(module.parameters() if module is not None else ())]}
    hidden = [leaf for value in given.values() for leaf in _leaves(value) if id(leaf) not in known]
    if hidden:
        numbers = sum(leaf.numel() for leaf in {id(leaf): leaf for leaf in hidden}.values())
        yield case.breach(
            "parameters", "all of its module's", f"{numbers} that its module does not know", "lower"
        )


def _leaves(value: Tensor) -> Iterator[Tensor]:
    """The tensors at which a result's gradient ends."""
    waiting, seen = [value.grad_fn], set()
    while waiting:
        step = waiting.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        if hasattr(step, "variable"):
            yield step.variable
        waiting += [before for before, _ in step.next_functions]


def macs(case: Case) -> Iterator[Breach]:
    """Multiply-accumulates, where torch counts them: products of matrices, convolutions, attention."""
    from torch.utils.flop_counter import FlopCounterMode

    counts = []
    for device in ("meta", "cpu"):  # on meta, products are not hidden in kernels of a processor's own
        try:
            computation = case.computation(device).train(False)
            with FlopCounterMode(display=False) as counter, seeded(2):
                computation(*case.inputs(1, device=device, grad=True))
        except (RuntimeError, NotImplementedError):
            continue
        counts.append(counter.get_total_flops() // 2)
        break
    declared = case.block.macs(*case.shapes)
    if counts and counts[0] and declared != counts[0]:
        yield case.breach("multiply-accumulates", declared, counts[0], "macs")


def _ports(shapes: dict[str, tuple[int, ...]] | dict[str, Shape]) -> str:
    return ", ".join((f"{port} " if port else "") + shown((tuple(shape),)) for port, shape in shapes.items())  # type: ignore[arg-type]
