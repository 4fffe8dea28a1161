"""Classes written for layers that PyTorch does not have in one piece, as a norm below a convolution."""

from __future__ import annotations

import inspect

from torch import nn

from netcfg.builder.exports.copied import Copied, Refused
from netcfg.builder.modules.connected import Connected
from netcfg.builder.modules.convolution import _Convolving, _Filters

_SAME = '''\
def pad_same(x: Tensor, layer: nn.modules.conv._ConvNd) -> Tensor:
    """A border so that there is a window for each step begun, the larger half behind."""
    sides: list[int] = []
    for size, kernel, stride, dilation in zip(x.shape[2:], layer.kernel_size, layer.stride, layer.dilation):
        total = max(0, (-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
        sides = [total // 2, total - total // 2, *sides]
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    return F.pad(x, sides, mode=mode) if any(sides) else x
'''
_PRODUCT = '''\
def convolve_as_product(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """A convolution of few windows with a large weight, as one product: several times as fast on a processor."""
    if x.device.type != "cpu":
        return F.conv2d(x, layer.weight, layer.bias, layer.stride, layer.padding)
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    weight = layer.weight.flatten(1)
    if tuple(x.shape[-2:]) == layer.kernel_size and padding == 0:
        return F.linear(x.flatten(1), weight, layer.bias)[..., None, None]
    height, width = (1 + (size + 2 * padding - kernel) // stride for size in x.shape[-2:])
    patches = F.unfold(x, kernel, padding=padding, stride=stride).mT
    y = F.linear(patches.flatten(0, 1), weight, layer.bias)
    return y.view(x.shape[0], height, width, -1).movedim(-1, 1)
'''


def written_class(module: _Filters, base: type[nn.Module], copied: Copied) -> str:
    """The name of the class that makes such a convolution; PyTorch's own where that is enough."""
    name, forward = base.__name__, ["x = super().forward(x)"]
    if module.rule is not None:
        raise Refused(f"makes its weight by a {module.rule}")
    if isinstance(module, _Convolving) and module.as_product:
        copied.take_text("convolve_as_product", _PRODUCT)
        name, forward = f"Product{name}", ["x = convolve_as_product(x, self)"]
    if isinstance(module, _Convolving) and module.by_size:
        copied.take_text("pad_same", _SAME)
        name, forward = f"Same{name}", ["x = pad_same(x, self)", *forward]
    norm = module.norm
    if norm is not None:
        name = name + "".join(word.capitalize() for word in norm.split("_"))
        forward.append(f"x = self.{norm}(x)")
    if name == base.__name__:
        return f"nn.{name}"
    forward[-1] = forward[-1].replace("x = ", "return ", 1)
    lines = [f"class {name}(nn.{base.__name__}):"]
    if norm is not None:
        lines += [
            '    """A convolution, and a norm whose parameters lie below its own."""',
            "",
            f"    def __init__(self, *sizes: Any, {norm}: nn.Module, **options: Any) -> None:",
            "        super().__init__(*sizes, **options)",
            f"        self.{norm} = {norm}",
            "",
        ]
        copied.imports.add("from typing import Any")
    copied.signatures[name] = tuple(inspect.signature(base).parameters)
    lines += ["    def forward(self, x: Tensor) -> Tensor:", *(f"        {line}" for line in forward)]
    return copied.take_text(name, "\n".join(lines) + "\n")


def linear_class(module: Connected, copied: Copied) -> str:
    """The same of a linear map."""
    if module.rule is not None:
        raise Refused(f"makes its weight by a {module.rule}")
    if not module.per_pixel:
        return "nn.Linear"
    text = '''\
class LinearOfPixels(nn.Linear):
    """A linear map at every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2:] == (1, 1):
            return F.linear(x.flatten(1), self.weight, self.bias)[:, :, None, None]
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)
'''
    copied.signatures["LinearOfPixels"] = tuple(inspect.signature(nn.Linear).parameters)
    return copied.take_text("LinearOfPixels", text)
