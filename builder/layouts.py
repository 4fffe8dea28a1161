"""Layouts: how the parameters of published checkpoints are named, as small tables of names.

A new one is an entry in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netcfg.builder.layout_kinds import AnyLayout, BlockLayout, Layout, NestedLayout, Part
from netcfg.builder.stylegan2_names import StyleGAN2Names
from netcfg.graph import Graph


def renamed(layout: AnyLayout, state: Mapping[str, Tensor], graph: Graph) -> dict[str, Tensor]:
    """A file's state dict under our names."""
    named = ((layout.ours(key, graph), layout.taken(key, value)) for key, value in state.items())
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


def _psp_options(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What pSp's code reads of its options: channels of the picture, and the size of what is made of the codes."""
    encoder, decoder = "state_dict.encoder.", "state_dict.decoder."

    def numbered(head: str) -> int:
        return len({key.removeprefix(head).partition(".")[0] for key in state if key.startswith(head)})

    if not any(key.startswith(encoder) for key in state):
        return {"opts": {"output_size": 4 * 2 ** numbered(f"{decoder}to_rgbs.")}}
    channels = state[f"{encoder}input_layer.0.weight"].shape[1]
    return {"opts": {"input_nc": channels, "output_size": 2 ** (numbered(f"{encoder}styles.") // 2 + 1)}}


_GENERATOR = StyleGAN2Names({})
_STYLEGAN2 = NestedLayout({"": Part("g_ema", names=_GENERATOR)}, mark="input.input")
# The mean of all codes stands beside the networks there, and in FG-Net's own files not at all.
_PSP = NestedLayout(
    {
        "": Part("state_dict", "encoder.", beside=("latent_avg",)),
        "Generator": Part("state_dict", "decoder.", names=_GENERATOR),
    },
    options=_psp_options,
)
_FGNET = NestedLayout(
    {
        "Encoder": Part("pspencoder", elsewhere={"latent_avg": "psp"}),
        "Generator": Part("g_all", names=_GENERATOR),
        "Interpreter": Part("interpreter"),
    }
)

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
    "stylegan2": _STYLEGAN2,
    "psp": _PSP,
    "fgnet": _FGNET,
}
"""Those with a table of their own. The name of any other model of torchvision is the layout of its parameters."""
DEFAULT_LAYOUTS = {"resnet50": "resnet50_children", "vgg-face": "vgg_face"}
"""The layout that a block type's weights have where the file does not say."""
