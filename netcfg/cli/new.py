"""`netcfg new`: three questions, and a file that checks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from netcfg.files import write_beside
from netcfg.source import NetcfgError, did_you_mean, shown_path

TASKS = {
    "action-units": ("which action units a face shows", "labels", "12"),
    "expression": ("which of seven expressions a face has", "emotion", "7"),
    "intensities": ("how strong each action unit is", "intensities", "12"),
}
"""What may be learned, the field that says so, and how many numbers that takes."""
SIZES = {"small": (16, 2), "medium": (32, 3), "large": (64, 4)}
"""Filters of the first convolution, and how many there are."""
QUESTIONS = {
    "name": "What is it called?",
    "task": f"What is it to learn? ({', '.join(TASKS)})",
    "size": f"How large is it? ({', '.join(SIZES)})",
}
_ENDS = {
    "action-units": ("bce_with_logits", "f1", "decision = logit\n"),
    "expression": ("cross_entropy", "accuracy", ""),
    "intensities": ("mse", "mae", ""),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = "Ask three questions and write a file that checks, and trains on drawn faces."
    parser.add_argument("--name", metavar="NAME", help="what the network is called (default: asked for)")
    parser.add_argument("--task", choices=tuple(TASKS), help="what it learns (default: asked for)")
    parser.add_argument("--size", choices=tuple(SIZES), help="how large it is (default: asked for)")
    parser.add_argument("-o", "--output", metavar="FILE", help="a new .cfg file (default: NAME.cfg)")


def run(options: argparse.Namespace) -> int:
    """Ask what is not said, and write the file."""
    name = options.name or _asked("name", "Net")
    if not name.isidentifier():
        raise NetcfgError(
            f"a network cannot be called `{name}`\nhelp: letters, digits and _, a letter first", code="NC801"
        )
    task = options.task or _chosen("task", tuple(TASKS))
    size = options.size or _chosen("size", tuple(SIZES))
    path = Path(options.output or f"{name.lower()}.cfg")
    if path.suffix != ".cfg":
        raise NetcfgError(
            f"{shown_path(path)} would be no .cfg file\nhelp: `-o {path.stem}.cfg`", code="NC801"
        )
    if path.exists():
        raise NetcfgError(
            f"{shown_path(path)} is there already\nhelp: give another name with `-o`", code="NC803"
        )
    write_beside(path, text_of(name, task, size).encode())
    print(
        f"wrote {shown_path(path)}: `netcfg check {shown_path(path)}`, `netcfg train {shown_path(path)} --preset demo`"
    )
    return 0


def _asked(what: str, default: str) -> str:
    print(f"{QUESTIONS[what]} [{default}] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() or default


def _chosen(what: str, known: tuple[str, ...]) -> str:
    """An answer that is one of some words; the first without one."""
    answer = _asked(what, known[0])
    if answer not in known:
        help = did_you_mean(answer, known) or f"one of {', '.join(known)}"
        raise NetcfgError(f"`{answer}` is no answer to: {QUESTIONS[what]}\nhelp: {help}", code="NC801")
    return answer


def text_of(name: str, task: str, size: str) -> str:
    """The file."""
    filters, depth = SIZES[size]
    purpose, field, outputs = TASKS[task]
    loss, metric, decision = _ENDS[task]
    blocks = "".join(
        f"[convolutional]\nfilters = {filters * 2**number}\nkernel_size = 3\npad = True\nbatch_normalise = 1\n"
        "activation = relu\n\n[maxpool]\npool_size = 2\nstride = 2\n\n"
        for number in range(depth)
    )
    return f"""# {name}: {purpose}.

{{General}}
[variables]
image_size = 64

[preset demo]
image_size = 32

[training]
batch_size = 16
max_epochs = 10

{{Data}}
[synthetic_faces]
image_size = $image_size
subjects = 12
clips = 2
clip_length = 8
action_units = disfa

{{{name}}}
[net]

[input]
name = image
channels = 3
height = $image_size
width = $image_size

{blocks}[global_avgpool]

[connected]
name = head
output_features = {outputs}

{{Loss}}
[{loss}]
input = {name}
target = {field}

{{Optimizer}}
[adam]
networks = {name}
minimise = {loss}
learning_rate = 0.001

{{Metric}}
[{metric}]
input = {name}
target = {field}
{decision}"""
