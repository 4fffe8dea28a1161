"""The batches of a program with several sources: side by side in each sample, or joined, one below the other.

Each source has a pipeline of its own, with its own order, workers and transforms; batches are put together when they
are finished. They hang on seed, epoch and batch alone, as those of one source do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from netcfg.blocks.fields import LENGTHS, SOURCES, Split
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.joined import SOURCE_FIELD
from netcfg.datasets.pipeline import Batch, Batches, FrameBound, Pipeline, Shown
from netcfg.program import Data, rows_of
from netcfg.source import NetcfgError

WHOSE = ("clip", "subject")
"""Fields that number something of their own source: joined, two sources' numbers must not be taken for the same."""


def open_batches(data: Data, split: Split, batch_size: int, **options: Any) -> Batches:
    """The batches of a program's data; options are those of `Pipeline`."""
    if not data.parts:
        return Pipeline(data, split, batch_size, **options)
    return Together(data, split, batch_size, **options)


@dataclass(frozen=True)
class Merged(Batch):
    """The batches of sources that make one, each with its source's place; they become fields when they are finished."""

    parts: tuple[tuple[int, Batch], ...] = ()


class Together:
    """The batches of one split of several sources. Options and errors are those of `Pipeline`.

    In training an epoch is the first source's, and the others go on in their own order. Elsewhere joined sources are
    shown one after the other, all samples once; of sources side by side the first is shown once.
    """

    def __init__(self, data: Data, split: Split, batch_size: int, **options: Any) -> None:
        self.data = data
        self.split = split
        trains = split == "train" if options.get("training") is None else bool(options["training"])
        self.in_rows = data.joined is not None and trains
        self.in_turn = data.joined is not None and not trains
        workers = options.pop("workers", 0)
        if workers:  # each source has its own, and all of them share the processors
            options["workers"] = max(1, workers // len(data.parts))
        rows = rows_of(data, batch_size) if self.in_rows else None
        self.pipelines: dict[int, Pipeline] = {}
        """By the places of their sources, of those that have samples in the split."""
        for place, part in enumerate(data.parts):
            if not part.source.may_have(split):
                continue
            count = None if rows is None else rows[place]
            first = next(iter(self.pipelines.values()), None) if not self.in_turn else None
            pipeline = Pipeline(part, split, count or batch_size, **options, beside=first, rows=count)
            if len(pipeline.table):
                self.pipelines[place] = pipeline
            else:
                pipeline.close()
        missing = [part.name for place, part in enumerate(data.parts) if place not in self.pipelines]
        nothing = len(missing) == len(data.parts) or (not self.in_turn and 0 not in self.pipelines)
        # As of one source alone: what is not there is not judged, and a run that has trained is not refused at its end.
        # Before it has, a split that nobody said is missing is most likely a mistake.
        meant = split == "test" or split not in (data.source.splits or (split,))
        if (trains and missing) or (nothing and not meant):
            raise NetcfgError(
                f"the source `{missing[0]}` has no sample in the {split} split\n"
                "help: `splits` of a source says which it has; the first one's count, where they are side by side",
                code="NC506",
            )
        if nothing:
            self.close()
            self.pipelines = {}
        sizes = [
            len(self.pipelines[place].table) if place in self.pipelines else 0
            for place in range(len(data.parts))
        ]
        self._starts = [0, *accumulate(sizes)]
        running = list(self.pipelines.values())
        self.sampler: Shown = running[0].sampler if running else _Nothing(batch_size)
        if data.joined is not None and running:
            self.sampler = _Rows(running, rows)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.sampler.batches

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return self.sampler.samples_per_epoch

    @property
    def tables(self) -> Sequence[SampleTable]:
        """What is known of the samples of each source."""
        return tuple(
            self.pipelines[place].table if place in self.pipelines else SampleTable(())
            for place in range(len(self.data.parts))
        )

    @property
    def ids(self) -> Sequence[str]:
        """What samples are called: side by side as in the first source, joined with their source's name before."""
        if self.data.joined is None:
            return self.pipelines[0].ids if self.pipelines else ()
        return [
            f"{part.name}/{name}"
            for place, part in enumerate(self.data.parts)
            if place in self.pipelines
            for name in self.pipelines[place].ids
        ]

    @property
    def present(self) -> frozenset[int]:
        """The places of the sources that have samples in the split."""
        return frozenset(self.pipelines)

    @property
    def lacking(self) -> frozenset[str]:
        """The fields that no sample of the split has."""
        return frozenset(name for name in self.data.fields if not self.data.givers(name) & self.present)

    def prepare(self, workers: int, step_seconds: float = 0.0) -> Iterator[int]:
        """Make the samples of each source beforehand."""
        done = 0
        for pipeline in self.pipelines.values():
            last = 0
            for last in pipeline.prepare(workers, step_seconds):
                yield done + last
            done += last

    def epoch(self, epoch: int = 0, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, without the first `skip`."""
        if self.in_turn:
            for place, pipeline in self.pipelines.items():
                for batch in pipeline.epoch(epoch):
                    yield self._merged([(place, batch)])
            return
        running = [pipeline.epoch(epoch, skip) for pipeline in self.pipelines.values()]
        for batches in zip(*running, strict=True):
            yield self._merged(list(zip(self.pipelines, batches, strict=True)))

    def _merged(self, parts: list[tuple[int, Batch]]) -> Merged:
        seconds = sum(batch.seconds for _, batch in parts)
        if self.data.joined is None:
            first = parts[0][1]
            return Merged({}, first.size, seconds, first.numbers, first.chance, tuple(parts))
        numbers = tuple(self._starts[place] + number for place, batch in parts for number in batch.numbers)
        return Merged({}, len(numbers), seconds, numbers, parts[0][1].chance, tuple(parts))

    def finish(self, batch: Batch) -> dict[str, Tensor]:
        """The batch as networks and losses want it: on the device, the fields of all sources."""
        assert isinstance(batch, Merged)
        finished = [(place, self.pipelines[place].finish(part)) for place, part in batch.parts]
        if self.data.joined is None:
            return self._side_by_side(finished)
        sizes = [part.size for _, part in batch.parts]
        return self._one_below_the_other(finished, sizes)

    def _side_by_side(self, finished: Sequence[tuple[int, Mapping[str, Tensor]]]) -> dict[str, Tensor]:
        fields: dict[str, Tensor] = {}
        for place, own in finished:
            called = self.data.called(self.data.parts[place])
            fields |= {name: own[inner] for name, inner in called.items() if inner in own}
            fields |= {name: tensor for name, tensor in own.items() if name.startswith(LENGTHS)}
        return fields

    def _one_below_the_other(
        self, finished: Sequence[tuple[int, Mapping[str, Tensor]]], sizes: list[int]
    ) -> dict[str, Tensor]:
        whose = torch.cat(
            [torch.full((size,), place) for (place, _), size in zip(finished, sizes, strict=True)]
        )
        known = {name: None for _, own in finished for name in own if name in self.data.fields}
        fields: dict[str, Tensor] = {}
        for name in known:
            given = _as_long([self._own(name, place, own[name]) for place, own in finished if name in own])
            # A gap holds what others have: it counts nowhere, and no arithmetic on it can come to nothing finite.
            some = given[0]
            rows = iter(given)
            fields[name] = torch.cat(
                [
                    next(rows) if name in own else _as_many(some, size)
                    for (_, own), size in zip(finished, sizes, strict=True)
                ]
            )
        for name in {name: None for _, own in finished for name in own if name.startswith(LENGTHS)}:
            some = next(own[name] for _, own in finished if name in own)
            fields[name] = torch.cat(
                [
                    own[name] if name in own else _as_many(some, size)
                    for (_, own), size in zip(finished, sizes, strict=True)
                ]
            )
        device = next(iter(self.pipelines.values())).device
        return fields | {SOURCE_FIELD: whose.to(device, non_blocking=True), SOURCES: whose}

    def _own(self, name: str, place: int, tensor: Tensor) -> Tensor:
        """A field of one source, whose own numbers of clips and people are no other source's."""
        # In turn rather than one range behind the other: how many clips a source has no batch tells.
        return (
            tensor * len(self.data.parts) + place
            if name in WHOSE and not tensor.is_floating_point()
            else tensor
        )

    def close(self) -> None:
        """Let the workers go."""
        for pipeline in self.pipelines.values():
            pipeline.close()


def _as_long(tensors: list[Tensor]) -> list[Tensor]:
    """Tensors N×T×… of one field, zeros behind those that have fewer frames, or other places, than the longest."""
    if len({tensor.shape[1:] for tensor in tensors}) < 2:
        return tensors
    longest = max(tensor.shape[1] for tensor in tensors)
    return [
        torch.cat([tensor, tensor.new_zeros(len(tensor), longest - tensor.shape[1], *tensor.shape[2:])], 1)
        for tensor in tensors
    ]


def _as_many(tensor: Tensor, count: int) -> Tensor:
    """The rows of a tensor again and again, so many of them."""
    return tensor[torch.arange(count, device=tensor.device) % len(tensor)]


class _Nothing:
    """A split of which no source that counts has a sample."""

    bound: FrameBound | None = None
    batches = 0
    processes = 1
    samples_per_epoch = 0
    common_batches = 0

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def sizes(self, batches: int | None = None) -> list[list[int]]:
        """Of no batch."""
        return []


class _Rows:
    """How many samples are in each batch of joined sources: some of each, or those of one after the other."""

    bound: FrameBound | None = None

    def __init__(self, pipelines: Sequence[Pipeline], rows: Sequence[int] | None) -> None:
        """`rows` are how many samples each source has in a batch of each process; None: one source after the other."""
        self.samplers = [pipeline.sampler for pipeline in pipelines]
        self.in_turn = rows is None
        first = self.samplers[0]
        self.processes = first.processes
        self._others = sum(rows[1:]) * self.processes if rows is not None else 0
        if rows is None:
            self.batches = sum(sampler.batches for sampler in self.samplers)
            self.batch_size = first.batch_size
        else:
            self.batches = first.batches
            self.batch_size = first.batch_size + self._others

    @property
    def samples_per_epoch(self) -> int:
        """All together."""
        if self.in_turn:
            return sum(sampler.samples_per_epoch for sampler in self.samplers)
        return self.samplers[0].samples_per_epoch + self.batches * self._others

    @property
    def common_batches(self) -> int:
        """How many batches have samples for every process."""
        return sum(sampler.common_batches for sampler in self.samplers) if self.in_turn else self.batches

    def sizes(self, batches: int | None = None) -> list[list[int]]:
        """Of each process in each batch; one that has none of a batch has nothing of it."""
        whole = [size for sampler in self.samplers for size in sampler.all_sizes()][:batches]
        return [list(sizes) for sizes in zip(*whole, strict=True)]


__all__ = ["Merged", "Together", "open_batches"]
