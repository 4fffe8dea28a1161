"""Batch statistics of each place by itself, where places are samples of the batch (`statistics = each_frame`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm


class EachPlace(_BatchNorm):
    """A batch norm whose batch may hold places of several samples, one after the other.

    In training each place is normalised with its own statistics, and the running ones move once for each place, as
    if places were batches that came one after the other. Otherwise it is the batch norm that it was made of.
    """

    places: int | Tensor | None = None
    """How many there are in each sample, or of each sample of the batch which place it is; None: one batch."""
    plain: bool = True
    """Whether channels follow the batch's axis directly."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape its base takes, unchanged."""
        places = self.places
        # Running statistics are the same for all places, so that evaluation needs no telling apart.
        if places is None or not (self.training or self.running_mean is None):
            return super().forward(x)
        if isinstance(places, Tensor):
            return self._listed(x, places)
        if places == 1:
            return super().forward(x)
        # Without a momentum the running mean is that of all batches so far, and each place moves it by
        # another share; and channels-last memory cannot be viewed with places as channels. Both go the slow
        # way.
        if self.plain and self.momentum is not None and x.is_contiguous():
            return self._at_once(x, places)
        rows = x.view(-1, places, *x.shape[1:])
        one = super().forward
        return torch.stack([one(rows[:, place]) for place in range(places)], 1).flatten(0, 1)

    def _listed(self, x: Tensor, places: Tensor) -> Tensor:
        made = torch.zeros_like(x)
        one = super().forward
        # In the order of places, in which running statistics have to move.
        for place in range(int(places.max()) + 1):
            chosen = (places == place).nonzero().squeeze(1)
            made = made.index_copy(0, chosen, one(x.index_select(0, chosen)).to(made.dtype))
        return made

    def _at_once(self, x: Tensor, places: int) -> Tensor:
        """Places as channels, which is no move of memory: each then has statistics of its own in one pass."""
        channels = self.num_features
        rows = x.view(-1, places * channels, *x.shape[2:])
        kept = self.track_running_stats and self.training and self.running_mean is not None
        # Of half-precision signals statistics are f32, as PyTorch's own.
        mean = x.new_zeros(places * channels, dtype=torch.float32) if kept else None
        var = x.new_ones(places * channels, dtype=torch.float32) if kept else None
        # A network in double precision has them in double.
        if kept and self.running_mean is not None and self.running_mean.dtype != torch.float32:
            mean = torch.zeros(places * channels, dtype=self.running_mean.dtype, device=x.device)
            var = torch.ones_like(mean)
        weight = None if self.weight is None else self.weight.repeat(places)
        bias = None if self.bias is None else self.bias.repeat(places)
        # Momentum 1 leaves just this batch's statistics behind.
        y = F.batch_norm(rows, mean, var, weight, bias, True, 1.0, self.eps)
        if mean is not None and var is not None:
            self._remember(mean.view(places, channels), var.view(places, channels))
        return y.view(x.shape)

    @torch.no_grad()
    def _remember(self, means: Tensor, variances: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        # One place after the other: moved once by their mean, the running ones would be others.
        for mean, variance in zip(means, variances, strict=True):
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += len(means)


_KINDS: dict[type[nn.Module], type[EachPlace]] = {}


def _kind(base: type[nn.Module]) -> type[EachPlace]:
    """The same kind of batch norm, able to tell places apart."""
    if base not in _KINDS:
        plain = base in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
        name = f"{base.__name__}OfPlaces"
        body: dict[str, Any] = {
            "plain": plain, "__module__": __name__, "__reduce__": _reduce, "of": base, "__doc__": base.__doc__,
        }  # fmt: skip
        _KINDS[base] = type(name, (EachPlace, base), body)
    return _KINDS[base]


def _reduce(self: Any) -> tuple[Any, ...]:
    return _restored, (self.of,), self.__dict__


def _restored(base: type[nn.Module]) -> nn.Module:
    kind = _kind(base)
    return kind.__new__(kind)


def tell_apart(module: nn.Module) -> None:
    """Make its batch norms able to have statistics of each place."""
    for part in module.modules():
        if isinstance(part, _BatchNorm) and not isinstance(part, EachPlace):
            # The class changes and the object stays, so that optimizers and whoever else holds it need not
            # know.
            part.__class__ = _kind(type(part))


@contextmanager
def statistics_of_places(module: nn.Module, places: int | Tensor) -> Iterator[None]:
    """While active, batch norms of a module take the statistics of each place by itself."""
    norms = [part for part in module.modules() if isinstance(part, EachPlace)]
    for norm in norms:
        norm.places = places
    try:
        yield
    finally:
        for norm in norms:
            norm.places = None


def each_place(module: nn.Module, places: int | Tensor, *inputs: Tensor, **named: Tensor) -> Any:
    """What a module makes of places of samples, its statistics taken of each place by itself."""
    with statistics_of_places(module, places):
        return module(*inputs, **named)
