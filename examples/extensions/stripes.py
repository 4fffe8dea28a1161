"""A source of data of one's own: drawn stripes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from netcfg.blocks import FieldSpec, Source, Split

if TYPE_CHECKING:
    import numpy as np

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

    def open(self, split: Split, fields: Sequence[str]) -> Any:
        """The pictures of one split: the first six tenths train, the next two validate, the last two test."""
        counts = {name: round(share * self.samples) for name, share in SHARES.items()}
        first = sum(counts[name] for name in list(counts)[: list(counts).index(split)])
        return Drawn(range(first, first + counts[split]), self.image_size, tuple(fields))


class Drawn:
    """The samples of a split: `len`, and by number a dictionary of arrays, pictures as bytes with channels last."""

    def __init__(self, numbers: range, size: int, fields: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.size = size
        self.fields = fields

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, np.ndarray[Any, Any]]:
        import numpy as np

        random = np.random.default_rng(self.numbers[index])
        upright = random.integers(0, 2)
        wave = np.where((np.arange(self.size) + random.integers(0, 8)) // 2 % 2, 160, 60)
        picture = np.broadcast_to(wave if upright else wave[:, None], (self.size, self.size))
        noisy = picture[..., None] + random.integers(-40, 40, (self.size, self.size, 3))
        everything: dict[str, np.ndarray[Any, Any]] = {
            "image": noisy.astype(np.uint8),
            "labels": np.array([upright], dtype=np.float32),
        }
        return {name: everything[name] for name in self.fields}
