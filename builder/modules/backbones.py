"""Published networks, with the parameter names they were published under."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn


def resnet50_children(count: int, frozen: int) -> nn.Sequential:
    """The first `count` children of torchvision's ResNet-50, random weights, the first `frozen` untrained.

    Shapes: N×3×H×W -> N×C'×H'×W'.
    """
    from torchvision.models import resnet50

    # By position, as AUDetNet cuts it: the numbers are its parameters' names.
    children = list(resnet50(weights=None).children())[:count]
    for child in children[:frozen]:
        # Parameters alone: frozen batch norms go on moving their statistics in training, as in the original.
        child.requires_grad_(False)
    return nn.Sequential(*children)


def vgg_face_features(layers: Sequence[tuple[str, tuple[int, int] | None]], frozen: int) -> nn.Sequential:
    """VGG-Face's feature layers by name; `layers` gives (channels, filters) for each convolution.

    Shapes: N×3×H×W -> N×512×H/32×W/32.
    """
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for name, sizes in layers:
        if sizes is not None:
            modules[name] = nn.Conv2d(*sizes, kernel_size=3, padding=1)
        else:
            modules[name] = nn.MaxPool2d(2, 2) if name.startswith("pool") else nn.ReLU(inplace=True)
    # The original counts activations and pools too.
    for name in list(modules)[:frozen]:
        modules[name].requires_grad_(False)
    return nn.Sequential(modules)
