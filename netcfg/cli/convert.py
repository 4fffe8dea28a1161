"""`netcfg convert`: checkpoints of published systems to safetensors, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

from netcfg.cli.program import add_program_arguments, load_program
from netcfg.source import Finding, ProgramError, shown_path

NETCFG = "netcfg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "inputs", nargs="+", metavar="IN", help="checkpoint: files, or the folder that holds them"
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="a .safetensors file; with --to audetnet a folder",
    )
    parser.add_argument("--cfg", required=True, metavar="FILE", help="the program whose weights they are")
    parser.add_argument(
        "--layout", default=NETCFG, metavar="NAME", help="whose checkpoint IN is (default: netcfg)"
    )
    parser.add_argument(
        "--to", default=NETCFG, metavar="NAME", help="whose checkpoint OUT is to be (default: netcfg)"
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument(
        "--epoch",
        type=int,
        metavar="N",
        help="of the files in a folder, read (default: the last) or written (1)",
    )
    parser.add_argument("--partial", action="store_true", help="take what fits, leave out the rest")
    parser.add_argument("--verbose", action="store_true", help="a line for every parameter")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Convert, and say how much was taken. Raises `ProgramError` where a file is damaged or does not fit."""
    program = load_program(options.cfg, options)  # before torch: a file with mistakes is refused at once

    from netcfg.builder.adaptation import WeightsError
    from netcfg.builder.convert import read_checkpoint, write_published
    from netcfg.builder.layout_kinds import BlockLayout
    from netcfg.builder.weights import layout_named, save_tensors

    output = Path(options.output)
    try:
        layout, target = layout_named(options.layout), layout_named(options.to)
        if options.to == NETCFG and output.suffix != ".safetensors":
            raise _refused(f"{output} would be no .safetensors file", "write `-o NAME.safetensors`")
        inputs = [Path(path) for path in options.inputs]
        if any(output.exists() and path.exists() and output.samefile(path) for path in inputs):
            raise _refused(f"{output} would be read and written", "another name as `-o`")
        has_epochs = isinstance(target, BlockLayout) or any(path.is_dir() for path in inputs)
        if options.epoch is not None and not has_epochs:
            raise _refused(
                "`--epoch` chooses among the files of a folder", "leave it out, or name the folder"
            )
        checkpoint = read_checkpoint(program, inputs, layout, options.network, options.epoch, options.partial)
        if options.to == NETCFG:
            save_tensors(output, checkpoint.state())
        else:
            write_published(
                checkpoint, output, target, program, 1 if options.epoch is None else options.epoch
            )
    except WeightsError as error:
        raise ProgramError([error.finding()]) from None
    for line in checkpoint.lines() if options.verbose else ():
        print(line)
    print(f"{shown_path(output)}: {checkpoint}")
    return 0


def _refused(message: str, help: str) -> ProgramError:
    return ProgramError([Finding("NC801", message, help=help)])
