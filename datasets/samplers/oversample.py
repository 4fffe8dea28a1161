"""AUNets' balancing of a training list: moved copies of the rarer class, then a mirrored copy of every line."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.samples import Draw, SampleTable
from netcfg.datasets.pictures.face_boxes import JITTERS
from netcfg.datasets.pictures.notes import say


def balanced(is_shown: NDArray[np.bool_]) -> list[Draw]:
    """The samples, then copies of the rarer class, until both are equal or all six ways of moving are used up.

    The rarer class is walked once for each way, in order. Nothing is added where there is only one class.
    """
    lines = [Draw(index) for index in range(len(is_shown))]
    shown, unshown = np.flatnonzero(is_shown).tolist(), np.flatnonzero(~is_shown).tolist()
    rarer, wanted = min(shown, unshown, key=len), abs(len(shown) - len(unshown))
    if not rarer:
        return lines
    # As many as AUNets goes through; the last one is cut where classes are equal.
    rounds = min(wanted // len(rarer) + 1, len(JITTERS))
    copies = [Draw(index, jitter) for jitter in range(rounds) for index in rarer]
    return lines + copies[:wanted]


def doubled(lines: Iterable[Draw]) -> list[Draw]:
    """Each line, followed by its mirrored copy."""
    return [copy for line in lines for copy in (line, line._replace(mirrored=True))]


def oversampled(table: SampleTable, balanced_by: str | None, active_above: float, mirror: bool) -> list[Draw]:
    """The samples with copies: balanced by a field of labels, mirrored."""
    lines = [Draw(index) for index in range(len(table))]
    if balanced_by is None and not mirror:
        return lines
    if table.has_copies:
        say("the training list has moved or mirrored copies already: [oversample] adds none")
        return lines
    if balanced_by is not None:
        is_shown = table.labels[balanced_by][:, 0] > active_above
        if is_shown.all() or not is_shown.any():
            say("all training samples have the same label: [oversample] has no rarer class to add to")
        lines = balanced(is_shown)
    return doubled(lines) if mirror else lines
