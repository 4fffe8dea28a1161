"""`netcfg export RUN | CFG -o FILE`: networks as files that need no netcfg, each proven before it is written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.program import (
    add_program_arguments,
    load_program,
    refuse_program_arguments,
    say_changes,
)
from netcfg.source import NetcfgError, did_you_mean, shown_path

if TYPE_CHECKING:
    from torch import nn

    from netcfg.program import Program

FORMATS = {"py": ".py"}
"""What `--to` knows, by the ending of a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "Write a program's networks as files that need no netcfg: one Python file of plain PyTorch, with its weights "
        "beside it (.py, .safetensors). What is written has computed the networks' own numbers in a process of its own."
    )
    parser.epilog = (
        "examples: netcfg export runs/aunet-1 -o aunet.py;  netcfg export net.cfg --weights w.safetensors -o net.py;  "
        "netcfg export cfg/audetnet.cfg --network Encoder -o encoder.py"
    )
    parser.add_argument("source", metavar="RUN|CFG", help="a run folder, or a .cfg file")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="NAME.py")
    parser.add_argument(
        "--to", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: by the file's ending)"
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument("--weights", metavar="FILE", help="of a .cfg file; instead of a run's best")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Export, and say how far what was written is from the networks."""
    output = Path(options.output)
    expect_format(output, options.to)
    program, networks = _opened(options)
    names = chosen_networks(program, options.network)

    from netcfg.builder.exports.export import export_python

    made = export_python(program, networks, names, output)
    for one in made.found:
        print(
            f"{one.network}.{one.output}: differs by at most {one.largest:.2g}, {one.relative:.1g} of its largest "
            f"number ({one.sizes})"
        )
    print(
        f"{' and '.join(shown_path(file) for file in made.files)}: {', '.join(names)}, proven ({made.report.name})"
    )
    return 0


def expect_format(output: Path, to: str | None) -> str:
    """The format that is asked for. Raises `NetcfgError` for none, or where the ending says another."""
    if output.is_dir():
        raise NetcfgError(
            f"{shown_path(output)} is a folder\nhelp: name a file in it: `-o {shown_path(output / 'net.py')}`",
            code="NC803",
        )
    if to is not None and to not in FORMATS:
        help = did_you_mean(to, FORMATS) or f"these are known: {', '.join(FORMATS)}"
        raise NetcfgError(f"--to {to}: nothing is exported as that\nhelp: {help}", code="NC801")
    found = to or next((name for name, ending in FORMATS.items() if ending == output.suffix), None)
    if found is None:
        endings = " or ".join(f"`-o {output.stem or 'net'}{ending}`" for ending in FORMATS.values())
        raise NetcfgError(
            f"{shown_path(output)}: its ending says nothing that networks are exported as\nhelp: write {endings}",
            code="NC801",
        )
    if output.suffix != FORMATS[found]:
        raise NetcfgError(
            f"{shown_path(output)} would not end in {FORMATS[found]}, as `--to {found}` does\n"
            f"help: write `-o {output.stem}{FORMATS[found]}`",
            code="NC801",
        )
    return found


def chosen_networks(program: Program, wanted: list[str]) -> list[str]:
    """The networks to export: those that are named, or all."""
    for name in wanted:
        if name not in program.networks:
            help = did_you_mean(name, program.networks) or f"it has {', '.join(program.networks)}"
            raise NetcfgError(f"{program.name} has no network `{name}`\nhelp: {help}", code="NC802")
    return [name for name in program.networks if not wanted or name in wanted]


def _opened(options: argparse.Namespace) -> tuple[Program, nn.ModuleDict]:
    """The program and its networks, with the weights that it is given."""
    weights = Path(options.weights) if options.weights else None
    if not options.source.endswith(".cfg"):
        refuse_program_arguments(options, "a run is exported as it was trained", "leave it out")

        from netcfg.trainers.machine.devices import choose_device
        from netcfg.trainers.runs.trained import open_run

        trained = open_run(Path(options.source), choose_device("cpu"), weights)
        say_changes(Path(options.source))
        return trained.program, trained.networks
    program = load_program(options.source, options)

    import netcfg

    if weights is None:
        print(
            f"{options.source}: with fresh weights; name a run, or `--weights FILE`, for trained ones",
            file=sys.stderr,
        )
        return program, netcfg.build(program)

    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.runs.trained import networks_with

    return program, networks_with(program, weights, choose_device("cpu"))
