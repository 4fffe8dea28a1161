"""The figures of each epoch as TensorBoard events, where TensorBoard is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.results import Epoch, Figure

if TYPE_CHECKING:
    from PIL.Image import Image


class Events:
    """Writes events into a folder; does nothing where TensorBoard is missing.

    `first_epoch` is the first one to come: events of it and later ones, left by an earlier run, are hidden.
    """

    def __init__(self, folder: Path, first_epoch: int) -> None:
        self.folder = folder
        self.first_epoch = first_epoch
        self._writer: Any = None

    def write(self, record: Epoch) -> None:
        """An epoch's figures."""
        self.scalars(record.epoch, _scalars(record))
        if self._writer is not None:
            self._writer.flush()

    def scalars(self, epoch: int, rows: Iterable[tuple[str, float]]) -> None:
        """Figures of an epoch by tag."""
        if self._is_open():
            for tag, value in rows:
                self._writer.add_scalar(tag, value, epoch)

    def picture(self, epoch: int, tag: str, picture: Image) -> None:
        """A picture of an epoch, in colours."""
        import numpy as np

        if self._is_open():
            self._writer.add_image(tag, np.asarray(picture), epoch, dataformats="HWC")

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._writer.close()

    def _is_open(self) -> bool:
        """Open it, where TensorBoard is installed."""
        if self._writer is None and find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=self.first_epoch)
        return self._writer is not None


def _scalars(record: Epoch) -> Iterator[tuple[str, float]]:
    """Tag and value of each figure that is known."""
    tables = record.validation.tables
    groups: dict[str, Mapping[str, Figure]] = {
        "train": record.train,
        "validation": record.validation.losses,
        **{name: table.figures for name, table in tables.items()},
        "learning_rate": record.learning_rate,
        "rates": asdict(record.rates),
    }
    for group, figures in groups.items():
        yield from ((f"{group}/{name}", value) for name, value in figures.items() if value is not None)
