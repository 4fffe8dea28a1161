"""`arrays`: .npy and .npz files as samples. Only numbers are read; what a pickle would have to restore is refused."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.blocks.sources.arrays import MOST_CLASSES, Arrays
from netcfg.blocks.sources.list_files import split_of
from netcfg.datasets.pictures.face_boxes import Picture, cut_out
from netcfg.datasets.pictures.masks import scaled_mask
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.memory import free_memory
from netcfg.datasets.samples.table_samples import Further, TableSamples, moved
from netcfg.datasets.sources.split_lists import rows_by_numbers
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path

IMAGES = ("image", "images", "x", "data", "pixels", "pictures", "imgs")
CLASSES = ("class", "classes", "label", "labels", "y", "target", "targets")
"""How arrays of pictures and of classes are called, in small letters."""
_SPLIT_WORDS = "train|training|val|valid|validation|test|testing|dev"
_IN_FRONT = re.compile(rf"({_SPLIT_WORDS})_(.+)\Z", re.IGNORECASE)
_BEHIND = re.compile(rf"(.+)_({_SPLIT_WORDS})\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Array:
    """An array in a file: what its first bytes say of it."""

    file: Path
    member: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self) -> NDArray[Any]:
        """Its numbers: of a .npy where they lie, of a .npz in memory."""
        try:
            if not self.member:
                return np.asarray(np.load(self.file, mmap_mode="r", allow_pickle=False))
            with np.load(self.file, allow_pickle=False) as archive:
                return np.asarray(archive[self.member.removesuffix(".npy")])
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise NetcfgError(
                f"{self} cannot be read: {error}\nhelp: write the file again", "NC505"
            ) from None

    def __str__(self) -> str:
        name = self.member.removesuffix(".npy")
        return f"{shown_path(self.file)}: `{name}`" if name else shown_path(self.file)


@dataclass(frozen=True)
class Laid:
    """The arrays by split ("" where samples are dealt) and field, and what each field is."""

    arrays: Mapping[str, Mapping[str, Array]]
    specs: Mapping[str, FieldSpec]


def array_specs(section: Arrays) -> Mapping[str, FieldSpec]:
    """What each field is. Raises `NetcfgError` for arrays that are none, or do not fit."""
    return _laid(section).specs


def open_arrays(section: Arrays, split: Split, fields: Sequence[str]) -> TableSamples:
    """The samples of a split."""
    laid = _laid(section)
    key, rows = _rows(section, laid, split)
    if not len(rows):
        raise NetcfgError(
            f"{shown_path(section.place_of_data())}: there is no sample for the {split} split\n"
            "help: more samples, or a larger share of them",
            code="NC506",
        )
    own = laid.arrays[key]
    groups = None if section.group_by is None else _groups(own[section.group_by])[rows]
    return _samples(section, own, laid.specs, rows, fields, groups)


def open_given(section: Arrays, place: Path, fields: Sequence[str]) -> TableSamples:
    """All rows of a file, of which these fields are asked; they must be what the section's are."""
    by_split: dict[str, dict[str, Array]] = {}
    for name, array in _arrays(place).items():
        split, base = _named(name)
        by_split.setdefault(split, {})[_field(base, array)] = array
    if len(by_split) > 1:
        raise NetcfgError(
            f"{shown_path(place)} has arrays of several splits, and its rows are to be told apart by their number\n"
            "help: `netcfg eval RUN --split test --predictions OUT.csv` answers those of a split",
            code="NC507",
        )
    (found,) = by_split.values()
    known = section.fields()
    lacking = [name for name in fields if name not in found]
    if lacking:
        there = ", ".join(f"`{name}`" for name in found)
        raise NetcfgError(
            f"{shown_path(place)} has no array `{lacking[0]}`, which the networks read: it has {there}\n"
            f"help: save it under that name: `numpy.savez(file, {lacking[0]}=…)`",
            code="NC501",
        )
    own = {name: found[name] for name in fields}
    _expect_one_length(own)
    for name, array in own.items():
        _expect_alike(section, name, array, known[name])
    rows = np.arange(_length(own))
    return _samples(section, own, {name: known[name] for name in fields}, rows, fields, None)


def _expect_alike(section: Arrays, name: str, array: Array, spec: FieldSpec) -> None:
    """Raise `NetcfgError` where an array is not of the kind and size of the field that networks were trained on."""
    shape = array.shape[1:]
    whole = array.dtype.kind in "uib"
    match spec.kind:
        case "class":
            fits = _is_class(array)
        case "image":
            sides = _sides(shape)
            fits = sides is not None and (section.image_size is not None or sides == spec.shape[1:])
        case "mask":
            fits = whole and len(shape) == 2 and (section.image_size is not None or shape == spec.shape)
        case _:
            fits = (shape or (1,)) == spec.shape
    if not fits:
        raise NetcfgError(
            f"{array} is {_text(array)}, and the networks were trained on {spec} ({spec.kind}) for each sample\n"
            "help: prepare it as the arrays were that they were trained on",
            code="NC505",
        )
    if spec.kind in ("class", "mask") and spec.names:
        values, most = array.read(), len(spec.names) - 1
        if values.size and not 0 <= int(values.min()) <= int(values.max()) <= most:
            raise NetcfgError(
                f"{array} holds {int(values.min())} to {int(values.max())}, and its classes are 0 to {most}",
                code="NC505",
            )


def _samples(
    section: Arrays,
    own: Mapping[str, Array],
    specs: Mapping[str, FieldSpec],
    rows: NDArray[np.int64],
    fields: Sequence[str],
    groups: NDArray[np.int64] | None,
) -> TableSamples:
    labels: dict[str, NDArray[Any]] = {}
    further: dict[str, Further] = {}
    for name, spec in specs.items():
        if spec.kind == "class":
            labels[name] = own[name].read().reshape(-1)[rows].astype(np.int64)
        elif spec.kind == "vector" and len(spec.shape) == 1:
            labels[name] = _finite(own[name], own[name].read().reshape(len(own[name].read()), -1)[rows])
        elif name != "image" and name in fields:
            further[name] = _maker(own[name], rows, spec, section.image_size)
    table = SampleTable(
        tuple(map(str, rows.tolist())),
        labels=labels,
        names={name: spec.names for name, spec in specs.items() if name in labels},
        subjects=groups,
    )
    pictures = _ArrayPictures(own.get("image"), rows, section.image_size)
    return TableSamples(
        table,
        pictures,
        fields,
        opened=frozenset({"image"}),
        further=further,
        reopen=lambda wanted: _samples(section, own, specs, rows, wanted, groups),
    )


def _laid(section: Arrays) -> Laid:
    place = section.place_of_data()
    found = _arrays(place)
    by_split: dict[str, dict[str, Array]] = {}
    for name, array in found.items():
        split, base = _named(name)
        by_split.setdefault(split, {})[_field(base, array)] = array
    if "" in by_split and len(by_split) > 1:
        by_split.pop("")  # beside arrays of splits: what is of all of them is of no sample
    if "" not in by_split and "train" not in by_split:
        raise NetcfgError(
            f"{shown_path(place)} has no arrays to train on: {', '.join(found)}\n"
            "help: names such as `x_train` and `x_test`, or `x` alone",
            code="NC506",
        )
    for own in by_split.values():
        _expect_one_length(own)
    first = by_split.get("train") or by_split[""]
    for split, own in by_split.items():
        if set(own) != set(first):
            lacking = next(iter(sorted(set(first) ^ set(own))))
            raise NetcfgError(
                f"{shown_path(place)} has `{lacking}` in some splits, and not in {split}", "NC507"
            )
    specs = {name: _spec(section, name, array, by_split) for name, array in first.items()}
    return Laid(by_split, {name: spec for name, spec in specs.items() if spec is not None})


def _arrays(place: Path) -> Mapping[str, Array]:
    """The arrays of a file or folder by name, by their first bytes."""
    if not place.exists():
        raise NetcfgError(
            f"there are no arrays {shown_path(place)}\nhelp: paths count from where netcfg is started",
            code="NC802",
        )
    files = [place]
    if place.is_dir():
        files = [
            path for path in visible(place) if path.suffix.lower() in (".npy", ".npz") and path.is_file()
        ]
    found: dict[str, Array] = {}
    for path in files:
        state = path.stat()  # part of what headers are remembered by: a file written anew is read anew
        found |= _headers(str(path), state.st_mtime_ns, state.st_size)
    if not found:
        raise NetcfgError(f"{shown_path(place)} holds no arrays\nhelp: .npz, or .npy files", code="NC506")
    return found


@lru_cache(maxsize=64)
def _headers(name: str, changed: int, size: int) -> Mapping[str, Array]:
    path = Path(name)
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                return {path.stem: _header(stream, path, "", size)}
        found = {}
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as stream:
                        array = _header(stream, path, info.filename, info.file_size)
                    found[info.filename.removesuffix(".npy")] = array
        return found
    except (OSError, zipfile.BadZipFile, ValueError, EOFError) as error:
        raise NetcfgError(
            f"{shown_path(path)} holds no arrays: {error}\nhelp: `numpy.save` and `numpy.savez` write them",
            code="NC505",
        ) from None


def _header(stream: IO[bytes], path: Path, member: str, size: int) -> Array:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    array = Array(path, member, tuple(map(int, shape)), dtype)
    if dtype.hasobject:
        raise NetcfgError(
            f"{array} holds objects, which only a pickle could restore, and none is executed here\n"
            "help: save numbers: `numpy.save(name, array.astype(float))`, or arrays of one length",
            code="NC505",
        )
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if stream.tell() + needed > size:
        raise NetcfgError(f"{array} is cut short: {size:,} bytes, and it needs {needed:,}", code="NC505")
    free = free_memory()
    if member and free is not None and needed > free:
        raise NetcfgError(
            f"{array} unpacks to {needed / 1e9:.1f} GB, more than the {free / 1e9:.1f} GB of memory that are free\n"
            "help: save it as .npy, of which only what is needed is read",
            code="NC806",
        )
    if dtype.kind not in "uifb":
        raise NetcfgError(f"{array} holds {dtype}, and arrays here are of numbers", code="NC505")
    return array


def _named(name: str) -> tuple[str, str]:
    """The split that an array's name tells, and what is left of it."""
    if match := _IN_FRONT.match(name):
        return split_of(match[1]) or "", match[2]
    if match := _BEHIND.match(name):
        return split_of(match[2]) or "", match[1]
    return split_of(name) or "" if name.lower() in _SPLIT_WORDS.split("|") else "", name


def _field(base: str, array: Array) -> str:
    """The name of the field that an array becomes."""
    if base.lower() in IMAGES and len(array.shape) in (3, 4):
        return "image"
    if base.lower() in CLASSES and _is_class(array):
        return "class"
    name = re.sub(r"\W+", "_", base).strip("_")
    return f"_{name}" if name[:1].isdigit() else name or "array"


def _is_class(array: Array) -> bool:
    return array.dtype.kind in "uib" and (len(array.shape) == 1 or array.shape[1:] == (1,))


def _expect_one_length(own: Mapping[str, Array]) -> None:
    scalar = next((array for array in own.values() if not array.shape), None)
    if scalar is not None:
        raise NetcfgError(f"{scalar} is a single number, and arrays have an axis of samples", code="NC505")
    first = next(iter(own.values()))
    for array in own.values():
        if array.shape[0] != first.shape[0]:
            raise NetcfgError(
                f"{array} has {array.shape[0]:,} samples, and {first} has {first.shape[0]:,}\n"
                "help: the first axis of all arrays counts the same samples",
                code="NC507",
            )


def _spec(
    section: Arrays, name: str, array: Array, by_split: Mapping[str, Mapping[str, Array]]
) -> FieldSpec | None:
    shape = array.shape[1:]
    if name == section.group_by:
        return None
    if name in section.masks or name.removesuffix("s") == "mask":
        if len(shape) != 2 or array.dtype.kind not in "uib":
            raise NetcfgError(
                f"{array} is no mask: N×H×W whole numbers, and it is {_text(array)}", code="NC505"
            )
        size = section.image_size
        names = _mask_names(section, [own[name] for own in by_split.values()])
        return FieldSpec((size, size) if size else shape, "mask", names, ignore=section.ignore)
    if name == "image" or (array.dtype == np.uint8 and len(shape) in (2, 3) and _sides(shape)):
        sides = _sides(shape)
        if sides is None:
            raise NetcfgError(
                f"{array} is no array of pictures: {_text(array)}\nhelp: N×H×W, N×H×W×C or N×C×H×W, C of 1, 3 or 4",
                code="NC505",
            )
        size = section.image_size
        return FieldSpec((3, size, size) if size else (3, *sides), "image")
    if _is_class(array):
        return FieldSpec((), "class", _class_names(section, name, by_split))
    if len(shape) == 3:
        return FieldSpec(shape, "map")
    return FieldSpec(shape or (1,), "vector")


def _text(array: Array) -> str:
    return f"{'×'.join(map(str, array.shape))} of {array.dtype}"


def _sides(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width of pictures of this shape."""
    if len(shape) == 2:
        return shape
    if len(shape) == 3 and shape[2] in (1, 3, 4):
        return shape[0], shape[1]
    return (shape[1], shape[2]) if len(shape) == 3 and shape[0] in (1, 3) else None


def _mask_names(section: Arrays, arrays: Sequence[Array]) -> tuple[str, ...]:
    """What the classes of masks are called. Raises `NetcfgError` for a number that is none."""
    known = section.mask_classes
    most = 0
    for array in arrays:
        numbers = array.read()
        is_class = numbers != section.ignore
        most = max(most, int(numbers.max(initial=0, where=is_class)))
        if numbers.size and (int(numbers.min()) < 0 or most >= (len(known) or MOST_CLASSES)):
            ignored = f"and {section.ignore} is ignored"
            allowed = (
                f"0 to {len(known) - 1}, by `mask_classes`" if known else f"0 to {MOST_CLASSES - 1:,} at most"
            )
            raise _outside(
                array,
                is_class & ((numbers < 0) | (numbers >= (len(known) or MOST_CLASSES))),
                f"{allowed}, {ignored}",
                "more `mask_classes`, or that number as `ignore`",
            )
    return known or tuple(f"class{number}" for number in range(most + 1))


def _class_names(section: Arrays, name: str, by_split: Mapping[str, Mapping[str, Array]]) -> tuple[str, ...]:
    written = section.classes if name == "class" else None
    most = -1
    for own in by_split.values():
        numbers = own[name].read()
        most = max(most, int(numbers.max(initial=-1)))
        limit = len(written) if written else MOST_CLASSES
        if numbers.size and (int(numbers.min()) < 0 or most >= limit):
            allowed = f"0 to {limit - 1}, by `classes`" if written else f"0 to {limit - 1:,} at most"
            help = "classes are counted from 0" if most < limit else "more `classes`, or other numbers"
            raise _outside(own[name], (numbers < 0) | (numbers >= limit), allowed, help)
    return written or tuple(map(str, range(most + 1)))


def _outside(array: Array, wrong: NDArray[np.bool_], allowed: str, help: str) -> NetcfgError:
    """Of numbers that are no classes the first one, and whose it is."""
    sample = int(np.argmax(wrong.reshape(len(wrong), -1).any(1)))
    number = int(array.read()[sample][wrong[sample]].flat[0])
    return NetcfgError(
        f"{array} holds {number} in the sample {sample}, and classes are {allowed}\nhelp: {help}",
        code="NC505",
    )


# --- splits


def _rows(section: Arrays, laid: Laid, split: Split) -> tuple[str, NDArray[np.int64]]:
    arrays = dict(laid.arrays)
    if section.lists():
        return "", _listed(section, laid, split)
    if "" in arrays:
        parts = dealt(*_strata(section, laid, ""), section.dealing(), _group(section, arrays[""]))
        return "", np.flatnonzero(parts == SPLITS.index(split))
    if "test" not in arrays and "validation" in arrays:  # what chooses the epoch cannot judge it
        arrays = {"train": arrays["train"], "test": arrays["validation"]}
        if split == "test":
            return "validation", np.arange(_length(arrays["test"]))
    if split in arrays and (split != "train" or "validation" in arrays):
        return split, np.arange(_length(arrays[split]))
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    parts = dealt(*_strata(section, laid, "train"), dealing, _group(section, arrays["train"]))
    return "train", np.flatnonzero(parts == SPLITS.index(split))


def _listed(section: Arrays, laid: Laid, split: Split) -> NDArray[np.int64]:
    """The rows of a split by lists of their numbers."""
    place = section.place_of_data()
    if "" not in laid.arrays:
        raise NetcfgError(
            f"the arrays of {shown_path(place)} say by their names who is in which split, and there are lists of it\n"
            "help: leave the lists out",
            code="NC505",
        )
    folder = place if place.is_dir() else place.parent
    rows = rows_by_numbers(section.lists(), folder, _length(laid.arrays[""]))
    if split in rows and (split == "test" or "validation" in rows):
        return rows[split]
    training = rows["train"]
    groups = _group(section, laid.arrays[""])
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    own = None if groups is None else groups[training]
    parts = dealt(_strata(section, laid, "")[0][training], dealing, own)
    return np.asarray(training[parts == SPLITS.index(split)])


def _strata(section: Arrays, laid: Laid, key: str) -> tuple[NDArray[np.int64]]:
    own = laid.arrays[key]
    name = next((name for name, spec in laid.specs.items() if spec.kind == "class"), None)
    if name is None:
        return (np.zeros(_length(own), np.int64),)
    return (own[name].read().reshape(-1).astype(np.int64),)


def _group(section: Arrays, own: Mapping[str, Array]) -> NDArray[np.int64] | None:
    if section.group_by is None:
        return None
    if section.group_by not in own:
        raise NetcfgError(
            f"there is no array `{section.group_by}` of groups\nhelp: look at `group_by`", code="NC505"
        )
    return _groups(own[section.group_by])


def _groups(array: Array) -> NDArray[np.int64]:
    _, numbers = np.unique(array.read().reshape(array.shape[0], -1)[:, 0], return_inverse=True)
    return numbers.astype(np.int64)


def _length(own: Mapping[str, Array]) -> int:
    return next(iter(own.values())).shape[0]


# --- samples


@dataclass(frozen=True)
class _ArrayPictures:
    """Pictures that lie in an array; `array` is None where there are none."""

    array: Array | None
    rows: NDArray[np.int64]
    size: int | None

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """A picture as uint8 H×W×3."""
        assert self.array is not None
        picture = as_picture(_values(self.array)[self.rows[index]], self.array)
        return moved(picture, jitter, self.size or (picture.shape[0], picture.shape[1]))

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Refused: there is none."""
        raise NetcfgError("arrays have no flow\nhelp: a source of clips has", code="NC508")

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: nobody says that they follow each other."""
        raise NetcfgError("pictures of arrays are no frames that follow each other", code="NC508")


@lru_cache(maxsize=16)
def _values(array: Array) -> NDArray[Any]:
    return array.read()


def as_picture(values: NDArray[Any], array: Array) -> Picture:
    """H×W, H×W×C or C×H×W numbers as uint8 H×W×3. Raises `NetcfgError` for numbers that are no levels."""
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[2] not in (1, 3, 4):
        values = values.transpose(1, 2, 0)
    if values.dtype == bool:
        values = values.astype(np.uint8) * 255
    elif values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if np.isnan(low):
            raise NetcfgError(f"{array} holds NaN\nhelp: take these samples out", code="NC503")
        if not (low >= 0 and high <= 1):
            raise NetcfgError(
                f"{array} holds numbers from {low:.4g} to {high:.4g}, and pictures are bytes, or numbers from 0 to 1\n"
                "help: bring them to 0..1, or save bytes; what is no picture is called otherwise than `images`",
                code="NC503",
            )
        values = np.round(values * 255).astype(np.uint8)
    elif values.dtype != np.uint8:
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 255:
            raise NetcfgError(
                f"{array} holds levels from {low} to {high}, and pictures are of 0 to 255", "NC503"
            )
        values = values.astype(np.uint8)
    if values.ndim == 2:
        values = values[..., None]
    return np.ascontiguousarray(values.repeat(3, axis=2) if values.shape[2] == 1 else values[..., :3])


def _maker(array: Array, rows: NDArray[np.int64], spec: FieldSpec, size: int | None) -> Further:
    """A function of a sample's number."""

    def made(index: int) -> NDArray[Any]:
        values = _values(array)[rows[index]]
        if spec.kind == "image":
            return cut_out(as_picture(values, array), None, size) if size else as_picture(values, array)
        if spec.kind == "mask":
            # Numbers beyond were refused, when its classes were counted.
            numbers = np.asarray(values).astype(np.uint8 if array.dtype.itemsize == 1 else np.uint16)
            return scaled_mask(numbers, size) if size else numbers
        return _finite(array, np.asarray(values).reshape(array.shape[1:] or (1,)))

    return made


def _finite(array: Array, values: NDArray[Any]) -> NDArray[np.float32]:
    numbers = np.asarray(values, np.float32)
    if not np.isfinite(numbers).all():
        raise NetcfgError(
            f"{array} holds NaN or infinite numbers\nhelp: take these samples out", code="NC505"
        )
    return numbers
