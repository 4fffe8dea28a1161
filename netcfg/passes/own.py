"""Pass: what learns in `{Model}` by itself becomes a network of one block, and is treated as one.

Requires: the model's graph. Ensures: no block of the model has parameters but the networks' uses. The network is called
as the block is, and belongs to the phase that names it, or else to the one whose losses reach it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from netcfg.blocks.network.model import NetworkUse
from netcfg.blocks.network.net import Input, Net
from netcfg.graph import Graph, Node
from netcfg.passes.judge import Judges
from netcfg.passes.reach import Reach
from netcfg.passes.steps import Steps
from netcfg.program import Phase
from netcfg.source import Finding, Note


def with_own_networks(
    model: Graph, networks: Mapping[str, Graph], findings: list[Finding]
) -> tuple[Graph, dict[str, Graph]]:
    """The model with uses of networks in the place of blocks that learn, and these networks by name."""
    made: dict[str, Graph] = {}
    by_path: dict[str, Graph] = {}
    nodes: list[Node] = []
    for node in model.nodes:
        if node.shared is not None and node.shared in by_path:
            nodes.append(_use(node, by_path[node.shared]))
            continue
        if not node.parameters or isinstance(node.block, NetworkUse):
            nodes.append(node)
            continue
        name = _called(node)
        if (other := networks.get(name) or made.get(name)) is not None:
            message = f"[{node.type}] has parameters under its name `{name}`, and a network is called so, too"
            notes = (Note(other.span, "the network is declared here"),)
            findings.append(Finding("NC107", message, node.span, notes, help="give it another `name`"))
        elif node.over or any(signal.folded for signal in node.inputs):
            message = f"[{node.type}] has parameters, and is computed for each place of an axis"
            help = "put it into a network, and write `over` at its use"
            findings.append(Finding("NC210", message, node.span, help=help))
        else:
            made[name] = by_path[node.path] = _network(name, node, model)
            node = _use(node, made[name])
        nodes.append(node)
    if not made:
        return model, made
    weights = tuple(request for request in model.weights if request.path not in by_path)
    return replace(model, nodes=tuple(nodes), weights=weights), made


def _called(node: Node) -> str:
    """`head`; of one without a name `connected3`; within a use of a template `use_head`: no dots, for torch's sake."""
    parts = node.path.split(".")
    if parts[-1].isdigit():
        parts[-1] = node.type + parts[-1]
    return "_".join(parts)


def _network(name: str, node: Node, model: Graph) -> Graph:
    """The block alone, with an input for each signal that it reads."""
    entries: list[Node] = []
    for place, signal in enumerate(node.inputs):
        called = "input" if len(node.inputs) == 1 else f"input{place}"
        block = Input.model_construct(name=called)
        given = signal._replace(producer=place, port="")
        entries.append(Node(called, block, (), {"": given}, node.span, None))
    inputs = tuple(entry.output for entry in entries)
    outputs = {
        port: signal._replace(producer=len(entries), port=port) for port, signal in node.outputs.items()
    }
    inner = node._replace(
        path=node.type, inputs=inputs, outputs=outputs, position=0, scopes=(), once=False, again=None
    )
    weights = tuple(
        request._replace(path=node.type) for request in model.weights if request.path == node.path
    )
    return Graph(name, (*entries, inner), outputs, node.span, Net(freeze=node.freeze), weights, is_block=True)


def _use(node: Node, network: Graph) -> Node:
    use = NetworkUse(name=node.block.name).model_copy(update={"network": network})
    return node._replace(
        block=use, parameters=0, trainable=0, freeze=False, shared=None, source_path=None, macs=network.macs
    )


def owned(
    steps: Steps,
    own: Mapping[str, Graph],
    judges: Judges,
    reach: Reach,
    findings: list[Finding],
) -> Steps:
    """The steps, of which each phase trains what learns in `{Model}` where its losses, and no other's, reach it."""
    phases = [phase for _, phase in steps.phases]
    named = {name for phase in phases for name in phase.optimizer.networks}
    added: dict[str, list[str]] = {}
    for name, graph in own.items():
        if name in named or not graph.trainable:
            continue
        owners = {
            phase.again or phase.name: phase
            for phase in phases
            if any(name in reach.trains(judges.losses[loss]) for loss in phase.losses)
        }
        if len(owners) > 1:
            listed = " and ".join(f"`{owner}`" for owner in owners)
            message = (
                f"the losses of {listed} reach the parameters of `{name}`, and one of them must train it"
            )
            notes = tuple(Note(phase.span, "its losses reach it") for phase in owners.values())
            help = (
                f"name `{name}` in the `networks` of one; the other then only sends its gradients through it"
            )
            findings.append(Finding("NC409", message, graph.span, notes, help=help))
        for owner in list(owners)[:1]:
            added.setdefault(owner, []).append(name)
    return Steps(
        [
            (section, _training(phase, added.get(phase.again or phase.name, [])))
            for section, phase in steps.phases
        ],
        steps.averages,
    )


def _training(phase: Phase, more: list[str]) -> Phase:
    if not more:
        return phase
    networks = (*phase.optimizer.networks, *more)
    optimizer = phase.optimizer.model_copy(update={"networks": networks})
    return phase._replace(optimizer=optimizer)
