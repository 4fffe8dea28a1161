"""Generated code for networks (`[training] compile`, `--compile`): torch.compile, where it may be used."""

from __future__ import annotations

import os
import shutil

import torch
from torch import nn

from netcfg.passes.gradients import differentiated
from netcfg.passes.held import makes_again
from netcfg.program import Program
from netcfg.source import NetcfgError

_COMPILERS = ("g++", "clang++", "c++", "gcc", "clang", "cc")


def compile_networks(program: Program, networks: nn.ModuleDict, device: torch.device) -> None:
    """Let networks be compiled when they are first called, in place.

    Raises `NetcfgError` where this machine has no compiler, which PyTorch needs for processors and GPUs alike.
    """
    if not _finds_compiler():
        raise NetcfgError(
            f"compiling for {device.type} needs a C++ compiler, and this machine has none\n"
            "help: install g++ or name one in CXX, or leave out `compile`",
            code="NC807",
        )
    left = not_compiled(program)
    for name, network in networks.items():
        if name not in left:
            network.compile()


def not_compiled(program: Program) -> dict[str, str]:
    """The networks that stay as they are, and why."""
    again = "its backward pass computes it again, which is done outside compiled code"
    twice = "gradient penalties need second derivatives, which compiled code does not have"
    derived = "a [gradient] needs its second derivatives, which compiled code does not have"
    remembers = "it remembers, and is written between batches"
    left = {name: again for name, graph in program.networks.items() if makes_again(graph)}
    for name, graph in program.networks.items():
        if any(node.block.has_state for node in graph.nodes):
            left[name] = remembers
    if program.model is not None:
        left |= dict.fromkeys(differentiated(program.model), derived)
    return left | {name: twice for loss in program.losses.values() for name in loss.evaluates}


def compile_line(program: Program) -> str:
    """What is compiled and what is not, in one line."""
    left = not_compiled(program)
    names = [name for name in program.networks if name not in left]
    shown = ", ".join(f"`{name}`" for name in names) or "nothing"
    line = f"compiling {shown}, which takes a while at the first batch"
    for reason in dict.fromkeys(left.values()):
        but = ", ".join(f"`{name}`" for name, why in left.items() if why == reason)
        line += f"; not {but}: {reason}"
    return line


def compile_error(error: Exception) -> NetcfgError | None:
    """A failure of the compiler in words; None where the error is another one."""
    if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return None
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return NetcfgError(f"the networks cannot be compiled: {reason}\nhelp: leave out `compile`", code="NC807")


def _finds_compiler() -> bool:
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ([named] if named else _COMPILERS))
