"""Values in the place of what `{Generation}` draws, holds or is given, as a person writes them: `label=5`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, prod

import torch
from torch import Tensor

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.network.constants import Constant
from netcfg.blocks.network.net import Input
from netcfg.blocks.network.random import Random
from netcfg.builder.chance import Between
from netcfg.graph import Graph, Node
from netcfg.shapes import show
from netcfg.source import NetcfgError, did_you_mean

Fixed = Callable[[Sequence[int | Between]], Tensor]
"""The values of samples with these numbers. Shapes: N×…, or 1×… where they are the same for all."""


def fixed(
    graph: Graph, settings: Mapping[str, str], fields: Mapping[str, FieldSpec] = {}
) -> dict[int, Fixed]:
    """What stands in the place of nodes of a graph, by their numbers.

    A class may be called as in the data, whose `fields` are given: as in the field of its name, or in the one that has
    as many classes. One number stands for all of a signal; as many as it has, for each. Of several for a signal of one,
    sample n gets the n-th, and they begin anew where there are no more. Errors: `NetcfgError` (NC801) for other names
    and values.
    """
    places = {node.path: index for index, node in enumerate(graph.nodes) if _may_be_set(node)}
    for name in settings:
        if name not in places:
            help = did_you_mean(name, places) or "leave it out"
            raise NetcfgError(
                f"--set {name}: {{Generation}} draws, holds and is given nothing of that name\nhelp: {help}",
                code="NC801",
            )
    found = {}
    for name, text in settings.items():
        node = graph.nodes[places[name]]
        found[places[name]] = _of(node, text, _names(node, fields))
    return found


def _names(node: Node, fields: Mapping[str, FieldSpec]) -> tuple[str, ...]:
    """What its classes are called in the data; nothing where that is not clear."""
    if node.output.kind != "class":
        return ()
    count = _classes(node)
    alike = {
        name: field.names
        for name, field in fields.items()
        if field.kind == "class" and field.names and count in (None, len(field.names))
    }
    if node.path in alike:
        return alike[node.path]
    return next(iter(alike.values())) if len(set(alike.values())) == 1 and count is not None else ()


def _may_be_set(node: Node) -> bool:
    if node.is_input:
        return len(node.output.shape) < 3
    return isinstance(node.block, Random | Constant)


def _of(node: Node, text: str, names: tuple[str, ...]) -> Fixed:
    shape = tuple(size for size in node.output.shape if isinstance(size, int))
    values = _numbers(node, text, names)
    is_class = node.output.kind != "number"
    made = torch.tensor(values, dtype=torch.float32)
    if is_class:
        made = made.to(torch.bool if node.output.kind == "truth" else torch.int64)
    if node.output.shared:
        if len(values) not in (1, prod(shape)):
            raise _refused(node, text, f"is {show(shape) or 'one number'}, the same for all samples")
        return lambda numbers: made.expand(prod(shape)).reshape(1, *shape)
    if shape and len(values) not in (1, prod(shape)):
        raise _refused(node, text, f"is {show(shape)}: one number for all of it, or {prod(shape)}")
    if shape:
        return lambda numbers: made.expand(prod(shape)).reshape(1, *shape).expand(len(numbers), *shape)

    def in_turn(numbers: Sequence[int | Between]) -> Tensor:
        firsts = [one.first if isinstance(one, Between) else one for one in numbers]
        return made[torch.tensor(firsts, dtype=torch.int64) % len(made)]

    return in_turn


def _numbers(node: Node, text: str, names: tuple[str, ...]) -> list[float]:
    try:
        items = [item.strip() for item in text.split(",")]
        values = [float(names.index(item)) if item in names else float(item) for item in items]
    except ValueError:
        values = []
    if not values or not all(map(isfinite, values)):
        if names:
            unknown = next(item for item in items if not _is_number(item) and item not in names)
            raise _refused(node, text, f"has no class `{unknown}`", did_you_mean(unknown, names))
        raise _refused(node, text, "takes numbers, with commas between several")
    if node.output.kind == "number":
        return values
    below = _classes(node)
    wrong = next((one for one in values if one != int(one) or one < 0 or (below and one >= below)), None)
    if wrong is not None:
        known = f"0 to {below - 1}" if below else "0, 1, 2, …"
        named = f", or by its name: {', '.join(names)}" if names else ""
        raise _refused(node, text, f"is a class by its number, {known}{named}")
    return values


def _classes(node: Node) -> int | None:
    """How many there are, as far as that is known."""
    block, size = node.block, node.output.shape[-1:]
    if node.output.kind == "truth":
        return 2
    if isinstance(block, Random):
        return block.below or (size[0] if size and isinstance(size[0], int) else None)
    return block.classes if isinstance(block, Input) else None


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _refused(node: Node, text: str, why: str, help: str | None = None) -> NetcfgError:
    after = f"\nhelp: {help}" if help else ""
    return NetcfgError(f"--set {node.path}={text}: `{node.path}` {why}{after}", code="NC801")
