"""`netcfg generate RUN`: what a trained program makes without data, as pictures and a sheet of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from netcfg.cli.bars import shown
from netcfg.cli.numbers import positive
from netcfg.source import NetcfgError, shown_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("trained", metavar="RUN", help="a run folder whose program has a {Generation}")
    parser.add_argument(
        "-n", "--number", type=positive, default=64, metavar="N", help="how many samples (default: 64)"
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="a new folder for the pictures")
    parser.add_argument(
        "--seed", type=int, default=0, help="another one makes others; sample n of a seed is always the same"
    )
    parser.add_argument("--weights", metavar="FILE", help="instead of the run's best")
    parser.add_argument(
        "--batch-size", type=positive, default=64, metavar="N", help="at a time (default: 64)"
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1")


def run(options: argparse.Namespace) -> int:
    """Make them. What is made by then is kept when it is interrupted."""
    folder = Path(options.output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NetcfgError(
            f"{shown_path(folder)} is there already\nhelp: give a new folder with `-o`", code="NC803"
        )
    from netcfg.files import write_beside
    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.prediction.generation import GRID, Generator, sheet
    from netcfg.trainers.reporting.pictures import draw_single, pixels_of
    from netcfg.trainers.runs.trained import open_run

    device = choose_device(options.device)
    trained = open_run(Path(options.trained), device, Path(options.weights) if options.weights else None)
    generator = Generator(trained.program, trained.networks, device, options.seed)
    _make_folder(folder)
    kept: dict[str, list[object]] = {name: [] for name in generator.names}
    digits = len(str(options.number - 1))
    batches = generator.batches(options.number, options.batch_size)
    total = -(-options.number // options.batch_size)
    import torch

    for numbers, made in shown(batches, total, "making", "batches"):
        for name, pictures in made.items():
            before = f"{name}_" if len(generator.names) > 1 else ""
            for number, pixels in zip(numbers, pixels_of(name, pictures), strict=True):
                write_beside(folder / f"{before}{number:0{digits}}.png", draw_single(pixels))
            if sum(map(len, kept[name])) < GRID:  # type: ignore[arg-type]  # tensors, of a library read later
                kept[name].append(pictures)
    for name, parts in kept.items():
        after = f"_{name}" if len(generator.names) > 1 else ""
        write_beside(folder / f"grid{after}.png", sheet(torch.cat(parts)))  # type: ignore[arg-type]  # likewise
    print(f"wrote {options.number:,} of {generator.title} and a sheet of them to {shown_path(folder)}")
    return 0


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make {shown_path(folder)}: {error.strerror}"
        raise NetcfgError(f"{message}\nhelp: give another folder with `-o`", code="NC804") from None
