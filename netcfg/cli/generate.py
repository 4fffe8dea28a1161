"""`netcfg generate RUN`: what a trained program makes, of draws or of given pictures, and a sheet of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.bars import shown
from netcfg.cli.numbers import not_negative, positive
from netcfg.cli.pictures import add_picture_arguments, reading_of, refuse_picture_arguments
from netcfg.cli.program import read_settings
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from torch import Tensor

    from netcfg.blocks.samples import Sample
    from netcfg.trainers.prediction.generation import Generator

SAMPLES = 64
SHEET = "grid.png"
MOST_COLUMNS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("trained", metavar="RUN", help="a run folder whose program has a {Generation}")
    parser.add_argument(
        "-n",
        "--number",
        type=positive,
        metavar="N",
        help=f"how many samples (default: {SAMPLES}; with --from, as many as there are pictures)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="a new folder for the pictures")
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=0,
        help="another one makes others; sample n of a seed is always the same",
    )
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="a value in the place of a draw, a constant or an input of {Generation}, e.g. label=5, or, as "
        "the data call it, emotion=happiness; repeatable. Of label=0,1,2 the samples get one each in turn",
    )
    parser.add_argument(
        "--between",
        type=positive,
        metavar="N",
        help="also N pictures on the way from each sample to the next, draws becoming each other",
    )
    parser.add_argument(
        "--from",
        nargs="+",
        dest="given",
        metavar="PICTURES",
        help="pictures, videos or folders that others are made of, for a {Generation} with an [input] of pictures",
    )
    parser.add_argument("--weights", metavar="FILE", help="instead of the run's best")
    parser.add_argument(
        "--batch-size", type=positive, default=64, metavar="N", help="at a time (default: 64)"
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1")
    add_picture_arguments(parser, "as in training")
    add_saying_arguments(parser, "print nothing where all went well", "a line for every batch of pictures")


def run(options: argparse.Namespace) -> int:
    """Make them. What is made by then is kept when it is interrupted."""
    _check(options)
    settings = read_settings(options.settings)
    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.prediction.generation import Generator, graph_of
    from netcfg.trainers.runs.trained import open_run

    device = choose_device(options.device)
    trained = open_run(Path(options.trained), device, Path(options.weights) if options.weights else None)
    graph_of(trained.program)
    generator = Generator(trained.program, trained.networks, device, options.seed, settings)
    _check_given(generator, options)
    folder = Path(options.output)
    if options.given:
        _make_from(generator, folder, options)
    else:
        _make(generator, folder, options)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be, before anything is loaded."""
    folder = Path(options.output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NetcfgError(
            f"{shown_path(folder)} is there already\nhelp: give a new folder with `-o`", code="NC803"
        )
    if options.given and options.between:
        raise NetcfgError(
            "`--between` leads from draw to draw, and `--from` starts from pictures\nhelp: leave one out",
            code="NC801",
        )
    if not options.given:
        refuse_picture_arguments(options, "is for given pictures", "`--from`, or leave it out")
    if options.between and options.number == 1:
        raise NetcfgError(
            "between one sample and the next there must be two\nhelp: `-n 2`, or more", code="NC801"
        )


def _check_given(generator: Generator, options: argparse.Namespace) -> None:
    """Every input is given something, and nothing is given that nobody reads."""
    name = generator.program.name
    if options.given and generator.picture is None:
        message = f"{{Generation}} of {name} reads no pictures, which `--from` gives it"
        help = "leave `--from` out; or write an `[input]` into {Generation}, called as the data's picture is"
        raise NetcfgError(f"{message}\nhelp: {help}", code="NC801")
    if generator.picture is not None and not options.given:
        message = f"{{Generation}} of {name} makes pictures of given ones (`{generator.picture}`)"
        raise NetcfgError(f"{message}\nhelp: name them: `--from PICTURES`", code="NC801")
    if options.between and not generator.draws:
        message = f"`--between` leads from draw to draw, and all that {{Generation}} of {name} draws is set"
        raise NetcfgError(f"{message}\nhelp: leave `--between` out, or a `--set`", code="NC801")
    if generator.lacking:
        lacking = generator.lacking[0]
        message = f"{{Generation}} of {name} reads `{lacking}`, and nothing says what it is"
        raise NetcfgError(f"{message}\nhelp: `--set {lacking}=0`, say", code="NC801")


def _make(generator: Generator, folder: Path, options: argparse.Namespace) -> None:
    """Of draws."""
    import torch

    from netcfg.files import write_beside
    from netcfg.trainers.prediction.generation import GRID, on_the_way, sheet, way_sheet
    from netcfg.trainers.reporting.pictures import draw_single, pixels_of

    count = options.number or SAMPLES
    numbers = on_the_way(count, options.between) if options.between else range(count)
    most = max(GRID, (options.between or 0) + 2)
    _make_folder(folder)
    kept: dict[str, list[Tensor]] = {name: [] for name in generator.names}
    digits, place = len(str(len(numbers) - 1)), 0
    batches = generator.batches(numbers, options.batch_size)
    total = -(-len(numbers) // options.batch_size)
    for some, made in shown(batches, total, "making", "batches", saying(options)):
        for name, pictures in made.items():
            before = f"{name}_" if len(made) > 1 else ""
            for row, pixels in enumerate(pixels_of(name, pictures), place):
                write_beside(folder / f"{before}{row:0{digits}}.png", draw_single(pixels))
            if sum(map(len, kept[name])) < most:
                kept[name].append(pictures)
        place += len(some)
    for name, parts in kept.items():
        after, whole = f"_{name}" if len(kept) > 1 else "", torch.cat(parts)
        drawn = way_sheet(whole, options.between) if options.between else sheet(whole)
        write_beside(folder / f"grid{after}.png", drawn)
    more = f", with {options.between:,} between each and the next," if options.between else ""
    if saying(options) is not Saying.QUIET:
        print(f"wrote {count:,} of {generator.title}{more} and a sheet of them to {shown_path(folder)}")


def _make_from(generator: Generator, folder: Path, options: argparse.Namespace) -> None:
    """Of given pictures, under their names."""
    from netcfg.files import write_beside
    from netcfg.trainers.prediction.folder import write_picture
    from netcfg.trainers.reporting.pictures import draw_rows, draw_single, pixels_of, png

    rows: dict[str, list[Tensor]] = {}
    batches, total = _given(generator, options)
    _make_folder(folder)
    count = 0
    for names, pictures in shown(batches, total, "making", "batches", saying(options)):
        made = generator.samples(range(count, count + len(names)), pictures)
        count += len(names)
        for name, ones in made.items():
            for file, pixels in zip(names, pixels_of(name, ones), strict=True):
                place = f"{name}/{file}" if len(made) > 1 else file
                write_picture(folder / place, draw_single(pixels))
        given = generator.colours(generator.picture or "", pictures)
        for name, ones in {"given": given, **made}.items():
            shown_so_far = rows.setdefault(name, [])
            like = shown_so_far[0].shape if shown_so_far else ones[0].shape
            shown_so_far += [one for one in ones if one.shape == like][: MOST_COLUMNS - len(shown_so_far)]
    import torch

    drawn = draw_rows([(name, torch.stack(ones)) for name, ones in rows.items()])
    write_beside(folder / SHEET, png(drawn))
    if saying(options) is not Saying.QUIET:
        print(f"wrote {generator.title} of {count:,} pictures and a sheet of them to {shown_path(folder)}")


def _given(
    generator: Generator, options: argparse.Namespace
) -> tuple[Iterator[tuple[list[str], Tensor]], int | None]:
    """Batches of given pictures as networks see them, with the files they are written to; and how many batches."""
    from netcfg.trainers.prediction.folder import Places
    from netcfg.trainers.prediction.inputs import open_inputs
    from netcfg.trainers.prediction.prediction import FrameFields, Prediction

    name = generator.picture
    assert name is not None
    assert generator.program.data is not None
    fields = FrameFields(generator.program, (name,), generator.device)
    reading = reading_of(options, generator.program.data.source.reading())
    inputs = open_inputs(options.given, reading=reading)
    places = Places(len(inputs.clips) > 1, taken=(Path(SHEET).stem,))
    size: int = options.batch_size

    def batches() -> Iterator[tuple[list[str], Tensor]]:
        names: list[str] = []
        samples: list[Sample] = []
        frames = (frame for clip in inputs for frame in clip)
        for frame in islice(frames, options.number):
            sample = fields.prepare(frame.image, None)
            if samples and (len(samples) == size or sample[name].shape != samples[0][name].shape):
                yield names, fields.finish(samples)[name]
                names, samples = [], []
            samples.append(sample)
            names.append(places.of(Prediction(frame, (), inputs.named(frame))))
        if samples:
            yield names, fields.finish(samples)[name]

    # Pictures of other sizes than those before them begin a batch of their own: then there are more.
    count = min(len(inputs), options.number or len(inputs)) if inputs.is_counted else 0
    return batches(), -(-count // size) or None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make {shown_path(folder)}: {error.strerror}"
        raise NetcfgError(f"{message}\nhelp: give another folder with `-o`", code="NC804") from None
