"""The figures of each epoch as TensorBoard events, where TensorBoard is installed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.results import Epoch, Figure

if TYPE_CHECKING:
    from PIL.Image import Image


class Events:
    """Writes events into a folder; does nothing where TensorBoard is missing.

    `first_epoch` is the first one to come: events of it and later ones, left by an earlier run, are hidden. Where they
    cannot be written, `say` is told once, and the run goes on: all figures are in `metrics.jsonl` too.
    """

    def __init__(self, folder: Path, first_epoch: int, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.first_epoch = first_epoch
        self._say = say
        self._writer: Any = None
        self._is_lost = find_spec("tensorboard") is None

    def write(self, record: Epoch) -> None:
        """An epoch's figures."""
        self.scalars(record.epoch, _scalars(record))
        self._try(lambda writer: writer.flush())

    def scalars(self, epoch: int, rows: Iterable[tuple[str, float]]) -> None:
        """Figures of an epoch by tag."""
        for tag, value in rows:
            self._try(partial(_add_scalar, tag=tag, value=value, epoch=epoch))

    def picture(self, epoch: int, tag: str, picture: Image) -> None:
        """A picture of an epoch, in colours."""
        import numpy as np

        self._try(lambda writer: writer.add_image(tag, np.asarray(picture), epoch, dataformats="HWC"))

    def png(self, epoch: int, tag: str, drawn: bytes) -> None:
        """A picture of an epoch, as the content of a PNG file."""
        from io import BytesIO

        from PIL import Image

        self.picture(epoch, tag, Image.open(BytesIO(drawn)).convert("RGB"))

    def close(self) -> None:
        """Write out what is left."""
        if self._writer is not None:
            self._try(lambda writer: writer.close())
            self._writer = None

    def _try(self, act: Callable[[Any], object]) -> None:
        """Do something with the writer, which is opened for it, unless it has failed before."""
        if self._is_lost:
            return
        try:
            if self._writer is None:
                self._writer = self._opened()
            act(self._writer)
        except Exception as error:  # whatever it is: a run does not end over its second copy of figures
            self._is_lost, self._writer = True, None
            reason = (
                (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
            )
            self._say(
                f"note: TensorBoard's events cannot be written ({reason}); the run goes on without them"
            )

    def _opened(self) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        threading.excepthook = _tell_of_thread
        return SummaryWriter(str(self.folder), purge_step=self.first_epoch)


def _add_scalar(writer: Any, tag: str, value: float, epoch: int) -> None:
    writer.add_scalar(tag, value, epoch)


def _tell_of_thread(failed: threading.ExceptHookArgs) -> None:
    """TensorBoard writes in a thread, whose failure it hands on: the thread's own traceback says nothing more."""
    if not type(failed.thread).__module__.startswith("tensorboard"):
        threading.__excepthook__(failed)


def _scalars(record: Epoch) -> Iterator[tuple[str, float]]:
    """Tag and value of each figure that is known."""
    tables = record.validation.tables
    groups: dict[str, Mapping[str, Figure]] = {
        "train": record.train,
        "validation": record.validation.losses,
        **{name: table.figures for name, table in tables.items()},
        "learning_rate": record.learning_rate,
        "schedule": record.numbers,
        "rates": record.rates._asdict(),
    }
    for group, figures in groups.items():
        yield from ((f"{group}/{name}", value) for name, value in figures.items() if value is not None)
