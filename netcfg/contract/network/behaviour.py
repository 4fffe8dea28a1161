"""What a block does with samples, gradients, precisions and copies."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import Block
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.network.case import Case, close
from netcfg.contract.network.options import refusal
from netcfg.contract.seeds import seeded

if TYPE_CHECKING:
    from torch import Tensor


PLACES = 5
"""Of a row with which `each_place` is tried."""


def samples(case: Case) -> Iterator[Breach]:
    """`depends_on_batch`: a batch of two against two of one, and chance, in training and in evaluation."""
    import torch

    if case.block.depends_on_batch() or case.is_shared:
        return
    write = (
        "depends_on_batch" if type(case.block).depends_on_batch is not Block.depends_on_batch else "by_sample"
    )
    inputs = case.inputs(2)
    for training in (False, True):
        mode = "in training" if training else "in evaluation"
        whole = case.computation().train(training)
        before = whole.state()
        with torch.no_grad(), seeded(2):
            together = whole(*inputs)
        if training and not _same_state(before, whole.state()):
            yield case.breach("by_sample", True, "buffers that remember a batch, in training", write)
            return
        try:
            with torch.no_grad(), seeded(3):
                alone = [case.computation().train(training)(*(x[i : i + 1] for x in inputs)) for i in (0, 1)]
        except (RuntimeError, ValueError) as error:
            yield case.breach("by_sample", True, f"{what_was_raised(error)} (one sample, {mode})", write)
            return
        for port, values in together.items():
            if not close(values, torch.cat([one[port] for one in alone])):
                found = f"other numbers in a batch of two than alone, {mode}"
                yield case.breach("by_sample", True, found, write)
                return


def repeats(case: Case) -> Iterator[Breach]:
    """The same numbers for the same inputs, however often it was asked before, in evaluation."""
    import torch

    computation, inputs = case.computation().train(False), case.inputs()
    with torch.no_grad():
        with seeded(2):
            first = computation(*inputs)
        with seeded(2):
            second = computation(*inputs)
    if not all(close(value, second[port]) for port, value in first.items()):
        yield case.breach(
            "evaluation", "the same numbers each time", "others when it is asked again", "lower"
        )


def places(case: Case) -> Iterator[Breach]:
    """`each_place`: whether frames or tokens change when another one does."""
    import torch

    if not case.shapes or not case.block.is_each_place() or not case.block.by_sample:
        return
    row = Case(case.block, tuple((PLACES, shape[-1]) for shape in case.shapes if shape), case.variation)
    if len(row.shapes) < len(case.shapes) or refusal(row.block, row.shapes) is not None:
        return
    inputs = row.inputs(2)
    others = [value.clone() for value in inputs]
    for value in others:
        value[:, -1] = value[:, 0]
    computation = row.computation().train(False)
    with torch.no_grad(), seeded(2):
        one, other = computation(*inputs), computation(*others)
    for port, values in one.items():
        if values.shape[1:2] != (PLACES,) or not close(values[:, :-1], other[port][:, :-1]):
            found = "other numbers in a row's places when the last one is another"
            yield case.breach("each_place", True, found, "each_place, or is_each_place")
            return


def gradients(case: Case) -> Iterator[Breach]:
    """`stops_gradient`: whether a gradient comes through to any input."""
    import torch

    if not case.shapes:
        return

    inputs = case.inputs(grad=True)
    if not inputs or not all(value.requires_grad for value in inputs):  # classes have no gradients
        return
    computation = case.computation().train(True)
    with seeded(2):
        given = computation(*inputs)
    reached = [
        value
        for made in given.values()
        if made.requires_grad
        for value in torch.autograd.grad(
            (made * made + made).sum(), inputs, allow_unused=True, retain_graph=True
        )
        if value is not None
    ]
    starts_at_zero = any(not bool(value.any()) for value in computation.trained())
    stops = not any(starts_at_zero or bool(value.any()) for value in reached)
    said = not case.block.gradient_reaches(len(inputs))
    if stops != said and (inputs or reached):
        found = "that none comes through" if stops else "a gradient at its input"
        yield case.breach("stops_gradient", said, found, "stops_gradient, or gradient_reaches")


def lowerings(case: Case) -> Iterator[Breach]:
    """`lower` against `inline`, where a block has both."""
    import torch

    source = case.inline_source()
    if source is None or case.block.owns_tensor() or type(case.block).lower is Block.lower:
        return
    inputs = case.inputs()
    for training in (True, False):
        with torch.no_grad():
            with seeded(2):
                line = case.evaluated(source)(*inputs)
            with seeded(2):
                given = case.lowered().train(training)
                module = case.called(given)(*inputs)
        if not close(line, module):
            yield case.breach("inline", source, "other numbers than those of `lower`", "inline")
            return


def formats(case: Case) -> Iterator[Breach]:
    """Zeros, bf16 and channels-last: numbers, the shapes declared, and the same values."""
    import torch

    inputs = case.inputs()
    with torch.no_grad():
        zeros = case.computation().train(False)(*(torch.zeros_like(x) for x in inputs))
        if not all(_finite(value) for value in zeros.values()):
            yield case.breach("zeros", "numbers", "NaN or infinite ones", "lower")
        with seeded(2):
            wanted = case.computation().train(False)(*inputs)
        computation = case.computation().train(False)
        if computation.module is not None:
            computation.module.to(memory_format=torch.channels_last)
        last = [x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x for x in inputs]
        with seeded(2):
            given = computation(*last)
    if not all(close(value, wanted[port]) for port, value in given.items()):
        yield case.breach("channels last", "the same numbers", "others", "lower")
    yield from _half(case)
    yield from _own_precision(case)


def _own_precision(case: Case) -> Iterator[Breach]:
    """Of inputs and a module in bf16 a result in bf16: one of f32 makes all that follows as large again."""
    import torch

    inputs = [value.bfloat16() if value.is_floating_point() else value for value in case.inputs()]
    # What an option changes of it is rare, and a copy of the module in bf16 for each takes long.
    if case.variation or not case.shapes or not all(value.is_floating_point() for value in inputs):
        return
    computation = case.computation().train(False)
    if computation.module is not None:
        computation.module.to(torch.bfloat16)
    try:
        with torch.no_grad(), seeded(2):
            given = computation(*inputs)
    except RuntimeError:  # torch has no such kernel on this device
        return
    for value in given.values():
        if value.is_floating_point() and value.dtype != torch.bfloat16:
            yield case.breach("bf16", "a result in bf16", f"one of {value.dtype}", "lower")
            return


def _half(case: Case) -> Iterator[Breach]:
    """A training step in bf16."""
    import torch

    computation, inputs = case.computation().train(True), case.inputs(grad=True)
    try:
        with torch.autocast("cpu", torch.bfloat16), seeded(2):
            given = [value for value in computation(*inputs).values() if value.requires_grad]
        total = torch.stack([value.float().sum() for value in given]).sum() if given else None
        if total is not None:
            wanted = [value for value in inputs if value.requires_grad] + computation.trained()
            torch.autograd.grad(total, wanted, allow_unused=True)
    except RuntimeError as error:
        yield case.breach("bf16", "a training step", what_was_raised(error), "lower")
        return
    if not all(map(_finite, given)):
        yield case.breach("bf16", "numbers", "NaN or infinite ones", "lower")


def copies(case: Case) -> Iterator[Breach]:
    """That a block and its module can be copied and pickled, and then compute the same."""
    import torch

    computation = case.computation()
    module, inputs = computation.module, case.inputs()
    if module is None:
        return
    for part in module.modules():
        plain = next((name for name, value in vars(part).items() if isinstance(value, torch.Tensor)), None)
        if plain is not None:  # `.to(device)` would leave it behind
            found = f"`{plain}`, which is neither"
            yield case.breach("tensors", "parameters and buffers", found, "lower")
    with torch.no_grad(), seeded(2):
        wanted = computation.train(False)(*inputs)
    ways: dict[str, Callable[[], Any]] = {
        "copy.deepcopy": lambda: copy.deepcopy(module),
        "pickle": lambda: _pickled(module),
    }
    for way, copied in ways.items():
        try:
            with torch.no_grad(), seeded(2):
                given = case.called(copied())(*inputs)
        except Exception as error:  # whatever a class raises when it is copied is the finding
            yield case.breach(way, "a copy of its module", what_was_raised(error), "lower")
            continue
        given = given if isinstance(given, dict) else {"": given}
        if not all(close(given[port], wanted[port]) for port in wanted):
            yield case.breach(way, "a copy that computes the same", "other numbers", "lower")


def _pickled(module: Any) -> Any:
    """Through a pickle and back. A class that is written inside `lower` is found again; what it holds must pickle."""
    classes: dict[str, type] = {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: Any) -> str | None:
            if not isinstance(thing, type) or "<locals>" not in thing.__qualname__:
                return None
            classes[thing.__qualname__] = thing
            return thing.__qualname__

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, name: Any) -> Any:
            return classes[name]

    held = io.BytesIO()
    Pickler(held).dump(module)
    return Unpickler(io.BytesIO(held.getvalue())).load()


def _finite(value: Tensor) -> bool:
    return bool(value.isfinite().all())


def _same_state(before: dict[str, Tensor], after: dict[str, Tensor]) -> bool:
    return all(close(value.float(), after[name].float()) for name, value in before.items())


def chance(case: Case) -> Iterator[Breach]:
    """Fresh parameters are drawn from what chance there is: who seeds it gives all blocks below the same numbers."""
    import torch

    if case.is_heavy or case.variation or case.inline_source() is not None:
        return
    after = []
    for seed in (1, 2):
        with seeded(seed):
            case.lowered()
            after.append(torch.default_generator.get_state())
    if bool((after[0] == after[1]).all()):
        yield case.breach("chance", "numbers drawn from the process's own", "that it seeds it", "lower")
