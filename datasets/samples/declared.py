"""Samples and batches compared with what sources and transforms declare, and errors in their code told as findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from netcfg.blocks.base import Section
from netcfg.blocks.fields import FieldKind, FieldSpec
from netcfg.faults import told_of, untrue
from netcfg.shapes import Shape, show
from netcfg.source import NetcfgError, ProgramError

_PICTURES = ("image", "flow")
_TYPES: Mapping[FieldKind, str] = {"image": "uf", "flow": "uf", "mask": "iu", "class": "iu"}
"""The kinds of numbers that a kind of field may hold, as numpy abbreviates them; any for the others."""
_NUMBERS = "iufb"
_WORDS = {"u": "bytes or floats", "i": "whole numbers"}


class SampleError(NetcfgError):
    """A sample that a transform cannot take (NC502); whoever knows the sample's name puts it before."""

    def __init__(self, what: str, help: str | None = None) -> None:
        super().__init__(what if help is None else f"{what}\nhelp: {help}", code="NC502")
        self.what = what

    def of(self, called: str) -> NetcfgError:
        """The same of a sample whose name is known."""
        return NetcfgError(f"the sample {called}: {self}", code=self.code)


class DeclaredSamples:
    """Looks at samples as they come: `(sample, random) -> sample`, unchanged.

    Raises `ProgramError` (NC702) where `section` declares `fields` otherwise. A sample may lack fields that nobody
    asked for; `needed` are those that somebody did.
    """

    def __init__(self, section: Section, fields: Mapping[str, FieldSpec], needed: tuple[str, ...]) -> None:
        self.section = section
        self.needed = needed
        self.wanted = {
            name: (_array_shape(spec), _TYPES.get(spec.kind, _NUMBERS)) for name, spec in fields.items()
        }
        self.fields = dict(fields)

    def take(self, samples: Any, index: int) -> Any:
        """One of the samples of a source."""
        with told_of(self.section, "__getitem__"):
            sample = samples[index]
        return self(sample)

    def __call__(self, sample: Any, random: np.random.Generator | None = None) -> Any:
        """The sample."""
        if not isinstance(sample, Mapping):
            raise self._untrue(f"gives {type(sample).__name__} as a sample, which has no fields by name")
        for name in self.needed:
            if name not in sample:
                held = ", ".join(f"`{key}`" for key in sample) or "nothing"
                raise self._untrue(f"declares the field `{name}`, and a sample holds {held}")
        for name, value in sample.items():
            if name in self.wanted:
                self._look_at(name, value if isinstance(value, np.ndarray) else np.asarray(value))
        return sample

    def _look_at(self, name: str, array: NDArray[Any]) -> None:
        shape, types = self.wanted[name]
        if not _fits(array.shape, shape):
            spec = self.fields[name]
            layout = " (a sample's pictures have their channels last)" if spec.kind in _PICTURES else ""
            declared = f"declares `{name}` as {spec}, an array of {_plain(shape)}{layout}"
            raise self._untrue(f"{declared}, and gives {_plain(array.shape)}")
        if array.dtype.kind not in types:
            wanted = _WORDS.get(types[0], "numbers")
            raise self._untrue(
                f"declares `{name}` as {self.fields[name].kind}, which is {wanted}, and gives {array.dtype}"
            )

    def _untrue(self, message: str) -> ProgramError:
        help = "let `fields` say what samples hold, or mend what gives them"
        return ProgramError([untrue(type(self.section), message, self.section.written_at, help)])


class DeclaredTransform:
    """A transform's callable, on samples or on batches, with what it gives compared with what it declares.

    `draws`: the callable is given a generator of random numbers, too.
    """

    def __init__(
        self,
        section: Section,
        call: Callable[..., Any],
        fields: Mapping[str, FieldSpec],
        *,
        of_samples: bool,
        draws: bool,
    ) -> None:
        self.section = section
        self.call = call
        self.fields = dict(fields)
        self.samples = DeclaredSamples(section, fields, ())
        self.of_samples = of_samples
        self.draws = draws

    def __call__(self, given: Mapping[str, Any], random: np.random.Generator) -> Any:
        """What it makes of them."""
        with told_of(self.section, "__call__"):
            made = self.call(given, random) if self.draws else self.call(given)
        if not isinstance(made, Mapping):
            what = f"gives {type(made).__name__}, where a transform gives fields by name"
            raise ProgramError(
                [untrue(type(self.section), what, self.section.written_at, "give the dictionary back")]
            )
        if self.of_samples:
            return self.samples(made)
        for name, tensor in made.items():
            self._look_at(name, tensor)
        return made

    def _look_at(self, name: str, tensor: Tensor) -> None:
        spec = self.fields.get(name)
        if spec is not None and not _fits(tuple(tensor.shape[1:]), spec.shape):
            given = _plain(tuple(tensor.shape[1:]))
            message = f"declares `{name}` as {spec}, and gives {given} for each sample"
            help = "let `fields` say what it gives, or mend what it does"
            raise ProgramError([untrue(type(self.section), message, self.section.written_at, help)])


def _array_shape(spec: FieldSpec) -> Shape:
    """A field's shape in a sample: pictures have their channels last."""
    if spec.kind not in _PICTURES:
        return spec.shape
    *before, channels, height, width = spec.shape
    return (*before, height, width, channels)


def _fits(given: tuple[int, ...], declared: Shape) -> bool:
    """Whether sizes agree, as far as they are known."""
    return given == declared or (
        len(given) == len(declared)
        and all(
            not isinstance(size, int) or size == found for size, found in zip(declared, given, strict=True)
        )
    )


def _plain(shape: Shape) -> str:
    return show(shape) or "one number"
