"""`netcfg train`: train a program into a run folder, or continue a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.source import Finding, NetcfgError, ProgramError, shown_path

if TYPE_CHECKING:
    from netcfg.program import Program
    from netcfg.trainers.run_folder import RunFolder

INTERRUPTED = 130  # what a shell reports for Ctrl-C

_CONTINUED = ("preset", "set", "epochs", "seed", "limit_batches")
_FIXED = ("seed", "limit_batches")


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser(
        "train",
        help="train a program",
        description="Train a program into a run folder: checkpoints, figures, curves. "
        "Ctrl-C finishes the batch and saves; --resume continues exactly there.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="the program; not needed with --resume")
    parser.add_argument("--preset", metavar="NAME", help="a preset of the file, e.g. demo")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="set a variable; repeatable"
    )
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:1 (default: auto)"
    )
    parser.add_argument("--epochs", type=_positive, metavar="N", help="instead of max_epochs")
    parser.add_argument(
        "--limit-batches", type=_positive, metavar="N", help="at most N batches per split and epoch"
    )
    parser.add_argument("--seed", type=_seed, metavar="N", help="of weights, order and augmentation")
    parser.add_argument(
        "--workers", type=_not_negative, metavar="N", help="processes that prepare data; 0: none"
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="continue the run in this folder (or in --run-dir)",
    )
    parser.add_argument("--run-dir", metavar="DIR", help="where to put the run (default: runs/<file>-<n>)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train. 0 when done, 130 after Ctrl-C; raises `NetcfgError` where the program or the machine refuses."""
    try:
        return _train(args)
    except KeyboardInterrupt:
        print(
            "stopped at once; `netcfg train --resume RUN` continues from the last checkpoint", file=sys.stderr
        )
        return INTERRUPTED


def _train(args: argparse.Namespace) -> int:
    folder = _resumed_folder(args)
    if folder is None and args.file is None:
        raise NetcfgError("which file?\nhelp: `netcfg train FILE`, or `netcfg train --resume RUN`")
    earlier = _continue_with(args, folder)
    program = _load(args, folder)  # before torch: a file with mistakes is refused at once

    from netcfg.trainers.devices import choose_device
    from netcfg.trainers.run_folder import RunFolder
    from netcfg.trainers.trainer import Trainer, override

    device = choose_device(args.device)
    if folder is None:
        run_folder = RunFolder.create(program, Path(args.run_dir) if args.run_dir else None)
        run_folder.write_json("run.json", _started_with(args, program))
    else:
        run_folder = _reopened(folder, program, args)
        run_folder.write_json("run.json", {**earlier, "epochs": args.epochs})
    trainer = Trainer(
        override(program, epochs=args.epochs, seed=args.seed),
        run_folder,
        device=device,
        workers=args.workers,
        limit_batches=args.limit_batches,
    )
    trainer.setup(resume=folder is not None)
    trainer.announce()
    return 0 if trainer.fit() == "finished" else INTERRUPTED


def _resumed_folder(args: argparse.Namespace) -> Path | None:
    if args.resume is None:
        return None
    named = args.resume or args.run_dir
    if not named:
        raise NetcfgError("which run?\nhelp: `netcfg train --resume RUN`, with the folder the run printed")
    if args.resume and args.run_dir and Path(args.resume) != Path(args.run_dir):
        raise NetcfgError("a run continues in its own folder\nhelp: leave out `--run-dir`")
    return Path(named)


def _continue_with(args: argparse.Namespace, folder: Path | None) -> dict[str, Any]:
    """On resume, fill in what the run was started with; refuse (NC406) what would make it another run."""
    if folder is None:
        return {}
    from netcfg.trainers.run_folder import RunFolder

    earlier: dict[str, Any] = RunFolder.open(folder).read_json("run.json")
    for key in _FIXED:
        asked = getattr(args, key)
        if asked is not None and asked != earlier.get(key):
            option = key.replace("_", "-")
            raise ProgramError(
                [
                    Finding(
                        "NC406",
                        f"{shown_path(folder)} was started with {_shown(option, earlier.get(key))}, "
                        f"not with `--{option} {asked}`",
                        help="leave the option out to continue, or start a new run",
                    )
                ]
            )
    for key in _CONTINUED:
        if getattr(args, key) in (None, []):
            setattr(args, key, earlier.get(key))
    return earlier


def _shown(option: str, value: object) -> str:
    return f"no `--{option}`" if value is None else f"`--{option} {value}`"


def _load(args: argparse.Namespace, folder: Path | None) -> Program:
    """The program of the file, or of the run's own copy, in which presets and variables are already applied."""
    import netcfg

    if args.file is None and folder is not None:
        return netcfg.load(folder / "resolved.cfg")
    return netcfg.load(args.file, preset=args.preset, **_variables(args.set or []))


def _variables(assignments: list[str]) -> dict[str, str]:
    """`--set key=value` as a dict. Raises `NetcfgError` for one without `=` or given twice."""
    variables: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key.strip():
            raise NetcfgError(f"`--set {assignment}` sets nothing\nhelp: write `--set name=value`")
        if key.strip() in variables:
            raise NetcfgError(f"`--set {key.strip()}` is given twice\nhelp: leave one out")
        variables[key.strip()] = value.strip()
    return variables


def _reopened(folder: Path, program: Program, args: argparse.Namespace) -> RunFolder:
    from netcfg.trainers.run_folder import RunFolder

    run_folder = RunFolder.open(folder)
    if args.file is not None:
        run_folder.expect_program(program)
    return run_folder


def _started_with(args: argparse.Namespace, program: Program) -> dict[str, Any]:
    """What `run.json` holds: the program's name, and the options that make the run what it is."""
    return {"program": program.name, "file": args.file, **{key: getattr(args, key) for key in _CONTINUED}}


def _positive(text: str) -> int:
    return _whole_number(text, 1)


def _not_negative(text: str) -> int:
    return _whole_number(text, 0)


def _seed(text: str) -> int:
    value = _whole_number(text, 0)
    if value >= 2**31:
        raise argparse.ArgumentTypeError(f"must be below 2147483648, found `{text}`")
    return value


def _whole_number(text: str, least: int) -> int:
    if not text.strip().lstrip("+").isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}, found `{text}`")
    return int(text)
