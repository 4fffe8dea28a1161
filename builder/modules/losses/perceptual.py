"""Distances of pictures in the features of torchvision's VGG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from netcfg.builder.modules.losses.comparing import Comparing

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, from 0 to 1."""
_SEED = 0


class Perceptual(Comparing):
    """The mean squared (or absolute) difference of features, of each of `layers`, added up, by picture.

    `layers` are `relu<stage>_<convolution>` from 1; `values` says what pictures hold: `unit` 0 to 1, `signed` -1 to 1,
    `imagenet` what VGG takes. `state` holds the weights under torchvision's names; without it they are random.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        network: str,
        layers: tuple[str, ...],
        distance: str,
        values: str,
        state: Mapping[str, Tensor] | None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        whole = _random(network) if state is None else _filled(network, state)
        self.places_of, last = _places(whole, layers)
        # Frozen, and no child whose parameters a loss would seem to learn.
        self.features = whole[: last + 1]
        self.difference = functional.mse_loss if distance == "mse" else functional.l1_loss
        mean, std = (torch.tensor(one).view(1, 3, 1, 1) for one in (_MEAN, _STD))
        shift, scale = {"unit": (mean, std), "signed": (2 * mean - 1, 2 * std)}.get(
            values, (torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1))
        )
        self.register_buffer("shift", shift, persistent=False)
        self.register_buffer("scale", scale, persistent=False)

    def places(self, values: Tensor, targets: Tensor) -> torch.Size:
        """A number for each picture."""
        return targets.shape[:1]

    def cleared(self, targets: Tensor, kept: Tensor) -> Tensor:
        """Black where a picture does not count."""
        return torch.where(kept.reshape(-1, *[1] * (targets.ndim - 1)), targets, 0)

    def each(self, values: Tensor, targets: Tensor, **others: Tensor) -> Tensor:
        """Of every picture."""
        with torch.no_grad():
            wanted = list(self._seen(targets))
        parts = [
            self.difference(own, other, reduction="none").flatten(1).mean(1)
            for own, other in zip(self._seen(values), wanted, strict=True)
        ]
        return sum(parts[1:], start=parts[0])

    def _seen(self, pictures: Tensor) -> Iterator[Tensor]:
        if pictures.shape[1] == 1:
            pictures = pictures.expand(-1, 3, -1, -1)
        x = (pictures - self.shift.to(pictures)) / self.scale.to(pictures)
        for place, block in enumerate(self.features):
            # In double precision for tests of gradients; the weights themselves stay as they are.
            x = (
                functional.conv2d(x, block.weight.to(x), _to(block.bias, x), padding=1)
                if isinstance(block, nn.Conv2d)
                else functional.relu(x)
                if isinstance(block, nn.ReLU)
                else block(x)
            )
            if place in self.places_of:
                yield x


def _to(bias: Tensor | None, x: Tensor) -> Tensor | None:
    return None if bias is None else bias.to(x)


def _places(features: nn.Sequential, layers: tuple[str, ...]) -> tuple[frozenset[int], int]:
    """Which blocks these layers are, and the last of them."""
    found: dict[str, int] = {}
    stage, convolution = 1, 0
    for place, block in enumerate(features):
        if isinstance(block, nn.MaxPool2d):
            stage, convolution = stage + 1, 0
        elif isinstance(block, nn.ReLU):
            convolution += 1
            found[f"relu{stage}_{convolution}"] = place
    places = [found[layer] for layer in layers]
    return frozenset(places), max(places)


def _empty(network: str) -> nn.Sequential:
    import torchvision

    features: nn.Sequential = getattr(torchvision.models, network)(init_weights=False).features
    return features.requires_grad_(False).eval()


@lru_cache(maxsize=2)
def _random(network: str) -> nn.Sequential:
    """Random weights from one seed, whatever else is drawn; made once, as nobody changes them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        features = _empty(network)
        for block in features:
            if isinstance(block, nn.Conv2d):
                nn.init.kaiming_normal_(block.weight, nonlinearity="relu")
                nn.init.zeros_(block.bias)  # type: ignore[arg-type]
    return features


def _filled(network: str, state: Mapping[str, Tensor]) -> nn.Sequential:
    features = _empty(network)
    own = {
        name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")
    }
    features.load_state_dict(own)
    return features


__all__ = ["Perceptual"]
