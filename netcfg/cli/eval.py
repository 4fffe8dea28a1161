"""`netcfg eval`: judge trained weights on a split, of their own data or of others."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netcfg.cli.combining import add_combining_arguments, ways_of, with_runs_of_sweeps
from netcfg.cli.numbers import positive, workers
from netcfg.cli.output import print_json
from netcfg.cli.program import add_program_arguments, load_program, refuse_program_arguments, say_changes
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.results import csv_cell, notes
from netcfg.source import NetcfgError, shown_path
from netcfg.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from netcfg.blocks.fields import Split
    from netcfg.program import Program
    from netcfg.trainers.judging.examination import Examined, Examiner
    from netcfg.trainers.prediction.gains import Gains
    from netcfg.trainers.runs.changes import Change
    from netcfg.trainers.runs.trained import Thresholds
    from netcfg.trainers.step.model import Model

_SPLITS = ("test", "validation", "train")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="RUN|FILE",
        help="a run's folder, or a program; with --ensemble several runs, or the folder of a sweep",
    )
    parser.add_argument(
        "--weights",
        metavar="FILE",
        help="the weights to judge; of a run also `best` (the default) or `last`",
    )
    add_program_arguments(parser)
    add_saying_arguments(
        parser, "the figures only, without how far it is", "a line for every batch with the losses so far"
    )
    add_combining_arguments(parser)
    parser.add_argument("--split", choices=_SPLITS, default="test", help="default: test")
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:1 (default: auto)"
    )
    parser.add_argument("--workers", type=workers, metavar="N", help="processes that prepare data; 0: none")
    parser.add_argument("--limit-batches", type=positive, metavar="N", help="judge at most N batches")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="default: text")
    parser.add_argument(
        "--figures",
        metavar="DIR",
        help="also draw what a run draws of its validation split, into a new folder: confusion, curves, samples",
    )
    parser.add_argument(
        "--predictions", metavar="OUT", help="also write scores and labels of all samples: .csv or .npz"
    )


def run(options: argparse.Namespace) -> int:
    """Judge and print. Raises `NetcfgError` where program, weights and data do not belong together."""
    targets = [Path(name) for name in with_runs_of_sweeps(options.targets)]
    ways = ways_of(options, len(targets))
    if len(targets) > 1 and not options.ensemble:
        raise NetcfgError(
            "several runs are named\nhelp: judge each by itself, or all together with `--ensemble mean`",
            code="NC801",
        )
    if len(targets) > 1 and options.weights:
        raise NetcfgError("`--weights` is for one run, and several are named", code="NC801")
    target = targets[0]
    predictions = Path(options.predictions) if options.predictions else None
    if not target.exists():
        raise NetcfgError(
            f"there is no run and no program {shown_path(target)}\n"
            "help: give the folder that `netcfg train` printed, or a .cfg file and its `--weights`",
            code="NC802",
        )
    program = _program_of_run(target, options) if target.is_dir() else _program_of_file(target, options)
    from netcfg.trainers.machine.allocation import keep_freed_memory

    keep_freed_memory()
    from netcfg.trainers.judging.examination import expect_metrics

    expect_metrics(program)
    if predictions is not None:
        from netcfg.trainers.prediction.predictions import expect_kind

        expect_kind(predictions)
    if options.figures:
        from netcfg.trainers.prediction.folder import make_new

        make_new(Path(options.figures), "--figures")
    weights = _weights(target, options.weights)
    examined, gains = _examine(program, targets, weights, ways, options)
    if target.is_dir() and options.data is None:
        _say_other_data(target, program, options.split, examined)
    if predictions is not None:
        from netcfg.trainers.prediction.predictions import write_predictions

        write_predictions(predictions, program, examined)
        print(
            f"{examined.samples} predictions of the {options.split} split: {shown_path(predictions)}",
            file=sys.stderr,
        )
    _print(program, target, weights, examined, gains, options)
    return 0


def _say_other_data(run: Path, program: Program, split: Split, examined: Examined) -> None:
    """A note where the data are no longer those that a run was trained on."""
    from netcfg.trainers.runs.fingerprint import FILE, changes, fingerprint_of_data
    from netcfg.trainers.runs.run_folder import RunFolder

    if program.data is None or not (run / FILE).is_file():  # a run of an earlier version has kept nothing
        return
    now = fingerprint_of_data(program.data, {split: examined.tables})
    for line in changes(RunFolder(run).read_json(FILE), now):
        print(f"note: the data are no longer those that the run was trained on: {line}", file=sys.stderr)


# --- what is judged


def _program_of_file(target: Path, options: argparse.Namespace) -> Program:
    if options.weights is None:
        raise NetcfgError(
            f"which weights of {target}?\nhelp: `--weights FILE`, or give the folder of a run",
            code="NC801",
        )
    return load_program(str(target), options)


def _program_of_run(folder: Path, options: argparse.Namespace) -> Program:
    """The program as the run trained it, on other data with `--data`."""
    from netcfg.trainers.runs.trained import program_of_run

    refuse_program_arguments(
        options,
        "a run keeps its presets and variables",
        f"to change them, give the file: `netcfg eval FILE --weights {folder}/checkpoints/best.safetensors`",
        "data",
    )
    program = program_of_run(folder, options.data)
    say_changes(folder)
    return program


def _weights(target: Path, asked: str | None) -> Path:
    """The file of weights: a path, or of a run `best` or `last`."""
    from netcfg.trainers.runs.trained import weights_of_run

    if not target.is_dir() or asked not in (None, "best", "last"):
        return Path(str(asked))
    return weights_of_run(target, asked or "best")


def _known_thresholds(target: Path, weights: Path) -> Thresholds | None:
    """The thresholds that a run has chosen for its best weights; None where they must be searched for."""
    from netcfg.trainers.runs.run_folder import RunFolder
    from netcfg.trainers.runs.trained import chosen_thresholds

    if not target.is_dir() or weights != RunFolder(target).checkpoints.best:
        return None
    return chosen_thresholds(RunFolder(target))


def _examine(
    program: Program, targets: Sequence[Path], weights: Path, ways: Sequence[str], options: argparse.Namespace
) -> tuple[Examined, Gains | None]:
    """What is judged; where views or runs are joined, also what each run reaches alone."""
    from rich.console import Console

    from netcfg.trainers.judging.examination import Examiner
    from netcfg.trainers.machine.devices import choose_device, default_workers
    from netcfg.trainers.reporting.progress import Stretch, open_display

    said = saying(options)
    console = Console(stderr=True, quiet=said is Saying.QUIET)
    display = open_display(console, every_batch=said is Saying.VERBOSE)

    def started(split: str, pipeline: Any) -> Any:
        display.start(Stretch(split, len(pipeline), pipeline.samples / max(1, len(pipeline))))
        return lambda done, sums: display.advance(done, sums.means)

    workers = program.training.workers if options.workers is None else options.workers
    try:
        examiner = Examiner(
            program,
            weights,
            device=choose_device(options.device),
            workers=default_workers() if workers is None else workers,
            limit_batches=options.limit_batches,
            started=started,
        )
        model, gains = examiner.model, None
        if ways or options.ensemble:
            from netcfg.trainers.prediction.gains import judged_together

            examined, model, gains = judged_together(
                examiner, targets, options.split, ways, options.ensemble or "mean"
            )
            for note in gains.notes:
                display.say(note)
        else:
            examined = examiner.examine(options.split, _known_thresholds(targets[0], weights))
        if options.figures:
            _draw(examiner, model, examined, Path(options.figures), options.split)
        return examined, gains
    finally:
        display.close()


def _draw(examiner: Examiner, model: Model, examined: Examined, folder: Path, split: Split) -> None:
    """What the metrics have to show, and samples, into a folder."""
    from netcfg.trainers.reporting.examples import write_examples
    from netcfg.trainers.reporting.figures import write_figures

    names = [name for name, _ in write_figures(folder, {split: examined.evaluation})]
    pipeline = examiner.pipeline(split)
    try:
        names += [name for name, _ in write_examples(folder, split, examiner.program, model, pipeline)]
    finally:
        pipeline.close()
    what = counted(len(names), "picture")
    print(f"{what} of the {split} split: {shown_path(folder)}", file=sys.stderr)


# --- what is said


def _print(
    program: Program,
    target: Path,
    weights: Path,
    examined: Examined,
    gains: Gains | None,
    options: argparse.Namespace,
) -> None:
    changes = _changes(target)
    if options.format == "json":
        print_json(_as_json(program, weights, examined, gains, changes, options))
    elif options.format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("split", "metric", "figure", "value"))
        for metric, table in examined.evaluation.tables.items():
            rows = table.figures.items()
            writer.writerows((options.split, metric, name, csv_cell(value)) for name, value in rows)
        if gains is not None:
            writer.writerows(
                (options.split, metric, name, csv_cell(value)) for metric, name, value in gains.cells
            )
        for change in changes:
            print(f"note: {change}", file=sys.stderr)
    else:
        _print_tables(weights, examined, gains, changes, options)
    absent = _absent(program)
    if absent:
        print(
            f"note: the data do not label {', '.join(absent)}, which count in no figure; "
            "the others are matched by name",
            file=sys.stderr,
        )
    for note in notes({options.split: examined.evaluation}):
        print(f"note: {note}", file=sys.stderr)


def _as_json(
    program: Program,
    weights: Path,
    examined: Examined,
    gains: Gains | None,
    changes: Sequence[Change],
    options: argparse.Namespace,
) -> dict[str, Any]:
    return {
        "program": program.name,
        "weights": str(weights),
        "data": options.data,
        "split": options.split,
        "samples": examined.samples,
        "absent": list(_absent(program)),
        "changes": [change.to_json() for change in changes],
        **({} if gains is None else {"joined": gains.to_json()}),
        **examined.evaluation.to_json(),
    }


def _print_tables(
    weights: Path,
    examined: Examined,
    gains: Gains | None,
    changes: Sequence[Change],
    options: argparse.Namespace,
) -> None:
    from rich.console import Console

    from netcfg.trainers.reporting.report import split_tables

    console = Console()
    source = f"of {options.data}, " if options.data else ""
    what = shown_path(weights) if gains is None else gains.what
    _say(console, f"{what} on the {options.split} split, {source}{examined.samples} samples")
    for change in changes:
        _say(console, str(change))
    for table in split_tables({options.split: examined.evaluation}, f"{options.split} split"):
        console.print(table)
    if gains is not None:
        console.print(gains.table(options.split).as_text())
    for metric, values in examined.evaluation.thresholds.items():
        shown = ", ".join(f"{value:.3f}" for value in values)
        _say(console, f"{metric}: threshold {shown}")


def _absent(program: Program) -> tuple[str, ...]:
    """The labels that the data do not have, of those that the networks were trained on."""
    specs = program.data.fields.values() if program.data else ()
    return tuple(dict.fromkeys(name for spec in specs for name in spec.absent))


def _changes(target: Path) -> list[Change]:
    """What was changed while a run trained."""
    from netcfg.trainers.runs.changes import changes_of
    from netcfg.trainers.runs.run_folder import RunFolder

    return changes_of(RunFolder(target)) if target.is_dir() else []


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
