"""The contract of schedules: a factor is a number, never below zero, and hangs on where a run stands alone."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from netcfg.blocks.optimizers.schedules import Moment, Schedule
from netcfg.contract.breach import Breach

LENGTHS = (1, 5, 12)


def verify_schedule(kind: type[Schedule]) -> Iterator[Breach]:
    """What is untrue about a schedule with its options' defaults; one that has none for all is not asked."""
    if kind.required_options():
        return
    schedule, name = kind(), kind.type_name
    places = [(finished, length) for length in LENGTHS for finished in range(length)]
    factors = [schedule.factor(*place) for place in places]
    for place, factor in zip(places, factors, strict=True):
        if not isfinite(factor) or factor < 0:
            text = f"after {place[0]} of {place[1]} epochs"
            yield Breach(name, "factor", text, "a number, not below 0", f"{factor}", "factor")
            return
    moments = [
        Moment(finished, length, step, 3)
        for length in LENGTHS
        for finished in range(length)
        for step in range(3)
    ]
    within = [schedule.at(moment) for moment in moments]
    for moment, factor in zip(moments, within, strict=True):
        if not isfinite(factor) or factor < 0:
            text = f"after {moment.time:.3g} of {moment.epochs} epochs"
            yield Breach(name, "at", text, "a number, not below 0", f"{factor}", "at")
            return
    # In another order, as a resumed run asks: a factor that hangs on the one before would be another then.
    if [schedule.factor(*place) for place in reversed(places)] != factors[::-1]:
        yield Breach(name, "factor", "", "the same whenever it is asked", "another one", "factor")
