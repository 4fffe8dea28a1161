"""Places of an axis as samples of a batch, and back: what `over = frames` does where only a batch tells how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from netcfg.source import NetcfgError


class Rows:
    """Of one batch: N samples with T places each, of which `lengths` (N whole numbers) are there; all without.

    Padding is no sample: where clips differ in length, only the places that are there are computed.
    """

    def __init__(self, x: Tensor, lengths: Tensor | None = None) -> None:
        """`x` is N×T×…; its numbers are not read."""
        self.samples, self.longest = x.shape[0], x.shape[1]
        self.index: Tensor | None = None
        # Without padding there is no index, and places become samples without a copy.
        if lengths is not None and bool((lengths < self.longest).any()):
            # On the processor, which has to know in any case how many places there are.
            there = torch.arange(self.longest) < lengths.cpu().unsqueeze(1)
            self.index = there.flatten().nonzero().squeeze(1).to(x.device)

    def fold(self, x: Tensor) -> Tensor:
        """N×T×… -> one sample for each place that is there."""
        flat = x.flatten(0, 1)
        return flat if self.index is None else flat.index_select(0, self.index)

    def repeat(self, x: Tensor) -> Tensor:
        """N×… -> the sample's own for each of its places."""
        if self.index is None:
            return x.repeat_interleave(self.longest, 0)
        return x.index_select(0, self.index // self.longest)

    def unfold(self, x: Tensor) -> Tensor:
        """The way back of `fold`: N×T×…, zeros where nothing is."""
        if self.index is None:
            return x.view(self.samples, self.longest, *x.shape[1:])
        padded = x.new_zeros(self.samples * self.longest, *x.shape[1:])
        return padded.index_copy(0, self.index, x).view(self.samples, self.longest, *x.shape[1:])

    @property
    def places(self) -> int | Tensor:
        """How many places each sample has; where these differ, the place of each sample of the folded batch."""
        return self.longest if self.index is None else self.index % self.longest


Places = tuple[tuple[int, Tensor | None], ...]
"""Of one signal: its ragged axes (the batch is 0), and how long each is in every sample."""


def by_length(
    call: Callable[..., Any], signals: Sequence[Tensor], places: Sequence[Places], batch_counts: str = ""
) -> Any:
    """What a function makes of signals of which some axes are another length in each sample.

    Samples of one length are computed together, without their padding, so that the function needs to know nothing of
    lengths; what they give is padded with zeros. Raises `NetcfgError` where the function, called `batch_counts`,
    counts over the batch: samples of one length are not that.
    """
    known = [lengths for of in places for _, lengths in of if lengths is not None]
    if not known or not any(
        lengths is not None and bool((lengths < x.shape[axis]).any())
        for x, of in zip(signals, places, strict=True)
        for axis, lengths in of
    ):
        return call(*signals)
    if batch_counts:
        raise NetcfgError(
            f"[{batch_counts}] counts over the batch what it makes along an axis of other lengths in each sample\n"
            "help: take the normalisation out of it, and write [batch_norm] below",
            "NC404",
        )
    # Of one group are samples all of whose ragged axes agree.
    _, group = torch.unique(torch.stack([lengths.cpu() for lengths in known]), dim=1, return_inverse=True)
    chosen = [(group == number).nonzero().squeeze(1) for number in range(int(group.max()) + 1)]
    made = []
    for rows in chosen:
        those = [_those(x, of, rows.to(x.device)) for x, of in zip(signals, places, strict=True)]
        try:
            made.append(call(*those))
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, IndexError) as error:
            short = [int(lengths[rows[0]]) for lengths in known]
            if all(one == int(lengths.max()) for one, lengths in zip(short, known, strict=True)):
                raise  # it has nothing to do with lengths
            raise NetcfgError(
                f"the sample {int(rows[0])} of the batch is too short, {' and '.join(map(str, short))} long: {error}\n"
                "help: leave out what is shorter than a window",
                "NC502",
            ) from error
    # Groups came one after the other; this leads back to the order of the batch.
    order = torch.argsort(torch.cat(chosen))
    if isinstance(made[0], Tensor):
        return _joined(made, order)
    return {port: _joined([one[port] for one in made], order) for port in made[0]}


def _those(x: Tensor, places: Places, rows: Tensor) -> Tensor:
    """Some samples, all of one length, without their padding."""
    x = x.index_select(0, rows)
    for axis, lengths in places:
        if lengths is not None:
            x = x.narrow(axis, 0, int(lengths[rows[0].cpu()]))
    return x


def _joined(parts: Sequence[Tensor], order: Tensor) -> Tensor:
    """Samples of several lengths as one batch, padded with zeros, in their order."""
    longest = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    padded = []
    for part in parts:
        sides = [
            side for size, most in zip(part.shape[1:], longest, strict=True) for side in (most - size, 0)
        ]
        # Turned round as a whole: `F.pad` wants the last axis first, and what is added lies behind.
        padded.append(functional.pad(part, sides[::-1]) if any(sides) else part)
    return torch.cat(padded).index_select(0, order.to(parts[0].device))


def over_places(call: Callable[..., Any], x: Tensor, lengths: Tensor | None) -> Tensor:
    """What a function that counts over samples and places makes of N×T×…, padding left out; zeros where that is."""
    rows = Rows(x, lengths)
    if rows.index is None:
        made: Tensor = call(x)
        return made
    # Each place is a sample of one place, so that statistics count all that are there, and once.
    return rows.unfold(call(rows.fold(x).unsqueeze(1)).squeeze(1))


def trimmed(x: Tensor, axis: int, lengths: Tensor | None) -> Tensor:
    """Without what is padding in every sample. Raises `NetcfgError` for lengths that no sample can have."""
    longest = x.shape[axis]
    if lengths is None:
        if longest == 0:
            raise NetcfgError(f"rows of no place are given, {_shown(x)}\nhelp: one place at least", "NC502")
        return x
    if not lengths.numel():
        return x
    if int(lengths.min()) < 1:
        sample = int(lengths.argmin())
        raise NetcfgError(
            f"the sample {sample} of the batch has no place: the lengths {lengths.tolist()} are given\n"
            "help: leave it out",
            "NC502",
        )
    most = int(lengths.max())
    if most > longest:
        sample = int(lengths.argmax())
        said = f"the sample {sample} of the batch is said to be {most} long, and its row has {longest} places"
        raise NetcfgError(
            f"{said}: {_shown(x)}\nhelp: `lengths` count what is there of each sample, before the padding",
            "NC502",
        )
    return x.narrow(axis, 0, most)


def _shown(x: Tensor) -> str:
    return "×".join(map(str, x.shape))
