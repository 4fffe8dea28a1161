"""From the `{Data}` of a program to batches: samples prepared in worker processes, finished on the device.

Pictures travel as uint8 and become numbers only on the training device. The order of an epoch depends on
(seed, epoch) alone and a sample's augmentation on (seed, epoch, index), so that batches are the same whatever
the number of workers, and an epoch can be entered in its middle.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from netcfg.blocks.fields import LENGTHS, FieldSpec, Split
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.samples import (
    Draw,
    RaggedSamples,
    RandomSamples,
    ReducibleSamples,
    Sample,
    Samples,
    SampleTable,
)
from netcfg.blocks.sources.base import Source
from netcfg.blocks.transforms.base import Least, Transform, callable_of, least_of, misplaced
from netcfg.datasets.samplers.drawn import Drawing, drawn, is_changed
from netcfg.datasets.samples.declared import DeclaredSamples, DeclaredTransform, SampleError
from netcfg.datasets.samples.disk import places_on_disk
from netcfg.datasets.samples.memory import Keep, SampleMemory, fork_context, remembering, start_worker
from netcfg.datasets.samples.tables import described, opened
from netcfg.faults import told_of
from netcfg.passes.ragged import name_of
from netcfg.program import Data
from netcfg.source import Finding, NetcfgError, ProgramError

Key = tuple[int, Draw, int]  # epoch, what is drawn, how often this epoch has shown that sample before
Draws = Callable[[int], Sequence[Draw]]
"""What an epoch shows, by its number."""
Shuffle = Literal["epoch", "once", "never"]
Share = tuple[int, int]  # rank, processes

ALONE: Share = (0, 1)

PREFETCHED_BATCHES = 3


@dataclass(frozen=True)
class Batch:
    """Tensors by field, N samples first: pictures uint8 N×C×H×W, vectors float32, classes int64.

    `seconds` is the time one worker took to prepare it, `numbers` are those of its samples in their split, from 0.
    What is drawn for the whole batch is drawn from `chance`, numbers that hang on what is in it alone.
    """

    fields: dict[str, Tensor]
    size: int
    seconds: float
    numbers: tuple[int, ...]
    chance: tuple[int, ...] = ()

    def pin_memory(self) -> Batch:
        """The same in page-locked memory, from where a GPU copies while it computes."""
        return replace(self, fields={name: tensor.pin_memory() for name, tensor in self.fields.items()})


@dataclass(frozen=True)
class Failure:
    """What a worker hands over instead of a batch it could not make."""

    message: str
    code: str | None


class Preparer:
    """Makes whole batches out of single samples; what a worker process runs.

    `samples` are those of a split, remembered or not, `transforms` the callables for them in order, `kinds` those of
    the fields after them. `drawing` makes the samples that draws want moved or mirrored.
    """

    def __init__(
        self,
        samples: Samples | SampleMemory,
        transforms: list[Callable[..., Sample]],
        kinds: Mapping[str, str],
        seed: int,
        drawing: Drawing,
        source: Source,
        ragged: Mapping[str, str] | None = None,
        least: Least | None = None,
    ):
        self.source = source
        self.least = least
        """To what its picture will be brought down at first, so that less of it need be decoded."""
        self.ragged = dict(ragged or {})
        """By field the name of its first size, where that is another in each sample."""
        self.samples = samples
        # Looked at once: a protocol takes as long to look for as a small picture takes to be scaled.
        self.random_samples: RandomSamples | None = samples if isinstance(samples, RandomSamples) else None
        self.reducible: ReducibleSamples | None = None
        if least is not None and isinstance(samples, ReducibleSamples):
            self.reducible = samples
        self.transforms = transforms
        self.kinds = dict(kinds)
        self.seed = seed
        self.drawing = drawing

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: Key) -> Sample:
        """One sample, augmented as its epoch wants it."""
        epoch, draw, before = key
        # Chance hangs on the sample and its epoch, not on who makes it or when: so any number of workers, and an epoch
        # that is taken up half way, give the same. `before` tells the copies of one sample apart.
        chance = (self.seed, epoch, draw.sample, *([before] if before else []))
        random = np.random.default_rng(chance)
        if is_changed(draw):
            sample = self.drawing.sample(draw)
        elif self.random_samples is not None:
            sample = self.random_samples.at_random(draw.sample, random)
        elif self.reducible is not None and self.least is not None:
            # With the numbers that the transform will draw, so that it is known what it will look at.
            least = self.least
            sample = self.reducible.at_least(
                draw.sample, lambda size: least(size, np.random.default_rng(chance))
            )
        else:
            sample = self.samples[draw.sample]
        for transform in self.transforms:
            sample = transform(sample, random)
        return sample

    def _named(self, key: Key) -> Sample:
        try:
            return self[key]
        except SampleError as error:
            raise error.of(self.drawing.samples.table.ids[key[1].sample]) from error

    def __getitems__(self, keys: list[Key]) -> Batch | Failure:
        """The batch of these samples; bad data become a `Failure`, which travels better than an exception."""
        start = time.perf_counter()
        try:
            with told_of(self.source, "__getitem__"):
                samples = [self._named(key) for key in keys]
            fields = stacked(self.kinds, samples, self.ragged)
        except (NetcfgError, OSError) as error:
            return Failure(str(error), error.code if isinstance(error, NetcfgError) else "NC804")
        numbers = tuple(draw.sample for _, draw, _ in keys)
        chance = (self.seed, keys[0][0], *numbers)
        return Batch(fields, len(keys), time.perf_counter() - start, numbers, chance)


def stacked(
    kinds: Mapping[str, str], samples: Sequence[Sample], ragged: Mapping[str, str]
) -> dict[str, Tensor]:
    """Samples as a batch. Of `ragged` fields (see `ragged_fields`) all are padded to the longest with zeros; how long
    they are stands beside them. Raises `NetcfgError` for samples that cannot stand in one batch.
    """
    fields: dict[str, Tensor] = {}
    for name, kind in kinds.items():
        arrays = [sample[name] for sample in samples]
        if name in ragged:
            lengths = torch.tensor([len(array) for array in arrays])
            key = LENGTHS + ragged[name]
            if not torch.equal(fields.setdefault(key, lengths), lengths):
                raise NetcfgError(
                    f"`{name}` has {lengths.tolist()} frames where other fields have "
                    f"{fields[key].tolist()}\nhelp: fields of one length lose the same frames",
                    "NC502",
                )
            if not int(lengths.min()):
                raise NetcfgError(f"`{name}` has no frame at all in a sample", "NC502")
            arrays = [_padded(array, int(lengths.max())) for array in arrays]
        if any(array.shape != arrays[0].shape for array in arrays):
            found = " and ".join(dict.fromkeys("×".join(map(str, array.shape)) for array in arrays))
            raise NetcfgError(
                f"`{name}` has {found} in samples of one batch\nhelp: [resize] makes pictures of one size",
                "NC502",
            )
        fields[name] = stack_field(kind, arrays)
    return fields


def _padded(array: NDArray[Any], length: int) -> NDArray[Any]:
    """Zeros behind it, up to a length."""
    missing = length - len(array)
    return np.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array


def ragged_fields(fields: Mapping[str, FieldSpec]) -> dict[str, str]:
    """The name of the first size, by field, where it is one of frames or tokens that only a sample tells."""
    return {
        name: known
        for name, spec in fields.items()
        if spec.shape and spec.axes[:1] in ("T", "L") and spec.axes and (known := name_of(spec.shape[0]))
    }


def any_size(fields: Mapping[str, FieldSpec]) -> bool:
    """Whether the size of some field is another in each sample."""
    return any(not isinstance(size, int) for spec in fields.values() for size in spec.shape)


def stack_field(kind: str, arrays: Sequence[NDArray[Any]]) -> Tensor:
    """One field of several samples as a tensor, samples first: pictures N×C×H×W, still bytes."""
    tensor = torch.from_numpy(np.stack(arrays))
    if kind in ("image", "flow"):
        return tensor.movedim(-1, -3)  # a view: the memory stays channels-last, as convolutions like it
    return tensor.float() if tensor.is_floating_point() else tensor.long()


@dataclass(frozen=True)
class FrameBound:
    """Batches of clips by how many frames they hold, padding counted: at most `frames` in each process.

    `lengths` are those of all samples, in order. A clip that is longer than that has a batch of its own. `by_length`:
    clips come from the shortest to the longest, so that there is little padding; else in their order.
    """

    lengths: NDArray[np.int64]
    frames: int
    by_length: bool = False

    @property
    def order(self) -> NDArray[np.int64]:
        """The numbers of samples as they are shown."""
        if not self.by_length:
            return np.arange(len(self.lengths))
        return np.argsort(self.lengths, kind="stable")

    def starts(self, most: int, processes: int) -> list[int]:
        """Where batches of at most so many samples begin, and where the last one ends."""
        starts, longest = [0], 0
        for place, length in enumerate(self.lengths[self.order].tolist()):
            count = place - starts[-1]
            longest = max(longest, length)
            each = -(-(count + 1) // processes)
            # Each process has a clip of each batch, whatever its length, so that all of them have as many batches.
            if count >= processes and (count >= most or longest * each > self.frames):
                starts.append(place)
                longest = length
        return [*starts, len(self.lengths)] if len(self.lengths) else [0]


class EpochSampler:
    """Which samples make up each batch of the epoch it is set to; passes over the first `skip` batches.

    All samples, or those that `draws` gives for the epoch, as many for each. `share` is (rank, processes) where several
    train together: a batch then holds `batch_size` samples of each, and this gives one's own. An epoch's last, smaller
    batch is shared evenly; with `equal_shares`, as training wants them, it is filled up with samples of the epoch's
    beginning where it does not divide, else some processes have one sample less, or no such batch. `bound` makes
    batches of other sizes, where nothing is shuffled.
    """

    def __init__(
        self,
        samples: int,
        batch_size: int,
        seed: int,
        shuffle: Shuffle,
        drop_last: bool,
        limit: int | None,
        draws: Draws | None = None,
        share: Share = ALONE,
        equal_shares: bool = False,
        bound: FrameBound | None = None,
    ):
        self._draws = draws
        self._drawn: tuple[int, Sequence[Draw]] = 0, [] if draws is None else draws(0)
        self.samples = samples = samples if draws is None else len(self._drawn[1])
        self.rank, self.processes = share
        self.batch_size = batch_size = batch_size * self.processes
        self.equal_shares = equal_shares
        self.seed = seed
        self.shuffle = shuffle
        if bound is None:
            last = samples - samples % batch_size if drop_last else samples
            self._starts: list[int] = [*range(0, last, batch_size), last]
        else:
            self._starts = bound.starts(batch_size, self.processes)
        whole = len(self._starts) - 1
        self.batches = whole if limit is None else min(whole, limit)
        self.bound = bound
        self.epoch = 0
        self.skip = 0
        self._shown_then: tuple[int, Sequence[tuple[Draw, int]]] | None = None

    @property
    def samples_per_epoch(self) -> int:
        """How many samples an epoch shows."""
        return self._starts[self.batches]

    def __len__(self) -> int:
        return self.batches - self.skip

    def __iter__(self) -> Iterator[list[Key]]:
        shown = self._shown()
        # Of seed and epoch alone: nothing has to be kept to go on in the middle of an epoch.
        order = np.arange(self.samples) if self.bound is None else self.bound.order
        if self.shuffle != "never":
            drawn_for = self.epoch if self.shuffle == "epoch" else 0
            order = np.random.default_rng((self.seed, drawn_for)).permutation(self.samples)
        for batch in range(self.skip, self.batches):
            chosen = self._own(order[self._starts[batch] : self._starts[batch + 1]], order)
            if len(chosen):
                yield [(self.epoch, *shown[place]) for place in chosen.tolist()]

    def _own(self, chosen: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
        """What one's own process has of a batch."""
        if self.processes == 1:
            return chosen
        if self.equal_shares and len(chosen) % self.processes:
            # `resize` begins anew where an epoch has fewer samples than there are processes.
            chosen = np.concatenate([chosen, np.resize(order, self.processes - len(chosen) % self.processes)])
        return np.array_split(chosen, self.processes)[self.rank]

    def sizes(self, batches: int | None = None) -> list[list[int]]:
        """How many samples each process has, by rank, in each of the first `batches` batches; no empty ones."""
        return [[size for size in sizes if size] for sizes in zip(*self.all_sizes()[:batches], strict=True)]

    def all_sizes(self) -> list[list[int]]:
        """How many samples each process has, by batch, in the order of processes."""
        whole = np.diff(self._starts[: self.batches + 1]).tolist()
        return [[len(part) for part in np.array_split(range(size), self.processes)] for size in whole]

    @property
    def common_batches(self) -> int:
        """How many batches of an epoch have samples for every process."""
        last = self._starts[self.batches] - self._starts[max(0, self.batches - 1)]
        return self.batches if self.equal_shares or last >= self.processes else self.batches - 1

    def _shown(self) -> Sequence[tuple[Draw, int]]:
        return self._shown_in(self.epoch)

    def _shown_in(self, epoch: int) -> Sequence[tuple[Draw, int]]:
        """An epoch's draws before they are shuffled; each with how often its sample stands before."""
        if self._shown_then is not None and (self._draws is None or self._shown_then[0] == epoch):
            return self._shown_then[1]
        shown = self._listed(epoch)
        self._shown_then = epoch, shown
        return shown

    def _listed(self, epoch: int) -> Sequence[tuple[Draw, int]]:
        if self._draws is None:
            return [(Draw(index), 0) for index in range(self.samples)]
        if self._drawn[0] != epoch:
            self._drawn = epoch, self._draws(epoch)
        draws = self._drawn[1]
        if len(draws) != self.samples:
            raise NetcfgError(
                f"the first epoch shows {self.samples} samples, and epoch {epoch + 1} is to show {len(draws)}\n"
                "help: `Sampler.epoch` gives as many draws for every epoch",
                code="NC502",
            )
        times: Counter[int] = Counter()
        shown = []
        for draw in draws:
            shown.append((draw, times[draw.sample]))
            times[draw.sample] += 1
        return shown


class FollowingSampler(EpochSampler):
    """Which samples of a source go into each batch beside those of another, `first`, whose epochs count.

    They come in the source's own order, an epoch of its own after the other, however long the first one's are: as many
    in a batch as the first has, or `rows` for each process. Batches hang on seed, epoch and batch alone.
    """

    def __init__(self, own: EpochSampler, first: EpochSampler, rows: int | None) -> None:
        super().__init__(
            own.samples, 1, own.seed, own.shuffle, False, None, own._draws, (own.rank, own.processes)
        )
        self.first = first
        self.rows = rows
        self.batches = first.batches
        self.equal_shares = first.equal_shares
        self._orders: dict[int, NDArray[np.int64]] = {}

    def __iter__(self) -> Iterator[list[Key]]:
        for batch in range(self.skip, self.batches):
            start, count = self._window(batch)
            own = np.array_split(np.arange(start, start + count), self.processes)[self.rank]
            if len(own):
                yield [self._key(*divmod(place, self.samples)) for place in own.tolist()]

    def _window(self, batch: int) -> tuple[int, int]:
        """Where a batch begins among all that this source shows, epoch after epoch, and how many it takes."""
        if self.rows is not None:
            count = self.rows * self.processes
            return (self.epoch * self.batches + batch) * count, count
        starts = self.first._starts
        count = starts[batch + 1] - starts[batch]
        if self.equal_shares:
            count = -(-count // self.processes) * self.processes
        return self.epoch * self.first.samples_per_epoch + starts[batch], count

    def _key(self, epoch: int, place: int) -> Key:
        if epoch not in self._orders:
            # A batch may reach over the end of an epoch of this source: the order before is still asked for.
            self._orders = {known: order for known, order in self._orders.items() if known == epoch - 1}
            drawn_for = epoch if self.shuffle == "epoch" else 0
            self._orders[epoch] = (
                np.arange(self.samples)
                if self.shuffle == "never"
                else np.random.default_rng((self.seed, drawn_for)).permutation(self.samples)
            )
        return (epoch, *self._shown_in(epoch)[int(self._orders[epoch][place])])


class Shown(Protocol):
    """How many samples each batch of an epoch has."""

    batches: int
    batch_size: int
    processes: int
    bound: FrameBound | None

    @property
    def samples_per_epoch(self) -> int:
        """All together."""
        ...

    @property
    def common_batches(self) -> int:
        """How many batches of an epoch have samples for every process."""
        ...

    def sizes(self, batches: int | None = None) -> list[list[int]]:
        """How many samples each process has, by rank, in each of the first `batches` batches."""
        ...


class Batches(Protocol):
    """The batches of one split, epoch by epoch: of one source (`Pipeline`), or of several (`Together`)."""

    split: Split

    def __len__(self) -> int: ...

    @property
    def sampler(self) -> Shown:
        """What is in each batch."""
        ...

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        ...

    @property
    def tables(self) -> Sequence[SampleTable]:
        """What is known of the samples of each source, in the source's order."""
        ...

    @property
    def ids(self) -> Sequence[str]:
        """What all samples of the split are called, in the order of their numbers."""
        ...

    @property
    def lacking(self) -> frozenset[str]:
        """The fields that no sample of the split has."""
        ...

    @property
    def present(self) -> frozenset[int]:
        """The places of the sources that have samples in the split."""
        ...

    def prepare(self, workers: int, step_seconds: float = 0.0) -> Iterator[int]:
        """Make samples beforehand, where they can be kept; how many are done, now and then."""
        ...

    def epoch(self, epoch: int = 0, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, without the first `skip`."""
        ...

    def finish(self, batch: Batch) -> dict[str, Tensor]:
        """The batch as networks and losses want it."""
        ...

    def close(self) -> None:
        """Let the workers go."""
        ...


class Pipeline:
    """The batches of one split, epoch by epoch.

    `remember`: made samples are kept for epochs to come; else only those are read that earlier runs kept on disk.
    `training`: with what is done `when = train`; None: for the training split. `frames`: at most so many of a clip's in
    a batch (see `FrameBound`; `by_length` as there, unless only some batches are shown). `keep`: where samples of one
    size stay once they are made. `beside` another source, whose epochs count, it gives as many for each
    batch, or `rows`.
    Errors: `NetcfgError` where the data cannot be made, a split holds nothing, or a worker dies.
    """

    def __init__(
        self,
        data: Data,
        split: Split,
        batch_size: int,
        *,
        seed: int = 0,
        shuffle: Shuffle = "never",
        drop_last: bool = False,
        workers: int = 0,
        device: torch.device | str = "cpu",
        limit_batches: int | None = None,
        remember: bool = True,
        share: Share = ALONE,
        training: bool | None = None,
        frames: int | None = None,
        keep: Keep = "auto",
        by_length: bool = True,
        beside: Pipeline | None = None,
        rows: int | None = None,
    ) -> None:
        self.split = split
        self.device = torch.device(device)
        self.workers = workers
        training = split == "train" if training is None else training
        transforms = lowered(data, training, split)
        looked_at = DeclaredSamples(data.source, sample_fields(data), data.needed[0])
        # Whole batches are finished by the trainer, on its device: workers hand over bytes, a quarter of floats.
        self._finishers = [transform for per_sample, transform in transforms if not per_sample]
        travelling = batch_fields(data)
        self._kinds = {name: spec.kind for name, spec in travelling.items()}
        per_sample: list[Callable[..., Sample]] = [looked_at]
        per_sample += [transform for is_per_sample, transform in transforms if is_per_sample]
        ragged = ragged_fields(travelling)
        # A memory gives the same each time, and has a place of one size for each sample.
        self._opened = open_samples(data, split, training, seed)
        # Nor can one keep what is another each time.
        can_keep = not any_size(sample_fields(data)) and not isinstance(self._opened, RandomSamples)
        on_disk = partial(places_on_disk, self._opened, split, list(sample_fields(data)), remember)
        kept = keep if can_keep else "none"
        self._samples = remembering(self._opened, workers, looked_at.take, kept, on_disk, remember)
        kinds = {name: spec.kind for name, spec in sample_fields(data).items()}
        drawing = Drawing(self._opened, kinds)
        least = least_of(data.transforms, sample_fields(data), training)
        preparer = Preparer(self._samples, per_sample, self._kinds, seed, drawing, data.source, ragged, least)
        asked = _sampler(data, training)
        draws = None if asked is None else _draws(asked, data, self._opened, seed, drawing)
        whole = by_length and limit_batches is None
        bound = None if frames is None else FrameBound(_lengths(self._opened), frames, whole)
        self.sampler = EpochSampler(
            len(preparer),
            batch_size,
            seed,
            "never" if asked is not None and asked.keeps_order else shuffle,
            drop_last,
            limit_batches,
            draws,
            share,
            training,
            bound,
        )
        if beside is not None:
            self.sampler = FollowingSampler(self.sampler, beside.sampler, rows)
        self._loader = self._setup_loader(preparer)

    def _setup_loader(self, preparer: Preparer) -> DataLoader[Any]:
        # How many processes there are, a user has said.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        return DataLoader(
            preparer,  # type: ignore[arg-type]  # it is one by its methods
            batch_sampler=self.sampler,
            collate_fn=_as_it_is,  # type: ignore[arg-type]  # __getitems__ has collated already
            num_workers=self.workers,
            multiprocessing_context=fork_context() if self.workers else None,
            persistent_workers=self.workers > 0,
            prefetch_factor=PREFETCHED_BATCHES if self.workers else None,
            pin_memory=self.device.type == "cuda",
            worker_init_fn=start_worker,
            generator=torch.Generator(),  # else each epoch would draw from the networks' generator
        )

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.sampler.batches

    @property
    def samples(self) -> int:
        """Samples in an epoch."""
        return self.sampler.samples_per_epoch

    @property
    def table(self) -> SampleTable:
        """What is known of the samples of the split, in the source's order."""
        return self._opened.table

    @property
    def tables(self) -> Sequence[SampleTable]:
        """The same, of its one source."""
        return (self.table,)

    @property
    def lacking(self) -> frozenset[str]:
        """None: a source gives all its fields."""
        return frozenset()

    @property
    def present(self) -> frozenset[int]:
        """Its one source."""
        return frozenset([0])

    @property
    def ids(self) -> Sequence[str]:
        """What all samples of the split are called, in the source's order."""
        return self._opened.table.ids

    def prepare(self, workers: int, step_seconds: float = 0.0) -> Iterator[int]:
        """Make all samples beforehand, where they can be kept; how many are done, now and then.

        In order and with every core this is quicker than in the order of the first epoch beside the training.
        Where a step takes longer per sample (`step_seconds`) than making one, there is no need.
        """
        if not isinstance(self._samples, SampleMemory) or not self.workers:
            return
        if step_seconds < self._samples.seconds_per_sample / self.workers:
            yield from self._samples.fill(workers)

    def epoch(self, epoch: int = 0, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch, without the first `skip`, which are not even prepared."""
        self.sampler.epoch, self.sampler.skip = epoch, skip
        try:
            for batch in self._loader:
                if isinstance(batch, Failure):
                    raise NetcfgError(batch.message, batch.code)
                yield batch
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise NetcfgError(
                f"a process that prepares data ended by itself ({str(error).splitlines()[0]})\n"
                "help: there may be too little (shared) memory: try `--workers 0`, or a smaller batch_size",
                code="NC806",
            ) from None

    def finish(self, batch: Batch) -> dict[str, Tensor]:
        """The batch as networks and losses want it: on the device, pictures as numbers, normalised."""
        random = np.random.default_rng(batch.chance)
        return finish_fields(batch.fields, self._kinds, self._finishers, self.device, random)

    def close(self) -> None:
        """Let the workers go."""
        # PyTorch lets workers go when the iterator is collected, which a traceback that holds it can put off for long.
        iterator: Any = self._loader._iterator
        if iterator is not None and self.workers:
            iterator._shutdown_workers()
        self._loader._iterator = None


def finish_fields(
    fields: Mapping[str, Tensor],
    kinds: Mapping[str, str],
    finishers: Sequence[Callable[..., Any]],
    device: torch.device,
    random: np.random.Generator | None = None,
) -> dict[str, Tensor]:
    """A batch as networks want it: on the device, pictures as numbers from 0 to 1, then the `finishers`.

    `random` is for those of training that draw for a batch.
    """
    ready: dict[str, Tensor] = {}
    for name, tensor in fields.items():
        if name.startswith(LENGTHS):
            continue
        tensor = tensor.to(device, non_blocking=True)
        if kinds[name] in ("image", "flow") and tensor.dtype == torch.uint8:
            # After the way to the device, which is four times as short for bytes.
            tensor = tensor.float().div_(255.0)
        ready[name] = tensor
    for finisher in finishers:
        ready = finisher(ready, random)
    # Lengths stay where they are: they decide what is computed, and a device would be waited for.
    return ready | {name: tensor for name, tensor in fields.items() if name.startswith(LENGTHS)}


def open_samples(data: Data, split: Split, training: bool = True, seed: int = 0) -> Samples:
    """The samples of a split before any transform: the source's, with what is added to them (flow, copies)."""
    fields: Mapping[str, FieldSpec] = data.source.fields()
    samples = opened(data.source, split, data.needed[0])
    for step, wanted in zip(data.transforms, data.needed[1:], strict=True):
        if step.extends_source and step.applies(training):
            if isinstance(step, Sampler):
                draws = step.epoch(described(samples.table, data.source), 0, seed)
                samples = drawn(samples, draws, {name: fields[name].kind for name in wanted}, step)
            else:
                assert isinstance(step, Transform)
                samples = step.extend(samples, wanted, fields)
        fields = step.fields_in(fields, training)
    return samples


def sample_fields(data: Data) -> dict[str, FieldSpec]:
    """What the samples of `open_samples` hold."""
    fields: Mapping[str, FieldSpec] = data.source.fields()
    names = data.needed[0]
    for transform, wanted in zip(data.transforms, data.needed[1:], strict=True):
        if not transform.extends_source:
            break
        fields, names = transform.fields(fields), wanted
    return {name: fields[name] for name in names}


def batch_fields(data: Data) -> dict[str, FieldSpec]:
    """What workers put into a batch: the fields before the first step on whole batches, which adds its own."""
    fields: Mapping[str, FieldSpec] = data.source.fields()
    for step, wanted in zip(data.transforms, data.needed, strict=False):
        if isinstance(step, Transform) and not step.per_sample:
            return {name: fields[name] for name in wanted}
        fields = step.fields_in(fields, training=True)
    return {name: fields[name] for name in data.used}


def _sampler(data: Data, training: bool) -> Sampler | None:
    """The sampler of a program that chooses what each epoch shows; None where all samples are shown."""
    asked = [
        step
        for step in data.transforms
        if isinstance(step, Sampler) and not step.extends_source and step.applies(training)
    ]
    if len(asked) > 1:
        raise ProgramError(
            [Finding("NC107", f"[{asked[1].type_name}] is written twice in {{Data}}", data.span)]
        )
    return asked[0] if asked else None


def _draws(sampler: Sampler, data: Data, samples: Samples, seed: int, drawing: Drawing) -> Draws:
    """What a sampler chooses for each epoch."""
    return partial(_epoch_of, sampler, described(samples.table, data.source), seed, drawing)


def _lengths(samples: Samples) -> NDArray[np.int64]:
    """How many frames each has. Raises `NetcfgError` where they do not tell."""
    if isinstance(samples, RaggedSamples):
        return samples.lengths()
    raise NetcfgError(
        "[training] `eval_frames` bounds batches by the frames of clips, and these samples do not say how many they "
        "have\nhelp: take it out, or write `eval_batch_size`",
        code="NC502",
    )


def _epoch_of(
    sampler: Sampler, table: SampleTable, seed: int, drawing: Drawing, epoch: int
) -> Sequence[Draw]:
    """The draws of an epoch. Raises `NetcfgError` for draws of samples that are not there, or cannot be changed so."""
    draws = sampler.epoch(table, epoch, seed)
    wrong = next((draw.sample for draw in draws if not 0 <= draw.sample < len(table)), None)
    if wrong is not None:
        raise NetcfgError(
            f"[{sampler.type_name}] draws sample {wrong} of {len(table)}\nhelp: samples count from 0",
            code="NC502",
        )
    drawing.expect_possible(draws, sampler)
    return draws


def lowered(
    data: Data,
    training: bool,
    split: Split | None = None,
    also: Mapping[str, FieldSpec] | None = None,
    start: int = 0,
) -> list[tuple[bool, Callable[..., Any]]]:
    """The transforms that apply, from the `start`-th on, as callables; each with whether it works on single samples.

    Without a `split` they are as in any that is not trained on. `also` are fields of samples beside the source's.
    """
    late = misplaced(data.transforms)
    if late is not None:
        raise ProgramError([_misplaced_finding(late, data)])
    lowered: list[tuple[bool, Callable[..., Any]]] = []
    fields: Mapping[str, FieldSpec] = {**data.source.fields(), **(also or {})}
    for place, written in enumerate(data.transforms):
        after = written.fields_in(fields, training)
        if place >= start and isinstance(written, Transform) and not written.extends_source:
            transform = written if split is None else written.in_split(split)
            applies = transform.applies(training)
            step = callable_of(transform, fields) if applies else transform.bypass(fields)
            look = transform.look(fields) if applies else None
            if look is not None:
                lowered.append((True, DeclaredTransform(written, look, fields, of_samples=True, draws=True)))
            if step is not None:
                of_samples = transform.per_sample
                draws = of_samples or (applies and transform.draws_batch)
                declared = DeclaredTransform(written, step, after, of_samples=of_samples, draws=draws)
                lowered.append((of_samples, declared))
        fields = after
    return lowered


def _misplaced_finding(transform: Transform, data: Data) -> Finding:
    return Finding(
        "NC112",
        f"[{transform.type_name}] works on single samples, and stands after a block that works on batches",
        data.span,
        help="put [normalise] last",
    )


def _as_it_is(batch: Batch | Failure) -> Batch | Failure:
    return batch
