"""`netcfg predict RUN… INPUT…`: what trained networks say of pictures, folders of them and videos."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from netcfg.cli.bars import shown
from netcfg.cli.combining import SWEEP_FILE, add_combining_arguments, ways_of, with_runs_of_sweeps
from netcfg.cli.numbers import not_negative, positive
from netcfg.cli.pictures import add_picture_arguments, reading_of
from netcfg.cli.program import add_program_arguments, load_program, refuse_program_arguments, say_changes
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

if TYPE_CHECKING:
    import torch

    from netcfg.datasets.pictures.reading import Reading
    from netcfg.program import Program
    from netcfg.trainers.prediction.answers import Answer
    from netcfg.trainers.prediction.files import Unit, Writer
    from netcfg.trainers.prediction.inputs import Inputs
    from netcfg.trainers.prediction.prediction import Prediction, Predictor
    from netcfg.trainers.runs.trained import Trained

INTERRUPTED = 130
ROWS = 256
"""Rows of arrays at a time."""
_RUN_FILES = ("run.json", "resolved.cfg", SWEEP_FILE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="run folders, one for each action unit, say; or a .cfg file"
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="pictures, videos, folders with all below them, patterns ('**/*.png'), .txt lists of names, camera:0; "
        "of a run on arrays .npz files, a row for each sample",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a .csv or .json file, or a new folder, which also holds masks, pictures and embeddings",
    )
    parser.add_argument(
        "--annotate", metavar="DIR|VIDEO", help="frames with bars, into a new folder or a .mp4 or .avi"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file of `-o` or `--annotate`")
    parser.add_argument(
        "--format",
        choices=("text", "csv", "json"),
        help="without -o (default: text on a terminal, csv into a file or a pipe)",
    )
    parser.add_argument(
        "--on-error",
        choices=("stop", "skip"),
        default="stop",
        help="at a picture that cannot be read: stop, with what came before (default), or leave it out",
    )
    add_combining_arguments(parser)
    parser.add_argument(
        "--tiles",
        type=positive,
        metavar="N",
        help="masks and pictures of larger pictures from tiles of N pixels, blended, each seen at the network's size",
    )
    parser.add_argument(
        "--overlap",
        type=not_negative,
        metavar="M",
        help="pixels that tiles share (default: an eighth of them)",
    )
    parser.add_argument(
        "--frames",
        type=positive,
        metavar="N",
        help="of networks that see whole clips: at most N frames of each, evenly spaced (default: 300)",
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="instead of the run's best; needed with a .cfg file"
    )
    parser.add_argument("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1")
    parser.add_argument(
        "--batch-size", type=positive, metavar="N", help="frames at a time (default: 16, of a camera 1)"
    )
    add_picture_arguments(parser, "as in training")
    add_saying_arguments(parser, "the answers only, without how far it is", "a line for every frame")
    add_program_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Predict. 0 when done, 130 after Ctrl-C; what was predicted by then is kept either way."""
    runs, inputs = told_apart([*options.runs, *options.inputs])
    runs = with_runs_of_sweeps(runs)
    ways = ways_of(options, len(runs))
    _check(runs, options)
    programs = {name: load_program(name, options) for name in runs if _is_file(name)}

    from netcfg.trainers.machine.allocation import keep_freed_memory

    keep_freed_memory()
    from netcfg.trainers.machine.devices import choose_device
    from netcfg.trainers.prediction.answers import expect_distinct
    from netcfg.trainers.prediction.inputs import open_inputs
    from netcfg.trainers.prediction.prediction import Predictor

    device = choose_device(options.device)
    into_folder = _is_folder(options.output) or bool(options.annotate and not options.output)
    trained = [_trained(name, programs, options, device) for name in runs]
    if _are_rows(trained, inputs):
        return _predict_rows(trained, [Path(name) for name in inputs], device, options)
    predictors = [Predictor(one, device, into_folder, ways) for one in trained]
    reading = _reading(predictors, options)
    if options.ensemble:
        from netcfg.trainers.prediction.ensembles import Ensemble

        predictors = [Ensemble(predictors, options.ensemble)]
    expect_distinct((one.name, answer) for one in predictors for answer in one.answers)
    left_out: list[NetcfgError] = []
    frames = open_inputs(
        inputs,
        same_size=any(one.flow for one in predictors),
        on_error=left_out.append if options.on_error == "skip" else None,
        reading=reading,
    )
    of_clips = _sees_clips(predictors, options)
    if options.batch_size is None:  # what a camera shows is of interest now
        options.batch_size = 1 if frames.is_live else 16
    if of_clips and frames.is_live:
        raise NetcfgError(
            "these runs answer whole clips, and what a camera shows has no end\n"
            "help: record a video, or name runs that answer single frames",
            code="NC801",
        )
    predictions = _predictions(predictors, frames, of_clips, options)
    writers = _writers(options, predictors, frames, of_clips)
    count = len(frames.clips) if of_clips else len(frames) if frames.is_counted else 0
    code = _write(predictions, writers, count, "clip" if of_clips else "frame", options)
    for error in left_out:
        print(f"left out: {str(error).partition(chr(10))[0]}", file=sys.stderr)
    return code


def _are_rows(trained: Sequence[Trained], names: Sequence[str]) -> bool:
    """Whether files of arrays are named, and some of the runs were trained on such."""
    endings = {ending for one in trained if one.program.data for ending in one.program.data.source.rows_of}
    return bool(endings) and all(Path(name).suffix.lower() in endings for name in names)


def _predict_rows(
    trained: Sequence[Trained], files: Sequence[Path], device: torch.device, options: argparse.Namespace
) -> int:
    """The same of rows, which are told in a table."""
    _refuse_for_rows(options)
    from netcfg.trainers.prediction.answers import expect_distinct
    from netcfg.trainers.prediction.rows import RowPredictor, Rows

    predictors = [RowPredictor(one, device) for one in trained]
    expect_distinct((one.name, answer) for one in predictors for answer in one.answers)
    rows = Rows(predictors, files)
    answers = [answer for one in predictors for answer in one.answers]
    writers = _tables(options, answers, "row")
    return _write(rows.predictions(options.batch_size or ROWS), writers, len(rows), "row", options)


def _refuse_for_rows(options: argparse.Namespace) -> None:
    """Raise `NetcfgError` for what is of pictures in files."""
    asked = {
        "--annotate": options.annotate,
        "--on-error": options.on_error == "skip",
        "--tta": options.tta,
        "--ensemble": options.ensemble,
        "--tiles": options.tiles,
        "--frames": options.frames,
        "--turn": options.turn is True,
        "--no-turn": options.turn is False,
        "--max-pixels": options.max_pixels,
    }
    option = next((option for option, value in asked.items() if value), None)
    if option is not None:
        raise NetcfgError(
            f"`{option}` is for pictures in files, and these are rows of arrays\nhelp: leave it out",
            code="NC801",
        )
    if _is_folder(options.output):
        raise NetcfgError(
            f"rows of arrays are answered in a table, and {options.output} would be a folder\n"
            f"help: `-o {options.output}.csv`",
            code="NC801",
        )


def _sees_clips(predictors: Sequence[Predictor], options: argparse.Namespace) -> bool:
    """Whether whole clips are answered. Raises `NetcfgError` where some runs do that and some do not."""
    kinds = {one.length is not None for one in predictors}
    if len(kinds) > 1:
        raise NetcfgError(
            "some of these runs answer whole clips, and some single frames\nhelp: predict with each by itself",
            code="NC801",
        )
    if options.frames and kinds == {False}:
        raise NetcfgError(
            "`--frames` is for networks that see whole clips, and these see frame by frame\nhelp: leave it out",
            code="NC801",
        )
    return kinds == {True}


def _predictions(
    predictors: Sequence[Predictor], inputs: Inputs, of_clips: bool, options: argparse.Namespace
) -> Iterator[Prediction]:
    from netcfg.trainers.prediction.tiles import Tiling, tiled

    tiling = None
    if options.tiles:
        overlap = options.tiles // 8 if options.overlap is None else options.overlap
        tiling = Tiling(options.tiles, overlap, options.batch_size)
        tiling.expect_possible(predictors)
    keeps = bool(options.tiles or options.annotate or _is_folder(options.output))
    if not of_clips:
        from netcfg.trainers.prediction.prediction import predict_clips

        made = predict_clips(predictors, inputs, options.batch_size, inputs.named, keeps)
        return made if tiling is None else (tiled(tiling, predictors, one) for one in made)
    from netcfg.trainers.prediction.clips import MOST_FRAMES, predict_whole_clips

    most = options.frames or MOST_FRAMES

    def say(file: str, frames: int) -> None:
        print(
            f"note: of {file}, {frames:,} frames, {most} are seen, evenly spaced (`--frames`)",
            file=sys.stderr,
        )

    return predict_whole_clips(predictors, inputs, inputs.clip, most, say)


def told_apart(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Which arguments are runs or programs, and which are to be predicted. The first is a run, the last is none."""
    last = len(names) - 1
    count = next((place for place, name in enumerate(names) if place and not _is_run(name)), last)
    runs, inputs = list(names[: min(count, last)]), list(names[min(count, last) :])
    late = next((name for name in inputs[1:] if _is_run(name)), None)
    if late is not None:
        raise NetcfgError(
            f"{late} is a run, and stands after what is to be predicted\nhelp: `netcfg predict RUN… INPUT…`",
            code="NC801",
        )
    if len(names) > 1 and _is_run(names[last]):
        raise NetcfgError(
            f"{names[last]} is a run, and nothing is named that is to be predicted\nhelp: `netcfg predict RUN… INPUT…`",
            code="NC801",
        )
    twice = next((name for name in runs if runs.count(name) > 1), None)
    if twice is not None:
        raise NetcfgError(f"{twice} is named twice\nhelp: name each run once", code="NC801")
    return runs, inputs


def _is_run(name: str) -> bool:
    return _is_file(name) or any(Path(name, file).is_file() for file in _RUN_FILES)


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


def _check(runs: Sequence[str], options: argparse.Namespace) -> None:
    """Refuse what cannot be, before anything is loaded."""
    if options.weights and len(runs) > 1:
        raise NetcfgError("`--weights` is for one run, and several are named", code="NC801")
    if any(map(_is_file, runs)) and not options.weights:
        raise NetcfgError(
            f"which weights does {runs[0]} predict with?\n"
            "help: `--weights FILE`, or name a run folder instead of the file",
            code="NC801",
        )
    if not any(map(_is_file, runs)):
        refuse_program_arguments(options, "a run predicts as it was trained", "leave it out")
    if options.overlap is not None and not options.tiles:
        raise NetcfgError("`--overlap` is that of tiles\nhelp: `--tiles 512 --overlap 64`", code="NC801")
    if options.overwrite and not (options.output or options.annotate):
        raise NetcfgError(
            "`--overwrite` replaces a file of `-o` or `--annotate`, and neither is given\nhelp: leave it out",
            code="NC801",
        )
    if options.format and options.output:
        raise NetcfgError(
            "`--format` is for what is printed, and `-o` has its own by its ending\nhelp: leave one out",
            code="NC801",
        )


def _is_file(name: str) -> bool:
    return name.endswith(".cfg")


def _is_folder(output: str | None) -> bool:
    return bool(output) and (Path(str(output)).is_dir() or not Path(str(output)).suffix)


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
    return Trained(name, program, networks_with(program, weights, device), weights=weights)


def _writers(
    options: argparse.Namespace, predictors: Sequence[Predictor], inputs: Inputs, of_clips: bool
) -> list[Writer]:
    answers = [answer for one in predictors for answer in one.answers]
    writers: list[Writer] = []
    if _is_folder(options.output):
        from netcfg.trainers.prediction.folder import FolderWriter

        writers.append(FolderWriter(Path(options.output), answers, len(inputs.clips) > 1, of_clips))
    elif options.output or not options.annotate:
        writers += _tables(options, answers, "clip" if of_clips else "frame")
    if options.annotate:
        from netcfg.trainers.prediction.annotation import open_annotation

        writers.append(open_annotation(Path(options.annotate), inputs, options.overwrite, of_clips))
    return writers


def _tables(options: argparse.Namespace, answers: Sequence[Answer], unit: Unit) -> list[Writer]:
    """What writes the file of `-o`, or prints."""
    from netcfg.trainers.prediction.files import CsvWriter, FileWriter, JsonWriter, LineWriter, expect_new

    if options.output:
        if not options.overwrite:
            expect_new(Path(options.output))
        return [FileWriter(Path(options.output), answers, unit)]
    kinds: dict[str, type[CsvWriter | JsonWriter | LineWriter]] = {
        "text": LineWriter,
        "csv": CsvWriter,
        "json": JsonWriter,
    }
    kind = options.format or ("text" if sys.stdout.isatty() else "csv")
    return [kinds[kind](sys.stdout, answers, unit)]


def _write(
    predictions: Iterator[Prediction],
    writers: Sequence[Writer],
    count: int,
    unit: Unit,
    options: argparse.Namespace,
) -> int:
    done, code = 0, 0
    targets = " and ".join(shown_path(Path(name)) for name in (options.output, options.annotate) if name)
    try:
        for prediction in shown(predictions, count or None, "predicting", f"{unit}s", saying(options)):
            for writer in writers:
                writer.write(prediction)
            done += 1
    except KeyboardInterrupt:
        code = INTERRUPTED
    except NetcfgError as error:
        if not done:
            raise
        kept = f"what {counted(done, unit)} before it gave is kept"
        raise NetcfgError(f"{error}\nnote: {kept}", error.code) from None
    finally:
        if done:
            for writer in writers:
                writer.close()
    if code or saying(options) is not Saying.QUIET:
        _tell(counted(done, unit), done, code, targets)
    return code


def _tell(frames: str, done: int, code: int, targets: str) -> None:
    if code:
        kept = f"; {targets} holds them" if targets and done else ""
        print(f"stopped after {frames}{kept}", file=sys.stderr)
    elif targets:
        print(f"{targets}: {frames}")
