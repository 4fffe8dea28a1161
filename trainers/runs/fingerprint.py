"""What a run's data were: names, sizes, times and counts, so that they are known again, or seen to be others.

`data.json` of a run:
    version     1
    source      the class that read them
    options     where they lie, by option
    files       by option what lies there: `count`, `bytes`, and digests of the `names`, `sizes` and `times`
    sources     where there are several, all of this for each, by its name
    splits      by split how many `samples`, and digests of their `names` and `labels`
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import SampleTable
from netcfg.blocks.sources.base import Source
from netcfg.program import Data
from netcfg.words import counted

FILE = "data.json"
VERSION = 1
_LENGTH = 16  # characters of a digest: two data sets in 10¹⁹ share one


def fingerprint_of_data(data: Data, tables: Mapping[Split, Sequence[SampleTable]]) -> dict[str, Any]:
    """The data as they are now; `tables` are those of the splits that were opened, one for each source."""
    found = [
        fingerprint(part.source, {split: of[place] for split, of in tables.items()})
        for place, part in enumerate(data.each)
    ]
    if not data.parts:
        return found[0]
    named = {part.name: one for part, one in zip(data.parts, found, strict=True)}
    return {"version": VERSION, "sources": named}


def fingerprint(source: Source, tables: Mapping[Split, SampleTable]) -> dict[str, Any]:
    """Those of one source."""
    places = {option: place for option, place in _places(source)}
    return {
        "version": VERSION,
        "source": type(source).__name__,
        "options": places,
        "files": {option: _files(Path(place).expanduser()) for option, place in places.items()},
        "splits": {split: _split(table) for split, table in tables.items()},
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what data differ from those a run has had, in a reader's words; empty where nobody can tell.

    Data that lie elsewhere now were meant to: of these nothing is said.
    """
    if "sources" in now:
        known = before.get("sources", {})
        return [
            f"{name}: {line}"
            for name, one in now["sources"].items()
            for line in changes(known.get(name, {}), one)
        ]
    told = ("version", "source", "options")
    if any(before.get(key) != now[key] for key in told):
        return []
    lines = []
    for split, found in now["splits"].items():
        known = before.get("splits", {}).get(split)
        if known is not None and (words := _split_words(known, found)):
            lines.append(f"{split}: {words}")
    for option, found in now["files"].items():
        known = before.get("files", {}).get(option)
        if known is not None and (words := _file_words(known, found)):
            lines.append(f"`{option} = {now['options'][option]}`: {words}")
    return lines


def _places(source: Source) -> Iterator[tuple[str, str]]:
    """The options that say where data lie, with what they say."""
    written = source.model_dump()
    for option in source.places:
        value = written.get(option)  # a source of one's own may have no such option
        if isinstance(value, str):
            yield option, value


def _split(table: SampleTable) -> dict[str, Any]:
    # Labels that a source only tells by making its samples are left out: that would take an epoch.
    labels = [*_arrays(table.labels)] if isinstance(table.labels, dict) else []
    return {"samples": len(table), "names": _digest(table.ids), "labels": _digest_of_arrays(labels)}


def _arrays(labels: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from sorted(labels.items())


def _files(place: Path) -> dict[str, Any]:
    """What lies in a folder and below, hidden files left out; or a file by itself."""
    found = sorted(_below(str(place), "")) if place.is_dir() else []
    if not found and place.is_file():
        status = place.stat()
        found = [(place.name, status.st_size, status.st_mtime_ns)]
    return {
        "count": len(found),
        "bytes": sum(size for _, size, _ in found),
        "names": _digest(name for name, _, _ in found),
        "sizes": _digest(str(size) for _, size, _ in found),
        "times": _digest(str(time) for _, _, time in found),
    }


def _below(folder: str, before: str) -> Iterator[tuple[str, int, int]]:
    """Name, bytes and time of each file; what cannot be read is not there."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=not before):  # a link may lead back
                    yield from _below(entry.path, f"{before}{entry.name}/")
                elif entry.is_file():
                    status = entry.stat()
                    yield before + entry.name, status.st_size, status.st_mtime_ns
    except OSError:
        return


def _digest(words: Iterable[str]) -> str:
    found = hashlib.sha256()
    for word in words:
        found.update(word.encode("utf-8", "surrogateescape") + b"\0")
    return found.hexdigest()[:_LENGTH]


def _digest_of_arrays(arrays: Sequence[tuple[str, Any]]) -> str:
    found = hashlib.sha256()
    for name, values in arrays:
        found.update(f"{name} {values.dtype} {values.shape}".encode())
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:_LENGTH]


def _split_words(known: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if known["samples"] != found["samples"]:
        return f"{counted(known['samples'], 'sample')}, and now {found['samples']:,}"
    if known["names"] != found["names"]:
        return "as many samples, of other names or in another order"
    return "the same samples, with other labels" if known["labels"] != found["labels"] else ""


def _file_words(known: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if known["count"] != found["count"]:
        return f"{counted(known['count'], 'file')}, and now {found['count']:,}"
    if known["names"] != found["names"]:
        return "as many files, of other names"
    if known["sizes"] != found["sizes"]:
        return f"files of other sizes, {known['bytes']:,} bytes in all, and now {found['bytes']:,}"
    if known["times"] != found["times"]:
        return "files that were written again since, of the same sizes"
    return ""
