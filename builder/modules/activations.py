"""Activations as modules apply them: the lines of Python that blocks have, made callable."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from netcfg.blocks.network.activation import Applied


class Activate:
    """A function of every number. It may overwrite what it is given: that is the module's own.

    It is written down as its words, so that modules that hold it can be copied and pickled.
    """

    def __init__(self, applied: Applied) -> None:
        self.applied = applied
        self._call = _compiled((applied.in_place or applied.expression).format(x="x"))

    def __call__(self, x: Tensor) -> Tensor:
        """Unchanged in shape."""
        return self._call(x)

    def __repr__(self) -> str:
        return self.applied.word

    def __reduce__(self) -> tuple[Any, ...]:
        return Activate, (self.applied,)


def activation(applied: Applied | None) -> Activate | None:
    """What a block applies, or nothing."""
    return None if applied is None else Activate(applied)


@cache
def _compiled(source: str) -> Callable[[Tensor], Tensor]:
    # Our own text: a word from a table, with a number in it.
    made: Callable[[Tensor], Tensor] = eval(f"lambda x: {source}", {"torch": torch, "F": F})
    return made
