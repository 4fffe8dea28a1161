"""The parts of networks that an optimizer treats in ways of their own: `rates`, `no_decay`, `layer_decay`.

What a path names is found in the graphs, without torch; which parameters that is, the trainer knows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from netcfg.blocks.optimizers.base import KINDS_WITHOUT_DECAY, Optimizer
from netcfg.graph import Graph, Node
from netcfg.source import Finding, Span, did_you_mean
from netcfg.syntax import Section


class Part(NamedTuple):
    """A network, or what stands at a path or in a folder of paths in it; `path` is "" for the whole."""

    network: str
    path: str

    def __str__(self) -> str:
        return f"{self.network}.{self.path}" if self.path else self.network

    def holds(self, network: str, parameter: str) -> bool:
        """Whether a parameter of a network, by its name in it, belongs to the part."""
        return network == self.network and (not self.path or f"{parameter}.".startswith(f"{self.path}."))


def parts_called(
    name: str, trained: Sequence[str], networks: Mapping[str, Graph], losses: Collection[str] = ()
) -> list[Part]:
    """What a path may mean to an optimizer of these networks: `Encoder.features`, or `features` in any of them.

    `losses` are those that it trains, which it may name, too.
    """
    if name in losses:
        return [Part(name, "")]
    head, _, rest = name.partition(".")
    whole = [Part(head, rest)] if head in trained else []
    found = [part for part in (*whole, *(Part(one, name) for one in trained)) if _is_there(part, networks)]
    return list(dict.fromkeys(found))


def _is_there(part: Part, networks: Mapping[str, Graph]) -> bool:
    return any(True for _ in _nodes(part, networks))


def _nodes(part: Part, networks: Mapping[str, Graph]) -> Iterator[Node]:
    """The nodes of a part that have parameters; of a path inside of one, that one."""
    for node in networks[part.network].blocks:
        below = f"{node.path}.".startswith(f"{part.path}.") or f"{part.path}.".startswith(f"{node.path}.")
        if node.parameters and (not part.path or below):
            yield node


def rate_parts(
    optimizer: Optimizer, networks: Mapping[str, Graph], losses: Collection[str] = ()
) -> dict[Part, float]:
    """The factor of each part in `rates`; the optimizer's phase has been checked."""
    factors = optimizer.rate_factors()
    # The first: `check_groups` refuses a path that may mean several parts.
    return {
        part: factor
        for name, factor in factors.items()
        for part in parts_called(name, optimizer.networks, networks, losses)[:1]
    }


def undecayed_parts(
    optimizer: Optimizer, networks: Mapping[str, Graph], losses: Collection[str] = ()
) -> list[Part]:
    """The parts in `no_decay`."""
    names = [name for name in optimizer.no_decay if name not in KINDS_WITHOUT_DECAY]
    return [part for name in names for part in parts_called(name, optimizer.networks, networks, losses)[:1]]


def layers_of(graph: Graph) -> dict[str, int]:
    """The layer of each block with parameters, from 0 at the input, by the block's path.

    A layer is a block, or the outermost use of a template with all that is in it; a normalisation, and a tensor such as
    a class token, belong to the layer before them.
    """
    numbers: dict[str, int] = {}
    layers: dict[str, int] = {}
    for node in graph.blocks:
        if not node.parameters:
            continue
        scope = next((scope.path for scope in node.scopes if scope.path), None)
        joins = node.block.family == "normalisation" or node.block.owns_tensor()
        if joins and scope is None and numbers:
            layers[node.path] = len(numbers) - 1
        else:
            layers[node.path] = numbers.setdefault(scope or node.path, len(numbers))
    return layers


def check_groups(
    section: Section,
    optimizer: Optimizer,
    networks: Mapping[str, Graph],
    losses: Collection[str],
    findings: list[Finding],
) -> None:
    """That each path in `rates` and `no_decay` names a part of one network, with parameters that train."""
    for key, names in (
        ("rates", list(optimizer.rate_factors())),
        ("no_decay", [name for name in optimizer.no_decay if name not in KINDS_WITHOUT_DECAY]),
    ):
        option = section.option(key)
        for name in names:
            span = _span_of(name, section.span if option is None else option.value_span)
            if name in losses:
                continue
            found = parts_called(name, optimizer.networks, networks)
            if finding := _about(key, name, found, optimizer, networks, losses, span):
                findings.append(finding)


def _about(
    key: str,
    name: str,
    found: list[Part],
    optimizer: Optimizer,
    networks: Mapping[str, Graph],
    losses: Collection[str],
    span: Span,
) -> Finding | None:
    if not found:
        of = " or ".join(f"`{network}`" for network in optimizer.networks)
        kinds = f"; beside paths, {', '.join(KINDS_WITHOUT_DECAY)}" if key == "no_decay" else ""
        known = [*_paths(optimizer, networks), *losses, *(KINDS_WITHOUT_DECAY if key == "no_decay" else ())]
        help = did_you_mean(name, known) or f"`netcfg summary` lists the paths{kinds}"
        return Finding("NC401", f"`{name}` names nothing of {of} that has parameters", span, help=help)
    if len(found) > 1:
        of = " and ".join(f"`{part}`" for part in found)
        return Finding("NC401", f"`{name}` may be {of}", span, help=f"write `{found[0]}`")
    if not any(node.trainable for node in _nodes(found[0], networks)):
        return Finding(
            "NC408", f"`{name}` is frozen, so that `{key}` changes nothing", span, help="take it out"
        )
    return None


def _paths(optimizer: Optimizer, networks: Mapping[str, Graph]) -> dict[str, None]:
    """All paths and folders of paths with parameters, with and without their network's name."""
    known: dict[str, None] = {}
    for name in optimizer.networks:
        known[name] = None
        for node in networks[name].blocks:
            path = node.path if node.parameters else ""
            while path:
                known |= {path: None, f"{name}.{path}": None}
                path = path.rpartition(".")[0]
    return known


def _span_of(name: str, span: Span) -> Span:
    """Where a name stands in the value of an option."""
    text = span.file.line(span.line)[span.column - 1 : span.column - 1 + span.length]
    at = text.find(name)
    return Span(span.file, span.line, span.column + at, len(name)) if at >= 0 else span
