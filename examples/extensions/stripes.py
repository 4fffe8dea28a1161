"""A source of data of one's own: drawn stripes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from netcfg.blocks import FieldSpec, Sample, Samples, SampleTable, Source, Split

if TYPE_CHECKING:
    from numpy.random import Generator

SHARES: dict[Split, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}


class Stripes(Source, name="stripes"):
    """Pictures of stripes, level or upright, under noise. Nothing to download; a sample depends on its number alone.

    Fields: `image` 3×S×S, `labels` one number: 1 where the stripes are upright.
    Example::

        [stripes]
        samples = 40
        image_size = 16
    """

    samples: Annotated[int, Field(ge=5)] = Field(100, description="how many pictures, of all splits together")
    image_size: Annotated[int, Field(ge=8, le=512)] = Field(16, description="height and width, in pixels")

    def fields(self) -> dict[str, FieldSpec]:
        """A picture as networks see it, channels first, and one label by name."""
        size = self.image_size
        return {
            "image": FieldSpec((3, size, size), "image"),
            "labels": FieldSpec((1,), "vector", ("upright",)),
        }

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The pictures of one split: the first six tenths train, the next two validate, the last two test."""
        counts = {name: round(share * self.samples) for name, share in SHARES.items()}
        first = sum(counts[name] for name in list(counts)[: list(counts).index(split)])
        return Drawn(range(first, first + counts[split]), self.image_size, tuple(fields))


class Drawn:
    """The samples of a split: `len`, one by its place, and a table of what is known of all without drawing any."""

    def __init__(self, numbers: range, size: int, fields: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.size = size
        self.fields = fields

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Sample:
        """A dictionary of arrays: pictures are bytes with channels last, vectors float32."""
        import numpy as np

        random, upright = self._begun(index)
        wave = np.where((np.arange(self.size) + random.integers(0, 8)) // 2 % 2, 160, 60)
        picture = np.broadcast_to(wave if upright else wave[:, None], (self.size, self.size))
        noisy = picture[..., None] + random.integers(-40, 40, (self.size, self.size, 3))
        everything: Sample = {
            "image": noisy.astype(np.uint8),
            "labels": np.array([upright], dtype=np.float32),
        }
        return {name: everything[name] for name in self.fields}

    @property
    def table(self) -> SampleTable:
        """Names and labels, for samplers."""
        import numpy as np

        labels = np.array([[self._begun(index)[1]] for index in range(len(self))], dtype=np.float32)
        return SampleTable(
            ids=[f"stripes {number}" for number in self.numbers],
            labels={"labels": labels},
            names={"labels": ("upright",)},
        )

    def only(self, fields: Sequence[str]) -> Samples:
        """The same samples with other fields."""
        return Drawn(self.numbers, self.size, tuple(fields))

    def _begun(self, index: int) -> tuple[Generator, int]:
        """The chance of a sample, which depends on its number alone, and its label, drawn first."""
        import numpy as np

        random = np.random.default_rng(self.numbers[index])
        return random, int(random.integers(0, 2))
