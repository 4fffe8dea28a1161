"""The `netcfg` command: finds the subcommand, and turns every refusal into one clear message."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any, NoReturn

from netcfg.cli.once import Each, Once

COMMANDS = {
    "check": "find everything that is wrong with files, without data or torch",
    "summary": "list the blocks of a program's networks: shapes, parameters, costs",
    "plan": "the training step: what each phase computes, reuses, cuts and updates",
    "graph": "draw a program's networks, or its training step, as svg, pdf, html and more",
    "diff": "what changed from one file to another: blocks, shapes, costs, training",
    "train": "train a program and keep what came of it in a run folder",
    "sweep": "train with every choice of some variables, ending in one table",
    "eval": "judge trained weights on a split, and keep the predictions",
    "generate": "make pictures by a trained program's {Generation}",
    "predict": "what trained networks say of pictures, folders of them and videos",
    "flow": "optical flow of frames or videos, as pictures",
    "data": "write a data folder, convert its labels, or look at samples",
    "export": "write networks as files that need no netcfg, each proven",
    "report": "runs as one page: figures, curves, samples, programs, settings",
    "table": "the figures of finished runs as one table, for a paper",
    "compare": "what runs were told differently, and what each reached",
    "convert": "turn checkpoints of published systems into safetensors, and back",
    "blocks": "the reference: all section types, or the page of one",
    "zoo": "published networks: the list, or one as a file to start from",
    "new": "three questions, and a file to start from that checks",
    "doctor": "versions, devices, codecs, and what is missing for what",
    "completion": "a script with which a shell completes commands and names",
    "explain": "what the code of a finding means",
    "fmt": "write files in their canonical form",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; gives the exit code: 0 clean, 1 refused, 2 wrong usage, 130 interrupted."""
    ends_the_process = arguments is None
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # Both for a quick start: looking for pydantic's plugins reads the metadata of every package there is, and
    # while modules are imported, objects are only added.
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        _leave_out_plugins()
    gc.disable()
    from netcfg.cli.output import GOING_ON, guarded

    with guarded(goes_on=_command(arguments) in GOING_ON):
        code = _told(arguments)
    if ends_the_process:
        gc.freeze()  # what is left goes with the process, and need not be searched for circles once more
    return code


def _leave_out_plugins() -> None:
    """Say in the place of pydantic's loader of plugins that there are none, as it would.

    It imports `importlib.metadata`, and with that all of `email`, before it looks whether plugins are wanted: a
    twelfth of a `netcfg check`. Whatever else is asked of it is its own.
    """
    name = "pydantic.plugin._loader"
    if name in sys.modules:
        return
    stand_in = ModuleType(name)

    def loader(wanted: str) -> object:
        if wanted.startswith("__"):  # an import asks every module whether it has a `__path__`
            raise AttributeError(wanted)
        del sys.modules[name]
        return getattr(importlib.import_module(name), wanted)

    stand_in.__dict__.update(get_plugins=tuple, __getattr__=loader)
    sys.modules[name] = stand_in


def _told(arguments: Sequence[str]) -> int:
    """Run it, and tell of a refusal; what it printed is written when this returns, or is known to be lost."""
    from netcfg.cli.guides import more_in
    from netcfg.source import NetcfgError, shown_text

    try:
        return _run(arguments)
    except NetcfgError as error:
        print(shown_text(error.told(), lines=True), file=sys.stderr)
        for line in more_in(error.codes):
            print(line, file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"interrupted {interrupt}".rstrip(), file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, e.g. `| head`
        return 0
    except Exception as error:
        from netcfg.faults import NO_MEMORY, blamed, lacks_memory
        from netcfg.source import render

        finding = blamed(error)
        if finding is None and lacks_memory(error):
            refusal = NetcfgError(f"there is not enough memory\nhelp: {NO_MEMORY}", code="NC807")
            print(refusal.told(), file=sys.stderr)
            return 1
        if finding is None:  # our own mistake: the whole traceback helps whoever mends it
            raise
        print(render(finding), file=sys.stderr)
        return 1


def _run(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    parser = _parser(arguments)
    try:
        options, unknown = parser.parse_known_args(arguments)
    except SystemExit:  # with its help written
        sys.stdout.flush()
        raise
    if unknown:
        _refuse(_unknown(parser, unknown[0]))
    if options.command is None:
        parser.print_help()
        return 2
    gc.enable()
    gc.freeze()
    code = int(options.run(options))
    sys.stdout.flush()
    return code


class _Parser(argparse.ArgumentParser):
    """Refuses as all of netcfg does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in (None, "store"):
            self.register("action", name, Once)
        self.register("action", "append", Each)

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        _refuse(f"{message.removeprefix('argument ')}\nhelp: `{self.prog} --help` says what it takes")


class _Checker(argparse.HelpFormatter):
    """For the while in which arguments are added: argparse makes one for each, to see whether it could be shown, and
    one of no given width imports `shutil`, and with it all kinds of archives, to ask how wide the terminal is.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=80)


def _refuse(message: str) -> NoReturn:
    from netcfg.source import NetcfgError, shown_text

    print(shown_text(NetcfgError(message, code="NC801").told(), lines=True), file=sys.stderr)
    raise SystemExit(2)


def _unknown(parser: argparse.ArgumentParser, argument: str) -> str:
    """What is said of an argument that nobody takes."""
    if not argument.startswith("-"):
        return f"`{argument}` is one too many"
    from netcfg.spelling import nearest

    option = argument.partition("=")[0]
    match = nearest(option, _options(parser))
    return f"there is no option `{option}`" + (f"\nhelp: did you mean `{match}`?" if match else "")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _options(inner)


def _command(arguments: Sequence[str]) -> str | None:
    """The subcommand, as far as it can be told before anything is read."""
    return next((argument for argument in arguments if not argument.startswith("-")), None)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; only the named command's module is imported, so that each starts quickly."""
    named = _command(arguments)
    if named is not None and named not in COMMANDS and arguments[0] == named:
        from netcfg.source import did_you_mean

        help = did_you_mean(named, COMMANDS) or "`netcfg --help` lists them"
        _refuse(f"there is no command `{named}`\nhelp: {help}")
    parser = _Parser(
        prog="netcfg", description="A compiler for neural networks in .cfg files.", formatter_class=_Checker
    )
    parser.add_argument(
        "--version", action="version", version=_version() if "--version" in arguments else "netcfg"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", prog="netcfg")
    # Where the command comes first, nobody is shown the others.
    shown = {named: COMMANDS[named]} if named in COMMANDS and arguments[0] == named else COMMANDS
    for command, purpose in shown.items():
        described = purpose.capitalize() + "."
        subparser = subparsers.add_parser(
            command, help=purpose, description=described, formatter_class=_Checker
        )
        if command == named:
            from netcfg.cli.examples import Formatter, with_examples

            module = importlib.import_module(f"netcfg.cli.{command}")
            module.add_arguments(subparser)
            subparser.formatter_class = Formatter
            subparser.epilog = with_examples(command, subparser.epilog)
            subparser.set_defaults(run=module.run)
        else:
            subparser.formatter_class = argparse.HelpFormatter
    parser.formatter_class = argparse.HelpFormatter
    return parser


def _version() -> str:
    from netcfg import __version__

    return f"netcfg {__version__}"
