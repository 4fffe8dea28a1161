"""Export the networks of every shipped file in all three ways, and write what came of it into examples/exports.md.

    python examples/exports.py [FILE …] [--most 50] [--kept results.jsonl]

Files are shipped ones, by name (`zoo/resnet18`), or all; networks of more than `--most` million parameters stay
out. Results are kept line by line, and what stands there is not exported again. Pictures are of the smallest
size that a file takes, from 64 a side; of a file with a preset `demo`, of its.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

import netcfg
from netcfg.builder.exports.export import Asked, export
from netcfg.passes.read import shipped_folder
from netcfg.program import Program

FORMS = ("py", "pt2", "onnx")
PAGE = Path(__file__).with_name("exports.md")
HEAD = "| file | networks | parameters | " + " | ".join(f"`.{form}`" for form in FORMS) + " |\n"
RULE = "| --- | --- | ---: |" + " ---: |" * len(FORMS) + "\n"
SIZES = (64, 96, 128)
MILLION = 1_000_000
Result = dict[str, Any]


def files() -> list[str]:
    """The names of all shipped programs."""
    folder = shipped_folder()
    return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("**/*.cfg"))


def small(file: str) -> Program | None:
    """A shipped program with small pictures; None for a file that is a part of others."""
    path = shipped_folder() / f"{file}.cfg"
    try:
        program = netcfg.load(path)
    except netcfg.NetcfgError:
        return None
    if "demo" in program.presets:
        return netcfg.load(path, preset="demo")
    if int(program.variables.get("image_size", "0")) > SIZES[0]:
        for size in SIZES:
            found, _ = netcfg.check(path, variables={"image_size": size})
            if found is not None:
                return found
    return program


def tried(file: str, program: Program, name: str, form: str) -> Result:
    """Whether a network left in a form: how far it then is from itself, or why it did not."""
    result: Result = {"file": file, "network": name, "form": form}
    result["parameters"] = program.networks[name].parameters
    torch.manual_seed(0)
    networks = drawn(program)
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = export(form, program, networks, [name], Path(folder) / f"net.{form}", Asked())
        except netcfg.NetcfgError as error:
            return result | {"why": str(error).splitlines()[0]}
    return result | {"worst": max(one.relative for one in made.found)}


def drawn(program: Program) -> torch.nn.ModuleDict:
    """Fresh networks in which nothing is zero: a head that starts so would give zeros whatever stands before it."""
    networks = netcfg.build(program)
    for parameter in networks.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return networks


def table(results: Iterable[Result]) -> str:
    """A row for each file: the worst of its networks in each form."""
    by_file: dict[str, list[Result]] = {}
    for result in results:
        by_file.setdefault(result["file"], []).append(result)
    return HEAD + RULE + "".join(row(file, found) for file, found in sorted(by_file.items()))


def row(file: str, results: list[Result]) -> str:
    """The row of a file."""
    networks = {one["network"]: one["parameters"] for one in results}
    cells = [cell([one for one in results if one["form"] == form]) for form in FORMS]
    names = ", ".join(networks)
    return f"| `{file}` | {names} | {sum(networks.values()):,} | {' | '.join(cells)} |\n"


def cell(results: list[Result]) -> str:
    """`2e-07`: how far the worst of some networks is; those that do not leave by name; a dash where none was tried."""
    left = [one["worst"] for one in results if "worst" in one]
    stayed = [f"{one['network']}: {one['why']}" for one in results if "why" in one]
    parts = [f"{max(left):.0e}" if max(left) else "0"] if left else []
    return "; ".join([*parts, *stayed]) or "–"


def left_to_do(names: list[str], most: float, kept: list[Result]) -> Iterator[tuple[str, Program, str, str]]:
    """What is still to be exported."""
    done = {(one["file"], one["network"], one["form"]) for one in kept}
    for file in names:
        program = small(file)
        for name, graph in program.networks.items() if program is not None else ():
            for form in FORMS if graph.parameters <= most * MILLION else ():
                if program is not None and (file, name, form) not in done:
                    yield file, program, name, form


def main() -> None:
    """Export, and write the page anew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--most", type=float, default=50.0)
    parser.add_argument("--kept", type=Path, default=Path("exports.jsonl"))
    options = parser.parse_args()
    lines = options.kept.read_text().splitlines() if options.kept.exists() else []
    results = [json.loads(line) for line in lines]
    for file, program, name, form in left_to_do(options.files or files(), options.most, results):
        results.append(tried(file, program, name, form))
        print(results[-1], flush=True)
        with options.kept.open("a") as kept:
            kept.write(json.dumps(results[-1]) + "\n")
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEAD)
    PAGE.write_text(before + table(results), encoding="utf-8")


if __name__ == "__main__":
    main()
