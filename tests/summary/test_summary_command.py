"""`netcfg summary`: the tree of templates, sorting, memory, and the formats."""

import csv
import io
import json

import pytest

from netcfg.cli.main import main

PROGRAM = """
{Define pair}
[convolutional]
name = conv
filters = 8
kernel_size = 3
pad = True
[activation]
activation = relu
{Define block}
[pair]
name = first
[pair]
name = second
{Net}
[net]
channels = 3
height = 16
width = 16
[block]
name = stage
repeat = 2
[flatten]
[connected]
name = head
output_features = 5
freeze = True
"""
TRAINED = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 1, 2, 4, 6, 12
{Loss}
[bce_with_logits]
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = bce_with_logits
"""


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.cfg").write_text(PROGRAM)
    (tmp_path / "trained.cfg").write_text(PROGRAM + TRAINED)

    def command(*arguments):
        code = main(["summary", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def network(run, *arguments):
    (found,) = json.loads(run("a.cfg", "--format", "json", *arguments)[1])["networks"]
    return found


def tree(run, depth):
    return [
        (row["depth"], row["name"], row["template"], row["turns"], row["blocks"])
        for row in network(run, "--depth", depth)["tree"]
    ]


def test_the_tree_folds_templates_with_their_sums(run):
    assert tree(run, "0") == [(0, "stage", "block", 2, 8), (0, "1", None, 1, 1), (0, "head", None, 1, 1)]
    found = network(run, "--depth", "0")
    stage, _, head = found["tree"]
    assert stage["parameters"] == (27 + 1) * 8 + 3 * (72 + 1) * 8
    assert stage["parameters"] + head["parameters"] == found["parameters"]
    assert stage["macs"] + head["macs"] == found["macs"]
    assert stage["receptive_field"]["size"] == 9


def test_the_tree_opens_level_by_level(run):
    assert tree(run, "1")[:5] == [
        (0, "stage", "block", 2, 8),
        (1, "stage.0.first", "pair", 1, 2),
        (1, "stage.0.second", "pair", 1, 2),
        (1, "stage.1.first", "pair", 1, 2),
        (1, "stage.1.second", "pair", 1, 2),
    ]
    assert len(tree(run, "9")) == len(tree(run, "2")) == 1 + 4 + 8 + 2


def test_without_a_depth_there_is_no_tree(run):
    assert "tree" not in network(run)


def test_the_text_of_the_tree(run):
    _, out, _ = run("a.cfg", "--depth", "0")
    (row,) = (line for line in out.splitlines() if "stage" in line)
    assert row.split() == "0 stage [block] ×2, 8 blocks 8×16×16 1,976 498 k 65.5 kB 9×9 /1".split()


def test_memory_is_of_a_batch_and_a_precision(run):
    one, many = network(run)["memory"], network(run, "--batch-size", "4", "--precision", "bf16")["memory"]
    assert (many["batch_size"], many["precision"]) == (4, "bf16")
    assert many["peak"] == 2 * one["peak"]
    assert one["parameters"] == 4 * network(run)["parameters"]
    assert one["gradients"] == 4 * network(run)["trainable"]
    assert one["optimizer"] == 0


def test_an_optimizer_remembers_two_numbers_for_each_trained_parameter(run):
    (found,) = json.loads(run("trained.cfg", "--format", "json")[1])["networks"]
    assert found["trainable"] < found["parameters"]
    assert found["memory"]["optimizer"] == 2 * 4 * found["trainable"]


@pytest.mark.parametrize("key", ["parameters", "trainable", "macs", "memory"])
def test_sorting_puts_the_largest_first(run, key):
    values = [layer[key] for layer in network(run, "--sort", key)["layers"]]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


def test_sorting_by_what_is_seen(run):
    sizes = [layer["receptive_field"] for layer in network(run, "--sort", "receptive_field")["layers"]]
    assert [size["size"] for size in sizes if size] == [9, 9, 7, 7, 5, 5, 3, 3]


def test_csv_has_a_row_for_each_block(run):
    rows = list(csv.DictReader(io.StringIO(run("a.cfg", "--format", "csv")[1])))
    layers = network(run)["layers"]
    assert [row["name"] for row in rows] == [layer["name"] for layer in layers]
    assert rows[0]["network"] == "Net"
    assert rows[0]["shape"] == "8x16x16"
    assert [int(row["macs"]) for row in rows] == [layer["macs"] for layer in layers]
    assert rows[-1]["receptive_field"] == ""


def test_a_depth_below_nothing_is_refused(run):
    code, out, err = run("a.cfg", "--depth", "-1")
    assert (code, out) == (1, "")
    assert "--depth" in err


def test_a_batch_of_nothing_is_refused(run, capsys):
    with pytest.raises(SystemExit):
        run("a.cfg", "--batch-size", "0")
    assert "--batch-size: must be a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize("width", [20, 30, 45, 60, 200])
def test_a_narrow_table_leaves_out_columns_and_names_them(run, monkeypatch, width):
    monkeypatch.delenv("COLUMNS", raising=False)
    whole = run("a.cfg")[1].splitlines()
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run("a.cfg")[1].splitlines()
    rule = [line for line in lines if line.startswith("──")][0]
    table = lines[1 : lines.index(rule, lines.index(rule) + 1)]
    assert max(map(len, table)) <= max(width, 28)  # names and shapes are never left out
    named = [line for line in lines if line.startswith("left out")]
    gone = set(whole[1].split()) - set(lines[1].split())
    assert bool(named) == (width < 200)
    assert gone <= set(" ".join(named).replace(",", "").split())
