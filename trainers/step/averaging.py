"""A moving average of the weights, for evaluation and for keeping (`[training] ema`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from netcfg.source import NetcfgError


class Averages:
    """An exponential moving average of the networks' trainable weights, in the weights' own precision.

    After update n, average += (1 - d) · (weights - average) with d = min(decay, (1 + n) / (10 + n)): early
    on, when the weights still change fast, the average forgets fast too. Buffers (running statistics) are not
    averaged, they are means already: under `swap` the networks keep their current ones.
    Source: TensorFlow, `tf.train.ExponentialMovingAverage` with `num_updates`.
    """

    def __init__(self, networks: nn.ModuleDict, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        trained = {name: weight for name, weight in networks.named_parameters() if weight.requires_grad}
        self._names = list(trained)
        self._weights = [weight.detach() for weight in trained.values()]
        self._averages = [weight.clone() for weight in self._weights]
        self._is_swapped = False

    def update(self) -> None:
        """Take in the weights after a batch."""
        assert not self._is_swapped, "the networks hold averages"
        self.updates += 1
        # From the updates so far alone: a resumed run forgets as fast as one that was never stopped.
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averages, self._weights, 1.0 - decay)

    @contextmanager
    def swap(self) -> Iterator[None]:
        """Inside, the networks hold the averages; afterwards their own weights again, to the bit.

        Weights are copied, not replaced, so that optimizers and compiled networks keep the tensors they know.
        """
        assert not self._is_swapped, "the networks hold averages"
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        """One tensor at a time: no second copy of all weights."""
        self._is_swapped = not self._is_swapped
        for weight, average in zip(self._weights, self._averages, strict=True):
            held = weight.clone()
            weight.copy_(average)
            average.copy_(held)

    def state_dict(self) -> dict[str, Any]:
        """The averages, by parameter name, and how many updates made them. Its tensors are the live ones."""
        assert not self._is_swapped, "the networks hold averages"
        return {"updates": self.updates, "weights": dict(zip(self._names, self._averages, strict=True))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave. Raises `NetcfgError` where it is that of other networks."""
        stored = state["weights"]
        for name, average in zip(self._names, self._averages, strict=True):
            if name not in stored or stored[name].shape != average.shape:
                raise NetcfgError(
                    f"the averaged weights in this checkpoint are those of other networks: `{name}` does not "
                    "fit\nhelp: resume with the file the run began with, or train anew with another --run-dir",
                    code="NC406",
                )
            average.copy_(stored[name])
        self.updates = state["updates"]


__all__ = ["Averages"]
