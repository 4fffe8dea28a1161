"""Options of the command line in place of a program's own."""

from __future__ import annotations

from dataclasses import replace

from netcfg.program import Program


def override(
    program: Program,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    precision: str | None = None,
    compile: bool | None = None,
) -> Program:
    """The program with options of the command line in place of its own; None leaves one as it is."""
    changes = {"max_epochs": epochs, "seed": seed, "precision": precision, "compile": compile}
    chosen = {key: value for key, value in changes.items() if value is not None}
    return replace(program, training=program.training.model_copy(update=chosen)) if chosen else program
