"""Pass: `checkpoint = True` saves memory where it is written.

Requires: the graph of a network is known. A network whose parameters are all frozen is let be: gradients may pass it.
"""

from __future__ import annotations

from netcfg.graph import Graph
from netcfg.source import Finding, Span
from netcfg.syntax import Section

_HELP = "leave it out"


def check_checkpoints(graph: Graph, net: Section, findings: list[Finding]) -> None:
    """Report an option with which nothing would be kept less."""
    option = net.option("checkpoint")
    uses = [node.again for node in graph.nodes if node.again is not None]
    if not graph.options.checkpoint and not uses:
        return
    if graph.options.checkpoint and option is not None and uses:
        message = f"`{graph.name}` is computed again as a whole, and so is a use in it by itself"
        findings.append(Finding("NC105", message, uses[0].span, help="leave one of them out"))
    elif graph.trainable and option is not None and graph.options.checkpoint:
        _check_network(graph, option.span, findings)
    elif graph.trainable:
        _check_uses(graph, findings)


def _check_network(graph: Graph, span: Span, findings: list[Finding]) -> None:
    from netcfg.passes.held import kept_in_training  # which no program without the option has to load

    plain, less = kept_in_training(graph, {}).at_most, kept_in_training(graph).at_most
    if isinstance(plain, int) and isinstance(less, int) and less >= plain:
        message = f"`checkpoint` saves nothing in `{graph.name}`: {plain:,} numbers a sample are kept anyway"
        findings.append(Finding("NC105", message, span, help=_HELP))


def _check_uses(graph: Graph, findings: list[Finding]) -> None:
    from netcfg.passes.held import kept_in_training, stretches_of

    stretches, kept = stretches_of(graph), kept_in_training(graph).by_stretch
    empty = {
        node.again.number: node.again
        for index, node in enumerate(graph.nodes)
        if node.again is not None and kept.get(stretches.get(index, -1), 0) == 0
    }
    for again in empty.values():
        message = "`checkpoint` saves nothing here: its blocks keep no more than what they read"
        findings.append(Finding("NC105", message, again.span, help=_HELP))
