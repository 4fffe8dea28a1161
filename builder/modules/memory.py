"""Modules that remember from batch to batch: read as they were before a batch, written after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.builder.chance import Drawing


class Processes:
    """How several processes that train as one write one state; alone, there is nothing to exchange."""

    def rows(self, rows: Tensor) -> Tensor:
        """Those of all processes, the first one's first."""
        return rows

    def joined(self, rows: Tensor) -> tuple[Tensor, slice]:
        """The same, and which of them are this one's."""
        return rows, slice(None)

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over processes."""
        return numbers


class Remembering(nn.Module):
    """What remembers. By itself it writes at once, in training.

    Where a trainer keeps it (`is_kept`), a batch is what lies between `begin` and `end`: all that reads it in between
    sees the state before the batch, and `end` writes once, what was first noted. Outside of a batch it only reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_kept = False
        self.processes = Processes()
        self._is_open = False
        self._noted: tuple[Tensor, ...] | None = None

    @property
    def learns(self) -> bool:
        """Whether what it is given now will be written."""
        return self._is_open if self.is_kept else self.training

    def begin(self) -> None:
        """A batch begins; what another one has left unwritten, as it failed, is forgotten."""
        self._is_open, self._noted = True, None

    def end(self) -> None:
        """The batch has been trained on: write."""
        noted, self._noted, self._is_open = self._noted, None, False
        if noted is not None:
            self._write(noted)

    def note(self, *tensors: Tensor) -> None:
        """What is to be written, as the module understands it."""
        held = tuple(tensor.detach() for tensor in tensors)
        if not self.is_kept:
            if self.training:
                self._write(held)
        elif self._is_open and self._noted is None:
            self._noted = held

    def _write(self, noted: tuple[Tensor, ...]) -> None:
        with torch.no_grad():
            self.write(*noted)

    def write(self, *noted: Tensor) -> None:
        """Take it into the state."""
        raise NotImplementedError


class Queue(Remembering):
    """The last `size` samples of all batches, the place of the oldest being taken first.

    Vectors start as random ones of length 1, numbers as 0.
    """

    rows: Tensor
    place: Tensor

    def __init__(self, size: int, shape: Sequence[int]) -> None:
        super().__init__()
        # Of its own generator: what else starts at random must not hang on a queue's size.
        generator = torch.Generator().manual_seed(size)
        rows = torch.randn(size, *shape, generator=generator) if shape else torch.zeros(size)
        self.register_buffer("rows", functional.normalize(rows, dim=-1) if shape else rows)
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) -> (1, size, …), the state before this batch."""
        # Kept, it is written after all gradients are known; by itself at once, while they may still need what was read.
        held: Tensor = self.rows if self.is_kept else self.rows.clone()
        self.note(x)
        return held[None]

    def write(self, *noted: Tensor) -> None:
        """The batch takes the place of the oldest; of a larger one the last samples."""
        rows = self.processes.rows(noted[0]).to(self.rows.dtype)
        size = len(self.rows)
        places = (self.place + torch.arange(len(rows), device=self.rows.device)) % size
        self.rows[places[-size:]] = rows[-size:]
        self.place.copy_((self.place + len(rows)) % size)


class RunningMean(Remembering):
    """The mean over samples, averaged over batches: mean = momentum · mean + (1 - momentum) · this batch's."""

    mean: Tensor

    def __init__(self, shape: Sequence[int], momentum: float, read: Literal["before", "after"]) -> None:
        super().__init__()
        self.momentum = momentum
        self.reads_after = read == "after"
        self.register_buffer("mean", torch.zeros(tuple(shape)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) -> (1, …)."""
        before: Tensor = self.mean.clone()
        if not self.learns:
            return before[None]
        total = x.detach().to(self.mean.dtype).sum(0)
        count = torch.full((), float(len(x)), device=x.device)
        if not self.reads_after:
            self.note(total, count)
            return before[None]
        after = self._moved(self.processes.sum(total), self.processes.sum(count))
        self.note(after)
        return after[None]

    def _moved(self, total: Tensor, count: Tensor) -> Tensor:
        return torch.lerp(total / count, self.mean, self.momentum)

    def write(self, *noted: Tensor) -> None:
        """The mean after this batch."""
        if len(noted) == 1:
            self.mean.copy_(noted[0])
        else:
            self.mean.copy_(self._moved(*(self.processes.sum(one) for one in noted)))


class Pool(Remembering, Drawing):
    """Old samples in the place of new ones: CycleGAN's history of made images.

    A sample is stored and passed on until `size` are there. Then with even odds it is passed on, or it takes the place
    of a stored one, which is passed on instead; sample by sample, so that one may get what an earlier one of its batch
    left. Several processes have one pool, and draw for the batch of all of them as one process would.
    """

    samples: Tensor
    count: Tensor

    def __init__(self, size: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("samples", torch.zeros(size, *shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """(N, …) -> (N, …), without history."""
        x = x.detach()
        if not self.learns:
            return x
        x, own = self.processes.joined(x)
        order = torch.arange(len(x), device=x.device)
        generator = None if self.chance is None else self.chance.generator(x.device, self.path, of_all=True)
        odds = torch.rand(len(x), generator=generator, device=x.device)
        drawn = torch.randint(self.size, (len(x),), generator=generator, device=x.device)
        fills = order < self.size - self.count
        swaps = ~fills & (odds > 0.5)
        places = torch.where(fills, self.count + order, drawn)
        places = torch.where(fills | swaps, places, -1)
        # Who wrote there last, before this sample: one of its own batch, or one of an earlier batch.
        writers = (places[:, None] == places[None]) & (order[None] < order[:, None]) & (places >= 0)[None]
        last = torch.where(writers, order[None], -1).amax(1)
        stored = torch.where(
            _like(last >= 0, x), x[last.clamp(min=0)], self.samples[places.clamp(min=0)].to(x.dtype)
        )
        self.note(x, places, fills)
        return torch.where(_like(swaps, x), stored, x)[own]

    def write(self, *noted: Tensor) -> None:
        """Each sample at its place; of several at one place, the last."""
        x, places, fills = noted
        order = torch.arange(len(x), device=x.device)
        later = (places[:, None] == places[None]) & (order[None] > order[:, None])
        kept = (places >= 0) & ~later.any(1)
        self.samples[places[kept]] = x[kept].to(self.samples.dtype)
        self.count.copy_((self.count + fills.sum()).clamp(max=self.size))


def _like(mask: Tensor, x: Tensor) -> Tensor:
    return mask.view(-1, *[1] * (x.dim() - 1))


class VectorQuantise(Remembering):
    """The nearest of `codes` vectors in the place of each vector; `axis` is where its numbers lie.

    Gradients pass to the input as if it were the code. Without a `decay` the codes are parameters; else they are means
    of the vectors nearest to them: count = decay · count + (1 - decay) · how many, total likewise of their sums, and
    code = total / count, the counts smoothed by `eps`.
    """

    weight: Tensor
    count: Tensor
    total: Tensor

    def __init__(
        self,
        codes: int,
        features: int,
        axis: int,
        *,
        decay: float | None,
        commitment: float,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.axis, self.decay, self.eps, self.commitment = axis, decay, eps, commitment
        weight = torch.empty(codes, features).uniform_(-1 / codes, 1 / codes)
        if decay is None:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight)
            self.register_buffer("count", torch.ones(codes))
            self.register_buffer("total", weight.clone())

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The codes' vectors, their numbers, the error and the perplexity of the batch, both one number a sample."""
        rows = x.movedim(self.axis, -1)
        flat = rows.reshape(-1, rows.shape[-1]).to(self.weight.dtype)
        # In half precision codes that lie near each other could not be told apart.
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            # |x|² is the same for all codes, and left out.
            index = (self.weight.square().sum(1) - 2 * flat @ self.weight.t()).argmin(1)
        value = functional.embedding(index, self.weight).view(rows.shape).movedim(-1, self.axis).to(x.dtype)
        uses = torch.bincount(index, minlength=len(self.weight)).to(flat.dtype)
        if self.decay is not None:
            # Before this batch's write: the codes that it has read.
            value = value.detach()
            if self.learns:
                sums = torch.zeros_like(self.weight).index_add_(0, index, flat.detach())
                self.note(uses, sums)
        each = tuple(range(1, x.dim()))
        error = self.commitment * (x - value.detach()).square().mean(each)
        if self.decay is None:
            error = error + (x.detach() - value).square().mean(each)
        share = uses / uses.sum()
        perplexity = torch.exp(-(share * torch.log(share.clamp(min=1e-10))).sum())
        return {
            "value": x + (value - x).detach(),
            "index": index.view(rows.shape[:-1]),
            "error": error,
            "perplexity": perplexity.expand(x.shape[0]),
        }

    def write(self, *noted: Tensor) -> None:
        """Move the codes to the means of what was nearest."""
        assert self.decay is not None
        uses, sums = (self.processes.sum(one) for one in noted)
        self.count.lerp_(uses, 1 - self.decay)
        self.total.lerp_(sums, 1 - self.decay)
        number = self.count.sum()
        smoothed = (self.count + self.eps) / (number + len(self.count) * self.eps) * number
        self.weight.copy_(self.total / smoothed[:, None])


class Similarity(nn.Module):
    """The dot product of a vector with each row of a table, its own or the same for all samples."""

    def forward(self, x: Tensor, rows: Tensor) -> Tensor:
        """(N, F), (N, L, F) or (1, L, F) -> (N, L)."""
        if len(rows) == 1 and len(x) != 1:
            # One product of matrices, instead of one of the same table for each sample.
            return functional.linear(x, rows[0].to(x.dtype))
        return (rows.to(x.dtype) @ x[..., None])[..., 0]


__all__ = ["Pool", "Processes", "Queue", "Remembering", "RunningMean", "Similarity", "VectorQuantise"]
