"""netcfg: a compiler for neural networks declared in `.cfg` files.

`load` gives the checked program of a file or a text, `build` its networks as plain PyTorch modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from netcfg.compile import check, load
from netcfg.program import Program
from netcfg.source import Finding, NetcfgError, ProgramError

if TYPE_CHECKING:
    from torch import nn

__version__ = "0.1.0"
__all__ = ["Finding", "NetcfgError", "Program", "ProgramError", "build", "check", "load"]


def build(program: Program) -> nn.ModuleDict:
    """The networks of a program by name, with fresh weights.

    What `weights = …` asks for is loaded when a program is trained, or by `netcfg.builder.weights`.
    """
    from netcfg.builder.network import build as build_networks

    return build_networks(program)
