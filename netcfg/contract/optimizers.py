"""The contract of optimizers: what they remember, and that they obey their learning rate."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from netcfg.blocks.optimizers.base import Optimizer
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.contract.variations import Variation, variations

if TYPE_CHECKING:
    import torch

STEPS = 7  # RAdam goes by the mean square from its sixth on
OWN_OF_BASE = frozenset({"learning_rate", "weight_decay"})
"""Options of every optimizer that each has to obey itself; the others are the trainer's."""


def verify_optimizer(kind: type[Optimizer]) -> Iterator[Breach]:
    """What is untrue about an optimizer; the first case of each kind."""
    try:
        section = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    varied = list(variations(section, frozenset(Optimizer.model_fields) - OWN_OF_BASE))
    seen: set[str] = set()
    for text, made in [
        ("", section),
        *((one.text, one.section) for one in varied if one.section is not None),
    ]:
        for breach in _guarded(made, text):
            if breach.check not in seen:
                seen.add(breach.check)
                yield breach
    yield from _without_effect(section, varied)


def _guarded(section: Optimizer, text: str) -> Iterator[Breach]:
    try:
        yield from _verify(section, text)
    except Exception as error:  # whatever its methods raise is its author's to read
        yield Breach(section.type_name, "step", text, "no exception", what_was_raised(error), "lower")


def _verify(section: Optimizer, text: str) -> Iterator[Breach]:
    values, optimizer = _stepped(section)
    names = (section.type_name, "", text)
    found = _remembered(optimizer, section.state_differs)
    if section.state_size() != found:
        yield _breach(
            names, "state_size", section.state_size(), f"{found:g} numbers a parameter", "state_size"
        )
    if not all(bool(value.isfinite().all()) for value in values):
        yield _breach(names, "step", "numbers", "NaN or infinite ones", "lower")
    if not _same(*_at_rest(section)):
        yield _breach(names, "learning rate", "no step at a rate of 0", "that parameters change", "lower")
    yield from _groups(section, names)
    yield from _unreached(section, names)
    if not _same(values, _resumed(section)):
        yield _breach(names, "resume", "the steps of a run without a stop", "others", "lower")


def _groups(section: Optimizer, names: tuple[str, str, str]) -> Iterator[Breach]:
    """Each network's part has its own rate, and what `no_decay` names has no weight decay."""
    matrix = _parameters()[0]  # of which some optimizers step otherwise than of vectors
    further = {"rate": 0.5}, {"rate": 0.25, "decays": False}
    made = section.lower(
        [{"params": [matrix.detach().clone().requires_grad_()], "network": "N", **also} for also in further]
    )
    rates: list[float] = [float(group["lr"]) for group in made.param_groups]
    if len(rates) != 2 or abs(rates[0] - 2 * rates[1]) > 1e-6 * rates[0]:
        found = f"rates of {', '.join(f'{rate:g}' for rate in rates)} for factors of 0.5 and 0.25"
        yield _breach(names, "groups", "each group's own rate", found, "lower")
    elif made.param_groups[1].get("weight_decay"):
        yield _breach(names, "groups", "no weight decay where none is wanted", "one", "lower")


def _unreached(section: Optimizer, names: tuple[str, str, str]) -> Iterator[Breach]:
    """A parameter that no loss of the phase has reached has no gradient, and stays as it is."""
    parameters = _parameters()
    before = parameters[1].detach().clone()
    optimizer = _made(section, parameters)
    try:
        for number in range(STEPS):
            _step(optimizer, parameters[:1], number)
    except Exception as error:  # whatever its methods raise is its author's to read
        yield _breach(names, "a parameter without a gradient", "no step", what_was_raised(error), "lower")
        return
    if not _same([before], parameters[1:]):
        yield _breach(names, "a parameter without a gradient", "no step", "one", "lower")


def _breach(names: tuple[str, str, str], check: str, declared: object, found: object, write: str) -> Breach:
    return Breach(names[0], check, names[2], str(declared), str(found), write)


def _parameters() -> list[Any]:
    import torch

    generator = torch.Generator().manual_seed(1)
    return [torch.randn(*shape, generator=generator).requires_grad_() for shape in ((7, 5), (11,))]


def _made(section: Optimizer, parameters: list[Any]) -> torch.optim.Optimizer:
    groups = [{"params": [value], "network": f"N{place}"} for place, value in enumerate(parameters)]
    return section.lower(groups)


def _step(optimizer: torch.optim.Optimizer, parameters: list[Any], number: int) -> None:
    import torch

    generator = torch.Generator().manual_seed(100 + number)
    for value in parameters:
        value.grad = torch.randn(*value.shape, generator=generator)
    optimizer.step()


def _stepped(section: Optimizer) -> tuple[list[Any], torch.optim.Optimizer]:
    """Parameters after some steps."""
    parameters = _parameters()
    optimizer = _made(section, parameters)
    for number in range(STEPS):
        _step(optimizer, parameters, number)
    return [value.detach() for value in parameters], optimizer


def _at_rest(section: Optimizer) -> tuple[list[Any], list[Any]]:
    """Parameters before and after a step at a learning rate of 0, as a schedule may set it."""
    parameters = _parameters()
    optimizer = _made(section, parameters)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    _step(optimizer, parameters, 0)
    return _parameters(), parameters


def _resumed(section: Optimizer) -> list[Any]:
    """The same steps, the last ones by another optimizer that has taken up the first one's state."""
    parameters = _parameters()
    first = _made(section, parameters)
    _step(first, parameters, 0)
    second = _made(section, parameters)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for number in range(1, STEPS):
        _step(second, parameters, number)
    return [value.detach() for value in parameters]


def _remembered(optimizer: torch.optim.Optimizer, most: bool) -> float:
    """Numbers for each parameter, or the most for any; a count of steps is one number in all, and none of these."""
    parameters = [value for group in optimizer.param_groups for value in group["params"]]
    kept: list[int] = [
        sum(held.numel() for held in optimizer.state[value].values() if hasattr(held, "numel") and held.ndim)
        for value in parameters
    ]
    numbers: list[int] = [value.numel() for value in parameters]
    return max(map(operator.truediv, kept, numbers), default=0.0) if most else sum(kept) / sum(numbers)


def _without_effect(section: Optimizer, varied: list[Variation[Optimizer]]) -> Iterator[Breach]:
    """Options at another value of which all steps are the same."""
    base = _stepped(section)[0]
    for option in dict.fromkeys(one.option for one in varied):
        tried = [one for one in varied if one.option == option]
        others = [one.section for one in tried if one.section is not None]
        idle = len(others) == len(tried) and all(_same(_stepped(other)[0], base) for other in others)
        if idle and not _has_effect_elsewhere(option, varied):
            yield Breach(
                section.type_name,
                "option",
                tried[0].text,
                f"`{option}`",
                "that no step changes with it",
                "lower",
            )


def _has_effect_elsewhere(option: str, varied: list[Variation[Optimizer]]) -> bool:
    """Whether it belongs to another option, as `nesterov` to `momentum`."""
    fixed = frozenset(Optimizer.model_fields) - OWN_OF_BASE
    for other in varied:
        if other.section is None or other.option == option:
            continue
        base = _stepped(other.section)[0]
        for one in variations(other.section, fixed):
            if one.option == option and (one.section is None or not _same(_stepped(one.section)[0], base)):
                return True
    return False


def _same(one: list[Any], other: list[Any]) -> bool:
    return all(bool((left == right).all()) for left, right in zip(one, other, strict=True))
