"""Weights that are computed from what is learned: by norm, by spectrum, by a learning rate made equal.

Source: Salimans, Kingma, "Weight Normalization", 2016; Miyato et al., "Spectral Normalization for Generative
Adversarial Networks", 2018; Karras et al., "Progressive Growing of GANs", 2018, section 4.1.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Rule = Literal["weight_norm", "spectral_norm", "equalised"]
EPSILON = 1e-12


class Reparametrised(nn.Module):
    """A module with a `weight`, which may be made from other parameters whenever it is used.

    PyTorch's names: `weight_g` and `weight_v` of a weight norm, `weight_orig` with the buffers `weight_u` and
    `weight_v` of a spectral norm. An equalised weight is N(0, 1) and multiplied when it is used.
    """

    weight_v: Tensor
    weight_u: Tensor
    weight_orig: nn.Parameter
    rule: Rule | None = None
    outputs_at: int = 0
    gain: float = 1.0
    factor: float = 1.0

    def _reparametrise(self, rule: Rule | None, outputs_at: int = 0, factor: float = 1.0) -> None:
        """Put what is learned in the place of `weight`, which is initialised already.

        `outputs_at` is the axis of the weight that counts outputs, `factor` one of the learning rate.
        """
        self.rule, self.outputs_at, self.factor = rule, outputs_at, factor
        weight = self.weight
        assert isinstance(weight, nn.Parameter)
        if rule == "equalised":
            self._equalise(weight)
        elif rule is not None:
            del self.weight
            (self._by_norm if rule == "weight_norm" else self._by_spectrum)(weight.detach())

    def _equalise(self, weight: nn.Parameter) -> None:
        # What an initialisation would scale once is scaled at every use, so that optimizers with steps of one
        # size change all layers alike. With a factor f weights start at 1/f and are used f-fold, and so are
        # learned f times as fast.
        inputs = weight.numel() // weight.shape[self.outputs_at]
        self.gain = self.factor / math.sqrt(inputs)
        nn.init.normal_(weight, 0.0, 1 / self.factor)
        if isinstance(self.bias, nn.Parameter):
            with torch.no_grad():
                # Used times the factor, it then starts as it was initialised.
                self.bias.div_(self.factor)

    def _by_norm(self, weight: Tensor) -> None:
        self.weight_g = nn.Parameter(torch.norm_except_dim(weight, 2, self.outputs_at))
        self.weight_v = nn.Parameter(weight)

    def _by_spectrum(self, weight: Tensor) -> None:
        self.weight_orig = nn.Parameter(weight)
        rows, columns = self._matrix(weight).shape
        self.register_buffer("weight_u", F.normalize(torch.randn(rows), dim=0, eps=EPSILON))
        self.register_buffer("weight_v", F.normalize(torch.randn(columns), dim=0, eps=EPSILON))
        with torch.no_grad():
            for _ in range(15):  # so that a network that is not trained further has the right norm
                self._iterate(self._matrix(weight))

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.outputs_at, 0).flatten(1)

    def _iterate(self, matrix: Tensor) -> None:
        self.weight_v.copy_(F.normalize(matrix.mT.mv(self.weight_u), dim=0, eps=EPSILON))
        self.weight_u.copy_(F.normalize(matrix.mv(self.weight_v), dim=0, eps=EPSILON))

    def _used_weight(self) -> Tensor:
        """The weight as it is used."""
        if self.rule is None:
            return self.weight  # type: ignore[return-value]
        if self.rule == "equalised":
            return self.weight * self.gain  # type: ignore[operator,return-value]
        if self.rule == "weight_norm":
            return torch._weight_norm(self.weight_v, self.weight_g, self.outputs_at)
        return self._by_largest()

    def _by_largest(self) -> Tensor:
        # One step of power iteration for each forward that trains: weights change little from one to the
        # next.
        matrix = self._matrix(self.weight_orig)
        if self.training:
            with torch.no_grad():
                self._iterate(matrix)
        # Copies: the buffers change with the next batch, and gradients still need these.
        largest = torch.dot(self.weight_u.clone(), matrix.mv(self.weight_v.clone()))
        return self.weight_orig / largest

    def _used_bias(self) -> Tensor | None:
        """The bias as it is used."""
        bias = self.bias
        if self.factor != 1 and isinstance(bias, Tensor):
            return bias * self.factor
        return bias  # type: ignore[return-value]

    @torch.no_grad()
    def settle(self) -> None:
        """Keep the weight as it is used, instead of what it is made from; it cannot be trained on as before."""
        if self.rule is None:
            return
        weight, bias = self._used_weight().clone(), self._used_bias()
        for name in ("weight_g", "weight_v", "weight_orig", "weight_u"):
            self._parameters.pop(name, None)
            self._buffers.pop(name, None)
        self.register_parameter("weight", nn.Parameter(weight))
        if bias is not None:
            self.register_parameter("bias", nn.Parameter(bias.clone()))
        self.rule, self.gain, self.factor = None, 1.0, 1.0
