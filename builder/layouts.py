"""Layouts: how the parameters of published checkpoints are named, as small tables of names.

A layout renames the head of each key of a file to what a network here calls it. `None` drops the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Layout:
    """`heads` maps the first part(s) of a file's keys to ours; keys that no head matches stay as they are.

    `imagenet` is the torchvision model whose ImageNet weights have these names.
    """

    heads: Mapping[str, str | None]
    imagenet: str | None = None

    def renamed(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The state dict under our names."""
        named = ((self._name(key), value) for key, value in state.items())
        return {key: value for key, value in named if key is not None}

    def _name(self, key: str) -> str | None:
        for head, ours in self.heads.items():
            if key.startswith(head):
                return None if ours is None else ours + key[len(head) :]
        return key


_RESNET_CHILDREN = {
    "conv1.": "0.",
    "bn1.": "1.",
    "layer1.": "4.",
    "layer2.": "5.",
    "layer3.": "6.",
    "layer4.": "7.",
    "fc.": None,
}

LAYOUTS: dict[str, Layout] = {
    "vgg16": Layout({}, imagenet="vgg16"),
    "resnet50": Layout({}, imagenet="resnet50"),
    "resnet50_children": Layout(_RESNET_CHILDREN, imagenet="resnet50"),
    "vgg_face": Layout({"fc6.": None, "fc7.": None, "fc8.": None}),
    "aunets": Layout({"model.": ""}),
}
DEFAULT_LAYOUTS = {"resnet50": "resnet50_children", "vgg-face": "vgg_face"}
"""The layout that a block type's weights have where the file does not say."""
