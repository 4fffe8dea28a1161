"""All checks of a block, over its example and its variations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netcfg.blocks.base import Block
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of, promise_of
from netcfg.contract.network import behaviour, figures, memory, options, reach
from netcfg.contract.network.case import Case, Shapes, shown

Check = Callable[[Case], Iterator[Breach]]
FRAMES = frozenset({"net", "input", "output"})
"""What frames a network computes nothing."""

FIGURES: dict[str, Check] = {
    "parameters": figures.parameters,
    "refusals": figures.refusals,
    "symbolic shape": figures.symbolic_shapes,
    "axes": figures.axes,
    "macs": figures.macs,
    "kept": memory.gradients,
    "scratch": memory.scratch,
}
BEHAVIOUR: dict[str, Check] = {
    "is_view": memory.views,
    "overwritable": memory.overwriting,
    "by_sample": behaviour.samples,
    "each_place": behaviour.places,
    "stops_gradient": behaviour.gradients,
    "inline": behaviour.lowerings,
    "lower": behaviour.formats,
    "pickle": behaviour.copies,
    "chance": behaviour.chance,
    "reach": reach.reach,
}
"""By what is to be mended where the check itself ends in an exception."""


def verify_block(kind: type[Block]) -> Iterator[Breach]:
    """What is untrue about a block; the first case of each kind."""
    seen: set[tuple[str, str]] = set()
    for breach in _all(kind):
        if (breach.check, breach.write) not in seen:
            seen.add((breach.check, breach.write))
            yield breach


def _all(kind: type[Block]) -> Iterator[Breach]:
    if kind.type_name in FRAMES or kind.only_in_model:  # which is more than its own module
        return
    try:
        block, promised = example_of(kind), promise_of(kind)
    except BadExample:  # the check of the page says so
        return
    shapes = promised.inputs
    base = Case(block, shapes)
    failed = _broken(base) or list(_guarded("lower", behaviour.repeats, base))
    yield from failed
    if failed:
        return
    varied = options.varied(block, shapes)
    others = [Case(one.section, shapes, one.text) for one in varied if one.section is not None]
    whole = []
    for case in [base, *others]:
        failed = _broken(case)
        yield from failed
        if not failed:
            whole.append(case)
            checks = {**FIGURES, **BEHAVIOUR} if case is base or not case.is_heavy else FIGURES
            yield from _verify_case(case, checks)
    for case in _resized(base, others):
        failed = _broken(case)
        yield from failed or _verify_case(case, FIGURES)
    if len(whole) == len(others) + 1:
        yield from _over_all(base, varied, whole)


def _over_all(base: Case, varied: options.Varied, cases: list[Case]) -> Iterator[Breach]:
    """What only shows over all variations."""
    yield from memory.unneeded(base.block, cases)
    yield from options.without_effect(base.block, base.shapes, varied)
    yield from _guarded("shape or lower", options.roles_without_effect, base)
    if varied and not any(case.block.label() for case in cases):
        names = ", ".join(dict.fromkeys(f"`{one.option}`" for one in varied))
        yield base.breach("label", "nothing", f"the options {names}", "label")


def _verify_case(case: Case, checks: dict[str, Check]) -> Iterator[Breach]:
    for write, check in checks.items():
        yield from _guarded(write, check, case)


def _broken(case: Case) -> list[Breach]:
    """What makes all other checks fail: no answers, or another shape. What follows from it stays silent."""
    return (
        list(figures.answers(case))
        or list(_guarded("shape", figures.shapes, case))
        or list(_guarded("lower", figures.inputs_kept, case))
    )


def _guarded(write: str, check: Check, case: Case) -> Iterator[Breach]:
    """A check whose exceptions are findings: whatever the author's methods raise is for the author to read."""
    try:
        yield from check(case)
    except Exception as error:
        yield case.breach(write, "no exception", what_was_raised(error), write)


def _resized(base: Case, others: list[Case]) -> Iterator[Case]:
    """The example, and its variations, fed with other sizes: each axis one more, then all at once."""
    for shapes in dict.fromkeys(_larger(base.shapes)):
        if shapes == base.shapes:
            continue
        for case in [base, *others]:
            text = f"{case.variation}, input {shown(shapes)}" if case.variation else f"input {shown(shapes)}"
            resized = Case(case.block, shapes, text)
            if options.refusal(case.block, shapes) is None:
                yield resized


def _larger(shapes: Shapes) -> Iterator[Shapes]:
    """Signals of one more at each place from the end, in all of them alike; then each place by another number."""
    rank = max(map(len, shapes), default=0)
    for place in range(1, rank + 1):
        yield tuple(_grown(shape, {len(shape) - place: 1}) for shape in shapes)
    if not shapes:
        return
    yield tuple(_grown(shape, {place: place + 1 for place in range(1, len(shape))}) for shape in shapes)
    if len(shapes) > 1:
        yield (*shapes[:-1], _grown(shapes[-1], {0: 2}))


def _grown(shape: tuple[int, ...], by: dict[int, int]) -> tuple[int, ...]:
    return tuple(size + by.get(place, 0) for place, size in enumerate(shape))
