"""Sections that fail or lie when they run: one finding each, at their header, with the author's lines below."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from netcfg.cli.main import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "extensions"


def change(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """An example with a mistake in its Python file; gives the program."""
    python, file = ((EXAMPLES / f"{name}{ending}").read_text() for ending in (".py", ".cfg"))
    for before, after in changes:
        assert before in python, before
        python = python.replace(before, after)
    (folder / f"{name}.py").write_text(python)
    (folder / f"{name}.cfg").write_text(file)
    return folder / f"{name}.cfg"


def told(file: Path, capsys: pytest.CaptureFixture[str], *command: str) -> str:
    """What a command says of a program that it refuses, once and with no traceback."""
    arguments = [*command, str(file)] if command else ["train", str(file), "--device", "cpu"]
    if not command:
        arguments += ["--run-dir", str(file.parent / "run")]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    text = captured.err if not captured.out.startswith(str(file)) else captured.out + captured.err
    assert "Traceback" not in text
    assert text.count(": error[") == 1
    return text


def header(file: Path, name: str) -> int:
    return file.read_text().splitlines().index(f"[{name}]") + 1


def author_lines(text: str) -> list[str]:
    return re.findall(r"\.py:\d+:\d+: note: (.*)", text)


WHOLE = "return torch.sign(x) * torch.relu(x.abs() - self.amount)"
RUNTIME = [
    (
        "soft_threshold",
        ("return torch.sign(x)", "return torch.sign(x) @ x[:, :, :3]"),
        r"NC701 failing-section\]: \[soft_threshold\] fails in `forward`: RuntimeError: .* "
        r"\(it is fed 8×16×16, and declares 8×16×16\)",
        ["in `forward`"],
    ),
    (
        "soft_threshold",
        ("return torch.sign(x)", "raise OSError('no such thing')\n                return torch.sign(x)"),
        r"error\[NC701 failing-section\]: \[soft_threshold\] fails in `forward`: OSError: no such thing ",
        ["in `forward`"],
    ),
    (
        "soft_threshold",
        (WHOLE, "return x[..., ::2]"),
        r"NC702 untrue-section\]: \[soft_threshold\] declares 8×16×16 for each of 6 samples, and gives 8×16×8 "
        r"\(it is fed 8×16×16\)",
        ["it is defined here"],
    ),
    (
        "soft_threshold",
        (WHOLE, "return x[:1]"),
        r"\[soft_threshold\] declares 8×16×16 for each of 6 samples, and gives a tensor of 1×8×16×16 ",
        ["it is defined here"],
    ),
    (
        "soft_threshold",
        (WHOLE, "return None"),
        r"\[soft_threshold\] declares 8×16×16, and gives NoneType, which is no tensor ",
        ["it is defined here"],
    ),
    (
        "soft_threshold",
        ("return Threshold(", "return Threshold(1, 2, "),
        r"\[soft_threshold\] fails in `lower`: TypeError: .* \(it is fed 8×16×16, and declares 8×16×16\)",
        ["in `lower`"],
    ),
    (
        "soft_threshold",
        ("return Threshold(self.parameters(*inputs), self.start)", "return 3"),
        r"\[soft_threshold\] gives int from `lower`, which is no module",
        ["it is defined here"],
    ),
    (
        "poisson",
        ("return nn.PoissonNLLLoss(full=self.full)", "return nn.PoissonNLLLoss(full=self.full, reduction='none')"),
        r"NC702 untrue-section\]: \[poisson\] gives a tensor of 6×1 for a batch of 6×1 and 6×1, and a loss is "
        r"one number",
        ["it is defined here"],
    ),
    (
        "poisson",
        ("return nn.PoissonNLLLoss(full=self.full)", "return nn.CosineSimilarity(dim=7)"),
        r"error\[NC701 failing-section\]: \[poisson\] fails in `forward`: IndexError: .* \(it is fed 6×1 and 6×1\)",
        [],
    ),
    ("poisson", ("from torch import nn\n\n        return", "from torch import nn\n\n        1 / 0\n        return"),
     r"\[poisson\] fails in `lower`: ZeroDivisionError: division by zero", ["in `lower`"]),
    ("error_rate", ("assert targets is not None", "raise KeyError(self.type_name)"),
     r"error\[NC701 failing-section\]: \[error_rate\] fails in `compute`: KeyError: 'error_rate'", ["in `compute`"]),
    ("error_rate", ("return {self.type_name: float(wrong.mean()), **labels}", "return wrong.mean()"),
     r"\[error_rate\] fails in `judge`: TypeError: `compute` gives Tensor, and a metric gives figures by "
     r"name, its main one first", []),
    ("error_rate", ("float(wrong.mean())", "wrong"),
     r"\[error_rate\] fails in `judge`: TypeError: `compute` gives Tensor for `error_rate`, and a figure is a "
     r"number", []),
    ("sign_descent", ("return Descent(self", "raise ValueError('a bad rate')\n        return Descent(self"),
     r"\[sign_descent\] fails in `lower`: ValueError: a bad rate", ["in `lower`"]),
    ("sign_descent", ("return Descent(self.parameter_groups(groups), self.momentum)", "return None"),
     r"error\[NC702 untrue-section\]: \[sign_descent\] gives NoneType from `lower`, which is no optimizer of torch",
     ["it is defined here"]),
    ("stripes", ('"labels": np.array', '"label": np.array'),
     r"\[stripes\] fails in `__getitem__`: KeyError: 'labels'", ["in `__getitem__`", "in `<dictcomp>`"]),
    ("stripes", ("return {name: everything[name] for name in self.fields}", "return {'image': everything['image']}"),
     r"error\[NC702 untrue-section\]: \[stripes\] declares the field `labels`, and a sample holds `image`",
     ["it is defined here"]),
    ("stripes", ("np.array([upright]", "np.array([upright, 1]"),
     r"\[stripes\] declares `labels` as 1, an array of 1, and gives 2", ["it is defined here"]),
    ("stripes", ("noisy.astype(np.uint8)", "noisy.astype(np.uint8).transpose(2, 0, 1)"),
     r"\[stripes\] declares `image` as 3×16×16, an array of 16×16×3 \(a sample's pictures have their channels last\), "
     r"and gives 3×16×16", ["it is defined here"]),
    ("stripes", ("noisy.astype(np.uint8)", "noisy.astype(np.int32)"),
     r"\[stripes\] declares `image` as image, which is bytes or floats, and gives int32", ["it is defined here"]),
    ("stripes", ("wave = np", "1 / 0\n        wave = np"),
     r"error\[NC701 failing-section\]: \[stripes\] fails in `__getitem__`: ZeroDivisionError", ["in `__getitem__`"]),
    ("stripes", ("counts = {", "1 / 0\n        counts = {"),
     r"\[stripes\] fails in `open`: ZeroDivisionError: division by zero", ["in `open`"]),
    ("invert", ("if random.random()", "1 / 0\n        if random.random()"),
     r"\[invert\] fails in `__call__`: ZeroDivisionError: division by zero", ["in `__call__`"]),
    ("invert", ("if random.random() >= self.probability:\n            return sample\n        return",
                "return None and"),
     r"\[invert\] gives NoneType, where a transform gives fields by name", ["it is defined here"]),
    ("invert", ("255 - sample[name]", "sample[name][::2]"),
     r"\[invert\] declares `image` as 3×16×16, .* and gives 8×16×3", ["it is defined here"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "mistake", "message", "lines"), RUNTIME)
def test_what_shows_when_it_runs_is_one_finding(
    tmp_path: Path,
    name: str,
    mistake: tuple[str, str],
    message: str,
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = change(tmp_path, name, mistake)
    text = told(file, capsys)
    assert re.search(message, text), text
    assert re.search(rf"{re.escape(str(file))}:{header(file, name)}:1: error", text), text
    assert author_lines(text) == lines


@pytest.mark.parametrize("name", ["stripes", "invert"])
def test_a_worker_that_fails_tells_the_same(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "wave = np" if name == "stripes" else "if random.random()"
    late = "if self.numbers[index] == 17:" if name == "stripes" else "if True:"
    file = change(tmp_path, name, (where, f"{late}\n            1 / 0\n        {where}"))
    file.write_text(file.read_text().replace("workers = 0", "workers = 2"))
    text = told(file, capsys)
    assert f"[{name}] fails in `" in text
    assert "ZeroDivisionError: division by zero" in text
    assert author_lines(text) == ["in `__getitem__`" if name == "stripes" else "in `__call__`"]


METHODS = [
    ("soft_threshold", "check", "shape", "self, *inputs"),
    ("soft_threshold", "check", "macs", "self, *inputs"),
    ("soft_threshold", "check", "conflict", "self"),
    ("soft_threshold", "summary", "kept", "self, *inputs"),
    ("soft_threshold", "graph", "label", "self"),
    ("poisson", "check", "conflict", "self"),
    ("error_rate", "check", "conflict", "self"),
    ("invert", "check", "fields", "self, fields"),
]


@pytest.mark.parametrize(("name", "command", "method", "arguments"), METHODS)
def test_what_shows_when_it_is_checked_or_drawn_is_one_finding(
    tmp_path: Path,
    name: str,
    command: str,
    method: str,
    arguments: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = "    def compute(" if name == "error_rate" else "    def lower("
    body = f"    def {method}({arguments}):\n        return [][1]\n\n{before}"
    file = change(tmp_path, name, (before, body))
    text = told(Path(file.name), capsys, command)
    line = header(file, name)
    assert f"{file.name}:{line}:1: error[NC701 failing-section]: [{name}] fails in `{method}`: " in text
    assert "IndexError: list index out of range" in text
    assert author_lines(text) == [f"in `{method}`"]


def test_a_sampler_that_fails_is_one_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = change(tmp_path, "half_each", ("count = max(", "1 / 0\n        count = max("))
    text = told(file, capsys)
    assert f"{file}:{header(file, 'half_each')}:1: error[NC701 failing-section]: " in text
    assert "[half_each] fails in `epoch`: ZeroDivisionError: division by zero" in text
    assert author_lines(text) == ["in `epoch`"]


def test_the_comparison_costs_nothing_after_the_first_batch(tmp_path: Path) -> None:
    """It runs a written `forward` of its own, once; what comes later is the network's own."""
    import torch

    import netcfg
    from netcfg.trainers.step.model import Model

    program = netcfg.load(change(tmp_path, "soft_threshold"))
    networks = netcfg.build(program)
    model = Model(program, networks)
    fields = {"image": torch.rand(4, 3, 16, 16), "labels": torch.zeros(4, 1)}
    names: list[str] = []

    def watch(module: object, inputs: object, output: object) -> None:
        import sys

        frame = sys._getframe()
        while frame is not None and not frame.f_code.co_filename.startswith("<network"):
            frame = frame.f_back
        names.append(frame.f_code.co_filename.partition(" ")[2].rpartition(" ")[0])

    networks["Net"].get_submodule("0").register_forward_hook(watch)
    first = model.signals(fields, ["Net"])["Net"]
    second = model.signals(fields, ["Net"])["Net"]
    assert names == ["Net, checked", "Net"]
    torch.testing.assert_close(first, second, rtol=0, atol=0)
