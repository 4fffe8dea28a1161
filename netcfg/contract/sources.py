"""The contract of sources: an example of their data is opened, and its samples are what the fields say."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.samples import Samples
from netcfg.blocks.sources.base import Source
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.datasets.samples.tables import opened as open_tabled
from netcfg.source import NetcfgError

SPLITS: tuple[Split, ...] = get_args(Split)
SUBJECT = "subject"
SHOWN = 5
"""So many samples of a split are looked at, spread over it."""


def verify_source(kind: type[Source]) -> Iterator[Breach]:
    """What is untrue about a source; the first case of each kind."""
    try:
        written = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    with _workplace() as folder:
        source = written.example(folder)
        seen: set[str] = set()
        for breach in _all(source):
            if breach.check not in seen:
                seen.add(breach.check)
                yield breach


def _all(source: Source) -> Iterator[Breach]:
    try:
        fields = source.fields()
        opened = {split: source.open(split, tuple(fields)) for split in SPLITS}
    except NetcfgError as error:
        yield _breach(source, "example", "data that can be opened", what_was_raised(error), "example")
        return
    except Exception as error:  # whatever its methods raise is its author's to read
        yield _breach(source, "open", "the samples of a split", what_was_raised(error), "open")
        return
    found: list[Breach] = []
    for split, samples in opened.items():
        try:
            found += _verify_split(source, split, samples, fields)
        except Exception as error:
            found.append(_breach(source, "samples", f"those of {split}", what_was_raised(error), "open"))
    yield from found
    if found:  # what only follows from it stays silent
        return
    yield from _alone(source, fields, opened["train"])
    yield from _kept_by_a_run(source, fields)
    yield from _recognised(source)
    yield from _shared_subjects(source, fields)
    yield from _by_workers(source, fields, opened["train"])
    yield from _hidden(source, fields)


def _kept_by_a_run(source: Source, fields: Mapping[str, FieldSpec]) -> Iterator[Breach]:
    """What its data settle can be written as options, and then says the same fields."""
    settled, readers = source.settled(), source.readers()
    unknown = next((key for key in settled if key not in readers), None)
    if unknown is not None:
        yield _breach(source, "settled", "options that it has", f"`{unknown}`", "settled")
        return
    written = source.model_copy(update={key: readers[key](text) for key, text in settled.items()})
    if dict(written.fields()) != dict(fields):
        yield _breach(source, "settled", f"options that say {fields}", f"{written.fields()}", "settled")
        return
    with _without_data(source):
        # A run predicts, and is exported, on machines where its data are not.
        gone, mistakes = dict(written.fields()), written.mistakes()
    if gone != dict(fields):
        yield _breach(source, "settled", f"without the data too {fields}", f"{gone}", "settled")
    elif mistakes:
        yield _breach(source, "mistakes", "none of a run whose data are elsewhere", f"{mistakes}", "mistakes")


def _hidden(source: Source, fields: Mapping[str, FieldSpec]) -> Iterator[Breach]:
    """Hidden files are no data: those that a Mac leaves on other systems' disks have the endings of data."""
    options = source.options()
    names = [options.get(option) for option in source.places]
    places = [Path(name) for name in names if isinstance(name, str) and Path(name).is_dir()]
    before = {split: _ids(source, split, fields) for split in SPLITS} if places else {}
    for folder, _, files in (found for place in places for found in list(os.walk(place))):
        for file in files:
            Path(folder, f"._{file}").write_bytes(b"\0\5\26\7 of a Mac")
        Path(folder, ".DS_Store").write_bytes(b"\0\0\0\1")
        Path(folder, ".hidden").mkdir(exist_ok=True)
    for split, ids in before.items():
        try:
            again = _ids(source, split, fields)
            found = "" if again == ids else f"{len(again)} of {split}, which has {len(ids)}"
        except Exception as error:
            found = what_was_raised(error)
        if found:
            yield _breach(source, "hidden files", "the same samples beside some", found, "open")


def _ids(source: Source, split: Split, fields: Mapping[str, FieldSpec]) -> list[str]:
    return list(open_tabled(source, split, tuple(fields)).table.ids)


@contextmanager
def _without_data(source: Source) -> Iterator[None]:
    """Inside, the example's data lie under another name."""
    options = source.options()
    names = [options.get(option) for option in source.places]
    places = [Path(name) for name in names if isinstance(name, str) and Path(name).exists()]
    aside = [place.with_name(f"{place.name} aside") for place in places]
    for place, other in zip(places, aside, strict=True):
        place.rename(other)
    try:
        yield
    finally:
        for place, other in zip(places, aside, strict=True):
            other.rename(place)


def _recognised(source: Source) -> Iterator[Breach]:
    """The example's folder is known for its own, where folders are, by options that it has."""
    place = source.options().get(source.places[0]) if source.places else None
    if not source.looks_like or not isinstance(place, str):
        return
    found = type(source).reads(Path(place))
    if found is None:
        yield _breach(source, "recognise", "its own example's folder", "that it is not its own", "recognise")
    elif not set(found.options) <= set(source.readers()):
        unknown = ", ".join(sorted(set(found.options) - set(source.readers())))
        yield _breach(source, "recognise", "options that it has", unknown, "recognise")


def _breach(source: Source, check: str, declared: object, found: object, write: str) -> Breach:
    return Breach(source.type_name, check, "", str(declared), str(found), write)


def _verify_split(
    source: Source, split: Split, samples: Any, fields: Mapping[str, FieldSpec]
) -> Iterator[Breach]:
    if not len(samples):
        yield _breach(source, "example", f"samples in {split}", "none", "example")
    for index in _places(len(samples)):
        sample = samples[index]
        if sample.keys() != fields.keys():
            yield _breach(source, "fields", ", ".join(fields), ", ".join(sample), "open")
            return
        for name, spec in fields.items():
            yield from _verify_field(source, name, spec, sample[name])
        again = samples[index]
        if any((again[name] != sample[name]).any() for name in fields):
            yield _breach(
                source, "samples", "the same one for the same index", "another one each time", "open"
            )
            return
    yield from _opened_again(source, split, samples, fields)
    yield from _table(source, samples, fields)
    name = next(iter(fields))
    alone = source.open(split, (name,))
    if len(samples) and set(alone[0]) != {name}:
        yield _breach(source, "fields", f"`{name}` where that is asked for", ", ".join(alone[0]), "open")


def _alone(source: Source, fields: Mapping[str, FieldSpec], samples: Samples) -> Iterator[Breach]:
    """A field is the same whatever is asked for beside it: labels are read without pictures, in the same order."""
    for name in fields:
        alone = source.open("train", (name,))
        if any((alone[index][name] != samples[index][name]).any() for index in {0, len(samples) - 1}):
            found = f"another `{name}` where nothing else is asked for"
            yield _breach(source, "fields", "the same whatever is asked for beside them", found, "open")
            return


def _opened_again(
    source: Source, split: Split, samples: Any, fields: Mapping[str, FieldSpec]
) -> Iterator[Breach]:
    """A run that is resumed, or judged later, opens the split once more."""
    other = source.open(split, tuple(fields))
    if len(other) != len(samples):
        yield _breach(
            source, "samples", f"{len(samples)} in {split}", f"{len(other)} when opened again", "open"
        )
        return
    for index in _places(len(samples)):
        first, again = samples[index], other[index]
        if any((again[name] != first[name]).any() for name in fields):
            found = "another one when the split is opened again"
            yield _breach(source, "samples", "the same one for the same index", found, "open")
            return


def _table(source: Source, samples: Any, fields: Mapping[str, FieldSpec]) -> Iterator[Breach]:
    """What is known of samples without opening them is what they then hold: samplers and folds go by it."""
    if not isinstance(samples, Samples):
        return
    table = samples.table
    if len(table) != len(samples):
        yield _breach(source, "table", f"{len(samples)} samples", f"{len(table)} rows", "open")
        return
    known = {name: values for name, values in table.labels.items() if name in fields}
    known |= {SUBJECT: table.subjects} if SUBJECT in fields and table.subjects is not None else {}
    for index in _places(len(samples)):
        sample = samples[index]
        for name, values in known.items():
            if values[index].shape == sample[name].shape and (values[index] != sample[name]).any():
                found = f"`{name}` of sample {index} is {sample[name]}, and {values[index]} in the table"
                yield _breach(source, "table", "what the samples hold", found, "open")
                return


def _verify_field(source: Source, name: str, spec: FieldSpec, values: Any) -> Iterator[Breach]:
    """Shape, type and range of one field of a sample."""
    import numpy as np

    array = np.asarray(values)
    is_picture = spec.kind in ("image", "flow")
    shape = array.shape
    if is_picture and len(shape) >= 3:
        shape = (*shape[:-3], shape[-1], *shape[-3:-1])
    if len(shape) != len(spec.shape) or any(
        isinstance(size, int) and size != given for size, given in zip(spec.shape, shape, strict=True)
    ):
        yield _breach(source, "shape of a field", f"`{name}` {spec}", f"a shape of {shape}", "fields")
        return
    wrong = _wrong_values(spec, array)
    if wrong:
        yield _breach(source, "kind of a field", f"`{name}`, {spec.kind}", wrong, "fields, or open")
    if spec.kind == "vector" and spec.names and len(spec.names) != spec.shape[0]:
        yield _breach(source, "names of a field", f"{spec} of `{name}`", f"{len(spec.names)} names", "fields")


def _wrong_values(spec: FieldSpec, array: Any) -> str:
    """What a field of its kind may not hold; "" for nothing."""
    import numpy as np

    if spec.kind in ("image", "flow"):
        return "" if array.dtype == np.uint8 else f"values of {array.dtype}, not bytes"
    if spec.kind in ("class", "mask"):
        if not np.issubdtype(array.dtype, np.integer):
            return f"values of {array.dtype}, not whole numbers"
        array = array if spec.ignore is None else array[array != spec.ignore]
        if not array.size:
            return ""
        beyond = bool(spec.names) and not 0 <= int(array.min()) <= int(array.max()) < len(spec.names)
        return f"class {int(array.max())} of {len(spec.names)}" if beyond else ""
    if not np.issubdtype(array.dtype, np.floating):
        return f"values of {array.dtype}, not numbers with a point"
    return "" if bool(np.isfinite(array).all()) else "NaN or infinite numbers"


def _shared_subjects(source: Source, fields: Mapping[str, FieldSpec]) -> Iterator[Breach]:
    """Subjects of one split that another one shows: what is learned of a person would be judged on that person."""
    if SUBJECT not in fields:
        return
    subjects: dict[Split, list[int]] = {}
    for split in SPLITS:
        samples = source.open(split, (SUBJECT,))
        subjects[split] = [int(samples[index][SUBJECT]) for index in range(len(samples))]
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        here, there = subjects[one], subjects[other]  # type: ignore[index]
        shared = sorted(set(here) & set(there))
        if shared and here != there:  # one split under two names is said to be that
            found = f"{len(shared)} that {one} and {other} share ({shared[0]})"
            yield _breach(source, "subjects of splits", "each in one of them", found, "open")
            return


def _by_workers(source: Source, fields: Mapping[str, FieldSpec], samples: Any) -> Iterator[Breach]:
    """The same samples, made by a process of their own."""
    from torch.utils.data import DataLoader

    from netcfg.datasets.samples.memory import fork_context, start_worker

    places, context = _places(len(samples)), fork_context()
    if context is None:
        return
    wanted = [samples[index] for index in places]
    try:
        loader: Any = DataLoader(
            samples, sampler=places, batch_size=None, collate_fn=_as_it_is, num_workers=1,
            multiprocessing_context=context, worker_init_fn=start_worker,
        )  # fmt: skip
        given = list(loader)
    except Exception as error:
        yield _breach(source, "workers", "samples made by a process", what_was_raised(error), "open")
        return
    if any(
        (one[name] != other[name]).any() for one, other in zip(given, wanted, strict=True) for name in fields
    ):
        yield _breach(source, "workers", "the same samples", "others in a process of their own", "open")


def _as_it_is(sample: Any) -> Any:
    return sample


def _places(count: int) -> Sequence[int]:
    """Some of the samples: the first, the last, and between."""
    return sorted({round(place * (count - 1) / max(1, SHOWN - 1)) for place in range(SHOWN)}) if count else []


@contextmanager
def _workplace() -> Iterator[Path]:
    """A folder for examples, in which also lies what is kept for later runs."""
    before = os.environ.get("NETCFG_CACHE")
    with tempfile.TemporaryDirectory(prefix="netcfg-verify-") as folder:
        os.environ["NETCFG_CACHE"] = f"{folder}/cache"
        try:
            yield Path(folder) / "example"
        finally:
            if before is None:
                del os.environ["NETCFG_CACHE"]
            else:
                os.environ["NETCFG_CACHE"] = before
