"""Modules that others have written, measured by running them: what they give, learn, compute and keep.

They run on PyTorch's meta device, which knows shapes and no numbers, and takes no time for them; what does not run
there runs on the processor.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

Shapes = Sequence[Sequence[int]]
_NUMBER = 4
"""Bytes of a number, in which memory is counted."""


class Unfit(Exception):
    """A module does not go with what it is fed, or gives no signals; the text says why."""


def measure(build: Callable[[], nn.Module], shapes: Shapes, costs: bool = True) -> dict[str, Any]:
    """What a module is for inputs of these shapes (without the batch), as plain numbers.

    `outputs` gives the shape of each port (one alone is ""), `parameters` and `frozen` count, `macs`, `kept` and
    `scratch` are for one sample; without `costs` there are `outputs` alone. Raises `Unfit`.
    """
    try:
        return _measured(build, shapes, "meta", costs)
    except Unfit:
        raise
    except (RuntimeError, NotImplementedError) as error:
        if not isinstance(error, NotImplementedError) and "meta" not in str(error):
            raise Unfit(_said(error)) from None
        return _measured(build, shapes, "cpu", costs)


def _measured(build: Callable[[], nn.Module], shapes: Shapes, device: str, costs: bool) -> dict[str, Any]:
    with torch.device(device):
        module = build()
    try:
        # Of a batch of two, as an axis of 1 would not tell whose it is.
        outputs = _outputs(_given(module.eval(), _inputs(shapes, 2, device)))
        if not costs:
            return {"outputs": outputs}
        counts = [value.numel() for value in module.parameters()]
        frozen = sum(value.numel() for value in module.parameters() if not value.requires_grad)
        with FlopCounterMode(display=False) as counter:
            _given(module, _inputs(shapes, 1, device))
        # Of two sizes of batch: what is kept once for all samples, as a weight turned round, is none of a sample.
        kept = [_kept(module.train(), _inputs(shapes, batch, device, not frozen)) for batch in (2, 4)]
        scratch = [_peak(module.eval(), _inputs(shapes, batch, device)) for batch in (2, 4)]
    except (Unfit, NotImplementedError):
        raise
    except Exception as error:  # whatever another's module raises is what is wrong with it
        # That an operation does not run on meta tensors shows in its words alone.
        if device == "meta" and "meta" in str(error):
            raise NotImplementedError(str(error)) from None
        raise Unfit(_said(error)) from None
    return {
        "outputs": outputs,
        "parameters": sum(counts),
        "frozen": frozen,
        # A product and its sum are two operations there, and one here.
        "macs": counter.get_total_flops() // 2,
        "kept": _per_sample(*kept),
        "scratch": _per_sample(*scratch),
    }


def _said(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300] or type(error).__name__


def _inputs(shapes: Shapes, batch: int, device: str, grad: bool = False) -> list[Tensor]:
    return [torch.zeros(batch, *shape, device=device).requires_grad_(grad) for shape in shapes]


def ports_of(given: Any) -> dict[str, Any]:
    """What a module gives, by port: one tensor is "", several have their names, or their numbers."""
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if isinstance(given, tuple | list):
        return {str(index): value for index, value in enumerate(given)}
    return {"": given}


def by_port(kind: Callable[..., nn.Module], /, **arguments: Any) -> nn.Module:
    """A module of a class, which gives its several results by port."""
    module = kind(**arguments)
    module.register_forward_hook(_as_ports)
    return module


def _as_ports(module: nn.Module, inputs: Any, given: Any) -> Any:
    return ports_of(given) if isinstance(given, tuple | list) else given


def _given(module: nn.Module, inputs: Sequence[Tensor]) -> dict[str, Any]:
    with torch.no_grad():
        return ports_of(module(*inputs))


def _outputs(given: Mapping[str, Any]) -> dict[str, list[int]]:
    for name, value in given.items():
        if not isinstance(value, Tensor):
            raise Unfit(
                f"it gives {type(value).__name__}{f' as `{name}`' if name else ''}, which is no tensor"
            )
        if value.dim() == 0 or value.shape[0] != 2:
            raise Unfit(f"it gives {list(value.shape)} for a batch of 2, whose first axis must be the batch")
    return {name: list(value.shape[1:]) for name, value in given.items()}


# --- memory


def _storages(tensors: Sequence[Any]) -> dict[int, int]:
    return {int(one.untyped_storage()._cdata): one.untyped_storage().nbytes() for one in tensors}


def _kept(module: nn.Module, inputs: Sequence[Tensor]) -> int:
    """The bytes that backward keeps beside inputs, outputs and what the module has."""
    saved: dict[int, int] = {}
    held: list[Tensor] = []

    def save(tensor: Tensor) -> Tensor:
        # Held until all are counted: else the next one could be given the number of this one's memory.
        held.append(tensor)
        saved.update(_storages([tensor]))
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        given = list(ports_of(module(*inputs)).values())
    known = _storages([*inputs, *given, *module.parameters(), *module.buffers()])
    return sum(size for key, size in saved.items() if key not in known)


def _peak(module: nn.Module, inputs: Sequence[Tensor]) -> int:
    """The bytes that live at most at once beside inputs and outputs, without gradients."""
    known = [*inputs, *module.parameters(), *module.buffers()]
    with torch.no_grad(), _Living(known) as living:
        given = list(ports_of(module(*inputs)).values())
    before = _storages(known)
    most: int = living.most
    return max(0, most - sum(size for key, size in _storages(given).items() if key not in before))


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the memory of all that operations make; `most` is the most bytes at once."""

    def __init__(self, known: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        # By storage, which views share, and which is freed with the last of them.
        self.seen = weakref.WeakSet([tensor.untyped_storage() for tensor in known])

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = function(*args, **(kwargs or {}))
        for value in tree_leaves(given):
            if isinstance(value, Tensor) and value.untyped_storage() not in self.seen:
                self._follow(value.untyped_storage())
        return given

    def _follow(self, memory: Any) -> None:
        self.seen.add(memory)
        size = memory.nbytes()
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(memory, self._leave, size)

    def _leave(self, size: int) -> None:
        self.now -= size


def _per_sample(two: int, four: int) -> int:
    """Numbers for one sample, of the bytes for batches of two and of four: what does not grow does not count."""
    return max(0, round((four - two) / 2 / _NUMBER))
