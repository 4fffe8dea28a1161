"""What blocks give, compared with what they declare: shapes, as the first batch shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from netcfg.faults import listed, untrue
from netcfg.graph import Graph, Node
from netcfg.shapes import Shape, show
from netcfg.source import ProgramError


class Given:
    """Called with the number of a node and what it gave. Raises `ProgramError` (NC702) where it declares otherwise.

    `begin` is told an input of the network first, whose samples are counted.
    """

    def __init__(self, graph: Graph) -> None:
        self.nodes = graph.nodes
        self.samples = 0

    def begin(self, input: Tensor) -> None:
        """Take note of how many samples there are."""
        self.samples = len(input)

    def __call__(self, index: int, value: Any) -> None:
        """Compare."""
        expect_declared(self.nodes[index], value, self.samples)


def expect_declared(node: Node, value: Any, samples: int) -> None:
    """Refuse (NC702) what a node gave for so many samples, where it declares something else."""
    ports = [port for port in node.outputs if port]
    if ports and not (isinstance(value, Mapping) and set(ports) <= set(value)):
        names = ", ".join(f"`{port}`" for port in ports)
        raise _untrue(node, f"declares the ports {names}, and gives {_kind(value)}")
    samples = _times(node, samples)
    for port, signal in node.outputs.items():
        tensor = value[port] if port else value
        shape = signal.kept.shape
        if not isinstance(tensor, Tensor):
            raise _untrue(node, f"declares {show(shape)}, and gives {_kind(tensor)}")
        count = 1 if signal.shared else samples  # what is the same for all samples is there once
        if not _fits(tensor, shape, count):
            where = f" at the port `{port}`" if port else ""
            raise _untrue(
                node,
                f"declares {show(shape) or 'one number'}{where} for each of {count} samples, and gives "
                f"{_shown(tensor, count)}",
            )


def _times(node: Node, samples: int) -> int:
    """How many samples a node sees of so many: more, where places are samples; 0 where that is not known."""
    return samples * node.times if isinstance(node.times, int) else 0


def _fits(tensor: Tensor, shape: Shape, samples: int) -> bool:
    """Whether a batch has the shape of its samples, as far as that is known."""
    given = tuple(tensor.shape)
    wanted = (samples or (given[0] if given else 0), *shape)
    return len(given) == len(wanted) and all(
        not isinstance(size, int) or size == found for size, found in zip(wanted, given, strict=True)
    )


def _shown(tensor: Tensor, samples: int) -> str:
    if tensor.dim() and len(tensor) == samples:
        return show(tuple(tensor.shape[1:])) or "one number"
    return f"a tensor of {show(tuple(tensor.shape)) or 'one number'}"


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "the ports " + (", ".join(f"`{port}`" for port in value) or "of nothing")
    return f"{type(value).__name__}, which is no tensor" if not isinstance(value, Tensor) else "a tensor"


def _untrue(node: Node, message: str) -> ProgramError:
    fed = listed(node.given)
    help = "let `shape` say what the module gives, or mend the module"
    return ProgramError([untrue(type(node.block), f"{message} (it is fed {fed})", node.span, help)])
