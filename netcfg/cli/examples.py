"""The examples with which each command's help ends.

Tests run them, in a folder with `net.cfg`, `other.cfg`, pictures and runs of both files.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "check": ("netcfg check net.cfg other.cfg", "netcfg check net.cfg --preset wide --format json"),
    "summary": ("netcfg summary net.cfg", "netcfg summary net.cfg --depth 0 --sort macs"),
    "plan": ("netcfg plan net.cfg", "netcfg plan net.cfg --format json"),
    "graph": (
        "netcfg graph net.cfg -o net.svg",
        "netcfg graph net.cfg --training -o step.pdf",
        "netcfg graph net.cfg other.cfg --no-frame --palette grey -o both.pdf",
    ),
    "diff": (
        "netcfg diff net.cfg other.cfg",
        "netcfg diff net.cfg net.cfg --set-b width=4 -o difference.svg",
    ),
    "train": (
        "netcfg train net.cfg",
        "netcfg train net.cfg --preset wide --epochs 1 --seed 3",
        "netcfg train --resume runs/net-1 --epochs 2",
    ),
    "sweep": (
        "netcfg sweep net.cfg --over seed=0,1,2",
        "netcfg sweep net.cfg other.cfg --over width=1,2 --jobs 2",
        "netcfg sweep net.cfg --over width=1,2,4 --curve width",
    ),
    "eval": ("netcfg eval runs/net-1", "netcfg eval runs/net-1 --split validation --predictions scores.csv"),
    "generate": ("netcfg generate runs/net-1 -n 16 -o made --seed 3",),
    "predict": (
        "netcfg predict runs/net-1 pictures/1.png",
        "netcfg predict runs/net-1 pictures -o answers.csv",
    ),
    "flow": ("netcfg flow pictures -o flow", "netcfg flow pictures -o small --size 16 --format jpg"),
    "data": (
        "netcfg data make audetnet faces --images 20",
        "netcfg data show net.cfg -o sheet.png",
    ),
    "table": (
        "netcfg table runs/net-1 runs/other-1",
        "netcfg table runs/net-1 runs/other-1 --columns label --metric accuracy --percent",
        "netcfg table runs/net-1 runs/other-1 --caption Units --label tab:units -o table.tex",
    ),
    "report": ("netcfg report runs/net-1", "netcfg report runs/net-1 runs/other-1 -o both.html"),
    "compare": (
        "netcfg compare runs/net-1 runs/other-1",
        "netcfg compare runs/net-1 runs/other-1 --all --format json",
    ),
    "convert": (
        "netcfg convert runs/net-1/checkpoints/best.safetensors -o weights.safetensors --cfg net.cfg "
        "--layout netcfg --to netcfg",
    ),
    "export": ("netcfg export runs/net-1 -o net.py", "netcfg export net.cfg --optimise -o net.onnx"),
    "blocks": ("netcfg blocks", "netcfg blocks convolutional", "netcfg blocks --verify maxpool"),
    "zoo": ("netcfg zoo", "netcfg zoo alexnet -o alexnet.cfg"),
    "new": ("netcfg new", "netcfg new --name Mine --task expression --size small -o mine.cfg"),
    "doctor": ("netcfg doctor", "netcfg doctor --format json"),
    "completion": ("netcfg completion bash", "netcfg completion zsh", "netcfg completion fish"),
    "explain": ("netcfg explain NC301", "netcfg explain shape-mismatch"),
    "fmt": ("netcfg fmt net.cfg", "netcfg fmt --check net.cfg", "netcfg fmt --expand net.cfg"),
}
_HEAD = "examples:"


class Formatter(argparse.HelpFormatter):
    """Leaves the lines of examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        before, head, examples = text.partition(_HEAD)
        filled = super()._fill_text(before, width, indent) if before.strip() else ""
        return "\n\n".join(part for part in (filled, head + examples) if part)


def with_examples(command: str, epilog: str | None) -> str | None:
    """What a command's help ends in: its own words, and below them its examples, a line each."""
    examples = EXAMPLES.get(command)
    if examples is None:
        return epilog
    lines = "\n".join((_HEAD, *(f"  {example}" for example in examples)))
    return f"{epilog}\n{lines}" if epilog else lines
