"""`torchvision`: its data sets as samples, without downloads and without foreign code out of pickles."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.blocks.fields import Split
from netcfg.blocks.samples import FramePair, SampleTable
from netcfg.blocks.sources.torchvision import Torchvision
from netcfg.datasets.pictures.face_boxes import Picture
from netcfg.datasets.pictures.masks import scaled_mask
from netcfg.datasets.samples.dealing import SPLITS, Dealing, dealt
from netcfg.datasets.samples.table_samples import Further, TableSamples, moved, squared
from netcfg.source import NetcfgError, did_you_mean

_OF_SPLITS = ("split", "image_set")
_CALLED: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("val", "valid", "validation"),
    "test": ("test",),
}
_LABELS = ("targets", "labels", "_labels")
_PAIRS = ("_samples", "samples", "imgs")
"""Where data sets of torchvision keep their numbers of classes: lists of them, or of paths with them."""
_HARMLESS = ("numpy", "numpy.core.multiarray", "numpy._core.multiarray", "_codecs", "collections", "builtins")
_BUILTINS = frozenset(
    ("set", "frozenset", "bytearray", "complex", "range", "slice", "list", "dict", "tuple", "int")
)


@dataclass(frozen=True)
class Described:
    """What belongs to the pictures of a data set, and what classes or labels are called."""

    target: str
    names: tuple[str, ...]


class _Guard:
    """Refuses to restore foreign objects out of pickles while it is on; Python tells of each it is about to find."""

    is_on = False
    is_hooked = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What Python calls."""
        if self.is_on and event == "pickle.find_class":
            module, name = arguments
            if module not in _HARMLESS or (module == "builtins" and name not in _BUILTINS):
                raise NetcfgError(
                    f"a file of this data set wants `{module}.{name}` executed, and nothing is\n"
                    "help: fetch it anew from where torchvision has it",
                    code="NC505",
                )


_GUARD = _Guard()


@contextmanager
def _guarded() -> Iterator[None]:
    if not _GUARD.is_hooked:
        sys.addaudithook(_GUARD.hook)
        _GUARD.is_hooked = True
    _GUARD.is_on = True
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        _GUARD.is_on = False


def described(dataset: str, root: str) -> Described:
    """What a data set holds. Raises `NetcfgError` where it is not there, or holds what nothing here reads."""
    parts = _parts(dataset, root)
    return _described(next(iter(parts.values())), dataset)


def open_torchvision(section: Torchvision, split: Split, fields: Sequence[str]) -> TableSamples:
    """The samples of a split."""
    parts = _parts(section.dataset, str(section.folder()))
    found = _described(next(iter(parts.values())), section.dataset)
    names = section.classes or found.names
    own, rows = _rows(section, parts, split, found)
    if not len(rows):
        raise NetcfgError(
            f"{section.dataset} is left without a sample for the {split} split\nhelp: a larger share",
            code="NC506",
        )
    labels: dict[str, NDArray[Any]] = {}
    further: dict[str, Further] = {}
    if found.target == "class":
        labels["class"] = _classes(own)[rows]
        if int(labels["class"].max()) >= len(names):
            raise NetcfgError(
                f"{section.dataset} holds the class {int(labels['class'].max())}, and `classes` names {len(names)}",
                code="NC505",
            )
    elif found.target == "labels":
        labels["labels"] = np.stack([np.asarray(own[row][1], np.float32) for row in rows.tolist()])
    else:
        further["mask"] = _mask(section, own, rows)
    table = SampleTable(tuple(map(str, rows.tolist())), labels=labels, names={name: names for name in labels})
    pictures = _SetPictures(own, rows, section)
    return TableSamples(
        table,
        pictures,
        fields,
        opened=frozenset({"image"}),
        further=further,
        reopen=lambda wanted: open_torchvision(section, split, wanted),
    )


def _rows(
    section: Torchvision, parts: dict[Split | str, Any], split: Split, found: Described
) -> tuple[Any, NDArray[np.int64]]:
    """The part of the data set that holds a split, and which of its samples are of it."""
    if "" in parts:
        numbers = dealt(_strata(parts[""], found), section.dealing())
        return parts[""], np.flatnonzero(numbers == SPLITS.index(split))
    if "test" not in parts:  # what chooses the epoch cannot judge it
        parts = {"train": parts["train"], "test": parts["validation"]}
    if split in parts and (split != "train" or "validation" in parts):
        return parts[split], np.arange(len(parts[split]))
    dealing = Dealing(section.validation_share, 0.0, seed=section.seed)
    numbers = dealt(_strata(parts["train"], found), dealing)
    return parts["train"], np.flatnonzero(numbers == SPLITS.index(split))


def _strata(own: Any, found: Described) -> NDArray[np.int64]:
    return _classes(own) if found.target == "class" else np.zeros(len(own), np.int64)


@lru_cache(maxsize=4)
def _parts(dataset: str, root: str) -> dict[Split | str, Any]:
    """The data set by split, "" where it has none."""
    kind = _kind(dataset)
    options = inspect.signature(kind.__init__).parameters
    without = {"download": False} if "download" in options else {}
    if "train" in options:
        return {
            "train": _made(kind, root, train=True, **without),
            "test": _made(kind, root, train=False, **without),
        }
    option = next((name for name in _OF_SPLITS if name in options), None)
    if option is None:
        return {"": _made(kind, root, **without)}
    found: dict[Split | str, Any] = {}
    refused: NetcfgError | None = None
    for split, names in _CALLED.items():
        for name in names:
            try:
                found[split] = _made(kind, root, **{option: name}, **without)
                break
            except _NoSuchSplit:
                continue
            except NetcfgError as refusal:
                refused = refusal
    if "train" not in found:
        raise refused or NetcfgError(
            f"{dataset} has no split to train on\nhelp: another data set", code="NC506"
        )
    return found if len(found) > 1 else {"": found["train"]}


class _NoSuchSplit(Exception):
    pass


def _kind(dataset: str) -> Any:
    import torchvision.datasets

    known = [name for name in torchvision.datasets.__all__ if name[0].isupper()]
    if dataset not in known:
        raise NetcfgError(
            f"torchvision has no data set `{dataset}`\nhelp: {did_you_mean(dataset, known) or ', '.join(known)}",
            code="NC506",
        )
    return vars(torchvision.datasets)[dataset]


def _made(kind: Any, root: str, **options: Any) -> Any:
    """A data set, opened. Raises `NetcfgError` where it is not there."""
    try:
        with _guarded():
            return kind(root, **options)
    except NetcfgError:
        raise
    except ValueError as error:
        if "Unknown value" in str(error):
            raise _NoSuchSplit from None
        raise _absent(kind, root, error) from None
    except Exception as error:  # each of them refuses in a way of its own
        raise _absent(kind, root, error) from None


def _absent(kind: Any, root: str, error: Exception) -> NetcfgError:
    why = str(error).partition("\n")[0].partition(" You can use download")[0] or type(error).__name__
    name = kind.__name__
    return NetcfgError(
        f"torchvision's {name} does not lie in {root}: {why}\n"
        f"help: nothing is downloaded here; `torchvision.datasets.{name}({root!r}, download=True)` fetches it",
        code="NC506",
    )


def _described(own: Any, dataset: str) -> Described:
    from PIL import Image

    with _guarded():
        sample = own[0]
    target = sample[1] if isinstance(sample, tuple) and len(sample) == 2 else None
    if isinstance(target, Image.Image):
        count = len(own.classes) if "classes" in vars(own) else 0
        return Described("mask", tuple(own.classes) if count else ())
    array = None if isinstance(target, (dict, str, tuple, list)) or target is None else np.asarray(target)
    if array is not None and array.size == 1 and array.dtype.kind in "iub":
        return Described("class", _names(own))
    if array is not None and array.ndim == 1 and array.dtype.kind in "iubf":
        names = [str(name) for name in vars(own).get("attr_names", ()) if name]
        called = (
            names if len(names) == len(array) else [f"label{number}" for number in range(1, len(array) + 1)]
        )
        return Described("labels", tuple(called))
    raise NetcfgError(
        f"what belongs to a picture of {dataset} is {type(target).__name__}, which nothing here reads\n"
        "help: a data set of classes, masks or labels",
        code="NC505",
    )


def _names(own: Any) -> tuple[str, ...]:
    """The classes as the data set calls them, else their numbers."""
    count = int(_classes(own).max(initial=-1)) + 1
    try:
        given = [str(name) for name in own.classes]
    except AttributeError:
        given = []
    names = given if len(given) >= count and len(set(given)) == len(given) else list(map(str, range(count)))
    return tuple(names)


def _classes(own: Any) -> NDArray[np.int64]:
    """The number of each sample's class, without opening pictures where the data set keeps it."""
    kept = vars(own)
    for key in _LABELS:
        if key in kept and len(kept[key]) == len(own):
            return np.asarray(kept[key]).astype(np.int64).reshape(-1)
    for key in _PAIRS:
        if key in kept and len(kept[key]) == len(own) and isinstance(kept[key][0], tuple):
            return np.array([int(pair[1]) for pair in kept[key]], np.int64)
    with _guarded():
        return np.array([int(own[row][1]) for row in range(len(own))], np.int64)


# --- samples


@dataclass(frozen=True)
class _SetPictures:
    """The pictures of a part of a data set."""

    own: Any
    rows: NDArray[np.int64]
    section: Torchvision

    def image(self, index: int, jitter: int | None = None) -> Picture:
        """A picture as uint8 H×W×3."""
        with _guarded():
            given = self.own[int(self.rows[index])][0]
        picture = _array(given)
        if self.section.image_size is not None:
            picture = squared(picture, self.section.fit)
        return moved(picture, jitter, self.section.image_size or (picture.shape[0], picture.shape[1]))

    def flow(self, index: int, jitter: int | None = None) -> Picture:
        """Refused: there is none."""
        raise NetcfgError("these pictures have no flow\nhelp: a source of clips has", code="NC508")

    def pair(self, index: int, jitter: int | None = None) -> FramePair:
        """Refused: nobody says that they follow each other."""
        raise NetcfgError("these pictures are no frames that follow each other", code="NC508")


def _array(given: Any) -> Picture:
    from PIL import Image

    if isinstance(given, Image.Image):
        return np.asarray(given.convert("RGB"))
    array = np.asarray(given)
    if array.ndim == 3 and array.shape[0] in (1, 3):
        array = array.transpose(1, 2, 0)
    array = array[..., None] if array.ndim == 2 else array
    if array.dtype.kind == "f":
        array = np.round(array * 255)
    array = array.astype(np.uint8)
    return np.ascontiguousarray(array.repeat(3, axis=2) if array.shape[2] == 1 else array[..., :3])


def _mask(section: Torchvision, own: Any, rows: NDArray[np.int64]) -> Further:
    def mask(index: int) -> NDArray[Any]:
        with _guarded():
            given = own[int(rows[index])][1]
        numbers = np.asarray(given)
        numbers = numbers.astype(np.uint8 if not numbers.size or int(numbers.max()) < 256 else np.uint16)
        if section.image_size is None:
            return numbers
        return scaled_mask(squared(numbers, section.fit, section.ignore), section.image_size)

    return mask
