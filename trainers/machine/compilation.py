"""Generated code for networks (`[training] compile`, `--compile`): torch.compile, where it may be used."""

from __future__ import annotations

import os
import shutil

import torch
from torch import nn

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


def not_compiled(program: Program) -> tuple[str, ...]:
    """The networks that stay as they are: a gradient penalty differentiates twice, which compiled code cannot."""
    evaluated = dict.fromkeys(name for loss in program.losses.values() for name in loss.evaluates)
    return tuple(evaluated)


def compile_line(program: Program) -> str:
    """What is compiled and what is not, in one line."""
    left = not_compiled(program)
    names = [name for name in program.networks if name not in left]
    shown = ", ".join(f"`{name}`" for name in names) or "nothing"
    but = ", ".join(f"`{name}`" for name in left)
    why = f"; not {but}: gradient penalties need second derivatives, which compiled code does not have"
    return f"compiling {shown}, which takes a while at the first batch{why if left else ''}"


def compile_error(error: Exception) -> NetcfgError | None:
    """A failure of the compiler in words; None where the error is another one."""
    if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return None
    reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return NetcfgError(f"the networks cannot be compiled: {reason}\nhelp: leave out `compile`", code="NC807")


def _finds_compiler() -> bool:
    named = os.environ.get("CXX")
    return any(shutil.which(name) for name in ([named] if named else _COMPILERS))
