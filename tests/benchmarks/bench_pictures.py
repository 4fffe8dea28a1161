"""Pictures out of a folder per class, ours against torchvision's: samples per second of training batches.

A window of random size and shape at 224×224, mirrored by chance, 32 a batch, one worker. Torchvision's way is
`ImageFolder` with transforms.v2 on tensors in a `DataLoader`. Once on photographs of 12 megapixels, once on pictures of
256 pixels; then the same with `image_size`, whose second epoch comes out of memory. In turns, so that what else the
machine does meets both.

Run: python tests/benchmarks/bench_pictures.py [LARGE SMALL]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

import netcfg
from netcfg.datasets.pipeline import Pipeline

SIDE, BATCH, WORKERS, ROUNDS = 224, 32, 1, 3
PROGRAM = """
{{Data}}
[image_folder]
path = {folder}
validation_share = 0
test_share = 0
{size}
[random_resized_crop]
size = 224
[horizontal_flip]
[center_crop]
size = 224
pad_if_needed = True
when = evaluation
{{N}}
[net]
inputs = data.image
[identity]
{{Loss}}
[mean]
input = N
"""


def write(folder: Path, count: int, height: int, width: int) -> None:
    """Smooth pictures with some noise, as cameras give them."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 256, (height // 40, width // 40, 3)).astype(np.uint8)
        picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
        noisy = np.clip(picture + random.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        place = folder / ("a", "b")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / f"{number}.jpg"), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])


def torchvisions_way(folder: Path) -> Callable[[], int]:
    """An epoch; how many samples it had."""
    transform = v2.Compose(
        [v2.ToImage(), v2.RandomResizedCrop(SIDE, antialias=True), v2.RandomHorizontalFlip()]
    )
    loader = DataLoader(
        ImageFolder(str(folder), transform), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True
    )
    return lambda: sum(len(labels) for _, labels in loader)


def ours(folder: Path, size: str = "") -> Callable[[], int]:
    """An epoch; how many samples it had."""
    data = netcfg.load(PROGRAM.format(folder=folder, size=size)).data
    assert data is not None
    pipeline = Pipeline(data, "train", BATCH, shuffle="epoch", workers=WORKERS)
    epochs = iter(range(1_000))
    return lambda: sum(batch.size for batch in pipeline.epoch(next(epochs)))


def rate(epoch: Callable[[], int]) -> float:
    """Samples per second."""
    start = time.perf_counter()
    return epoch() / (time.perf_counter() - start)


def main() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    counts = [int(word) for word in sys.argv[1:3]] or [40, 800]
    with tempfile.TemporaryDirectory() as name:
        for what, count, height, width in (
            ("12 megapixels", counts[0], 3000, 4000),
            ("256 pixels", counts[-1], 256, 256),
        ):
            folder = Path(name) / what.replace(" ", "_")
            write(folder, count, height, width)
            theirs, own = torchvisions_way(folder), ours(folder)
            kept = ours(folder, "image_size = 256")
            for epoch in (theirs, own, kept):  # starts the workers; the last one's memory is full then
                epoch()
            rounds = [(rate(theirs), rate(own), rate(kept)) for _ in range(ROUNDS)]
            for title, place in (("each time from its file", 1), ("second epoch with `image_size`", 2)):
                ratio = median(one[place] / one[0] for one in rounds)
                print(
                    f"{count} jpegs of {what}, {title}: {median(one[place] for one in rounds):.0f} samples/s; "
                    f"torchvision's way: {median(one[0] for one in rounds):.0f}; {ratio:.2f} times as fast",
                    flush=True,
                )


if __name__ == "__main__":
    main()
