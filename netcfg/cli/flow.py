"""`netcfg flow INPUT… -o DIR`: the optical flow of clips, as folders of pictures."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from netcfg.blocks.flow_choices import DEFAULT_LIMIT, FlowEncoding, FlowMethod
from netcfg.cli.bars import shown
from netcfg.cli.pictures import add_picture_arguments, reading_of
from netcfg.cli.saying import Saying, add_saying_arguments, saying
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.datasets.flow.folder import Clip, Outcome, Recipe

INTERRUPTED = 130
_NAMED = 5  # errors that are told in full


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = (
        "Write the optical flow from each frame to the next as a picture under the frame's name: red for motion to the "
        "right, green upwards, 127 for none. What is there already is kept."
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a video, a folder of frames, or a folder of such clips"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="DIR", help="a new folder, or one to go on with"
    )
    parser.add_argument(
        "--method", choices=get_args(FlowMethod), default="dis", help="how flow is found (default: dis)"
    )
    parser.add_argument(
        "--encoding",
        choices=get_args(FlowEncoding),
        default="per_frame",
        help="the scale of the colours: each frame's own (default), or fixed",
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        metavar="PIXELS",
        help=f"fixed: the largest motion it shows (default: {DEFAULT_LIMIT:g})",
    )
    parser.add_argument(
        "--size",
        type=_size,
        metavar="N|H,W",
        help="side of the pictures, or height, width (default: as frames)",
    )
    parser.add_argument(
        "--format",
        choices=("png", "jpg"),
        default="png",
        help="of the pictures; jpg loses a little (default: png)",
    )
    parser.add_argument(
        "--jobs", type=_jobs, metavar="N", help="clips at a time (default: as many as there are processors)"
    )
    add_picture_arguments(parser)
    add_saying_arguments(parser, "print nothing where all went well", "a line for every frame")
    parser.add_argument(
        "--overwrite", action="store_true", help="begin anew: remove what earlier calls wrote for these clips"
    )


def run(options: argparse.Namespace) -> int:
    """Write flow. 0 when all is there, 1 where something could not be made, 130 after Ctrl-C."""
    from netcfg.datasets.flow.folder import begin, plan

    recipe = _recipe(options)
    output = Path(options.output)
    clips, refused = plan([Path(name) for name in options.inputs], output, reading_of(options))
    begin(output, recipe, clips, options.overwrite)
    outcomes: list[Outcome] = []
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _write(clips, recipe, options.jobs, outcomes, saying(options))
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on in {shown_path(output)}", file=sys.stderr)
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    if saying(options) is not Saying.QUIET:
        _tell(output, outcomes)
    return _complain(refused + [outcome.error for outcome in outcomes if outcome.error])


def _recipe(options: argparse.Namespace) -> Recipe:
    from netcfg.datasets.flow.folder import Recipe

    if options.limit is not None and options.encoding != "fixed":
        raise NetcfgError("`--limit` belongs to `--encoding fixed`", code="NC801")
    limit = (options.limit or DEFAULT_LIMIT) if options.encoding == "fixed" else None
    recipe = Recipe(
        options.method, options.encoding, limit, options.size, options.format, reading_of(options).turns
    )
    recipe.pictures()  # refuses a method that this OpenCV lacks
    return recipe


def _write(
    clips: list[Clip], recipe: Recipe, jobs: int | None, outcomes: list[Outcome], said: Saying
) -> None:
    from netcfg.datasets.flow.jobs import write_clips

    frames = write_clips(clips, recipe, jobs or os.cpu_count() or 1, outcomes)
    for _ in shown(frames, sum(len(clip.frames) for clip in clips), "flow", "frames", said):
        pass


def _tell(output: Path, outcomes: list[Outcome]) -> None:
    written, kept = sum(one.written for one in outcomes), sum(one.kept for one in outcomes)
    there = f", {kept:,} were there" if kept else ""
    print(f"{shown_path(output)}: {written:,} {'picture' if written == 1 else 'pictures'} written{there}")


def _complain(errors: list[str]) -> int:
    """Say what could not be made; the exit code."""
    for error in errors[:_NAMED]:
        print(error, file=sys.stderr)
    if len(errors) > _NAMED:
        print(f"error: so it is with {len(errors) - _NAMED} other clips", file=sys.stderr)
    return 1 if errors else 0


# --- arguments --------------------------------------------------------------------------------------------


def _limit(text: str) -> float:
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit <= 10_000:
        raise argparse.ArgumentTypeError(f"must be a number of pixels above 0, found `{text}`")
    return limit


def _size(text: str) -> tuple[int, int]:
    sides = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if len(sides) > 2 or not all(1 <= side <= 16_384 for side in sides):
        raise argparse.ArgumentTypeError(f"must be a side in pixels, or height,width, found `{text}`")
    return sides[0], sides[-1]


def _jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 1024, found `{text}`")
    return int(text)
