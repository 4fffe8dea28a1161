"""A part of a network that keeps nothing for its backward pass, which calls it again.

By `torch.utils.checkpoint`. What that does not know of is brought back here: buffers, which a call writes (statistics,
the vectors of a spectral norm), and what blocks draw of the run's own chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from netcfg.builder.chance import Drawing


def again(network: nn.Module, paths: Sequence[str], part: Callable[..., Any], *given: Any) -> Any:
    """`part(*given)`; where gradients are wanted of it, it is called once more in the backward pass.

    `paths` are the modules of the network that it calls.
    """
    modules = [network.get_submodule(path) for path in paths]
    if not (torch.is_grad_enabled() and _has_gradient(modules, given)):
        return part(*given)
    before = _Before(modules)
    # The random state is PyTorch's own part of it: dropout drops the same.
    return checkpoint(part, *given, use_reentrant=False, context_fn=lambda: (nullcontext(), before))


def _has_gradient(modules: Sequence[nn.Module], given: Sequence[Any]) -> bool:
    return any(isinstance(one, Tensor) and one.requires_grad for one in given) or any(
        parameter.requires_grad for module in modules for parameter in module.parameters()
    )


class _Before(AbstractContextManager[None]):
    """How things stood when a part was first called: inside, it is so again; afterwards, as it was.

    Entered for each backward pass through the part: a gradient that is differentiated again takes several.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._buffers = [buffer for module in modules for buffer in module.buffers()]
        self._values = [buffer.clone() for buffer in self._buffers]
        drawing = [part for module in modules for part in module.modules() if isinstance(part, Drawing)]
        chances = {id(part.chance): part.chance for part in drawing if part.chance is not None}
        self._moments = [(chance, chance.moment()) for chance in chances.values()]
        self._entered: list[ExitStack] = []

    def __enter__(self) -> None:
        stack = ExitStack()
        for chance, moment in self._moments:
            stack.enter_context(chance.at(moment))
        stack.callback(self._write, [buffer.clone() for buffer in self._buffers])
        self._write(self._values)
        self._entered.append(stack)

    def __exit__(self, *error: object) -> None:
        self._entered.pop().close()

    def _write(self, values: Sequence[Tensor]) -> None:
        for buffer, value in zip(self._buffers, values, strict=True):
            # By its data: what has kept the buffer itself for its gradient would find it changed.
            buffer.data.copy_(value)
