"""netcfg: a compiler for neural networks declared in `.cfg` files.

`load` gives the checked program of a file or a text, `build` its networks as plain PyTorch modules, `picture` their
diagrams.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from netcfg.version import VERSION

if TYPE_CHECKING:
    from torch import nn

    from netcfg.compile import check as check
    from netcfg.compile import load as load
    from netcfg.draw import Picture
    from netcfg.graph import Graph
    from netcfg.opened import Run as Run
    from netcfg.passes.plan import Plan
    from netcfg.program import Program as Program
    from netcfg.source import Finding as Finding
    from netcfg.source import NetcfgError as NetcfgError
    from netcfg.source import ProgramError as ProgramError
    from netcfg.tables.cells import Cells

__version__ = VERSION
__all__ = [
    "Finding",
    "NetcfgError",
    "Program",
    "ProgramError",
    "Run",
    "build",
    "check",
    "load",
    "open",
    "picture",
    "plan",
    "table",
    "train",
    "training_picture",
]

_HOMES = {
    "check": "netcfg.compile",
    "load": "netcfg.compile",
    "Program": "netcfg.program",
    "Run": "netcfg.opened",
    "Finding": "netcfg.source",
    "NetcfgError": "netcfg.source",
    "ProgramError": "netcfg.source",
}


def __getattr__(name: str) -> Any:
    """Import the compiler when it is first asked for, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netcfg' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def build(program: Program) -> nn.ModuleDict:
    """The networks of a program by name, with fresh weights.

    What `weights = …` asks for is loaded when a program is trained, or by
    `netcfg.builder.weights.load_pretrained`.
    """
    from netcfg.builder.network import build as build_networks

    return build_networks(program)


def open(folder: str | os.PathLike[str]) -> Run:
    """The run in a folder: its program, epochs, result, networks, what it says of data. Loads no torch.

    Raises `ProgramError` (NC802) where it is none.

    Example::

        run = netcfg.open("runs/aunet-1")
        run.to_frame()["validation.f1"].plot()
        network = run.network()
    """
    from netcfg.opened import open_run

    return open_run(folder)


def train(program: Program, folder: str | os.PathLike[str] | None = None, **choices: Any) -> Run:
    """Train a program into a run folder and give the run. `choices` are those of `netcfg.training.train`.

    Example::

        program = netcfg.load("net.cfg", preset="demo")
        run = netcfg.train(program, each_epoch=lambda epoch: print(epoch.validation.figure("f1")))
    """
    from netcfg.training import train as train_program

    return train_program(program, folder, **choices)


def plan(program: Program) -> Plan:
    """The training step of a program, worked out: printed it is the page of `netcfg plan`; a notebook shows it.

    Raises `ProgramError` (NC403) where it trains nothing.
    """
    from netcfg.passes.plan import check_planned
    from netcfg.passes.plan import plan as planned

    check_planned(program)
    return planned(program)


def table(runs: Iterable[Run], rows: str = "program", columns: str = "metric", **choices: Any) -> Cells:
    """The figures of finished runs as one table, as `netcfg table` makes it: a notebook shows it.

    `choices` are `metric`, `split` and `factor` (100 for per cent). Raises `NetcfgError` where no run has such figures.

    Example::

        runs = [netcfg.open(folder) for folder in Path("runs/net-sweep").iterdir() if folder.is_dir()]
        netcfg.table(runs, rows="au", metric="f1").to_frame()
    """
    from netcfg.tables.cells import Asked, cells_of

    return cells_of(list(runs), Asked(rows, columns, **choices))


def picture(shown: Program | Graph, **choices: Any) -> Picture:
    """The diagram of a program's networks, or of one: a notebook shows it, and `save` writes it to a file.

    `choices` are those of `netcfg.draw.Look`. Raises `NetcfgError` for one that is not there.

    Example::

        netcfg.picture(program, depth=1).save("networks.html")
    """
    from netcfg.draw import picture_of

    return picture_of(shown, choices)


def training_picture(program: Program, *phases: str) -> Picture:
    """The diagram of a program's training step: who feeds and who updates whom, and where gradients end.

    With `phases`, of these and what they need. Raises `NetcfgError` where there is no such phase or no step at all.

    Example::

        netcfg.training_picture(program).save("step.pdf")
    """
    from netcfg.draw.training.picture import training_picture

    return training_picture(program, phases)
