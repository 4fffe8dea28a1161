"""How fast `synthetic_faces` draws, and whether its task is worth a network.

Prints images per second on one core, then F1 on held-out subjects of a linear classifier on pixels and of a
small convolutional network, both trained on the same few subjects. Takes about two minutes.

Run: python tests/benchmarks/bench_faces.py
"""

import time

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from netcfg.datasets.sources.synthetic_faces import BP4D_AUS, SyntheticFaces

WARM_UP, SAMPLES = 300, 240
SUBJECTS, CLIPS, CLIP_LENGTH, SIDE = 45, 10, 6, 64
EPOCHS, BATCH = 24, 32


def images_per_second(image_size: int, fields: tuple[str, ...], flow_method: str, order: str) -> float:
    """Samples per second, in order of the index or shuffled, after a warm-up."""
    data = SyntheticFaces(split="all", fields=fields, image_size=image_size, flow_method=flow_method)
    indices = np.random.default_rng(0).permutation(len(data)) if order == "shuffled" else np.arange(len(data))
    warm, timed = indices[:WARM_UP].tolist(), indices[WARM_UP : WARM_UP + SAMPLES].tolist()
    for index in warm:
        data[index]
    start = time.perf_counter()
    for index in timed:
        data[index]
    return SAMPLES / (time.perf_counter() - start)


def report_speed() -> None:
    """Print the drawing speed of one core."""
    cv2.setNumThreads(1)
    for size in (224, 64):
        for order in ("in order", "shuffled"):
            speed = images_per_second(size, ("image", "labels"), "dis", order)
            print(f"{size} x {size}, {order:8}, image and labels: {speed:6.0f} images/s")
            for method in ("dis", "dis_fast", "dis_ultrafast"):
                speed = images_per_second(size, ("image", "labels", "flow"), method, order)
                print(f"{size} x {size}, {order:8}, image, labels, flow ({method}): {speed:6.0f} images/s")


def load(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (n, 3, SIDE, SIDE) in -1..1 and labels (n, 12) of one split."""
    data = SyntheticFaces(split=split, fields=("image", "labels"), subjects=SUBJECTS, clips=CLIPS,
                          clip_length=CLIP_LENGTH, image_size=SIDE, validation_share=0.05)  # fmt: skip
    samples = [data[index] for index in range(len(data))]
    images = torch.from_numpy(np.stack([sample["image"] for sample in samples])).permute(0, 3, 1, 2)
    return images.float() / 127.5 - 1.0, torch.from_numpy(np.stack([sample["labels"] for sample in samples]))


def linear_classifier() -> nn.Module:
    """Logistic regression on pixels at half the resolution."""
    return nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3 * (SIDE // 2) ** 2, len(BP4D_AUS)))


def small_network() -> nn.Module:
    """Four convolutions in the manner of VGG."""
    layers: list[nn.Module] = []
    channels = 3
    for width in (16, 32, 64, 96):
        layers += [
            nn.Conv2d(channels, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        channels = width
    tail = [nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels * (SIDE // 16) ** 2, len(BP4D_AUS))]
    return nn.Sequential(*layers, *tail)


def train(network: nn.Module, images: torch.Tensor, labels: torch.Tensor, rate: float, decay: float) -> None:
    """Fit with AdamW and mirrored images."""
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=EPOCHS * (len(images) // BATCH)
    )
    network.train()
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))[: len(images) // BATCH * BATCH]
        for chosen in order.view(-1, BATCH):
            batch = images[chosen]
            batch = batch.flip(3) if torch.rand(()) < 0.5 else batch
            loss = functional.binary_cross_entropy_with_logits(network(batch), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def f1_scores(network: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> NDArray[np.float64]:
    """F1 of each unit at threshold 0.5."""
    network.eval()
    said = (network(images) > 0).float()
    hits = (said * labels).sum(0)
    return np.asarray((2 * hits / (said.sum(0) + labels.sum(0)).clamp(min=1)).double())


def report_difficulty() -> None:
    """Print F1 on held-out subjects: always yes, linear, convolutional."""
    torch.manual_seed(0)
    train_images, train_labels = load("train")
    test_images, test_labels = load("test")
    share = test_labels.mean(0).double().numpy()
    linear, network = linear_classifier(), small_network()
    train(linear, train_images, train_labels, 1e-3, 0.1)
    start = time.perf_counter()
    train(network, train_images, train_labels, 3e-3, 0.05)
    seconds = time.perf_counter() - start
    print(f"{len(train_images)} images to train on, {len(test_images)} to test; {seconds:.0f} s")
    columns = (2 * share / (1 + share), f1_scores(linear, test_images, test_labels),
               f1_scores(network, test_images, test_labels))  # fmt: skip
    print("unit  always-yes  linear  network")
    for unit, always, flat, deep in zip(BP4D_AUS, *columns, strict=True):
        print(f"AU{unit:<3} {always:10.2f} {flat:7.2f} {deep:8.2f}")
    print("mean  " + " ".join(f"{column.mean():8.2f}" for column in columns))


def main() -> None:
    """Print both reports."""
    report_speed()
    report_difficulty()


if __name__ == "__main__":
    main()
