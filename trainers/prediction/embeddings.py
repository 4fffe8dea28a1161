"""Embeddings of many pictures: as arrays, and as a picture of where they lie to each other.

Legend: N pictures, D numbers of an embedding.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from netcfg.files import write_beside
from netcfg.trainers.prediction.answers import Values
from netcfg.trainers.prediction.prediction import Prediction
from netcfg.trainers.reporting.projection import draw_projection
from netcfg.trainers.reporting.saved import arrays_file

_FEWEST = 3
"""Fewer points than these lie in a plane anyhow."""


class Embeddings:
    """What one signal gave for each frame: kept, 4 bytes a number, until all are there to be projected."""

    def __init__(self, signal: str) -> None:
        self.signal = signal
        self._rows: list[Values] = []
        self._files: list[str] = []
        self._frames: list[int] = []

    def add(self, prediction: Prediction, values: Values) -> None:
        """The next frame."""
        self._rows.append(values.astype(np.float32))
        self._files.append(prediction.file)
        self._frames.append(prediction.frame.number)

    def write(self, folder: Path) -> None:
        """`Embedder.npz` (`id`, `frame`, `embedding` N×D), and `Embedder_projection.png`, coloured by folder."""
        embedding = np.stack(self._rows)
        columns = {"id": np.array(self._files), "frame": np.array(self._frames), "embedding": embedding}
        write_beside(folder / f"{self.signal}.npz", arrays_file(columns))
        if len(embedding) >= _FEWEST and np.isfinite(embedding).all():
            of = [str(PurePosixPath(file).parent) for file in self._files]
            names = sorted(set(of))
            numbers = np.array([names.index(name) for name in of])
            picture = draw_projection(embedding, numbers, names if len(names) > 1 else (), self.signal)
            write_beside(folder / f"{self.signal}_projection.png", picture)
