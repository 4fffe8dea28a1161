"""What `{Generation}` makes while a program trains: the same samples after every few epochs, in the run folder."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import torch
from torch import nn

from netcfg.files import write_beside
from netcfg.program import Program
from netcfg.trainers.prediction.generation import Generator
from netcfg.trainers.reporting.pictures import draw_grid, pixels_of, png

FOLDER = "samples"
ROW = 8


class Samples:
    """Writes `samples/epoch_0005.png`, a row of samples, and `samples/over_time.png`, all rows one below the other."""

    def __init__(self, program: Program, networks: nn.ModuleDict, folder: Path, device: torch.device) -> None:
        section = program.pictures
        self.every = section.samples_every if section is not None else None
        self._folder = folder / FOLDER
        self._generator = (
            Generator(program, networks, device, program.training.seed)
            if self.every is not None and program.generation is not None
            else None
        )

    def end_epoch(self, epoch: int, is_last: bool) -> None:
        """After an epoch, counted from 1, with the weights that are to be shown in place."""
        if self._generator is None or self.every is None or (epoch % self.every and not is_last):
            return
        self._folder.mkdir(exist_ok=True)
        for name, pictures in self._generator.samples(range(ROW)).items():
            after = f"_{name}" if len(self._generator.names) > 1 else ""
            row = draw_grid(pixels_of(name, pictures), ROW)
            write_beside(self._folder / f"epoch_{epoch:04}{after}.png", row)
            write_beside(self._folder / f"over_time{after}.png", _stacked(self._rows(after)))

    def _rows(self, after: str) -> list[Path]:
        """Of all epochs, also those before a resume."""
        return sorted(path for path in self._folder.glob(f"epoch_????{after}.png"))


def _stacked(files: list[Path]) -> bytes:
    from PIL import Image

    rows = [Image.open(BytesIO(path.read_bytes())) for path in files]
    whole = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)))
    top = 0
    for row in rows:
        whole.paste(row, (0, top))
        top += row.height
    return png(whole)


__all__ = ["Samples"]
