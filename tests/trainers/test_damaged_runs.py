"""A run that was damaged or half copied is judged when it is opened: one sentence, which file, what can be done."""

import argparse
import json
import os
import pickle
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import netcfg
from netcfg.cli import convert, eval, export, generate, predict, table, train
from netcfg.results import Result
from netcfg.source import NetcfgError

OLD_RUN = Path(__file__).parent / "old_run"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(OLD_RUN, tmp_path / "run")
    return tmp_path / "run"


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments))


def resume(*arguments):
    return command(train, "--resume", "run", "--epochs", "5", "--device", "cpu", *arguments)


def change_state(run, change):
    path = run / "checkpoints/last.state"
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


class Harmful:
    def __reduce__(self):
        return exec, ("raise SystemExit(3)",)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


DAMAGES = {
    "run.json a list": (lambda run: (run / "run.json").write_text("[]"), r"run/run\.json is damaged"),
    "run.json cut": (lambda run: (run / "run.json").write_text('{"pro'), r"run/run\.json is damaged"),
    "run.json deep": (lambda run: (run / "run.json").write_text("[" * 100_000), r"run/run\.json is damaged"),
    "no best": (lambda run: (run / "checkpoints/best.safetensors").unlink(), r"best\.safetensors is gone"),
    "best cut": (
        lambda run: (run / "checkpoints/best.safetensors").write_bytes(b"\x08"),
        r"best\.safetensors is damaged",
    ),
    "no state": (lambda run: (run / "checkpoints/last.state").unlink(), r"last\.state does not belong"),
    "state is html": (
        lambda run: (run / "checkpoints/last.state").write_text("<html>not found</html>"),
        r"last\.state is damaged: it is cut short, another kind of file",
    ),
    "state holds code": (
        lambda run: (run / "checkpoints/last.state").write_bytes(pickle.dumps(Harmful())),
        r"last\.state is damaged: .*holds more than tensors and numbers",
    ),
    "state is deep": (
        lambda run: change_state(run, lambda state: state.update(phases=nested(90))),
        r"last\.state is damaged: its containers lie in each other more than 64 deep",
    ),
    "position": (
        lambda run: change_state(run, lambda state: state.update(position={"epoch": [1], "pace": 2})),
        r"last\.state does not fit",
    ),
    "position of text": (
        lambda run: change_state(run, lambda state: state["position"].update(epoch="3")),
        r"last\.state does not fit",
    ),
    "random state": (
        lambda run: change_state(run, lambda state: state.update(random=[torch.zeros(7, dtype=torch.uint8)])),
        r"last\.state does not fit",
    ),
    "optimizer": (
        lambda run: change_state(run, lambda state: state["phases"]["adam"].update(optimizer={"a": 1})),
        r"last\.state does not fit",
    ),
    "no phases": (
        lambda run: change_state(run, lambda state: state.pop("phases")),
        r"last\.state does not fit",
    ),
    "the best epoch's line": (
        lambda run: drop_line(run, 2),
        r"metrics\.jsonl has no line of epoch 2, the best one",
    ),
}


PLACES = (
    "run.json",
    "resolved.cfg",
    "metrics.jsonl",
    "result.json",
    "checkpoints/last.safetensors",
    "checkpoints/best.safetensors",
    "checkpoints/last.state",
)
NO_FILES = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("use", "code"),
    [(resume, "NC406"), (lambda: command(eval, "run", "--device", "cpu"), "NC809")],
    ids=["resume", "eval"],
)
def test_what_is_no_file_is_told_before_anything_waits_for_it(run, use, code, place, kind):
    (run / place).unlink(missing_ok=True)
    NO_FILES[kind](run / place)
    with pytest.raises(
        NetcfgError, match=f"{code}.*run/{place} is in its place, and no file: the run was damaged"
    ):
        use()


JUDGING = {
    "eval": lambda: command(eval, "run", "--device", "cpu"),
    "predict": lambda: command(predict, "run", "x.png"),
    "generate": lambda: command(generate, "run", "-o", "made"),
    "export": lambda: command(export, "run", "-o", "net.py"),
    "table": lambda: command(table, "run"),
    "python": lambda: netcfg.open("run").result,
}


@pytest.mark.parametrize("use", JUDGING)
def test_only_resuming_says_that_a_run_cannot_be_resumed(run, use):
    (run / "run.json").write_text("[]")
    with pytest.raises(NetcfgError, match=r"(?s)NC809.*run/run\.json is damaged.*help: "):
        JUDGING[use]()
    (run / "run.json").unlink()
    (run / "result.json").write_text("{}")
    with pytest.raises(NetcfgError, match=r"(?s)(NC809.*run/run\.json is missing|NC802.*no run).*help: "):
        JUDGING[use]()
    shutil.rmtree(run)
    with pytest.raises(NetcfgError, match=r"(?s)(there is no run|run does not exist).*the folder that"):
        JUDGING[use]()


@pytest.mark.parametrize("place", ["run.json", "resolved.cfg"])
def test_a_run_copied_in_part_says_what_is_missing(run, place):
    (run / place).unlink()
    with pytest.raises(
        NetcfgError, match=f"NC406.*run/{place} is missing: the run was damaged, or copied in part"
    ):
        resume()


@pytest.mark.parametrize("use", ["eval", "predict", "generate", "export", "resume"])
@pytest.mark.parametrize(("share", "what"), [(0, "is empty"), (0.5, "ends within a line")])
def test_a_program_that_was_cut_is_not_taken_for_a_shorter_one(run, use, share, what):
    text = (run / "resolved.cfg").read_text()
    (run / "resolved.cfg").write_text(text[: int(share * len(text))].rstrip())
    with pytest.raises(NetcfgError, match=f"(NC406|NC809).*run/resolved.cfg {what}: the run was damaged"):
        {**JUDGING, "resume": resume}[use]()


@pytest.mark.parametrize("content", [b"\x08", b"\xff" * 9 + b"{}", b"not weights at all"])
def test_weights_that_are_cut_are_told_in_our_own_words(run, content):
    for name in ("best.safetensors", "last.safetensors"):
        (run / "checkpoints" / name).write_bytes(content)
    for use in (resume, lambda: command(eval, "run", "--device", "cpu")):
        with pytest.raises(NetcfgError, match="damaged.*it is cut short, or") as refused:
            use()
        assert "header" not in str(refused.value)


def drop_line(run, epoch):
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["epoch"] != epoch))


@pytest.mark.parametrize("name", DAMAGES)
def test_resuming_is_refused_before_the_first_batch(run, capfd, name):
    damage, message = DAMAGES[name]
    damage(run)
    before = (run / "metrics.jsonl").read_text()
    with (
        warnings.catch_warnings(action="error"),
        pytest.raises(NetcfgError, match=f"(?s)NC406.*{message}.*help: ") as refused,
    ):
        resume()
    told = str(refused.value)
    assert "weights_only" not in told
    assert "torch." not in told
    assert "epoch 4" not in capfd.readouterr().out
    assert (run / "metrics.jsonl").read_text() == before


def test_figures_are_taken_by_the_number_of_their_epoch(run):
    expected = json.loads((run / "metrics.jsonl").read_text().splitlines()[1])["validation"]["metrics"]
    drop_line(run, 1)
    (run / "metrics.jsonl").write_text(
        (run / "metrics.jsonl").read_text() + '{"epoch": 3, "validation": []}\ncut'
    )
    resume()
    result = Result.from_json(json.loads((run / "result.json").read_text()))
    assert result.best_epoch == 2
    assert result.to_json()["validation"]["metrics"] == expected


def test_thresholds_are_those_of_the_best_weights_or_refused(run):
    drop_line(run, 2)
    with pytest.raises(
        NetcfgError, match=r"NC809.*no line of epoch 2, whose thresholds go with the best weights"
    ):
        command(eval, "run", "--device", "cpu")
    command(eval, "run/resolved.cfg", "--weights", "run/checkpoints/best.safetensors", "--device", "cpu")


# --- weights that are no weights


def rewrite(path, change):
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file({key: change(value) for key, value in load_file(path).items()}, path, metadata=metadata)


def spoilt(value):
    def change(tensor):
        changed = tensor.clone()
        changed.view(-1)[0] = value
        return changed

    return change


CHANGES = {
    "nan": (spoilt(float("nan")), r"NaN or infinite: 1 of the 2 of `Net\.2\.bias`"),
    "infinite": (spoilt(float("-inf")), r"NaN or infinite: 1 of the 2 of `Net\.2\.bias`"),
    "complex": (
        lambda tensor: tensor.to(torch.complex64),
        r"2\.bias: complex64 in the file, float32 in the network",
    ),
    "integer": (
        lambda tensor: tensor.to(torch.int64),
        r"2\.bias: int64 in the file, float32 in the network",
    ),
    "boolean": (
        lambda tensor: tensor.to(torch.bool),
        r"2\.bias: bool in the file, float32 in the network",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("way", ["eval", "eval last", "predict", "convert", "resume", "weights"])
def test_no_command_takes_weights_that_are_none(run, name, way):
    change, message = CHANGES[name]
    for file in ("best", "last"):
        rewrite(run / f"checkpoints/{file}.safetensors", change)
    best = "run/checkpoints/best.safetensors"
    picture = run / "picture.png"
    picture.write_bytes(b"")
    started = (run / "resolved.cfg").read_text().replace("[net]", f"[net]\nweights = {best}", 1)
    (run.parent / "started.cfg").write_text(started)
    commands = {
        "eval": (eval, "run"),
        "eval last": (eval, "run", "--weights", "last"),
        "predict": (predict, "run", str(picture)),
        "convert": (convert, best, "--cfg", "run/resolved.cfg", "-o", "out.safetensors"),
        "resume": (train, "--resume", "run", "--epochs", "5"),
        "weights": (train, "started.cfg"),
    }
    module, *arguments = commands[way]
    with pytest.raises(NetcfgError, match=f"(?s){message}"):
        command(module, *arguments)
