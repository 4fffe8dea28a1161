"""Layouts: how the parameters of published checkpoints are named, as small tables of names.

A layout says what a network here calls each key of a file (`ours`), and what the file calls each of our keys
(`theirs`). A new one is an entry in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor, zeros

from netcfg.graph import Graph


@dataclass(frozen=True)
class Layout:
    """A file that is one state dict, whose keys differ from ours in their heads.

    `heads` maps the first part(s) of a file's keys to ours (`None` drops the key); keys that no head matches stay
    as they are; `inner` maps what stands further inside a key. `imagenet` is the torchvision model whose ImageNet
    weights have these names, `programs` the shipped files whose originals save such files. `copies` maps what a file
    has twice to the head under which it is read, `unused` names what it has and nothing reads, with its shape: both
    are written so that the original takes the file.
    """

    heads: Mapping[str, str | None]
    imagenet: str | None = None
    programs: tuple[str, ...] = ()
    inner: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    optional: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """What a file always has, by our names with shapes, and a network may lack: dropped then, and written as zeros."""

    def ours(self, key: str, graph: Graph) -> str | None:
        """Our name of a file's key; None where it is dropped."""
        ours = self._ours(key)
        lacks = ours in self.optional and not any(
            str(ours).startswith(f"{node.path}.") for node in graph.blocks if node.parameters
        )
        return None if lacks else ours

    def _ours(self, key: str) -> str | None:
        if key in self.unused or key.startswith(tuple(self.copies)):
            return None
        for inside, ours_inside in self.inner.items():
            key = key.replace(inside, ours_inside)
        # The first that matches counts, so that special heads stand before "" and `module.`.
        for head, ours in self.heads.items():
            if key.startswith(head):
                return None if ours is None else ours + key[len(head) :]
        return key

    def theirs(self, key: str, graph: Graph) -> str:
        """The file's name of our key."""
        return self._theirs(key)

    def _theirs(self, key: str) -> str:
        for inside, ours_inside in self.inner.items():
            key = key.replace(ours_inside, inside)
        # The first again: of Emotion-FAN's two names it writes the one with `module.`, as the original saves
        # it.
        for head, ours in self.heads.items():
            if ours is not None and key.startswith(ours):
                return head + key[len(ours) :]
        return key

    def further(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What a file with these keys also has: the second names, and what nothing reads (zeros)."""
        twice = {
            copy + key[len(head) :]: value
            for key, value in state.items()
            for copy, head in self.copies.items()
            if key.startswith(head)
        }
        lacking = {self._theirs(key): shape for key, shape in self.optional.items()}
        empty = {**self.unused, **{key: shape for key, shape in lacking.items() if key not in state}}
        return {**twice, **{key: zeros(shape) for key, shape in empty.items()}}

    def unsuited(self, graph: Graph) -> str | None:
        """Why a network cannot be in this layout; None where it can."""
        return None


@dataclass(frozen=True)
class BlockLayout:
    """A file per network that is a list of state dicts, one per block, at the block's position.

    Keys are written `layers.<position>.<key>`. `blocks` maps a block type to its own table of heads; types that are
    not in it have no parameters. A network's file is called `file`; what `others` matches is no network's.
    """

    blocks: Mapping[str, Mapping[str, str]]
    file: str
    others: str
    imagenet: ClassVar[None] = None
    programs: ClassVar[tuple[str, ...]] = ()

    def ours(self, key: str, graph: Graph) -> str | None:
        """Our name of a file's key; a key that its block cannot have stays as it is."""
        _, position, rest = key.split(".", 2)
        for node in graph.blocks:
            if str(node.position) == position:
                for head, ours in self.blocks.get(node.type, {}).items():
                    if rest.startswith(head):
                        return f"{node.path}.{ours}{rest[len(head) :]}"
        return key

    def theirs(self, key: str, graph: Graph) -> str:
        """The file's name of our key."""
        node = graph.owner(key)
        assert node is not None
        rest = key[len(node.path) + 1 :]
        # Longer names of ours first: "" matches all.
        for head, ours in sorted(self.blocks[node.type].items(), key=lambda row: -len(row[1])):
            if rest.startswith(ours):
                return f"layers.{node.position}.{head}{rest[len(ours) :]}"
        raise AssertionError(key)

    def unsuited(self, graph: Graph) -> str | None:
        """Its blocks with parameters must be of the types of the table, and stand in the network itself."""
        for node in graph.blocks:
            if node.parameters and node.type not in self.blocks:
                return f"`{graph.name}` has a block [{node.type}], which this layout does not know"
            if node.parameters and node.scopes:
                return f"`{node.path}` of `{graph.name}` stands in a template or repeat, which this layout has not"
        return None


AnyLayout = Layout | BlockLayout


def renamed(layout: AnyLayout, state: Mapping[str, Tensor], graph: Graph) -> dict[str, Tensor]:
    """A file's state dict under our names."""
    named = ((layout.ours(key, graph), value) for key, value in state.items())
    return {key: value for key, value in named if key is not None}


# Numbers 2, 3 and 8 are an activation and two pools.
_RESNET_CHILDREN = {
    "conv1.": "0.",
    "bn1.": "1.",
    "layer1.": "4.",
    "layer2.": "5.",
    "layer3.": "6.",
    "layer4.": "7.",
    "fc.": None,
}

# Files that torchvision published before it renamed these layers.
_DENSENET_LAYERS = {
    f".{kind}.{number}.": f".{kind}{number}." for kind in ("norm", "conv") for number in (1, 2)
}
_VIT_LAYERS = {".mlp.linear_1.": ".mlp.0.", ".mlp.linear_2.": ".mlp.3."}

# A block there is a sequence: the convolution or the linear map is 0, the norm 1.
_AUDETNET = BlockLayout(
    {
        "convolutional": {"0.": "", "1.": "batch_norm."},
        "connected": {"0.": ""},
        "batch_norm": {"": ""},
        "resnet50": {"": ""},
        "vgg-face": {"": ""},
    },
    file="{network}_epoch_{epoch}.pth",
    others="optim_",
)

_AUNETS = tuple(
    f"aunet_of_{fusion}.cfg"
    for fusion in ("none", "alone", "horizontal", "vertical", "channels", "conv", "fc6", "fc7")
)

# The original holds its ResNet-34 whole, and the stages that it uses once more: files have both.
_FERATT_ENCODER = "attention_map.encoder."
_FERATT = Layout(
    {},
    programs=tuple(f"feratt{variant}.cfg" for variant in ("", "_rep", "_stn", "_rep_stn")),
    copies={
        "attention_map.conv1.0.": f"{_FERATT_ENCODER}conv1.",
        "attention_map.conv1.1.": f"{_FERATT_ENCODER}bn1.",
        **{f"attention_map.conv{stage + 1}.": f"{_FERATT_ENCODER}layer{stage}." for stage in range(1, 5)},
    },
    unused={f"{_FERATT_ENCODER}fc.weight": (1000, 512), f"{_FERATT_ENCODER}fc.bias": (1000,)},
)
_FERATT_BASELINE = Layout({"": "netclass."}, programs=("feratt_baseline.cfg", "feratt_baseline_rep.cfg"))

_FAN_HEADS = {"alpha": (1, 512), "beta": (1, 1024), "pred_fc1": (7, 512), "pred_fc2": (7, 1024)}
"""What the published networks have beside ResNet-18, whether they use it or not, with the shape of its weight."""
_FAN_NAMES = {"alpha.": "alpha.0.", "beta.": "beta.0.", "pred_fc1.": "pred_fc1.", "pred_fc2.": "pred_fc2."}
_FAN = Layout(
    # Saved from a model on several GPUs, all names begin with `module.`; the others are those of one.
    {
        **{f"module.{theirs}": ours for ours, theirs in _FAN_NAMES.items()},
        **{theirs: ours for ours, theirs in _FAN_NAMES.items()},
        "module.": "backbone.",
        "": "backbone.",
    },
    programs=("emotion_fan_relation.cfg", "emotion_fan.cfg"),
    optional={
        f"{head}.{part}": shape if part == "weight" else shape[:1]
        for head, shape in _FAN_HEADS.items()
        for part in ("weight", "bias")
    },
)
_FAN_BASELINE = Layout({"module.": ""}, programs=("emotion_fan_baseline.cfg",))
# The published file's classifier is of other classes, and left out by the original too.
_FAN_PRETRAINED = Layout({"module.fc.": None, "fc.": None, "module.": ""})

LAYOUTS: dict[str, AnyLayout] = {
    "netcfg": Layout({}),
    **{
        name: Layout({}, imagenet=name, inner=_DENSENET_LAYERS)
        for name in ("densenet121", "densenet161", "densenet169", "densenet201")
    },
    **{
        name: Layout({}, imagenet=name, inner=_VIT_LAYERS)
        for name in ("vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14")
    },
    "resnet50_children": Layout(_RESNET_CHILDREN, imagenet="resnet50"),
    "vgg_face": Layout({"fc6.": None, "fc7.": None, "fc8.": None}),
    "aunets": Layout({"model.": ""}, programs=_AUNETS),
    "audetnet": _AUDETNET,
    "feratt": _FERATT,
    "emotion_fan": _FAN,
    "emotion_fan_baseline": _FAN_BASELINE,
    "emotion_fan_pretrained": _FAN_PRETRAINED,
    "feratt_baseline": _FERATT_BASELINE,
}
"""Those with a table of their own. The name of any other model of torchvision is the layout of its parameters."""
DEFAULT_LAYOUTS = {"resnet50": "resnet50_children", "vgg-face": "vgg_face"}
"""The layout that a block type's weights have where the file does not say."""
