"""Formulas: the numbers of PyTorch written by hand, axes that meet, and mistakes at their place."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import netcfg
from netcfg.blocks.formula_text import read_formula
from netcfg.blocks.network.formula import Formula
from netcfg.builder.network import build_network
from netcfg.contract.network.case import Case
from netcfg.contract.network.memory import gradients, overwriting, scratch
from netcfg.contract.network.reach import reach
from netcfg.source import Finding

SIGNALS = {
    "image": "channels = 6\nheight = 4\nwidth = 5",
    "other": "channels = 6\nheight = 4\nwidth = 5",
    "gate": "features = 6",
    "tokens": "tokens = 7\nfeatures = 6",
    "label": "kind = class\nclasses = 10",
}


def network(formula: str, *names: str) -> str:
    inputs = "".join(f"[input]\nname = {name}\n{SIGNALS[name]}\n" for name in names)
    return f"{{N}}\n[net]\n{inputs}[formula]\nvalue = {formula}\n"


def computed(formula: str, **inputs: Tensor) -> Tensor:
    graph = netcfg.load(network(formula, *inputs)).networks["N"]
    made = build_network(graph)(*inputs.values())
    assert tuple(made.shape[1:]) == next(iter(graph.outputs.values())).shape
    return made


def only_error(text: str) -> Finding:
    _, findings = netcfg.check(text)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert len(errors) == 1, errors
    return errors[0]


image, other = torch.randn(3, 6, 4, 5), torch.randn(3, 6, 4, 5)
gate, tokens = torch.randn(3, 6), torch.randn(3, 7, 6)
label = torch.tensor([0, 3, 9])


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("image * arange(5, over = width)", image * torch.arange(5.0)),
        ("image + arange(6)", image + torch.arange(6.0)[:, None, None]),
        ("image * arange(2, 14, 2)", image * torch.arange(2.0, 14.0, 2.0)[:, None, None]),
        ("image * linspace(-1, 1, 4, over = height)", image * torch.linspace(-1, 1, 4)[:, None]),
        ("(image - other) ** 2", (image - other) ** 2),
        ("image - other - 1", image - other - 1),
        ("image - (other - 1)", image - (other - 1)),
        ("image / (other / 2)", image / (other / 2)),
        ("-image ** 2", -(image**2)),
        ("(-image) ** 2", image**2),
        ("2 ** -image", 2**-image),
        ("1 / (1 + image ** 2) * other", 1 / (1 + image**2) * other),
        ("image * sqrt(2) + pi / 2", image * 2**0.5 + torch.pi / 2),
        ("image + 2 * 3 ** 2", image + 18),
        ("exp(image) + log(abs(other) + 1)", image.exp() + (other.abs() + 1).log()),
        ("sigmoid(image) * tanh(other)", image.sigmoid() * other.tanh()),
        ("softplus(image) - relu(other)", F.softplus(image) - other.relu()),
        ("sin(image) + cos(other)", image.sin() + other.cos()),
        ("sign(image) + floor(other)", image.sign() + other.floor()),
        ("softmax(image, over = channels)", image.softmax(1)),
        ("log_softmax(image, over = width)", image.log_softmax(3)),
        ("cumsum(image, over = height) + cumprod(image, over = width)", image.cumsum(2) + image.cumprod(3)),
        ("argmax(image, over = channels)", image.argmax(1)),
        ("min(image, other)", torch.minimum(image, other)),
        ("max(image, 0, other)", torch.maximum(image, other).clamp(min=0)),
        ("clip(image, -0.5, 0.5)", image.clamp(-0.5, 0.5)),
        ("clip(image, 0 - abs(other), abs(other))", torch.maximum(torch.minimum(image, other.abs()), -other.abs())),
        ("where(image > other, image, 0)", torch.where(image > other, image, 0)),
        ("(image > 0) * other + (image <= 0)", (image > 0).float() * other + (image <= 0).float()),
        ("(image != image) - (other == other)", torch.full_like(image, -1)),
        ("image < other", image < other),
        ("mean(image)", image.mean((1, 2, 3))),
        ("image - mean(image)", image - image.mean((1, 2, 3), keepdim=True)),
        ("mean(image, over = (height, width))", image.mean((2, 3))),
        ("image - mean(image, over = (height, width))", image - image.mean((2, 3), keepdim=True)),
        ("image / sum(image, over = channels)", image / image.sum(1, keepdim=True)),
        ("var(image, over = width)", image.var(3)),
        ("max(image, over = (height, width)) - min(image)", image.amax((2, 3)) - image.amin((1, 2, 3))[:, None]),
        ("mean(mean(image))", image.mean((1, 2, 3))),
    ],
)  # fmt: skip
def test_a_formula_computes_what_pytorch_does(formula: str, wanted: Tensor) -> None:
    inputs = {"image": image, "other": other} if "other" in formula else {"image": image}
    assert torch.allclose(computed(formula, **inputs).float(), wanted.float(), atol=1e-6, equal_nan=True)


def test_signals_meet_by_axes() -> None:
    by_channel = gate[:, :, None, None]
    assert torch.equal(
        computed("image * sigmoid(gate)", image=image, gate=gate), image * by_channel.sigmoid()
    )
    assert torch.equal(computed("gate - tokens", tokens=tokens, gate=gate), gate[:, None] - tokens)
    wanted = image / (label.float() + 1)[:, None, None, None]
    assert torch.equal(computed("image / (label + 1)", image=image, label=label), wanted)
    assert computed("where(label == 3, gate, 0)", gate=gate, label=label)[:, 0].nonzero().tolist() == [[1]]


def test_a_formula_is_one_line_of_the_network() -> None:
    text = network("image * sigmoid(gate) + (1 - image) ** 2", "image", "gate")
    source = build_network(netcfg.load(text).networks["N"]).source_code
    assert "x = image * torch.sigmoid(gate)[:, :, None, None] + (1 - image) ** 2  # formula at" in source


def test_the_block_before_is_in() -> None:
    text = "{N}\n[net]\nfeatures = 4\n" if False else "{N}\n[net]\n[input]\nname = x\nfeatures = 4\n"
    graph = netcfg.load(text + "[activation]\nactivation = relu\n[formula]\nvalue = in * in + x\n").networks[
        "N"
    ]
    x = torch.randn(2, 4)
    assert torch.equal(build_network(graph)(x), x.relu() * x.relu() + x)


def test_a_formula_of_classes_is_of_numbers_and_says_what_it_gives() -> None:
    graph = netcfg.load(network("argmax(image, over = channels)", "image")).networks["N"]
    signal = next(iter(graph.outputs.values()))
    assert (signal.axes, signal.kind, signal.shape) == ("HW", "class", (4, 5))
    signal = next(iter(netcfg.load(network("image > 0", "image")).networks["N"].outputs.values()))
    assert (signal.axes, signal.kind) == ("CHW", "truth")
    assert computed("label * 2", label=label).dtype == torch.float32


# --- what it says of itself


@pytest.mark.parametrize(
    "formula",
    [
        "(a - b) ** 2",
        "exp(a) * sin(b) / (1 + a ** 2)",
        "1 / a + 2 ** b",
        "sigmoid(a) * tanh(a * b) - softplus(b) * relu(a)",
        "log(abs(a) + 1) * sqrt(abs(b) + 1)",
        "where(a > b, a * b, exp(b))",
        "clip(a * 2, -1, 1) + max(a, b * b, 0)",
        "a - mean(a) * var(b)",
        "max(a) * b + min(b)",
        "(abs(a) + 1) ** b",
        "exp(exp(exp(a))) + b",
        "floor(a) + sign(b)",
        "(a > b) * a",
        "a * a + b",
    ],
)
def test_memory_and_reach_are_as_they_are(formula: str) -> None:
    block = Formula(value=read_formula(formula))
    case = Case(block, ((6, 8, 8), (6, 8, 8)))
    found = [*gradients(case), *scratch(case), *overwriting(case), *reach(case)]
    assert [str(breach) for breach in found] == []


# --- mistakes


def error_at(formula: str, *names: str) -> tuple[str, str]:
    """Code and underlined text of the only error, whose help there must be."""
    text = network(formula, *names)
    error = only_error(text)
    assert error.help or error.notes
    assert error.span is not None
    line = text.splitlines()[error.span.line - 1]
    return error.code, line[error.span.column - 1 :][: error.span.length]


@pytest.mark.parametrize(
    ("formula", "code", "blamed"),
    [
        ("image * imagee", "NC201", "imagee"),
        ("image * détail", "NC105", "détail"),
        ("open(image)", "NC105", "open"),
        ("image.numpy()", "NC105", "image.numpy"),
        ("expp(image)", "NC105", "expp"),
        ("(image + 1).shape", "NC105", "(image + 1).shape"),
        ("exp(image).real", "NC105", "exp(image).real"),
        ("0 < image < 1", "NC105", "0 < image < 1"),
        ("image + (image is image)", "NC105", "image is image"),
        ("image if image else 1", "NC105", "image if image else 1"),
        ("image and 1", "NC105", "image and 1"),
        ("image @ image", "NC105", "image @ image"),
        ("image[0]", "NC105", "image[0]"),
        ("image + 'a'", "NC105", "'a'"),
        ("image + 1e99", "NC105", "1e99"),
        ("lambda: image", "NC105", "lambda: image"),
        ("image +", "NC105", "image +"),
        ("1 + 2", "NC105", "1 + 2"),
        ("image + 1 / 0", "NC301", "1 / 0"),
        ("image + 9 ** 9 ** 9", "NC301", "9 ** 9 ** 9"),
        ("image + log(0)", "NC301", "log(0)"),
        ("clip(image, 1)", "NC105", "clip(image, 1)"),
        ("exp(image, over = height)", "NC105", "exp(image, over = height)"),
        ("mean(image, over = depth)", "NC105", "mean(image, over = depth)"),
        ("mean(image, axis = height)", "NC105", "mean(image, axis = height)"),
        ("softmax(image)", "NC301", "softmax(image)"),
        ("where(image, 1, 0)", "NC301", "where(image, 1, 0)"),
        ("mean(image, over = frames)", "NC301", "frames"),
        ("+".join(["image"] * 400), "NC105", "+".join(["image"] * 400)),
        ("+".join(["image"] * 200), "NC105", "+".join(["image"] * 200)),
    ],
)
def test_a_mistake_is_one_finding_at_its_place(formula: str, code: str, blamed: str) -> None:
    assert error_at(formula, "image") == (code, blamed)


def test_shapes_that_do_not_meet_are_both_shown() -> None:
    text = network("image + gate", "image", "gate").replace("features = 6", "features = 5")
    error = only_error(text)
    assert "`image + gate` of 6×4×5 and 5: 6 ≠ 5 (channels)" in error.message
    places = {note.message for note in error.notes}
    assert places == {"the input `gate` gives 5 here", "the input `image` gives 6×4×5 here"}


def test_without_known_axes_shapes_must_be_equal() -> None:
    inputs = "[input]\nname = a\nshape = 4, 5\n[input]\nname = b\nshape = 5\n"
    error = only_error(f"{{N}}\n[net]\n{inputs}[formula]\nvalue = a + b\n")
    assert "their axes are not known" in error.message
    inputs = "[input]\nname = a\nshape = 4, 5\n[input]\nname = b\nshape = 4, 5\n"
    graph = netcfg.load(f"{{N}}\n[net]\n{inputs}[formula]\nvalue = a * mean(b) + b\n").networks["N"]
    a, b = torch.randn(2, 4, 5), torch.randn(2, 4, 5)
    assert torch.allclose(build_network(graph)(a, b), a * b.mean((1, 2))[:, None, None] + b)


@pytest.mark.parametrize("inner", ["exp(X)", "clip(X, a, b)", "(1 - X)", "a ** (X)"])
def test_the_deepest_formula_can_be_built(inner: str) -> None:
    text = "a + b"
    for _ in range(200):
        longer = inner.replace("X", text)
        try:
            read_formula(longer)
        except ValueError:
            break
        text = longer
    inputs = "[input]\nname = a\nshape = 4\n[input]\nname = b\nshape = 4\n"
    graph = netcfg.load(f"{{N}}\n[net]\n{inputs}[formula]\nvalue = {text}\n").networks["N"]
    assert build_network(graph)(torch.zeros(2, 4), torch.zeros(2, 4)).shape == (2, 4)


def test_in_a_model_a_formula_reads_fields_and_networks() -> None:
    text = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
{Net}
[net]
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = 2
{Model}
[Net]
[formula]
name = error
value = (sigmoid(Net) - labels) ** 2
{Loss}
[mean]
name = loss
input = error
{Optimizer}
[adam]
networks = Net
minimise = loss
"""
    program = netcfg.load(text)
    assert program.signals["error"].shape == (2,)


# --- rows of a table, by a class


def table_of(axes: str, formula: str = "table[label]") -> str:
    table = f"[parameter]\nname = table\nshape = 10, 4\n{axes}"
    return network(formula, "label").replace("[formula]", f"{table}[formula]")


@pytest.mark.parametrize("axes", ["", "axes = objects, features\n"])
def test_a_row_of_a_table_is_looked_up_by_a_class(axes: str) -> None:
    module = netcfg.build(netcfg.load(table_of(axes)))["N"]
    table = module.state_dict()["table"]
    torch.testing.assert_close(module(label), table[label])
    torch.testing.assert_close(module(label.int()), table[label])
    module(label).sum().backward()
    gradient = dict(module.named_parameters())["table"].grad
    assert gradient is not None
    assert gradient.sum(1).tolist() == [4, 0, 0, 4, 0, 0, 0, 0, 0, 4]


def test_a_row_of_numbers_scales_an_image() -> None:
    text = network("image * alphas[label]", "image", "label")
    text = text.replace("[formula]", "[constant]\nname = alphas\nshape = 10\nvalue = 2\n[formula]")
    torch.testing.assert_close(netcfg.build(netcfg.load(text))["N"](image, label), 2 * image)


@pytest.mark.parametrize(
    ("formula", "code", "names"),
    [
        ("image[label]", "NC301", ("image", "label")),
        ("image + gate[gate]", "NC301", ("image", "gate")),
        ("image * linspace(0, 1, gate)", "NC301", ("image", "gate")),
        ("image * linspace(0, 1)", "NC105", ("image",)),
        ("image * arange(0)", "NC301", ("image",)),
        ("image / 0", "NC301", ("image",)),
        ("image / (2 - 2)", "NC301", ("image",)),
        ("image * arange(1e9)", "NC301", ("image",)),
        ("image[0:1]", "NC105", ("image",)),
        ("(image + 1)[label]", "NC105", ("image", "label")),
    ],
)
def test_rows_that_cannot_be(formula: str, code: str, names: tuple[str, ...]) -> None:
    assert only_error(network(formula, *names)).code == code


def test_a_time_embedding_is_written_in_the_language() -> None:
    text = "{include blocks/time_embedding.cfg}\n" + network("label", "label")
    text = text.replace("[formula]\nvalue = label\n", "[time_embedding]\nfeatures = 8\nwaves = 6\n")
    module = netcfg.build(netcfg.load(text))["N"]
    rates = torch.exp(-torch.log(torch.tensor(10000.0)) * torch.linspace(0, 1, 3))
    phase = label[:, None] * rates
    waves = torch.cat([phase.sin(), phase.cos()], 1)
    weights = module.state_dict()
    hidden = F.silu(F.linear(waves, weights["0.mlp.0.weight"], weights["0.mlp.0.bias"]))
    expected = F.linear(hidden, weights["0.mlp.2.weight"], weights["0.mlp.2.bias"])
    torch.testing.assert_close(module(label), expected)


@pytest.mark.parametrize("template", ["conditional_norm", "conditional_batch_norm"])
def test_a_norm_that_hangs_on_another_signal(template: str) -> None:
    text = "{include blocks/conditional_norm.cfg}\n" + network("image", "image", "gate")
    text = text.replace("[formula]\nvalue = image\n", f"[{template}]\nfrom = image, gate\n")
    module = netcfg.build(netcfg.load(text))["N"]
    norm = (
        F.instance_norm(image)
        if template == "conditional_norm"
        else F.batch_norm(image, None, None, training=True)
    )
    torch.testing.assert_close(module(image, gate), norm)  # until it has learned
    assert len(dict(module.named_parameters())) == 4
