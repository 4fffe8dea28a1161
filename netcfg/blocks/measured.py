"""Modules that others have written, as blocks: what they are is found once, by running them, and kept.

The cache is a file a module and version below netcfg's own folder (`netcfg.files.user_cache`), so that a check that has
been made before needs no torch. Sizes that are unknown are found by several known ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import ShapeError
from netcfg.files import user_cache, write_beside
from netcfg.shapes import UNKNOWN, Shape, Size, Symbolic, at
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from torch import nn

_FORMAT = 1
_BASE = (192, 256)
"""Two sizes for a size that is unknown."""
_OTHERS = (193, 200, 223, 250)
"""Further ones, which tell one way of rounding from another."""
_MOST_STRIDE = 64

_Run = tuple[dict[str, int], dict[str, Any]]
"""The sizes that were put in the place of unknown ones, and what was found."""


@dataclass(frozen=True)
class Figures:
    """What a module is for what it is fed.

    Costs are for one sample; `UNKNOWN[0]` where sizes are unknown and no rule was found.
    """

    outputs: dict[str, Shape]
    parameters: int
    frozen: int
    macs: Size
    kept: Size
    scratch: Size


@dataclass(eq=False)
class Record:
    """What was found of one module, in a file of the cache. `key` is all that it hangs on."""

    key: str
    found: dict[str, Any] = field(default_factory=dict)
    _read: bool = False

    def get(self, name: str, make: Callable[[], Any], keeps: Callable[[Any], bool] = bool) -> Any:
        """What was found before under a name; else it is found now, and kept where it is worth that."""
        if not self._read:
            self._read = True
            self.found = self._stored()
        if name not in self.found:
            made = make()
            if not keeps(made):
                return made
            self.found[name] = made
            self._store()
        return self.found[name]

    @property
    def _path(self) -> Path:
        return user_cache() / "modules" / f"{hashlib.sha256(self.key.encode()).hexdigest()[:32]}.json"

    def _stored(self) -> dict[str, Any]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(stored["found"]) if isinstance(stored, dict) and stored.get("key") == self.key else {}

    def _store(self) -> None:
        text = json.dumps({"key": self.key, "found": self.found})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_beside(self._path, text.encode())
        except (OSError, NetcfgError):  # a cache that cannot be written is none
            return


@cache
def record(key: str) -> Record:
    """The record of a key, which says everything that counts."""
    return Record(key)


def key_of(package: str, *what: object) -> str:
    """A key of a module of a package: what it is made of, and the versions of torch and of the package."""
    return json.dumps([_FORMAT, *map(str, what), version_of("torch"), version_of(package)])


@cache
def version_of(package: str) -> str:
    """The version of an installed package; of plain files, when they were written. Nothing is imported."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        pass
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return "none"
    homes = [] if spec is None else [*(spec.submodule_search_locations or ()), spec.origin or ""]
    places = [Path(home) for home in homes if home]
    files = {path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))}
    stamps = sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    return hashlib.sha256(repr(stamps).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Measurer:
    """Asks a module for its figures. `called` is what it is called in messages."""

    record: Record
    build: Callable[[], nn.Module]
    called: str

    def figures(self, inputs: Sequence[Shape]) -> Figures:
        """For inputs of these shapes. Raises `ShapeError` where it does not take them."""
        names = sorted({name for shape in inputs for size in shape for name in names_in(size)})
        if not names:
            return _figures(self._run(inputs, {}))
        if len(names) > 2:
            raise self._unknown(names)
        return self._fitted(inputs, names)

    def _run(self, inputs: Sequence[Shape], sizes: dict[str, int], costs: bool = True) -> dict[str, Any]:
        shapes = [[at(size, sizes) for size in shape] for shape in inputs]
        name = json.dumps([shapes, costs])
        found = self.record.get(name, lambda: _measured(self.build, shapes, costs))
        assert isinstance(found, dict)
        if "error" in found:
            shown = " and ".join("×".join(map(str, shape)) or "one number" for shape in shapes)
            raise ShapeError(
                f"fails on {shown}: {found['error']}", help=f"other inputs or arguments of {self.called}"
            )
        return found

    def _unknown(self, names: Sequence[str]) -> ShapeError:
        listed = " and ".join(f"`{name}`" for name in names)
        message = f"needs to know {listed}: no rule was found that says what it gives for every size"
        return ShapeError(message, code="NC303", help="give the network's input a height and a width")

    def _fitted(self, inputs: Sequence[Shape], names: list[str]) -> Figures:
        """As rules over the unknown sizes, which hold for all sizes that were tried."""
        grid = [dict(zip(names, sizes, strict=True)) for sizes in product(_BASE, repeat=len(names))]
        runs = [(sizes, self._run(inputs, sizes)) for sizes in grid]
        tried = runs + list(self._tried(inputs, names))
        first = runs[0][1]
        outputs: dict[str, Shape] = {}
        for port, shape in first["outputs"].items():
            rows = [(sizes, run["outputs"].get(port, ())) for sizes, run in tried]
            if any(len(row) != len(shape) for _, row in rows):
                raise self._unknown(names)
            outputs[port] = tuple(
                self._rule([(sizes, row[axis]) for sizes, row in rows], names) for axis in range(len(shape))
            )
        counts = (self._count(name, runs, inputs, names) for name in ("macs", "kept", "scratch"))
        return Figures(outputs, first["parameters"], first["frozen"], *counts)

    def _count(self, name: str, runs: list[_Run], inputs: Sequence[Shape], names: list[str]) -> Size:
        """A cost as a rule that also holds for other sizes; unknown where none was found."""
        made = _multilinear([(sizes, run[name]) for sizes, run in runs], names)
        sizes = dict(zip(names, _OTHERS[:: len(_OTHERS) - 1], strict=False))
        try:
            holds = at(made, sizes) == self._run(inputs, sizes)[name]
        except ShapeError:
            holds = False
        return made if holds else UNKNOWN[0]

    def _tried(self, inputs: Sequence[Shape], names: list[str]) -> Iterator[_Run]:
        for name, size in product(names, _OTHERS):
            sizes = dict.fromkeys(names, _BASE[0]) | {name: size}
            try:
                yield sizes, self._run(inputs, sizes, costs=False)
            except ShapeError:  # it takes even sizes alone, or the like
                continue

    def _rule(self, rows: list[tuple[dict[str, int], int]], names: list[str]) -> Size:
        """A size as a rule: a constant, or a rounded part or multiple of one unknown size, or a product of two."""
        if len({value for _, value in rows}) == 1:
            return rows[0][1]
        for name in names:
            if (line := _line(rows, name)) is not None:
                return line
        made = _multilinear(rows[: len(_BASE) ** len(names)], names)
        if all(at(made, sizes) == value for sizes, value in rows):
            return made
        raise self._unknown(names)


def _measured(build: Callable[[], nn.Module], shapes: list[list[int]], costs: bool) -> dict[str, Any]:
    from netcfg.builder.measuring import Unfit, measure

    try:
        return measure(build, shapes, costs)
    except Unfit as error:
        return {"error": str(error)}
    except Exception as error:  # what another's constructor raises
        return {"error": str(error).strip().partition("\n")[0] or type(error).__name__}


def _figures(found: dict[str, Any]) -> Figures:
    outputs = {port: tuple(shape) for port, shape in found["outputs"].items()}
    return Figures(
        outputs, found["parameters"], found["frozen"], found["macs"], found["kept"], found["scratch"]
    )


def names_in(size: Size) -> Iterator[str]:
    """The unknown sizes that one is made of."""
    if isinstance(size, Symbolic):
        for monomial, _ in size.terms:
            for atom in monomial:
                if isinstance(atom, str):
                    yield atom
                else:
                    yield from names_in(atom.numerator)


def _line(rows: list[tuple[dict[str, int], int]], name: str) -> Size | None:
    """The rule over one size that holds for all rows: `size * k + c`, or `(size + c) // k`."""
    pairs = sorted({(sizes[name], value) for sizes, value in rows})
    here, value = pairs[0]
    size = Symbolic.named(name)
    for factor in range(1, _MOST_STRIDE + 1):
        if all(there * factor + value - here * factor == found for there, found in pairs):
            return size * factor + (value - here * factor)
    for stride in range(2, _MOST_STRIDE + 1):
        for shift in range(value * stride - here, value * stride - here + stride):
            if all((there + shift) // stride == found for there, found in pairs):
                return (size + shift) // stride
    return None


def _multilinear(rows: list[tuple[dict[str, int], int]], names: list[str]) -> Size:
    """The count that grows with each size by itself and with their product, through what was found at both of each."""
    low, high = _BASE
    total: Size = 0
    for sizes, value in rows:
        term: Size = value
        for name in names:
            size = Symbolic.named(name)
            term = term * (size - low if sizes[name] == high else high - size)
        total = total + term
    parts: int = (high - low) ** len(names)
    return total // parts


__all__ = ["Figures", "Measurer", "Record", "key_of", "names_in", "record", "version_of"]
