"""Classes written for layers that PyTorch does not have in one piece, as a norm below a convolution."""

from __future__ import annotations

import inspect

from torch import nn

from netcfg.builder.exports.copied import Copied
from netcfg.builder.modules.connected import Connected
from netcfg.builder.modules.convolution import _Convolving, _Filters
from netcfg.builder.modules.reparametrised import Reparametrised

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
def convolve_as_product(x: Tensor, layer: nn.Conv2d, weight: Tensor) -> Tensor:
    """A convolution of few windows with a large weight, as one product: several times as fast on a processor."""
    if x.device.type != "cpu":
        return F.conv2d(x, weight, layer.bias, layer.stride, layer.padding)
    kernel, stride, padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    weight = weight.flatten(1)
    if tuple(x.shape[-2:]) == layer.kernel_size and padding == 0:
        return F.linear(x.flatten(1), weight, layer.bias)[..., None, None]
    height, width = (1 + (size + 2 * padding - kernel) // stride for size in x.shape[-2:])
    patches = F.unfold(x, kernel, padding=padding, stride=stride).mT
    y = F.linear(patches.flatten(0, 1), weight, layer.bias)
    return y.view(x.shape[0], height, width, -1).movedim(-1, 1)
'''


_RULES = {
    "weight_norm": (
        "WeightNorm",
        "whose weight is a direction and a length",
        """\
        weight = self.weight.detach()
        del self.weight
        self.weight_g = nn.Parameter(torch.norm_except_dim(weight, 2, {at}))
        self.weight_v = nn.Parameter(weight)""",
        "self.weight = torch._weight_norm(self.weight_v, self.weight_g, {at})",
    ),
    "spectral_norm": (
        "SpectralNorm",
        "whose weight is divided by its largest singular value",
        """\
        weight = self.weight.detach()
        del self.weight
        self.weight_orig = nn.Parameter(weight)
        rows, columns = weight.movedim({at}, 0).flatten(1).shape
        self.register_buffer("weight_u", torch.empty(rows))
        self.register_buffer("weight_v", torch.empty(columns))""",
        "matrix = self.weight_orig.movedim({at}, 0).flatten(1)\n"
        "self.weight = self.weight_orig / torch.dot(self.weight_u, matrix.mv(self.weight_v))",
    ),
    "equalised": (
        "Equalised",
        "whose weight is multiplied at every use",
        """\
        self.gain, self.factor = gain, factor""",
        "",
    ),
}
"""By how a weight is made: a class's name and what it says, what it holds, and what comes first in its forward."""


def ruled_arguments(module: Reparametrised) -> list[str]:
    """What a layer is told beside its sizes of how its weight is made."""
    if module.rule != "equalised":
        return []
    return [f"gain={module.gain!r}", *([f"factor={module.factor!r}"] if module.factor != 1 else [])]


def written_class(module: _Filters, base: type[nn.Module], copied: Copied) -> str:
    """The name of the class that makes such a convolution; PyTorch's own where that is enough."""
    name, equalised = base.__name__, module.rule == "equalised"
    weight, bias = ("self.weight * self.gain", "self.bias") if equalised else ("self.weight", "self.bias")
    is_transposed = "Transpose" in base.__name__
    forward = ["x = super().forward(x)"]
    if equalised and not is_transposed:
        forward = [f"x = self._conv_forward(x, {weight}, {bias})"]
    elif equalised:
        sizes = "self.stride, self.padding, self.output_padding, self.groups, self.dilation"
        call = f"F.conv_transpose{len(module.kernel_size)}d"  # type: ignore[arg-type]
        forward = [f"x = {call}(x, {weight}, {bias}, {sizes})"]
    if isinstance(module, _Convolving) and module.as_product:
        copied.take_text("convolve_as_product", _PRODUCT)
        name, forward = f"Product{name}", [f"x = convolve_as_product(x, self, {weight})"]
    if isinstance(module, _Convolving) and module.by_size:
        copied.take_text("pad_same", _SAME)
        name, forward = f"Same{name}", ["x = pad_same(x, self)", *forward]
    norm = module.norm
    if norm is not None:
        name = name + "".join(word.capitalize() for word in norm.split("_"))
        forward.append(f"x = self.{norm}(x)")
    return _written(module, base, name, forward, copied, norm)


def _written(
    module: Reparametrised,
    base: type[nn.Module],
    name: str,
    forward: list[str],
    copied: Copied,
    norm: str | None = None,
) -> str:
    """Add a class with such a forward, and with what makes its weight; PyTorch's own name where there is nothing."""
    held: list[str] = []
    taken = ["self", "*sizes: Any"]
    about = "A convolution" if "Conv" in base.__name__ else "A linear map"
    if module.rule is not None:
        prefix, says, holds, first = _RULES[module.rule]
        name = prefix + name + (str(module.outputs_at) if module.outputs_at else "")
        held += holds.format(at=module.outputs_at).splitlines()
        forward = [*first.format(at=module.outputs_at).splitlines(), *forward]
        taken += ["gain: float", "factor: float = 1.0"] if module.rule == "equalised" else []
        about = f"{about} {says}"
    if norm is not None:
        held.append(f"        self.{norm} = {norm}")
        taken.append(f"{norm}: nn.Module")
        about = f"{about}, and a norm whose parameters lie below its own"
    if name == base.__name__:
        return f"nn.{name}"
    forward[-1] = forward[-1].replace("x = ", "return ", 1)
    lines = [f"class {name}(nn.{base.__name__}):"]
    if held:
        copied.imports.add("from typing import Any")
        lines += [
            f'    """{about}."""',
            "",
            f"    def __init__({', '.join([*taken, '**options: Any'])}) -> None:",
            "        super().__init__(*sizes, **options)",
            *held,
            "",
        ]
    copied.signatures[name] = tuple(inspect.signature(base).parameters)
    lines += ["    def forward(self, x: Tensor) -> Tensor:", *(f"        {line}" for line in forward)]
    return copied.take_text(name, "\n".join(lines) + "\n")


def linear_class(module: Connected, copied: Copied) -> str:
    """The same of a linear map."""
    is_used = module.rule == "equalised"
    weight = "self.weight * self.gain" if is_used else "self.weight"
    scaled = is_used and module.factor != 1 and module.bias is not None
    bias = "self.bias * self.factor" if scaled else "self.bias"
    if not module.per_pixel:
        forward = [f"x = F.linear(x, {weight}, {bias})"] if is_used else ["x = super().forward(x)"]
        return _written(module, nn.Linear, f"{'Scaled' * scaled}Linear", forward, copied)
    forward = [
        f"weight, bias = {weight}, {bias}",
        "if x.shape[2:] == (1, 1):",
        "    return F.linear(x.flatten(1), weight, bias)[:, :, None, None]",
        "x = F.conv2d(x, weight[:, :, None, None], bias)",
    ]
    return _written(module, nn.Linear, f"{'Scaled' * scaled}LinearOfPixels", forward, copied)
