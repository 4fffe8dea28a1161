"""Sections that are wrong about themselves in one way: `netcfg blocks --verify` says which way, and what to write."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BLOCKS = {
    "no_macs": ("multiply-accumulates", "macs"),
    "no_parameter": ("parameters", "parameters"),
    "other_name": ("names of parameters", "Parameters: in its page"),
    "hidden": ("parameters", "lower"),
    "overwritten": ("overwritable", "overwritable"),
    "centred": ("by_sample", "by_sample"),
    "chance": ("by_sample", "by_sample"),
    "blended": ("each_place", "each_place, or is_each_place"),
    "no_memory": ("kept for the gradient", "kept"),
    "odd_half": ("shape", "shape"),
    "idle": ("option", "shape, inline or lower"),
    "narrow": ("reach", "reach"),
    "leaking": ("stops_gradient", "stops_gradient, or gradient_reaches"),
    "two_ways": ("inline", "inline"),
    "no_pickle": ("pickle", "lower"),
    "secret_view": ("is_view", "is_view"),
    "raising": ("macs", "macs"),
    "odd_only": ("multiply-accumulates", "macs"),
    "in_place": ("overwriting", "overwriting"),
    "ignored_role": ("option", "shape or lower"),
    "writes_input": ("input", "lower"),
    "other_axes": ("axes", "axes"),
    "wide": ("bf16", "lower"),
    "seeds_init": ("chance", "lower"),
    "counting": ("evaluation", "lower"),
    "left_behind": ("tensors", "lower"),
    "unforeseen": ("refusals", "shape"),
    "boundless": ("refusals", "shape"),
}
TRAINING = {
    "lax_loss": ("check", "check"),
    "strict_loss": ("check", "check"),
    "vector_loss": ("value", "lower"),
    "sum_loss": ("value", "lower"),
    "echo_loss": ("value", "lower"),
    "wrong_gradient": ("gradient", "lower"),
    "idle_loss": ("option", "lower"),
    "leaking_loss": ("stops_gradient", "stops_gradient"),
    "skips_mask": ("a mask of four samples", "lower"),
    "by_place": ("order of samples", "lower"),
    "writes_target": ("signals", "lower"),
    "endless_when_equal": ("value of equal signals", "lower"),
    "root_of_equal": ("gradient at equal signals", "lower"),
    "unread_target": ("signal", "lower"),
    "empty_crash": ("figures without a sample", "compute"),
    "wrong_way": ("higher_is_better", "higher_is_better"),
    "other_name_of_figure": ("figures", "compute"),
    "portions": ("figures", "compute"),
    "remembering": ("figures", "compute"),
    "writes_scores": ("signals", "compute"),
    "ratio": ("figures without a positive", "compute"),
    "idle_metric": ("option", "compute"),
    "forgetful": ("state_size", "state_size"),
    "undecayed": ("option", "lower"),
    "one_rate": ("groups", "lower"),
    "needs_gradients": ("a parameter without a gradient", "lower"),
    "mask_stays": ("places", "lower"),
    "points_stay": ("places", "lower"),
    "double_labels": ("fields", "lower"),
    "unseeded": ("seed", "lower"),
    "writes_into": ("samples", "lower"),
    "unsized": ("fields", "fields"),
    "local": ("pickle", "lower"),
    "idle_transform": ("option", "lower"),
    "other_kind": ("kind of a field", "fields, or open"),
    "other_shape": ("shape of a field", "fields"),
    "forgets_classes": ("settled", "settled"),
    "knows_not_itself": ("recognise", "recognise"),
    "out_of_range": ("kind of a field", "fields, or open"),
    "shared_subjects": ("subjects of splits", "open"),
    "by_chance": ("samples", "open"),
    "other_order": ("fields", "open"),
    "reads_hidden": ("hidden files", "open"),
    "shuffling": ("samples", "open"),
    "other_table": ("table", "open"),
    "sorts_table": ("table", "epoch"),
    "seeds_all": ("chance", "epoch"),
    "never_learns": ("factor", "factor"),
    "idle_schedule": ("option", "factor"),
    "overdrawn": ("factor", "factor"),
    "restless": ("seed", "epoch"),
    "beyond": ("draws", "epoch"),
    "repeating": ("epochs", "epoch"),
    "seed_blind": ("seeds", "epoch"),
    "nowhere": ("example", "example"),
}
FAULTS = {
    **{name: ("faulty_blocks.py", *said) for name, said in BLOCKS.items()},
    **{name: ("faulty_training.py", *said) for name, said in TRAINING.items()},
}


@cache
def verified(file: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code of --verify over a file, and the lines of each section. In a process of its own, whose sections
    no other test sees."""
    done = subprocess.run(
        [sys.executable, "-m", "netcfg", "blocks", "--verify", str(HERE / file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("["):
            lines.setdefault(line[1:].partition("]")[0], []).append(line)
    return done.returncode, lines


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_its_one_line(name: str) -> None:
    file, check, method = FAULTS[name]
    code, lines = verified(file)
    assert code == 1
    assert len(lines[name]) == 1, lines[name]
    assert f" {check}: declared " in lines[name][0]
    assert lines[name][0].endswith(f": write `{method}`")


@pytest.mark.parametrize(
    ("file", "name"), [("faulty_blocks.py", "plain"), ("faulty_training.py", "true_source")]
)
def test_a_section_that_keeps_its_contract_has_no_line(file: str, name: str) -> None:
    assert name not in verified(file)[1]


def test_what_authors_import_stays_a_function_when_its_file_is_read() -> None:
    from netcfg.blocks import made
    from netcfg.blocks.made import made as defined

    assert made is defined
