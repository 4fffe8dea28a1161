"""What a computation holds in memory: what backward keeps, and how much lives at once."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netcfg.contract.network.case import Case, Computation
from netcfg.contract.seeds import seeded

if TYPE_CHECKING:
    from torch import Tensor

NUMBER = 4
"""Bytes of a number, in which memory is counted."""


@dataclass(frozen=True)
class Kept:
    """What a forward pass has kept for the gradient: `beside` in bytes, and whether inputs and outputs are among it."""

    beside: int
    inputs: bool
    outputs: bool


def storage(tensor: Tensor) -> int:
    """Of two tensors on the same memory the same number."""
    return int(tensor.untyped_storage()._cdata)


def storages(tensors: Iterable[Tensor]) -> set[int]:
    """The memory of several tensors."""
    return {storage(tensor) for tensor in tensors}


@contextmanager
def _without_onednn() -> Iterator[None]:
    import torch

    enabled = (
        torch._C._get_mkldnn_enabled()
    )  # `torch.backends.mkldnn.flags` warns of settings it does not touch
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(enabled)


def kept(case: Case, batch: int, device: str) -> Kept:
    """What backward keeps of a training forward. Its own parameters and buffers do not count."""
    import torch

    computation = case.computation(device).train(True)
    # What its frozen first layers keep is kept for nobody, as long as nothing before the block learns.
    inputs = case.inputs(batch, device=device, grad=not case.block.frozen_parameters(*case.shapes))
    saved: dict[int, Tensor] = {}

    def save(tensor: Tensor) -> Tensor:
        saved[storage(tensor)] = tensor
        return tensor

    # oneDNN's recurrent kernels keep a workspace of sizes of their own, which says nothing of other machines.
    hooks = torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor)
    with _without_onednn(), hooks, seeded(2):
        given = computation(*inputs)
    # Classes have no gradient, and no other block that keeps them: they count among what the block keeps.
    fed = storages(value for value in inputs if value.is_floating_point())
    made, own = storages(given.values()), storages(_state(computation))
    beside = sum(
        tensor.untyped_storage().nbytes() for key, tensor in saved.items() if key not in fed | made | own
    )
    return Kept(beside, bool(fed & saved.keys()), bool((made - fed) & saved.keys()))


def peak(case: Case, batch: int, device: str) -> int:
    """The bytes that live at most at once in an evaluation without gradients, beside inputs and outputs."""
    import torch

    computation = case.computation(device).train(False)
    inputs = case.inputs(batch, device=device)
    with torch.no_grad(), seeded(2), _living([*inputs, *_state(computation)]) as living:
        given = computation(*inputs)
    made = {storage(value): value.untyped_storage().nbytes() for value in given.values()}
    outside = storages([*inputs, *_state(computation)])
    return max(0, int(living.most) - sum(size for key, size in made.items() if key not in outside))


def per_sample(two: int, four: int) -> float:
    """Numbers for one sample, of the bytes for batches of two and of four: what does not grow does not count."""
    return (four - two) / 2 / NUMBER


def _state(computation: Computation) -> Sequence[Tensor]:
    module = computation.module
    return [] if module is None else [*module.parameters(), *module.buffers()]


def _living(known: Sequence[Tensor]) -> Any:
    """A mode that follows the memory of all that operations make; `most` is the most bytes at once."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __init__(self) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.now = self.most = 0
            self.seen = weakref.WeakSet([tensor.untyped_storage() for tensor in known])

        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = function(*args, **(kwargs or {}))
            for value in tree_leaves(given):
                if hasattr(value, "untyped_storage"):
                    self.follow(value.untyped_storage())
            return given

        def follow(self, memory: Any) -> None:
            if memory in self.seen:
                return
            self.seen.add(memory)
            size = memory.nbytes()
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(memory, self.leave, size)

        def leave(self, size: int) -> None:
            self.now -= size

    return Living()
