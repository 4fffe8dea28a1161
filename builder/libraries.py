"""Whole networks of libraries, torchvision's and timm's: by name, with the signals of some of their stages."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from netcfg.builder.adaptation import WeightsError
from netcfg.source import did_you_mean


def models(library: str) -> list[str]:
    """The names of its networks."""
    if library == "timm":
        timm = import_module("timm")
        return list(timm.list_models())
    import torchvision

    return list(torchvision.models.list_models())


def stages(library: str, model: str) -> list[str]:
    """The names of its stages: paths of parts and of operations, of timm's networks numbers from 0."""
    if library == "timm":
        timm = import_module("timm")
        made = timm.create_model(model, pretrained=False, features_only=True)
        return [str(index) for index in range(len(made.feature_info))]
    from torchvision.models.feature_extraction import get_graph_node_names

    trained, evaluated = get_graph_node_names(_torchvision(model))
    # A network is taken apart for training and for evaluation, and both must have the stage.
    nodes = [name for name in evaluated if name in set(trained)]
    paths = [name.split(".") for name in nodes]
    parts = (".".join(path[:depth]) for path in paths for depth in range(1, len(path) + 1))
    return list(dict.fromkeys(parts))


def network(library: str, model: str, stages: Sequence[str]) -> nn.Module:
    """A network with fresh weights, which gives its own answer.

    With stages it ends at the last of them, and gives each by its name, or one alone as it is.
    """
    if library == "timm":
        return _timm(model, stages)
    whole = _torchvision(model)
    if not stages:
        return whole
    from torchvision.models.feature_extraction import create_feature_extractor

    made: nn.Module = create_feature_extractor(whole, return_nodes={stage: stage for stage in stages})
    if len(stages) == 1:
        made.register_forward_hook(_only)
    # Torch's own copies of a traced network forget its hooks and in which mode it is. It has a class of its own.

    def copied(self: nn.Module, memo: Any) -> nn.Module:
        return _again(model, stages, *_held(self))

    def reduced(self: nn.Module, protocol: Any) -> Any:
        return _again, (model, stages, *_held(self))

    for method, name in ((copied, "__deepcopy__"), (reduced, "__reduce_ex__")):
        setattr(type(made), name, method)
    return made


def _held(module: nn.Module) -> tuple[dict[str, Tensor], dict[str, bool], bool]:
    """What a network has beside its structure: numbers, which of them ask for gradients, its mode."""
    state = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    asking = {name: value.requires_grad for name, value in module.named_parameters()}
    return state, asking, module.training


def _again(
    model: str, stages: Sequence[str], state: dict[str, Tensor], asking: dict[str, bool], training: bool
) -> nn.Module:
    """The same network of torchvision with these."""
    made = network("torchvision", model, stages)
    made.load_state_dict(state, assign=True)
    for name, value in made.named_parameters():
        value.requires_grad_(asking[name])
    return made.train(training)


def _torchvision(model: str) -> nn.Module:
    """Without weights, also of a part of it, and without further answers that only training has."""
    import torchvision

    made: nn.Module = torchvision.models.get_model(model, weights=None, **_keywords(model))
    return made


def _keywords(model: str) -> dict[str, Any]:
    import torchvision

    taken = inspect.signature(torchvision.models.get_model_builder(model)).parameters
    keywords: dict[str, Any] = {"weights_backbone": None} if "weights_backbone" in taken else {}
    if model in ("googlenet", "inception_v3"):
        # Their further answers are there in training alone; and they warn where nobody says how weights
        # start.
        keywords |= {"aux_logits": False, "init_weights": True}
    return keywords


def library_words(model: str) -> str:
    """What else torchvision's `get_model` is told of a network, behind a comma, in Python."""
    return "".join(f", {key}={value}" for key, value in _keywords(model).items())


def _timm(model: str, stages: Sequence[str], pretrained: bool = False) -> nn.Module:
    timm = import_module("timm")
    if not stages:
        whole: nn.Module = timm.create_model(model, pretrained=pretrained)
        return whole
    places = tuple(map(int, stages))
    made: nn.Module = timm.create_model(
        model, pretrained=pretrained, features_only=True, out_indices=tuple(sorted(places))
    )
    # timm gives stages from the first on, in whatever order they are asked for.
    made.register_forward_hook(_only if len(stages) == 1 else _Named(sorted(stages, key=int)))
    return made


def _only(module: nn.Module, inputs: Any, given: Any) -> Any:
    """A hook that gives the one signal of several as it is."""
    return next(iter(given.values())) if isinstance(given, dict) else given[0]


class _Named:
    """A hook that gives each signal of a row by its name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)

    def __call__(self, module: nn.Module, inputs: Any, given: Any) -> dict[str, Tensor]:
        return dict(zip(self.names, given, strict=True))


def published(library: str, model: str, stages: Sequence[str]) -> dict[str, Tensor]:
    """The weights that a library publishes of its network, of its cache or fetched. Raises `WeightsError`."""
    try:
        if library == "timm":
            return dict(_timm(model, stages, pretrained=True).state_dict())
        import torchvision

        weights = torchvision.models.get_model_weights(model).DEFAULT
        state: dict[str, Tensor] = weights.get_state_dict(progress=True, check_hash=True)
        return state
    except (OSError, RuntimeError, AttributeError) as error:
        said = str(error).strip().partition("\n")[0]
        help = "`weights = PATH` takes a copy of that file, `pretrained = False` starts from random ones"
        raise WeightsError(f"cannot fetch {library}'s weights of {model}: {said}", "NC601", help) from None


def described(library: str, model: str) -> dict[str, Any]:
    """The `stages` of a network, as plain data; `error` and `help` instead, where there is no such network."""
    known = models(library)
    if model not in known:
        message = f"{library} has no network `{model}`"
        return {
            "error": message,
            "help": did_you_mean(model, known) or f"it has {len(known)}, such as `{known[0]}`",
        }
    try:
        return {"stages": stages(library, model)}
    except Exception as error:  # whatever its tracer meets in a network that it cannot follow
        said = str(error).strip().partition("\n")[0]
        return {"stages": [], "said": said or type(error).__name__}
