"""What cannot leave: a block, named with its place, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from netcfg.faults import NODES
from netcfg.graph import Graph, Node
from netcfg.source import Finding, NetcfgError, ProgramError

HELP = "write it in other blocks, or export the network without it (`--network NAME`)"


def refused(node: Node, form: str, why: str) -> ProgramError:
    """That a block has no such form outside (NC808)."""
    message = f"[{node.type}] `{node.path}` cannot leave as {form}: it {why}"
    return ProgramError([Finding("NC808", message, node.span, help=HELP, notes=node.chain())])


def refused_whole(graph: Graph, form: str, why: str) -> NetcfgError:
    """The same of a whole network, where no block is to blame."""
    return NetcfgError(f"{graph.name} cannot leave as {form}: {why}", code="NC808")


def node_at_fault(error: BaseException) -> Node | None:
    """The block in whose line of a written `forward` an error arose; None where that is no block's."""
    found: Node | None = None
    for one in _causes(error):
        trace = one.__traceback__
        while trace is not None:
            nodes: Mapping[int, Node] | None = trace.tb_frame.f_globals.get(NODES)
            if nodes is not None:
                found = nodes.get(trace.tb_lineno, found)
            trace = trace.tb_next
    return found


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    here: BaseException | None = error
    while here is not None:
        yield here
        here = here.__cause__ or here.__context__


__all__ = ["first_line", "node_at_fault", "refused", "refused_whole"]
