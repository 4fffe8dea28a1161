"""The contract of schedules: a factor is a number, never below zero, and hangs on where a run stands alone."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from netcfg.blocks.optimizers.schedules import Moment, Schedule
from netcfg.contract.breach import Breach
from netcfg.contract.variations import Variation, idle_options, variations, with_what_it_needs

LENGTHS = (1, 5, 12)
MOMENTS = [
    Moment(finished, length, step, 3) for length in LENGTHS for finished in range(length) for step in range(3)
]


def verify_schedule(kind: type[Schedule]) -> Iterator[Breach]:
    """What is untrue about a schedule; the first case of each kind."""
    schedule = with_what_it_needs(kind)
    if schedule is None:
        return
    varied = list(variations(schedule, frozenset({"name"})))
    seen: set[str] = set()
    for text, made in [
        ("", schedule),
        *((one.text, one.section) for one in varied if one.section is not None),
    ]:
        for breach in _verify(made, text):
            if breach.check not in seen:
                seen.add(breach.check)
                yield breach
    if not seen:
        yield from _without_effect(schedule, varied)


def _verify(schedule: Schedule, options: str) -> Iterator[Breach]:
    def breach(check: str, place: str, declared: str, found: str) -> Breach:
        text = ", ".join(part for part in (options, place) if part)
        return Breach(schedule.type_name, check, text, declared, found, check)

    places = [(finished, length) for length in LENGTHS for finished in range(length)]
    factors = [schedule.factor(*place) for place in places]
    for place, factor in zip(places, factors, strict=True):
        if not isfinite(factor) or factor < 0:
            text = f"after {place[0]} of {place[1]} epochs"
            yield breach("factor", text, "a number, not below 0", f"{factor}")
            return
    if not any(factors) and not any(schedule.at(moment) for moment in MOMENTS):
        yield breach("factor", "", "a rate above 0 at some time", "0 in all epochs: nothing would be learned")
        return
    moments = MOMENTS
    within = [schedule.at(moment) for moment in moments]
    for moment, factor in zip(moments, within, strict=True):
        if not isfinite(factor) or factor < 0:
            text = f"after {moment.time:.3g} of {moment.epochs} epochs"
            yield breach("at", text, "a number, not below 0", f"{factor}")
            return
    # In another order, as a resumed run asks: a factor that hangs on the one before would be another then.
    if [schedule.factor(*place) for place in reversed(places)] != factors[::-1]:
        yield breach("factor", "", "the same whenever it is asked", "another one")


def _without_effect(schedule: Schedule, varied: list[Variation[Schedule]]) -> Iterator[Breach]:
    """Options at another value of which no rate is another; what goes by a watched figure is asked what it watches."""
    for tried in idle_options(schedule, varied, _has_effect):
        yield Breach(
            schedule.type_name,
            "option",
            tried.text,
            f"`{tried.option}`",
            "that no rate changes with it",
            "factor",
        )


def _has_effect(base: Schedule, option: str) -> bool:
    return any(
        one.section is None or _rates(one.section) != _rates(base)
        for one in variations(base, frozenset({"name"}))
        if one.option == option
    )


def _rates(schedule: Schedule) -> list[object]:
    watcher = schedule.watcher()
    return [*map(schedule.at, MOMENTS), None if watcher is None else vars(watcher)]
