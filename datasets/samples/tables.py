"""Columns of a table that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.samples import FramePair, Sample, Samples, SampleTable
from netcfg.blocks.sources.base import Source
from netcfg.source import NetcfgError


class Columns(Mapping[str, NDArray[Any]]):
    """What each field of labels holds, N×K or N: an array, made by a function of its name and then kept."""

    def __init__(self, names: Sequence[str], make: Callable[[str], NDArray[Any]]) -> None:
        self._names = tuple(names)
        self._make = make
        self._made: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _MapStyle(Protocol):
    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


class _Clips(_MapStyle, Protocol):
    def pair(self, index: int) -> FramePair: ...


class TabledSamples:
    """Samples of a data set that has but `len` and `[index]`: they are called by their numbers, and the columns of the
    table are read out of the samples, opened once more with these fields alone.
    """

    def __init__(self, samples: _MapStyle, source: Source, split: Split) -> None:
        self._samples = samples
        self._source = source
        self._split = split
        self._table: SampleTable | None = None

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]

    @property
    def table(self) -> SampleTable:
        """Names and, on demand, labels."""
        if self._table is None:
            names = [name for name, spec in self._source.fields().items() if is_label(spec)]
            self._table = SampleTable(tuple(map(str, range(len(self)))), labels=Columns(names, self._column))
        return self._table

    def only(self, fields: Sequence[str]) -> Samples:
        """The same samples with other fields, opened anew."""
        return opened(self._source, self._split, fields)

    def _column(self, name: str) -> NDArray[Any]:
        samples = self.only((name,))
        return np.stack([samples[index][name] for index in range(len(samples))])


class TabledClips(TabledSamples):
    """The same of frames of clips, which can be found in pairs."""

    _samples: _Clips

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """The frames whose motion belongs to a sample."""
        return self._samples.pair(index)

    def with_frames(self) -> TabledClips:
        """Itself."""
        return self

    def with_flow(self) -> Samples | None:
        """None: no files are known."""
        return None


def is_label(spec: FieldSpec) -> bool:
    """Whether a field is known without a picture: numbers for a sample, or a class."""
    return spec.kind in ("vector", "class")


def opened(source: Source, split: Split, fields: Sequence[str]) -> Samples:
    """The samples of a source, with a table where its own code gives none.

    Errors: `NetcfgError` where what it opens is no data set, or has no clips although it says so.
    """
    given: object = source.open(split, fields)
    if isinstance(given, Samples):
        return given
    for needed in ("__len__", "__getitem__", *(("pair",) if source.has_clips else ())):
        if not hasattr(given, needed):
            raise NetcfgError(
                f"[{source.type_name}] opens a {type(given).__name__}, which has no `{needed}`\n"
                "help: `Source.open` returns `Samples`: `table`, `len`, `[index]` and `only`",
                code="NC702",
            )
    return (TabledClips if source.has_clips else TabledSamples)(given, source, split)  # type: ignore[arg-type]


def described(table: SampleTable, source: Source) -> SampleTable:
    """The table with what the source says of its labels: their names, and above what they count as shown."""
    names = {name: spec.names for name, spec in source.fields().items() if is_label(spec)}
    return replace(table, names=names, active_above=source.active_above)
