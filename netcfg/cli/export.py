"""`netcfg export RUN | CFG -o FILE`: networks as files that need no netcfg, each proven before it is written."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.program import (
    add_program_arguments,
    load_program,
    refuse_program_arguments,
    say_changes,
)
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.shapes import show
from netcfg.source import NetcfgError, did_you_mean, shown_path
from netcfg.words import named

if TYPE_CHECKING:
    from torch import nn

    from netcfg.graph import Signal
    from netcfg.program import Program

FORMATS = {"py": ".py", "pt2": ".pt2", "onnx": ".onnx"}
"""What `--to` knows, by the ending of a file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "Write a program's networks as files that need no netcfg: one Python file of plain PyTorch, with its weights "
        "beside it (.py, .safetensors), a traced program (.pt2), or ONNX (.onnx; `pip install 'netcfg[onnx]'`). What "
        "is written has computed the networks' own numbers in a process of its own."
    )
    parser.add_argument("source", metavar="RUN|CFG", help="a run folder, or a .cfg file")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="NAME.py, NAME.pt2 or NAME.onnx"
    )
    parser.add_argument(
        "--to", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: by the file's ending)"
    )
    parser.add_argument(
        "--network", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument("--weights", metavar="FILE", help="of a .cfg file; instead of a run's best")
    parser.add_argument(
        "--with-preprocessing",
        action="store_true",
        help="with the data's normalisation: takes pictures of bytes",
    )
    parser.add_argument(
        "--optimise", action="store_true", help="multiply batch norms into the maps before them"
    )
    parser.add_argument(
        "--bf16", action="store_true", help="also say how far it is off in half precision (.py, .pt2)"
    )
    add_saying_arguments(
        parser,
        "print nothing where all went well",
        "also the networks with their inputs and outputs, how large the files are, and how long it took",
    )
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Export, and say how far what was written is from the networks."""
    output = Path(options.output)
    form = expect_format(output, options.to)

    from netcfg.builder.exports.ours import expect_ours, files_of

    expect_ours(output, files_of(form, output))
    if form == "onnx":
        from netcfg.builder.exports.extras import expect_onnx

        expect_onnx()
        if options.bf16:
            raise NetcfgError(
                "--bf16: onnxruntime has few operators in bf16 on a processor\n"
                "help: export as .py or .pt2 to see what bf16 changes",
                code="NC801",
            )

    def expect(program: Program) -> list[str]:
        names = chosen_networks(program, options.network)
        expect_one(form, program, names, output)
        return names

    said, begun = saying(options), time.monotonic()
    program, names, networks = _opened(options, expect)
    built = time.monotonic()

    from netcfg.builder.exports.export import Asked, export

    asked = Asked(options.bf16, options.with_preprocessing, options.optimise, told_of(program, names))
    if said is Saying.VERBOSE:
        for name in names:
            print("\n".join(_described(program, name)))
    made = export(form, program, networks, names, output, asked)
    if said is Saying.QUIET:
        return 0
    for one in made.found:
        print(
            f"{one.network}.{one.output}{' in bf16' if one.precision == 'bf16' else ''}: differs by at most "
            f"{one.largest:.2g}, {one.relative:.1g} of its largest number ({one.sizes})"
        )
    blind = dict.fromkeys(f"{one.network}.{one.output}" for one in made.found if one.is_blind)
    if blind:
        print(
            f"note: {named(list(blind))} is the same for all samples, as of a layer that starts at 0: what stands "
            "before that was not compared; trained weights tell (`--weights FILE`, or a run)",
            file=sys.stderr,
        )
    print(
        f"{' and '.join(shown_path(file) for file in made.files)}: {', '.join(names)}, proven ({made.report.name})"
    )
    if said is Saying.VERBOSE:
        for file in made.files:
            print(f"{shown_path(file)}: {file.stat().st_size:,} bytes")
        print(f"built in {built - begun:.1f} s, written and proven in {time.monotonic() - built:.1f} s")
    return 0


def _described(program: Program, name: str) -> list[str]:
    """A network and what it takes and gives, a line each."""
    graph = program.networks[name]
    sides = (("takes", graph.inputs), ("gives", graph.outputs))
    return [f"{name}: {graph.parameters:,} parameters"] + [
        f"    {does} {key or 'output'}: {axes_of(one)}" for does, side in sides for key, one in side.items()
    ]


def axes_of(signal: Signal) -> str:
    """The sizes of a signal with a batch before them: `N×3×32×32`."""
    return f"N×{show(signal.shape)}".rstrip("×")


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


def told_of(program: Program, names: list[str]) -> dict[str, dict[str, Any]]:
    """What a file says of its networks: axes of inputs and outputs, and what the numbers of outputs stand for."""
    from netcfg import __version__

    told: dict[str, dict[str, Any]] = {}
    for name in names:
        graph = program.networks[name]
        sides = {"inputs": graph.inputs, "outputs": graph.outputs}
        told[name] = {
            "netcfg": __version__,
            **{
                side: {key or "output": axes_of(one) for key, one in signals.items()}
                for side, signals in sides.items()
            },
        }
        labels = labels_of_outputs(program, name)
        if labels:
            told[name]["labels"] = labels
    return told


def labels_of_outputs(program: Program, name: str) -> dict[str, list[str]]:
    """The names of the entries of a network's outputs, where the data have names for what they are compared with."""
    from netcfg.blocks.network.model import NetworkUse
    from netcfg.trainers.prediction.answers import answers_of

    if program.model is None:
        return {}
    try:
        answers = answers_of(program)
    except NetcfgError:  # nothing says what its signals mean
        return {}
    found: dict[str, list[str]] = {}
    for answer in answers:
        signal = program.signals[answer.signal]
        block = program.model.nodes[signal.producer].block
        if isinstance(block, NetworkUse) and block.network.name == name and answer.names:
            found[signal.port or "output"] = list(answer.names)
    return found


def expect_one(form: str, program: Program, names: list[str], output: Path) -> None:
    """Raises `NetcfgError` (NC801) where a file that holds one network is to hold several."""
    if form != "py" and len(names) > 1:
        raise NetcfgError(
            f"{program.name} has {len(names)} networks, {', '.join(names)}, and a {output.suffix} file holds one\n"
            f"help: say which: `--network {shlex.quote(names[0])}`",
            code="NC801",
        )


def _opened(
    options: argparse.Namespace, expect: Callable[[Program], list[str]]
) -> tuple[Program, list[str], nn.ModuleDict]:
    """The program, the networks that are asked for, and all of them, with the weights that it is given."""
    weights = Path(options.weights) if options.weights else None
    if not options.source.endswith(".cfg"):
        refuse_program_arguments(options, "a run is exported as it was trained", "leave it out")

        from netcfg.trainers.machine.devices import choose_device
        from netcfg.trainers.runs.trained import open_run

        trained = open_run(Path(options.source), choose_device("cpu"), weights)
        say_changes(Path(options.source))
        return trained.program, expect(trained.program), trained.networks
    program = load_program(options.source, options)
    names = expect(program)

    import netcfg

    if weights is None:
        print(
            f"{options.source}: with fresh weights; name a run, or `--weights FILE`, for trained ones",
            file=sys.stderr,
        )
        return program, names, netcfg.build(program)

    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.runs.trained import networks_with

    return program, names, networks_with(program, weights, choose_device("cpu"))
