"""A block with its options and the shapes it is fed, and the module that computes it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import Block
from netcfg.contract.breach import Breach
from netcfg.contract.seeds import seeded
from netcfg.shapes import show

if TYPE_CHECKING:
    from torch import Tensor, nn

Shapes = tuple[tuple[int, ...], ...]
HEAVY = 3_000_000
HEAVY_MACS = 30_000_000
"""Above so many parameters or multiply-accumulates a variation is compared by shapes and counts alone."""


@dataclass(frozen=True)
class Computation:
    """A callable over tensors, and the module behind it where there is one."""

    call: Callable[..., Any]
    module: nn.Module | None

    def train(self, mode: bool) -> Computation:
        """The same in training or evaluation mode."""
        if self.module is not None:
            self.module.train(mode)
        return self

    def __call__(self, *inputs: Tensor) -> dict[str, Tensor]:
        """What it gives, by port."""
        given = self.call(*inputs)
        return given if isinstance(given, dict) else {"": given}

    def trained(self) -> list[Tensor]:
        """The parameters that ask for gradients."""
        module = self.module
        return [] if module is None else [value for value in module.parameters() if value.requires_grad]

    def state(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, as they are now."""
        module = self.module
        return {} if module is None else {name: value.clone() for name, value in module.state_dict().items()}


@dataclass(frozen=True)
class Case:
    """One variation of a block."""

    block: Block
    shapes: Shapes
    variation: str = ""

    def breach(self, check: str, declared: object, found: object, write: str) -> Breach:
        """What a check has found of this case."""
        return Breach(self.block.type_name, check, self.variation, str(declared), str(found), write)

    @property
    def is_heavy(self) -> bool:
        """Whether it is too large to be computed many times."""
        macs = self.block.macs(*self.shapes)
        return self.block.parameters(*self.shapes) > HEAVY or (isinstance(macs, int) and macs > HEAVY_MACS)

    @property
    def takes_classes(self) -> bool:
        """Whether its main inputs are numbers of classes."""
        return self.block.takes_kinds[0] == "class"

    @property
    def has_fused_kernels(self) -> bool:
        """Whether it holds modules of which each device keeps and makes something else, unseen: recurrent ones."""
        from torch import nn

        module = self.computation("meta" if self.is_heavy else "cpu").module
        return module is not None and any(isinstance(part, nn.RNNBase) for part in module.modules())

    @property
    def is_renamed(self) -> bool:
        """Whether it is its input under a new name, for which nothing is computed."""
        return len(self.shapes) == 1 and self.inline_source() == self.names[0]

    @property
    def is_shared(self) -> bool:
        """Whether what it gives is the same for all samples, in a batch of one."""
        return self.block.is_shared(*(False for _ in self.shapes))

    def declared(self) -> dict[str, tuple[int, ...]]:
        """The shapes that it says it gives, by port."""
        made: Any = self.block.shape(*self.shapes)
        return made if isinstance(made, dict) else {"": made}

    def computation(self, device: str = "cpu", seed: int = 0) -> Computation:
        """What computes it, with fresh parameters."""
        import torch

        source = self.inline_source()
        if source is not None and not self.block.owns_tensor():
            return Computation(self.evaluated(source), None)
        if self.is_heavy and seed == 0:
            built = _built(self, device)
            module = (
                built if device == "meta" else copy.deepcopy(built)
            )  # a module without numbers has no state
        else:
            with seeded(seed), torch.device(device):
                module = self.lowered()
        return Computation(self.called(module), module)

    def lowered(self) -> nn.Module:
        """The module that `lower` gives."""
        from netcfg.blocks.made import Made

        lowered = self.block.lower(*self.shapes)
        return lowered.build() if isinstance(lowered, Made) else lowered

    def called(self, module: nn.Module) -> Callable[..., Any]:
        """The function that a module of the block is, or the line of Python that reads the module's one tensor."""
        source = self.inline_source() if self.block.owns_tensor() else None
        return self.evaluated(source or f"module({self.block.call(*self.names)})", module)

    def inline_source(self) -> str | None:
        """Its line of Python, over x0, x1, …."""
        return self.block.inline(*self.names, *(["module.value"] if self.block.owns_tensor() else []))

    @property
    def names(self) -> tuple[str, ...]:
        """What its inputs are called in a line of Python; behind them a signal of the batch, where it needs that."""
        return tuple(f"x{index}" for index in range(len(self.shapes) + self.block.needs_batch()))

    def evaluated(self, source: str, module: nn.Module | None = None) -> Callable[..., Any]:
        """The function of a line of Python. The block's author wrote the line; whoever runs the block runs it."""
        import torch

        scope = {"torch": torch, "F": torch.nn.functional, "module": module}
        function: Callable[..., Any] = eval(f"lambda {', '.join(self.names)}: {source}", scope)
        return function

    def inputs(self, batch: int = 2, seed: int = 1, device: str = "cpu", grad: bool = False) -> list[Tensor]:
        """Random numbers of its shapes."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        made = [torch.randn(batch, *shape, generator=generator) for shape in self.shapes]
        if self.takes_classes:
            made[: len(self.block.main(made))] = [(value > 0).long() for value in self.block.main(made)]
        made = [value.to(device) for value in made]
        given = [value.requires_grad_(grad and value.is_floating_point()) for value in made]
        return [*given, *([torch.zeros(batch, 1, device=device)] if self.block.needs_batch() else [])]


@lru_cache(maxsize=2)
def _built(case: Case, device: str) -> nn.Module:
    """The module of a heavy block, of which copies are quicker than new ones."""
    import torch

    with seeded(0), torch.device(device):
        return case.lowered()


def close(one: Tensor, other: Tensor) -> bool:
    """Whether two results are the same but for rounding."""
    import torch

    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True)


def shown(shapes: Shapes) -> str:
    """Shapes as an example writes them."""
    return ", ".join(show(shape) or "one number" for shape in shapes)
