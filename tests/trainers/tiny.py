"""A program small enough to train in a tenth of a second, on data that are made of arithmetic."""

from dataclasses import replace

import numpy as np

import netcfg
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.sources.base import Source

TEXT = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
[horizontal_flip]
[normalise]
mean = 0.5

{Net}
[net]
learning_rate = 1e-2
[input]
name = image
channels = 3
height = 16
width = 16
[convolutional]
filters = 4
kernel_size = 3
stride = 2
pad = 1
batch_normalise = 1
activation = relu
[flatten]
[dropout]
probability = 0.5
[connected]
output_features = 2

{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels

{Optimizer}
[adam]
networks = Net
minimise = detection
schedule = linear

{Metric}
[f1]
input = Net
target = labels

{General}
[variables]
epochs = 4
patience = None
[preset demo]
epochs = 1
[training]
batch_size = 4
max_epochs = $epochs
patience = $patience
workers = 0
"""

SAMPLES = {"train": 18, "validation": 8, "test": 6}


class TinyFaces:
    """Noise, brighter where the first label is 1."""

    def __init__(self, split, fields):
        self.split = split
        self.fields = fields

    def __len__(self):
        return SAMPLES[self.split]

    def __getitem__(self, index):
        random = np.random.default_rng((len(self.split), index))
        labels = random.integers(0, 2, 2).astype(np.float32)
        image = (random.integers(0, 128, (16, 16, 3)) + 100 * labels[0]).astype(np.uint8)
        everything = {"image": image, "labels": labels, "clip": np.int64(index // 3)}
        return {name: everything[name] for name in self.fields}


class TinySource(Source):
    """The source of `TinyFaces`; not registered, so that no other test meets it."""

    def fields(self):
        return {
            "image": FieldSpec((3, 16, 16), "image"),
            "labels": FieldSpec((2,), "vector", ("AU6", "AU12")),
            "clip": FieldSpec((), "class"),
        }

    def open(self, split, fields):
        return TinyFaces(split, tuple(fields))


def tiny_program(text=TEXT, **variables):
    program = netcfg.load(text, **variables)
    return replace(program, name="tiny.cfg", data=program.data._replace(source=TinySource()))
