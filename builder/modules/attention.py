"""Attention with PyTorch's and torchvision's parameters, through one call of its kernels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from netcfg.blocks.initial import Initial
from netcfg.builder.modules.initialization import fill


class _Attention(nn.Module):
    """Heads, and what they are made of."""

    in_proj_bias: nn.Parameter | None

    def __init__(self, features: int, heads: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.features, self.heads, self.dropout = features, heads, dropout
        # Biases start at 0 and `out_proj` as a Linear does: what `nn.MultiheadAttention` starts from.
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * features)) if bias else None
        self.out_proj = nn.Linear(features, features, bias)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def _weight(self, rows: int, columns: int) -> nn.Parameter:
        return nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, columns)))

    def _initialize(self, rule: Initial | None, *weights: Tensor) -> None:
        for weight in weights if rule is not None else ():
            assert rule is not None
            fill(rule, weight)

    def _of_heads(self, x: Tensor) -> Tensor:
        """N×L×F -> N×heads×L×(F/heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # type: ignore[no-untyped-call,no-any-return]

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, causal: bool = False) -> Tensor:
        # The kernel knows no mode: it leaves out whenever it is given a probability.
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout, is_causal=causal)
        return F.linear(x.transpose(1, 2).flatten(2), self.out_proj.weight, self.out_proj.bias)


class SelfAttention(_Attention):
    """N×L×F, unchanged."""

    def __init__(
        self,
        features: int,
        heads: int,
        *,
        dropout: float = 0.0,
        causal: bool = False,
        bias: bool = True,
        initialization: Initial | None = None,
    ) -> None:
        super().__init__(features, heads, dropout, bias)
        self.causal = causal
        self.in_proj_weight = self._weight(3 * features, features)
        self._initialize(initialization, self.in_proj_weight, self.out_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Queries, keys and values of the same tokens."""
        # One product for all three; the weight's rows are PyTorch's: queries, keys, values.
        together = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        queries, keys, values = map(self._of_heads, together.chunk(3, -1))
        return self._attend(queries, keys, values, self.causal)


class CrossAttention(_Attention):
    """N×L×F and N×M×G -> N×L×F."""

    def __init__(
        self,
        features: int,
        given: int,
        heads: int,
        *,
        dropout: float = 0.0,
        bias: bool = True,
        initialization: Initial | None = None,
    ) -> None:
        super().__init__(features, heads, dropout, bias)
        # PyTorch's rule, so that its state dicts load: one weight in three parts where the widths agree, else
        # three by name.
        self.together = given == features
        if self.together:
            self.in_proj_weight = self._weight(3 * features, features)
            self._initialize(initialization, self.in_proj_weight)
        else:
            self.q_proj_weight = self._weight(features, features)
            self.k_proj_weight = self._weight(features, given)
            self.v_proj_weight = self._weight(features, given)
            self._initialize(initialization, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        self._initialize(initialization, self.out_proj.weight)

    def forward(self, x: Tensor, keys: Tensor) -> Tensor:
        """Queries of the first tokens, keys and values of the second."""
        weights = self.in_proj_weight.chunk(3) if self.together else self._apart()
        biases = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        made = (
            F.linear(of, *both)
            for of, both in zip((x, keys, keys), zip(weights, biases, strict=True), strict=True)
        )
        queries, heads, values = map(self._of_heads, made)
        return self._attend(queries, heads, values)

    def _apart(self) -> tuple[Tensor, ...]:
        return self.q_proj_weight, self.k_proj_weight, self.v_proj_weight


class WindowAttention(nn.Module):
    """N×H×W×C, unchanged: attention inside windows that may be shifted."""

    relative_position_index: Tensor

    def __init__(
        self,
        channels: int,
        heads: int,
        window: tuple[int, int],
        shift: tuple[int, int],
        *,
        dropout: float = 0.0,
        bias: bool = True,
        initialization: Initial | None = None,
    ) -> None:
        super().__init__()
        self.heads, self.window, self.shift, self.dropout = heads, window, shift, dropout
        self.qkv = nn.Linear(channels, 3 * channels, bias)
        self.proj = nn.Linear(channels, channels, bias)
        # Along an axis two places of a window are from -(side - 1) to side - 1 apart.
        pairs = (2 * window[0] - 1) * (2 * window[1] - 1)
        self.relative_position_bias_table = nn.Parameter(torch.empty(pairs, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        # In the state, though the window's sides determine it: torchvision's files have it.
        self.register_buffer("relative_position_index", _relative_index(window))
        if initialization is not None:
            fill(initialization, self.qkv.weight)
            fill(initialization, self.proj.weight)
            for linear in (self.qkv, self.proj) if bias else ():
                nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Filled up to whole windows, moved, cut, attended, and all that back."""
        height, width = x.shape[1:3]
        down, across = self.window
        below, right = -height % down, -width % across
        x = F.pad(x, (0, 0, 0, right, 0, below)) if below or right else x
        sizes = x.shape[1:3]
        # A single window along an axis joins all places already: moved, it would only be cut apart. So
        # torchvision has it.
        shift = tuple(
            0 if side >= size else move
            for move, side, size in zip(self.shift, self.window, sizes, strict=True)
        )
        x = x.roll((-shift[0], -shift[1]), (1, 2)) if any(shift) else x
        x = self._attend(self._cut(x), self._mask(sizes, shift, x.dtype))
        x = self._joined(x, sizes)
        x = x.roll(shift, (1, 2)) if any(shift) else x
        return x[:, :height, :width] if below or right else x

    def _cut(self, x: Tensor) -> Tensor:
        """N×H×W×C -> (N·windows)×places×C."""
        x = x.unflatten(2, (-1, self.window[1])).unflatten(1, (-1, self.window[0]))  # type: ignore[no-untyped-call]
        return x.transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def _joined(self, x: Tensor, sizes: torch.Size) -> Tensor:
        """(N·windows)×places×C -> N×H×W×C."""
        rows, columns = sizes[0] // self.window[0], sizes[1] // self.window[1]
        x = x.unflatten(1, self.window).unflatten(0, (-1, rows, columns))  # type: ignore[no-untyped-call]
        return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)

    def _mask(self, sizes: torch.Size, shift: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """What is added to each pair: how they lie to each other, and nearly nothing left of strangers in a window."""
        places = self.window[0] * self.window[1]
        bias = self.relative_position_bias_table[self.relative_position_index]
        bias = bias.view(places, places, -1).permute(2, 0, 1)[None].to(dtype)  # 1×heads×places×places
        if not any(shift):
            return bias
        rows = _stretches(sizes[0], self.window[0], shift[0], bias.device)
        columns = _stretches(sizes[1], self.window[1], shift[1], bias.device)
        # Three stretches along each axis make nine regions; places of different ones were no neighbours
        # before the move.
        regions = self._cut((rows[:, None] * 3 + columns)[None, ..., None])[..., 0]  # windows×places
        # -100, not minus infinity: published weights were trained so, and e^-100 vanishes beside any other
        # term.
        strangers = (regions[:, None] != regions[:, :, None]).to(dtype) * -100.0
        return bias + strangers[:, None]  # windows×heads×places×places

    def _attend(self, x: Tensor, mask: Tensor) -> Tensor:
        queries, keys, values = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # type: ignore[no-untyped-call]
        # A sample's windows lie together in the batch, so that the row of masks, one a window, comes again
        # for each sample.
        if mask.shape[0] > 1:
            mask = mask.expand(x.shape[0] // mask.shape[0], *mask.shape).flatten(0, 1)
        dropout = self.dropout if self.training else 0.0
        x = F.scaled_dot_product_attention(queries, keys, values, mask, dropout)
        x = self.proj(self._beside(x))
        return F.dropout(x, self.dropout, self.training) if dropout else x

    def _beside(self, x: Tensor) -> Tensor:
        """What the heads of a place have found, side by side: N×heads×places×C -> N×places×(heads·C)."""
        return x.transpose(1, 2).flatten(2)


def _relative_index(window: tuple[int, int]) -> Tensor:
    """Which number of the table belongs to each pair of places, in torchvision's order."""
    down, across = torch.meshgrid(torch.arange(window[0]), torch.arange(window[1]), indexing="ij")
    rows = down.flatten()[:, None] - down.flatten() + window[0] - 1
    columns = across.flatten()[:, None] - across.flatten() + window[1] - 1
    return (rows * (2 * window[1] - 1) + columns).flatten()


def _stretches(size: int, window: int, shift: int, device: torch.device) -> Tensor:
    """Along one axis: 0 where windows are whole, 1 and 2 in the last one, before and after what came round."""
    places = torch.arange(size, device=device)
    return (places >= size - window).int() + (places >= size - shift).int() if shift else places * 0
