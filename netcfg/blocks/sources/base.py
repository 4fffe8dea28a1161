"""What a source of data is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import FieldSpec, Split


class Source(Section):
    """Where samples come from: the first block of `{Data}`."""

    group: ClassVar[Group] = "data"
    family: ClassVar[str] = "source"
    has_clips: ClassVar[bool] = False
    """Whether samples are frames of clips: then what `open` returns has the methods of
    `netcfg.datasets.samples.frame_pairs.ClipSamples`."""

    def fields(self) -> dict[str, FieldSpec]:
        """The fields it can give, with their shapes, before any transform."""
        raise NotImplementedError

    def asked_fields(self) -> dict[str, tuple[str, ...]]:
        """The fields that its options name, by option: each must be of use to somebody."""
        return {}

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """A map-style data set of one split: `len`, and `[index]` giving a dict of arrays by field.

        Images are uint8 H×W×C arrays until the pipeline hands them to a network. Raises `NetcfgError` with a
        sentence and a remedy where the data cannot be made or found.
        """
        raise NotImplementedError
