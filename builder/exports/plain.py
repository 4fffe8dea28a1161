"""What a block's module is in plain PyTorch: how it is made, and how it is called.

A module of PyTorch's own, or one that only adds an activation to it, is PyTorch's. Any other is copied with its class
(see `copied.py`), or gets a class that was written for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from netcfg.blocks.made import Made
from netcfg.blocks.network.activation import Applied
from netcfg.builder.exports.classes import linear_class, ruled_arguments, written_class
from netcfg.builder.exports.copied import Copied, Refused
from netcfg.builder.exports.recurrence import WITHOUT_AUTOCAST
from netcfg.builder.libraries import library_words
from netcfg.builder.libraries import network as library_network
from netcfg.builder.modules.activations import Activate
from netcfg.builder.modules.apart import EachPlace
from netcfg.builder.modules.backbones import resnet50_children
from netcfg.builder.modules.connected import Connected
from netcfg.builder.modules.convolution import _Filters
from netcfg.builder.modules.modulated_convolution import ModulatedConv2d, ModulatedConvolution
from netcfg.builder.modules.norms import L2Norm, LayerNormAlong, RMSNormAlong
from netcfg.builder.modules.pooling import Largest, Mean
from netcfg.builder.modules.resizing import Upsample

POSITIONAL = {"nn.Linear": 2, "nn.MaxPool2d": 2, "nn.AvgPool2d": 2, "nn.GroupNorm": 2}
"""How many arguments are written without their names; of convolutions three, of other classes one."""
UNWRITTEN = frozenset({"self", "device", "dtype", "initialization", "bias_start", "start", "init"})
"""Arguments that are left out; where parameters start is one, since their values lie in the file of weights."""


@dataclass(frozen=True)
class Plain:
    """`layer` makes it (None: nothing is made); `call` computes it, over `{self}` and `{x}`, all that it is given."""

    layer: str | None
    call: str = "{self}({x})"

    @property
    def is_whole(self) -> bool:
        """Whether the call is nothing but the layer's own, so that it may stand in an `nn.Sequential`."""
        return self.call == "{self}({x})"


def plain(module: nn.Module, made: Made | None, copied: Copied) -> Plain:
    """A module in plain PyTorch. Raises `Refused` where it cannot be."""
    for kind, write in _WRITERS.items():
        if isinstance(module, kind):
            written = write(module, copied)
            if written is not None:
                return written
    if made is not None and made.call is resnet50_children:
        copied.imports.add("from torchvision.models import resnet50")
        return Plain(f"nn.Sequential(*list(resnet50().children())[:{made.arguments[0]}])")
    if made is not None and made.call is library_network:
        return _of_library(made, copied)
    if isinstance(module, ModulatedConvolution) and made is not None:
        return _modulated(module, made, copied)
    base = torch_class(module)
    if base is not None:
        return Plain(_sequence(module, copied) if base is nn.Sequential else call_of(module, base))
    if made is None or not isinstance(made.call, type):
        placed = _placed(module, copied)
        if placed is not None:
            return placed
    if made is None:
        raise Refused(f"is a {type(module).__name__}, and nobody knows how that was made")
    return _copied(made, copied)


def call_of(module: nn.Module, base: type[nn.Module], name: str | None = None, *further: str) -> str:
    """The call of a class of PyTorch's that makes a module like this one; what is the default is left out."""
    name = name or f"nn.{base.__name__}"
    bare = POSITIONAL.get(f"nn.{base.__name__}", 3 if "Conv" in base.__name__ else 1)
    texts: list[str] = []
    for place, parameter in enumerate(list(inspect.signature(base.__init__).parameters.values())[1:]):
        if parameter.name in UNWRITTEN or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        text = literal(_value(module, parameter.name))
        if parameter.name == "stride" and parameter.default is None and text == texts[0]:
            continue  # pools step by their window
        # Always said at first, so that uses of a template that differ in it are one class; see `shortened`.
        is_step = parameter.name == "stride" and "Conv" in base.__name__
        if is_step or parameter.default is parameter.empty or text != literal(parameter.default):
            texts.append(text if place < bare and place == len(texts) else f"{parameter.name}={text}")
    return f"{name}({', '.join([*texts, *further])})"


def _sequence(module: nn.Module, copied: Copied) -> str:
    """Modules in a row, each of them PyTorch's own."""
    parts = {name: plain(part, None, copied) for name, part in module.named_children()}
    if not all(part.layer is not None and part.is_whole for part in parts.values()):
        raise Refused("holds a module that is no call of PyTorch's")
    if list(parts) == list(map(str, range(len(parts)))):
        return f"nn.Sequential({', '.join(part.layer or '' for part in parts.values())})"
    keyed = ", ".join(f'("{name}", {part.layer})' for name, part in parts.items())
    return f"nn.Sequential(OrderedDict([{keyed}]))"


def torch_class(module: nn.Module) -> type[nn.Module] | None:
    """The class of PyTorch that a module is of; None where it is none."""
    kind = _class_of(module)
    return kind if kind.__module__.startswith("torch.nn.modules.") else None


def _class_of(module: nn.Module) -> type[nn.Module]:
    kind: type[nn.Module] = type(module)
    if isinstance(module, EachPlace):
        # In evaluation, running statistics are the same for all places.
        kind = next(
            one for one in kind.__mro__ if issubclass(one, nn.Module) and not issubclass(one, EachPlace)
        )
    return kind


def _placed(module: nn.Module, copied: Copied) -> Plain | None:
    """A class that only turns or folds what a module of PyTorch's is given, and is made like that."""
    kind = _class_of(module)
    base = next(one for one in kind.__mro__ if one.__module__.startswith("torch.nn.modules."))
    above = kind.__mro__[: kind.__mro__.index(base)]
    if base is nn.Module or any("__init__" in vars(one) for one in above):
        return None
    copied.signatures[kind.__name__] = tuple(inspect.signature(base).parameters)
    return Plain(call_of(module, base, copied.take(kind)))


def _modulated(module: ModulatedConvolution, made: Made, copied: Copied) -> Plain:
    """The convolution, and the activation that follows it."""
    options = {key: value for key, value in made.options.items() if key != "activation"}
    layer = _call(copied.take(ModulatedConv2d), made.arguments, options | {"factor": module.factor})
    return Plain(layer, activated("{self}({x})", module._activate))


def _of_library(made: Made, copied: Copied) -> Plain:
    """A network of torchvision's or timm's, by the library's own words."""
    library, model, stages = made.arguments
    if library == "timm":
        copied.imports.add("import timm")
        if not stages:
            return Plain(f'timm.create_model("{model}")')
        places = sorted(map(int, stages))
        layer = f'timm.create_model("{model}", features_only=True, out_indices={tuple(places)})'
        names = tuple(map(str, places))
        return Plain(layer, "{self}({x})[0]" if len(places) == 1 else f"dict(zip({names}, {{self}}({{x}})))")
    copied.imports.add("from torchvision.models import get_model")
    whole = f'get_model("{model}", weights=None{library_words(model)})'
    if not stages:
        return Plain(whole)
    copied.imports.add("from torchvision.models.feature_extraction import create_feature_extractor")
    layer = f"create_feature_extractor({whole}, {[*stages]})".replace("'", '"')
    return Plain(layer, f'{{self}}({{x}})["{stages[0]}"]' if len(stages) == 1 else "{self}({x})")


def literal(value: Any) -> str:
    """A value as Python. Raises `Refused` for what has no such form."""
    if isinstance(value, tuple | list):
        inner = ", ".join(map(literal, value))
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"({inner}{comma})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, str):
        return '"' + repr(value)[1:-1].replace('"', '\\"') + '"'
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, type) and value.__module__.startswith("torch.nn.modules."):
        return f"nn.{value.__name__}"
    raise Refused(f"is made with {type(value).__name__}, which has no form in plain Python")


def activated(call: str, activate: Activate | None) -> str:
    """A call, and an activation after it."""
    if activate is None:
        return call
    applied: Applied = activate.applied
    return (applied.in_place or applied.expression).replace("{x}", call)


def _value(module: nn.Module, name: str) -> Any:
    if name == "bias":
        return module._parameters.get("bias") is not None
    if name in ("elementwise_affine", "affine"):
        return module._parameters.get("weight") is not None
    if name == "normalized_shape" and isinstance(module, nn.LayerNorm | nn.RMSNorm):
        return module.normalized_shape[0] if len(module.normalized_shape) == 1 else module.normalized_shape
    if name not in module.__dict__:
        raise Refused(f"keeps no `{name}`, which its class is made with")
    value = module.__dict__[name]
    # PyTorch keeps a pair of what people write as one number.
    is_even = (
        isinstance(value, tuple) and len(value) > 1 and len(set(value)) == 1 and isinstance(value[0], int)
    )
    return value[0] if is_even else value


def _turned(call: str) -> str:
    """A call of what wants channels before places."""
    return call.replace("{x}", "{x}.transpose(1, 2)") + ".transpose(1, 2)"


def _filters(module: _Filters, copied: Copied) -> Plain:
    """A convolution or its transpose, with what belongs to it."""
    base = next(one for one in type(module).__mro__ if one.__module__ == "torch.nn.modules.conv")
    further = ruled_arguments(module)
    name = written_class(module, base, copied)
    if module.norm is not None:
        norm = module.get_submodule(module.norm)
        kind = torch_class(norm)
        if kind is None:
            raise Refused(f"has a {type(norm).__name__} inside")
        further.append(f"{module.norm}={call_of(norm, kind)}")
    call = _turned("{self}({x})") if module.turned else "{self}({x})"
    return Plain(call_of(module, base, name, *further), activated(call, module._activate))


def _connected(module: Connected, copied: Copied) -> Plain:
    name = linear_class(module, copied)
    return Plain(
        call_of(module, nn.Linear, name, *ruled_arguments(module)), activated("{self}({x})", module._activate)
    )


def _along(module: Any, copied: Copied) -> Plain:
    base = nn.LayerNorm if isinstance(module, nn.LayerNorm) else nn.RMSNorm
    call = f"{{self}}({{x}}.movedim({module.axis}, -1)).movedim(-1, {module.axis})"
    return Plain(call_of(module, base), call)


def _upsample(module: Upsample, copied: Copied) -> Plain | None:
    if module.stays:
        return Plain(None, "{x}")
    if module.turned or (module.sizes is None and module.factors is None):
        return None
    key, value = ("size", module.sizes) if module.sizes else ("scale_factor", module.factors)
    texts = [f"{key}={literal(value)}", f'mode="{module.mode}"']
    if module.align_corners is not None:
        texts.append(f"align_corners={module.align_corners}")
    return Plain(None, f"F.interpolate({{x}}, {', '.join(texts)})")


def _copied(made: Made, copied: Copied) -> Plain:
    """A class with its source, called as it was."""
    kind: Any = WITHOUT_AUTOCAST.get(made.call, made.call)  # type: ignore[call-overload]
    if not isinstance(kind, type):
        raise Refused(f"is made by {kind.__name__}, which has no form in plain PyTorch")
    if kind.__module__.partition(".")[0] in ("torch", "torchvision"):
        copied.imports.add(f"from {kind.__module__} import {kind.__name__}")
        name = kind.__name__
    else:
        name = copied.take(kind)
    return Plain(_call(name, made.arguments, made.options))


def _call(name: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> str:
    texts = [literal(value) for value in arguments]
    texts += [
        f"{key}={literal(value)}"
        for key, value in options.items()
        if key not in UNWRITTEN and not (value is None and key == "activation")
    ]
    return f"{name}({', '.join(texts)})"


_WRITERS: dict[type[nn.Module], Callable[[Any, Copied], Plain | None]] = {
    _Filters: _filters,
    Connected: _connected,
    LayerNormAlong: _along,
    RMSNormAlong: _along,
    Upsample: _upsample,
    L2Norm: lambda m, copied: Plain(None, f"F.normalize({{x}}, dim={m.axis}, eps={m.eps})"),
    Mean: lambda m, copied: Plain(None, f"{{x}}.mean({_axes(m.axes)})"),
    Largest: lambda m, copied: Plain(None, f"{{x}}.amax({_axes(m.axes)})"),
}


def _axes(axes: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, axes))})" if len(axes) > 1 else str(axes[0])


__all__ = ["Plain", "activated", "call_of", "literal", "plain", "torch_class"]
