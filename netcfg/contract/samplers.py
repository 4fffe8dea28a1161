"""The contract of samplers: which samples an epoch shows hangs on the table, the epoch and the seed alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from netcfg.blocks.samplers.base import Sampler
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.contract.variations import Variation, idle_options, variations
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import SampleTable

SAMPLES, CLIPS = 240, 24
FIXED = frozenset({"name", "when", "labels"})
UNITS = ((1,), (1, 2, 4, 6))
"""Tables of one action unit, and of several."""


def verify_sampler(kind: type[Sampler]) -> Iterator[Breach]:
    """What is untrue about a sampler; the first case of each kind."""
    try:
        sampler = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    varied = list(variations(sampler, FIXED))
    cases = [("", sampler), *((one.text, one.section) for one in varied if one.section is not None)]
    seen: set[str] = set()
    for breach in (breach for text, made in cases for breach in _verify_options(made, text)):
        if breach.check not in seen:
            seen.add(breach.check)
            yield breach
    if not seen:
        yield from _without_effect(sampler, varied)


def _verify_options(sampler: Sampler, text: str) -> Iterator[Breach]:
    taken = 0
    for units in UNITS:
        table = _table(units)
        try:
            first = sampler.epoch(table, 0, 0)
        except NetcfgError:  # these samples do not allow it
            continue
        except Exception as error:  # whatever its methods raise is its author's to read
            yield Breach(sampler.type_name, "epoch", text, "draws", what_was_raised(error), "epoch")
            return
        taken += 1
        yield from _verify(sampler, table, first, text)
    if not taken and not text:
        yield Breach(sampler.type_name, "epoch", text, "draws", "that it takes no samples at all", "epoch")


def _verify(sampler: Sampler, table: SampleTable, first: Sequence[Any], text: str) -> Iterator[Breach]:
    def breach(check: str, declared: object, found: object) -> Breach:
        return Breach(sampler.type_name, check, text, str(declared), str(found), "epoch")

    beyond = [draw.sample for draw in first if not 0 <= draw.sample < len(table)]
    if beyond:
        yield breach("draws", f"rows of {len(table)} samples", f"row {beyond[0]}")
        return
    if (
        not text and not sampler.extends_source
    ):  # which stands in the place of the samples, the same in every epoch
        if all(list(sampler.epoch(table, epoch, 0)) == list(first) for epoch in (1, 2, 3)):
            yield breach("epochs", "other draws in another epoch", "the same in all of them")
        elif all(list(sampler.epoch(table, 0, seed)) == list(first) for seed in (1, 2, 3)):
            yield breach("seeds", "other draws for another seed", "the same for all of them")
    found = []
    for epoch in () if text else (0, 3):  # with each option the same code
        before = sampler.epoch(table, epoch, 0)
        random.seed()
        sampler.epoch(table, epoch + 1, 1)  # what it has drawn elsewhere may not stay
        if list(sampler.epoch(table, epoch, 0)) != list(before):
            found.append(breach("seed", "the same draws for the same epoch and seed", "others each time"))
        if len(before) != len(first):
            found.append(breach("length of an epoch", len(first), f"{len(before)} in epoch {epoch}"))
    yield from found
    if not text and not found:
        yield from _left_alone(sampler, breach)


def _left_alone(sampler: Sampler, breach: Any) -> Iterator[Breach]:
    """The table and everybody's chance, which others go by as well."""
    import numpy as np
    import torch

    table, before = _table(UNITS[-1]), _table(UNITS[-1])
    chances = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]
    try:
        sampler.epoch(table, 0, 5)
    except NetcfgError:  # these samples do not allow it
        return
    if not all(map(np.array_equal, _arrays(table), _arrays(before))):
        yield breach("table", "left as it is", "that it writes into it")
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # type: ignore[index]
    if chances[:2] != after[:2] or not torch.equal(chances[2], after[2]):
        found = "that it seeds or takes from the process's own"
        yield breach("chance", "numpy.random.default_rng of epoch and seed", found)


def _arrays(table: SampleTable) -> list[Any]:
    return [table.subjects, table.clips, table.frames, *table.labels.values()]


def _without_effect(sampler: Sampler, varied: list[Variation[Sampler]]) -> Iterator[Breach]:
    """Options at another value of which the same is drawn, whatever the choices beside them."""
    for tried in idle_options(sampler, varied, _has_effect):
        yield Breach(
            sampler.type_name,
            "option",
            tried.text,
            f"`{tried.option}`",
            "that nothing else is drawn with it",
            "epoch",
        )


def _has_effect(base: Sampler, option: str) -> bool:
    return any(
        one.section is None or _drawn(one.section) != _drawn(base)
        for one in variations(base, FIXED)
        if one.option == option
    )


@lru_cache(maxsize=64)
def _drawn(sampler: Sampler) -> list[list[Any]]:
    made = []
    for units in UNITS:
        try:
            made.append(list(sampler.epoch(_table(units), 0, 0)))
        except NetcfgError:
            made.append([])
    return made


def _table(units: Sequence[int]) -> SampleTable:
    """Frames of some clips, of which rarer units show less often, labels from 0 to 1; an expression each."""
    import numpy as np

    from netcfg.blocks.samples import SampleTable

    chance = np.random.default_rng(11)
    rows = np.arange(SAMPLES)
    likely = 0.6 / (1 + np.arange(len(units)))
    labels = (chance.random((SAMPLES, len(units))) * (0.5 + likely)).clip(0, 1).astype(np.float32)
    clips = rows * CLIPS // SAMPLES
    return SampleTable(
        ids=tuple(map(str, rows)),
        subjects=clips // 2,
        clips=clips,
        frames=rows % (SAMPLES // CLIPS),
        labels={"labels": labels, "emotion": (rows % 7 // 3).astype(np.int64)},
        names={
            "labels": tuple(f"AU{unit}" for unit in units),
            "emotion": ("neutral", "happiness", "surprise"),
        },
        active_above=0.4,
    )
