"""`netcfg predict RUN… INPUT`: what trained networks say of a picture, a folder of frames or a video."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.bars import shown
from netcfg.cli.pictures import add_picture_arguments, reading_of
from netcfg.cli.program import add_program_arguments, load_program, refuse_program_arguments, say_changes
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    import torch

    from netcfg.datasets.pictures.frames import Frames
    from netcfg.datasets.pictures.reading import Reading
    from netcfg.program import Program
    from netcfg.trainers.prediction.files import Writer
    from netcfg.trainers.prediction.prediction import Prediction, Predictor
    from netcfg.trainers.runs.trained import Trained

INTERRUPTED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, one for each action unit, say; or a .cfg file"
    )
    parser.add_argument("input", metavar="INPUT", help="a folder of frames in order, a video or a picture")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="a .csv or .json file (default: csv to the terminal)"
    )
    parser.add_argument(
        "--annotate", metavar="DIR|VIDEO", help="frames with bars, into a new folder or a .mp4 or .avi"
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="instead of the run's best; needed with a .cfg file"
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--batch-size", type=int, default=16, metavar="N", help="frames at a time (default: 16)"
    )
    add_picture_arguments(parser, "as in training")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Predict. 0 when done, 130 after Ctrl-C; what was predicted by then is kept either way."""
    _check(options)
    programs = {name: load_program(name, options) for name in options.runs if _is_file(name)}

    from netcfg.trainers.machine.allocation import keep_freed_memory

    keep_freed_memory()
    from netcfg.datasets.pictures.frames import open_frames
    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.prediction.answers import expect_distinct
    from netcfg.trainers.prediction.prediction import Predictor, predict_frames

    device = choose_device(options.device)
    predictors = [Predictor(_trained(name, programs, options, device), device) for name in options.runs]
    expect_distinct((one.name, answer) for one in predictors for answer in one.answers)
    frames = open_frames(
        options.input, same_size=any(one.flow for one in predictors), reading=_reading(predictors, options)
    )
    writers = _writers(options, predictors, frames)
    predictions = predict_frames(predictors, frames, options.batch_size)
    return _write(predictions, writers, len(frames), options)


def _reading(predictors: Sequence[Predictor], options: argparse.Namespace) -> Reading:
    """How the pictures are read: as asked, or else as those were that the networks were trained on."""
    trained = [one.reading for one in predictors]
    if options.turn is None and len({one.turns for one in trained}) > 1:
        raise NetcfgError(
            "some of these runs read pictures turned as they say, and some as they are stored (`turn = False`)\n"
            "help: say how these are meant: `--turn` or `--no-turn`",
            code="NC801",
        )
    most = max(one.max_pixels for one in trained)
    return reading_of(options, replace(trained[0], max_pixels=most))


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be, before anything is loaded."""
    if options.batch_size < 1:
        raise NetcfgError(f"--batch-size must be at least 1, found {options.batch_size}", code="NC801")
    if options.weights and len(options.runs) > 1:
        raise NetcfgError("`--weights` is for one run, and several are named", code="NC801")
    if any(map(_is_file, options.runs)) and not options.weights:
        raise NetcfgError(
            f"which weights does {options.runs[0]} predict with?\n"
            "help: `--weights FILE`, or name a run folder instead of the file",
            code="NC801",
        )
    if not any(map(_is_file, options.runs)):
        refuse_program_arguments(options, "a run predicts as it was trained", "leave it out")


def _is_file(name: str) -> bool:
    return name.endswith(".cfg")


def _trained(
    name: str, programs: dict[str, Program], options: argparse.Namespace, device: torch.device
) -> Trained:
    from netcfg.trainers.runs.trained import Trained, networks_with, open_run

    weights = Path(options.weights) if options.weights else None
    if weights is None or name not in programs:
        trained = open_run(Path(name), device, weights)
        say_changes(Path(name))
        return trained
    program = programs[name]
    return Trained(name, program, networks_with(program, weights, device))


def _writers(options: argparse.Namespace, predictors: Sequence[Predictor], frames: Frames) -> list[Writer]:
    from netcfg.trainers.prediction.files import CsvWriter, FileWriter

    answers = [answer for one in predictors for answer in one.answers]
    writers: list[Writer] = []
    if options.output:
        writers.append(FileWriter(Path(options.output), answers))
    if options.annotate:
        from netcfg.trainers.prediction.annotation import open_annotation

        writers.append(open_annotation(Path(options.annotate), frames))
    return writers or [CsvWriter(sys.stdout, answers)]


def _write(
    predictions: Iterator[Prediction], writers: Sequence[Writer], count: int, options: argparse.Namespace
) -> int:
    done, code = 0, 0
    targets = " and ".join(shown_path(Path(name)) for name in (options.output, options.annotate) if name)
    try:
        for prediction in shown(predictions, count or None, "predicting", "frames"):
            for writer in writers:
                writer.write(prediction)
            done += 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except NetcfgError as error:
        if not done:
            raise
        raise NetcfgError(f"{error}\nnote: what {done} frames before it gave is kept", error.code) from None
    finally:
        if done:
            for writer in writers:
                writer.close()
    _tell(done, code, targets)
    return code


def _tell(done: int, code: int, targets: str) -> None:
    frames = f"{done:,} frame{'s' if done != 1 else ''}"
    if code:
        kept = f"; {targets} holds them" if targets and done else ""
        print(f"stopped after {frames}{kept}", file=sys.stderr)
    elif targets:
        print(f"{targets}: {frames}")
